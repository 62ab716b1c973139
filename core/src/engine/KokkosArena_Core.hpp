// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CORE_HPP
#define KOKKOSARENA_ENGINE_CORE_HPP

#include <KokkosArena_ArenaMark.hpp>
#include <KokkosArena_ArenaOptions.hpp>
#include <KokkosArena_GrowthPolicy.hpp>
#include <KokkosArena_Statistics.hpp>
#include <engine/KokkosArena_Block.hpp>
#include <engine/KokkosArena_Fork.hpp>
#include <engine/KokkosArena_HostAddresses.hpp>
#include <engine/KokkosArena_Trace.hpp>
#include <engine/KokkosArena_UntrackedLog.hpp>
#include <engine/KokkosArena_Upstream.hpp>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <typeinfo>
#include <vector>

namespace KokkosArena {

namespace Impl {

class CheckedMemory;
class CheckedStore;

/// \brief The state of an arena. It lives on the heap and ends after the Arena
/// and the last View, whichever is later.
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

  /// Which cycle it is, from 1 on; for messages.
  std::uint64_t cycle() const noexcept {
    return m_cycles.load(std::memory_order_relaxed);
  }
  // relaxed: a plain count, read for messages only.
  void count_cycle() noexcept {
    m_cycles.fetch_add(1, std::memory_order_relaxed);
  }
  /// \return The instance in whose order memory is used again, if it is one of
  /// that execution space, whose kernels run behind the host's back; otherwise
  /// null.
  void const* instance(std::type_info const& execution_space) const noexcept {
    return m_upstream->instance(execution_space);
  }
  /// \brief Waits for the instance in whose order memory is used again. Nothing
  /// where kernels end before their launch returns.
  void fence_instance(char const* why) const { m_upstream->fence(why); }

  /// \return Null if the arena isn't traced.
  ArenaTrace const* trace() const noexcept { return m_trace.get(); }

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
    m_open_scopes.fetch_add(1, std::memory_order_relaxed);
  }
  void close_scope() noexcept {
    m_open_scopes.fetch_sub(1, std::memory_order_relaxed);
  }
  int open_scopes() const noexcept {
    return m_open_scopes.load(std::memory_order_relaxed);
  }

  /// \brief After a fork, in the child: scopes of threads that it doesn't have
  /// will never be closed.
  void forget_scopes_of_other_threads() noexcept;

  // relaxed: plain counts, read for statistics only.
  void count_unscoped_worker_allocation() noexcept {
    m_unscoped_worker_allocations.fetch_add(1, std::memory_order_relaxed);
  }
  void count_failed_handle_allocation() noexcept {
    m_failed_handle_allocations.fetch_add(1, std::memory_order_relaxed);
  }
  void count_failed_adoption() noexcept {
    m_failed_adoptions.fetch_add(1, std::memory_order_relaxed);
  }

 protected:
  Core(ArenaOptions options, std::unique_ptr<Upstream> upstream);
  virtual ~Core();

  /// The fast path: a compare with the largest hole, one with the end, a note.
  void* take_untracked(std::size_t bytes, std::size_t alignment) {
    check_alignment(alignment);
    bytes += bytes == 0;
    if (m_untracked.full()) [[unlikely]]
      m_untracked.grow();
    auto address = m_current->allocate(bytes, alignment);
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
    auto address = m_current->allocate_for_view(bytes, alignment);
    if (!address) [[unlikely]] {
      address = take_slowly(bytes, alignment, view_label);
    }
    ++m_current->live;
    ++m_total_allocations;
    ++m_live_allocations;
    m_live_bytes += align_up(bytes, granule);
    return reinterpret_cast<void*>(address);
  }

  /// \return Whether this was the last thing that held an ended arena's core.
  bool give_back_tracked(void* address, std::size_t bytes) noexcept {
    auto const begin = reinterpret_cast<std::uintptr_t>(address);
    bytes += bytes == 0;
    note_peaks();
    --m_live_allocations;
    m_live_bytes -= align_up(bytes, granule);
    if (m_current->contains(begin)) [[likely]] {
      m_current->deallocate(begin, bytes);
      --m_current->live;
      return false;
    }
    return give_back_elsewhere(begin, bytes);
  }

