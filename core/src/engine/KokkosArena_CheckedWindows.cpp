// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedWindows.hpp"

#include "KokkosArena_ArenaTrace.hpp"
#include "KokkosArena_Block.hpp"
#include "KokkosArena_ReserveFor.hpp"

#include <algorithm>

namespace KokkosArena::Impl {

namespace {

constexpr std::size_t least_window_bytes = std::size_t(64) << 10;

bool is_larger(CheckedWindow const& a, CheckedWindow const& b) noexcept {
  return a.bytes > b.bytes;
}

}  // namespace

CheckedWindows::CheckedWindows(CheckedMemory& memory, Options const& options,
                               ArenaTrace* trace)
    : m_memory(memory),
      m_maximum_bytes(options.maximum_bytes),
      m_guard_pages(options.guard_pages),
      m_huge_pages(options.huge_pages),
      m_trace(trace),
      m_growth(options.history_length, options.initial_bytes) {}

CheckedWindow CheckedWindows::acquire(std::size_t needed, std::size_t held,
                                      char const*& failure) {
  // So that dropping them takes no memory.
  reserve_for(m_spares, count() + 1);
  CheckedWindow window;
  m_last_was_spare = take_spare(needed, window);
  if (m_last_was_spare) {
    ++m_in_use;
    return window;
  }
  // The cycle's first is to hold all of it. Those of frames and behind marks
  // begin small, and double.
  auto const wanted = m_in_use == 0 ? m_growth.next_block_bytes(needed, 0)
                                    : std::max(held, least_window_bytes);
  for (auto const bytes :
       {std::max(needed, std::min(wanted, m_maximum_bytes)), needed}) {
    window.bytes = align_up(bytes, m_memory.page_bytes());
    window.begin = m_memory.take_addresses(window.bytes);
    if (window.begin == 0) {
      failure = "no addresses for checked memory are left";
    } else if (m_memory.lend(window.begin, window.bytes, m_huge_pages)) {
      break;
    } else {
      failure = "the system has no memory, or no more mappings";
      m_memory.untake_addresses(window.begin, window.bytes);
      window.begin = 0;
    }
  }
  if (window.begin == 0) return {};
  m_memory.report_taken(window.begin, window.bytes);
  if (m_trace) m_trace->event("block taken", window.bytes);
  ++m_in_use;
  m_bytes += window.bytes;
  ++m_acquired;
  m_acquired_bytes += window.bytes;
  return window;
}

bool CheckedWindows::take_spare(std::size_t needed,
                                CheckedWindow& window) noexcept {
  // The largest, since nobody knows how much more will be needed.
  auto const largest = std::max_element(
      m_spares.begin(), m_spares.end(),
      [](auto const& a, auto const& b) { return a.bytes < b.bytes; });
  if (largest == m_spares.end() || largest->bytes < needed) return false;
  window = *largest;
  m_spares.erase(largest);
  return true;
}

void CheckedWindows::undo_acquire(CheckedWindow const& window) noexcept {
  --m_in_use;
  if (m_last_was_spare) {
    m_spares.push_back(window);
    return;
  }
  release(window);
  --m_acquired;
  m_acquired_bytes -= window.bytes;
}

void CheckedWindows::drop(CheckedWindow const& window, bool keep) noexcept {
  // Noted when it is about to fall, not as it rises.
  m_most_in_use = std::max(m_most_in_use, m_in_use);
  --m_in_use;
  auto renewed = window;
  if (!keep) {
    release(window);
  } else if (renew(renewed)) {
    m_spares.push_back(renewed);
  }
}

/// \brief Moves the window to fresh addresses. \return Whether it could; it is
/// given back otherwise.
bool CheckedWindows::renew(CheckedWindow& window) noexcept {
  // To a tool that knows allocations by their address, another allocation.
  m_memory.report_returned(window.begin, window.bytes);
  // Guard pages would move with the others.
  auto const fresh = m_guard_pages ? 0 : m_memory.take_addresses(window.bytes);
  // First the table, then the pages: an access that the table allows must not
  // reach what is given to somebody else.
  m_memory.drop_addresses(window.begin, window.bytes);
  if (fresh != 0 && m_memory.move(window.begin, fresh, window.bytes)) {
    window.begin = fresh;
    m_memory.report_taken(fresh, window.bytes);
    return true;
  }
  m_memory.take_back(window.begin, window.bytes);
  if (fresh != 0) m_memory.untake_addresses(fresh, window.bytes);
  m_bytes -= window.bytes;
  return false;
}

void CheckedWindows::release(CheckedWindow const& window) noexcept {
  if (m_trace) m_trace->event("block returned", window.bytes);
  m_memory.report_returned(window.begin, window.bytes);
  m_memory.drop_addresses(window.begin, window.bytes);
  m_memory.take_back(window.begin, window.bytes);
  m_bytes -= window.bytes;
}

bool CheckedWindows::end_cycle(std::size_t peak,
                               std::size_t largest_in_use) noexcept {
  m_growth.record_cycle(peak);
  auto largest = largest_in_use;
  for (auto const& spare : m_spares) largest = std::max(largest, spare.bytes);
  return !m_has_overflown && m_growth.keeps(largest);
}

void CheckedWindows::start_cycle(bool keep) noexcept {
  // As many as were in use at once, the largest.
  std::sort(m_spares.begin(), m_spares.end(), is_larger);
  while (m_spares.size() > (keep ? m_most_in_use : 0)) {
    release(m_spares.back());
    m_spares.pop_back();
  }
  m_most_in_use   = 0;
  m_has_overflown = false;
}

void CheckedWindows::end() noexcept {
  for (auto const& spare : m_spares) release(spare);
  m_spares.clear();
  m_trace = nullptr;
}

}  // namespace KokkosArena::Impl
