// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Blocks.hpp"

#include <exception>
#include <limits>
#include <utility>

namespace KokkosArena::Impl {

Blocks::Blocks(Core* owner, ArenaOptions const& options,
               std::unique_ptr<Upstream> upstream, ArenaTrace* trace,
               bool watched)
    : m_upstream(std::move(upstream)),
      m_owner(owner),
      m_trace(trace),
      m_watched(watched || trace ||
                (m_upstream->is_poisonable() && runs_on_valgrind())),
      m_maximum_bytes(options.maximum_bytes),
      m_policy(options.history_length, options.initial_bytes),
      m_beside_survivors(options.history_length, 0) {}

// How a request finds room.

std::uintptr_t Blocks::allocate(std::size_t bytes, std::size_t alignment,
                                bool for_view, std::string& failure) {
  if (auto const address = allocate_from_any(bytes, alignment, for_view)) {
    return address;
  }
  // Worst case of the alignment: the block begins one granule after it.
  auto const padding = alignment > granule ? alignment : 0;
  if (bytes > std::numeric_limits<std::size_t>::max() - padding - granule) {
    return 0;
  }
  if (acquire(align_up(bytes, granule) + padding, failure)) {
    if (auto const address = allocate_from_any(bytes, alignment, for_view)) {
      return address;
    }
  }
  return revive(bytes, alignment);
}

std::uintptr_t Blocks::allocate_from_any(std::size_t bytes,
                                         std::size_t alignment,
                                         bool for_view) noexcept {
  for (auto block = m_in_service.rbegin(); block != m_in_service.rend();
       ++block) {
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

std::uintptr_t Blocks::revive(std::size_t bytes,
                              std::size_t alignment) noexcept {
  for (auto block = m_retired.begin(); block != m_retired.end(); ++block) {
    if (auto const address =
            (*block)->allocate(bytes, alignment, Block::all_holes)) {
      serve_from(**block);
      trace("block revived", (*block)->capacity());
      // Within the capacity: see acquire().
      m_in_service.push_back(std::move(*block));
      m_retired.erase(block);
      return address;
    }
  }
  return 0;
}

/// \return Bytes more that the arena's maximum lets it have.
std::size_t Blocks::room() const noexcept {
  return m_maximum_bytes - held(m_in_service) - held(m_retired) -
         m_upstream->bytes_set_aside();
}

bool Blocks::acquire(std::size_t needed, std::string& failure) {
  // More than any memory has; asking for it would only cost empty blocks.
  if (needed > std::numeric_limits<std::ptrdiff_t>::max()) return false;
  // First, since what is free at the end of the block counts as well.
  if (grow_in_place(needed, room())) return true;
  if (room() < needed) {
    // Blocks that are empty but too small must not stand in the way; but if
    // that doesn't help, nothing changes.
    std::size_t empty = 0;
    for (auto const& block : m_in_service) {
      if (block->used() == 0) empty += block->upstream_bytes();
    }
    if (room() + empty + m_upstream->bytes_set_aside() < needed) return false;
    return_empty();
  }
  auto const wanted = m_policy.next_block_bytes(needed, capacity_bytes());
  // A bounded arena waits for what it has given back.
  if (room() < wanted) m_upstream->return_all();
  if (grow_in_place(needed, room())) return true;
  // Now, so that nothing can fail once a block has been taken, nor when it is
  // retired or brought back later.
  auto const total = m_in_service.size() + m_retired.size() + 1;
  m_in_service.reserve(total);
  m_retired.reserve(total);
  auto block = take(std::min(wanted, room()), needed, failure);
  if (!block) return false;
  auto const bytes = block->upstream_bytes();
  m_in_service.push_back(std::move(block));
  ++m_acquired;
  m_acquired_bytes += bytes;
  serve_from_newest();
  trace("block taken", bytes);
  return true;
}

/// \return A block of so many bytes or, if there is none, of what is needed; in
/// a run of addresses, if there is one. Null if there is none.
std::unique_ptr<OwnedBlock> Blocks::take(std::size_t bytes, std::size_t needed,
                                         std::string& failure) {
  auto block = std::make_unique<OwnedBlock>(*m_upstream, m_owner);
  for (auto const size : {bytes, needed}) {
    if (block->begin_run(size, m_maximum_bytes)) return block;
  }
  for (;;) {
    try {
      block->allocate_upstream(bytes);
      return block;
    } catch (std::exception const& e) {
      failure = e.what();
      if (bytes == needed) return nullptr;
      bytes = needed;
    }
  }
}

/// \brief Has more of the newest block's run made usable.
/// \param[in] most  Bytes more at most.
/// \return Whether so many bytes are free there in one piece now.
bool Blocks::grow_in_place(std::size_t needed, std::size_t most) noexcept {
  if (m_in_service.empty() || !m_in_service.back()->grows_in_place()) {
    return false;
  }
  auto& block     = *m_in_service.back();
  auto const have = block.capacity();
  // What is free at its end counts.
  auto const tail    = have - block.least_bytes();
  auto const missing = needed > tail ? needed - tail : granule;
  most               = std::min(most, block.growth_left());
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

bool Blocks::enlarge(OwnedBlock& block, std::size_t more) noexcept {
  if (!block.enlarge(more)) return false;
  ++m_acquired;
  m_acquired_bytes += more;
  trace("block grown", more);
  return true;
}

// What becomes of allocations that end.

namespace {

/// \brief As Block's own, which is inline in programs and so can know of
/// AddressSanitizer only; here a block poisons for valgrind, too.
void give_back(Block& block, std::uintptr_t begin, std::size_t bytes) noexcept {
  block.poison(begin, begin + align_up(bytes, granule));
  block.deallocate(begin, bytes);
}

}  // namespace

void Blocks::deallocate(std::uintptr_t begin, std::size_t bytes) noexcept {
  give_back(*find(m_in_service, begin), begin, bytes);
}

void Blocks::deallocate_view(std::uintptr_t begin, std::size_t bytes) noexcept {
  if (auto* const block = find(m_in_service, begin)) {
    give_back(*block, begin, bytes);
    --block->live;
    return;
  }
  auto* const block = find(m_retired, begin);
  give_back(*block, begin, bytes);
  if (--block->live > 0) return;
  trace("block returned", block->upstream_bytes());
  std::erase_if(m_retired,
                [&](auto const& owned) { return owned.get() == block; });
}

void Blocks::record_cycle() noexcept {
  note_peaks();
  // What one block will have to hold: in several, one that has become empty
  // left no hole behind, so each counts with its own peak.
  std::size_t peak = 0;
  for (auto const& block : m_in_service) {
    peak +=
        block->grows_in_place() ? block->peak() : block->peak_at_any_address();
    block->end_cycle();
  }
  m_needed_more = peak > m_most_needed;
  m_most_needed = std::max(m_most_needed, peak);
  m_policy.record_cycle(peak);
  m_beside_survivors.record_cycle(peak - std::min(peak, m_survivor_bytes));
}

bool Blocks::have_views() const noexcept {
  return std::any_of(m_in_service.begin(), m_in_service.end(),
                     [](auto const& block) { return block->live > 0; });
}

/// \param[in] keep  What the next cycle will need; otherwise nothing.
void Blocks::drop(bool keep, std::uint64_t live_bytes) noexcept {
  m_survivor_bytes          = static_cast<std::size_t>(live_bytes);
  auto const with_survivors = retire_survivors(keep);
  for (auto& block : m_in_service) {
    if (block->live == 0) block->clear();
  }
  bool const one = m_in_service.size() == 1;
  bool const keep_blocks =
      keep && (with_survivors > 0
                   ? one || capacity_bytes() / 2 <= m_policy.recommended_bytes()
                   : one && (m_in_service[0]->grows_in_place() ||
                             keeps(*m_in_service[0])));
  for (auto& block : m_in_service) {
    if (keep_blocks || block->live > 0) trim(*block, keep);
  }
  if (keep_blocks) {
    serve_from_newest();
  } else {
    return_empty();
  }
  keep ? m_upstream->return_what_has_passed() : m_upstream->return_all();
  // What was noted since record_cycle() is the last cycle's.
  for (auto& block : m_in_service) block->restart_peak();
}

/// \brief Retires the blocks with Views, unless the arena is to go on around
/// them. \return Bytes of blocks with Views that are in service.
std::size_t Blocks::retire_survivors(bool keep) noexcept {
  std::size_t bytes = 0;
  for (auto const& block : m_in_service) {
    if (block->live > 0) bytes += block->upstream_bytes();
  }
  if (bytes == 0 || m_upstream->leaves_survivors_in_place()) return bytes;
  // Fresh blocks instead, if the arena is bounded as long as there is room for
  // one.
  auto const room = m_maximum_bytes - held(m_retired) - bytes;
  if (keep && room < m_policy.recommended_bytes() - m_policy.spare_bytes()) {
    return bytes;
  }
  std::erase_if(m_in_service, [&](auto& block) {
    if (block->live == 0) return false;
    retire(block);
    return true;
  });
  return 0;
}

void Blocks::retire(std::unique_ptr<OwnedBlock>& block) noexcept {
  trace("block retired", block->capacity());
  // Within the capacity: see acquire().
  m_retired.push_back(std::move(block));
}

void Blocks::end() noexcept {
  for (auto& block : m_in_service) {
    if (block->live > 0) {
      retire(block);
    } else {
      trace("block returned", block->upstream_bytes());
    }
  }
  m_in_service.clear();
  serve_from_newest();
  m_upstream->return_all();
}

void Blocks::return_empty() noexcept {
  std::erase_if(m_in_service, [&](auto& block) {
    if (block->used() > 0) return false;
    trace("block returned", block->upstream_bytes());
    return true;
  });
  serve_from_newest();
}

// What a block that grows in place keeps.

/// \return Bytes that the next cycle will need beside the survivors. If they
/// are few, it may make as many anew before these end; many may have been made
/// once, and room for as many again would be a waste.
std::size_t Blocks::bytes_beside_survivors() const noexcept {
  auto const peak = m_policy.largest_peak();
  auto const made_once =
      survivors_are_few() ? 0 : std::min(peak, m_survivor_bytes);
  return std::min(m_beside_survivors.largest_peak(), peak - made_once);
}

bool Blocks::survivors_are_few() const noexcept {
  return m_survivor_bytes <= m_policy.largest_peak() / 10;
}

/// \return Bytes that it is to have for the next cycle: there has to be room
/// for a whole one behind survivors, since the free ranges between them may be
/// small.
std::size_t Blocks::bytes_to_keep(OwnedBlock const& block) const noexcept {
  return m_policy.recommended_bytes() +
         (block.live > 0 ? block.least_bytes() : 0);
}

/// \return Whether it has about what the next cycle will need: no more than
/// twice as much, as what isn't touched costs no memory.
bool Blocks::keeps(OwnedBlock const& block) const noexcept {
  return block.grows_in_place() ? block.capacity() / 2 <= bytes_to_keep(block)
                                : m_policy.keeps(block.capacity());
}

/// \brief Gives a block that had to grow what threads' chunks will take of it
/// in the next cycle, which peaks don't tell.
void Blocks::enlarge_as_recommended(OwnedBlock& block) noexcept {
  if (!std::exchange(block.has_grown, false) || m_policy.spare_bytes() == 0) {
    return;
  }
  auto const recommended = m_policy.recommended_bytes();
  auto const wanted      = align_down(recommended + recommended / 8, granule);
  if (block.capacity() >= wanted) return;
  auto const most = std::min(room(), block.growth_left());
  auto const more =
      std::min(align_down(most, granule), wanted - block.capacity());
  if (more > 0) enlarge(block, more);
}

/// \brief Gives back what a block that grows in place has too much, and decides
/// from which free range around survivors it serves.
void Blocks::trim(OwnedBlock& block, bool keep) noexcept {
  // Not after a cycle that had to grow: where that put things, and so what it
  // needed, is not what a cycle without does.
  if (block.grows_in_place() &&
      (!keep || (!block.has_grown && !keeps(block)))) {
    auto const bytes =
        align_up(keep ? bytes_to_keep(block) : block.least_bytes(), granule);
    if (bytes < block.capacity()) block.shrink_to(bytes);
  }
  if (keep) enlarge_as_recommended(block);
  if (block.live == 0) return;
  if (block.grows_in_place()) {
    block.discard_free(keep ? m_policy.recommended_bytes() : 0);
    if (keep) fit_beside_survivors(block);
  }
  constexpr std::size_t least = std::size_t(64) << 10;
  block.choose_room(std::max(bytes_beside_survivors(), least));
}

/// \brief Sees to it that all free ranges together are enough. Now, as nothing
/// is at the block's upper end yet that would stay there. And no more than
/// enough, where growth has taken more than was needed: that would be touched
/// for the first time only since survivors have moved things there. Not again,
/// since where they lie may be what needs more.
void Blocks::fit_beside_survivors(OwnedBlock& block) noexcept {
  auto const needed = align_up(bytes_beside_survivors(), granule);
  auto const free   = block.free_bytes();
  if (free < needed) {
    if (needed - free <= std::min(room(), block.growth_left())) {
      enlarge(block, needed - free);
    }
  } else if (m_needed_more && survivors_are_few()) {
    auto const bytes = std::max({block.least_bytes(), m_policy.initial_bytes(),
                                 block.capacity() - (free - needed)});
    if (bytes < block.capacity()) block.shrink_to(bytes);
  }
}

// Threads' chunks.

Hole Blocks::take_chunk(std::size_t bytes, std::size_t most) noexcept {
  // A part of the room, so that chunks leave a small arena usable. The only
  // thread with one has more: else its next ones would come too soon.
  auto const parts = m_serving->chunk_bytes == 0 ? 2u : 8u;
  auto const size =
      std::min(most, align_down(m_serving->room() / parts, granule));
  if (size < bytes) return {};
  auto const begin = m_serving->allocate(size, granule);
  m_serving->chunk_bytes += size;
  return {begin, begin + size};
}

Hole Blocks::take_hole(std::size_t bytes, std::size_t most) noexcept {
  auto const hole = m_serving->take_hole(bytes, most);
  m_serving->chunk_bytes += hole.bytes();
  return hole;
}

void Blocks::dissolve_chunk(Block& chunk, std::size_t live_views) noexcept {
  auto& block = *find(m_in_service, chunk.begin());
  block.chunk_bytes -= chunk.capacity();
  for (auto const& hole : chunk.holes()) {
    block.deallocate(hole.begin, hole.bytes());
  }
  if (chunk.room() > 0) block.deallocate(chunk.top(), chunk.room());
  block.live += live_views;
  chunk.restart(granule, 0);
}

bool Blocks::keeps_block_of_chunks() const noexcept {
  return m_in_service.size() == 1 && m_in_service[0]->live == 0 &&
         keeps(*m_in_service[0]);
}

// Figures.

OwnedBlock* Blocks::find(List const& blocks, std::uintptr_t address) noexcept {
  for (auto const& block : blocks) {
    if (block->contains(address)) return block.get();
  }
  return nullptr;
}

std::size_t Blocks::capacity(List const& blocks) noexcept {
  std::size_t sum = 0;
  for (auto const& block : blocks) sum += block->capacity();
  return sum;
}

std::size_t Blocks::held(List const& blocks) noexcept {
  std::size_t sum = 0;
  for (auto const& block : blocks) sum += block->upstream_bytes();
  return sum;
}

std::size_t Blocks::used_bytes() const noexcept {
  std::size_t sum = 0;
  for (auto const& block : m_in_service) sum += block->in_use();
  return sum;
}

void Blocks::add_to(ArenaStatistics& s) const noexcept {
  s.capacity_bytes += capacity_bytes();
  s.used_bytes += used_bytes();
  s.peak_bytes += m_peak;
  s.upstream_allocations += m_acquired;
  s.upstream_bytes += m_acquired_bytes;
  s.blocks += m_in_service.size();
  s.retired_blocks += m_retired.size();
  s.retired_bytes += retired_bytes();
  for (auto const& block : m_in_service) {
    s.free_bytes += block->free_bytes();
    s.largest_free_bytes =
        std::max<std::uint64_t>(s.largest_free_bytes, block->largest_free());
  }
}

}  // namespace KokkosArena::Impl
