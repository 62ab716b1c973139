// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDPIECES_HPP
#define KOKKOSARENA_ENGINE_CHECKEDPIECES_HPP

#include <engine/KokkosArena_CheckedAllocationPool.hpp>
#include <engine/KokkosArena_CheckedDrop.hpp>
#include <engine/KokkosArena_CheckedPiece.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace KokkosArena::Impl {

/// \brief The pieces of a store: those in use, and those that were dropped,
/// until nobody has to know of them. Knows addresses, but no memory.
/// Threads: not synchronised.
class CheckedPieces {
 public:
  using List = std::vector<std::unique_ptr<CheckedPiece>>;

  /// How many of the last drops the Views are known of that have ended.
  static constexpr std::uint64_t remembered_drops = 2;

  /// \brief Takes the memory that add() and all that follows, up to the piece's
  /// end, would need.
  /// \throws std::bad_alloc  Nothing has changed then.
  void prepare_add();
  /// \brief One more in use, without a section. \pre prepare_add() came before.
  CheckedPiece& add() noexcept;
  /// \brief Undoes the last add(), of whose piece nothing is alive.
  void undo_add() noexcept;

  // What changes how much is used.

  /// \brief Takes bytes of the piece's section. \return 0 if it has none.
  std::uintptr_t allocate(CheckedPiece& piece, std::size_t bytes,
                          std::size_t alignment) noexcept {
    auto const before = piece.block.used();
    // The end of a shared section moves.
    auto const begin =
        piece.section.window->is_shared
            ? piece.block.allocate(bytes, alignment, Block::all_holes)
            : piece.block.allocate_for_view(bytes, alignment, Block::all_holes);
    m_used += piece.block.used() - before;
    return begin;
  }
  void deallocate(CheckedPiece& piece, std::uintptr_t begin,
                  std::size_t bytes) noexcept {
    auto const before = piece.block.used();
    piece.block.deallocate(begin, bytes);
    m_used -= before - piece.block.used();
  }
  /// \brief Tells the piece that its section has become larger.
  void extend(CheckedPiece& piece) noexcept {
    auto const before = piece.block.used();
    piece.block.extend(piece.section.end() - piece.block.begin());
    m_used += piece.block.used() - before;
  }

  /// \brief Notes an allocation in the piece's ledger; see there.
  CheckedAllocation& enter(CheckedPiece& piece, std::uintptr_t begin,
                           std::size_t bytes) {
    auto& made = piece.ledger.enter(m_allocations, begin, bytes);
    made.piece = &piece;
    return made;
  }

  /// \return The index among those in use of the first that was made after the
  /// epoch.
  std::size_t first_after(std::uint64_t epoch) const noexcept {
    auto const first = std::partition_point(
        m_in_use.begin(), m_in_use.end(),
        [&](auto const& piece) { return piece->made_in <= epoch; });
    return static_cast<std::size_t>(first - m_in_use.begin());
  }

  /// \brief Drops pieces from the \c first in use on, and calls f(piece) of
  /// each, which may not add any.
  template <class Predicate, class F>
  void drop_if(std::size_t first, Predicate const& is_dropped,
               CheckedDrop const& drop, std::uint64_t cycle,
               F const& f) noexcept {
    ++m_drops;
    auto kept = first;
    for (auto i = first; i < m_in_use.size(); ++i) {
      auto& owned = m_in_use[i];
      if (!is_dropped(*owned)) {
        std::swap(m_in_use[kept++], owned);
        continue;
      }
      auto& piece         = *owned;
      piece.dropped       = true;
      piece.dropped_cycle = cycle;
      piece.drop_number   = m_drops;
      piece.drop          = drop;
      f(piece);
      m_used -= piece.block.used();
      // Within the capacity: see prepare_add().
      m_dropped.push_back(std::move(owned));
    }
    m_in_use.resize(kept);
  }
  /// \brief Forgets what was dropped longest ago, but for Views that are alive.
  void forget_old() noexcept;

  /// In the order in which they were made.
  List const& in_use() const noexcept { return m_in_use; }
  List const& dropped() const noexcept { return m_dropped; }  ///< Oldest first.

  /// Bytes of what is in use.
  std::size_t used() const noexcept { return m_used; }

  /// \return The allocation that is alive with that data, or null.
  CheckedAllocation* find(void const* data, bool dropped) const noexcept;
  /// \return The newest piece with that address in its section, or null.
  CheckedPiece const* newest_at(void const* address,
                                bool dropped) const noexcept;

 private:
  List const& list(bool dropped) const noexcept {
    return dropped ? m_dropped : m_in_use;
  }
  void free(std::unique_ptr<CheckedPiece> piece) noexcept;

  CheckedAllocationPool m_allocations;
  List m_in_use;
  List m_dropped;
  List m_free;
  std::uint64_t m_drops = 0;  ///< Those that dropped anything.
  std::size_t m_used    = 0;
};

}  // namespace KokkosArena::Impl

#endif
