// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_THREADCACHEDCORE_HPP
#define KOKKOSARENA_ENGINE_THREADCACHEDCORE_HPP

#include <KokkosArena_SyncPolicy.hpp>
#include <engine/KokkosArena_BiasedMutex.hpp>
#include <engine/KokkosArena_Block.hpp>
#include <engine/KokkosArena_Fork.hpp>
#include <engine/KokkosArena_SynchronizedCore.hpp>
#include <engine/KokkosArena_ThreadSlot.hpp>
#include <engine/KokkosArena_UntrackedLog.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace KokkosArena::Impl {

/// \brief What one thread has of a ThreadCached arena: a chunk, and a log of
/// what \c Arena::allocate gave the thread, from this chunk and earlier ones.
///
/// Its owner uses it while it has the lane's mutex, or the arena's. Others use
/// it while they have the arena's and have revoked the lane; without that, only
/// what is said to be under the arena's mutex, the chunk's range, which changes
/// under it, and the log of a lane without a chunk: with the lane's mutex alone
/// the owner goes to the log only for an address in its chunk.
struct alignas(128) Lane {  // two lines, which some processors fetch at once
  /// From here on a request goes to the shared block.
  static constexpr std::size_t most_bytes  = std::size_t(8) << 10;
  static constexpr std::size_t chunk_bytes = std::size_t(256) << 10;

  explicit Lane(bool poisons) noexcept : chunk(granule, 0, poisons) {}

  bool has_chunk() const noexcept { return chunk.capacity() > 0; }
  std::uintptr_t take(std::size_t bytes) noexcept {
    return chunk.allocate(bytes, granule);
  }
  /// \pre The log isn't full.
  void note_untracked(std::uintptr_t address, std::size_t bytes,
                      std::uint64_t epoch) noexcept {
    untracked.note(address, bytes, epoch);
    // relaxed: see newest_untracked.
    newest_untracked.store(epoch, std::memory_order_relaxed);
  }
  /// \brief Forgets what is untracked, whose memory is dropped otherwise.
  void clear_log() noexcept {
    untracked.clear();
    newest_untracked.store(0, std::memory_order_relaxed);
  }
  void note_view(std::size_t bytes) noexcept {
    live_bytes += align_up(bytes, granule);
    ++total_views;
    add_live(1);
  }
  void give_back_view(std::uintptr_t address, std::size_t bytes) noexcept {
    note_peaks();
    chunk.deallocate(address, bytes);
    live_bytes -= align_up(bytes, granule);
    add_live(-1);
  }
  void note_peaks() noexcept {
    chunk.note_peak();
    peak_live_bytes = std::max(peak_live_bytes, live_bytes);
  }
  void restart_peaks() noexcept {
    chunk.restart_peak();
    peak_live_bytes = 0;
  }

  BiasedMutex mutex;
  Block chunk;
  std::uint64_t total_views     = 0;
  std::uint64_t live_bytes      = 0;
  std::uint64_t peak_live_bytes = 0;
  UntrackedLog untracked;

  // Written by whoever uses the lane, and read by others under the arena's
  // mutex. relaxed, and no read-modify-write: there is one writer at a time,
  // and a reader that isn't ordered after the last write by the program itself
  // asks for a figure that is in motion anyway.

  std::atomic<std::uint64_t> live_allocations{0};
  /// Epoch; 0 if there is nothing untracked.
  std::atomic<std::uint64_t> newest_untracked{0};

  // Under the arena's mutex.

  static constexpr auto keep_all = std::numeric_limits<std::uint64_t>::max();
  /// The owner is asked to drop what is untracked and newer. 0: by a reset,
  /// which has dropped what isn't in the chunk.
  std::uint64_t drop_after = keep_all;
  /// In which it got its last chunk.
  std::uint64_t last_cycle = 0;
  /// Views of the chunk that other threads have dropped.
  std::vector<Hole> freed_by_others;

 private:
  void add_live(int n) noexcept {
    live_allocations.store(live_allocations.load(std::memory_order_relaxed) +
                               static_cast<std::uint64_t>(n),
                           std::memory_order_relaxed);
  }
};

