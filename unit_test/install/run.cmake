# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Installs the library into a fresh prefix if the way needs it, then
# configures, builds and runs the project in client/.

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
if(WAY STREQUAL "find_package")
  run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${WORK_DIR}/prefix)
endif()
run(
  ${CMAKE_COMMAND}
  -G ${GENERATOR}
  -S ${CMAKE_CURRENT_LIST_DIR}/client
  -B ${WORK_DIR}/build
  -D CMAKE_CXX_COMPILER=${CXX}
  -D CMAKE_CXX_FLAGS=${CXX_FLAGS}
  -D CMAKE_BUILD_TYPE=Release
  -D CMAKE_PREFIX_PATH=${WORK_DIR}/prefix
  -D Kokkos_DIR=${Kokkos_DIR}
  -D KokkosKernels_DIR=${KokkosKernels_DIR}
  -D WAY=${WAY}
  -D KokkosArena_SOURCE=${SOURCE_DIR}
  -D KokkosArena_WANTED_VERSION=${VERSION}
  -D WITH_KERNELS=${WITH_KERNELS})
run(${CMAKE_COMMAND} --build ${WORK_DIR}/build)
run(${WORK_DIR}/build/client)
run(${WORK_DIR}/build/adopting_client)
set(command ${WORK_DIR}/prefix/bin/kokkos-arena)
if(EXISTS ${command} AND NOT CXX_FLAGS MATCHES "-fsanitize")
  run(${command} run --stats -- ${WORK_DIR}/build/client)
endif()
if(WITH_KERNELS)
  run(${WORK_DIR}/build/kernels_client)
endif()
