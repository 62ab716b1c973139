// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_ALLOCATIONRECORD_HPP
#define KOKKOSARENA_PRELOAD_ALLOCATIONRECORD_HPP

#include "KokkosArena_LiveTimeline.hpp"
#include "KokkosArena_MachineCosts.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// \file
/// What an AllocationLog has seen, as plain numbers.

namespace KokkosArena::Impl {

/// \brief What an arena needs for a View of so many bytes: besides them,
/// Kokkos' header and the arena's own, in multiples of 64.
constexpr std::uint64_t arena_bytes_of(std::uint64_t bytes) noexcept {
  constexpr std::uint64_t headers = 128 + 100;
  return (bytes + headers + 63) / 64 * 64;
}

/// Smaller ones are left to malloc.
inline constexpr std::uint64_t least_adopted_bytes = 4096;
/// What is larger gets a mapping of its own from glibc each time, whatever the
/// program did before.
inline constexpr std::uint64_t most_kept_bytes = std::uint64_t(32) << 20;

/// \brief Sums over allocations; all but live ones only grow.
struct AllocationSums {
  std::uint64_t allocations = 0;
  std::uint64_t bytes       = 0;
  std::uint64_t died        = 0;
  std::uint64_t dead_bytes  = 0;
  /// Before the region was left in whose entry they had been made.
  std::uint64_t died_in_entry = 0;
  std::uint64_t lifetimes_ns  = 0;  ///< Of those that died, together.
  std::uint64_t longest_ns    = 0;
  // Of least_adopted_bytes or more:
  std::uint64_t adopted       = 0;
  std::uint64_t adopted_bytes = 0;
  // Of more than most_kept_bytes:
  std::uint64_t large       = 0;
  std::uint64_t large_bytes = 0;

  void count_allocation(std::uint64_t size) noexcept {
    ++allocations;
    bytes += size;
    if (size >= least_adopted_bytes) {
      ++adopted;
      adopted_bytes += size;
    }
    if (size > most_kept_bytes) {
      ++large;
      large_bytes += size;
    }
  }
  void count_death(std::uint64_t size, std::uint64_t lifetime_ns) noexcept {
    ++died;
    dead_bytes += size;
    lifetimes_ns += lifetime_ns;
    longest_ns = std::max(longest_ns, lifetime_ns);
  }
  AllocationSums& operator+=(AllocationSums const& other) noexcept {
    allocations += other.allocations;
    bytes += other.bytes;
    died += other.died;
    dead_bytes += other.dead_bytes;
    died_in_entry += other.died_in_entry;
    lifetimes_ns += other.lifetimes_ns;
    longest_ns = std::max(longest_ns, other.longest_ns);
    adopted += other.adopted;
    adopted_bytes += other.adopted_bytes;
    large += other.large;
    large_bytes += other.large_bytes;
    return *this;
  }
};

/// \brief Bytes that are alive now, and most at once; in an arena's bytes, too.
struct LiveBytes {
  std::uint64_t now        = 0;
  std::uint64_t most       = 0;
  std::uint64_t arena_now  = 0;
  std::uint64_t arena_most = 0;

  void add(std::uint64_t bytes) noexcept {
    now += bytes;
    most = std::max(most, now);
    arena_now += arena_bytes_of(bytes);
    arena_most = std::max(arena_most, arena_now);
  }
  void remove(std::uint64_t bytes) noexcept {
    now -= bytes;
    arena_now -= arena_bytes_of(bytes);
  }
};

/// \brief A region with all those that it is in, so that one name has as many
/// of these as there are ways to it. \c own is without the regions in it.
struct RecordedRegion {
  std::string name;
  std::size_t parent    = 0;  ///< Its own number, for the first.
  std::size_t depth     = 0;
  std::uint64_t entries = 0;

  AllocationSums own;
  /// Of it and the regions in it, the Views that died within an entry of it,
  /// but of no region in it.
  std::uint64_t died_within = 0;
  LiveBytes live;  ///< Of it and the regions in it.

  std::uint64_t own_ns    = 0;
  std::int64_t own_faults = 0;  ///< Of all threads.
  // Of the thread that was in it:
  std::uint64_t own_host_faults = 0;
  std::uint64_t own_system_ns   = 0;

  std::uint64_t fences     = 0;
  std::uint64_t end_fences = 0;  ///< At the ends of Views.
  std::uint64_t kernels    = 0;
};

struct RecordedLabel {
  std::string name;
  AllocationSums sums;
  LiveBytes live;
};

/// \brief All that an AllocationLog has seen.
struct AllocationRecord {
  MachineCosts costs;
  unsigned threads       = 1;  ///< That can run at the same time.
  std::uint64_t total_ns = 0;  ///< Of the log.
  /// For which others had the processors; the rest is the program's own.
  std::uint64_t waiting_ns = 0;
  std::uint64_t faults     = 0;  ///< Of the process, in that time.

  /// In the order in which they were first seen, so that a parent comes before
  /// its children. The first one is what is outside of all regions, and with
  /// those in it, the whole program.
  std::vector<RecordedRegion> regions;
  std::vector<RecordedLabel> labels;
  /// Memory that no host arena could serve.
  std::vector<RecordedLabel> other_spaces;

  std::vector<std::size_t> series;  ///< The region of each.
  std::vector<LiveSample> samples;

  // What wasn't as it should be, none of which changes the sums above.
  std::uint64_t alive_at_end      = 0;  ///< Of the host's.
  std::uint64_t unknown_ends      = 0;  ///< Of what was made before the log.
  std::uint64_t missed_ends       = 0;  ///< Their address was given away again.
  std::uint64_t other_sizes       = 0;  ///< They ended with another size.
  std::uint64_t unbalanced_pops   = 0;  ///< Without a push.
  std::uint64_t unbalanced_pushes = 0;  ///< Without a pop.
  std::uint64_t merged_regions    = 0;  ///< Entries counted for their parent.
  std::uint64_t merged_labels     = 0;  ///< Allocations of "(others)".
  std::uint64_t lost_events       = 0;  ///< For want of heap memory.
};

}  // namespace KokkosArena::Impl

#endif