/// \brief The core under ThreadCached: small requests are served from the
/// calling thread's lane, everything else under a lock as with Locked.
///
/// Who takes something from other threads' lanes that can't wait for them has
/// to revoke these, which is dear. So a View's bytes that another thread gives
/// back wait in the lane until its owner needs room, and a reset or rewind
/// leaves the chunks where they are and asks their owners to drop what is
/// untracked; they do before they use their chunk again.
template <>
class SynchronizedCore<ThreadCached> final : public Core,
                                             private ForkParticipant {
 public:
  SynchronizedCore(ArenaOptions options, std::unique_ptr<Upstream> upstream)
      : Core(std::move(options), std::move(upstream)),
        ForkParticipant(ForkRank::core) {
    ForkParticipant::join();
  }

  void* allocate(std::size_t bytes, std::size_t alignment) {
    if (is_small(bytes, alignment)) [[likely]] {
      if (auto* const lane = own_lane(); lane && lane->mutex.try_lock()) {
        auto address = lane->take(bytes);
        if (address) [[likely]] {
          if (lane->untracked.full()) [[unlikely]] {
            lane->chunk.deallocate(address, bytes);
            address = 0;
          } else {
            lane->note_untracked(address, bytes, epoch());
          }
        }
        lane->mutex.unlock();
        if (address) [[likely]]
          return reinterpret_cast<void*>(address);
      }
    }
    return allocate_slowly(bytes, alignment);
  }

  void* allocate_tracked(std::size_t bytes, std::size_t alignment,
                         char const* view_label) override {
    if (is_small(bytes, alignment)) [[likely]] {
      if (auto* const lane = own_lane(); lane && lane->mutex.try_lock()) {
        auto const address = lane->take(bytes);
        if (address) lane->note_view(bytes);
        lane->mutex.unlock();
        if (address) [[likely]]
          return reinterpret_cast<void*>(address);
      }
    }
    return allocate_tracked_slowly(bytes, alignment, view_label);
  }

  void deallocate(void* address) {
    auto const begin = reinterpret_cast<std::uintptr_t>(address);
    if (auto* const lane = own_lane(); lane && lane->mutex.try_lock()) {
      std::size_t bytes = 0;
      if (lane->chunk.contains(begin)) {
        bytes = lane->untracked.forget(begin);
        if (bytes > 0) {
          lane->note_peaks();
          lane->chunk.deallocate(begin, bytes);
        }
      }
      lane->mutex.unlock();
      if (bytes > 0) return;
    }
    deallocate_slowly(address);
  }

  void deallocate_tracked(void* address, std::size_t bytes) noexcept override {
    auto const begin = reinterpret_cast<std::uintptr_t>(address);
    bytes += bytes == 0;
    if (auto* const lane = own_lane(); lane && lane->mutex.try_lock()) {
      bool const own = lane->chunk.contains(begin);
      if (own) [[likely]]
        lane->give_back_view(begin, bytes);
      lane->mutex.unlock();
      // From here on the core may be gone, if that was its last View.
      if (own) [[likely]]
        return;
    }
    if (deallocate_tracked_slowly(begin, bytes)) delete this;
  }

  void reset();
  void release();
  ArenaMark mark() override;
  void rewind(ArenaMark mark) override;
  ArenaStatistics statistics();
  std::vector<EscapedView> survivors() {
    Guard const guard(m_mutex);
    return named_survivors();
  }
  /// The Arena's end. Views that are alive keep the core.
  void end() noexcept;

 private:
  using Guard = std::lock_guard<ThreadCached::mutex_type>;
  static constexpr std::uint64_t remembered_cycles = 5;
  class Revocation;

  ~SynchronizedCore() override { ForkParticipant::leave(); }

  // In a child, the lanes of threads that it doesn't have go over to those that
  // get their slots, as after any thread's end.
  bool try_enter() noexcept override;
  void leave_in_parent() noexcept override;
  void leave_in_child() noexcept override;

  static bool is_small(std::size_t bytes, std::size_t alignment) noexcept {
    // Zero bytes take one, elsewhere. An alignment that is none is reported
    // there as well.
    return bytes - 1 < Lane::most_bytes && alignment <= granule &&
           std::has_single_bit(alignment);
  }

  Lane* own_lane() const noexcept {
    auto const slot = thread_slot();
    return slot < thread_slots ? m_lanes[slot].get() : nullptr;
  }

  [[gnu::noinline]] void* allocate_slowly(std::size_t bytes,
                                          std::size_t alignment);
  [[gnu::noinline]] void* allocate_tracked_slowly(std::size_t bytes,
                                                  std::size_t alignment,
                                                  char const* view_label);
  [[gnu::noinline]] void deallocate_slowly(void* address);
  /// \return Whether the core has to go.
  [[gnu::noinline]] bool deallocate_tracked_slowly(std::uintptr_t begin,
                                                   std::size_t bytes) noexcept;

  void call_in_chunks() override;
  void drop_chunks() noexcept;
  Lane* enter() noexcept;
  Lane* make_lane() noexcept;
  Lane* lane_for(std::size_t bytes, std::size_t alignment) noexcept;
  std::uintptr_t take_from(Lane& lane, std::size_t bytes) noexcept;
  void settle(Lane& lane) noexcept;
  void dissolve(Lane& lane) noexcept;
  static void forget_untracked(Lane& lane) noexcept;
  bool give_back_if_noted_in(Lane& lane, std::uintptr_t begin) noexcept;
  void give_back_untracked_of(Lane& lane, std::uintptr_t begin,
                              std::size_t bytes) noexcept;
  std::vector<Lane*>::const_iterator first_behind(
      std::uintptr_t address) const noexcept;
  void drop_untracked_after(std::uint64_t epoch, Lane& lane) noexcept;
  void drop_others_after(std::uint64_t epoch, Lane const* own) noexcept;
  void settle_others_to_poison(Lane const* own) noexcept;
  Lane* holder_of(std::uintptr_t address) const noexcept;

  /// Calls f(lane) for all.
  template <class F>
  void for_lanes(F const& f) noexcept {
    for (unsigned slot = 0; slot < m_slots; ++slot) {
      if (m_lanes[slot]) f(*m_lanes[slot]);
    }
  }

  /// Of each slot; made by a thread that has it, and used by such only.
  std::array<std::unique_ptr<Lane>, thread_slots> m_lanes;
  unsigned m_slots      = 0;  ///< From here on there is no lane.
  std::uint64_t m_cycle = 0;
  ThreadCached::mutex_type m_mutex;
  /// Those with a chunk, in the order of the chunks' addresses.
  std::vector<Lane*> m_with_chunk;
};

}  // namespace KokkosArena::Impl

#endif
