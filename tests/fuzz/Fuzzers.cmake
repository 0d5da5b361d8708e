# libFuzzer's targets, in a build of their own (preset `fuzz`) that has no more of the project than they need: see run.sh.
set(ATOMEMO_FUZZ_SECONDS 15 CACHE STRING "How long ctest has each target run")
set(ATOMEMO_FUZZ_SEED 0 CACHE STRING "Of what libFuzzer chooses by chance; 0 is another one each time")

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  message(FATAL_ERROR "libFuzzer comes with Clang: use the preset `fuzz`")
endif()

# Whole folders, so that a new file is not missed, but for what has sockets or threads.
set(bridge "${PROJECT_SOURCE_DIR}/bridge")
file(GLOB sources CONFIGURE_DEPENDS "${bridge}/base/*.cc" "${bridge}/definition/*.cc" "${bridge}/payload/*.cc" "${bridge}/journal/*.cc")
list(FILTER sources EXCLUDE REGEX "/(api_key_reader|asio_scheduler|blocking_calls)\\.cc$")
foreach(source IN ITEMS
    devhub/frame_reader devhub/query
    hub/frame_rescue hub/hub_events hub/hub_refusal hub/hub_url hub/phoenix_frame
    router/call router/hub_event router/ports router/wire_format)
  list(APPEND sources "${bridge}/${source}.cc")
endforeach()

# The generated messages stay as they are: they are not what is tested, and take long to compile so.
set(sanitizers -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
add_library(fuzz_subject STATIC ${sources})
target_compile_options(fuzz_subject PUBLIC -fsanitize=fuzzer-no-link ${sanitizers})
target_include_directories(fuzz_subject PUBLIC "${PROJECT_SOURCE_DIR}")
target_link_libraries(fuzz_subject
  PUBLIC atomemo::proto absl::flat_hash_map absl::flat_hash_set absl::status absl::statusor absl::strings absl::synchronization
    absl::time nlohmann_json::nlohmann_json simdjson::simdjson atomemo_asio unistring
  PRIVATE atomemo_options)
set(headers <algorithm> <functional> <map> <memory> <optional> <string> <variant> <vector>
  <absl/status/statusor.h> <absl/strings/match.h> <absl/strings/str_cat.h> <absl/strings/str_split.h> <absl/time/time.h>
  <google/protobuf/struct.pb.h> <nlohmann/json.hpp>)
target_precompile_headers(fuzz_subject PRIVATE ${headers})

add_custom_target(fuzzers)
foreach(name IN ITEMS answer definition frame hub_call hub_reply journal pattern settings)
  add_executable(${name}_fuzz ${name}_fuzz.cc)
  target_link_libraries(${name}_fuzz PRIVATE fuzz_subject atomemo_options)
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer ${sanitizers})
  # Compiled like the library, for its precompiled headers.
  set_target_properties(${name}_fuzz PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name}_fuzz PRIVATE -fPIC)
  target_precompile_headers(${name}_fuzz REUSE_FROM fuzz_subject)
  add_dependencies(fuzzers ${name}_fuzz)

  # What is found new goes to the build's corpus, what fails to its findings. A single input has 5 s, far more than any may need.
  set(corpus "${CMAKE_CURRENT_BINARY_DIR}/corpus/${name}")
  set(findings "${CMAKE_CURRENT_BINARY_DIR}/findings")
  file(MAKE_DIRECTORY "${corpus}" "${findings}")
  add_test(NAME fuzz.${name}
    COMMAND ${name}_fuzz -max_total_time=${ATOMEMO_FUZZ_SECONDS} -seed=${ATOMEMO_FUZZ_SEED} -timeout=5 -rss_limit_mb=2048 -max_len=20000
      "-artifact_prefix=${findings}/${name}-" "-dict=${CMAKE_CURRENT_SOURCE_DIR}/tokens.dict" -print_final_stats=1 -verbosity=1
      "${corpus}" "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}")
  math(EXPR timeout "${ATOMEMO_FUZZ_SECONDS} + 120")
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT ${timeout})
endforeach()
