# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Installs the package that find_package(KokkosArena) finds.

include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/KokkosArena)

install(
  TARGETS kokkosarena_core kokkosarena_adopt
  EXPORT KokkosArenaTargets
  FILE_SET HEADERS)
install(
  EXPORT KokkosArenaTargets
  NAMESPACE KokkosArena::
  DESTINATION ${package_dir})
if(TARGET kokkosarena_core_shared)
  install(TARGETS kokkosarena_core_shared kokkosarena_adopt_shared
          EXPORT KokkosArenaTargets)
endif()
if(TARGET kokkosarena_preload)
  install(TARGETS kokkosarena_preload LIBRARY DESTINATION
                                      ${CMAKE_INSTALL_LIBDIR})
  install(PROGRAMS ${PROJECT_BINARY_DIR}/core/kokkos-arena
          DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
# By themselves, since those who don't ask for them need no Kokkos Kernels.
if(KokkosArena_ENABLE_KERNELS)
  install(
    TARGETS kokkosarena_kernels
    EXPORT KokkosArenaKernelsTargets
    FILE_SET HEADERS)
  install(
    EXPORT KokkosArenaKernelsTargets
    NAMESPACE KokkosArena::
    DESTINATION ${package_dir})
endif()

configure_package_config_file(
  cmake/KokkosArenaConfig.cmake.in KokkosArenaConfig.cmake
  INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may break what was.
write_basic_package_version_file(KokkosArenaConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/KokkosArenaConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/KokkosArenaConfigVersion.cmake
        DESTINATION ${package_dir})
