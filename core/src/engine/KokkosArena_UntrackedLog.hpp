// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_UNTRACKEDLOG_HPP
#define KOKKOSARENA_ENGINE_UNTRACKEDLOG_HPP

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace KokkosArena::Impl {

/// \brief What \c Arena::allocate gave, until it is given back or dropped.
///
/// Each entry has the epoch in which it was made: a mark ends one, so what is
/// newer than a mark has a later epoch than the mark's. Epochs begin at 1, and
/// entries are in their order. One that is given back leaves a gap, an entry
/// with address 0; the newest entry is none.
class UntrackedLog {
 public:
  bool empty() const noexcept { return m_end == m_entries.get(); }
  /// Whether note() needs a grow() first.
  bool full() const noexcept { return m_end == m_limit; }
  /// \throws std::bad_alloc  Nothing has changed then.
  [[gnu::noinline]] void grow() {
    if (m_gaps > size() / 2) {
      close_gaps();
    } else {
      reserve(std::max<std::size_t>(64, 2 * size()));
    }
  }

  /// \pre !full(), and the address isn't noted
  void note(std::uintptr_t address, std::size_t bytes,
            std::uint64_t epoch) noexcept {
    *m_end++ = {address, bytes, epoch};
  }

  /// How many have ever been noted.
  std::uint64_t total() const noexcept { return size() - m_gaps + m_forgotten; }

  /// \return The bytes of the allocation, whose entry is gone then; 0 if there
  /// is none. Cost: constant, but linear in what was noted since the last time
  /// that something older was given back.
  std::size_t forget(std::uintptr_t address) noexcept {
    // The newest is the one that is given back first.
    if (!empty() && m_end[-1].address == address) [[likely]] {
      auto const bytes = (--m_end)->bytes;
      ++m_forgotten;
      if ((m_gaps | m_indexed) != 0) [[unlikely]] {
        drop_trailing_gaps();
      }
      return bytes;
    }
    return forget_older(address);
  }

  /// \brief Calls \c give_back(address, bytes) for what is newer, newest first,
  /// and forgets it.
  template <class GiveBack>
  void drop_after(std::uint64_t epoch, GiveBack const& give_back) noexcept {
    while (!empty() && m_end[-1].epoch > epoch) {
      auto const entry = *--m_end;
      drop_trailing_gaps();
      ++m_forgotten;
      give_back(entry.address, entry.bytes);
    }
  }

  void clear() noexcept {
    m_forgotten += size() - m_gaps;
    m_gaps    = 0;
    m_indexed = 0;
    m_end     = begin();
  }

 private:
  struct Entry {
    std::uintptr_t address;
    std::size_t bytes;
    std::uint64_t epoch;
  };
  static constexpr std::ptrdiff_t few = 16;

  Entry* begin() const noexcept { return m_entries.get(); }
  std::size_t size() const noexcept {
    return static_cast<std::size_t>(m_end - begin());
  }
  void reserve(std::size_t capacity) {
    auto entries = std::make_unique_for_overwrite<Entry[]>(capacity);
    m_end        = std::copy_n(begin(), size(), entries.get());
    m_entries    = std::move(entries);
    m_limit      = begin() + capacity;
  }

  // Not inlined: it is not the fast path, which has registers to keep.
  [[gnu::noinline]] std::size_t forget_older(std::uintptr_t address) noexcept {
    auto* const from = m_end - std::min<std::ptrdiff_t>(few, m_end - begin());
    for (auto* entry = m_end; entry != from;) {
      if ((--entry)->address == address) return forget(*entry);
    }
    auto* const entry = from == begin() ? nullptr : find(address);
    return entry ? forget(*entry) : 0;
  }
  std::size_t forget(Entry& entry) noexcept {
    auto const bytes = entry.bytes;
    entry.address    = 0;
    ++m_gaps;
    ++m_forgotten;
    drop_trailing_gaps();
    return bytes;
  }
  [[gnu::noinline]] void drop_trailing_gaps() noexcept {
    while (!empty() && m_end[-1].address == 0) {
      --m_end;
      --m_gaps;
    }
    m_indexed = std::min(m_indexed, size());
  }
  void close_gaps() noexcept {
    m_end     = std::remove_if(begin(), m_end,
                               [](Entry const& e) { return e.address == 0; });
    m_gaps    = 0;
    m_indexed = 0;
    m_used    = 0;
    std::fill(m_index.begin(), m_index.end(), 0);
  }

  // For what isn't among the newest: a hash table from address to place, of
  // the first m_indexed entries. It is brought up to date only when it is
  // asked. Its slots may be out of date as well, so each is held against the
  // entry that it names.

  Entry* find(std::uintptr_t address) noexcept {
    try {
      bring_index_up_to_date();
    } catch (std::bad_alloc const&) {
      auto* const found = std::find_if(
          begin(), m_end, [&](Entry const& e) { return e.address == address; });
      return found == m_end ? nullptr : found;
    }
    for (auto slot = slot_of(address); m_index[slot] != 0; slot = after(slot)) {
      auto const place = m_index[slot] - 1;
      if (place < m_indexed && m_entries[place].address == address) {
        return &m_entries[place];
      }
    }
    return nullptr;
  }
  void bring_index_up_to_date() {
    auto const missing = size() - m_indexed;
    // At least half of the slots stay free.
    if (2 * (m_used + missing) > m_index.size()) {
      if (auto const slots = std::bit_ceil(4 * size());
          slots > m_index.size()) {
        std::vector<std::size_t> larger(slots);
        m_index.swap(larger);
      } else {
        std::fill(m_index.begin(), m_index.end(), 0);
      }
      m_indexed = m_used = 0;
    }
    for (; m_indexed < size(); ++m_indexed) {
      auto const address = m_entries[m_indexed].address;
      if (address == 0) continue;
      auto slot = slot_of(address);
      while (m_index[slot] != 0) slot = after(slot);
      m_index[slot] = m_indexed + 1;
      ++m_used;
    }
  }
  std::size_t slot_of(std::uintptr_t address) const noexcept {
    // Fibonacci hashing; addresses are multiples of 64.
    return static_cast<std::size_t>((address >> 6) * 0x9e3779b97f4a7c15u >>
                                    20) &
           (m_index.size() - 1);
  }
  std::size_t after(std::size_t slot) const noexcept {
    return (slot + 1) & (m_index.size() - 1);
  }

  // Not a vector, whose push_back would look for room once more.
  std::unique_ptr<Entry[]> m_entries;
  Entry* m_end              = nullptr;
  Entry* m_limit            = nullptr;
  std::uint64_t m_forgotten = 0;
  std::size_t m_gaps        = 0;
  std::size_t m_indexed     = 0;
  std::size_t m_used        = 0;     ///< Slots of the index.
  std::vector<std::size_t> m_index;  ///< Place + 1; 0 is a free slot.
};

}  // namespace KokkosArena::Impl

#endif
