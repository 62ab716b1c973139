// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Core.hpp"

#include "../KokkosArena_Error.hpp"
#include "KokkosArena_CheckedStore.hpp"
#include "KokkosArena_NeverDestroyed.hpp"
#include "KokkosArena_OpenScope.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace KokkosArena::Impl {

namespace {

/// Every block of every arena by its address, for memory that comes back
/// through a space instance which doesn't know where it came from.
struct Registry {
  struct Entry {
    std::uintptr_t end;
    Core* core;
  };
  std::mutex mutex;
  ForkLock<std::mutex> fork_lock{ForkRank::registry, mutex};
  std::map<std::uintptr_t, Entry> blocks;
  /// Of all addresses that were ever registered, so that most of those that
  /// malloc gives need no look-up.
  ///
  /// relaxed: who looks for an address in a block has got it from the thread
  /// that registered the block before, so it reads the bounds that were set
  /// then, or wider ones.
  std::atomic<std::uintptr_t> lowest =
      std::numeric_limits<std::uintptr_t>::max();
  std::atomic<std::uintptr_t> end = 0;

  /// \pre The mutex is held.
  void add(std::uintptr_t first, Entry entry) {
    blocks[first] = entry;
    // Only ever widened, by who holds the mutex.
    if (first < lowest.load(std::memory_order_relaxed)) {
      lowest.store(first, std::memory_order_relaxed);
    }
    if (entry.end > end.load(std::memory_order_relaxed)) {
      end.store(entry.end, std::memory_order_relaxed);
    }
  }
  bool may_have(std::uintptr_t address) const noexcept {
    return address >= lowest.load(std::memory_order_relaxed) &&
           address < end.load(std::memory_order_relaxed);
  }
};

/// Views may die after the statics of this library.
Registry& registry() noexcept {
  static NeverDestroyed<Registry> const instance;
  return instance.get();
}

/// Of all stores for CheckedSpace.
constinit std::mutex making_mutex;
/// Programs may fork late.
NeverDestroyed<ForkLock<std::mutex>> const making_lock(ForkRank::making,
                                                       making_mutex);

ArenaOptions validated(ArenaOptions options) {
  auto const complain = [&](std::string const& what) {
    throw std::invalid_argument("KokkosArena: arena \"" + options.label +
                                "\": " + what);
  };
  if (options.maximum_bytes == 0) {
    complain(
        "maximum_bytes is 0, so that nothing could ever be allocated; pass the "
        "number of bytes that a cycle needs, or leave it out to let the arena "
        "grow");
  }
  if (options.initial_bytes > options.maximum_bytes) {
    complain("initial_bytes (" + std::to_string(options.initial_bytes) +
             ") exceeds maximum_bytes (" +
             std::to_string(options.maximum_bytes) + "); raise maximum_bytes");
  }
  if (options.history_length == 0) {
    complain("history_length is 0; it has to be at least 1 cycle");
  }
  auto const round = [](std::size_t& bytes) {
    auto const rounded = align_up(bytes, granule);
    if (rounded >= bytes) bytes = rounded;
  };
  round(options.initial_bytes);
  round(options.maximum_bytes);
  options.escape_policy = escape_policy_or(options.escape_policy);
  return options;
}

}  // namespace

Core* find_core(void const* address) noexcept {
  if (auto* const core = owner_of(address)) return core;
  auto const a = reinterpret_cast<std::uintptr_t>(address);
  auto& all    = registry();
  if (!all.may_have(a)) return nullptr;
  std::lock_guard const guard(all.mutex);
  auto next = all.blocks.upper_bound(a);
  if (next == all.blocks.begin()) return nullptr;
  --next;
  return a < next->second.end ? next->second.core : nullptr;
}

Core::Core(ArenaOptions options, std::unique_ptr<Upstream> upstream)
    : m_current(&m_no_block),
      m_options(validated(std::move(options))),
      m_policy(m_options.history_length, m_options.initial_bytes),
      m_upstream(std::move(upstream)),
      m_trace(ArenaTrace::open(m_options.trace, m_options.label)) {
  if (m_trace) m_trace->event("arena made");
  if (m_options.initial_bytes > 0) {
    std::string failure;
    if (!acquire_block(m_options.initial_bytes, failure)) {
      exhausted(m_options.initial_bytes, nullptr, failure);
    }
    if (m_trace) trace_levels(0);
  }
}

Core::~Core() = default;

