// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_DEMO_KERNELS_HPP
#define KOKKOSARENA_PERF_DEMO_KERNELS_HPP

#include <KokkosArena_Concepts.hpp>
#include <KokkosArena_DirectKernels.hpp>
#include <KokkosArena_FrontDoors.hpp>

#include <type_traits>

namespace KokkosArena::Perf {

/// \brief How to call Kokkos Kernels: with arena Views by the front doors, by
/// which it runs the same code as with HostSpace.
template <class Space>
auto kernels_for() {
  using workloads::DirectKernels;
  return std::conditional_t<is_arena_space_v<Space>, FrontDoors,
                            DirectKernels>();
}

}  // namespace KokkosArena::Perf

#endif
