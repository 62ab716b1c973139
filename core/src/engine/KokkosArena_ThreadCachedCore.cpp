// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_ThreadCachedCore.hpp"

#include <new>
#include <span>

namespace KokkosArena::Impl {

using ThreadCachedCore = SynchronizedCore<ThreadCached>;

/// Keeps the owners of all lanes but the caller's out of them while it exists,
/// if any of these has a chunk.
class ThreadCachedCore::Revocation {
 public:
  Revocation(ThreadCachedCore& core, Lane const* own) noexcept
      : m_core(core), m_own(own) {
    m_needed = std::any_of(core.m_with_chunk.begin(), core.m_with_chunk.end(),
                           [&](Lane const* lane) { return lane != own; });
    if (!m_needed) return;
    for_others([](Lane& lane) { lane.mutex.revoke(); });
    heavy_fence();
    for_others([](Lane& lane) { lane.mutex.wait(); });
  }
  Revocation(Revocation const&)            = delete;
  Revocation& operator=(Revocation const&) = delete;
  ~Revocation() {
    if (m_needed) for_others([](Lane& lane) { lane.mutex.resume(); });
  }

 private:
  // Not only those with a chunk: it may be taken from them meanwhile.
  template <class F>
  void for_others(F const& f) noexcept {
    m_core.for_lanes([&](Lane& lane) {
      if (&lane != m_own) f(lane);
    });
  }