CheckedStore& Core::make_checked_store(CheckedMemory* memory) {
  std::lock_guard const guard(making_mutex);
  if (auto* const store = existing_checked_store()) return *store;
  auto& store = CheckedStore::make(*this, m_options, memory);
  m_checked_store.store(&store, std::memory_order_release);
  return store;
}

void Core::bad_alignment(std::size_t alignment) {
  throw std::invalid_argument("KokkosArena: alignment " +
                              std::to_string(alignment) +
                              " is not a power of two");
}

void Core::forget_scopes_of_other_threads() noexcept {
  // relaxed: there is no other thread.
  m_open_scopes.store(OpenScope::opened_by_this_thread(*this),
                      std::memory_order_relaxed);
}

std::uintptr_t Core::take_slowly(std::size_t bytes, std::size_t alignment,
                                 char const* view_label) {
  return m_trace ? take_traced(bytes, alignment, view_label)
                 : take_elsewhere(bytes, alignment, view_label);
}

std::uintptr_t Core::take_traced(std::size_t bytes, std::size_t alignment,
                                 char const* view_label) {
  auto address = view_label ? m_serving->allocate_for_view(bytes, alignment)
                            : m_serving->allocate(bytes, alignment);
  if (!address) address = take_elsewhere(bytes, alignment, view_label);
  auto const whole = align_up(bytes, granule);
  // The caller counts it in m_current, which isn't the block, and only then in
  // m_live_bytes.
  if (view_label) ++m_serving->live;
  m_trace->begin(address, address, whole, view_label);
  trace_levels(m_live_bytes + (view_label ? whole : 0));
  return address;
}

void Core::trace_levels(std::uint64_t live_bytes) noexcept {
  m_trace->levels({used(m_blocks), live_bytes, capacity(m_blocks)});
}

void Core::trace_retirement(Block const& block) noexcept {
  m_trace->event("block retired", block.capacity());
}

std::uintptr_t Core::take_elsewhere(std::size_t bytes, std::size_t alignment,
                                    char const* view_label) {
  // Its last View is the only one that could ask.
  if (has_ended()) {
    throw std::logic_error("KokkosArena: arena \"" + label() +
                           "\" has ended; nothing can be allocated from it");
  }
  call_in_chunks();
  if (auto const address = take_from_any(bytes, alignment, view_label))
    return address;
  // Worst case of the alignment: the block begins one granule after it.
  auto const padding = alignment > granule ? alignment : 0;
  std::string failure;
  if (bytes <= std::numeric_limits<std::size_t>::max() - padding - granule) {
    if (acquire_block(align_up(bytes, granule) + padding, failure)) {
      if (auto const address = take_from_any(bytes, alignment, view_label))
        return address;
    }
    if (auto const address = revive_retired_block(bytes, alignment)) {
      return address;
    }
  }
  exhausted(bytes, view_label, failure);
}

std::uintptr_t Core::take_from_any(std::size_t bytes, std::size_t alignment,
                                   bool for_view) noexcept {
  // The newest is the largest.
  for (auto block = m_blocks.rbegin(); block != m_blocks.rend(); ++block) {
    auto const address =
        for_view
            ? (*block)->allocate_for_view(bytes, alignment, Block::all_holes)
            : (*block)->allocate(bytes, alignment, Block::all_holes);
    if (address) {
      serve_from(**block);
      return address;
    }
  }
  return 0;
}

