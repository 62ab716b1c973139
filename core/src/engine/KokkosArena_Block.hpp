// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_BLOCK_HPP
#define KOKKOSARENA_ENGINE_BLOCK_HPP

#include <engine/KokkosArena_Poison.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

/// \file
/// Address arithmetic of one contiguous block. Nothing here dereferences an
/// address, so a block may lie in memory that the host can't access.

namespace KokkosArena::Impl {

/// Every allocation begins at a multiple of this and takes a multiple of it.
/// A cache line on most machines.
inline constexpr std::size_t granule = 64;

/// \pre \c alignment is a power of two and the result is representable.
constexpr std::uintptr_t align_up(std::uintptr_t value,
                                  std::size_t alignment) noexcept {
  return (value + alignment - 1) & ~std::uintptr_t(alignment - 1);
}

constexpr std::uintptr_t align_down(std::uintptr_t value,
                                    std::size_t alignment) noexcept {
  return value & ~std::uintptr_t(alignment - 1);
}

/// The bytes between two allocations of a block, free to be used again.
struct Hole {
  std::uintptr_t begin = 0;
  std::uintptr_t end   = 0;
  std::size_t bytes() const noexcept { return end - begin; }
};

/// \brief A contiguous range that is handed out from its two ends, with the
/// holes that frees leave behind.
///
/// Invariant: the room is [top, floor); [begin, top) and [floor, end) are each
/// the disjoint union of allocations and holes; holes are sorted, never
/// adjacent to each other nor to the free range [top, floor). So a block whose
/// last allocation is given back has no hole and is empty.
///
/// A block that poisons (see KokkosArena_Poison.hpp): poisoned is all but the
/// bytes that were asked for, which leaves out what fills up a granule.
class Block {
 public:
  /// \param[in] begin       First address, a multiple of the granule.
  /// \param[in] bytes       Length, a multiple of the granule.
  /// \param[in] poisons     Whether AddressSanitizer is to know what is free.
  Block(std::uintptr_t begin, std::size_t bytes, bool poisons = false) noexcept
      : m_top(begin),
        m_floor(begin + bytes),
        m_begin(begin),
        m_end(begin + bytes),
        m_low(begin),
        m_high(begin + bytes),
        m_poisons(poisons) {
    poison(begin, begin + bytes);
  }

  /// \brief Takes bytes from a hole or else from the top; 0 if neither has
  /// them. \pre bytes > 0, alignment is a power of two.
  /// \param[in] most_holes  Look at no more of them than that.
  std::uintptr_t allocate(std::size_t bytes, std::size_t alignment,
                          std::size_t most_holes = few_holes) noexcept {
    if (bytes <= largest_hole(most_holes)) [[unlikely]] {
      if (auto const address = take_from_hole(bytes, alignment, most_holes)) {
        return unpoisoned(address, bytes);
      }
    }
    return unpoisoned(take_from_top(bytes, alignment), bytes);
  }

  /// \brief The same for a large allocation that will be given back: at the
  /// other end than the last one, or at an empty end. Where each output of a
  /// chain of layers outlives its input, both then leave no hole.
  std::uintptr_t allocate_large(std::size_t bytes, std::size_t alignment,
                                std::size_t most_holes = few_holes) noexcept {
    if (bytes <= std::max(largest_hole(most_holes), m_largest_left)) {
      if (auto const address = take_from_hole(bytes, alignment, most_holes)) {
        return unpoisoned(address, bytes);
      }
    }
    bool const low = m_top <= m_low || (m_floor < m_high && m_last_is_high);
    m_last_is_high = !low;
    return unpoisoned(low ? take_from_top(bytes, alignment)
                          : take_from_floor(bytes, alignment),
                      bytes);
  }

  /// \brief The one of the two for a View of that size.
  std::uintptr_t allocate_for_view(
      std::size_t bytes, std::size_t alignment,
      std::size_t most_holes = few_holes) noexcept {
    return bytes < large_bytes ? allocate(bytes, alignment, most_holes)
                               : allocate_large(bytes, alignment, most_holes);
  }

