// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_GrowthPolicy.hpp"

#include "engine/KokkosArena_Block.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace KokkosArena {

namespace {

/// A small first block: cheap where the arena serves a handful of scalars.
constexpr std::size_t minimum_block_bytes = std::size_t(64) << 10;

std::size_t round_up(std::size_t bytes, std::size_t multiple) noexcept {
  constexpr auto most = std::numeric_limits<std::size_t>::max();
  return bytes > most - multiple ? bytes / multiple * multiple
                                 : (bytes + multiple - 1) / multiple * multiple;
}

}  // namespace

GrowthPolicy::GrowthPolicy(std::size_t history_length,
                           std::size_t initial_bytes)
    : m_peaks(std::max<std::size_t>(history_length, 1), 0),
      m_initial_bytes(initial_bytes) {}

void GrowthPolicy::record_cycle(std::size_t peak_bytes) noexcept {
  if (peak_bytes == 0) return;
  auto const forgotten = std::exchange(m_peaks[m_next], peak_bytes);
  if (++m_next == m_peaks.size()) m_next = 0;
  if (peak_bytes >= m_largest_peak) {
    m_largest_peak = peak_bytes;
  } else if (forgotten == m_largest_peak) {
    m_largest_peak = *std::max_element(m_peaks.begin(), m_peaks.end());
  }
}

std::size_t GrowthPolicy::recommended_bytes() const noexcept {
  auto const peak = m_largest_peak;
  if (peak == 0) return m_initial_bytes;
  return std::max({m_initial_bytes, minimum_block_bytes,
                   round_up(peak + peak / 10 + m_spare_bytes, Impl::granule)});
}

bool GrowthPolicy::keeps(std::size_t block_bytes) const noexcept {
  return block_bytes >= std::max(m_largest_peak, m_initial_bytes) &&
         block_bytes / 2 <= recommended_bytes();
}

std::size_t GrowthPolicy::next_block_bytes(
    std::size_t needed_bytes, std::size_t capacity_bytes) const noexcept {
  auto const wanted =
      capacity_bytes == 0 ? recommended_bytes() : capacity_bytes;
  return std::max(
      {round_up(needed_bytes, Impl::granule), wanted, minimum_block_bytes});
}

}  // namespace KokkosArena