bool Core::acquire_block(std::size_t needed, std::string& failure) {
  // More than any memory has; asking for it would only cost empty blocks.
  if (needed > std::numeric_limits<std::ptrdiff_t>::max()) return false;
  auto const room = [&] {
    return m_options.maximum_bytes - held(m_blocks) - held(m_retired) -
           m_upstream->bytes_set_aside();
  };
  // First, since what is free at the end of the block counts as well.
  if (grow_in_place(needed, room())) return true;
  if (room() < needed) {
    // Blocks that are empty but too small must not stand in the way; but if
    // that doesn't help, nothing changes.
    std::size_t empty = 0;
    for (auto const& block : m_blocks) {
      if (block->used() == 0) empty += block->upstream_bytes;
    }
    if (room() + empty + m_upstream->bytes_set_aside() < needed) return false;
    return_empty_blocks();
  }
  auto const wanted = m_policy.next_block_bytes(needed, capacity(m_blocks));
  // A bounded arena waits for what it has given back.
  if (room() < wanted) m_upstream->return_all();
  if (grow_in_place(needed, room())) return true;
  // Now, so that nothing can fail once a block has been taken, nor when it is
  // retired or brought back later.
  auto const total = m_blocks.size() + m_retired.size() + 1;
  m_blocks.reserve(total);
  m_retired.reserve(total);
  auto bytes = std::min(wanted, room());
  auto block = take_run_block(bytes, needed);
  if (!block) {
    void* memory = nullptr;
    while (!memory) {
      try {
        memory = m_upstream->allocate(bytes);
      } catch (std::exception const& e) {
        failure = e.what();
        if (bytes == needed) return false;
        bytes = needed;
      }
    }
    try {
      auto const first =
          align_up(reinterpret_cast<std::uintptr_t>(memory), granule);
      auto const end = (reinterpret_cast<std::uintptr_t>(memory) + bytes) /
                       granule * granule;
      block = std::make_unique<OwnedBlock>(memory, bytes, first, end - first,
                                           poisons());
      auto& all = registry();
      std::lock_guard const guard(all.mutex);
      all.add(first, {end, this});
    } catch (...) {
      m_upstream->deallocate(memory, bytes);
      throw;
    }
  }
  bytes = block->upstream_bytes;
  m_blocks.push_back(std::move(block));
  ++m_upstream_allocations;
  m_upstream_bytes += bytes;
  serve_from(*m_blocks.back());
  if (m_trace) m_trace->event("block taken", bytes);
  return true;
}

/// \return A block that can grow in place, of so many bytes or at least as many
/// as are needed; null if there is none.
std::unique_ptr<Core::OwnedBlock> Core::take_run_block(std::size_t bytes,
                                                       std::size_t needed) {
  for (auto const size : {bytes, needed}) {
    auto const run = m_upstream->begin_run(size, m_options.maximum_bytes);
    if (run.bytes == 0) continue;
    try {
      auto block = std::make_unique<OwnedBlock>(run, align_down(size, granule),
                                                poisons());
      set_owner(run, this);
      return block;
    } catch (...) {
      m_upstream->end_run(run, size);
      throw;
    }
  }
  return nullptr;
}

/// \brief Has more of the newest block's run made usable.
/// \param[in] most  Bytes more at most.
/// \return Whether so many bytes are free there in one piece now.
bool Core::grow_in_place(std::size_t needed, std::size_t most) noexcept {
  if (m_blocks.empty() || !m_blocks.back()->grows_in_place()) return false;
  auto& block     = *m_blocks.back();
  auto const have = block.capacity();
  // What is free at its end counts.
  auto const tail    = have - block.least_bytes();
  auto const missing = needed > tail ? needed - tail : granule;
  most               = std::min(most, block.run.bytes - have);
  if (missing > most) return false;
  // Some more than needed, so that the number of steps grows with the
  // logarithm, but little: what lies at the upper end stays there, and the free
  // range in front of it would be the larger.
  auto const step = std::min(
      align_down(most, granule),
      std::max({missing, align_down(have / 8, granule), run_page_bytes}));
  if (!enlarge(block, step) && !enlarge(block, missing)) return false;
  block.has_grown = true;
  serve_from(block);
  // What is free in front of it couldn't be used, and shall not take memory.
  block.leave_alone(run_page_bytes, discard_pages);
  return true;
}

/// \brief Makes so many bytes more of its run usable.
bool Core::enlarge(OwnedBlock& block, std::size_t more) noexcept {
  auto const have = block.capacity();
  if (!m_upstream->resize_run(block.run, have, have + more)) return false;
  block.extend(have + more);
  block.upstream_bytes = block.touched = have + more;
  ++m_upstream_allocations;
  m_upstream_bytes += more;
  if (m_trace) m_trace->event("block grown", more);
  return true;
}

/// \brief Gives a block that had to grow what threads' chunks will take of it
/// in the next cycle, which peaks don't tell.
void Core::enlarge_as_recommended(OwnedBlock& block) noexcept {
  auto const recommended = m_policy.recommended_bytes();
  auto const wanted      = align_down(recommended + recommended / 8, granule);
  if (!std::exchange(block.has_grown, false) || m_policy.spare_bytes() == 0 ||
      block.capacity() >= wanted) {
    return;
  }
  auto const room = m_options.maximum_bytes - held(m_blocks) - held(m_retired);
  auto const most = std::min(room, block.run.bytes - block.capacity());
  auto const more =
      std::min(align_down(most, granule), wanted - block.capacity());
  if (more > 0) enlarge(block, more);
}

