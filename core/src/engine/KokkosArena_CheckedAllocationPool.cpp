// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedAllocationPool.hpp"

#include "KokkosArena_ReserveFor.hpp"

#include <utility>

namespace KokkosArena::Impl {

void CheckedAllocationPool::make_another() {
  auto another = std::make_unique<CheckedAllocation>();
  // For all, so that giving them back takes no memory.
  reserve_for(m_free, m_all.size() + 1);
  m_all.push_back(std::move(another));
  m_free.push_back(m_all.back().get());
}

void CheckedAllocationPool::give_back(
    std::span<CheckedAllocation* const> allocations) noexcept {
  m_free.insert(m_free.end(), allocations.begin(), allocations.end());
}

}  // namespace KokkosArena::Impl
