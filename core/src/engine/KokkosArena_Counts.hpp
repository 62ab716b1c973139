// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_COUNTS_HPP
#define KOKKOSARENA_ENGINE_COUNTS_HPP

#include <KokkosArena_Statistics.hpp>
#include <engine/KokkosArena_Block.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace KokkosArena::Impl {

/// \brief What an arena counts of its Views, beside what its blocks know.
/// Threads: not synchronised; the arena's lock is held.
class Counts {
 public:
  /// \param[in] bytes  At least 1; a whole number of granules counts.
  void note_view(std::size_t bytes) noexcept {
    ++m_total_allocations;
    ++m_live_allocations;
    m_live_bytes += align_up(bytes, granule);
  }
  void note_end_of_view(std::size_t bytes) noexcept {
    --m_live_allocations;
    m_live_bytes -= align_up(bytes, granule);
  }
  /// \brief Takes over what was counted elsewhere.
  void add(std::uint64_t total, std::uint64_t live,
           std::uint64_t live_bytes) noexcept {
    m_total_allocations += total;
    m_live_allocations += live;
    m_live_bytes += live_bytes;
  }
  /// \param[in] elsewhere  Views alive that aren't counted here.
  void note_reset(std::uint64_t elsewhere) noexcept {
    ++m_resets;
    m_escaped_views += m_live_allocations + elsewhere;
  }
  /// \brief To be called whenever the live bytes are about to fall.
  /// \param[in] elsewhere  Live bytes that aren't counted here.
  void note_peak(std::uint64_t elsewhere) noexcept {
    m_peak_live_bytes = std::max(m_peak_live_bytes, m_live_bytes + elsewhere);
  }

  std::uint64_t live_allocations() const noexcept { return m_live_allocations; }
  std::uint64_t live_bytes() const noexcept { return m_live_bytes; }

  void add_to(ArenaStatistics& s) const noexcept {
    s.live_bytes += m_live_bytes;
    s.peak_live_bytes += m_peak_live_bytes;
    s.live_allocations += m_live_allocations;
    s.total_allocations += m_total_allocations;
    s.resets += m_resets;
    s.escaped_views += m_escaped_views;
  }

 private:
  std::uint64_t m_total_allocations = 0;
  std::uint64_t m_live_allocations  = 0;
  std::uint64_t m_live_bytes        = 0;
  std::uint64_t m_peak_live_bytes   = 0;
  std::uint64_t m_resets            = 0;
  std::uint64_t m_escaped_views     = 0;
};

/// \brief What is counted without the arena's lock, by any thread.
///
/// relaxed, all: plain counts, read for statistics and messages only.
class LockFreeCounts {
 public:
  /// Which cycle it is, from 1 on.
  std::uint64_t cycle() const noexcept {
    return m_cycle.load(std::memory_order_relaxed);
  }
  void note_cycle() noexcept { add_one(m_cycle); }
  void note_unscoped_worker_allocation() noexcept { add_one(m_unscoped); }
  void note_failed_handle_allocation() noexcept { add_one(m_failed_handle); }
  void note_failed_adoption() noexcept { add_one(m_failed_adoption); }

  void add_to(ArenaStatistics& s) const noexcept {
    s.unscoped_worker_allocations += m_unscoped.load(std::memory_order_relaxed);
    s.failed_handle_allocations +=
        m_failed_handle.load(std::memory_order_relaxed);
    s.failed_adoptions += m_failed_adoption.load(std::memory_order_relaxed);
  }

 private:
  using Count = std::atomic<std::uint64_t>;
  static void add_one(Count& count) noexcept {
    count.fetch_add(1, std::memory_order_relaxed);
  }

  Count m_cycle{1};
  Count m_unscoped{0};
  Count m_failed_handle{0};
  Count m_failed_adoption{0};
};

}  // namespace KokkosArena::Impl

#endif
