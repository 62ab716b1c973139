// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ARENAOPTIONS_HPP
#define KOKKOSARENA_ARENAOPTIONS_HPP

#include <KokkosArena_EscapePolicy.hpp>
#include <KokkosArena_Revoke.hpp>

#include <cstddef>
#include <limits>
#include <string>

namespace KokkosArena {

/// \brief What an Arena is to be like. Every member has a default.
struct ArenaOptions {
  /// Names the arena in messages.
  std::string label = "arena";
  /// Bytes that the constructor takes; 0: the first allocation decides.
  std::size_t initial_bytes = 0;
  /// Bytes that the arena never exceeds, rounded up to 64, and that checked
  /// memory, which is apart, has in use at once at most. Equal to
  /// \c initial_bytes: fixed. One contiguous block may need some more than the
  /// most that is used at once, for the holes between Views of other sizes.
  std::size_t maximum_bytes = std::numeric_limits<std::size_t>::max();
  /// Cycles whose peaks decide on the size of the block, at least 1.
  std::size_t history_length = 5;
  /// Advise 2 MiB pages for host memory.
  bool huge_pages = true;
  /// Take blocks in the order of the arena's instance (cudaMallocAsync,
  /// hipMallocAsync) rather than by the memory space (cudaMalloc, hipMalloc,
  /// which wait for the device). CudaSpace and HIPSpace.
  bool stream_ordered = false;
  /// What is done about CheckedSpace Views that escape. If it isn't \c collect,
  /// or the environment variable KOKKOS_ARENA_ESCAPE_POLICY is set, the arena
  /// also knows the names of ScopedSpace Views, see \c Arena::survivors, and
  /// counts what the memory space underneath gives in scopes on it, see \c
  /// ArenaStatistics::base_space_allocations: Kokkos reports each allocation
  /// then, some 15 ns a View. Make the first such arena before other threads
  /// make Views.
  EscapePolicy escape_policy = EscapePolicy::collect;
  /// Put a page that faults behind each CheckedSpace View, so that an overrun
  /// beyond the next multiple of 64 bytes does: costs a page or two and two
  /// system calls a View, and \c Revoke::at_once. HostSpace on Linux.
  bool guard_pages = false;
  /// A file for a timeline of what the arena gives, takes back and drops, as an
  /// array of Chrome's trace events, which Perfetto (ui.perfetto.dev) and
  /// chrome://tracing open: a bar for each View and each untracked allocation,
  /// with its label, bytes (as it takes them of the arena, with Kokkos' record)
  /// and thread; reset, rewind, release, growth, Views that survive or escape;
  /// and the arena's used, live and capacity bytes. Empty: what the environment
  /// variable KOKKOS_ARENA_TRACE names, if anything. %p stands for the process'
  /// number, %r for its rank, or 0 (of what launchers of parallel programs
  /// set). The file is written anew by the first arena of a process that uses
  /// it, and goes on with all others; a forked child writes nothing to it. It
  /// is a whole array when no arena uses it, and when the process has ended in
  /// order; after a crash the array has no end, and the last 64 KiB or tenth of
  /// a second may be missing. Costs nothing if it is off; otherwise a lock,
  /// heap memory and about a microsecond for each event, and ThreadCached has
  /// no chunks.
  std::string trace = "";  // NOLINT(readability-redundant-string-init)
  /// When the addresses of CheckedSpace Views that were dropped begin to fault.
  Revoke revoke = Revoke::window;
};

namespace Impl {

/// \return What an arena is made with: whole granules, and what the environment
/// asks for.
/// \throws std::invalid_argument  Contradictory options.
ArenaOptions validated(ArenaOptions options);

}  // namespace Impl

}  // namespace KokkosArena

#endif
