// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Core.hpp"

#include "../KokkosArena_Error.hpp"
#include "KokkosArena_Cancellation.hpp"
#include "KokkosArena_CheckedStore.hpp"
#include "KokkosArena_Fork.hpp"
#include "KokkosArena_NeverDestroyed.hpp"
#include "KokkosArena_OpenScope.hpp"

#include <cstdio>
#include <limits>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace KokkosArena::Impl {

namespace {

/// Of all stores for CheckedSpace.
constinit std::mutex making_mutex;
/// Programs may fork late.
NeverDestroyed<ForkLock<std::mutex>> const making_lock(ForkRank::making,
                                                       making_mutex);

}  // namespace

Core::Core(ArenaOptions options, std::unique_ptr<Upstream> upstream)
    : m_options(validated(std::move(options))),
      m_trace(ArenaTrace::open(m_options.trace, m_options.label)),
      m_names(names_survivors(m_options.escape_policy)
                  ? std::make_unique<ViewNames>()
                  : nullptr),
      m_blocks(this, m_options, std::move(upstream), m_trace.get(),
               m_names != nullptr) {
  if (m_names) {
    m_base_space_counts =
        std::make_unique<BaseSpaceCounts>(m_blocks.upstream().space_name());
  }
  if (m_trace) m_trace->event("arena made");
  if (m_options.initial_bytes > 0) {
    std::string failure;
    if (!m_blocks.acquire(m_options.initial_bytes, failure)) {
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

void Core::end_below_scopes() const {
  auto const what =
      "arena \"" + label() + "\" ends while a scope on it is open";
  if (!thread_is_ending()) {
    abort(what +
          "; let every ArenaScope and HostSpaceAdoption end before its arena");
  }
  CancellationOff const off;
  std::fprintf(stderr,
               "KokkosArena: %s, since the program ends inside it; its memory "
               "is left to the system\n",
               what.c_str());
}

void Core::forget_scopes_of_other_threads() noexcept {
  // relaxed: there is no other thread.
  m_open_scopes.store(OpenScope::opened_by_this_thread(*this),
                      std::memory_order_relaxed);
}

std::uintptr_t Core::take_slowly(std::size_t bytes, std::size_t alignment,
                                 char const* view_label) {
  return is_watched() ? take_watched(bytes, alignment, view_label)
                      : take_elsewhere(bytes, alignment, view_label);
}

/// \return The bytes to be taken, on valgrind with some behind that nobody may
/// touch: else an overrun would end in the next allocation.
std::size_t Core::with_red_zone(std::size_t bytes) const noexcept {
  constexpr auto most = std::numeric_limits<std::size_t>::max();
  return runs_on_valgrind() && poisons() && bytes <= most - granule
             ? bytes + granule
             : bytes;
}

std::uintptr_t Core::take_watched(std::size_t bytes, std::size_t alignment,
                                  char const* view_label) {
  auto const taken = with_red_zone(bytes);
  auto& serving    = m_blocks.serving();
  auto address     = view_label ? serving.allocate_for_view(taken, alignment)
                                : serving.allocate(taken, alignment);
  if (!address) address = take_elsewhere(taken, alignment, view_label);
  auto const whole = align_up(bytes, granule);
  // The caller counts it in current(), which isn't the block, and only then in
  // its live bytes.
  if (view_label) ++m_blocks.serving().live;
  if (poisons()) unpoison_memory(address, bytes);
  if (m_names && view_label) m_names->add(address, whole, view_label);
  if (m_trace) {
    m_trace->begin(address, address, whole, view_label);
    trace_levels(m_counts.live_bytes() + (view_label ? whole : 0));
  }
  return address;
}

std::uintptr_t Core::take_elsewhere(std::size_t bytes, std::size_t alignment,
                                    char const* view_label) {
  // Its last View is the only one that could ask.
  if (has_ended()) {
    throw std::logic_error("KokkosArena: arena \"" + label() +
                           "\" has ended; nothing can be allocated from it");
  }
  call_in_chunks();
  std::string failure;
  auto const address =
      m_blocks.allocate(bytes, alignment, view_label != nullptr, failure);
  if (!address) exhausted(bytes, view_label, failure);
  return address;
}

bool Core::give_back_elsewhere(std::uintptr_t begin,
                               std::size_t bytes) noexcept {
  if (m_trace) m_trace->end(begin);
  if (m_names) m_names->remove(begin);
  bytes = with_red_zone(bytes);
  m_blocks.deallocate_view(begin, bytes);
  if (m_trace) trace_levels(m_counts.live_bytes());
  return has_ended() && !m_blocks.have_retired();
}

void Core::give_back_untracked_elsewhere(std::uintptr_t begin,
                                         std::size_t bytes) noexcept {
  bytes = with_red_zone(bytes);
  m_blocks.deallocate(begin, bytes);
  if (!m_trace) return;
  m_trace->end(begin);
  trace_levels(m_counts.live_bytes());
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

void Core::dissolve_chunk(Block& chunk, ChunkViews const& views) noexcept {
  note_peaks();
  m_blocks.dissolve_chunk(chunk, views.alive);
  m_counts.add(views.total, views.alive, views.alive_bytes);
}

void Core::drop_all(bool keep_blocks) noexcept {
  if (m_trace) {
    m_trace->event(keep_blocks ? "reset" : "release");
    trace_survivors();
  }
  if (m_names) m_names->note_survivors();
  // Where there are no Views, all is forgotten at once. But a trace is told of
  // each.
  if (m_trace || m_blocks.have_views()) drop_untracked_after(0);
  m_untracked.clear();
  if (keep_blocks) {
    m_blocks.start_cycle(m_counts.live_bytes());
  } else {
    m_blocks.release(m_counts.live_bytes());
  }
  if (m_trace) trace_levels(m_counts.live_bytes());
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
  if (m_trace) trace_survivors();
  m_blocks.end();
  if (m_trace) trace_levels(m_counts.live_bytes());
  return !m_blocks.have_retired();
}

void Core::trace_levels(std::uint64_t live_bytes) noexcept {
  m_trace->levels(
      {m_blocks.used_bytes(), live_bytes, m_blocks.capacity_bytes()});
}

void Core::trace_survivors() noexcept {
  m_blocks.for_ranges_with_views([&](std::uintptr_t begin, std::uintptr_t end) {
    m_trace->survivors(begin, end);
  });
}

ArenaStatistics Core::read_statistics() noexcept {
  note_peaks();
  ArenaStatistics s;
  m_blocks.add_to(s);
  m_counts.add_to(s);
  m_lock_free_counts.add_to(s);
  s.total_allocations += m_untracked.total();
  return s;
}

void Core::exhausted(std::size_t bytes, char const* view_label,
                     std::string const& failure) {
  if (m_trace) m_trace->exhausted(bytes, view_label);
  ArenaStatistics s;
  m_blocks.add_to(s);
  std::ostringstream message;
  message << "KokkosArena: arena \"" << label() << "\" can't give " << bytes
          << " bytes";
  if (view_label) message << " for View \"" << view_label << '"';
  message << ": " << s.capacity_bytes - s.free_bytes << " of its "
          << s.capacity_bytes << " bytes are used, " << s.free_bytes
          << " are available";
  if (s.largest_free_bytes < s.free_bytes) {
    message << ", " << s.largest_free_bytes << " of them in one piece";
  }
  message << ", Views that are alive have " << m_counts.live_bytes();
  if (m_blocks.have_retired()) {
    message << ", " << m_blocks.retired_bytes()
            << " more are kept for Views that outlived a reset";
  }
  bool const bounded =
      m_options.maximum_bytes != std::numeric_limits<std::size_t>::max();
  if (!failure.empty()) {
    message << ", and its memory space failed to give more (" << failure
            << "). Ask for less, reset the arena more often, or free memory";
  } else if (bounded) {
    message << ", and its maximum is " << m_options.maximum_bytes
            << ". Give it a larger maximum_bytes, reset it more often, or "
            << (bytes > s.free_bytes
                    ? "drop Views earlier"
                    : "drop Views in the opposite order of their making");
  } else {
    message << ". Check the extents: no memory has that many bytes";
  }
  throw ArenaExhausted(message.str());
}

}  // namespace KokkosArena::Impl
