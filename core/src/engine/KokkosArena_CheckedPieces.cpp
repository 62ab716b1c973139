// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedPieces.hpp"

#include "KokkosArena_ReserveFor.hpp"

#include <algorithm>

namespace KokkosArena::Impl {

void CheckedPieces::prepare_add() {
  auto const pieces = m_in_use.size() + m_dropped.size() + 1;
  reserve_for(m_in_use, pieces);
  reserve_for(m_dropped, pieces);
  reserve_for(m_free, pieces + m_free.size());
  if (m_free.empty()) m_free.push_back(std::make_unique<CheckedPiece>());
}

CheckedPiece& CheckedPieces::add() noexcept {
  m_in_use.push_back(std::move(m_free.back()));
  m_free.pop_back();
  auto& piece   = *m_in_use.back();
  piece.section = {};
  piece.live    = 0;
  piece.dropped = false;
  return piece;
}

void CheckedPieces::undo_add() noexcept {
  // 0, unless the heap had no room for the note of a hole.
  m_used -= m_in_use.back()->block.used();
  free(std::move(m_in_use.back()));
  m_in_use.pop_back();
}

void CheckedPieces::free(std::unique_ptr<CheckedPiece> piece) noexcept {
  piece->ledger.clear(m_allocations);
  // Within the capacity: see prepare_add().
  m_free.push_back(std::move(piece));
}

void CheckedPieces::forget_old() noexcept {
  for (std::size_t i = 0; i < m_dropped.size();) {
    auto& piece = m_dropped[i];
    if (piece->live > 0 || piece->drop_number + remembered_drops > m_drops) {
      ++i;
      continue;
    }
    free(std::move(piece));
    m_dropped.erase(m_dropped.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

CheckedAllocation* CheckedPieces::find(void const* data,
                                       bool dropped) const noexcept {
  for (auto const& piece : list(dropped)) {
    if (auto* const found = piece->ledger.find(data)) return found;
  }
  return nullptr;
}

CheckedPiece const* CheckedPieces::newest_at(void const* address,
                                             bool dropped) const noexcept {
  auto const a       = reinterpret_cast<std::uintptr_t>(address);
  auto const& pieces = list(dropped);
  auto const piece   = std::find_if(
      pieces.rbegin(), pieces.rend(),
      [&](auto const& p) { return a - p->section.begin < p->section.bytes; });
  return piece == pieces.rend() ? nullptr : piece->get();
}

}  // namespace KokkosArena::Impl
