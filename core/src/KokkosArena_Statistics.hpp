// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_STATISTICS_HPP
#define KOKKOSARENA_STATISTICS_HPP

#include <KokkosArena_EscapePolicy.hpp>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace KokkosArena {

/// \brief What a memory space has given with one label.
struct BaseSpaceAllocations {
  std::string label;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;  ///< Of all of them.
};

/// \brief What an arena holds and what it did. Bytes are those of whole
/// allocations: a View's data, its 128-byte Kokkos header, and its record,
/// rounded up to 64. Capacity and used bytes are those of the blocks in
/// service; live bytes include Views in retired blocks. Exact when no other
/// thread is allocating; but for the peaks of several threads under
/// ThreadCached, which are lower bounds: each thread's chunk counts in the
/// peaks only where that thread, or \c statistics, looks at the arena as a
/// whole.
struct ArenaStatistics {
  std::uint64_t capacity_bytes       = 0;  ///< Of the blocks in service.
  std::uint64_t used_bytes           = 0;  ///< Handed out, holes included.
  std::uint64_t live_bytes           = 0;  ///< Of Views that are alive.
  std::uint64_t peak_bytes           = 0;  ///< Largest \c used_bytes so far.
  std::uint64_t peak_live_bytes      = 0;  ///< Largest \c live_bytes so far.
  std::uint64_t live_allocations     = 0;  ///< Views that are alive.
  std::uint64_t total_allocations    = 0;  ///< Of Views and of \c allocate.
  std::uint64_t upstream_allocations = 0;  ///< Blocks ever asked for.
  std::uint64_t upstream_bytes       = 0;  ///< Bytes ever asked for.
  std::uint64_t blocks               = 0;  ///< In service.
  std::uint64_t retired_blocks       = 0;  ///< Kept for surviving Views only.
  std::uint64_t retired_bytes        = 0;  ///< Capacity of the retired blocks.
  std::uint64_t resets               = 0;
  std::uint64_t escaped_views        = 0;  ///< And survivors, of all resets.
  /// Of ScopedSpace, by threads of a parallel region which couldn't know
  /// whether a scope on this arena holds for them: they used the base space.
  std::uint64_t unscoped_worker_allocations = 0;
  /// Null Views that a handle gave, since the arena was full.
  std::uint64_t failed_handle_allocations = 0;
  /// What a HostSpaceAdoption left to malloc, since it didn't fit.
  std::uint64_t failed_adoptions = 0;
  std::uint64_t free_bytes = 0;  ///< In the blocks in service, holes included.
  /// The largest piece of them; growth apart, no more fits at once.
  std::uint64_t largest_free_bytes = 0;
  std::string label;  ///< The arena's.
  /// Of the last reset, if the arena knows them: see \c Arena::survivors.
  std::vector<EscapedView> survivors;
  /// What the memory space underneath has given inside scopes of the arena,
  /// and so not the arena: Views that are spelt with that space, or another
  /// reason of this list. Counted where the arena also knows the names of Views
  /// (see \c ArenaOptions::escape_policy), by Kokkos Tools' events.
  std::uint64_t base_space_allocations = 0;
  /// The labels of these that have most bytes, at most five.
  std::vector<BaseSpaceAllocations> largest_base_space_allocations;

  /// \return How scattered the free bytes are: 0 if they are one piece, or
  /// none; towards 1 the more pieces there are.
  double fragmentation() const noexcept {
    return free_bytes == 0 ? 0
                           : 1 - static_cast<double>(largest_free_bytes) /
                                     static_cast<double>(free_bytes);
  }
};

/// \brief Writes some lines for people, of what isn't 0; sizes are rounded. No
/// newline follows the last. The stream's flags, width and locale change
/// nothing, and stay, but for the width, which is 0 then.
std::ostream& operator<<(std::ostream& out, ArenaStatistics const& s);

}  // namespace KokkosArena

#endif
