// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedStore.hpp"

#include "../KokkosArena_Error.hpp"
#include "KokkosArena_Cancellation.hpp"
#include "KokkosArena_CheckedMemory.hpp"
#include "KokkosArena_Core.hpp"
#include "KokkosArena_NeverDestroyed.hpp"
#include "KokkosArena_Pages.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <limits>
#include <new>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace KokkosArena::Impl {

namespace {

/// How many of the last drops a store knows the Views of that have ended.
constexpr std::uint64_t remembered_drops = 2;
/// Of a window.
constexpr std::size_t least_window_bytes = std::size_t(64) << 10;
/// Stores whose arena and Views are gone, of which the labels are known.
constexpr std::size_t remembered_stores = 4;

constexpr char const* no_guard_page =
    "the system can't protect a guard page (most often since the process has "
    "too many mappings)";
constexpr char const* guard_page_remedy =
    "Raise vm.max_map_count (sysctl), have fewer guarded Views at once, or "
    "turn "
    "ArenaOptions::guard_pages off";

/// Its mutex is held for a look at the lists only, and never while a store's is
/// taken: who has a store's may end elements, which may do anything.
struct Registry {
  std::mutex mutex;
  ForkLock<std::mutex> fork_lock{ForkRank::registry, mutex};
  /// Of arenas that exist, or have Views.
  std::vector<std::shared_ptr<CheckedStore>> stores;
  std::vector<std::shared_ptr<CheckedStore>> ended;  ///< Oldest first.
  std::uint64_t changes = 0;
};

/// Views may die after the statics of this library.
Registry& registry() noexcept {
  static NeverDestroyed<Registry> const instance;
  return instance.get();
}

/// \brief Calls f(store) until it says true, for stores of arenas that exist
/// first. \return Whether it did.
template <class F>
bool any_store(F const& f) {
  auto& all = registry();
  for (;;) {
    std::uint64_t changes = 0;
    for (std::size_t i = 0;; ++i) {
      std::shared_ptr<CheckedStore> store;
      {
        std::lock_guard const guard(all.mutex);
        if (i == 0) changes = all.changes;
        auto const count = all.stores.size();
        if (i < count) {
          store = all.stores[i];
        } else if (i < count + all.ended.size()) {
          store = all.ended[all.ended.size() - 1 - (i - count)];
        } else if (changes == all.changes) {
          return false;
        } else {
          break;  // One may have changed its place.
        }
      }
      if (f(*store)) return true;
    }
  }
}

/// Text of limited size, made without heap memory.
class Text {
 public:
  Text(char* text, std::size_t size) noexcept : m_text(text), m_size(size) {}
  [[gnu::format(printf, 2, 3)]] void add(char const* format, ...) noexcept {
    if (m_used >= m_size) return;
    std::va_list arguments;
    va_start(arguments, format);
    auto const more =
        std::vsnprintf(m_text + m_used, m_size - m_used, format, arguments);
    va_end(arguments);
    if (more > 0) m_used += static_cast<std::size_t>(more);
  }

 private:
  char* m_text;
  std::size_t m_size;
  std::size_t m_used = 0;
};

/// \return The last allocation of the piece that begins at the address or
/// before it, or null.
CheckedAllocation* last_up_to(CheckedPiece const& piece,
                              std::uintptr_t address) noexcept {
  auto const next =
      std::upper_bound(piece.ledger.begin(), piece.ledger.end(), address,
                       [](std::uintptr_t x, CheckedAllocation const* y) {
                         return x < y->begin;
                       });
  return next == piece.ledger.begin() ? nullptr : *std::prev(next);
}

template <class T>
void reserve_for(std::vector<T>& vector, std::size_t size) {
  if (vector.capacity() < size) vector.reserve(2 * size);
}

}  // namespace

