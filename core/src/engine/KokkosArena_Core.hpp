// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CORE_HPP
#define KOKKOSARENA_ENGINE_CORE_HPP

#include <KokkosArena_ArenaMark.hpp>
#include <KokkosArena_ArenaOptions.hpp>
#include <KokkosArena_Statistics.hpp>
#include <engine/KokkosArena_ArenaTrace.hpp>
#include <engine/KokkosArena_BaseSpaceCounts.hpp>
#include <engine/KokkosArena_Block.hpp>
#include <engine/KokkosArena_Blocks.hpp>
#include <engine/KokkosArena_Counts.hpp>
#include <engine/KokkosArena_ThreadEnd.hpp>
#include <engine/KokkosArena_UntrackedLog.hpp>
#include <engine/KokkosArena_Upstream.hpp>
#include <engine/KokkosArena_ViewNames.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <typeinfo>
#include <vector>

namespace KokkosArena::Impl {

class CheckedMemory;
class CheckedStore;

/// \brief The state of an arena. It lives on the heap and ends after the Arena
/// and the last View, whichever is later.
///
/// What it has of memory is in Blocks, what it counts in Counts, what it gave
/// without a View in UntrackedLog; here they meet, on the way of an allocation
/// and where a cycle begins.
///
/// The public functions are what a View or a scope needs when it knows the
/// arena by this type only; SynchronizedCore locks around the protected ones.
class Core {
 public:
  Core(Core const&)            = delete;
  Core& operator=(Core const&) = delete;

  /// \brief Memory of a View or of another owner that will give it back.
  /// \param[in] view_label  For the message of ArenaExhausted.
  virtual void* allocate_tracked(std::size_t bytes, std::size_t alignment,
                                 char const* view_label) = 0;
  /// \pre \c address and \c bytes are those of one \c allocate_tracked.
  virtual void deallocate_tracked(void* address,
                                  std::size_t bytes) noexcept = 0;
  virtual ArenaMark mark()                                    = 0;
  virtual void rewind(ArenaMark)                              = 0;

  std::string const& label() const noexcept { return m_options.label; }

  /// What any thread may count at any time.
  LockFreeCounts& counts() noexcept { return m_lock_free_counts; }
  /// Which cycle it is, from 1 on; for messages.
  std::uint64_t cycle() const noexcept { return m_lock_free_counts.cycle(); }

  /// \return The instance in whose order memory is used again, if it is one of
  /// that execution space, whose kernels run behind the host's back; otherwise
  /// null.
  void const* instance(std::type_info const& execution_space) const noexcept {
    return m_blocks.upstream().instance(execution_space);
  }
  /// \brief Waits for the instance in whose order memory is used again. Nothing
  /// where kernels end before their launch returns.
  void fence_instance(char const* why) const { m_blocks.upstream().fence(why); }

  /// \return Null if the arena isn't traced.
  ArenaTrace const* trace() const noexcept { return m_trace.get(); }

  /// \return What the space underneath gives in scopes; null if nobody asks.
  BaseSpaceCounts* base_space_counts() const noexcept {
    return m_base_space_counts.get();
  }

  /// The epoch that the next allocation belongs to.
  std::uint64_t current_epoch() const noexcept { return epoch(); }

  /// \brief The store for CheckedSpace; made by the first call.
  /// \param[in] memory  The same in each call.
  CheckedStore& checked_store(CheckedMemory* memory) {
    auto* const store = existing_checked_store();
    return store ? *store : make_checked_store(memory);
  }
  /// \return The store, or null if nothing was checked yet.
  CheckedStore* existing_checked_store() const noexcept {
    // acquire pairs with the release in make_checked_store().
    return m_checked_store.load(std::memory_order_acquire);
  }

  /// Whether the Arena is gone, and only Views keep the core.
  bool has_ended() const noexcept {
    return m_ended.load(std::memory_order_relaxed);
  }

  // relaxed: a scope is opened and closed by a thread that also orders itself
  // with the arena's end, or the program is wrong with or without the count.
  void open_scope() noexcept {
    watch_thread_end();  // for end_below_scopes()
    m_open_scopes.fetch_add(1, std::memory_order_relaxed);
  }
  void close_scope() noexcept {
    m_open_scopes.fetch_sub(1, std::memory_order_relaxed);
  }
  int open_scopes() const noexcept {
    return m_open_scopes.load(std::memory_order_relaxed);
  }

