# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# kokkosarena_add_demo_test(NAME EXIT_CODE code SAYS regex [PROGRAM target]
#                           [JSON_ROWS count] [ARGUMENTS arg...])
# A run of the demo that ends with the exit code and says what matches. With
# JSON_ROWS it is told to write a JSON file, which must hold so many results.
function(kokkosarena_add_demo_test name)
  cmake_parse_arguments(arg "" "EXIT_CODE;SAYS;PROGRAM;JSON_ROWS" "ARGUMENTS"
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
      "says=${arg_SAYS}" -D json=${json} -D rows=${arg_JSON_ROWS} -P
      ${CMAKE_CURRENT_SOURCE_DIR}/demo_test.cmake)
  set_tests_properties(
    demo.${name} PROPERTIES TIMEOUT 120 PROCESSORS 2 ENVIRONMENT
                            "${perf_test_environment}")
endfunction()

add_executable(kokkosarena_demo_wrong_sum wrong_exact_sum.cpp)
target_link_libraries(
  kokkosarena_demo_wrong_sum PRIVATE kokkosarena_demo_objects
                                     kokkosarena_machine)
kokkosarena_enable_warnings(kokkosarena_demo_wrong_sum)

kokkosarena_add_demo_test(short_form_ends_with_exact_sums
  ARGUMENTS --short EXIT_CODE 0 JSON_ROWS 16
  SAYS "n = 8000000 .*growing arena.*All sums are exact")
kokkosarena_add_demo_test(sizes_are_taken_in_any_notation
  ARGUMENTS --samples 1 --n 1 --n=17 --n 2.5e3 EXIT_CODE 0 JSON_ROWS 12
  SAYS "n = 1 .*n = 17 .*n = 2500 .*All sums are exact")
kokkosarena_add_demo_test(help_explains
  ARGUMENTS --help EXIT_CODE 0 SAYS "usage: demo.*HostSpace.*--json FILE")
kokkosarena_add_demo_test(wrong_sum_is_a_failure
  PROGRAM kokkosarena_demo_wrong_sum ARGUMENTS --n 16
  EXIT_CODE 1 SAYS "HostSpace gave a wrong sum for n = 16: 240 instead of 0.5")

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
kokkosarena_add_demo_test(unwritable_json_is_an_error
  ARGUMENTS --json ${CMAKE_CURRENT_BINARY_DIR}/no/such/directory/demo.json
  EXIT_CODE 2 SAYS "--json: can't write .*No such file or directory")