CheckedStore::CheckedStore(Core& core, ArenaOptions const& options,
                           CheckedMemory* memory)
    : ForkParticipant(ForkRank::store),
      m_core(core),
      m_label(options.label),
      m_maximum_bytes(options.maximum_bytes),
      m_policy(options.escape_policy),
      m_guard_pages(options.guard_pages && memory && memory->has_guard_pages()),
      m_huge_pages(options.huge_pages),
      m_memory(memory),
      // Elsewhere the memory is the arena's own, which it traces.
      m_trace(memory && core.trace() ? core.trace()->for_checked_memory()
                                     : nullptr),
      m_is_special(m_guard_pages || m_trace),
      m_growth(options.history_length, options.initial_bytes) {
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
  auto store = std::make_shared<CheckedStore>(core, options, memory);
  auto& all  = registry();
  std::lock_guard const guard(all.mutex);
  // So that ending it takes no memory.
  all.ended.reserve(remembered_stores + 1);
  all.stores.push_back(store);
  ++all.changes;
  return *store;
}

CheckedAllocation* CheckedStore::allocate(
    std::size_t front, std::size_t data_bytes, std::size_t alignment,
    char const* label, ViewExtents const& extents, std::uint64_t frame) {
  constexpr std::size_t most = std::numeric_limits<std::ptrdiff_t>::max();
  alignment                  = std::max(alignment, granule);
  front                      = align_up(front, alignment);
  bool const special         = m_is_special;
  bool const guarded         = special && m_guard_pages;
  auto const page            = page_bytes();
  // One at least, so that each has an address of its own.
  auto const size = std::max<std::size_t>(data_bytes, 1);
  Guard const guard(m_mutex);
  if (front > most / 4 || alignment > most / 4 || size > most / 4) {
    exhausted(data_bytes, label, "");
  }
  // A guarded View ends where a page that can't be accessed begins.
  auto const bytes = guarded ? align_up(front + size + alignment, page) + page
                             : align_up(front + size, granule);
  CheckedPiece* piece = nullptr;
  auto const before   = Pieces{m_pieces.size(), m_most_pieces, m_acquired};
  auto const begin =
      take(bytes, guarded ? std::max(alignment, page) : alignment, label, frame,
           piece);
  CheckedAllocation* made = nullptr;
  try {
    made        = &enter(*piece, begin, bytes);
    made->label = label;
    if (guarded && !protect_pages(reinterpret_cast<void*>(begin + bytes - page),
                                  page, false)) {
      exhausted(data_bytes, label, no_guard_page, guard_page_remedy);
    }
  } catch (...) {
    if (m_memory) {
      piece->block.deallocate(begin, bytes);
      give_back_fresh_piece(before);
    } else {
      m_core.deallocate_tracked(reinterpret_cast<void*>(begin), bytes);
    }
    throw;
  }
  made->data                = reinterpret_cast<void*>(begin + front);
  made->data_bytes          = data_bytes;
  made->alive               = true;
  made->elements_have_ended = false;
  made->owns                = false;
  made->extents             = extents;
  made->use_count           = nullptr;
  made->end_elements        = nullptr;
  made->end_record          = nullptr;
  ++piece->live;
  ++m_live_allocations;
  ++m_valid_allocations;
  m_valid_bytes += bytes;
  ++m_total_allocations;
  if (special) [[unlikely]] {
    if (guarded) {
      auto const guard_page = begin + bytes - page;
      made->data =
          reinterpret_cast<void*>(align_down(guard_page - size, alignment));
    }
    if (m_trace) {
      m_trace->begin(reinterpret_cast<std::uintptr_t>(made), begin, bytes,
                     label);
      trace_levels();
    }
  }
  return made;
}

/// \brief Leaves the pieces as they were before an allocation that has failed.
void CheckedStore::give_back_fresh_piece(Pieces const& before) noexcept {
  if (m_pieces.size() == before.count) return;
  auto& piece       = m_pieces.back();
  auto const window = piece->window;
  // Within the capacities: see new_piece() and enter().
  m_free_allocations.insert(m_free_allocations.end(), piece->ledger.begin(),
                            piece->ledger.end());
  piece->ledger.clear();
  m_free_pieces.push_back(std::move(piece));
  m_pieces.pop_back();
  m_most_pieces = before.most;
  if (m_acquired == before.acquired) {
    m_spares.push_back(window);
    return;
  }
  release(window);
  m_acquired = before.acquired;
  m_acquired_bytes -= window.bytes;
}

