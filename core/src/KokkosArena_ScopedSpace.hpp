// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_SCOPEDSPACE_HPP
#define KOKKOSARENA_SCOPEDSPACE_HPP

#include <engine/KokkosArena_Owners.hpp>
#include <impl/KokkosArena_SpaceInScope.hpp>

#include <cstddef>

namespace KokkosArena {

/// \brief A Kokkos memory space that allocates from the arena in scope, or
/// from \c MemorySpace where there is none. Where memory goes back to is
/// decided by where it came from.
///
/// An instance remembers the arena that was in scope when it was made, or the
/// one that it is made of: it may be used as long as that arena exists. Views
/// make their own instance, or take one:
///
///     View<double*, ScopedSpace<HostSpace>> v(
///         view_alloc(ScopedSpace<HostSpace>(arena), "v"), n);
///
/// Views convert from and to \c MemorySpace and share ownership.
template <class MemorySpace>
class ScopedSpace
    : public Impl::SpaceInScope<ScopedSpace<MemorySpace>, MemorySpace> {
  using parent_type = Impl::SpaceInScope<ScopedSpace<MemorySpace>, MemorySpace>;
  friend parent_type;

 public:
  using parent_type::parent_type;

 private:
  static constexpr char const* name_prefix = "Scoped<";

  static void* take(Impl::Core& core, std::size_t bytes, char const* label) {
    return core.allocate_tracked(bytes, 64, label);
  }
  static bool give_back(void* address, std::size_t bytes) {
    auto* const core = Impl::find_core(address);
    if (core) core->deallocate_tracked(address, bytes);
    return core;
  }
};

}  // namespace KokkosArena

#include <kokkos_ext/KokkosArena_KokkosExt.hpp>

#endif
