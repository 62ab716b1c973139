# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# kokkosarena_add_test(NAME SOURCE...): a GoogleTest program whose tests CTest
# lists one by one, each with a time limit, so that a deadlock is a failure.
function(kokkosarena_add_test name)
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
# a test once more for each number of OpenMP threads.
function(kokkosarena_add_test_with_threads name)
  foreach(threads IN LISTS ARGN)
    add_test(NAME ${name}.with_${threads}_threads COMMAND ${name})
    set_tests_properties(
      ${name}.with_${threads}_threads
      PROPERTIES TIMEOUT 120 ENVIRONMENT
                 "OMP_PROC_BIND=false;OMP_NUM_THREADS=${threads}")
  endforeach()
endfunction()
