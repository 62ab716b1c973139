// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_ThreadCachedCore.hpp"

#include <new>
#include <optional>

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
    for_others([](Lane& lane) { lane.mutex.revoke(); });
    if (m_needed) heavy_fence();
    for_others([](Lane& lane) { lane.mutex.wait(); });
  }
  Revocation(Revocation const&)            = delete;
  Revocation& operator=(Revocation const&) = delete;
  ~Revocation() {
    for_others([](Lane& lane) { lane.mutex.resume(); });
  }

 private:
  // Not only those with a chunk: it may be taken from them meanwhile.
  template <class F>
  void for_others(F const& f) noexcept {
    if (!m_needed) return;
    for (auto const& lane : m_core.m_lanes) {
      if (lane && lane.get() != m_own) f(*lane);
    }
  }

  ThreadCachedCore& m_core;
  Lane const* m_own;
  bool m_needed;
};

/// \brief Begins every operation under the lock: brings the caller's own lane
/// up to date, and notes peaks to which it has contributed.
/// \return The lane, or null if there is none.
Lane* ThreadCachedCore::enter() noexcept {
  m_in_chunks      = {};
  auto* const lane = own_lane();
  if (lane && lane->chunk.capacity() > 0) {
    settle(*lane);
    lane->note_peaks();
    m_in_chunks.unused_bytes = lane->chunk.capacity() - lane->chunk.peak();
    m_in_chunks.live_bytes   = lane->peak_live_bytes;
    note_peaks();
    lane->restart_peaks();
    m_in_chunks = {};
    add_figures(*lane, m_in_chunks);
  }
  return lane;
}

void ThreadCachedCore::add_figures(Lane const& lane,
                                   ChunkFigures& figures) noexcept {
  figures.unused_bytes += lane.chunk.capacity() - lane.chunk.used();
  figures.live_bytes += lane.live_bytes;
  figures.live_allocations +=
      lane.live_allocations.load(std::memory_order_relaxed);
  figures.total_allocations += lane.total_views + lane.untracked.total();
}

/// \brief Does what the lane was asked for, and takes back what others have
/// freed.
void ThreadCachedCore::settle(Lane& lane) noexcept {
  if (lane.drop_after != Lane::keep_all) {
    lane.drop_untracked_after(lane.drop_after);
    lane.drop_after = Lane::keep_all;
    lane.mutex.attend();
  }
  for (auto const& freed : lane.freed_by_others) {
    lane.give_back_view(freed.begin, freed.bytes());
  }
  lane.freed_by_others.clear();
}

/// \brief Gives a settled lane's chunk back.
/// \throws std::bad_alloc  If something is untracked; nothing has changed then.
void ThreadCachedCore::dissolve(Lane& lane) {
  if (lane.chunk.capacity() == 0) return;
  auto const entry = std::find(m_with_chunk.begin(), m_with_chunk.end(), &lane);
  ChunkFigures figures;
  add_figures(lane, figures);
  dissolve_chunk(lane.chunk, lane.untracked, figures);
  m_with_chunk.erase(entry);
  lane.newest_untracked.store(0, std::memory_order_relaxed);
  lane.live_allocations.store(0, std::memory_order_relaxed);
  lane.total_views = 0;
  lane.live_bytes  = 0;
  lane.restart_peaks();
  if (&lane == own_lane()) m_in_chunks = {};
}

void ThreadCachedCore::call_in_chunks() {
  Revocation const revocation(*this, own_lane());
  while (!m_with_chunk.empty()) {
    settle(*m_with_chunk.back());
    dissolve(*m_with_chunk.back());
  }
}

/// \brief As \c call_in_chunks, with nothing untracked left.
void ThreadCachedCore::drop_chunks() noexcept {
  Revocation const revocation(*this, own_lane());
  while (!m_with_chunk.empty()) {
    auto& lane = *m_with_chunk.back();
    lane.drop_untracked_after(0);
    settle(lane);
    dissolve(lane);
  }
}

/// \return The lane whose chunk holds the address, or null.
Lane* ThreadCachedCore::holder_of(std::uintptr_t address) const noexcept {
  auto const next =
      std::upper_bound(m_with_chunk.begin(), m_with_chunk.end(), address,
                       [](std::uintptr_t a, Lane const* lane) {
                         return a < lane->chunk.begin();
                       });
  if (next == m_with_chunk.begin()) return nullptr;
  auto* const lane = *std::prev(next);
  return lane->chunk.contains(address) ? lane : nullptr;
}

/// \return The calling thread's lane, made if need be. Null if it has no slot,
/// or if the system has no heavy fence: all is served under the lock then.
Lane* ThreadCachedCore::make_lane() {
  if (!has_heavy_fence()) return nullptr;
  auto const slot = acquire_thread_slot();
  if (slot >= thread_slots) return nullptr;
  auto& lane = m_lanes[slot];
  if (!lane) {
    m_with_chunk.reserve(slot + 1);
    lane = std::make_unique<Lane>();
  }
  return lane.get();
}

