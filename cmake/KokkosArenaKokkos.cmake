# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Brings the target Kokkos::kokkos.

set(KokkosArena_MINIMUM_KOKKOS 4.7)

if(NOT TARGET Kokkos::kokkos)
  find_package(Kokkos ${KokkosArena_MINIMUM_KOKKOS} QUIET)
  if(Kokkos_FOUND)
    message(STATUS "Kokkos ${Kokkos_VERSION} (${Kokkos_DEVICES}): ${Kokkos_DIR}")
  elseif(KokkosArena_FETCH_KOKKOS)
    message(STATUS "Kokkos: not found, downloading it")
    include(FetchContent)
    # The release's own archive; its hash as Spack and Homebrew have it.
    FetchContent_Declare(
      Kokkos
      URL https://github.com/kokkos/kokkos/releases/download/4.7.01/kokkos-4.7.01.tar.gz
      URL_HASH SHA256=404cf33e76159e83b8b4ad5d86f6899d442b5da4624820ab457412116cdcd201
      DOWNLOAD_EXTRACT_TIMESTAMP OFF)
    FetchContent_MakeAvailable(Kokkos)
  else()
    message(
      FATAL_ERROR
        "KokkosArena: no Kokkos ${KokkosArena_MINIMUM_KOKKOS} or newer was found. "
        "Set Kokkos_ROOT to its installation prefix, or KokkosArena_FETCH_KOKKOS=ON "
        "to download and build it, or run through cmake/with-kokkos.")
  endif()
endif()
