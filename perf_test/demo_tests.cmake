# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# kokkosarena_add_demo_test(NAME EXIT_CODE code SAYS regex [PROGRAM target]
#                           [JSON_ROWS count] [TEMPORARIES bytes]
#                           [ARGUMENTS arg...])
# A run of the demo that ends with the exit code and says what matches. With
# JSON_ROWS it is told to write a JSON file, which must hold so many results, and
# with TEMPORARIES so many bytes of temporaries in the first.
function(kokkosarena_add_demo_test name)
  cmake_parse_arguments(arg "" "EXIT_CODE;SAYS;PROGRAM;JSON_ROWS;TEMPORARIES"
                        "ARGUMENTS"
                        ${ARGN})
  if(NOT arg_PROGRAM)
    set(arg_PROGRAM kokkosarena_demo)
  endif()
  set(json)
  if(arg_JSON_ROWS)
    set(json ${CMAKE_CURRENT_BINARY_DIR}/demo.${name}.json)
    list(APPEND arg_ARGUMENTS --json ${json})
  endif()
  add_test(
    NAME demo.${name}
    COMMAND
      ${CMAKE_COMMAND} -D demo=$<TARGET_FILE:${arg_PROGRAM}> -D
      "arguments=${arg_ARGUMENTS}" -D exit_code=${arg_EXIT_CODE} -D
      "says=${arg_SAYS}" -D json=${json} -D rows=${arg_JSON_ROWS} -D
      temporaries=${arg_TEMPORARIES} -P
      ${CMAKE_CURRENT_SOURCE_DIR}/demo_test.cmake)
  set_tests_properties(
    demo.${name} PROPERTIES TIMEOUT 120 PROCESSORS 2 ENVIRONMENT
                            "${perf_test_environment}")
endfunction()

add_executable(kokkosarena_demo_wrong_sum wrong_exact_sum.cpp)
target_link_libraries(
  kokkosarena_demo_wrong_sum
  PRIVATE kokkosarena_demo_objects kokkosarena_demo_workloads
          kokkosarena_machine)
kokkosarena_enable_warnings(kokkosarena_demo_wrong_sum)

# The rows of every workload but elements.
set(spaces "HostSpace .*growing arena .*fixed arena .*adopted HostSpace .*checked arena ")
math(EXPR bytes_for_256 "3 * 8 * 256")
if(KokkosArena_ENABLE_KERNELS)
  kokkosarena_add_demo_test(short_form_ends_with_right_results
    ARGUMENTS --short EXIT_CODE 0 JSON_ROWS 29 TEMPORARIES ${bytes_for_256}
    SAYS "n = 8000000 .*growing arena.*digits.*growing arena.*All results are right")
  # An arena's steady state asks nothing of the system. Kokkos Kernels' own
  # temporaries follow only an adoption.
  set(nothing "0 +0 B")
  kokkosarena_add_demo_test(digits_in_all_spaces
    ARGUMENTS --workload digits --samples 1 --n 40 EXIT_CODE 0 JSON_ROWS 5
    SAYS "growing arena [^\n]* ${nothing} .*fixed arena [^\n]* ${nothing} .*adopted HostSpace [^\n]* ${nothing} .*checked arena [^\n]* ${nothing} .*All results are right")
  foreach(workload IN ITEMS galerkin krylov)
    kokkosarena_add_demo_test(${workload}_in_all_spaces
      ARGUMENTS --workload ${workload} --samples 1 --n 6 EXIT_CODE 0 JSON_ROWS 5
      SAYS "${spaces}.*All results are right")
    kokkosarena_add_demo_test(${workload}_adopted_takes_nothing_upstream
      ARGUMENTS --workload ${workload} --samples 1 --n 5 EXIT_CODE 0
      SAYS "adopted HostSpace [^\n]* ${nothing} ")
  endforeach()
else()
  kokkosarena_add_demo_test(short_form_ends_with_right_results
    ARGUMENTS --short EXIT_CODE 0 JSON_ROWS 30 TEMPORARIES ${bytes_for_256}
    SAYS "n = 8000000 .*growing arena.*elements.*All results are right")
  kokkosarena_add_demo_test(workload_that_needs_kokkos_kernels_is_an_error
    ARGUMENTS --workload digits EXIT_CODE 2
    SAYS "digits: this program was built without Kokkos Kernels")
endif()
kokkosarena_add_demo_test(elements_in_all_ways
  ARGUMENTS --workload elements --samples 1 --n 4 EXIT_CODE 0 JSON_ROWS 6
  SAYS "malloc .*make_view .*handle .*checked.*preallocated.*All results are right")
kokkosarena_add_demo_test(sizes_are_taken_in_any_notation
  ARGUMENTS --samples 1 --n 1 --n=17 --n 2.5e3 EXIT_CODE 0 JSON_ROWS 18
            TEMPORARIES 24
  SAYS "n = 1 .*${spaces}.*n = 17 .*n = 2500 .*All results are right")
kokkosarena_add_demo_test(help_explains
  ARGUMENTS --help EXIT_CODE 0 SAYS "usage: demo.*HostSpace.*--workload NAME.*--json FILE")
kokkosarena_add_demo_test(wrong_sum_is_a_failure
  PROGRAM kokkosarena_demo_wrong_sum ARGUMENTS --n 16
  EXIT_CODE 1 SAYS "reduction: HostSpace gave a wrong result: 240 instead of 0.5")