/// \brief Takes from the lane's chunk, or from a new one. \return 0 if the
/// arena has no room for one that is worth it.
std::uintptr_t ThreadCachedCore::take_from(Lane& lane, std::size_t bytes) {
  if (auto const address = lane.take(bytes)) return address;
  // A hole is used while it is warm. But whoever has run out of a chunk may
  // need more than one, again and again, and each costs what a chunk costs.
  bool const first = lane.chunk.capacity() == 0;
  dissolve(lane);
  auto chunk = first ? take_hole(bytes, Lane::chunk_bytes) : Hole{};
  if (chunk.bytes() == 0) chunk = take_chunk(bytes, Lane::chunk_bytes);
  if (chunk.bytes() == 0) return 0;
  lane.chunk.restart(chunk.begin, chunk.bytes());
  auto const place = std::upper_bound(
      m_with_chunk.begin(), m_with_chunk.end(), chunk.begin,
      [](std::uintptr_t a, Lane const* l) { return a < l->chunk.begin(); });
  m_with_chunk.insert(place, &lane);
  return lane.take(bytes);
}

void* ThreadCachedCore::allocate_slowly(std::size_t bytes,
                                        std::size_t alignment) {
  Guard const guard(m_mutex);
  auto* lane = enter();
  if (is_small(bytes, alignment)) {
    if (!lane) lane = make_lane();
    if (lane) {
      if (lane->untracked.full()) lane->untracked.grow();
      if (auto const address = take_from(*lane, bytes)) {
        lane->note_untracked(address, bytes, epoch());
        return reinterpret_cast<void*>(address);
      }
    }
  }
  return take_untracked(bytes, alignment);
}

void* ThreadCachedCore::allocate_tracked_slowly(std::size_t bytes,
                                                std::size_t alignment,
                                                char const* view_label) {
  Guard const guard(m_mutex);
  auto* lane = enter();
  if (is_small(bytes, alignment)) {
    if (!lane) lane = make_lane();
    if (lane) {
      if (auto const address = take_from(*lane, bytes)) {
        lane->note_view(bytes);
        return reinterpret_cast<void*>(address);
      }
    }
  }
  return take_tracked(bytes, alignment, view_label);
}

void ThreadCachedCore::deallocate_slowly(void* address) {
  auto const begin = reinterpret_cast<std::uintptr_t>(address);
  Guard const guard(m_mutex);
  auto* const own    = enter();
  auto* const holder = holder_of(begin);
  if (!holder) {
    give_back_untracked(address);
    return;
  }
  // Not left to the owner, if that is another thread: whether the pointer was
  // given back before has to be known now.
  std::optional<Revocation> revocation;
  if (holder != own) revocation.emplace(*this, own);
  settle(*holder);
  auto const bytes = holder->untracked.forget(begin);
  if (bytes == 0) not_untracked(address);
  holder->give_back_untracked(begin, bytes);
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
  try {
    holder->freed_by_others.push_back(
        {begin, begin + align_up(bytes, granule)});
  } catch (std::bad_alloc const&) {
    Revocation const revocation(*this, own);
    holder->give_back_view(begin, bytes);
  }
  return false;
}

void ThreadCachedCore::ask_others_to_drop_after(std::uint64_t epoch,
                                                Lane const* own) noexcept {
  for (auto* const lane : m_with_chunk) {
    if (lane == own ||
        lane->newest_untracked.load(std::memory_order_relaxed) <= epoch) {
      continue;
    }
    lane->drop_after = std::min(lane->drop_after, epoch);
    lane->mutex.ask_for_attention();
  }
}

void ThreadCachedCore::reset() {
  Guard const guard(m_mutex);
  auto* const own = enter();
  if (own) {
    own->drop_untracked_after(0);
    dissolve(*own);
  }
  for (auto const* lane : m_with_chunk) {
    m_in_chunks.live_allocations +=
        lane->live_allocations.load(std::memory_order_relaxed) -
        lane->freed_by_others.size();
  }
  count_reset();
  m_in_chunks = {};
  record_cycle();
  if (!m_with_chunk.empty() && keeps_block_of_chunks()) {
    ask_others_to_drop_after(0, own);
    drop_untracked_after(0);
    return;
  }
  drop_chunks();
  drop_all(true);
}

void ThreadCachedCore::release() {
  Guard const guard(m_mutex);
  enter();
  drop_chunks();
  record_cycle();
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
  if (own) own->drop_untracked_after(mark.epoch());
  ask_others_to_drop_after(mark.epoch(), own);
  rewind_to(mark);
}

ArenaStatistics ThreadCachedCore::statistics() {
  ArenaStatistics s;
  {
    Guard const guard(m_mutex);
    enter();
    // Otherwise what is free in them would depend on who asks, and when.
    call_in_chunks();
    s = read_statistics();
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
