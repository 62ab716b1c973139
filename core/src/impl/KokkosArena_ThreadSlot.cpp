// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_ThreadSlot.hpp"

#include <bitset>
#include <mutex>

namespace KokkosArena::Impl {

constinit thread_local unsigned t_thread_slot = no_thread_slot;

namespace {

struct Slots {
  std::mutex mutex;
  std::bitset<thread_slots> taken;
};

/// Never destroyed: threads may end after the statics of this library.
Slots& slots() {
  static auto* const instance = new Slots;
  return *instance;
}

/// Gives the slot back when its thread ends. The mutex hands over, to the next
/// thread that takes the slot, what this one has written.
struct Tenancy {
  bool ended = false;
  ~Tenancy() {
    ended           = true;
    auto const slot = t_thread_slot;
    t_thread_slot   = no_thread_slot;
    if (slot == no_thread_slot) return;
    auto& all = slots();
    std::lock_guard const guard(all.mutex);
    all.taken.reset(slot);
  }
};
thread_local Tenancy t_tenancy;

}  // namespace

unsigned acquire_thread_slot() noexcept {
  if (t_tenancy.ended || t_thread_slot != no_thread_slot) return t_thread_slot;
  auto& all = slots();
  std::lock_guard const guard(all.mutex);
  for (unsigned slot = 0; slot < thread_slots; ++slot) {
    if (all.taken.test(slot)) continue;
    all.taken.set(slot);
    t_thread_slot = slot;
    break;
  }
  return t_thread_slot;
}

}  // namespace KokkosArena::Impl
