// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_BLOCKS_HPP
#define KOKKOSARENA_ENGINE_BLOCKS_HPP

#include <KokkosArena_ArenaOptions.hpp>
#include <KokkosArena_GrowthPolicy.hpp>
#include <KokkosArena_Statistics.hpp>
#include <engine/KokkosArena_ArenaTrace.hpp>
#include <engine/KokkosArena_Block.hpp>
#include <engine/KokkosArena_OwnedBlock.hpp>
#include <engine/KokkosArena_Upstream.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace KokkosArena::Impl {

class Core;

/// \brief The blocks of an arena: which of them serves, how they grow, what is
/// left of them after a cycle, and when they go back upstream.
///
/// Blocks in service serve; those that are retired are only kept for Views that
/// outlived a reset, or the arena. Which allocations are in them is for others
/// to know: Views count in \c Block::live.
///
/// Threads: not synchronised; the arena's lock is held.
class Blocks {
 public:
  /// \param[in] owner  Whose the addresses are, for find_core().
  /// \param[in] trace    That is told what becomes of blocks, or null.
  /// \param[in] watched  Whether each allocation is to go the slow way, as with
  ///                     a trace.
  Blocks(Core* owner, ArenaOptions const& options,
         std::unique_ptr<Upstream> upstream, ArenaTrace* trace,
         bool watched = false);

  /// \return The one that is asked first; of a watched arena, one that serves
  /// nothing, so that all goes the slow way, where the watchers are.
  Block& current() const noexcept { return *m_current; }
  /// \return The one that is asked first, watched or not.
  Block& serving() const noexcept { return *m_serving; }
  bool empty() const noexcept { return m_in_service.empty(); }
  /// Whether each allocation is shown to a trace, to valgrind, or to who notes
  /// the names of Views.
  bool are_watched() const noexcept { return m_watched; }

  /// \brief Takes bytes from any block, from one that grows or is taken for
  /// them, or from a retired one.
  /// \param[in]  for_view  See \c Block::allocate_for_view.
  /// \param[out] failure   What the upstream lacked, if it was asked.
  /// \return 0 if there is no room.
  /// \throws std::bad_alloc  No heap memory; the blocks are as they were.
  std::uintptr_t allocate(std::size_t bytes, std::size_t alignment,
                          bool for_view, std::string& failure);
  /// \brief The same without a request: has so many bytes, a multiple of the
  /// granule, in one piece. \return Whether that was possible.
  bool acquire(std::size_t bytes, std::string& failure);

  /// \brief Gives back a View's bytes, in whatever block.
  void deallocate_view(std::uintptr_t begin, std::size_t bytes) noexcept;
  /// \brief Gives back other bytes. \pre They are in a block in service.
  void deallocate(std::uintptr_t begin, std::size_t bytes) noexcept;

  /// \brief To be called whenever used bytes are about to fall: that is cheaper
  /// than to look at each rise.
  void note_peaks() noexcept {
    std::size_t used = 0;
    for (auto const& block : m_in_service) {
      auto const unknown = block->chunk_bytes -
                           (block.get() == m_chunk_block ? m_used_in_chunk : 0);
      block->note_peak(unknown);
      used += block->in_use() - unknown;
    }
    m_peak = std::max(m_peak, used);
  }
  /// \brief A cycle has ended, of which the size of blocks will learn.
  void record_cycle() noexcept;

  /// Whether a block in service has Views.
  bool have_views() const noexcept;
  bool have_retired() const noexcept { return !m_retired.empty(); }
  /// \brief Calls f(begin, end) for the blocks in service with Views.
  template <class F>
  void for_ranges_with_views(F const& f) const {
    for (auto const& block : m_in_service) {
      if (block->live > 0)
        f(block->begin(), block->begin() + block->capacity());
    }
  }

  /// \brief Begins a cycle: forgets all but Views, which stay where they are or
  /// whose blocks retire, and keeps what the cycle will need.
  /// \param[in] live_bytes  Of Views.
  /// \pre What is left in blocks with Views are Views.
  void start_cycle(std::uint64_t live_bytes) noexcept {
    drop(true, live_bytes);
  }
  /// \brief The same, and gives all back that has no Views.
  void release(std::uint64_t live_bytes) noexcept { drop(false, live_bytes); }
  /// \brief The arena's end: blocks with Views retire, the others go back.
  void end() noexcept;

  // For ThreadCached, whose threads have chunks: pieces of a block, with
  // allocations of their own within.

