# Interface targets for warnings and sanitizers, and the functions that make every target of the project.

set(ATOMEMO_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined or thread")
option(ATOMEMO_WERROR "Treat warnings in our own code as errors" ON)

add_library(atomemo_options INTERFACE)
target_compile_options(atomemo_options INTERFACE
  -Wall -Wextra -Wpedantic -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<CXX_COMPILER_ID:GNU>:-Wshadow=local -Wno-missing-field-initializers -Wno-psabi>
  # Thread-safety annotations are errors when broken; only Clang knows them.
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Werror=thread-safety -Wno-shadow -Wno-missing-field-initializers>)
if(ATOMEMO_WERROR)
  target_compile_options(atomemo_options INTERFACE -Werror)
endif()
target_compile_definitions(atomemo_options INTERFACE ASIO_STANDALONE)
if(ATOMEMO_SANITIZE)
  # For every object, the generated ones too: mixing instrumented and plain code hides reports.
  add_compile_options(-fsanitize=${ATOMEMO_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${ATOMEMO_SANITIZE})
endif()

# Found faults of memory and of invariants shall be loud where tests run, and cheap everywhere. `ATOMEMO_CHECKED` aborts on a broken invariant
# (bridge/base/invariant.h) and on a misused standard container; without it a broken invariant costs one call or session.
option(ATOMEMO_CHECKED "Abort on broken invariants and misused containers" ${BUILD_TESTING})
if(ATOMEMO_CHECKED)
  add_compile_definitions(_GLIBCXX_ASSERTIONS ATOMEMO_CHECKED)
endif()
add_compile_options(-fstack-protector-strong -pthread)  # Everything here has threads, and precompiled headers must agree on it.
include(CheckCXXCompilerFlag)
foreach(flag IN ITEMS stack-clash-protection cf-protection)  # Not on every processor.
  check_cxx_compiler_flag(-f${flag} ATOMEMO_HAS_${flag})
  if(ATOMEMO_HAS_${flag})
    add_compile_options(-f${flag})
  endif()
endforeach()
add_link_options(-Wl,-z,relro,-z,now)
if(NOT CMAKE_BUILD_TYPE STREQUAL Debug AND NOT ATOMEMO_SANITIZE)
  add_compile_definitions(_FORTIFY_SOURCE=2)  # Needs an optimizing build.
endif()

# Parsing gRPC, Protobuf, Abseil and GoogleTest costs more than compiling what a file of ours says, so that is done once for libraries
# and once for tests. Files still include what they use: the tidy preset builds without.
set(precompiled_headers
  <algorithm> <array> <atomic> <chrono> <cstddef> <cstdint> <deque> <functional> <list> <map> <memory> <mutex> <optional> <set> <string>
  <thread> <utility> <variant> <vector>
  <absl/container/flat_hash_map.h> <absl/container/flat_hash_set.h> <absl/container/node_hash_map.h> <absl/status/statusor.h>
  <absl/strings/match.h> <absl/strings/str_cat.h> <absl/strings/str_split.h> <absl/synchronization/mutex.h> <absl/time/time.h>
  <google/protobuf/struct.pb.h> <google/protobuf/util/time_util.h> <grpcpp/grpcpp.h> <grpcpp/generic/async_generic_service.h>
  <nlohmann/json.hpp>)

# atomemo_precompile(target KIND)
# Has the target use the headers that were precompiled for its kind: `library` or `test`.
function(atomemo_precompile target kind)
  if(NOT TARGET atomemo_precompiled_${kind})
    set(stub "${PROJECT_BINARY_DIR}/precompiled_${kind}.cc")
    file(CONFIGURE OUTPUT "${stub}" CONTENT "int main() { return 0; }\n")
    set(headers ${precompiled_headers})
    if(kind STREQUAL test)
      add_executable(atomemo_precompiled_test "${stub}")
      list(APPEND headers <gmock/gmock.h> <gtest/gtest.h>)
      target_link_libraries(atomemo_precompiled_test PRIVATE GTest::gmock)
      atomemo_compile_lightly(atomemo_precompiled_test)
    else()
      add_library(atomemo_precompiled_library STATIC "${stub}")
    endif()
    set_target_properties(atomemo_precompiled_${kind} PROPERTIES CXX_CLANG_TIDY "")
    target_link_libraries(atomemo_precompiled_${kind} PRIVATE
      atomemo_options gRPC::grpc++ protobuf::libprotobuf nlohmann_json::nlohmann_json Threads::Threads)
    target_precompile_headers(atomemo_precompiled_${kind} PRIVATE ${headers})
  endif()
  target_precompile_headers(${target} REUSE_FROM atomemo_precompiled_${kind})
endfunction()

# Tests' own code is compiled more often than it runs for long.
function(atomemo_compile_lightly target)
  if(NOT CMAKE_BUILD_TYPE STREQUAL Debug)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-O1>)
  endif()
endfunction()

# atomemo_library(name SOURCES ... [PUBLIC deps...] [PRIVATE deps...])
# A static library atomemo_<name> with the alias atomemo::<name>; includes are relative to the project's root.
function(atomemo_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(atomemo_${name} STATIC ${ARG_SOURCES})
  add_library(atomemo::${name} ALIAS atomemo_${name})
  target_include_directories(atomemo_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(atomemo_${name} PUBLIC ${ARG_PUBLIC} PRIVATE atomemo_options ${ARG_PRIVATE})
  atomemo_precompile(atomemo_${name} library)
endfunction()

# atomemo_test(name SOURCES ... DEPS ... [TIMEOUT seconds] [LABELS ...] [SERIAL])
# A GoogleTest binary whose every TEST becomes one ctest test. SERIAL: none runs beside others.
function(atomemo_test name)
  cmake_parse_arguments(ARG "SERIAL" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE atomemo_options ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  atomemo_precompile(${name} test)
  atomemo_compile_lightly(${name})
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${ARG_TIMEOUT} RUN_SERIAL ${ARG_SERIAL} LABELS "${ARG_LABELS}"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
endfunction()
