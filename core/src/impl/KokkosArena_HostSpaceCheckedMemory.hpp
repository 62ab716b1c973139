// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_HOSTSPACECHECKEDMEMORY_HPP
#define KOKKOSARENA_IMPL_HOSTSPACECHECKEDMEMORY_HPP

#include <engine/KokkosArena_CheckedMemory.hpp>

namespace KokkosArena::Impl {

/// \brief HostSpace's checked memory, which Kokkos Tools see as allocations
/// like any other. Ends with the program.
CheckedMemory& host_checked_memory() noexcept;

}  // namespace KokkosArena::Impl

#endif