/// \return Bytes that the next cycle will need beside the survivors.
std::size_t Core::bytes_beside_survivors() const noexcept {
  constexpr std::size_t least = std::size_t(64) << 10;
  auto const peak             = m_policy.largest_peak();
  return std::max<std::size_t>(peak - std::min<std::size_t>(peak, m_live_bytes),
                               least);
}

/// \return Bytes that a block which grows in place is to have for the next
/// cycle: there has to be room for a whole one behind survivors, since the free
/// ranges between them may be small.
std::size_t Core::bytes_to_keep(OwnedBlock const& block) const noexcept {
  return m_policy.recommended_bytes() +
         (block.live > 0 ? block.least_bytes() : 0);
}

/// \return Whether it has about what the next cycle will need: no more than
/// twice as much, as what isn't touched costs no memory.
bool Core::keeps(OwnedBlock const& block) const noexcept {
  return block.grows_in_place() ? block.capacity() / 2 <= bytes_to_keep(block)
                                : m_policy.keeps(block.capacity());
}

/// \brief Gives back what a block that grows in place has too much, and decides
/// from which free range around survivors it serves.
/// \param[in] keep  What the next cycle will need; otherwise nothing.
void Core::trim(OwnedBlock& block, bool keep) noexcept {
  // Not after a cycle that had to grow: where that put things, and so what it
  // needed, is not what a cycle without does.
  if (block.grows_in_place() &&
      (!keep || (!block.has_grown && !keeps(block)))) {
    auto const bytes =
        align_up(keep ? bytes_to_keep(block) : block.least_bytes(), granule);
    if (bytes < block.capacity()) {
      auto const old = block.capacity();
      block.shrink(bytes);
      m_upstream->resize_run(block.run, old, bytes);
      block.upstream_bytes = bytes;
    }
  }
  if (keep) enlarge_as_recommended(block);
  if (block.live == 0) return;
  // Once, until a cycle has needed more again.
  auto const wanted = keep ? m_policy.recommended_bytes() : 0;
  if (block.grows_in_place() && block.touched > wanted + wanted / 4) {
    block.for_free_ranges(wanted, discard_pages);
    block.touched = wanted;
  }
  block.choose_room(bytes_beside_survivors());
}

void Core::return_block(OwnedBlock& block) noexcept {
  if (m_trace) m_trace->event("block returned", block.upstream_bytes);
  if (block.grows_in_place()) {
    m_upstream->end_run(block.run, block.upstream_bytes);
    return;
  }
  {
    auto& all = registry();
    std::lock_guard const guard(all.mutex);
    all.blocks.erase(block.begin());
  }
  m_upstream->deallocate(block.upstream_memory, block.upstream_bytes);
}

void Core::return_empty_blocks() noexcept {
  std::erase_if(m_blocks, [&](auto& block) {
    if (block->used() > 0) return false;
    return_block(*block);
    return true;
  });
  select_current();
}

std::uintptr_t Core::revive_retired_block(std::size_t bytes,
                                          std::size_t alignment) noexcept {
  for (auto block = m_retired.begin(); block != m_retired.end(); ++block) {
    if (auto const address =
            (*block)->allocate(bytes, alignment, Block::all_holes)) {
      serve_from(**block);
      if (m_trace) m_trace->event("block revived", (*block)->capacity());
      m_blocks.push_back(std::move(*block));
      m_retired.erase(block);
      return address;
    }
  }
  return 0;
}

void Core::select_current() noexcept {
  serve_from(m_blocks.empty() ? m_no_block : *m_blocks.back());
}

Core::OwnedBlock* Core::find(Blocks const& blocks,
                             std::uintptr_t address) const noexcept {
  for (auto const& block : blocks) {
    if (block->contains(address)) return block.get();
  }
  return nullptr;
}

bool Core::give_back_elsewhere(std::uintptr_t begin,
                               std::size_t bytes) noexcept {
  if (m_trace) m_trace->end(begin);
  if (auto* const block = find(m_blocks, begin)) {
    block->deallocate(begin, bytes);
    --block->live;
    if (m_trace) trace_levels(m_live_bytes);
    return false;
  }
  auto* const block = find(m_retired, begin);
  block->deallocate(begin, bytes);
  if (--block->live == 0) {
    std::erase_if(m_retired, [&](auto& owned) {
      if (owned.get() != block) return false;
      return_block(*block);
      return true;
    });
  }
  if (m_trace) trace_levels(m_live_bytes);
  return has_ended() && m_retired.empty();
}