  /// \brief Takes a hole of at least so many bytes, but no more of it than
  /// \c most, a multiple of the granule. \return An empty one if there is none.
  Hole take_hole(std::size_t least, std::size_t most) noexcept {
    if (least > m_largest_hole) return {};
    auto const best = best_hole(least, granule, few_holes);
    if (best == m_holes.end()) return {};
    Hole const taken{best->begin, std::min(best->end, best->begin + most)};
    cut(best, taken.begin, taken.end);
    return taken;
  }

  /// \brief Gives [address, address + bytes) back; joins it with its
  /// neighbours and with the free range.
  void deallocate(std::uintptr_t address, std::size_t bytes) noexcept {
    auto const end = address + align_up(bytes, granule);
    if (m_poisons) Impl::poison(address, end - address);
    if (end == m_top && m_holes.empty()) {
      m_top = address;
    } else {
      insert_hole({address, end});
    }
  }

  /// \brief The most bytes that have been used at once since the last call of
  /// \c restart_peak, if it is called whenever they are about to fall. Holes
  /// that were there then, and still are, don't count: nobody needed them.
  /// \param[in] without  Used bytes that don't count either.
  void note_peak(std::size_t without = 0) noexcept {
    m_peak = std::max(m_peak,
                      used() - std::min(m_old_holes, m_hole_bytes) - without);
  }
  void restart_peak() noexcept {
    m_peak              = 0;
    m_old_holes         = m_hole_bytes;
    m_largest_alignment = granule;
  }
  std::size_t peak() const noexcept { return m_peak; }
  /// \return What the peak may be at another address, where large alignments
  /// may need more room.
  std::size_t peak_at_any_address() const noexcept {
    return m_largest_alignment > std::size_t(64) << 10
               ? align_up(m_peak, m_largest_alignment) + m_largest_alignment
               : m_peak;
  }

  // For a block in a run of addresses, whose end can move.

  /// \brief Makes the block end at \c bytes, more than it has. The room is then
  /// what lies behind all allocations.
  void extend(std::size_t bytes) noexcept {
    auto const old_end = m_end;
    if (m_floor != m_end) {
      // What is at the upper end stays where it is.
      Hole const gap{m_top, m_floor};
      m_top = m_floor = m_end;
      if (gap.bytes() > 0) insert_hole(gap);
      if (!m_holes.empty() && m_holes.back().end == old_end) {
        m_top = m_holes.back().begin;
        m_hole_bytes -= m_holes.back().bytes();
        m_holes.pop_back();
      }
    }
    m_end = m_floor = m_begin + bytes;
    m_low           = m_top;
    m_high          = m_floor;
    poison(old_end, m_end);
  }

  /// \brief Calls f(begin, end) for each hole of at least so many bytes, which
  /// was of no use to somebody: they don't count as used until there is a use
  /// for them.
  template <class F>
  void leave_alone(std::size_t least, F const& f) noexcept {
    std::size_t bytes = 0;
    for (auto const& hole : m_holes) {
      if (hole.bytes() < least) continue;
      bytes += hole.bytes();
      f(hole.begin, hole.end);
    }
    m_left_alone = std::max(m_left_alone, bytes);
    m_old_holes  = std::max(m_old_holes, bytes);
  }

  /// \return The least bytes that the block can be made to end at: nothing
  /// behind them is in use.
  std::size_t least_bytes() const noexcept {
    if (m_floor == m_end) return m_top - m_begin;
    bool const free = !m_holes.empty() && m_holes.back().end == m_end;
    return (free ? m_holes.back().begin : m_end) - m_begin;
  }
  /// \pre \c bytes is at least \c least_bytes(), and less than there are.
  void shrink(std::size_t bytes) noexcept {
    bool const tail_is_room = m_floor == m_end;
    m_end                   = m_begin + bytes;
    if (tail_is_room) {
      m_floor = m_high = m_end;
      return;
    }
    auto& tail = m_holes.back();
    m_hole_bytes -= tail.end - m_end;
    tail.end = m_end;
    if (tail.bytes() == 0) m_holes.pop_back();
  }