std::uintptr_t CheckedStore::take(std::size_t bytes, std::size_t alignment,
                                  char const* label, std::uint64_t frame,
                                  CheckedPiece*& piece) {
  if (m_ended) {
    throw std::logic_error("KokkosArena: arena \"" + m_label +
                           "\" has ended; nothing can be allocated from it");
  }
  std::size_t held = 0;  // By this frame since the last mark.
  for (auto p = m_pieces.rbegin(); p != m_pieces.rend(); ++p) {
    if ((*p)->frame != frame) continue;
    if ((*p)->marks != m_marks) {
      if ((*p)->live > 0) continue;
      // Nothing is left of what was made before the mark.
      (*p)->marks = m_marks;
      (*p)->epoch = m_core.current_epoch();
    }
    piece = p->get();
    if (!m_memory) break;
    if (auto const begin = piece->block.allocate_for_view(bytes, alignment,
                                                          Block::all_holes)) {
      if (used() <= m_maximum_bytes) return begin;
      piece->block.deallocate(begin, bytes);
      exhausted(bytes, label, "");
    }
    held += piece->window.bytes;
    m_has_overflown = m_has_overflown || frame == 0;
  }
  if (!m_memory) {
    if (!piece) piece = &new_piece(frame);
    return reinterpret_cast<std::uintptr_t>(
        m_core.allocate_tracked(bytes, alignment, label));
  }
  if (used() > m_maximum_bytes || bytes > m_maximum_bytes - used()) {
    exhausted(bytes, label, "");
  }
  std::string failure;
  auto const window =
      acquire(bytes + (alignment > slice_bytes ? alignment : 0), held, failure);
  if (window.bytes == 0) {
    // Where each View has a mapping or two, these may be what there is none of.
    exhausted(bytes, label, failure, m_guard_pages ? guard_page_remedy : "");
  }
  try {
    piece = &new_piece(frame);
  } catch (...) {
    release(window);
    throw;
  }
  piece->window = window;
  piece->block.restart(window.begin, window.bytes);
  m_most_pieces = std::max(m_most_pieces, m_pieces.size());
  return piece->block.allocate_for_view(bytes, alignment);
}

CheckedPiece& CheckedStore::new_piece(std::uint64_t frame) {
  // So that dropping pieces takes no memory.
  auto const pieces = m_pieces.size() + m_history.size() + 1;
  reserve_for(m_pieces, pieces);
  reserve_for(m_history, pieces);
  reserve_for(m_free_pieces, pieces + m_free_pieces.size());
  reserve_for(m_spares, pieces + m_spares.size());
  if (m_free_pieces.empty()) {
    m_pieces.push_back(std::make_unique<CheckedPiece>());
  } else {
    m_pieces.push_back(std::move(m_free_pieces.back()));
    m_free_pieces.pop_back();
  }
  auto& piece   = *m_pieces.back();
  piece.window  = {};
  piece.frame   = frame;
  piece.marks   = m_marks;
  piece.epoch   = m_core.current_epoch();
  piece.cycle   = m_core.cycle();
  piece.live    = 0;
  piece.dropped = false;
  return piece;
}

/// \param[in] held  By what needs it, in windows that don't suffice.
/// \return A window of at least so many bytes; an empty one if there is none.
CheckedWindow CheckedStore::acquire(std::size_t needed, std::size_t held,
                                    std::string& failure) {
  // The largest, since nobody knows how much more will be needed.
  auto const largest = std::max_element(
      m_spares.begin(), m_spares.end(),
      [](auto const& a, auto const& b) { return a.bytes < b.bytes; });
  CheckedWindow window;
  if (largest != m_spares.end() && largest->bytes >= needed) {
    window = *largest;
    m_spares.erase(largest);
    return window;
  }
  // The cycle's first is to hold all of it. Those of frames and behind marks
  // begin small, and double.
  auto const wanted = m_pieces.empty() ? m_growth.next_block_bytes(needed, 0)
                                       : std::max(held, least_window_bytes);
  for (auto const bytes :
       {std::max(needed, std::min(wanted, m_maximum_bytes)), needed}) {
    window.bytes = align_up(bytes, m_memory->page_bytes());
    window.begin = m_memory->take_addresses(window.bytes);
    if (window.begin == 0) {
      failure = "no addresses for checked memory are left";
    } else if (m_memory->lend(window.begin, window.bytes, m_huge_pages)) {
      break;
    } else {
      failure = "the system has no memory, or no more mappings";
      m_memory->untake_addresses(window.begin, window.bytes);
      window.begin = 0;
    }
  }
  if (window.begin == 0) return {};
  m_memory->report_taken(window.begin, window.bytes);
  if (m_trace) m_trace->event("block taken", window.bytes);
  ++m_acquired;
  m_acquired_bytes += window.bytes;
  return window;
}

