# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Finds Kokkos Kernels and says in KokkosArena_KOKKOS_KERNELS which target to
# link, and by KokkosArena_ENABLE_KERNELS whether the user wants it.

set(KokkosArena_MINIMUM_KOKKOS_KERNELS 4.7)

# Not beside a Kokkos that is built here: the package would bring its own. Without
# a version: Kokkos Kernels' own package accepts one major version only, and that
# of Trilinos has none; the headers check it then.
if(Kokkos_FOUND AND NOT TARGET Kokkos::kokkoskernels)
  find_package(KokkosKernels QUIET)
endif()
if(TARGET Kokkos::kokkoskernels)
  set(KokkosKernels_FOUND TRUE)
endif()
if(KokkosKernels_FOUND
   AND KokkosKernels_VERSION
   AND KokkosKernels_VERSION VERSION_LESS KokkosArena_MINIMUM_KOKKOS_KERNELS)
  message(STATUS "Kokkos Kernels ${KokkosKernels_VERSION}: too old, needs "
                 "${KokkosArena_MINIMUM_KOKKOS_KERNELS}: ${KokkosKernels_DIR}")
  set(KokkosKernels_FOUND FALSE)
endif()

option(KokkosArena_ENABLE_KERNELS
       "KokkosArena::kernels, on if Kokkos Kernels is found"
       ${KokkosKernels_FOUND})
if(KokkosArena_ENABLE_KERNELS AND NOT KokkosKernels_FOUND)
  message(
    FATAL_ERROR
      "KokkosArena: KokkosArena_ENABLE_KERNELS is ON, and no Kokkos Kernels "
      "${KokkosArena_MINIMUM_KOKKOS_KERNELS} or newer was found. Set KokkosKernels_ROOT "
      "to its installation prefix, or KokkosArena_ENABLE_KERNELS=OFF.")
endif()
if(KokkosArena_ENABLE_KERNELS)
  message(STATUS "Kokkos Kernels ${KokkosKernels_VERSION}: ${KokkosKernels_DIR}")
  # Its own package and that of Trilinos name it differently.
  if(TARGET Kokkos::kokkoskernels)
    set(KokkosArena_KOKKOS_KERNELS Kokkos::kokkoskernels)
  else()
    set(KokkosArena_KOKKOS_KERNELS KokkosKernels::all_libs)
  endif()
endif()
