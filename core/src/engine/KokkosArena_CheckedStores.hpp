// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDSTORES_HPP
#define KOKKOSARENA_ENGINE_CHECKEDSTORES_HPP

#include <engine/KokkosArena_CheckedAllocation.hpp>
#include <engine/KokkosArena_Fork.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace KokkosArena::Impl {

/// \brief All stores of arenas that exist or have Views, and the last few of
/// the others, of which the labels are known.
///
/// Threads: any. The mutex is held for a look at the lists only, and never
/// while a store's is taken: who has a store's may end elements, which may do
/// anything.
class CheckedStores final : private ForkParticipant {
 public:
  static constexpr std::size_t remembered = 4;

  CheckedStores() noexcept;
  CheckedStores(CheckedStores const&)            = delete;
  CheckedStores& operator=(CheckedStores const&) = delete;
  ~CheckedStores();

  /// \throws std::bad_alloc  Nothing has changed then.
  void add(std::shared_ptr<CheckedStore> store);
  /// \brief Moves a store whose arena and Views are gone to the remembered
  /// ones. Takes no memory. It may be gone then.
  void retire(CheckedStore& store) noexcept;

  /// \brief Calls f(store) until it says true, for stores of arenas that exist
  /// first. \return Whether it did.
  template <class F>
  bool any(F const& f) {
    for (;;) {
      std::uint64_t changes = 0;
      for (std::size_t i = 0;; ++i) {
        std::shared_ptr<CheckedStore> store;
        {
          std::lock_guard const guard(m_mutex);
          if (i == 0) changes = m_changes;
          auto const count = m_stores.size();
          if (i < count) {
            store = m_stores[i];
          } else if (i < count + m_ended.size()) {
            store = m_ended[m_ended.size() - 1 - (i - count)];
          } else if (changes == m_changes) {
            return false;
          } else {
            break;  // One may have changed its place.
          }
        }
        if (f(*store)) return true;
      }
    }
  }

  // Of an address, only one store has what isn't dropped, but others may have
  // had it before the addresses came round: they are asked for what is dropped
  // later.

  /// \return The allocation of any store that is alive at the address, or null.
  CheckedAllocation* find(void const* address) noexcept;
  /// \brief Writes what any store knows of an invalid address. No heap memory
  /// is taken.
  void describe(void const* address, char* text, std::size_t size) noexcept;

 private:
  bool try_enter() noexcept override;
  void leave_in_parent() noexcept override;
  void leave_in_child() noexcept override;

  std::mutex m_mutex;
  /// Of arenas that exist, or have Views.
  std::vector<std::shared_ptr<CheckedStore>> m_stores;
  std::vector<std::shared_ptr<CheckedStore>> m_ended;  ///< Oldest first.
  std::uint64_t m_changes = 0;
};

/// \return Those of the process.
CheckedStores& checked_stores() noexcept;

/// \return The allocation of any store that is alive at the address, or null.
CheckedAllocation* find_checked_allocation(void const* address) noexcept;

/// \brief Writes what any store knows of an invalid address.
void describe_checked_address(void const* address, char* text,
                              std::size_t size) noexcept;

}  // namespace KokkosArena::Impl

#endif