void Core::give_back_untracked_elsewhere(std::uintptr_t begin,
                                         std::size_t bytes) noexcept {
  find(m_blocks, begin)->deallocate(begin, bytes);
  if (!m_trace) return;
  m_trace->end(begin);
  trace_levels(m_live_bytes);
}

void Core::give_back_untracked(void* address) {
  if (!address) return;
  if (!give_back_if_noted(reinterpret_cast<std::uintptr_t>(address))) {
    not_untracked(address);
  }
}

bool Core::give_back_if_noted(std::uintptr_t begin) noexcept {
  auto const bytes = m_untracked.forget(begin);
  if (bytes == 0) return false;
  note_peaks();
  give_back_untracked(begin, bytes);
  return true;
}

void Core::not_untracked(void* address) const {
  std::ostringstream message;
  message << "KokkosArena: arena \"" << label() << "\" was given back "
          << address
          << ", which allocate() didn't give, or which was given back or "
             "dropped by a reset or rewind already; give back each pointer at "
             "most once";
  throw std::invalid_argument(message.str());
}

void Core::drop_untracked_after(std::uint64_t epoch) noexcept {
  m_untracked.drop_after(epoch, [&](std::uintptr_t begin, std::size_t bytes) {
    give_back_untracked(begin, bytes);
  });
}

void Core::record_cycle() noexcept {
  note_peaks();
  // What one block will have to hold: in several, one that has become empty
  // left no hole behind, so each counts with its own peak.
  std::size_t peak = 0;
  for (auto const& block : m_blocks) {
    peak += block->peak();
    block->touched = std::max(block->touched, block->peak());
    block->restart_peak();
  }
  m_policy.record_cycle(peak);
}

Hole Core::take_chunk(std::size_t bytes, std::size_t most) noexcept {
  // A part of the room, so that chunks leave a small arena usable. The only
  // thread with one has more: else its next ones would come too soon.
  auto const parts = m_current->chunk_bytes == 0 ? 2u : 8u;
  auto const size =
      std::min(most, align_down(m_current->room() / parts, granule));
  if (size < bytes) return {};
  auto const begin = m_current->allocate(size, granule);
  m_current->chunk_bytes += size;
  return {begin, begin + size};
}

void Core::dissolve_chunk(Block& chunk, ChunkViews const& views) noexcept {
  note_peaks();
  auto& block = *find(m_blocks, chunk.begin());
  block.chunk_bytes -= chunk.capacity();
  for (auto const& hole : chunk.holes()) {
    block.deallocate(hole.begin, hole.bytes());
  }
  if (chunk.room() > 0) block.deallocate(chunk.top(), chunk.room());
  block.live += views.alive;
  m_live_bytes += views.alive_bytes;
  m_live_allocations += views.alive;
  m_total_allocations += views.total;
  chunk.restart(granule, 0);
}

bool Core::keeps_block_of_chunks() const noexcept {
  return m_blocks.size() == 1 && m_blocks[0]->live == 0 && keeps(*m_blocks[0]);
}

void Core::drop_all(bool keep_blocks) noexcept {
  std::size_t survivors = 0;
  for (auto const& block : m_blocks) {
    if (block->live > 0) survivors += block->upstream_bytes;
  }
  if (m_trace) {
    m_trace->event(keep_blocks ? "reset" : "release");
    for (auto const& block : m_blocks) {
      m_trace->escapes(block->begin(), block->begin() + block->capacity());
    }
    drop_untracked_after(0);
  }
  if (survivors > 0) {
    drop_untracked_after(0);
    // The arena goes on in the space around them, or else takes fresh blocks,
    // if it is bounded as long as there is room for one.
    auto const room = m_options.maximum_bytes - held(m_retired) - survivors;
    if (!m_upstream->leaves_survivors_in_place() &&
        (!keep_blocks ||
         room >= m_policy.recommended_bytes() - m_policy.spare_bytes())) {
      std::erase_if(m_blocks, [&](auto& block) {
        if (block->live == 0) return false;
        if (m_trace) trace_retirement(*block);
        m_retired.push_back(std::move(block));
        return true;
      });
      survivors = 0;
    }
  }
  m_untracked.clear();
  for (auto& block : m_blocks) {
    if (block->live == 0) block->clear();
  }
  bool const keep =
      keep_blocks &&
      (survivors > 0 ? capacity(m_blocks) / 2 <= m_policy.recommended_bytes() ||
                           m_blocks.size() == 1
                     : m_blocks.size() == 1 && (m_blocks[0]->grows_in_place() ||
                                                keeps(*m_blocks[0])));
  for (auto& block : m_blocks) {
    if (keep || block->live > 0) trim(*block, keep_blocks);
  }
  if (keep) {
    select_current();
  } else {
    return_empty_blocks();
  }
  keep_blocks ? m_upstream->return_what_has_passed() : m_upstream->return_all();
  // What was noted since record_cycle() is the last cycle's.
  for (auto& block : m_blocks) block->restart_peak();
  if (m_trace) trace_levels(m_live_bytes);
}

