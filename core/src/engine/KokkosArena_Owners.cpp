// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Owners.hpp"

#include "KokkosArena_Fork.hpp"
#include "KokkosArena_HostAddresses.hpp"
#include "KokkosArena_NeverDestroyed.hpp"

#include <atomic>
#include <limits>
#include <map>
#include <mutex>

namespace KokkosArena::Impl {

namespace {

struct Registry {
  struct Entry {
    std::uintptr_t end;
    Core* core;
  };
  std::mutex mutex;
  ForkLock<std::mutex> fork_lock{ForkRank::registry, mutex};
  std::map<std::uintptr_t, Entry> blocks;  ///< By their first address.
};

/// Of all addresses that were ever registered, so that most of those that
/// malloc gives need no look-up.
///
/// relaxed: who looks for an address in a block has got it from the thread that
/// registered the block before, so it reads the bounds that were set then, or
/// wider ones.
constinit std::atomic<std::uintptr_t> lowest =
    std::numeric_limits<std::uintptr_t>::max();
constinit std::atomic<std::uintptr_t> highest_end = 0;

bool may_be_registered(std::uintptr_t address) noexcept {
  return address >= lowest.load(std::memory_order_relaxed) &&
         address < highest_end.load(std::memory_order_relaxed);
}

/// Views may die after the statics of this library.
Registry& registry() noexcept {
  static NeverDestroyed<Registry> const instance;
  return instance.get();
}

}  // namespace

void add_block_owner(std::uintptr_t begin, std::uintptr_t end, Core* core) {
  auto& all = registry();
  std::lock_guard const guard(all.mutex);
  all.blocks[begin] = {end, core};
  // Only ever widened, by who holds the mutex.
  if (begin < lowest.load(std::memory_order_relaxed)) {
    lowest.store(begin, std::memory_order_relaxed);
  }
  if (end > highest_end.load(std::memory_order_relaxed)) {
    highest_end.store(end, std::memory_order_relaxed);
  }
}

void remove_block_owner(std::uintptr_t begin) noexcept {
  auto& all = registry();
  std::lock_guard const guard(all.mutex);
  all.blocks.erase(begin);
}

Core* find_core(void const* address) noexcept {
  if (auto* const core = owner_of(address)) return core;
  auto const a = reinterpret_cast<std::uintptr_t>(address);
  if (!may_be_registered(a)) return nullptr;
  auto& all = registry();
  std::lock_guard const guard(all.mutex);
  auto next = all.blocks.upper_bound(a);
  if (next == all.blocks.begin()) return nullptr;
  --next;
  return a < next->second.end ? next->second.core : nullptr;
}

}  // namespace KokkosArena::Impl
