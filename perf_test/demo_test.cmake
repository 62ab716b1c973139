# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Runs the demo once and checks how it ended and what it said.
#
#   demo         the program
#   arguments    a list
#   exit_code    expected
#   says         a regular expression that its output, errors included, matches
#   json         a file that it has to write, or nothing
#   rows         how many results that file has to hold
#   temporaries  how many bytes of temporaries the first has, or nothing

if(json)
  file(REMOVE "${json}")
endif()
execute_process(
  COMMAND "${demo}" ${arguments}
  RESULT_VARIABLE result
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output
  TIMEOUT 100)
message("${output}")
if(NOT result STREQUAL exit_code)
  message(FATAL_ERROR "It ended with ${result} instead of ${exit_code}")
endif()
if(NOT output MATCHES "${says}")
  message(FATAL_ERROR "It doesn't say what matches: ${says}")
endif()

if(json)
  file(READ "${json}" text)
  string(JSON length LENGTH "${text}" results)
  if(NOT length EQUAL rows)
    message(FATAL_ERROR "${json} holds ${length} results instead of ${rows}")
  endif()
  foreach(key kokkos backend threads malloc compiler processor)
    string(JSON value GET "${text}" ${key})
  endforeach()
  foreach(
    key
    workload space median_seconds fastest_seconds times_as_fast_as_host_space
    temporaries_bytes upstream_allocations_per_call upstream_bytes_per_call
    peak_bytes page_faults_per_call largest_difference)
    string(JSON value GET "${text}" results 0 ${key})
  endforeach()
  string(JSON value GET "${text}" results 0 temporaries_bytes)
  if(temporaries AND NOT value EQUAL temporaries)
    message(FATAL_ERROR "${value} bytes of temporaries instead of ${temporaries}")
  endif()
endif()
