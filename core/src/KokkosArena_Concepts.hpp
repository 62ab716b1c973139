// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_CONCEPTS_HPP
#define KOKKOSARENA_CONCEPTS_HPP

#include <Kokkos_Core.hpp>

#include <type_traits>

namespace KokkosArena {

template <class MemorySpace>
class ScopedSpace;
template <class MemorySpace>
class CheckedSpace;

/// \brief The Kokkos memory space underneath: M for \c ScopedSpace<M> and
/// \c CheckedSpace<M>, and for any other memory space that space itself.
template <class MemorySpace>
struct base_memory_space {
  using type = MemorySpace;
};
template <class MemorySpace>
struct base_memory_space<ScopedSpace<MemorySpace>> {
  using type = MemorySpace;
};
template <class MemorySpace>
struct base_memory_space<CheckedSpace<MemorySpace>> {
  using type = MemorySpace;
};
template <class Space>
using base_memory_space_t =
    typename base_memory_space<typename Space::memory_space>::type;

/// \brief Whether a memory space is one of this library.
template <class MemorySpace>
inline constexpr bool is_arena_space_v =
    !std::is_same_v<typename base_memory_space<MemorySpace>::type, MemorySpace>;

template <class MemorySpace>
concept ArenaSpace = is_arena_space_v<MemorySpace>;

/// What has a memory space and an execution space of Kokkos: an execution
/// space, a memory space, a Kokkos::Device.
template <class T>
concept KokkosSpace = Kokkos::is_memory_space_v<typename T::memory_space> &&
                      Kokkos::is_execution_space_v<typename T::execution_space>;

namespace Impl {

/// Whether the memory space of \c Space is what the arena space \c MemorySpace
/// is over.
template <class Space, class MemorySpace>
inline constexpr bool is_base_of_arena_space_v =
    is_arena_space_v<MemorySpace> &&
    std::is_same_v<typename Space::memory_space,
                   typename base_memory_space<MemorySpace>::type>;

template <class MemorySpace>
inline constexpr bool is_checked_space_v = false;
template <class MemorySpace>
inline constexpr bool is_checked_space_v<CheckedSpace<MemorySpace>> = true;

/// Whether accesses to CheckedSpace over the memory space are checked, on the
/// host or in kernels: memory of other spaces can't be moved to addresses of
/// ours.
template <class MemorySpace>
inline constexpr bool checks_accesses_v =
    std::is_same_v<MemorySpace, Kokkos::HostSpace>
#if defined(KOKKOS_ENABLE_CUDA)
    || std::is_same_v<MemorySpace, Kokkos::CudaSpace>
#endif
    ;

template <class MemorySpace>
inline constexpr bool host_can_access_v =
    Kokkos::SpaceAccessibility<Kokkos::DefaultHostExecutionSpace,
                               MemorySpace>::accessible;

/// Kernels of these run to their end before the dispatch returns, so memory
/// that the host has dropped is not being read.
template <class ExecutionSpace>
inline constexpr bool is_synchronous_v =
    false
#ifdef KOKKOS_ENABLE_SERIAL
    || std::is_same_v<ExecutionSpace, Kokkos::Serial>
#endif
#ifdef KOKKOS_ENABLE_OPENMP
    || std::is_same_v<ExecutionSpace, Kokkos::OpenMP>
#endif
#ifdef KOKKOS_ENABLE_THREADS
    || std::is_same_v<ExecutionSpace, Kokkos::Threads>
#endif
    ;

/// Whether the host may write Kokkos' bookkeeping into memory of this space at
/// any time: it can reach it, and no kernel that runs behind the host's back
/// can still be reading what was there before.
template <class MemorySpace>
inline constexpr bool record_in_arena_v =
    host_can_access_v<MemorySpace> &&
    is_synchronous_v<Kokkos::DefaultHostExecutionSpace> &&
    (is_synchronous_v<Kokkos::DefaultExecutionSpace> ||
     !Kokkos::SpaceAccessibility<Kokkos::DefaultExecutionSpace,
                                 MemorySpace>::accessible);

}  // namespace Impl

}  // namespace KokkosArena

#endif