kokkosarena_add_demo_test(unknown_option_is_an_error
  ARGUMENTS --frobnicate EXIT_CODE 2 SAYS "unknown option \"--frobnicate\"")
kokkosarena_add_demo_test(missing_value_is_an_error
  ARGUMENTS --n EXIT_CODE 2 SAYS "--n needs a value")
set(senseless_sizes zero:0 negative:-5 word:abc huge:1e30 fraction:1.5
                    number_with_a_unit:12k nan:nan)
foreach(pair IN LISTS senseless_sizes)
  string(REGEX MATCH "^(.*):(.*)$" pair "${pair}")
  kokkosarena_add_demo_test(${CMAKE_MATCH_1}_as_size_is_an_error
    ARGUMENTS --n "${CMAKE_MATCH_2}" EXIT_CODE 2
    SAYS "--n takes a whole number from 1 to 1e.13, .* not \"${CMAKE_MATCH_2}\"")
endforeach()
kokkosarena_add_demo_test(size_beyond_the_memory_is_an_error
  ARGUMENTS --n 1e13 EXIT_CODE 2 SAYS "needs about .* GB of memory")
kokkosarena_add_demo_test(samples_of_0_are_an_error
  ARGUMENTS --samples 0 EXIT_CODE 2 SAYS "--samples takes a whole number")
kokkosarena_add_demo_test(unknown_workload_is_an_error
  ARGUMENTS --workload digit EXIT_CODE 2
  SAYS "--workload takes one of reduction, digits, elements, galerkin, krylov, not \"digit\"")
kokkosarena_add_demo_test(size_for_two_workloads_is_an_error
  ARGUMENTS --workload reduction --workload elements --n 5 EXIT_CODE 2
  SAYS "--n means something else for each workload")
kokkosarena_add_demo_test(size_beyond_a_workload_is_an_error
  ARGUMENTS --workload elements --n 1e6 EXIT_CODE 2
  SAYS "--n takes at most 500 for elements, .*, not 1000000")
kokkosarena_add_demo_test(matrix_for_another_workload_is_an_error
  ARGUMENTS --matrix any.mtx EXIT_CODE 2 SAYS "--matrix is for .* not for reduction")

# Matrices from a file

if(KokkosArena_ENABLE_KERNELS)
  # kokkosarena_add_matrix_test(NAME CONTENT text [demo test's arguments])
  function(kokkosarena_add_matrix_test name)
    cmake_parse_arguments(arg "" "CONTENT" "" ${ARGN})
    set(file ${CMAKE_CURRENT_BINARY_DIR}/demo.${name}.mtx)
    file(WRITE ${file} "%%MatrixMarket matrix coordinate real ${arg_CONTENT}")
    kokkosarena_add_demo_test(${name} ${arg_UNPARSED_ARGUMENTS}
      ARGUMENTS --samples 1 --workload galerkin --workload krylov --matrix ${file})
  endfunction()
  kokkosarena_add_matrix_test(symmetric_matrix_is_solved_with
    CONTENT "symmetric\n3 3 5\n1 1 4\n2 1 -1\n2 2 4\n3 2 -1\n3 3 4\n"
    EXIT_CODE 0 JSON_ROWS 10
    SAYS "galerkin.*a matrix of 3 rows.*krylov: conjugate.*All results are right")
  kokkosarena_add_matrix_test(unsymmetric_matrix_is_solved_with
    CONTENT "general\n2 2 3\n1 1 4\n2 1 -1\n2 2 4\n"
    EXIT_CODE 0 JSON_ROWS 10
    SAYS "krylov: restarted GMRES for a matrix of 2 rows.*All results are right")
  kokkosarena_add_matrix_test(malformed_matrix_is_an_error
    CONTENT "general\n2 2 1\n1 x 4\n"
    EXIT_CODE 2 SAYS "demo: .*malformed_matrix_is_an_error.mtx:3: \"x\" is not a column")
  kokkosarena_add_matrix_test(oblong_matrix_is_an_error
    CONTENT "general\n2 3 1\n1 1 4\n"
    EXIT_CODE 2 SAYS "--matrix: the matrix has 2 rows and 3 columns; give a square one")
  kokkosarena_add_matrix_test(zero_on_the_diagonal_is_an_error
    CONTENT "general\n2 2 2\n1 1 4\n2 1 4\n"
    EXIT_CODE 2 SAYS "--matrix: .* zero on its diagonal in row 2;")
  kokkosarena_add_demo_test(missing_matrix_is_an_error
    ARGUMENTS --workload galerkin --matrix nowhere.mtx EXIT_CODE 2
    SAYS "nowhere.mtx: can't be opened")
  kokkosarena_add_demo_test(size_beside_a_matrix_is_an_error
    ARGUMENTS --workload galerkin --matrix nowhere.mtx --n 5 EXIT_CODE 2
    SAYS "--n and --matrix both say the size")
endif()

kokkosarena_add_demo_test(unwritable_json_is_an_error
  ARGUMENTS --json ${CMAKE_CURRENT_BINARY_DIR}/no/such/directory/demo.json
  EXIT_CODE 2 SAYS "--json: can't write .*No such file or directory")