  void give_back_untracked(void* address);
  void drop_all(bool keep_blocks) noexcept;
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
  [[noreturn]] void not_untracked(void* address) const;
  void rewind_to(ArenaMark mark);
  /// Without the label, whose copy may take heap memory.
  ArenaStatistics read_statistics() noexcept;
  /// \return Whether no View is alive, so that the core can go.
  bool end_arena() noexcept;
  void count_reset(std::uint64_t live_in_chunks = 0) noexcept {
    ++m_resets;
    m_escaped_views += m_live_allocations + live_in_chunks;
  }
  /// \brief To be called before \c drop_all.
  void record_cycle() noexcept;
  void note_peaks() noexcept;
  void drop_untracked_after(std::uint64_t epoch) noexcept;

  // For ThreadCached, whose threads have chunks: pieces of a block, with
  // allocations of their own within.

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
      acquire_block(align_up(bytes, granule), failure);
    }
  }
  /// \brief What new blocks are to have beside what peaks count.
  void set_spare_bytes(std::size_t bytes) noexcept {
    m_policy.set_spare_bytes(bytes);
  }
  /// \brief A chunk of at most \c most bytes.
  /// \param[in] bytes  That it is wanted for.
  /// \return Its range; an empty one if there is no room for it.
  Hole take_chunk(std::size_t bytes, std::size_t most) noexcept;
  /// \brief The same, from a hole that may be small.
  Hole take_hole(std::size_t bytes, std::size_t most) noexcept {
    auto const hole = m_current->take_hole(bytes, most);
    m_current->chunk_bytes += hole.bytes();
    return hole;
  }
  /// \brief Says which chunk, if any, counts in the peaks that the arena notes
  /// from now on: the caller's. What other threads use isn't known.
  void set_chunk(std::uintptr_t begin, std::size_t used,
                 std::uint64_t live_bytes) noexcept {
    m_chunk_block         = begin ? find(m_blocks, begin) : nullptr;
    m_used_in_chunk       = used;
    m_live_bytes_in_chunk = live_bytes;
  }

  /// \brief Makes the allocations in a chunk those of the block, and gives the
  /// rest of the chunk back, which is empty then.
  void dissolve_chunk(Block& chunk, ChunkViews const& views) noexcept;

  /// \brief Gives something untracked back, of which no log has a note.
  void give_back_untracked(std::uintptr_t begin, std::size_t bytes) noexcept {
    if (m_current->contains(begin)) [[likely]] {
      m_current->deallocate(begin, bytes);
    } else {
      give_back_untracked_elsewhere(begin, bytes);
    }
  }
  /// \return Whether it was noted here, where it isn't any more.
  bool give_back_if_noted(std::uintptr_t begin) noexcept;

  /// \return Whether \c drop_all(true) would keep a block, and the only one,
  /// with no View but in chunks.
  bool keeps_block_of_chunks() const noexcept;

  /// \brief Drops everything else in that block.
  /// \param[in] chunks  In the order of their addresses.
  template <class Ranges>
  void drop_all_but(Ranges const& chunks) noexcept {
    m_untracked.clear();
    m_blocks[0]->clear_but(chunks);
    enlarge_as_recommended(*m_blocks[0]);
    m_upstream->return_what_has_passed();
    serve_from(*m_blocks[0]);
  }

  bool has_live_views() const noexcept { return m_live_allocations > 0; }

  bool is_traced() const noexcept { return m_trace != nullptr; }

  /// Whether what is free is poisoned.
  bool poisons() const noexcept { return m_upstream->is_poisonable(); }

 private:
  /// A block with what only the arena needs to know of it.
  struct OwnedBlock : Block {
    OwnedBlock(void* memory, std::size_t asked, std::uintptr_t first,
               std::size_t bytes, bool poisons) noexcept
        : Block(first, bytes, poisons),
          upstream_memory(memory),
          upstream_bytes(asked) {}
    OwnedBlock(AddressRun in, std::size_t bytes, bool poisons) noexcept
        : Block(in.begin, bytes, poisons),
          upstream_memory(nullptr),
          upstream_bytes(bytes),
          run(in) {}
    bool grows_in_place() const noexcept { return run.bytes > 0; }

    void* upstream_memory;
    std::size_t upstream_bytes;
    AddressRun run{};
    /// No more of it than that has memory, once its capacity has been trimmed.
    std::size_t touched = 0;
    bool has_grown      = false;  ///< Since the last reset.
  };
  using Blocks = std::vector<std::unique_ptr<OwnedBlock>>;

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
  std::uintptr_t take_traced(std::size_t bytes, std::size_t alignment,
                             char const* view_label);
  void trace_levels(std::uint64_t live_bytes) noexcept;
  void trace_retirement(Block const& block) noexcept;
  void serve_from(Block& block) noexcept {
    (m_trace ? m_serving : m_current) = &block;
  }
  std::uintptr_t take_from_any(std::size_t bytes, std::size_t alignment,
                               bool for_view) noexcept;
  bool acquire_block(std::size_t needed, std::string& failure);
  std::unique_ptr<OwnedBlock> take_run_block(std::size_t bytes,
                                             std::size_t needed);
  bool grow_in_place(std::size_t needed, std::size_t most) noexcept;
  bool enlarge(OwnedBlock& block, std::size_t more) noexcept;
  void enlarge_as_recommended(OwnedBlock& block) noexcept;
  void trim(OwnedBlock& block, bool keep) noexcept;
  std::size_t bytes_beside_survivors() const noexcept;
  std::size_t bytes_to_keep(OwnedBlock const& block) const noexcept;
  bool keeps(OwnedBlock const& block) const noexcept;
  void return_block(OwnedBlock& block) noexcept;
  void return_empty_blocks() noexcept;
  std::uintptr_t revive_retired_block(std::size_t bytes,
                                      std::size_t alignment) noexcept;
  void select_current() noexcept;
  bool give_back_elsewhere(std::uintptr_t begin, std::size_t bytes) noexcept;
  void give_back_untracked_elsewhere(std::uintptr_t begin,
                                     std::size_t bytes) noexcept;
  OwnedBlock* find(Blocks const& blocks, std::uintptr_t address) const noexcept;
  [[noreturn]] void exhausted(std::size_t bytes, char const* view_label,
                              std::string const& failure);

  static std::size_t used(Blocks const& blocks) noexcept {
    std::size_t sum = 0;
    for (auto const& block : blocks) sum += block->in_use();
    return sum;
  }
  static std::size_t capacity(Blocks const& blocks) noexcept {
    std::size_t sum = 0;
    for (auto const& block : blocks) sum += block->capacity();
    return sum;
  }
  std::size_t largest_free() const noexcept {
    std::size_t largest = 0;
    for (auto const& block : m_blocks) {
      largest = std::max(largest, block->largest_free());
    }
    return largest;
  }
  /// What the upstream has given for them.
  static std::size_t held(Blocks const& blocks) noexcept {
    std::size_t sum = 0;
    for (auto const& block : blocks) sum += block->upstream_bytes;
    return sum;
  }
  /// Serves first; never null. Of a traced arena always m_no_block, so that all
  /// that it gives and takes back goes the slow way, where the trace is.
  Block* m_current;
  UntrackedLog m_untracked;
  std::atomic<std::uint64_t> m_epoch{1};
  std::uint64_t m_total_allocations = 0;  ///< But those in m_untracked.
  std::uint64_t m_live_allocations  = 0;
  std::uint64_t m_live_bytes        = 0;
  std::uint64_t m_peak_live_bytes   = 0;
  std::size_t m_peak                = 0;
  Blocks m_blocks;
  Blocks m_retired;
  Block const* m_chunk_block          = nullptr;  ///< See set_chunk().
  std::size_t m_used_in_chunk         = 0;
  std::uint64_t m_live_bytes_in_chunk = 0;
  Block m_no_block{granule, 0};  ///< Serves nothing.

  std::uint64_t m_resets               = 0;
  std::uint64_t m_escaped_views        = 0;
  std::uint64_t m_upstream_allocations = 0;
  std::uint64_t m_upstream_bytes       = 0;
  // relaxed suffices: who reads true has a View, whose end is ordered with the
  // arena's by the lock.
  std::atomic<bool> m_ended{false};
  std::atomic<int> m_open_scopes{0};
  std::atomic<CheckedStore*> m_checked_store{nullptr};
  std::atomic<std::uint64_t> m_cycles{1};
  std::atomic<std::uint64_t> m_unscoped_worker_allocations{0};
  std::atomic<std::uint64_t> m_failed_handle_allocations{0};
  std::atomic<std::uint64_t> m_failed_adoptions{0};
  ArenaOptions m_options;
  GrowthPolicy m_policy;
  std::unique_ptr<Upstream> m_upstream;
  std::unique_ptr<ArenaTrace> m_trace;
  Block* m_serving = &m_no_block;  ///< Of a traced arena, first.
};

