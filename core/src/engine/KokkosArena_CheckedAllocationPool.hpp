// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDALLOCATIONPOOL_HPP
#define KOKKOSARENA_ENGINE_CHECKEDALLOCATIONPOOL_HPP

#include <engine/KokkosArena_CheckedAllocation.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace KokkosArena::Impl {

/// \brief All that a store has ever had, and which of them are in no ledger.
/// Threads: not synchronised.
class CheckedAllocationPool {
 public:
  /// \return One that is free, and stays so until take_next().
  /// \throws std::bad_alloc
  CheckedAllocation& next() {
    if (m_free.empty()) make_another();
    return *m_free.back();
  }
  /// \brief Takes the one that next() has given.
  void take_next() noexcept { m_free.pop_back(); }

  /// Takes no memory.
  void give_back(std::span<CheckedAllocation* const> allocations) noexcept;

  std::size_t size() const noexcept { return m_all.size(); }
  std::size_t free() const noexcept { return m_free.size(); }

 private:
  void make_another();

  std::vector<std::unique_ptr<CheckedAllocation>> m_all;
  std::vector<CheckedAllocation*> m_free;
};

}  // namespace KokkosArena::Impl

#endif