  ThreadCachedCore& m_core;
  Lane const* m_own;
  bool m_needed;
};

bool ThreadCachedCore::try_enter() noexcept {
  if (!m_mutex.try_lock()) return false;
  // A Revocation of all lanes, those without a chunk as well: in the child,
  // nobody would let go of them.
  auto const* const own = own_lane();
  bool others           = false;
  for_lanes([&](Lane& lane) {
    if (&lane == own) return;
    lane.mutex.revoke();
    others = true;
  });
  if (!others) return true;
  heavy_fence();
  for_lanes([&](Lane const& lane) {
    if (&lane != own) lane.mutex.wait();
  });
  return true;
}

void ThreadCachedCore::leave_in_parent() noexcept {
  auto const* const own = own_lane();
  for_lanes([&](Lane& lane) {
    if (&lane != own) lane.mutex.resume();
  });
  m_mutex.unlock();
}

void ThreadCachedCore::leave_in_child() noexcept {
  leave_in_parent();
  forget_scopes_of_other_threads();
}

/// \brief Begins every operation under the lock: brings the caller's own lane
/// up to date, and notes peaks to which it has contributed.
/// \return The lane, or null if there is none.
Lane* ThreadCachedCore::enter() noexcept {
  auto* const lane = own_lane();
  if (lane) settle(*lane);
  if (!lane || !lane->has_chunk()) {
    set_chunk(0, 0, 0);
    return lane;
  }
  lane->note_peaks();
  set_chunk(lane->chunk.begin(), lane->chunk.peak(), lane->peak_live_bytes);
  note_peaks();
  lane->restart_peaks();
  set_chunk(lane->chunk.begin(), lane->chunk.used(), lane->live_bytes);
  return lane;
}

/// \brief Does what the lane was asked for, and takes back what others have
/// freed.
void ThreadCachedCore::settle(Lane& lane) noexcept {
  if (lane.drop_after != Lane::keep_all) {
    if (lane.drop_after == 0) {
      forget_untracked(lane);
    } else {
      drop_untracked_after(lane.drop_after, lane);
    }
    lane.drop_after = Lane::keep_all;
    lane.mutex.attend();
  }
  for (auto const& freed : lane.freed_by_others) {
    lane.give_back_view(freed.begin, freed.bytes());
  }
  lane.freed_by_others.clear();
}

/// \brief Drops what is untracked, after a reset has dropped what isn't in the
/// chunk.
void ThreadCachedCore::forget_untracked(Lane& lane) noexcept {
  lane.note_peaks();
  // relaxed: the lane is the caller's, or its owner is kept out.
  if (lane.live_allocations.load(std::memory_order_relaxed) == 0) {
    lane.chunk.clear();
    lane.clear_log();
    return;
  }
  lane.untracked.drop_after(0, [&](std::uintptr_t begin, std::size_t bytes) {
    if (lane.chunk.contains(begin)) lane.chunk.deallocate(begin, bytes);
  });
  lane.newest_untracked.store(0, std::memory_order_relaxed);
}

/// \brief Gives a settled lane's chunk back, but for what is in use.
void ThreadCachedCore::dissolve(Lane& lane) noexcept {
  if (!lane.has_chunk()) return;
  lane.note_peaks();
  set_chunk(lane.chunk.begin(), lane.chunk.peak(), lane.peak_live_bytes);
  note_peaks();
  set_chunk(0, 0, 0);
  m_with_chunk.erase(
      std::find(m_with_chunk.begin(), m_with_chunk.end(), &lane));
  dissolve_chunk(
      lane.chunk,
      {.total       = lane.total_views,
       .alive       = lane.live_allocations.load(std::memory_order_relaxed),
       .alive_bytes = lane.live_bytes});
  lane.live_allocations.store(0, std::memory_order_relaxed);
  lane.total_views = 0;
  lane.live_bytes  = 0;
  lane.restart_peaks();
}

void ThreadCachedCore::call_in_chunks() {
  Revocation const revocation(*this, own_lane());
  while (!m_with_chunk.empty()) {
    settle(*m_with_chunk.back());
    dissolve(*m_with_chunk.back());
  }
}

/// \brief As \c call_in_chunks, and drops what is untracked in lanes. To be
/// followed by \c drop_all.
void ThreadCachedCore::drop_chunks() noexcept {
  Revocation const revocation(*this, own_lane());
  for_lanes([&](Lane& lane) {
    settle(lane);
    dissolve(lane);
  });
  for_lanes([&](Lane& lane) {
    if (has_live_views()) {
      drop_untracked_after(0, lane);
    } else {
      // All blocks will be cleared.
      lane.clear_log();
    }
  });
}

void ThreadCachedCore::drop_untracked_after(std::uint64_t epoch,
                                            Lane& lane) noexcept {
  if (lane.untracked.empty()) return;
  lane.note_peaks();
  note_peaks();
  lane.untracked.drop_after(epoch,
                            [&](std::uintptr_t begin, std::size_t bytes) {
                              give_back_untracked_of(lane, begin, bytes);
                            });
  if (lane.untracked.empty()) {
    lane.newest_untracked.store(0, std::memory_order_relaxed);
  }
}

/// \brief Drops what is untracked and newer in other lanes, or asks for it.
void ThreadCachedCore::drop_others_after(std::uint64_t epoch,
                                         Lane const* own) noexcept {
  for_lanes([&](Lane& lane) {
    if (&lane == own ||
        lane.newest_untracked.load(std::memory_order_relaxed) <= epoch) {
      return;
    }
    if (lane.has_chunk()) {
      lane.drop_after = std::min(lane.drop_after, epoch);
      lane.mutex.ask_for_attention();
    } else {
      drop_untracked_after(epoch, lane);
    }
  });
  settle_others_to_poison(own);
}

/// \brief Has what the others were asked for done already: when a reset or
/// rewind returns, all that it drops is to be poisoned.
void ThreadCachedCore::settle_others_to_poison(
    [[maybe_unused]] Lane const* own) noexcept {
  if constexpr (has_memory_sanitizer) {
    if (!poisons()) return;
    Revocation const revocation(*this, own);
    for_lanes([&](Lane& lane) {
      if (&lane != own) settle(lane);
    });
  }
}

void ThreadCachedCore::give_back_untracked_of(Lane& lane, std::uintptr_t begin,
                                              std::size_t bytes) noexcept {
  if (lane.chunk.contains(begin)) {
    lane.chunk.deallocate(begin, bytes);
  } else {
    Core::give_back_untracked(begin, bytes);
  }
}

/// \return Whether it was noted in the lane's log, where it isn't any more.
bool ThreadCachedCore::give_back_if_noted_in(Lane& lane,
                                             std::uintptr_t begin) noexcept {
  auto const bytes = lane.untracked.forget(begin);
  if (bytes == 0) return false;
  lane.note_peaks();
  note_peaks();
  give_back_untracked_of(lane, begin, bytes);
  return true;
}

/// \return Of the lanes with a chunk, the first whose chunk begins behind the
/// address.
std::vector<Lane*>::const_iterator ThreadCachedCore::first_behind(
    std::uintptr_t address) const noexcept {
  return std::upper_bound(m_with_chunk.begin(), m_with_chunk.end(), address,
                          [](std::uintptr_t a, Lane const* lane) {
                            return a < lane->chunk.begin();
                          });
}

/// \return The lane whose chunk holds the address, or null.
Lane* ThreadCachedCore::holder_of(std::uintptr_t address) const noexcept {
  auto const next = first_behind(address);
  if (next == m_with_chunk.begin()) return nullptr;
  auto* const lane = *std::prev(next);
  return lane->chunk.contains(address) ? lane : nullptr;
}

/// \return The calling thread's lane, made if need be. Null if there is no slot
/// or no memory for it, or no heavy fence: all is served under the lock then.
Lane* ThreadCachedCore::make_lane() noexcept {
  // To who watches, all has to be shown under the lock.
  if (is_watched() || !has_heavy_fence()) return nullptr;
  auto const slot = acquire_thread_slot();
  if (slot >= thread_slots) return nullptr;
  auto& lane = m_lanes[slot];
  if (!lane) {
    try {
      auto const slots = std::max(m_slots, slot + 1);
      m_with_chunk.reserve(slots);  // so that a chunk can be had without memory
      lane    = std::make_unique<Lane>(poisons());
      m_slots = slots;
    } catch (std::bad_alloc const&) {
      return nullptr;
    }
  }
  return lane.get();
}

/// \brief Takes from the lane's chunk, or from a new one. \return 0 if the
/// arena has no room for one that is worth it.
std::uintptr_t ThreadCachedCore::take_from(Lane& lane,
                                           std::size_t bytes) noexcept {
  if (auto const address = lane.take(bytes)) return address;
  // A hole is used while it is warm. But whoever has run out of a chunk may
  // need more than one, again and again, and each costs what a chunk costs.
  bool const first = !lane.has_chunk();
  dissolve(lane);
  auto chunk = first ? blocks().take_hole(bytes, Lane::chunk_bytes) : Hole{};
  if (chunk.bytes() == 0) chunk = blocks().take_chunk(bytes, Lane::chunk_bytes);
  if (chunk.bytes() == 0) return 0;
  lane.chunk.restart(chunk.begin, chunk.bytes());
  lane.last_cycle = m_cycle;
  m_with_chunk.insert(first_behind(chunk.begin), &lane);
  return lane.take(bytes);
}

/// \brief Begins an allocation under the lock.
/// \return The lane that may serve it, or null.
Lane* ThreadCachedCore::lane_for(std::size_t bytes,
                                 std::size_t alignment) noexcept {
  auto* const lane = enter();
  if (!is_small(bytes, alignment)) return nullptr;
  if (lane || !make_lane()) return lane;
  // A thread that has ended may have left it with things to be done.
  return enter();
}

void* ThreadCachedCore::allocate_slowly(std::size_t bytes,
                                        std::size_t alignment) {
  Guard const guard(m_mutex);
  if (auto* const lane = lane_for(bytes, alignment)) {
    if (lane->untracked.full()) lane->untracked.grow();
    ensure_block(bytes);
    if (auto const address = take_from(*lane, bytes)) {
      lane->note_untracked(address, bytes, epoch());
      return reinterpret_cast<void*>(address);
    }
  }
  return take_untracked(bytes, alignment);
}

void* ThreadCachedCore::allocate_tracked_slowly(std::size_t bytes,
                                                std::size_t alignment,
                                                char const* view_label) {
  Guard const guard(m_mutex);
  if (auto* const lane = lane_for(bytes, alignment)) {
    ensure_block(bytes);
    if (auto const address = take_from(*lane, bytes)) {
      lane->note_view(bytes);
      return reinterpret_cast<void*>(address);
    }
  }
  return take_tracked(bytes, alignment, view_label);
}

void ThreadCachedCore::deallocate_slowly(void* address) {
  if (!address) return;
  auto const begin = reinterpret_cast<std::uintptr_t>(address);
  Guard const guard(m_mutex);
  auto* const own = enter();
  if ((own && give_back_if_noted_in(*own, begin)) ||
      give_back_if_noted(begin)) {
    return;
  }
  // Another thread's. Not left to it: whether the pointer was given back before
  // has to be known now. But once its chunk is called in, the next ones cost no
  // revocation.
  bool found         = false;
  auto const look_in = [&](Lane& lane) {
    found = found || (!lane.has_chunk() && give_back_if_noted_in(lane, begin));
  };
  for_lanes(look_in);
  if (found) return;
  call_in_chunks();
  for_lanes(look_in);
  if (!found) not_untracked(address);
}

bool ThreadCachedCore::deallocate_tracked_slowly(std::uintptr_t begin,
                                                 std::size_t bytes) noexcept {
  Guard const guard(m_mutex);
  auto* const own    = enter();
  auto* const holder = holder_of(begin);
  if (!holder) {
    return give_back_tracked(reinterpret_cast<void*>(begin), bytes);
  }
  if (holder == own) {
    holder->give_back_view(begin, bytes);
    return false;
  }
  // The owner will, but when is not known.
  holder->chunk.poison(begin, begin + align_up(bytes, granule));
  try {
    holder->freed_by_others.push_back(
        {begin, begin + align_up(bytes, granule)});
  } catch (std::bad_alloc const&) {
    Revocation const revocation(*this, own);
    holder->give_back_view(begin, bytes);
  }
  return false;
}

void ThreadCachedCore::reset() {
  Guard const guard(m_mutex);
  auto* const own              = enter();
  std::uint64_t live_in_chunks = 0;
  // For the chunks of other threads, of which peaks know nothing, and of those
  // that may be back in the next cycle.
  ++m_cycle;
  std::size_t more = 0;
  for_lanes([&](Lane& lane) {
    live_in_chunks += lane.live_allocations.load(std::memory_order_relaxed) -
                      lane.freed_by_others.size();
    if (&lane != own &&
        (lane.has_chunk() || m_cycle - lane.last_cycle <= remembered_cycles)) {
      more += Lane::chunk_bytes;
    }
  });
  count_reset(live_in_chunks);
  record_cycle();
  blocks().set_spare_bytes(more);
  bool const others = m_with_chunk.size() > (own && own->has_chunk() ? 1u : 0u);
  bool const own_survives =
      own && own->live_allocations.load(std::memory_order_relaxed) > 0;
  if (!others || own_survives || !blocks().keeps_block_of_chunks()) {
    drop_chunks();
    drop_all(true);
    return;
  }
  // Without a revocation, so that a cycle that repeats has no system call.
  if (own) dissolve(*own);
  for_lanes([&](Lane& lane) {
    if (!lane.has_chunk()) {
      lane.clear_log();
    } else if (lane.newest_untracked.load(std::memory_order_relaxed) > 0) {
      lane.drop_after = 0;
      lane.mutex.ask_for_attention();
    }
  });
  settle_others_to_poison(own);
  std::array<Hole, thread_slots> chunks;
  std::transform(m_with_chunk.begin(), m_with_chunk.end(), chunks.begin(),
                 [](Lane const* lane) {
                   return Hole{lane->chunk.begin(),
                               lane->chunk.begin() + lane->chunk.capacity()};
                 });
  drop_all_but(std::span(chunks).first(m_with_chunk.size()));
}

void ThreadCachedCore::release() {
  Guard const guard(m_mutex);
  enter();
  record_cycle();
  drop_chunks();
  drop_all(false);
}

ArenaMark ThreadCachedCore::mark() {
  Guard const guard(m_mutex);
  return end_epoch();
}

void ThreadCachedCore::rewind(ArenaMark mark) {
  Guard const guard(m_mutex);
  check_mark(mark);
  auto* const own = enter();
  if (own) drop_untracked_after(mark.epoch(), *own);
  drop_others_after(mark.epoch(), own);
  rewind_to(mark);
}

ArenaStatistics ThreadCachedCore::statistics() {
  ArenaStatistics s;
  std::uint64_t untracked = 0;
  {
    Guard const guard(m_mutex);
    enter();
    // Otherwise what is free in them would depend on who asks, and when.
    call_in_chunks();
    for_lanes([&](Lane& lane) { untracked += lane.untracked.total(); });
    s           = read_statistics();
    s.survivors = named_survivors();
    s.total_allocations += untracked;
  }
  s.label = label();
  return s;
}

void ThreadCachedCore::end() noexcept {
  bool last;
  {
    Guard const guard(m_mutex);
    enter();
    drop_chunks();
    last = end_arena();
  }
  if (last) delete this;
}

}  // namespace KokkosArena::Impl