  /// \brief For an Arena that ends while a scope is open: aborts the program;
  /// unless that ends anyway, in which case the memory is left as it is.
  void end_below_scopes() const;

  /// \brief After a fork, in the child: scopes of threads that it doesn't have
  /// will never be closed.
  void forget_scopes_of_other_threads() noexcept;

 protected:
  Core(ArenaOptions options, std::unique_ptr<Upstream> upstream);
  virtual ~Core();

  // The fast path: Block has the other half of it, a compare with the largest
  // hole and one with the end.

  void* take_untracked(std::size_t bytes, std::size_t alignment) {
    check_alignment(alignment);
    bytes += bytes == 0;
    if (m_untracked.full()) [[unlikely]]
      m_untracked.grow();
    auto address = m_blocks.current().allocate(bytes, alignment);
    if (!address) [[unlikely]] {
      address = take_slowly(bytes, alignment, nullptr);
    }
    m_untracked.note(address, bytes, epoch());
    return reinterpret_cast<void*>(address);
  }

  void* take_tracked(std::size_t bytes, std::size_t alignment,
                     char const* view_label) {
    check_alignment(alignment);
    bytes += bytes == 0;
    auto address = m_blocks.current().allocate_for_view(bytes, alignment);
    if (!address) [[unlikely]] {
      address = take_slowly(bytes, alignment, view_label);
    }
    ++m_blocks.current().live;
    m_counts.note_view(bytes);
    return reinterpret_cast<void*>(address);
  }

  /// \return Whether this was the last thing that held an ended arena's core.
  bool give_back_tracked(void* address, std::size_t bytes) noexcept {
    auto const begin = reinterpret_cast<std::uintptr_t>(address);
    bytes += bytes == 0;
    note_peaks();
    m_counts.note_end_of_view(bytes);
    auto& block = m_blocks.current();
    if (block.contains(begin)) [[likely]] {
      block.deallocate(begin, bytes);
      --block.live;
      return false;
    }
    return give_back_elsewhere(begin, bytes);
  }

  void give_back_untracked(void* address);
  /// \brief Gives something untracked back, of which no log has a note.
  void give_back_untracked(std::uintptr_t begin, std::size_t bytes) noexcept {
    auto& block = m_blocks.current();
    if (block.contains(begin)) [[likely]] {
      block.deallocate(begin, bytes);
    } else {
      give_back_untracked_elsewhere(begin, bytes);
    }
  }
  /// \return Whether it was noted here, where it isn't any more.
  bool give_back_if_noted(std::uintptr_t begin) noexcept;
  [[noreturn]] void not_untracked(void* address) const;

  ArenaMark end_epoch() noexcept {
    // relaxed, and no read-modify-write: written under the lock only.
    auto const ended = epoch();
    m_epoch.store(ended + 1, std::memory_order_relaxed);
    return {this, ended};
  }
  std::uint64_t epoch() const noexcept {
    return m_epoch.load(std::memory_order_relaxed);
  }
  void check_mark(ArenaMark mark) const;
  void rewind_to(ArenaMark mark);

  // A reset is these three.
  void count_reset(std::uint64_t live_in_chunks = 0) noexcept {
    m_counts.note_reset(live_in_chunks);
  }
  void record_cycle() noexcept {
    note_peaks();
    m_blocks.record_cycle();
  }
  void drop_all(bool keep_blocks) noexcept;

  void note_peaks() noexcept {
    m_blocks.note_peaks();
    m_counts.note_peak(m_live_bytes_in_chunk);
  }
  /// Without the label and the survivors, whose copies may take heap memory.
  ArenaStatistics read_statistics() noexcept;
  std::vector<EscapedView> named_survivors() const {
    return m_names ? m_names->survivors() : std::vector<EscapedView>();
  }
  /// \return Whether no View is alive, so that the core can go.
  bool end_arena() noexcept;

  // For ThreadCached; see Blocks.

