// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_HOSTSPACEADOPTION_HPP
#define KOKKOSARENA_HOSTSPACEADOPTION_HPP

#include <KokkosArena_Arena.hpp>
#include <engine/KokkosArena_Adoption.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <type_traits>

namespace KokkosArena {

/// \brief Until it ends, memory that this thread allocates in plain
/// Kokkos::HostSpace comes from the arena, also inside libraries and without a
/// change of type: that of Views, and so of every temporary of Kokkos Kernels.
///
/// Needs the target KokkosArena::adopt, which replaces the global operator new
/// and delete for over-aligned types: Kokkos calls them for HostSpace. Other
/// calls of them go on to malloc, and so does what is smaller than the
/// threshold, and what doesn't fit in the arena, which counts it
/// (\c ArenaStatistics::failed_adoptions).
///
/// What is adopted is a live allocation of the arena like a ScopedSpace View:
/// it may outlive the adoption, resets, which retire its block, and the arena,
/// and may be freed anywhere and on any thread, which under Unsynchronized has
/// to be the one that uses the arena then. That holds for what a library keeps
/// for later, too, as Kokkos does with the scratch memory of its kernels; who
/// doesn't want it to keep a block lets the library run once before. Fences and
/// the events that Kokkos Tools see are those of HostSpace, and Kokkos' record
/// of each View stays on the heap. What ScopedSpace and CheckedSpace Views take
/// from HostSpace outside of an ArenaScope is adopted as well.
///
/// Adoptions nest; the innermost wins. One ends on the thread that opened it,
/// before those around it do, exceptions included; otherwise the program is
/// aborted with the arena's label. It holds for no other thread, those of
/// kernels included, where HostSpace Views can't be made anyway.
///
/// Cost: a few instructions; the first one of a program also makes and drops a
/// HostSpace allocation, which fences. For each that is adopted: that of a
/// ScopedSpace allocation, and at its end a lock that all arenas share and a
/// search among their blocks; so also for what malloc gave with an alignment
/// of 64 bytes, if that is freed while something adopted is alive anywhere and
/// lies between the arenas' blocks. Otherwise some atomic loads. Threads: any,
/// each with scopes of its own.
class [[nodiscard]] HostSpaceAdoption {
 public:
  /// \param[in] arena  Outlives this object.
  /// \param[in] threshold_bytes  From here on a request is adopted. That of a
  /// View is 128 bytes larger than its data.
  /// \pre The first adoption of a program isn't opened inside a kernel.
  /// \throws std::logic_error  It would have no effect, since Kokkos calls
  /// another replacement of operator new.
  template <class Space, class Sync>
    requires(std::is_same_v<typename Arena<Space, Sync>::memory_space,
                            Kokkos::HostSpace>)
  [[nodiscard]] explicit HostSpaceAdoption(Arena<Space, Sync>& arena,
                                           std::size_t threshold_bytes = 4096)
      : HostSpaceAdoption(arena.impl_core(), threshold_bytes) {}

  /// \return Whether an adoption would have an effect, and so not throw.
  /// \pre The first call of a program isn't made inside a kernel.
  /// Cost: the first call makes and drops a HostSpace allocation, which fences.
  /// Threads: any.
  static bool is_in_effect();

  HostSpaceAdoption(HostSpaceAdoption const&)            = delete;
  HostSpaceAdoption& operator=(HostSpaceAdoption const&) = delete;
  ~HostSpaceAdoption();

 private:
  HostSpaceAdoption(Impl::Core& core, std::size_t threshold_bytes);

  Impl::Adoption m_adoption;
  // What holds again when this one ends.
  HostSpaceAdoption const* m_outer;
  Impl::Adoption const* m_outer_adoption;
};

}  // namespace KokkosArena

#endif