  /// \brief A chunk of at most \c most bytes.
  /// \param[in] bytes  That it is wanted for.
  /// \return Its range; an empty one if there is no room for it.
  Hole take_chunk(std::size_t bytes, std::size_t most) noexcept;
  /// \brief The same, from a hole that may be small.
  Hole take_hole(std::size_t bytes, std::size_t most) noexcept;
  /// \brief Makes the allocations in a chunk those of its block, and gives the
  /// rest of the chunk back, which is empty then.
  void dissolve_chunk(Block& chunk, std::size_t live_views) noexcept;
  /// \brief Says which chunk, if any, counts in the peaks from now on: the
  /// caller's. What other threads use isn't known.
  void set_chunk(std::uintptr_t begin, std::size_t used) noexcept {
    m_chunk_block   = begin ? find(m_in_service, begin) : nullptr;
    m_used_in_chunk = used;
  }
  /// \brief What new blocks are to have beside what peaks count.
  void set_spare_bytes(std::size_t bytes) noexcept {
    m_policy.set_spare_bytes(bytes);
  }
  /// \return Whether \c start_cycle would keep a block, and the only one, with
  /// no View but in chunks.
  bool keeps_block_of_chunks() const noexcept;
  /// \brief Begins a cycle in that block, of which chunks stay as they are.
  /// \param[in] chunks  In the order of their addresses.
  template <class Ranges>
  void start_cycle_around(Ranges const& chunks) noexcept {
    // Beside chunks, of which peaks know nothing.
    m_survivor_bytes = 0;
    m_in_service[0]->clear_but(chunks);
    enlarge_as_recommended(*m_in_service[0]);
    m_upstream->return_what_has_passed();
    serve_from(*m_in_service[0]);
  }

  std::size_t used_bytes() const noexcept;
  std::size_t capacity_bytes() const noexcept { return capacity(m_in_service); }
  std::size_t retired_bytes() const noexcept { return capacity(m_retired); }
  void add_to(ArenaStatistics& statistics) const noexcept;

  Upstream const& upstream() const noexcept { return *m_upstream; }

 private:
  using List = std::vector<std::unique_ptr<OwnedBlock>>;

  void serve_from(Block& block) noexcept {
    m_serving = &block;
    if (!m_watched) m_current = &block;
  }
  void serve_from_newest() noexcept {
    serve_from(m_in_service.empty() ? m_no_block : *m_in_service.back());
  }
  void trace(char const* what, std::size_t bytes) const noexcept {
    if (m_trace) m_trace->event(what, bytes);
  }

  std::uintptr_t allocate_from_any(std::size_t bytes, std::size_t alignment,
                                   bool for_view) noexcept;
  std::uintptr_t revive(std::size_t bytes, std::size_t alignment) noexcept;
  std::size_t room() const noexcept;
  std::unique_ptr<OwnedBlock> take(std::size_t bytes, std::size_t needed,
                                   std::string& failure);
  bool grow_in_place(std::size_t needed, std::size_t most) noexcept;
  bool enlarge(OwnedBlock& block, std::size_t more) noexcept;
  void enlarge_as_recommended(OwnedBlock& block) noexcept;

  void drop(bool keep, std::uint64_t live_bytes) noexcept;
  std::size_t retire_survivors(bool keep) noexcept;
  void retire(std::unique_ptr<OwnedBlock>& block) noexcept;
  void trim(OwnedBlock& block, bool keep) noexcept;
  void fit_beside_survivors(OwnedBlock& block) noexcept;
  std::size_t bytes_beside_survivors() const noexcept;
  bool survivors_are_few() const noexcept;
  std::size_t bytes_to_keep(OwnedBlock const& block) const noexcept;
  bool keeps(OwnedBlock const& block) const noexcept;
  void return_empty() noexcept;

  static OwnedBlock* find(List const& blocks, std::uintptr_t address) noexcept;
  static std::size_t capacity(List const& blocks) noexcept;
  /// What the upstream has given for them.
  static std::size_t held(List const& blocks) noexcept;

  std::unique_ptr<Upstream> m_upstream;  ///< Outlives the blocks.
  Block* m_current = &m_no_block;        ///< Never null.
  Block* m_serving = &m_no_block;
  List m_in_service;  ///< The newest, which is the largest, last.
  Block const* m_chunk_block  = nullptr;  ///< See set_chunk().
  std::size_t m_used_in_chunk = 0;
  std::size_t m_peak          = 0;
  List m_retired;
  Block m_no_block{granule, 0};  ///< Serves nothing.

  Core* const m_owner;
  ArenaTrace* const m_trace;
  bool const m_watched;
  std::size_t const m_maximum_bytes;
  GrowthPolicy m_policy;
  GrowthPolicy m_beside_survivors;    ///< Of peaks without what survived.
  std::size_t m_survivor_bytes = 0;   ///< When the cycle began.
  bool m_needed_more        = false;  ///< The last cycle, than any before it.
  std::size_t m_most_needed = 0;      ///< By a cycle, ever.
  std::uint64_t m_acquired  = 0;      ///< Times that upstream gave something.
  std::uint64_t m_acquired_bytes = 0;
};

}  // namespace KokkosArena::Impl

#endif
