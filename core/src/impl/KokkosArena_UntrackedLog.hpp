// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_IMPL_UNTRACKEDLOG_HPP
#define KOKKOSARENA_IMPL_UNTRACKEDLOG_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace KokkosArena::Impl {

/// \brief What \c Arena::allocate gave, until it is given back or dropped.
///
/// Each entry has the epoch in which it was made: a mark ends one, so what is
/// newer than a mark has a later epoch than the mark's. Epochs begin at 1, and
/// entries are in their order.
class UntrackedLog {
 public:
  bool empty() const noexcept { return m_end == m_entries.get(); }
  /// Whether note() needs a grow() first.
  bool full() const noexcept { return m_end == m_limit; }
  /// \throws std::bad_alloc  Nothing has changed then.
  void grow() { reserve(std::max<std::size_t>(64, 2 * size())); }

  /// \pre !full()
  void note(std::uintptr_t address, std::size_t bytes,
            std::uint64_t epoch) noexcept {
    *m_end++ = {address, bytes, epoch};
  }

  /// How many have ever been noted.
  std::uint64_t total() const noexcept { return size() + m_forgotten; }

  /// \return The bytes of the allocation, whose entry is gone then; 0 if there
  /// is none.
  std::size_t forget(std::uintptr_t address) noexcept {
    // From the newest, since that is the one that is given back first.
    for (auto* entry = m_end; entry != m_entries.get();) {
      --entry;
      if (entry->address != address) continue;
      auto const bytes = entry->bytes;
      std::copy(entry + 1, m_end, entry);
      --m_end;
      ++m_forgotten;
      return bytes;
    }
    return 0;
  }

  /// \brief Calls \c give_back(address, bytes) for what is newer, newest first,
  /// and forgets it.
  template <class GiveBack>
  void drop_after(std::uint64_t epoch, GiveBack const& give_back) noexcept {
    while (!empty() && m_end[-1].epoch > epoch) {
      --m_end;
      ++m_forgotten;
      give_back(m_end->address, m_end->bytes);
    }
  }

  void clear() noexcept {
    m_forgotten += size();
    m_end = m_entries.get();
  }

 private:
  struct Entry {
    std::uintptr_t address;
    std::size_t bytes;
    std::uint64_t epoch;
  };

  std::size_t size() const noexcept {
    return static_cast<std::size_t>(m_end - m_entries.get());
  }
  void reserve(std::size_t capacity) {
    auto entries = std::make_unique_for_overwrite<Entry[]>(capacity);
    m_end        = std::copy_n(m_entries.get(), size(), entries.get());
    m_entries    = std::move(entries);
    m_limit      = m_entries.get() + capacity;
  }

  // Not a vector, whose push_back would look for room once more.
  std::unique_ptr<Entry[]> m_entries;
  Entry* m_end              = nullptr;
  Entry* m_limit            = nullptr;
  std::uint64_t m_forgotten = 0;
};

}  // namespace KokkosArena::Impl

#endif