/// \brief Moves the window to fresh addresses. \return Whether it could.
bool CheckedStore::renew(CheckedWindow& window) noexcept {
  // To a tool that knows allocations by their address, another allocation.
  m_memory->report_returned(window.begin, window.bytes);
  // Guard pages would move with the others.
  auto const fresh = m_guard_pages ? 0 : m_memory->take_addresses(window.bytes);
  // First the table, then the pages: an access that the table allows must not
  // reach what is given to somebody else.
  m_memory->drop_addresses(window.begin, window.bytes);
  if (fresh != 0 && m_memory->move(window.begin, fresh, window.bytes)) {
    window.begin = fresh;
    m_memory->report_taken(fresh, window.bytes);
    return true;
  }
  m_memory->take_back(window.begin, window.bytes);
  if (fresh != 0) m_memory->untake_addresses(fresh, window.bytes);
  return false;
}

void CheckedStore::release(CheckedWindow const& window) noexcept {
  if (m_trace) m_trace->event("block returned", window.bytes);
  m_memory->report_returned(window.begin, window.bytes);
  m_memory->drop_addresses(window.begin, window.bytes);
  m_memory->take_back(window.begin, window.bytes);
}

/// \brief Notes an allocation in the ledger, in place of those whose bytes it
/// takes.
CheckedAllocation& CheckedStore::enter(CheckedPiece& piece,
                                       std::uintptr_t begin,
                                       std::size_t bytes) {
  auto& ledger             = piece.ledger;
  auto const end           = begin + bytes;
  auto const begins_before = [](CheckedAllocation const* a,
                                std::uintptr_t address) {
    return a->begin < address;
  };
  auto first = ledger.empty() || ledger.back()->begin < begin
                   ? ledger.end()
                   : std::lower_bound(ledger.begin(), ledger.end(), begin,
                                      begins_before);
  if (first != ledger.begin() &&
      (*std::prev(first))->begin + (*std::prev(first))->bytes > begin) {
    --first;
  }
  auto const last = std::lower_bound(first, ledger.end(), end, begins_before);
  CheckedAllocation* made = nullptr;
  if (first != last) {
    made = *first;
    m_free_allocations.insert(m_free_allocations.end(), std::next(first), last);
    ledger.erase(std::next(first), last);
  } else {
    if (m_free_allocations.empty()) {
      auto another = std::make_unique<CheckedAllocation>();
      // For all, so that giving them back takes no memory.
      reserve_for(m_free_allocations, m_allocations.size() + 1);
      m_allocations.push_back(std::move(another));
      m_free_allocations.push_back(m_allocations.back().get());
    }
    made = m_free_allocations.back();
    ledger.insert(first, made);
    m_free_allocations.pop_back();
  }
  made->store = this;
  made->piece = &piece;
  made->begin = begin;
  made->bytes = bytes;
  made->alive = false;
  return *made;
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
  auto& a     = *allocation;
  auto& store = *a.store;
  bool last   = false;
  // As in the store, which may be gone once its lock is.
  auto* const core   = store.m_memory ? nullptr : &store.m_core;
  auto* const memory = reinterpret_cast<void*>(a.begin);
  auto const bytes   = a.bytes;
  {
    Guard const guard(store.m_mutex);
    if (a.owns && !a.elements_have_ended) {
      a.elements_have_ended = true;
      a.end_elements(a.record);
    }
    if (a.end_record) a.end_record(a.record);
    auto& piece = *a.piece;
    a.alive     = false;
    --store.m_live_allocations;
    if (!piece.dropped) {
      store.note_peaks();
      --store.m_valid_allocations;
      store.m_valid_bytes -= bytes;
      if (piece.window.bytes > 0) {
        auto free = bytes;
        if (store.m_is_special && store.m_guard_pages) [[unlikely]] {
          auto const page = page_bytes();
          // Where the system can't make it accessible, nobody gets the page
          // until the window goes.
          if (!protect_pages(reinterpret_cast<void*>(a.begin + bytes - page),
                             page, true)) {
            free -= page;
          }
        }
        piece.block.deallocate(a.begin, free);
        if (store.m_is_special) [[unlikely]] {
          if (store.m_trace) {
            store.m_trace->end(reinterpret_cast<std::uintptr_t>(&a));
            store.trace_levels();
          }
        }
      }
    }
    --piece.live;
    if (piece.dropped) [[unlikely]] {
      if (store.m_trace) {
        store.m_trace->end(reinterpret_cast<std::uintptr_t>(&a));
      }
      if (piece.live == 0) store.trim_history();
    }
    last = store.m_ended && store.m_live_allocations == 0;
  }
  if (core) core->deallocate_tracked(memory, bytes);
  if (last) store.retire();
}