  /// \brief Makes the lowest free range of that many bytes the room, or else
  /// the largest one, and leaves the others alone until there is no other
  /// place: to look through them all for every allocation would cost more than
  /// they save. But large allocations go there first where there are few, so
  /// that what replaces a survivor lies where the one before it was.
  void choose_room(std::size_t bytes) noexcept {
    auto best = m_holes.end();
    for (auto hole = m_holes.begin(); hole != m_holes.end(); ++hole) {
      auto const most =
          std::max(room(), best == m_holes.end() ? 0 : best->bytes());
      if (hole->begin > m_top && room() >= bytes) break;
      if (hole->bytes() > most || hole->bytes() >= bytes) best = hole;
      if (hole->bytes() >= bytes) break;
    }
    if (best != m_holes.end()) {
      Hole const range = *best;
      Hole const old{m_top, m_floor};
      m_hole_bytes -= range.bytes();
      m_holes.erase(best);
      m_top   = range.begin;
      m_floor = range.end;
      if (old.bytes() > 0) insert_hole(old);
    }
    m_low          = m_top;
    m_high         = m_floor;
    m_largest_hole = 0;
    m_largest_left = 0;
    if (m_holes.size() <= few_left) {
      for (auto const& hole : m_holes) {
        m_largest_left = std::max(m_largest_left, hole.bytes());
      }
    }
    m_left_alone   = m_hole_bytes;
    m_last_is_high = false;
  }

  /// \brief Calls f(begin, end) for all that is free, but for the first \c kept
  /// bytes of the room.
  template <class F>
  void for_free_ranges(std::size_t kept, F const& f) const {
    for (auto const& hole : m_holes) f(hole.begin, hole.end);
    if (kept < room()) f(m_top + kept, m_floor);
  }

  /// Of all free ranges together.
  std::size_t free_bytes() const noexcept { return room() + m_hole_bytes; }
  std::size_t largest_free() const noexcept {
    auto largest = room();
    for (auto const& hole : m_holes) largest = std::max(largest, hole.bytes());
    return largest;
  }

  bool contains(std::uintptr_t address) const noexcept {
    return address - m_begin < m_end - m_begin;
  }

  /// \brief Becomes another range, of which nothing is handed out.
  void restart(std::uintptr_t begin, std::size_t bytes) noexcept {
    m_begin = begin;
    m_end   = begin + bytes;
    m_peak  = 0;
    forget_all();
    poison(m_begin, m_end);
  }

  /// \brief Forgets every allocation.
  void clear() noexcept {
    poison(m_begin, m_top);
    poison(m_floor, m_end);
    forget_all();
  }

  /// \brief Forgets every allocation but these, which are given in the order of
  /// their addresses.
  template <class Ranges>
  void clear_but(Ranges const& kept) noexcept {
    forget_all();
    for (Hole const& range : kept) {
      Hole const gap{m_top, range.begin};
      m_top = range.end;
      if (gap.bytes() > 0) {
        poison(gap.begin, gap.end);
        insert_hole(gap);
      }
    }
    poison(m_top, m_end);
    restart_peak();
  }

  /// \brief Poisons [begin, end) if the block does; for bytes that are to be
  /// given back later.
  void poison(std::uintptr_t begin, std::uintptr_t end) const noexcept {
    if (m_poisons) poison_memory(begin, end - begin);
  }

  std::uintptr_t begin() const noexcept { return m_begin; }
  std::uintptr_t top() const noexcept { return m_top; }
  std::uintptr_t floor() const noexcept { return m_floor; }
  std::size_t capacity() const noexcept { return m_end - m_begin; }
  std::size_t used() const noexcept {
    return (m_top - m_begin) + (m_end - m_floor);
  }
  /// The same without the holes that \c choose_room and \c leave_alone have.
  std::size_t in_use() const noexcept {
    return used() - std::min(m_left_alone, m_hole_bytes);
  }
  /// Of the free range between the two ends.
  std::size_t room() const noexcept { return m_floor - m_top; }
  std::vector<Hole> const& holes() const noexcept { return m_holes; }

  /// Looking further for a better hole costs more than it saves, unless
  /// there is no other room.
  static constexpr std::size_t few_holes = 128;
  /// Of those between survivors, worth a look for a large allocation.
  static constexpr std::size_t few_left  = 16;
  static constexpr std::size_t all_holes = ~std::size_t(0);

