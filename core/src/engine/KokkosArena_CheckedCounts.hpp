// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDCOUNTS_HPP
#define KOKKOSARENA_ENGINE_CHECKEDCOUNTS_HPP

#include <KokkosArena_Statistics.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace KokkosArena::Impl {

/// \brief How many allocations a store has and had, and how many bytes.
/// Threads: not synchronised.
class CheckedCounts {
 public:
  void count_made(std::size_t bytes) noexcept {
    ++m_live;
    ++m_valid;
    m_valid_bytes += bytes;
    ++m_total;
  }
  /// It was dropped, or has ended before that.
  void count_invalid(std::size_t bytes) noexcept {
    --m_valid;
    m_valid_bytes -= bytes;
  }
  void count_ended() noexcept { --m_live; }
  void count_escaped() noexcept { ++m_escaped; }

  /// \brief To be called when the figures are about to fall, not as they rise.
  void note_peaks(std::size_t used) noexcept {
    m_cycle_peak = std::max(m_cycle_peak, used);
    m_peak       = std::max<std::uint64_t>(m_peak, used);
    m_peak_live  = std::max(m_peak_live, m_valid_bytes);
  }
  /// \return The most used bytes of the cycle that ends.
  std::size_t end_cycle() noexcept { return std::exchange(m_cycle_peak, 0); }

  /// Those dropped included.
  std::uint64_t live() const noexcept { return m_live; }
  std::uint64_t valid_bytes() const noexcept { return m_valid_bytes; }

  void add_to(ArenaStatistics& statistics) const noexcept {
    statistics.live_bytes += m_valid_bytes;
    statistics.peak_bytes += m_peak;
    statistics.peak_live_bytes += m_peak_live;
    statistics.live_allocations += m_valid;
    statistics.total_allocations += m_total;
    statistics.escaped_views += m_escaped;
  }

 private:
  std::uint64_t m_live        = 0;
  std::uint64_t m_valid       = 0;
  std::uint64_t m_valid_bytes = 0;
  std::uint64_t m_total       = 0;
  std::uint64_t m_escaped     = 0;
  std::size_t m_cycle_peak    = 0;
  std::uint64_t m_peak        = 0;
  std::uint64_t m_peak_live   = 0;
};

}  // namespace KokkosArena::Impl

#endif