void CheckedStore::trace_levels() noexcept {
  m_trace->levels({used(), m_valid_bytes, capacity()});
}

/// \brief Forgets what was dropped longest ago, but for Views that are alive.
void CheckedStore::trim_history() noexcept {
  for (std::size_t i = 0; i < m_history.size();) {
    auto& piece = m_history[i];
    if (piece->live > 0 || piece->drop_number + remembered_drops > m_drops) {
      ++i;
      continue;
    }
    // Within the capacity: see enter().
    m_free_allocations.insert(m_free_allocations.end(), piece->ledger.begin(),
                              piece->ledger.end());
    piece->ledger.clear();
    m_free_pieces.push_back(std::move(piece));
    m_history.erase(m_history.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

template <class Predicate>
std::vector<EscapedView> CheckedStore::drop_if(Predicate const& is_dropped,
                                               CheckedDrop const& drop,
                                               bool keep_windows) noexcept {
  std::vector<EscapedView> views;
  if (std::none_of(m_pieces.begin(), m_pieces.end(),
                   [&](auto const& piece) { return is_dropped(*piece); })) {
    return views;
  }
  if (m_memory) {
    m_memory->wait_for_kernels();
  } else {
    // Elements may end on another instance.
    m_core.fence_instance("KokkosArena: before checked memory is dropped");
  }
  note_peaks();
  for (std::size_t i = 0; i < m_pieces.size(); ++i) {
    auto& piece = *m_pieces[i];
    if (piece.live == 0 || !is_dropped(piece)) continue;
    for (auto const* a : piece.ledger) {
      if (!a->alive) continue;
      ++m_escaped;
      if (m_trace) m_trace->escape(reinterpret_cast<std::uintptr_t>(a));
      try {
        views.push_back({a->label, a->data_bytes,
                         a->use_count ? a->use_count(a->record) : 1});
      } catch (std::bad_alloc const&) {  // NOLINT(bugprone-empty-catch)
        // Better a short report than none.
      }
    }
    // By index: elements that end may make or end others.
    for (std::size_t k = 0; k < piece.ledger.size(); ++k) {
      auto& a = *piece.ledger[k];
      if (!a.alive || !a.owns || a.elements_have_ended) continue;
      a.elements_have_ended = true;
      a.end_elements(a.record);
    }
  }
  std::sort(views.begin(), views.end(),
            [](auto const& a, auto const& b) { return a.bytes > b.bytes; });
  ++m_drops;
  std::size_t kept = 0;
  for (auto& owned : m_pieces) {
    if (!is_dropped(*owned)) {
      std::swap(m_pieces[kept++], owned);
      continue;
    }
    auto& piece = *owned;
    if (piece.window.bytes > 0) {
      auto window = piece.window;
      if (!keep_windows) {
        release(window);
      } else if (renew(window)) {
        m_spares.push_back(window);
      }
    }
    for (auto const* a : piece.ledger) {
      if (piece.live == 0) break;
      if (!a->alive) continue;
      --m_valid_allocations;
      m_valid_bytes -= a->bytes;
    }
    piece.dropped       = true;
    piece.dropped_cycle = m_core.cycle();
    piece.drop_number   = m_drops;
    piece.drop          = drop;
    if (m_memory && m_memory->keeps_descriptions()) describe_all(piece);
    m_history.push_back(std::move(owned));
  }
  if (m_memory) m_memory->publish();
  m_pieces.resize(kept);
  trim_history();
  if (m_trace) trace_levels();
  return views;
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
    m_growth.record_cycle(m_cycle_peak);
    m_cycle_peak        = 0;
    std::size_t largest = 0;
    for (auto const& piece : m_pieces) {
      largest = std::max(largest, piece->window.bytes);
    }
    for (auto const& spare : m_spares) {
      largest = std::max(largest, spare.bytes);
    }
    bool const keep =
        keep_windows && !m_has_overflown && m_growth.keeps(largest);
    views = drop_if([](CheckedPiece const&) { return true; }, drop, keep);
    // As many as were in use at once, the largest.
    std::sort(m_spares.begin(), m_spares.end(),
              [](auto const& a, auto const& b) { return a.bytes > b.bytes; });
    while (m_spares.size() > (keep ? m_most_pieces : 0)) {
      release(m_spares.back());
      m_spares.pop_back();
    }
    m_most_pieces   = 0;
    m_has_overflown = false;
    m_escapes.clear();
  }
  report(std::move(views), drop, true);
}

void CheckedStore::rewind(std::uint64_t epoch, std::source_location where) {
  CheckedDrop const drop{"rewind()", where};
  std::vector<EscapedView> views;
  {
    Guard const guard(m_mutex);
    views =
        drop_if([&](CheckedPiece const& piece) { return piece.epoch > epoch; },
                drop, true);
  }
  report(std::move(views), drop, true);
}

void CheckedStore::end_frame(std::uint64_t frame,
                             std::source_location where) noexcept {
  CheckedDrop const drop{"the end of the ArenaFrame made", where};
  std::vector<EscapedView> views;
  {
    Guard const guard(m_mutex);
    views =
        drop_if([&](CheckedPiece const& piece) { return piece.frame == frame; },
                drop, true);
  }
  report_only(std::move(views), drop);
}

void CheckedStore::end() noexcept {
  CheckedDrop const drop{"the arena's end", {}};
  std::vector<EscapedView> views;
  {
    Guard const guard(m_mutex);
    views = drop_if([](CheckedPiece const&) { return true; }, drop, false);
    for (auto const& spare : m_spares) release(spare);
    m_spares.clear();
  }
  report_only(std::move(views), drop);
  bool last = false;
  {
    Guard const guard(m_mutex);
    m_ended = true;
    last    = m_live_allocations == 0;
  }
  if (last) retire();
}

/// \brief Keeps the labels for a while, of this store and a few others whose
/// arenas have ended.
void CheckedStore::retire() noexcept {
  // Nothing follows, and the file is to end with the last arena.
  m_trace.reset();
  auto& all = registry();
  std::shared_ptr<CheckedStore> oldest;  // Ends without the mutex.
  std::lock_guard const guard(all.mutex);
  ++all.changes;
  auto const self =
      std::find_if(all.stores.begin(), all.stores.end(),
                   [&](auto const& store) { return store.get() == this; });
  all.ended.push_back(std::move(*self));
  all.stores.erase(self);
  if (all.ended.size() > remembered_stores) {
    oldest = std::move(all.ended.front());
    all.ended.erase(all.ended.begin());
  }
}

void CheckedStore::report(std::vector<EscapedView> views,
                          CheckedDrop const& drop, bool may_throw) {
  if (views.empty()) return;
  if (m_policy == EscapePolicy::collect) {
    // Without a copy, which could fail: a reset that collects doesn't throw.
    Guard const guard(m_mutex);
    m_escapes = std::move(views);
    return;
  }
  {
    Guard const guard(m_mutex);
    m_escapes = views;
  }
  std::ostringstream message;
  message << "arena \"" << m_label << "\": " << drop.operation;
  if (drop.where.line() != 0) {
    message << " at " << drop.where.file_name() << ':' << drop.where.line();
  }
  message << " has dropped " << views.size()
          << (views.size() == 1 ? " CheckedSpace View that is"
                                : " CheckedSpace Views that are")
          << " alive:";
  constexpr std::size_t most_named = 10;
  for (std::size_t i = 0; i < std::min(views.size(), most_named); ++i) {
    message << (i ? ", \"" : " \"") << views[i].label << "\" ("
            << views[i].bytes << " bytes, use count " << views[i].use_count
            << ')';
  }
  if (views.size() > most_named) {
    message << ", and " << views.size() - most_named << " smaller ones";
  }
  message << ". Let them end before, or copy what has to outlive it into "
             "memory of its own; an access to one of them is an error";
  if (m_policy == EscapePolicy::abort) abort(message.str());
  if (m_policy == EscapePolicy::throw_exception && may_throw) {
    throw EscapedViews("KokkosArena: " + message.str(), std::move(views));
  }
  CancellationOff const off;
  std::fprintf(stderr, "KokkosArena: %s\n", message.str().c_str());
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
  return m_escapes;
}

std::size_t CheckedStore::used() const noexcept {
  std::size_t sum = 0;
  for (auto const& piece : m_pieces) sum += piece->block.used();
  return sum;
}

std::size_t CheckedStore::capacity() const noexcept {
  std::size_t sum = 0;
  for (auto const& piece : m_pieces) sum += piece->window.bytes;
  for (auto const& spare : m_spares) sum += spare.bytes;
  return sum;
}

/// Noted when the figures are about to fall, not as they rise.
void CheckedStore::note_peaks() noexcept {
  auto const now = used();
  m_cycle_peak   = std::max(m_cycle_peak, now);
  m_peak         = std::max<std::uint64_t>(m_peak, now);
  m_peak_live    = std::max(m_peak_live, m_valid_bytes);
}

void CheckedStore::add_to(ArenaStatistics& statistics) noexcept {
  // Of the arena's own memory, the arena knows.
  if (!m_memory) return;
  Guard const guard(m_mutex);
  note_peaks();
  statistics.capacity_bytes += capacity();
  statistics.used_bytes += used();
  statistics.live_bytes += m_valid_bytes;
  statistics.peak_bytes += m_peak;
  statistics.peak_live_bytes += m_peak_live;
  statistics.live_allocations += m_valid_allocations;
  statistics.total_allocations += m_total_allocations;
  statistics.upstream_allocations += m_acquired;
  statistics.upstream_bytes += m_acquired_bytes;
  statistics.blocks += m_pieces.size() + m_spares.size();
  statistics.escaped_views += m_escaped;
  for (auto const& piece : m_pieces) {
    statistics.largest_free_bytes = std::max<std::uint64_t>(
        statistics.largest_free_bytes, piece->block.largest_free());
    statistics.free_bytes += piece->block.free_bytes();
  }
}

CheckedAllocation* CheckedStore::find(void const* address,
                                      bool dropped) noexcept {
  auto const a = reinterpret_cast<std::uintptr_t>(address);
  Guard const guard(m_mutex);
  for (auto const& piece : dropped ? m_history : m_pieces) {
    auto* const found = last_up_to(*piece, a);
    if (found && found->alive && found->data == address) return found;
  }
  return nullptr;
}

bool CheckedStore::describe(void const* address, bool dropped, char* text,
                            std::size_t size) noexcept {
  auto const a = reinterpret_cast<std::uintptr_t>(address);
  Guard const guard(m_mutex);
  auto const& pieces = dropped ? m_history : m_pieces;
  // The newest first.
  auto const piece = std::find_if(
      pieces.rbegin(), pieces.rend(),
      [&](auto const& p) { return a - p->window.begin < p->window.bytes; });
  if (piece == pieces.rend()) return false;
  describe(**piece, address, text, size);
  return true;
}

void CheckedStore::describe(CheckedPiece const& piece, void const* address,
                            char* text, std::size_t size) const noexcept {
  auto const at     = reinterpret_cast<std::uintptr_t>(address);
  auto const* found = last_up_to(piece, at);
  Text out(text, size);
  if (!found) {
    out.add("memory");
  } else {
    auto const& a = *found;
    if (!piece.dropped &&
        at >= reinterpret_cast<std::uintptr_t>(a.data) + a.data_bytes) {
      out.add("an address behind the end of ");
    }
    out.add("View \"%s\" (", a.label.c_str());
    if (a.extents.rank != ViewExtents::unknown) {
      for (unsigned r = 0; r < a.extents.rank; ++r) {
        out.add("%s%zu", r ? " x " : "", a.extents.extent[r]);
      }
      out.add(a.extents.rank ? ", " : "a scalar, ");
    }
    out.add("%zu bytes)", a.data_bytes);
  }
  out.add(" of arena \"%s\" was accessed", m_label.c_str());
  if (!piece.dropped) return;
  out.add(" after %s", piece.drop.operation);
  if (piece.drop.where.line() != 0) {
    out.add(" at %s:%u", piece.drop.where.file_name(),
            static_cast<unsigned>(piece.drop.where.line()));
  }
  out.add(
      " had dropped it: it was made in cycle %llu and dropped in cycle "
      "%llu. Use it before that, or copy what has to outlive it into memory "
      "of its own",
      static_cast<unsigned long long>(piece.cycle),
      static_cast<unsigned long long>(piece.dropped_cycle));
}

/// \brief Tells the memory what is known of a piece that was dropped: of its
/// first Views, those that are alive first, and of the rest.
void CheckedStore::describe_all(CheckedPiece const& piece) const noexcept {
  constexpr unsigned most_named = 64;
  char text[512];
  describe(piece, nullptr, text, sizeof(text));
  m_memory->describe(piece.window.begin,
                     piece.window.begin + piece.window.bytes, text);
  unsigned named = 0;
  for (bool const alive : {true, false}) {
    for (auto const* a : piece.ledger) {
      if (a->alive != alive) continue;
      if (++named > most_named) return;
      describe(piece, a->data, text, sizeof(text));
      m_memory->describe(a->begin, a->begin + a->bytes, text);
    }
  }
}

void CheckedStore::exhausted(std::size_t bytes, char const* label,
                             std::string const& failure,
                             char const* remedy) const {
  if (m_trace) m_trace->exhausted(bytes, label);
  std::ostringstream message;
  message << "KokkosArena: arena \"" << m_label << "\" can't give " << bytes
          << " checked bytes for View \"" << label << "\": " << used()
          << " bytes are used";
  if (m_maximum_bytes != std::numeric_limits<std::size_t>::max()) {
    message << ", " << m_maximum_bytes - std::min(used(), m_maximum_bytes)
            << " are available";
  }
  if (!failure.empty()) {
    message << ", and " << failure << ". ";
    if (*remedy) {
      message << remedy;
    } else {
      message << "Ask for less, reset the arena more often, or free memory";
    }
  } else if (m_maximum_bytes != std::numeric_limits<std::size_t>::max()) {
    message << ", and its maximum is " << m_maximum_bytes
            << ". Give it a larger maximum_bytes, reset it more often, or drop "
               "Views earlier";
  } else {
    message << ". Check the extents: no memory has that many bytes";
  }
  throw ArenaExhausted(message.str());
}

CheckedAllocation* find_checked_allocation(void const* address) noexcept {
  CheckedAllocation* found = nullptr;
  for (bool const dropped : {false, true}) {
    if (any_store([&](CheckedStore& store) {
          return (found = store.find(address, dropped)) != nullptr;
        })) {
      break;
    }
  }
  return found;
}

void describe_checked_address(void const* address, char* text,
                              std::size_t size) noexcept {
  for (bool const dropped : {false, true}) {
    if (any_store([&](CheckedStore& store) {
          return store.describe(address, dropped, text, size);
        })) {
      return;
    }
  }
  Text(text, size)
      .add(
          "address %p, in which an arena has had a CheckedSpace View, was "
          "accessed "
          "after the View had been dropped, too long ago to know which it was",
          address);
}

}  // namespace KokkosArena::Impl