  /// Views from here on are worth a thought about which end of the block.
  static constexpr std::size_t large_bytes = std::size_t(16) << 10;

  /// Allocations of Views that are alive; the arena counts them here, since
  /// they decide whether the block may be cleared.
  std::size_t live = 0;
  /// In chunks of threads; the arena counts them here as well.
  std::size_t chunk_bytes = 0;

 private:
  /// What is worth a look: not the holes that \c choose_room leaves
  /// alone, unless there is no other room.
  std::size_t largest_hole(std::size_t most_holes) const noexcept {
    return most_holes == all_holes && !m_holes.empty() ? all_holes
                                                       : m_largest_hole;
  }

  std::uintptr_t unpoisoned(std::uintptr_t address,
                            std::size_t bytes) const noexcept {
    if (m_poisons && address) Impl::unpoison(address, bytes);
    return address;
  }

  void forget_all() noexcept {
    m_top = m_low = m_begin;
    m_floor = m_high = m_end;
    m_left_alone     = 0;
    m_largest_hole   = 0;
    m_largest_left   = 0;
    m_hole_bytes     = 0;
    m_old_holes      = 0;
    m_holes.clear();
  }

  std::uintptr_t take_from_top(std::size_t bytes,
                               std::size_t alignment) noexcept {
    if (alignment > granule) [[unlikely]] {
      return take_aligned_from_top(bytes, alignment);
    }
    if (bytes > m_floor - m_top) [[unlikely]]
      return 0;
    auto const address = m_top;
    m_top += align_up(bytes, granule);
    return address;
  }

  // Not inlined: they are not the fast path, which has registers to keep.

  [[gnu::noinline]] std::uintptr_t take_from_hole(
      std::size_t bytes, std::size_t alignment,
      std::size_t most_holes) noexcept {
    auto const best = best_hole(bytes, alignment, most_holes);
    if (best == m_holes.end()) return 0;
    auto const start = align_up(best->begin, alignment);
    cut(best, start, start + align_up(bytes, granule));
    return start;
  }

  /// Takes [start, end) from a hole.
  void cut(std::vector<Hole>::iterator best, std::uintptr_t start,
           std::uintptr_t end) noexcept {
    auto const rest = Hole{end, best->end};
    m_hole_bytes -= end - start;
    if (start == best->begin) {
      if (rest.begin == rest.end) {
        m_warm = static_cast<std::size_t>(best - m_holes.begin());
        m_holes.erase(best);
        // The neighbour is what was given back next to last, if all were given
        // back in a row.
        if (m_warm == m_holes.size() && m_warm > 0) --m_warm;
        if (m_holes.empty()) m_largest_hole = 0;
      } else {
        best->begin = rest.begin;
      }
    } else {
      best->end = start;
      m_hole_bytes -= rest.bytes();
      if (rest.begin != rest.end) insert_hole(rest);
    }
  }

  /// The hole that was made last if it fits, since the cache still holds it;
  /// otherwise the smallest that does.
  std::vector<Hole>::iterator best_hole(std::size_t bytes,
                                        std::size_t alignment,
                                        std::size_t most_holes) noexcept {
    auto const fits = [&](Hole const& h) {
      auto const start = align_up(h.begin, alignment);
      return start < h.end && bytes <= h.end - start;
    };
    auto const count = m_holes.size();
    auto best        = count;
    if (m_warm >= count) m_warm = 0;
    if (count > 0 && fits(m_holes[m_warm])) {
      best = m_warm;
    } else {
      std::size_t largest = 0;
      auto const looks    = std::min(count, most_holes);
      // Downwards from the warm one, then from the last.
      for (std::size_t i = 0; i < looks; ++i) {
        auto const at = m_warm >= i ? m_warm - i : m_warm + count - i;
        auto const& h = m_holes[at];
        largest       = std::max(largest, h.bytes());
        if (fits(h) && (best == count || h.bytes() < m_holes[best].bytes())) {
          best = at;
          if (h.bytes() == align_up(bytes, granule)) break;
        }
      }
      if (best == count && looks == count) {
        // Those that choose_room() has left alone stay so.
        m_largest_hole = std::min(m_largest_hole, largest);
        m_largest_left = 0;
      }
    }
    return m_holes.begin() + static_cast<std::ptrdiff_t>(best);
  }

