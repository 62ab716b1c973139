// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_AddressSlices.hpp"

#include "KokkosArena_Block.hpp"

#include <algorithm>
#include <cstdio>

namespace KokkosArena::Impl {

std::size_t AddressSlices::take(std::size_t slices, std::size_t step) noexcept {
  auto first = align_up(m_next, step);
  for (int rounds = 0; rounds < 2;) {
    if (first + slices > m_count) {
      ++rounds;
      first = 0;
      if (!m_came_round) {
        m_came_round = true;
        std::fprintf(stderr,
                     "KokkosArena: the %zu bytes of addresses for checked "
                     "Views have been used up; the oldest are used again, so a "
                     "View that was dropped that long ago may go unnoticed\n",
                     m_count * m_slice_bytes);
      }
      continue;
    }
    auto const* const begin = m_table + first;
    // The last valid one in the way.
    auto const* obstacle = begin + slices;
    while (obstacle != begin && obstacle[-1] != Slice::valid) --obstacle;
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
  std::fill_n(m_table + first, slices, Slice::unused);
  if (m_next == first + slices) m_next -= slices;
}

void AddressSlices::drop(std::size_t first, std::size_t slices) noexcept {
  std::fill_n(m_table + first, slices, Slice::dropped);
}

}  // namespace KokkosArena::Impl