  /// What was made in a chunk.
  struct ChunkViews {
    std::uint64_t total       = 0;
    std::uint64_t alive       = 0;
    std::uint64_t alive_bytes = 0;
  };

  /// \brief Takes chunks back, for want of room. The lock is held.
  virtual void call_in_chunks() {}

  /// \brief Takes a block if there is none, so that the first request can have
  /// a chunk as well. Whether that was possible, the request will show.
  void ensure_block(std::size_t bytes) {
    std::string failure;
    if (m_blocks.empty() && !has_ended()) {
      m_blocks.acquire(align_up(bytes, granule), failure);
    }
  }
  Blocks& blocks() noexcept { return m_blocks; }
  /// \brief Says which chunk, if any, counts in the peaks from now on.
  void set_chunk(std::uintptr_t begin, std::size_t used,
                 std::uint64_t live_bytes) noexcept {
    m_blocks.set_chunk(begin, used);
    m_live_bytes_in_chunk = live_bytes;
  }
  /// \brief Makes the allocations in a chunk those of the arena.
  void dissolve_chunk(Block& chunk, ChunkViews const& views) noexcept;
  /// \brief Drops all but chunks in the one block that there is.
  /// \param[in] chunks  In the order of their addresses.
  template <class Ranges>
  void drop_all_but(Ranges const& chunks) noexcept {
    m_untracked.clear();
    m_blocks.start_cycle_around(chunks);
  }

  bool has_live_views() const noexcept {
    return m_counts.live_allocations() > 0;
  }
  bool is_watched() const noexcept { return m_blocks.are_watched(); }
  /// Whether what is free is poisoned.
  bool poisons() const noexcept { return m_blocks.upstream().is_poisonable(); }

 private:
  static void check_alignment(std::size_t alignment) {
    if (!std::has_single_bit(alignment)) [[unlikely]]
      bad_alignment(alignment);
  }
  [[noreturn]] static void bad_alignment(std::size_t alignment);

  CheckedStore& make_checked_store(CheckedMemory* memory);
  std::uintptr_t take_slowly(std::size_t bytes, std::size_t alignment,
                             char const* view_label);
  std::uintptr_t take_elsewhere(std::size_t bytes, std::size_t alignment,
                                char const* view_label);
  std::uintptr_t take_watched(std::size_t bytes, std::size_t alignment,
                              char const* view_label);
  std::size_t with_red_zone(std::size_t bytes) const noexcept;
  bool give_back_elsewhere(std::uintptr_t begin, std::size_t bytes) noexcept;
  void give_back_untracked_elsewhere(std::uintptr_t begin,
                                     std::size_t bytes) noexcept;
  void drop_untracked_after(std::uint64_t epoch) noexcept;
  void trace_levels(std::uint64_t live_bytes) noexcept;
  void trace_survivors() noexcept;
  [[noreturn]] void exhausted(std::size_t bytes, char const* view_label,
                              std::string const& failure);

  // What threads read at any time, apart from what some of them write.
  ArenaOptions m_options;
  std::unique_ptr<ArenaTrace> m_trace;
  std::unique_ptr<ViewNames> m_names;  ///< Null: nobody asks for them.
  std::unique_ptr<BaseSpaceCounts> m_base_space_counts;  ///< Likewise.
  std::atomic<std::uint64_t> m_epoch{1};
  // relaxed suffices: who reads true has a View, whose end is ordered with the
  // arena's by the lock.
  std::atomic<bool> m_ended{false};
  std::atomic<CheckedStore*> m_checked_store{nullptr};

  // By room, not by alignment: to make an Arena isn't to call the operator new
  // for aligned objects, which an adoption replaces, and others may.
  [[maybe_unused]] std::byte m_apart[64]{};

  // What changes with each allocation under the lock.
  UntrackedLog m_untracked;
  std::uint64_t m_live_bytes_in_chunk = 0;  ///< See set_chunk().
  Counts m_counts;
  Blocks m_blocks;

  [[maybe_unused]] std::byte m_apart_as_well[64]{};

  std::atomic<int> m_open_scopes{0};
  LockFreeCounts m_lock_free_counts;
};

}  // namespace KokkosArena::Impl

#endif
