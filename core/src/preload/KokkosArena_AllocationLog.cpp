// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_AllocationLog.hpp"

#include <engine/KokkosArena_ThreadSlot.hpp>

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <utility>

namespace KokkosArena::Impl {

namespace {

/// Threads without a slot share it: none of them is in a region.
constexpr std::size_t shared_slot = thread_slots;

constinit std::atomic<std::uint64_t> s_last_token{0};
constinit thread_local std::uint64_t t_token = 0;

/// \return A number that no other thread has, nor had.
std::uint64_t thread_token() noexcept {
  if (t_token == 0) {
    // relaxed: that no two are alike is all that is wanted.
    t_token = s_last_token.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  return t_token;
}

/// relaxed, all: written in a child that has one thread.
constinit std::atomic<std::uint64_t> s_forks{0};

std::uint64_t count_forks() noexcept {
  static int const registered = ::pthread_atfork(nullptr, nullptr, [] {
    s_forks.fetch_add(1, std::memory_order_relaxed);
  });
  static_cast<void>(registered);  // without memory for it, children log too
  return s_forks.load(std::memory_order_relaxed);
}

std::size_t slot_of_thread() noexcept {
  auto const slot = acquire_thread_slot();
  return slot == no_thread_slot ? shared_slot : slot;
}

std::string_view text_of(char const* name) noexcept {
  return name ? std::string_view(name) : std::string_view("(unnamed)");
}

AllocationRecord new_record(LogSources const& sources) {
  AllocationRecord result;
  result.costs   = sources.costs();
  result.threads = sources.threads();
  result.regions.resize(1);
  result.regions[0].name    = "(no region)";
  result.regions[0].entries = 1;
  result.series             = {0};
  return result;
}

}  // namespace

AllocationLog::AllocationLog(LogSources const& sources)
    : m_sources(sources),
      m_forks(count_forks()),
      m_driver(thread_token()),
      m_record(new_record(sources)),
      m_begin_ns(sources.nanoseconds()),
      m_begin_faults(sources.process_faults()),
      m_begin_waiting(sources.waiting()),
      m_children(1),
      m_threads(thread_slots + 1),
      m_timeline(m_begin_ns) {
  auto& driver     = this_thread(slot_of_thread());
  driver.border_ns = m_begin_ns;
  driver.border    = {sources.thread(), m_begin_faults};
}

bool AllocationLog::is_own() const noexcept {
  return m_forks == s_forks.load(std::memory_order_relaxed);
}

template <class F>
void AllocationLog::change(F const& f) noexcept {
  if (!is_own()) return;
  std::lock_guard const guard(m_mutex);
  if (m_has_ended) return;
  try {
    f();
  } catch (std::bad_alloc const&) {
    ++m_record.lost_events;
  }
}

AllocationLog::Thread& AllocationLog::this_thread(std::size_t slot) {
  if (!m_threads[slot]) m_threads[slot] = std::make_unique<Thread>();
  auto& thread     = *m_threads[slot];
  auto const token = slot == shared_slot ? 0 : thread_token();
  if (thread.owner != token) {
    // The last one has ended, perhaps within a region.
    m_record.unbalanced_pushes += thread.frames.size() + thread.more_frames;
    thread.frames.clear();
    thread.more_frames = 0;
    thread.owner       = token;
  }
  return thread;
}

AllocationLog::Usage AllocationLog::read_usage() const noexcept {
  return {m_sources.thread(),
          thread_token() == m_driver ? m_sources.process_faults() : 0};
}

std::optional<AllocationLog::Usage> AllocationLog::usage_if_due(
    std::uint64_t now) const noexcept {
  struct Reading {
    AllocationLog const* log = nullptr;
    std::uint64_t ns         = 0;
  };
  constinit thread_local Reading last{};
  if (last.log == this && now - last.ns < m_sources.usage_interval_ns) {
    return std::nullopt;
  }
  last = {this, now};
  return read_usage();
}

void AllocationLog::settle(Thread& thread, std::uint64_t now,
                           std::optional<Usage> const& usage) noexcept {
  if (thread.owner == m_driver || !thread.frames.empty()) {
    m_record.regions[thread.region()].own_ns += now - thread.border_ns;
  }
  thread.border_ns = now;
  if (usage) settle_usage(thread, *usage);
}

void AllocationLog::settle_usage(Thread& thread, Usage usage) noexcept {
  auto const is_driver = thread.owner == m_driver;
  if (is_driver || !thread.frames.empty()) {
    auto& region     = m_record.regions[thread.region()];
    auto const count = usage.thread.faults - thread.border.thread.faults;
    region.own_host_faults += count;
    region.own_system_ns +=
        usage.thread.system_ns - thread.border.thread.system_ns;
    if (is_driver) {
      // Others may have counted some that had not happened when this one
      // looked; then it is less than nothing now, and more the next time.
      region.own_faults += static_cast<std::int64_t>(
          (usage.process - thread.border.process) -
          (m_faults_of_others - thread.border_of_others));
    } else {
      region.own_faults += static_cast<std::int64_t>(count);
      m_faults_of_others += count;
    }
  }
  thread.border           = usage;
  thread.border_of_others = m_faults_of_others;
}

std::size_t AllocationLog::child_of(std::size_t parent, std::string_view name) {
  auto& regions    = m_record.regions;
  auto const found = m_children[parent].regions.find(name);
  if (found != m_children[parent].regions.end()) return found->second;
  auto const depth = regions[parent].depth + 1;
  if (regions.size() >= most_regions || depth > most_depth) {
    ++m_record.merged_regions;
    return parent;
  }
  auto const number = regions.size();
  regions.reserve(number + 1 > regions.capacity() ? 2 * number : 0);
  m_children.reserve(regions.capacity());
  RecordedRegion region;
  region.name   = name;
  region.parent = parent;
  region.depth  = depth;
  m_children[parent].regions.emplace(region.name, number);
  regions.push_back(std::move(region));
  m_children.emplace_back();
  return number;
}

void AllocationLog::push_region(char const* name) noexcept {
  auto const slot  = slot_of_thread();
  auto const now   = m_sources.nanoseconds();
  auto const usage = usage_if_due(now);
  change([&] {
    auto& thread = this_thread(slot);
    if (slot == shared_slot || thread.frames.size() >= most_frames) {
      ++thread.more_frames;
      ++m_record.merged_regions;
      return;
    }
    thread.frames.reserve(thread.frames.size() + 8);
    auto const region = child_of(thread.region(), text_of(name));
    settle(thread, now, usage);
    if (region != thread.region()) ++m_record.regions[region].entries;
    thread.frames.push_back({region, ++thread.entry});
  });
}

void AllocationLog::pop_region() noexcept {
  auto const slot  = slot_of_thread();
  auto const now   = m_sources.nanoseconds();
  auto const usage = usage_if_due(now);
  change([&] {
    auto& thread = this_thread(slot);
    if (thread.more_frames > 0) {
      --thread.more_frames;
    } else if (thread.frames.empty()) {
      ++m_record.unbalanced_pops;
    } else {
      settle(thread, now, usage);
      thread.frames.pop_back();
    }
  });
}

void AllocationLog::kernel() noexcept {
  auto const slot = slot_of_thread();
  change([&] { ++m_record.regions[this_thread(slot).region()].kernels; });
}

std::size_t AllocationLog::number_of(Names& names,
                                     std::vector<RecordedLabel>& entries,
                                     std::size_t most, std::string_view name) {
  if (auto const found = names.find(name); found != names.end()) {
    return found->second;
  }
  if (entries.size() >= most) {
    ++m_record.merged_labels;
    return most - 1;
  }
  auto const number = entries.size();
  RecordedLabel entry;
  // All others end up in the last one.
  entry.name = number + 1 == most ? std::string_view("(others)") : name;
  entries.push_back(std::move(entry));
  try {
    names.emplace(entries.back().name, number);
  } catch (std::bad_alloc const&) {
    entries.pop_back();
    throw;
  }
  return number;
}

std::uint8_t AllocationLog::series_of(std::size_t region, std::uint64_t bytes) {
  constexpr std::uint64_t worth_a_series = 64 << 10;
  auto const first                       = region;
  while (region != 0 && !m_children[region].has_own_series) {
    region = m_record.regions[region].parent;
  }
  if (region == first || bytes < worth_a_series ||
      m_record.series.size() == most_series) {
    return m_children[region].series;
  }
  auto const series = static_cast<std::uint8_t>(m_record.series.size());
  m_record.series.push_back(first);
  m_children[first].series         = series;
  m_children[first].has_own_series = true;
  return series;
}

void AllocationLog::allocated(char const* space, char const* label,
                              void const* address,
                              std::uint64_t bytes) noexcept {
  auto const slot = slot_of_thread();
  auto const now  = m_sources.nanoseconds();
  change([&] {
    LiveAllocation allocation;
    allocation.address = reinterpret_cast<std::uintptr_t>(address);
    allocation.bytes   = bytes;
    allocation.made_ns = now;
    allocation.is_host = text_of(space) == "Host";
    if (allocation.address == 0) return;
    auto const& thread = this_thread(slot);
    auto const region  = thread.region();
    auto& entries =
        allocation.is_host ? m_record.labels : m_record.other_spaces;
    allocation.label = static_cast<std::uint32_t>(
        allocation.is_host
            ? number_of(m_labels, entries, most_labels, text_of(label))
            : number_of(m_spaces, entries, most_spaces, text_of(space)));
    allocation.region = static_cast<std::uint32_t>(region);
    allocation.thread = static_cast<std::uint16_t>(slot);
    allocation.entry  = thread.entry;
    if (allocation.is_host) allocation.series = series_of(region, bytes);
    if (auto const earlier = m_live.take(allocation.address)) {
      ++m_record.missed_ends;
      end(*earlier, now);
    }
    m_live.insert(allocation);
    entries[allocation.label].sums.count_allocation(bytes);
    entries[allocation.label].live.add(bytes);
    if (!allocation.is_host) return;
    m_record.regions[region].own.count_allocation(bytes);
    for (auto i = region;; i = m_record.regions[i].parent) {
      m_record.regions[i].live.add(bytes);
      if (i == 0) break;
    }
    m_timeline.add(allocation.series, bytes, now);
    ++m_record.alive_at_end;
  });
}

void AllocationLog::deallocated(void const* address,
                                std::uint64_t bytes) noexcept {
  auto const now = m_sources.nanoseconds();
  change([&] {
    auto const place = reinterpret_cast<std::uintptr_t>(address);
    if (place == 0) return;
    auto const allocation = m_live.take(place);
    if (!allocation) {
      ++m_record.unknown_ends;
      return;
    }
    if (allocation->bytes != bytes) ++m_record.other_sizes;
    end(*allocation, now);
  });
}

/// \return The innermost region whose entry has lasted since the allocation
/// was made.
std::size_t AllocationLog::region_since(
    LiveAllocation const& allocation) const noexcept {
  auto const& frames = m_threads[allocation.thread]->frames;
  for (auto i = frames.size(); i-- > 0;) {
    if (frames[i].entry <= allocation.entry) return frames[i].region;
  }
  return 0;
}

void AllocationLog::end(LiveAllocation const& allocation,
                        std::uint64_t now) noexcept {
  auto const bytes    = allocation.bytes;
  auto const lifetime = now > allocation.made_ns ? now - allocation.made_ns : 0;
  auto& entry         = (allocation.is_host ? m_record.labels
                                            : m_record.other_spaces)[allocation.label];
  entry.sums.count_death(bytes, lifetime);
  entry.live.remove(bytes);
  if (!allocation.is_host) return;
  auto& regions     = m_record.regions;
  auto& own         = regions[allocation.region].own;
  auto const within = region_since(allocation);
  own.count_death(bytes, lifetime);
  ++regions[within].died_within;
  if (within == allocation.region) {
    ++own.died_in_entry;
    ++entry.sums.died_in_entry;
  }
  for (std::size_t i = allocation.region;; i = regions[i].parent) {
    regions[i].live.remove(bytes);
    if (i == 0) break;
  }
  m_timeline.remove(allocation.series, bytes, now);
  --m_record.alive_at_end;
}

void AllocationLog::fence(char const* name) noexcept {
  auto const slot = slot_of_thread();
  // "HostSpace::impl_deallocate before free" in all versions of Kokkos.
  auto const ends_view =
      text_of(name).find("impl_deallocate") != std::string_view::npos;
  change([&] {
    auto& region = m_record.regions[this_thread(slot).region()];
    ++region.fences;
    if (ends_view) ++region.end_fences;
  });
}

AllocationRecord AllocationLog::finish_record() {
  auto const slot   = slot_of_thread();
  auto const usage  = read_usage();
  auto const now    = m_sources.nanoseconds();
  auto const whole  = m_sources.process_faults();
  auto const number = m_sources.threads();
  std::lock_guard const guard(m_mutex);
  m_has_ended = true;
  settle(this_thread(slot), now, usage);
  for (auto const& thread : m_threads) {
    if (!thread) continue;
    m_record.unbalanced_pushes += thread->frames.size() + thread->more_frames;
    if (thread->owner != m_driver || m_driver == thread_token()) continue;
    // Only it could say how many of them are its own.
    settle(*thread, now, Usage{thread->border.thread, whole});
  }
  m_record.total_ns = now - m_begin_ns;
  if (m_driver == thread_token()) {
    m_record.waiting_ns =
        std::min(m_sources.waiting() - m_begin_waiting, m_record.total_ns);
  }
  m_record.faults  = whole - m_begin_faults;
  m_record.threads = std::max(m_record.threads, number);
  m_record.samples = m_timeline.samples();
  return std::move(m_record);
}

}  // namespace KokkosArena::Impl
