# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Where compile time is short:
set(KokkosArena_TEST_SUITES
    "."
    CACHE STRING "Regular expression of the test programs that are built")
set(KokkosArena_CHECKED_SUITES
    "."
    CACHE STRING "Regular expression of those that are built twice")

# kokkosarena_add_test(NAME [ENGINE | SHARED] [WITH_CHECKED] [LINK target...] SOURCES
# source...): a GoogleTest program whose tests CTest lists one by one, each with
# a time limit, so that a deadlock is a failure. Nothing if
# KokkosArena_TEST_SUITES doesn't match the name. ENGINE: it links the engine
# alone, without Kokkos. SHARED: it links what is named alone, since the shared
# libraries and the static one are two. WITH_CHECKED: once more as NAME_checked, with CheckedSpace in
# place of ScopedSpace (see KokkosArena_TestConfig.hpp), if
# KokkosArena_CHECKED_SUITES matches the name.
function(kokkosarena_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "ENGINE;SHARED;WITH_CHECKED" "" "LINK;SOURCES")
  if(NOT name MATCHES "${KokkosArena_TEST_SUITES}")
    return()
  endif()
  kokkosarena_add_test_program(${name})
  if(arg_WITH_CHECKED AND name MATCHES "${KokkosArena_CHECKED_SUITES}")
    kokkosarena_add_test_program(${name}_checked)
    target_compile_definitions(${name}_checked PRIVATE KOKKOSARENA_TEST_CHECKED)
  endif()
endfunction()

# With what kokkosarena_add_test was given.
macro(kokkosarena_add_test_program program)
  add_executable(${program} ${arg_SOURCES})
  if(arg_ENGINE)
    target_link_libraries(${program} PRIVATE kokkosarena_engine GTest::gtest_main
                                             ${arg_LINK})
    target_include_directories(${program}
                               PRIVATE ${PROJECT_SOURCE_DIR}/unit_test/common)
    add_dependencies(engine_tests ${program})
  elseif(arg_SHARED)
    target_sources(${program} PRIVATE ${PROJECT_SOURCE_DIR}/unit_test/common/main.cpp)
    target_link_libraries(${program} PRIVATE GTest::gtest ${arg_LINK})
    target_include_directories(${program}
                               PRIVATE ${PROJECT_SOURCE_DIR}/unit_test/common)
  else()
    target_link_libraries(${program} PRIVATE kokkosarena_test_main ${arg_LINK})
  endif()
  kokkosarena_enable_warnings(${program})
  gtest_discover_tests(
    ${program}
    TEST_PREFIX ${program}.
    DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 120 ENVIRONMENT "OMP_PROC_BIND=false")
endmacro()

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
# every header of LIBRARY is compiled alone, and twice in a row; nothing if
# KokkosArena_TEST_SUITES doesn't match the name.
function(kokkosarena_add_header_test name library)
  if(NOT name MATCHES "${KokkosArena_TEST_SUITES}")
    return()
  endif()
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
