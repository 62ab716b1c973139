// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedLedger.hpp"

#include <algorithm>
#include <iterator>

namespace KokkosArena::Impl {

CheckedAllocation& CheckedLedger::enter(CheckedAllocationPool& pool,
                                        std::uintptr_t begin,
                                        std::size_t bytes) {
  auto first = m_entries.end();
  if (!m_entries.empty() && m_entries.back()->begin >= begin) {
    first = std::lower_bound(
        m_entries.begin(), m_entries.end(), begin,
        [](CheckedAllocation const* a, std::uintptr_t address) {
          return a->begin < address;
        });
  }
  if (first != m_entries.begin() &&
      (*std::prev(first))->begin + (*std::prev(first))->bytes > begin) {
    --first;
  }
  // One by one: there is seldom more than one, and all of them go.
  auto last = first;
  while (last != m_entries.end() && (*last)->begin < begin + bytes) ++last;
  CheckedAllocation* made = nullptr;
  if (first != last) {
    made = *first;
    pool.give_back({std::next(first), last});
    m_entries.erase(std::next(first), last);
  } else {
    made = &pool.next();
    m_entries.insert(first, made);
    pool.take_next();
  }
  made->begin = begin;
  made->bytes = bytes;
  made->alive = false;
  return *made;
}

void CheckedLedger::clear(CheckedAllocationPool& pool) noexcept {
  pool.give_back(m_entries);
  m_entries.clear();
}

CheckedAllocation* CheckedLedger::last_up_to(
    std::uintptr_t address) const noexcept {
  auto const next =
      std::upper_bound(m_entries.begin(), m_entries.end(), address,
                       [](std::uintptr_t x, CheckedAllocation const* y) {
                         return x < y->begin;
                       });
  return next == m_entries.begin() ? nullptr : *std::prev(next);
}

CheckedAllocation* CheckedLedger::find(void const* data) const noexcept {
  auto* const found = last_up_to(reinterpret_cast<std::uintptr_t>(data));
  return found && found->alive && found->data == data ? found : nullptr;
}

}  // namespace KokkosArena::Impl
