# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

set(KokkosArena_CHECKED_SUITES
    "."
    CACHE STRING "Regular expression of the test programs that are built twice, \
where compile time is short")

# kokkosarena_add_test(NAME [WITH_CHECKED] SOURCE...): a GoogleTest program whose
# tests CTest lists one by one, each with a time limit, so that a deadlock is a
# failure. WITH_CHECKED: once more as NAME_checked, with CheckedSpace in place of
# ScopedSpace (see KokkosArena_TestConfig.hpp), if KokkosArena_CHECKED_SUITES
# matches the name.
function(kokkosarena_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "WITH_CHECKED" "" "")
  kokkosarena_add_test_program(${name} ${arg_UNPARSED_ARGUMENTS})
  if(arg_WITH_CHECKED AND name MATCHES "${KokkosArena_CHECKED_SUITES}")
    kokkosarena_add_test_program(${name}_checked ${arg_UNPARSED_ARGUMENTS})
    target_compile_definitions(${name}_checked PRIVATE KOKKOSARENA_TEST_CHECKED)
  endif()
endfunction()

function(kokkosarena_add_test_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE kokkosarena_test_main)
  kokkosarena_enable_warnings(${name})
  gtest_discover_tests(
    ${name}
    TEST_PREFIX ${name}.
    DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 120 ENVIRONMENT "OMP_PROC_BIND=false")
endfunction()

# kokkosarena_add_test_with_threads(NAME THREADS...): the whole program of such
# a test, and NAME_checked if there is one, once more for each number of OpenMP
# threads.
function(kokkosarena_add_test_with_threads name)
  foreach(program IN ITEMS ${name} ${name}_checked)
    if(NOT TARGET ${program})
      continue()
    endif()
    foreach(threads IN LISTS ARGN)
      add_test(NAME ${program}.with_${threads}_threads COMMAND ${program})
      set_tests_properties(
        ${program}.with_${threads}_threads
        PROPERTIES TIMEOUT 120 ENVIRONMENT
                   "OMP_PROC_BIND=false;OMP_NUM_THREADS=${threads}")
    endforeach()
  endforeach()
endfunction()

# kokkosarena_add_header_test(NAME LIBRARY HEADER...): an object library in which
# every header of LIBRARY is compiled alone, and twice in a row.
function(kokkosarena_add_header_test name library)
  add_library(${name} OBJECT)
  foreach(header IN LISTS ARGN)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/self_contained/${header}.cpp)
    file(CONFIGURE OUTPUT ${source}
         CONTENT "#include <${header}>\n#include <${header}>\n")
    target_sources(${name} PRIVATE ${source})
  endforeach()
  target_link_libraries(${name} PRIVATE ${library})
  kokkosarena_enable_warnings(${name})
endfunction()
