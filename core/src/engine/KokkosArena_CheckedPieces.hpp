// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDPIECES_HPP
#define KOKKOSARENA_ENGINE_CHECKEDPIECES_HPP

#include <engine/KokkosArena_CheckedAllocationPool.hpp>
#include <engine/KokkosArena_CheckedDrop.hpp>
#include <engine/KokkosArena_CheckedPiece.hpp>

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
  /// \brief One more in use, without a window. \pre prepare_add() came before.
  CheckedPiece& add() noexcept;
  /// \brief Undoes the last add(), of whose piece nothing is alive.
  void undo_add() noexcept;

  /// \brief Notes an allocation in the piece's ledger; see there.
  CheckedAllocation& enter(CheckedPiece& piece, std::uintptr_t begin,
                           std::size_t bytes) {
    auto& made = piece.ledger.enter(m_allocations, begin, bytes);
    made.piece = &piece;
    return made;
  }

  /// \brief Drops pieces, and calls f(piece) of each, which may not add any.
  template <class Predicate, class F>
  void drop_if(Predicate const& is_dropped, CheckedDrop const& drop,
               std::uint64_t cycle, F const& f) noexcept {
    ++m_drops;
    std::size_t kept = 0;
    for (auto& owned : m_in_use) {
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
      // Within the capacity: see prepare_add().
      m_dropped.push_back(std::move(owned));
    }
    m_in_use.resize(kept);
  }
  /// \brief Forgets what was dropped longest ago, but for Views that are alive.
  void forget_old() noexcept;

  List const& in_use() const noexcept { return m_in_use; }
  List const& dropped() const noexcept { return m_dropped; }  ///< Oldest first.

  // Of what is in use.
  std::size_t used() const noexcept {
    std::size_t sum = 0;
    for (auto const& piece : m_in_use) sum += piece->block.used();
    return sum;
  }
  std::size_t largest_window() const noexcept;

  /// \return The allocation that is alive with that data, or null.
  CheckedAllocation* find(void const* data, bool dropped) const noexcept;
  /// \return The newest piece with that address in its window, or null.
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
};

}  // namespace KokkosArena::Impl

#endif
