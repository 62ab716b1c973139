// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDLEDGER_HPP
#define KOKKOSARENA_ENGINE_CHECKEDLEDGER_HPP

#include <engine/KokkosArena_CheckedAllocation.hpp>
#include <engine/KokkosArena_CheckedAllocationPool.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace KokkosArena::Impl {

/// \brief The allocations of one piece by address, without overlaps; also those
/// that were given back, until their bytes are used again. They are the pool's.
/// Threads: not synchronised.
class CheckedLedger {
 public:
  /// \brief Notes an allocation, which isn't alive yet, in place of those whose
  /// bytes it takes.
  /// \throws std::bad_alloc  Nothing has changed then.
  CheckedAllocation& enter(CheckedAllocationPool& pool, std::uintptr_t begin,
                           std::size_t bytes);
  /// \brief Gives all back to the pool.
  void clear(CheckedAllocationPool& pool) noexcept;

  /// \return The last that begins at the address or before it, or null.
  CheckedAllocation* last_up_to(std::uintptr_t address) const noexcept;
  /// \return The one that is alive with that data, or null.
  CheckedAllocation* find(void const* data) const noexcept;

  // By index as well: elements that end may make or end others.
  std::size_t size() const noexcept { return m_entries.size(); }
  CheckedAllocation& operator[](std::size_t i) const noexcept {
    return *m_entries[i];
  }
  auto begin() const noexcept { return m_entries.begin(); }
  auto end() const noexcept { return m_entries.end(); }

 private:
  std::vector<CheckedAllocation*> m_entries;
};

}  // namespace KokkosArena::Impl

#endif
