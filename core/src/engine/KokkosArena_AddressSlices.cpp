// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_AddressSlices.hpp"

#include "KokkosArena_Block.hpp"
#include "KokkosArena_Cancellation.hpp"

#include <algorithm>
#include <cstdio>

namespace KokkosArena::Impl {

bool AddressSlices::can_be_taken(Slice slice) const noexcept {
  return slice == Slice::unused || (slice == Slice::dropped && !m_once);
}

std::size_t AddressSlices::take(std::size_t slices, std::size_t step) noexcept {
  auto first = align_up(m_next, step);
  for (int rounds = 0; rounds < 2;) {
    if (first + slices > m_count) {
      if (m_once) return none;
      ++rounds;
      first = 0;
      if (!m_came_round) {
        m_came_round = true;
        CancellationOff const off;
        std::fprintf(stderr,
                     "KokkosArena: the %zu bytes of addresses for checked "
                     "Views have been used up; the oldest are used again, so a "
                     "View that was dropped that long ago may go unnoticed\n",
                     m_count * m_slice_bytes);
      }
      continue;
    }
    auto const* const begin = m_table + first;
    // The last one in the way.
    auto const* obstacle = begin + slices;
    while (obstacle != begin && can_be_taken(obstacle[-1])) --obstacle;
    if (obstacle == begin) {
      std::fill_n(m_table + first, slices, Slice::valid);
      m_next = first + slices;
      return first;
    }
    first = align_up(static_cast<std::size_t>(obstacle - m_table), step);
  }
  return none;
}

void AddressSlices::untake(std::size_t first, std::size_t slices) noexcept {
  if (m_table[first] == Slice::lost) return;
  std::fill_n(m_table + first, slices, Slice::unused);
  if (m_next == first + slices) m_next -= slices;
}

void AddressSlices::lose(std::size_t first, std::size_t slices) noexcept {
  std::fill_n(m_table + first, slices, Slice::lost);
}

void AddressSlices::drop(std::size_t first, std::size_t slices) noexcept {
  std::fill_n(m_table + first, slices, Slice::dropped);
}

}  // namespace KokkosArena::Impl