  [[gnu::noinline]] std::uintptr_t take_aligned_from_top(
      std::size_t bytes, std::size_t alignment) noexcept {
    auto const padding = (alignment - m_top % alignment) % alignment;
    auto const room    = m_floor - m_top;
    if (padding > room || bytes > room - padding) return 0;
    m_largest_alignment = std::max(m_largest_alignment, alignment);
    auto const gap      = Hole{m_top, m_top + padding};
    auto const start    = gap.end;
    m_top               = start + align_up(bytes, granule);
    if (padding > 0) insert_hole(gap);
    return start;
  }

  [[gnu::noinline]] std::uintptr_t take_from_floor(
      std::size_t bytes, std::size_t alignment) noexcept {
    auto const room = m_floor - m_top;
    if (bytes > room) return 0;
    auto const highest = m_floor - align_up(bytes, granule);
    auto const start   = align_down(highest, std::max(alignment, granule));
    if (start < m_top) return 0;
    m_largest_alignment = std::max(m_largest_alignment, alignment);
    auto const gap      = Hole{start + align_up(bytes, granule), m_floor};
    m_floor             = start;
    if (gap.begin != gap.end) insert_hole(gap);
    return start;
  }

  [[gnu::noinline]] void insert_hole(Hole hole) noexcept {
    auto next = std::lower_bound(
        m_holes.begin(), m_holes.end(), hole.begin,
        [](Hole const& h, std::uintptr_t a) { return h.begin < a; });
    m_hole_bytes += hole.bytes();
    if (next != m_holes.begin() && std::prev(next)->end == hole.begin) {
      hole.begin = std::prev(next)->begin;
      next       = m_holes.erase(std::prev(next));
    }
    if (next != m_holes.end() && next->begin == hole.end) {
      hole.end = next->end;
      next     = m_holes.erase(next);
    }
    if (hole.end == m_top || hole.begin == m_floor) {
      m_hole_bytes -= hole.bytes();
      if (hole.end == m_top) {
        m_top = hole.begin;
      } else {
        m_floor = hole.end;
      }
      if (m_holes.empty()) m_largest_hole = 0;
      return;
    }
    try {
      m_warm = static_cast<std::size_t>(next - m_holes.begin());
      m_holes.insert(next, hole);
      m_largest_hole = std::max(m_largest_hole, hole.bytes());
    } catch (std::bad_alloc const&) {
      m_hole_bytes -= hole.bytes();
      // The heap has no room for the note: the bytes stay unused until the
      // block is cleared, which is better than to fail in a destructor.
    }
  }

  // First, what the fast path reads.
  std::uintptr_t m_top;
  std::uintptr_t m_floor;
  std::size_t m_largest_hole = 0;  ///< An upper bound; 0 if there is no hole.
  std::uintptr_t m_begin;
  std::uintptr_t m_end;
  /// The ends of the free range that the room was made of: between them and
  /// the room lies what has been handed out since.
  std::uintptr_t m_low;
  std::uintptr_t m_high;
  bool m_poisons;  ///< In every build, so that the layout is the same.
  bool m_last_is_high             = false;    ///< Of the large ones.
  std::size_t m_largest_alignment = granule;  ///< Since the peak was restarted.
  std::size_t m_warm       = 0;  ///< Index of the hole that was made last.
  std::size_t m_peak       = 0;
  std::size_t m_hole_bytes = 0;  ///< Of all together.
  std::size_t m_old_holes  = 0;  ///< The same when the peak was restarted.
  /// An upper bound of the holes that choose_room() has left alone; 0 if there
  /// are too many to look at.
  std::size_t m_largest_left = 0;
  std::size_t m_left_alone   = 0;  ///< The same by choose_room().
  std::vector<Hole> m_holes;
};

}  // namespace KokkosArena::Impl

#endif
