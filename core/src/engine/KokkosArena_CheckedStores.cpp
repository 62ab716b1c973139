// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedStores.hpp"

#include "KokkosArena_CheckedDescription.hpp"
#include "KokkosArena_CheckedStore.hpp"
#include "KokkosArena_NeverDestroyed.hpp"

#include <algorithm>
#include <utility>

namespace KokkosArena::Impl {

CheckedStores::CheckedStores() noexcept : ForkParticipant(ForkRank::registry) {
  join();
}
CheckedStores::~CheckedStores() { ForkParticipant::leave(); }

bool CheckedStores::try_enter() noexcept { return m_mutex.try_lock(); }
void CheckedStores::leave_in_parent() noexcept { m_mutex.unlock(); }
void CheckedStores::leave_in_child() noexcept { m_mutex.unlock(); }

void CheckedStores::add(std::shared_ptr<CheckedStore> store) {
  std::lock_guard const guard(m_mutex);
  // So that ending it takes no memory.
  m_ended.reserve(remembered + 1);
  m_stores.push_back(std::move(store));
  ++m_changes;
}

void CheckedStores::retire(CheckedStore& store) noexcept {
  std::shared_ptr<CheckedStore> oldest;  // Ends without the mutex.
  std::lock_guard const guard(m_mutex);
  ++m_changes;
  auto const place =
      std::find_if(m_stores.begin(), m_stores.end(),
                   [&](auto const& other) { return other.get() == &store; });
  m_ended.push_back(std::move(*place));
  m_stores.erase(place);
  if (m_ended.size() > remembered) {
    oldest = std::move(m_ended.front());
    m_ended.erase(m_ended.begin());
  }
}

CheckedAllocation* CheckedStores::find(void const* address) noexcept {
  CheckedAllocation* found = nullptr;
  for (bool const dropped : {false, true}) {
    if (any([&](CheckedStore& store) {
          return (found = store.find(address, dropped)) != nullptr;
        })) {
      break;
    }
  }
  return found;
}

void CheckedStores::describe(void const* address, char* text,
                             std::size_t size) noexcept {
  for (bool const dropped : {false, true}) {
    if (any([&](CheckedStore& store) {
          return store.describe(address, dropped, text, size);
        })) {
      return;
    }
  }
  describe_forgotten_access(address, text, size);
}

/// Views may die after the statics of this library.
CheckedStores& checked_stores() noexcept {
  static NeverDestroyed<CheckedStores> const instance;
  return instance.get();
}

CheckedAllocation* find_checked_allocation(void const* address) noexcept {
  return checked_stores().find(address);
}

void describe_checked_address(void const* address, char* text,
                              std::size_t size) noexcept {
  checked_stores().describe(address, text, size);
}

}  // namespace KokkosArena::Impl
