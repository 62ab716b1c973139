// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedWindows.hpp"

#include "KokkosArena_ArenaTrace.hpp"
#include "KokkosArena_Block.hpp"
#include "KokkosArena_ReserveFor.hpp"

#include <algorithm>
#include <utility>

namespace KokkosArena::Impl {

namespace {

constexpr std::size_t least_window_bytes = std::size_t(64) << 10;

bool is_smaller(CheckedWindow const* a, CheckedWindow const* b) noexcept {
  return a->bytes < b->bytes;
}

}  // namespace

CheckedWindows::CheckedWindows(CheckedMemory& memory, Options const& options,
                               ArenaTrace* trace)
    : m_memory(memory),
      m_maximum_bytes(options.maximum_bytes),
      // Guard pages would move with the others.
      m_moves(!options.guard_pages),
      m_huge_pages(options.huge_pages),
      m_part_bytes(options.shares && m_moves ? memory.part_bytes() : 0),
      m_trace(trace),
      m_growth(options.history_length, options.initial_bytes) {}

CheckedSection CheckedWindows::acquire(std::size_t needed, std::size_t held,
                                       bool may_share, char const*& failure) {
  // The cycle's first is to hold all of it. Those of frames and behind marks
  // begin small, and double.
  auto const wanted = m_sections == 0 ? m_growth.next_block_bytes(needed, 0)
                                      : std::max(held, least_window_bytes);
  m_last_is_new     = false;
  auto* window      = may_share && is_shared(std::max(needed, wanted))
                          ? find_shared(needed, failure)
                          : nullptr;
  if (!window) window = find_own(needed, wanted, failure);
  if (!window) return {};
  auto const most = window->room();
  CheckedSection const section{
      window, window->next,
      window->is_shared
          ? std::min(most, align_up(std::max(needed, held), m_part_bytes))
          : most};
  window->next += section.bytes;
  ++window->sections;
  ++m_sections;
  return section;
}

/// \return One with so much room, which is current then, or null.
CheckedWindow* CheckedWindows::find_shared(std::size_t needed,
                                           char const*& failure) {
  m_shared_is_used = true;
  if (m_current && m_current->room() >= needed) return m_current;
  // If it is in use, it is put away with the last section.
  if (m_current && m_current->sections == 0) put_away(*m_current);
  m_current = take_spare(m_shared, needed);
  if (m_current) return m_current;
  // In the place of small ones that wait.
  auto& small    = m_own.spares;
  auto const end = std::find_if(small.begin(), small.end(), [](auto* window) {
    return window->bytes > most_section_bytes;
  });
  std::for_each(small.begin(), end, [&](auto* window) { release(*window); });
  small.erase(small.begin(), end);
  return m_current =
             make(shared_window_bytes, shared_window_bytes, true, failure);
}

/// \return One of which nothing is in use, or null.
CheckedWindow* CheckedWindows::find_own(std::size_t needed, std::size_t wanted,
                                        char const*& failure) {
  // The largest, since nobody knows how much more will be needed.
  if (auto* const spare = take_spare(m_own, needed)) return spare;
  auto* const made = make(needed, wanted, false, failure);
  // In the place of one that is too small: frames that need ever more, and no
  // reset, would collect them.
  if (auto& spares = m_own.spares; made && !spares.empty()) {
    release(*spares.front());
    spares.erase(spares.begin());
  }
  return made;
}

CheckedWindow* CheckedWindows::take_spare(Kind& kind,
                                          std::size_t needed) noexcept {
  if (kind.spares.empty() || kind.spares.back()->bytes < needed) return nullptr;
  auto* const window = kind.spares.back();
  kind.spares.pop_back();
  ++kind.in_use;
  return window;
}

CheckedWindow* CheckedWindows::make(std::size_t needed, std::size_t wanted,
                                    bool is_shared, char const*& failure) {
  // So that dropping them takes no memory.
  if (m_unused.empty()) {
    auto const count = m_all.size() + 1;
    reserve_for(m_own.spares, count);
    reserve_for(m_shared.spares, count);
    reserve_for(m_unused, count);
    m_all.push_back(std::make_unique<CheckedWindow>());
    m_unused.push_back(m_all.back().get());
  }
  CheckedWindow made{.is_shared = is_shared};
  // Of a shared one, little is touched of most of its pages.
  bool const huge_pages = m_huge_pages && !is_shared;
  for (auto const bytes :
       {std::max(needed, std::min(wanted, m_maximum_bytes)), needed}) {
    made.bytes = align_up(bytes, m_memory.page_bytes());
    made.begin = m_memory.take_addresses(made.bytes);
    if (made.begin == 0) {
      failure = "no addresses for checked memory are left";
    } else if (m_memory.lend(made.begin, made.bytes, huge_pages)) {
      break;
    } else {
      failure = "the system has no memory, or no more mappings";
      m_memory.untake_addresses(made.begin, made.bytes);
      made.begin = 0;
    }
  }
  if (made.begin == 0) return nullptr;
  made.next = made.begin;
  m_memory.report_taken(made.begin, made.bytes);
  if (m_trace) m_trace->event("block taken", made.bytes);
  ++kind_of(made).in_use;
  m_bytes += made.bytes;
  ++m_acquired;
  m_acquired_bytes += made.bytes;
  m_last_is_new      = true;
  auto* const window = m_unused.back();
  m_unused.pop_back();
  *window = made;
  return window;
}

void CheckedWindows::undo_acquire(CheckedSection const& section) noexcept {
  auto& window = *section.window;
  window.next  = section.begin;
  --window.sections;
  --m_sections;
  if (!window.is_shared) {
    --m_own.in_use;
    if (!m_last_is_new) m_own.spares.push_back(&window);
  }
  if (!m_last_is_new) return;
  --m_acquired;
  m_acquired_bytes -= window.bytes;
  if (window.is_shared) {
    --m_shared.in_use;
    m_current = nullptr;
  }
  release(window);
}

bool CheckedWindows::extend(CheckedSection& section,
                            std::size_t bytes) noexcept {
  auto& window = *section.window;
  if (!window.is_shared || section.end() != window.next) return false;
  auto const more = align_up(bytes, m_part_bytes);
  if (more > window.room()) return false;
  window.next += more;
  section.bytes += more;
  return true;
}

void CheckedWindows::drop(CheckedSection const& section) noexcept {
  auto& window = *section.window;
  --window.sections;
  --m_sections;
  ++m_drops;
  // What is left of it serves those that come next.
  if (window.sections > 0 || (&window == m_current && m_shared.keeps)) {
    m_memory.drop_part(section.begin, section.bytes);
    return;
  }
  if (&window == m_current) m_current = nullptr;
  put_away(window);
}

/// \brief Makes a window a spare, of which nothing is in use, or gives it back.
void CheckedWindows::put_away(CheckedWindow& window) noexcept {
  auto& kind = kind_of(window);
  // Noted when it is about to fall, not as it rises.
  kind.most_in_use = std::max(kind.most_in_use, kind.in_use);
  --kind.in_use;
  if (!kind.keeps) {
    release(window);
  } else if (renew(window)) {
    kind.spares.insert(std::upper_bound(kind.spares.begin(), kind.spares.end(),
                                        &window, is_smaller),
                       &window);
  }
}

/// \brief Moves the window to fresh addresses. \return Whether it could; it is
/// given back otherwise.
bool CheckedWindows::renew(CheckedWindow& window) noexcept {
  // To a tool that knows allocations by their address, another allocation.
  m_memory.report_returned(window.begin, window.bytes);
  auto const fresh = m_moves ? m_memory.take_addresses(window.bytes) : 0;
  // First the table, then the pages: an access that the table allows must not
  // reach what is given to somebody else.
  m_memory.drop_addresses(window.begin, window.bytes);
  if (fresh != 0 && m_memory.move(window.begin, fresh, window.bytes)) {
    window.begin = window.next = fresh;
    m_memory.report_taken(fresh, window.bytes);
    return true;
  }
  if (fresh != 0) m_memory.untake_addresses(fresh, window.bytes);
  return_pages(window);
  return false;
}

void CheckedWindows::release(CheckedWindow& window) noexcept {
  m_memory.report_returned(window.begin, window.bytes);
  m_memory.drop_addresses(window.begin, window.bytes);
  return_pages(window);
}

/// \pre The addresses are dropped.
void CheckedWindows::return_pages(CheckedWindow& window) noexcept {
  if (m_trace) m_trace->event("block returned", window.bytes);
  m_memory.take_back(window.begin, window.bytes);
  m_bytes -= window.bytes;
  window = {};
  // Within the capacity: see make().
  m_unused.push_back(&window);
}

void CheckedWindows::end_cycle(std::size_t peak, bool keep) noexcept {
  m_growth.record_cycle(peak);
  std::size_t largest = 0;
  for (auto const& window : m_all) {
    if (!window->is_shared) largest = std::max(largest, window->bytes);
  }
  m_own.keeps    = keep && !m_has_overflown && m_growth.keeps(largest);
  m_shared.keeps = keep;
}

void CheckedWindows::start_cycle() noexcept {
  if (m_current && m_current->sections == 0 &&
      !(m_shared.keeps && m_shared_is_used)) {
    m_shared.keeps = false;
    put_away(*std::exchange(m_current, nullptr));
  }
  for (auto* const kind : {&m_own, &m_shared}) {
    // As many as were in use at once, the largest.
    auto& spares = kind->spares;
    auto const kept =
        std::min(spares.size(), kind->keeps ? kind->most_in_use : 0);
    auto const end = spares.end() - static_cast<std::ptrdiff_t>(kept);
    std::for_each(spares.begin(), end, [&](auto* window) { release(*window); });
    spares.erase(spares.begin(), end);
    kind->most_in_use = 0;
    kind->keeps       = true;
  }
  m_shared_is_used = false;
  m_has_overflown  = false;
}

void CheckedWindows::end() noexcept {
  end_cycle(0, false);
  start_cycle();
  m_trace = nullptr;
}

}  // namespace KokkosArena::Impl
