// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_ThreadSlot.hpp"

#include "KokkosArena_Fork.hpp"
#include "KokkosArena_NeverDestroyed.hpp"

#include <bitset>
#include <mutex>

namespace KokkosArena::Impl {

constinit thread_local unsigned t_thread_slot = no_thread_slot;

namespace {

// Neither has a destructor that does anything: threads may end after the
// statics of this library.
constinit std::mutex s_mutex;
constinit std::bitset<thread_slots> s_taken;

/// All slots were taken, or the thread ends. Not in Tenancy, which may have
/// been destroyed when it is read.
constinit thread_local bool t_gets_no_slot = false;

/// Gives the slot back when its thread ends. The mutex hands over, to the next
/// thread that takes the slot, what this one has written.
struct Tenancy {
  Tenancy() = default;
  ~Tenancy() {
    auto const slot = t_thread_slot;
    t_thread_slot   = no_thread_slot;
    t_gets_no_slot  = true;
    std::lock_guard const guard(s_mutex);
    s_taken.reset(slot);
  }
};

class ForkedSlots final : private ForkParticipant {
 public:
  ForkedSlots() noexcept : ForkParticipant(ForkRank::registry) { join(); }

 private:
  bool try_enter() noexcept override { return s_mutex.try_lock(); }
  void leave_in_parent() noexcept override { s_mutex.unlock(); }
  void leave_in_child() noexcept override {
    // The others' threads are not in the child.
    s_taken.reset();
    if (t_thread_slot != no_thread_slot) s_taken.set(t_thread_slot);
    s_mutex.unlock();
  }
};
/// Programs may fork late.
NeverDestroyed<ForkedSlots> const forked_slots;

}  // namespace

unsigned acquire_thread_slot() noexcept {
  if (t_gets_no_slot || t_thread_slot != no_thread_slot) return t_thread_slot;
  std::lock_guard const guard(s_mutex);
  for (unsigned slot = 0; slot < thread_slots; ++slot) {
    if (s_taken.test(slot)) continue;
    thread_local Tenancy const tenancy;
    s_taken.set(slot);
    t_thread_slot = slot;
    return slot;
  }
  t_gets_no_slot = true;
  return no_thread_slot;
}

}  // namespace KokkosArena::Impl