void Core::check_mark(ArenaMark mark) const {
  if (mark.core() != this) {
    throw std::invalid_argument(
        "KokkosArena: arena \"" + label() +
        "\" was asked to rewind to a mark of another arena; rewind the arena "
        "that gave the mark");
  }
}

void Core::rewind_to(ArenaMark mark) {
  check_mark(mark);
  note_peaks();
  if (m_trace) m_trace->event("rewind");
  drop_untracked_after(mark.epoch());
}

bool Core::end_arena() noexcept {
  drop_untracked_after(0);
  if (m_trace) m_trace->event("arena ended");
  m_ended.store(true, std::memory_order_relaxed);
  for (auto& block : m_blocks) {
    if (block->live > 0) {
      if (m_trace) {
        m_trace->escapes(block->begin(), block->begin() + block->capacity());
        trace_retirement(*block);
      }
      m_retired.push_back(std::move(block));
    } else {
      return_block(*block);
    }
  }
  m_blocks.clear();
  m_upstream->return_all();
  serve_from(m_no_block);
  if (m_trace) trace_levels(m_live_bytes);
  return m_retired.empty();
}

ArenaStatistics Core::read_statistics() noexcept {
  note_peaks();
  ArenaStatistics s;
  s.capacity_bytes       = capacity(m_blocks);
  s.used_bytes           = used(m_blocks);
  s.live_bytes           = m_live_bytes;
  s.peak_bytes           = m_peak;
  s.peak_live_bytes      = m_peak_live_bytes;
  s.live_allocations     = m_live_allocations;
  s.total_allocations    = m_total_allocations + m_untracked.total();
  s.upstream_allocations = m_upstream_allocations;
  s.upstream_bytes       = m_upstream_bytes;
  s.blocks               = m_blocks.size();
  s.retired_blocks       = m_retired.size();
  s.retired_bytes        = capacity(m_retired);
  s.resets               = m_resets;
  s.escaped_views        = m_escaped_views;
  s.unscoped_worker_allocations =
      m_unscoped_worker_allocations.load(std::memory_order_relaxed);
  s.failed_handle_allocations =
      m_failed_handle_allocations.load(std::memory_order_relaxed);
  s.failed_adoptions   = m_failed_adoptions.load(std::memory_order_relaxed);
  s.largest_free_bytes = largest_free();
  for (auto const& block : m_blocks) s.free_bytes += block->free_bytes();
  return s;
}

void Core::exhausted(std::size_t bytes, char const* view_label,
                     std::string const& failure) {
  if (m_trace) m_trace->exhausted(bytes, view_label);
  auto const in_service = capacity(m_blocks);
  auto const in_use     = used(m_blocks);
  std::ostringstream message;
  message << "KokkosArena: arena \"" << label() << "\" can't give " << bytes
          << " bytes";
  if (view_label) message << " for View \"" << view_label << '"';
  message << ": " << in_use << " of its " << in_service << " bytes are used, "
          << in_service - in_use << " are available";
  if (!m_retired.empty()) {
    message << ", " << capacity(m_retired)
            << " more are kept for Views that outlived a reset";
  }
  bool const bounded =
      m_options.maximum_bytes != std::numeric_limits<std::size_t>::max();
  if (!failure.empty()) {
    message << ", and its memory space failed to give more (" << failure
            << "). Ask for less, reset the arena more often, or free memory";
  } else if (bounded) {
    message << ", and its maximum is " << m_options.maximum_bytes
            << ". Give it a larger maximum_bytes, reset it more often, or drop "
               "Views earlier";
  } else {
    message << ". Check the extents: no memory has that many bytes";
  }
  throw ArenaExhausted(message.str());
}

}  // namespace KokkosArena::Impl
