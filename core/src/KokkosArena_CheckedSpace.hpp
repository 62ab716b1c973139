// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_CHECKEDSPACE_HPP
#define KOKKOSARENA_CHECKEDSPACE_HPP

#include <engine/KokkosArena_CheckedStore.hpp>
#include <engine/KokkosArena_CheckedStores.hpp>
#include <impl/KokkosArena_CheckedAccess.hpp>
#include <impl/KokkosArena_DeviceChecks.hpp>
#include <impl/KokkosArena_HostSpaceCheckedMemory.hpp>
#include <impl/KokkosArena_ScopesOf.hpp>
#include <impl/KokkosArena_SpaceInScope.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <type_traits>

namespace KokkosArena {

/// \brief ScopedSpace with strict lifetimes: \c Arena::reset, \c rewind and
/// \c release, the end of an ArenaFrame and that of the arena make every View
/// that drew from what they drop invalid. The next access to an element,
/// through any View of this space, throws InvalidViewAccess, or inside a
/// parallel region ends the program with the same message. Views that are alive
/// then are reported, see EscapePolicy; their end is safe.
///
/// On Linux the memory moves to fresh addresses then, so that an access by any
/// other way faults: a raw pointer, a View of another space over the same
/// memory, a BLAS; see install_fault_handler(). So do what Kokkos does by
/// address: accesses to a DynRankView, deep_copy of a value or to another
/// layout, and resize. Elsewhere nothing faults, and memory of 1 GiB is used in
/// turn.
///
/// CudaSpace: an access in a kernel, through any View of this space, ends the
/// kernel, and the host has the message on stderr at the next fence; Cuda can't
/// go on then. The memory moves to fresh addresses, too, on the device of the
/// first checked View. A drop waits for the device and costs some calls of the
/// driver for each 2 MiB or more that a cycle uses. For other spaces the memory
/// is as ScopedSpace's, and escapes are reported.
///
/// A View's own end is as with ScopedSpace: an address that it has given back
/// may be used again in the same cycle. Checked memory is apart from the rest
/// of the arena, with \c ArenaOptions::maximum_bytes of its own for what is
/// used at once. Threads: any thread may do anything, whatever the arena's
/// policy.
template <class MemorySpace>
class CheckedSpace
    : public Impl::SpaceInScope<CheckedSpace<MemorySpace>, MemorySpace> {
  using parent_type =
      Impl::SpaceInScope<CheckedSpace<MemorySpace>, MemorySpace>;
  friend parent_type;

 public:
  using parent_type::parent_type;

  /// \brief The arena's store of checked memory. \pre There is an arena.
  Impl::CheckedStore& impl_store() const {
    return store_of(*this->impl_core());
  }

 private:
  static constexpr char const* name_prefix = "Checked<";

  static Impl::CheckedStore& store_of(Impl::Core& core) {
    if constexpr (!Impl::checks_accesses_v<MemorySpace>) {
      return core.checked_store(nullptr);
    } else if constexpr (std::is_same_v<MemorySpace, Kokkos::HostSpace>) {
      // Used, so that it is initialised.
      static_cast<void>(&Impl::checked_addresses_are_reserved<MemorySpace>);
      return core.checked_store(&Impl::host_checked_memory());
    } else {
#if defined(KOKKOS_ENABLE_CUDA)
      return core.checked_store(Impl::cuda_checked_memory());
#endif
    }
  }
  static void* take(Impl::Core& core, std::size_t bytes, char const* label) {
    return store_of(core)
        .allocate(0, bytes, 64, label, {}, Impl::current_frame(core))
        ->data;
  }
  static bool give_back(void* address, std::size_t) {
    auto* const allocation = Impl::find_checked_allocation(address);
    if (allocation) Impl::CheckedStore::give_back(allocation);
    return allocation;
  }
};

}  // namespace KokkosArena

#include <kokkos_ext/KokkosArena_KokkosExt.hpp>

#endif