/// Peaks are noted when the figures are about to fall, not as they rise.
inline void Core::note_peaks() noexcept {
  std::size_t in_service = 0;
  for (auto const& block : m_blocks) {
    auto const unknown = block->chunk_bytes -
                         (block.get() == m_chunk_block ? m_used_in_chunk : 0);
    block->note_peak(unknown);
    in_service += block->in_use() - unknown;
  }
  m_peak = std::max(m_peak, in_service);
  m_peak_live_bytes =
      std::max(m_peak_live_bytes, m_live_bytes + m_live_bytes_in_chunk);
}

/// The core under a sync policy with a lock; for ThreadCached see
/// KokkosArena_ThreadCachedCore.hpp.
template <class Sync>
class SynchronizedCore final : public Core, private ForkParticipant {
 public:
  SynchronizedCore(ArenaOptions options, std::unique_ptr<Upstream> upstream)
      : Core(std::move(options), std::move(upstream)),
        ForkParticipant(ForkRank::core) {
    ForkParticipant::join();
    if constexpr (requires { m_mutex.protect(label()); }) {
      m_mutex.protect(label());
    }
  }

  void* allocate(std::size_t bytes, std::size_t alignment) {
    Guard const guard(m_mutex);
    return take_untracked(bytes, alignment);
  }
  void deallocate(void* address) {
    Guard const guard(m_mutex);
    give_back_untracked(address);
  }
  void* allocate_tracked(std::size_t bytes, std::size_t alignment,
                         char const* view_label) override {
    Guard const guard(m_mutex);
    return take_tracked(bytes, alignment, view_label);
  }
  void deallocate_tracked(void* address, std::size_t bytes) noexcept override {
    bool last;
    {
      Guard const guard(m_mutex);
      last = give_back_tracked(address, bytes);
    }
    if (last) delete this;
  }
  void reset() {
    Guard const guard(m_mutex);
    count_reset();
    record_cycle();
    drop_all(true);
  }
  void release() {
    Guard const guard(m_mutex);
    record_cycle();
    drop_all(false);
  }
  ArenaMark mark() override {
    Guard const guard(m_mutex);
    return end_epoch();
  }
  void rewind(ArenaMark mark) override {
    Guard const guard(m_mutex);
    rewind_to(mark);
  }
  ArenaStatistics statistics() {
    ArenaStatistics s;
    {
      Guard const guard(m_mutex);
      s = read_statistics();
    }
    s.label = label();
    return s;
  }
  /// The Arena's end. Views that are alive keep the core.
  void end() noexcept {
    bool last;
    {
      Guard const guard(m_mutex);
      last = end_arena();
    }
    if (last) delete this;
  }

 private:
  using Guard = std::lock_guard<typename Sync::mutex_type>;

  ~SynchronizedCore() override { ForkParticipant::leave(); }

  // Without a lock, it is for the program to see to it that no thread is using
  // the arena.
  static constexpr bool has_lock =
      requires(typename Sync::mutex_type& mutex) { mutex.try_lock(); };
  bool try_enter() noexcept override {
    if constexpr (has_lock) return m_mutex.try_lock();
    return true;
  }
  void leave_in_parent() noexcept override {
    if constexpr (has_lock) m_mutex.unlock();
  }
  void leave_in_child() noexcept override {
    leave_in_parent();
    forget_scopes_of_other_threads();
  }

  [[no_unique_address]] typename Sync::mutex_type m_mutex;
};

/// \return The core whose memory holds the address, or null.
/// Cost: a lock and a search among all blocks of all arenas.
Core* find_core(void const* address) noexcept;

}  // namespace Impl

}  // namespace KokkosArena

#endif
