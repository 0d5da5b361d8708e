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

# atomemo_library(name SOURCES ... [PUBLIC deps...] [PRIVATE deps...])
# A static library atomemo_<name> with the alias atomemo::<name>; includes are relative to the project's root.
function(atomemo_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(atomemo_${name} STATIC ${ARG_SOURCES})
  add_library(atomemo::${name} ALIAS atomemo_${name})
  target_include_directories(atomemo_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(atomemo_${name} PUBLIC ${ARG_PUBLIC} PRIVATE atomemo_options ${ARG_PRIVATE})
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
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${ARG_TIMEOUT} RUN_SERIAL ${ARG_SERIAL} LABELS "${ARG_LABELS}"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
endfunction()
