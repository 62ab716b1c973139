// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedStore.hpp"

#include "../KokkosArena_Error.hpp"
#include "KokkosArena_Cancellation.hpp"
#include "KokkosArena_CheckedAddresses.hpp"
#include "KokkosArena_CheckedDescription.hpp"
#include "KokkosArena_CheckedMemory.hpp"
#include "KokkosArena_CheckedShortage.hpp"
#include "KokkosArena_CheckedStores.hpp"
#include "KokkosArena_Core.hpp"
#include "KokkosArena_Pages.hpp"

#include <algorithm>
#include <cstdio>
#include <new>
#include <stdexcept>
#include <utility>

namespace KokkosArena::Impl {

namespace {

constexpr char const* no_guard_page =
    "the system can't protect a guard page (most often since the process has "
    "too many mappings)";
constexpr char const* guard_page_remedy =
    "Raise vm.max_map_count (sysctl), have fewer guarded Views at once, or "
    "turn "
    "ArenaOptions::guard_pages off";

bool protect_guard_page(std::uintptr_t begin, std::size_t bytes,
                        bool accessible) noexcept {
  auto const page = page_bytes();
  return protect_pages(
      reinterpret_cast<void*>(CheckedLayout::guard(begin, bytes, page)), page,
      accessible);
}

void end_elements(CheckedAllocation& a) noexcept {
  if (!a.owns || a.elements_have_ended) return;
  a.elements_have_ended = true;
  a.end_elements(a.record);
}

/// By index: elements that end may make or end others.
void end_elements(CheckedLedger const& ledger) noexcept {
  for (std::size_t i = 0; i < ledger.size(); ++i) {
    if (ledger[i].alive) end_elements(ledger[i]);
  }
}

/// What a place for it may take where its alignment is beyond that of
/// sections.
std::size_t most_bytes(CheckedLayout const& layout) noexcept {
  auto const alignment = layout.alignment();
  return layout.bytes() + (alignment > checked_page_bytes ? alignment : 0);
}

/// Of raw memory none is, and of Views of rank 7 not all are: DynRankViews are
/// made as such, which read by address.
bool every_access_is_checked(ViewExtents const& extents) noexcept {
  return extents.rank < 7;
}

/// For traces.
std::uintptr_t key_of(CheckedAllocation const& a) noexcept {
  return reinterpret_cast<std::uintptr_t>(&a);
}

}  // namespace

CheckedStore::CheckedStore(Core& core, ArenaOptions const& options,
                           CheckedMemory* memory)
    : ForkParticipant(ForkRank::store),
      m_core(core),
      m_label(options.label),
      m_maximum_bytes(options.maximum_bytes),
      // Elsewhere the memory is the arena's own, which it traces.
      m_trace(memory && core.trace() ? core.trace()->for_checked_memory()
                                     : nullptr),
      m_has_guard_pages(options.guard_pages && memory &&
                        memory->has_guard_pages()),
      m_windows(memory ? std::make_unique<CheckedWindows>(
                             *memory,
                             CheckedWindows::Options{
                                 .history_length = options.history_length,
                                 .initial_bytes  = options.initial_bytes,
                                 .maximum_bytes  = options.maximum_bytes,
                                 .guard_pages    = m_has_guard_pages,
                                 .huge_pages     = options.huge_pages,
                                 .shares = options.revoke == Revoke::window},
                             m_trace.get())
                       : nullptr),
      m_escapes(m_label, options.escape_policy) {
  join();
}

CheckedStore::~CheckedStore() { ForkParticipant::leave(); }

bool CheckedStore::try_enter() noexcept { return m_mutex.try_lock(); }
void CheckedStore::leave_in_parent() noexcept { m_mutex.unlock(); }
void CheckedStore::leave_in_child() noexcept {
  // To a recursive mutex, the child's thread isn't the one that has locked it.
  std::destroy_at(&m_mutex);
  std::construct_at(&m_mutex);
}

CheckedStore& CheckedStore::make(Core& core, ArenaOptions const& options,
                                 CheckedMemory* memory) {
  auto store   = std::make_shared<CheckedStore>(core, options, memory);
  auto& result = *store;
  checked_stores().add(std::move(store));
  return result;
}

CheckedAllocation* CheckedStore::allocate(
    std::size_t front, std::size_t data_bytes, std::size_t alignment,
    char const* label, ViewExtents const& extents, std::uint64_t frame) {
  CheckedLayout const layout(front, data_bytes, alignment,
                             m_has_guard_pages ? page_bytes() : 0);
  Guard const guard(m_mutex);
  if (!layout.is_possible()) exhausted(data_bytes, label);
  auto const place =
      take({layout, label, frame, every_access_is_checked(extents)});
  CheckedAllocation* made = nullptr;
  try {
    made        = &m_pieces.enter(*place.piece, place.begin, layout.bytes());
    made->store = this;
    made->label = label;
    if (m_has_guard_pages &&
        !protect_guard_page(place.begin, layout.bytes(), false)) {
      exhausted(data_bytes, label, no_guard_page, guard_page_remedy);
    }
  } catch (...) {
    undo_take(place, layout.bytes());
    throw;
  }
  made->data                = reinterpret_cast<void*>(layout.data(place.begin));
  made->data_bytes          = data_bytes;
  made->alive               = true;
  made->elements_have_ended = false;
  made->owns                = false;
  made->extents             = extents;
  made->use_count           = nullptr;
  made->end_elements        = nullptr;
  made->end_record          = nullptr;
  ++place.piece->live;
  m_counts.count_made(layout.bytes());
  if (m_trace) [[unlikely]] {
    m_trace->begin(key_of(*made), place.begin, layout.bytes(), label);
    trace_levels();
  }
  return made;
}

CheckedStore::Place CheckedStore::take(Request const& request) {
  if (m_ended) {
    throw std::logic_error("KokkosArena: arena \"" + m_label +
                           "\" has ended; nothing can be allocated from it");
  }
  return m_windows ? take_from_windows(request) : take_from_core(request);
}

CheckedStore::Place CheckedStore::take_from_core(Request const& request) {
  auto const& pieces = m_pieces.in_use();
  auto const last    = std::find_if(
      pieces.rbegin(), pieces.rend(),
      [&](auto const& p) { return goes_on_in(*p, request.frame); });
  bool const is_new = last == pieces.rend();
  if (is_new) m_pieces.prepare_add();
  auto& piece        = is_new ? add_piece(request.frame) : **last;
  auto const& layout = request.layout;
  auto* const memory = m_core.allocate_tracked(
      layout.bytes(), layout.alignment(), request.label);
  return {&piece, reinterpret_cast<std::uintptr_t>(memory), is_new};
}

CheckedStore::Place CheckedStore::take_from_windows(Request const& request) {
  auto const bytes   = request.layout.bytes();
  auto const& pieces = m_pieces.in_use();
  auto const first =
      request.frame == 0 ? 0 : m_pieces.first_after(request.frame);
  std::size_t held = 0;  // By this frame since the last mark.
  for (auto i = pieces.size(); i > first; --i) {
    auto& piece          = *pieces[i - 1];
    bool const is_shared = piece.section.window->is_shared;
    if (is_shared && !request.may_share) continue;
    if (!goes_on_in(piece, request.frame)) continue;
    if (auto const begin = allocate_in(piece, request.layout)) {
      if (m_pieces.used() <= m_maximum_bytes) return {&piece, begin, false};
      m_pieces.deallocate(piece, begin, bytes);
      exhausted(bytes, request.label);
    }
    held += piece.section.bytes;
    if (request.frame == 0 && !is_shared) m_windows->note_overflow();
  }
  return take_from_another_window(request, held);
}

/// \return Whether the store can't have so many bytes more.
bool CheckedStore::exceeds_maximum(std::size_t bytes) const noexcept {
  auto const used = m_pieces.used();
  return used > m_maximum_bytes || bytes > m_maximum_bytes - used;
}

/// \return Where it begins, or 0.
std::uintptr_t CheckedStore::allocate_in(CheckedPiece& piece,
                                         CheckedLayout const& layout) noexcept {
  auto const begin =
      m_pieces.allocate(piece, layout.bytes(), layout.alignment());
  if (begin != 0 || exceeds_maximum(layout.bytes()) ||
      !m_windows->extend(piece.section, most_bytes(layout))) {
    return begin;
  }
  m_pieces.extend(piece);
  return m_pieces.allocate(piece, layout.bytes(), layout.alignment());
}

CheckedStore::Place CheckedStore::take_from_another_window(
    Request const& request, std::size_t held) {
  auto const& layout = request.layout;
  auto const bytes   = layout.bytes();
  if (exceeds_maximum(bytes)) exhausted(bytes, request.label);
  // First, so that a section that was acquired has its piece.
  m_pieces.prepare_add();
  char const* failure = "";
  auto const section =
      m_windows->acquire(most_bytes(layout), held, request.may_share, failure);
  if (!section.window) {
    // Where each View has a mapping or two, these may be what there is none of.
    exhausted(bytes, request.label, failure,
              m_has_guard_pages ? guard_page_remedy : "");
  }
  auto& piece   = add_piece(request.frame);
  piece.section = section;
  // What an alignment leaves out of a shared window isn't used: else it would
  // hang on the section's place whether the arena has room.
  auto const start = section.window->is_shared
                         ? align_up(section.begin, layout.alignment())
                         : section.begin;
  piece.block.restart(start, section.end() - start);
  auto const begin = m_pieces.allocate(piece, bytes, layout.alignment());
  // It may be among what was dropped, where others have dropped what is behind.
  m_windows->memory().expect_accesses(section.begin);
  return {&piece, begin, true};
}

/// \brief Leaves the pieces as they were before an allocation that has failed.
void CheckedStore::undo_take(Place const& place, std::size_t bytes) noexcept {
  if (!m_windows) {
    m_core.deallocate_tracked(reinterpret_cast<void*>(place.begin), bytes);
    return;
  }
  m_pieces.deallocate(*place.piece, place.begin, bytes);
  if (!place.piece_is_new) return;
  m_windows->undo_acquire(place.piece->section);
  m_pieces.undo_add();
}

/// \return Whether the piece is the frame's, and no mark was made since.
bool CheckedStore::goes_on_in(CheckedPiece& piece,
                              std::uint64_t frame) const noexcept {
  if (piece.frame != frame) return false;
  if (piece.marks == m_marks) return true;
  if (piece.live > 0) return false;
  // Nothing is left of what was made before the mark.
  piece.marks = m_marks;
  piece.epoch = m_core.current_epoch();
  return true;
}

/// \pre m_pieces.prepare_add() came before.
CheckedPiece& CheckedStore::add_piece(std::uint64_t frame) noexcept {
  auto& piece = m_pieces.add();
  piece.frame = frame;
  piece.marks = m_marks;
  piece.epoch = piece.made_in = m_core.current_epoch();
  piece.cycle                 = m_core.cycle();
  return piece;
}

void CheckedStore::set_record(CheckedAllocation& allocation,
                              int (*use_count)(void const*),
                              void (*end_record)(void*),
                              void (*end_elements)(void*), bool owns) noexcept {
  Guard const guard(m_mutex);
  allocation.use_count    = use_count;
  allocation.end_record   = end_record;
  allocation.end_elements = end_elements;
  allocation.owns         = owns;
}

void CheckedStore::give_back(CheckedAllocation* allocation) noexcept {
  auto& store = *allocation->store;
  bool last   = false;
  // As in the store, which may be gone once its lock is.
  auto* const core   = store.m_windows ? nullptr : &store.m_core;
  auto* const memory = reinterpret_cast<void*>(allocation->begin);
  auto const bytes   = allocation->bytes;
  {
    Guard const guard(store.m_mutex);
    last = store.end_allocation(*allocation);
  }
  if (core) core->deallocate_tracked(memory, bytes);
  if (last) store.retire();
}

/// \return Whether it was the last of a store that has ended.
bool CheckedStore::end_allocation(CheckedAllocation& a) noexcept {
  end_elements(a);
  if (a.end_record) a.end_record(a.record);
  auto& piece = *a.piece;
  a.alive     = false;
  m_counts.count_ended();
  --piece.live;
  if (!piece.dropped) {
    note_peaks();
    m_counts.count_invalid(a.bytes);
    if (m_windows) m_pieces.deallocate(piece, a.begin, reusable_bytes(a));
  }
  if (m_trace) [[unlikely]] {
    m_trace->end(key_of(a));
    if (!piece.dropped) trace_levels();
  }
  if (piece.dropped && piece.live == 0) m_pieces.forget_old();
  return m_ended && m_counts.live() == 0;
}

/// Where the system can't make a guard page accessible, nobody gets it until
/// the window goes.
std::size_t CheckedStore::reusable_bytes(
    CheckedAllocation const& ended) const noexcept {
  if (!m_has_guard_pages || protect_guard_page(ended.begin, ended.bytes, true))
      [[likely]] {
    return ended.bytes;
  }
  return ended.bytes - page_bytes();
}

template <class Predicate>
std::vector<EscapedView> CheckedStore::drop_if(
    std::size_t first, Predicate const& is_dropped,
    CheckedDrop const& drop) noexcept {
  std::vector<EscapedView> views;
  auto const& pieces = m_pieces.in_use();
  if (std::none_of(pieces.begin() + static_cast<std::ptrdiff_t>(first),
                   pieces.end(),
                   [&](auto const& piece) { return is_dropped(*piece); })) {
    return views;
  }
  wait_for_kernels();
  note_peaks();
  // By index: elements that end may make others, in another piece.
  for (std::size_t i = first; i < pieces.size(); ++i) {
    auto const& piece = *pieces[i];
    if (piece.live == 0 || !is_dropped(piece)) continue;
    note_escapes(piece, views);
    end_elements(piece.ledger);
  }
  std::sort(views.begin(), views.end(),
            [](auto const& a, auto const& b) { return a.bytes > b.bytes; });
  auto* const told = m_windows && m_windows->memory().keeps_descriptions()
                         ? &m_windows->memory()
                         : nullptr;
  m_pieces.drop_if(first, is_dropped, drop, m_core.cycle(),
                   [&](CheckedPiece const& piece) {
                     if (m_windows) drop_section(piece);
                     for (auto const* a : piece.ledger) {
                       if (piece.live == 0) break;
                       if (a->alive) m_counts.count_invalid(a->bytes);
                     }
                     if (told) describe_all(piece, m_label, *told);
                   });
  if (m_windows) {
    auto& memory = m_windows->memory();
    memory.publish();
    // Most likely those of the frame around, or from before the mark.
    if (!pieces.empty()) memory.expect_accesses(pieces.back()->section.begin);
  }
  m_pieces.forget_old();
  if (m_trace) trace_levels();
  return views;
}

void CheckedStore::drop_section(CheckedPiece const& piece) noexcept {
  // Where the pages stay, a raw pointer is to read what shows; not all of it,
  // which would take long.
  constexpr std::size_t most_bytes = std::size_t(16) << 10;
  if (piece.section.window->is_shared && piece.ledger.size() > 0) {
    auto const most = std::max(
        align_down(most_bytes / piece.ledger.size(), granule), granule);
    for (auto const* a : piece.ledger) {
      m_windows->memory().spoil(a->begin, std::min(a->bytes, most));
    }
  }
  m_windows->drop(piece.section);
}

void CheckedStore::wait_for_kernels() noexcept {
  if (m_windows) {
    m_windows->memory().wait_for_kernels();
  } else {
    // Elements may end on another instance.
    m_core.fence_instance("KokkosArena: before checked memory is dropped");
  }
}

void CheckedStore::note_escapes(CheckedPiece const& piece,
                                std::vector<EscapedView>& views) noexcept {
  for (auto const* a : piece.ledger) {
    if (!a->alive) continue;
    m_counts.count_escaped();
    if (m_trace) m_trace->escape(key_of(*a));
    try {
      views.push_back({a->label, a->data_bytes,
                       a->use_count ? a->use_count(a->record) : 1});
    } catch (std::bad_alloc const&) {  // NOLINT(bugprone-empty-catch)
      // Better a short report than none.
    }
  }
}

void CheckedStore::count_mark() noexcept {
  Guard const guard(m_mutex);
  ++m_marks;
}

void CheckedStore::reset(std::source_location where) {
  start_cycle({"reset()", where}, true);
}

void CheckedStore::release(std::source_location where) {
  start_cycle({"release()", where}, false);
}

void CheckedStore::start_cycle(CheckedDrop const& drop, bool keep_windows) {
  std::vector<EscapedView> views;
  {
    Guard const guard(m_mutex);
    note_peaks();
    auto const peak = m_counts.end_cycle();
    if (m_windows) m_windows->end_cycle(peak, keep_windows);
    views = drop_if(0, [](CheckedPiece const&) { return true; }, drop);
    if (m_windows) m_windows->start_cycle();
    m_escapes.clear();
  }
  report(std::move(views), drop, true);
}

void CheckedStore::rewind(std::uint64_t epoch, std::source_location where) {
  CheckedDrop const drop{"rewind()", where};
  std::vector<EscapedView> views;
  {
    Guard const guard(m_mutex);
    views = drop_if(
        0, [&](CheckedPiece const& piece) { return piece.epoch > epoch; },
        drop);
  }
  report(std::move(views), drop, true);
}

void CheckedStore::end_frame(std::uint64_t frame,
                             std::source_location where) noexcept {
  CheckedDrop const drop{"the end of the ArenaFrame made", where};
  std::vector<EscapedView> views;
  {
    Guard const guard(m_mutex);
    views = drop_if(
        m_pieces.first_after(frame),
        [&](CheckedPiece const& piece) { return piece.frame == frame; }, drop);
  }
  report_only(std::move(views), drop);
}

void CheckedStore::end() noexcept {
  CheckedDrop const drop{"the arena's end", {}};
  std::vector<EscapedView> views;
  {
    Guard const guard(m_mutex);
    if (m_windows) m_windows->end_cycle(0, false);
    views = drop_if(0, [](CheckedPiece const&) { return true; }, drop);
    if (m_windows) m_windows->end();
  }
  report_only(std::move(views), drop);
  bool last = false;
  {
    Guard const guard(m_mutex);
    m_ended = true;
    last    = m_counts.live() == 0;
  }
  if (last) retire();
}

/// \brief Keeps the labels for a while, of this store and a few others whose
/// arenas have ended.
void CheckedStore::retire() noexcept {
  // Nothing follows, and the file is to end with the last arena.
  m_trace.reset();
  checked_stores().retire(*this);
}

void CheckedStore::report(std::vector<EscapedView> views,
                          CheckedDrop const& drop, bool may_throw) {
  if (views.empty()) return;
  {
    Guard const guard(m_mutex);
    m_escapes.keep(views);
  }
  m_escapes.report(std::move(views), drop, may_throw);
}

/// \brief The same where a destructor has dropped them.
void CheckedStore::report_only(std::vector<EscapedView> views,
                               CheckedDrop const& drop) noexcept {
  try {
    report(std::move(views), drop, false);
  } catch (std::bad_alloc const&) {
    CancellationOff const off;
    std::fputs("KokkosArena: no memory for a report of escaped Views\n",
               stderr);
  }
}

std::vector<EscapedView> CheckedStore::escapes() const {
  Guard const guard(m_mutex);
  return m_escapes.views();
}

void CheckedStore::add_to(ArenaStatistics& statistics) noexcept {
  // Of the arena's own memory, the arena knows.
  if (!m_windows) return;
  Guard const guard(m_mutex);
  note_peaks();
  m_counts.add_to(statistics);
  statistics.capacity_bytes += m_windows->bytes();
  statistics.used_bytes += m_pieces.used();
  statistics.upstream_allocations += m_windows->acquired();
  statistics.upstream_bytes += m_windows->acquired_bytes();
  statistics.blocks += m_windows->count();
  for (auto const& piece : m_pieces.in_use()) {
    statistics.largest_free_bytes = std::max<std::uint64_t>(
        statistics.largest_free_bytes, piece->block.largest_free());
    statistics.free_bytes += piece->block.free_bytes();
  }
  statistics.free_bytes += m_windows->room();
  statistics.largest_free_bytes =
      std::max<std::uint64_t>(statistics.largest_free_bytes, m_windows->room());
}

CheckedAllocation* CheckedStore::find(void const* address,
                                      bool dropped) noexcept {
  Guard const guard(m_mutex);
  return m_pieces.find(address, dropped);
}

bool CheckedStore::describe(void const* address, bool dropped, char* text,
                            std::size_t size) noexcept {
  Guard const guard(m_mutex);
  auto const* const piece = m_pieces.newest_at(address, dropped);
  if (!piece) return false;
  describe_access(*piece, m_label, address, text, size);
  return true;
}

void CheckedStore::trace_levels() noexcept {
  m_trace->levels(
      {m_pieces.used(), m_counts.valid_bytes(), m_windows->bytes()});
}

void CheckedStore::exhausted(std::size_t bytes, char const* label,
                             char const* failure, char const* remedy) const {
  if (m_trace) m_trace->exhausted(bytes, label);
  throw ArenaExhausted(CheckedShortage{.arena         = m_label,
                                       .bytes         = bytes,
                                       .view          = label,
                                       .used_bytes    = m_pieces.used(),
                                       .live_bytes    = m_counts.valid_bytes(),
                                       .maximum_bytes = m_maximum_bytes,
                                       .failure       = failure,
                                       .remedy        = remedy}
                           .message());
}

}  // namespace KokkosArena::Impl
