// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "demo_measure.hpp"

#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "machine.hpp"
#include "median.hpp"

namespace KokkosArena::Perf {

namespace {

/// Kokkos' bookkeeping in front of what a View holds, of which its tools don't
/// know.
constexpr std::size_t view_header_bytes = 128;

/// \brief What is allocated while this exists, for one contestant: by Kokkos
/// Tools' events and its arena's statistics. A tool that the user loaded
/// pauses.
class AllocationCounter {
 public:
  explicit AllocationCounter(Contestant const& contestant)
      : m_contestant(contestant),
        m_before(arena_statistics()),
        m_tool(Kokkos::Tools::Experimental::get_callbacks()) {
    s_counter = this;
    Kokkos::Tools::Experimental::set_allocate_data_callback(
        [](Kokkos::Tools::SpaceHandle space, char const* label,
           void const* address, std::uint64_t bytes) {
          s_counter->note(space.name, label, address, bytes);
        });
    Kokkos::Tools::Experimental::set_deallocate_data_callback(
        [](Kokkos::Tools::SpaceHandle, char const*, void const* address,
           std::uint64_t) { s_counter->note_end(address); });
  }
  AllocationCounter(AllocationCounter const&)            = delete;
  AllocationCounter& operator=(AllocationCounter const&) = delete;
  ~AllocationCounter() { Kokkos::Tools::Experimental::set_callbacks(m_tool); }

  /// Of all Views, wherever they came from.
  std::uint64_t bytes() const { return m_bytes + m_contestant.unseen_bytes; }
  /// What HostSpace or the arena took from the heap or the system.
  std::uint64_t upstream() const {
    auto const now = arena_statistics();
    return m_on_heap + m_contestant.unseen_allocations +
           now.upstream_allocations - m_before.upstream_allocations +
           now.failed_adoptions - m_before.failed_adoptions;
  }
  std::uint64_t upstream_bytes() const {
    auto const unseen =
        m_contestant.unseen_allocations > 0 ? m_contestant.unseen_bytes : 0;
    return m_bytes_on_heap + unseen + arena_statistics().upstream_bytes -
           m_before.upstream_bytes;
  }
  /// The most at once: on the heap, and in the arena ever.
  std::uint64_t peak_bytes() const {
    return m_peak_on_heap + arena_statistics().peak_bytes;
  }

 private:
  void note(std::string const& space, std::string const& label,
            void const* address, std::uint64_t bytes) {
    // Arenas report their blocks as allocations in HostSpace, also where they
    // only move: their statistics say which are new.
    if (label == "KokkosArena::block") return;
    // Threads of kernels make Views as well.
    std::lock_guard const lock(m_mutex);
    m_bytes += bytes;
    if (space != Kokkos::HostSpace::name()) return;
    // What is adopted is reported as HostSpace's, too, and told by its size.
    // What the arena has no room for after all is in its statistics.
    if (bytes + view_header_bytes >= m_contestant.adopted_from) return;
    ++m_on_heap;
    m_bytes_on_heap += bytes;
    m_alive[address] = bytes;
    m_alive_bytes += bytes;
    m_peak_on_heap = std::max(m_peak_on_heap, m_alive_bytes);
  }
  void note_end(void const* address) {
    std::lock_guard const lock(m_mutex);
    auto const found = m_alive.find(address);
    if (found == m_alive.end()) return;
    m_alive_bytes -= found->second;
    m_alive.erase(found);
  }
  ArenaStatistics arena_statistics() const {
    return m_contestant.arena ? m_contestant.arena->statistics()
                              : ArenaStatistics();
  }

  // Kokkos calls plain functions.
  static inline AllocationCounter* s_counter = nullptr;

  Contestant const& m_contestant;
  ArenaStatistics m_before;
  Kokkos::Tools::Experimental::EventSet m_tool;
  std::mutex m_mutex;
  std::uint64_t m_bytes         = 0;
  std::uint64_t m_on_heap       = 0;
  std::uint64_t m_bytes_on_heap = 0;
  std::unordered_map<void const*, std::uint64_t> m_alive;
  std::uint64_t m_alive_bytes  = 0;
  std::uint64_t m_peak_on_heap = 0;
};

/// \return The largest difference of two numbers; 0 only if all bits agree.
double difference(Result const& left, Result const& right) {
  if (left.size() != right.size()) {
    return std::numeric_limits<double>::infinity();
  }
  double largest = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (std::bit_cast<std::uint64_t>(left[i]) ==
        std::bit_cast<std::uint64_t>(right[i])) {
      continue;
    }
    auto const here = std::abs(left[i] - right[i]);
    // Of one that isn't a number, and of 0 and -0.
    if (std::isnan(here)) return std::numeric_limits<double>::infinity();
    largest = std::max({largest, here, std::numeric_limits<double>::min()});
  }
  return largest;
}

/// \return Until everything is done.
template <class F>
double seconds_of(F const& f) {
  using clock = std::chrono::steady_clock;
  Kokkos::fence("demo: before a sample");
  auto const start = clock::now();
  f();
  Kokkos::fence("demo: after a sample");
  return std::chrono::duration<double>(clock::now() - start).count();
}

/// A contestant and what was measured of it.
class Measurement {
 public:
  Measurement(Contestant const& contestant, Workload const& workload)
      : m_contestant(contestant), m_workload(workload) {
    m_row.space = contestant.name;
  }

  /// \return What it gave, for the others to be compared with.
  Result warm_up(Result const& expected) {
    AllocationCounter const counter(m_contestant);
    // An arena that grows has found its size after the second cycle, checked
    // memory after the third.
    for (int i = 0; i < 4; ++i) {
      m_warm_seconds = seconds_of([&] { call(); });
      compare(expected);
    }
    m_row.warm_up_allocations = counter.upstream();
    return m_result;
  }
  /// About what a call takes.
  double warm_seconds() const { return m_warm_seconds; }

  void take_sample(Result const& expected, int calls) {
    // What the others left in the caches is not this one's fault, and much of
    // a short call.
    if (m_warm_seconds < 0.01) call();
    auto const faults_before = page_faults();
    auto const seconds       = seconds_of([&] {
      for (int i = 0; i < calls; ++i) call();
    });
    m_page_faults.push_back(static_cast<double>(page_faults() - faults_before) /
                            calls);
    m_seconds.push_back(seconds / calls);
    compare(expected);
  }

  Row finished_row(Result const& expected) {
    auto row = m_row;
    {
      AllocationCounter const counter(m_contestant);
      call();
      row.temporaries_bytes    = counter.bytes();
      row.allocations_per_call = counter.upstream();
      row.upstream_bytes       = counter.upstream_bytes();
      row.peak_bytes           = counter.peak_bytes();
    }
    compare(expected);
    row.largest_difference = m_row.largest_difference;
    row.seconds            = median(m_seconds);
    row.fastest_seconds = *std::min_element(m_seconds.begin(), m_seconds.end());
    row.page_faults_per_call = median(m_page_faults);
    return row;
  }

 private:
  void call() {
    m_result.clear();
    m_contestant.call(m_result);
  }
  void compare(Result const& expected) {
    if (m_contestant.collect) m_contestant.collect(m_result);
    // That of the first contestant, when it runs for the first time.
    if (expected.empty()) return;
    auto const found         = difference(m_result, expected);
    m_row.largest_difference = std::max(m_row.largest_difference, found);
    if (found > m_workload.tolerance) fail(expected);
  }
  [[noreturn]] void fail(Result const& expected) const {
    std::ostringstream message;
    message.precision(17);
    message << m_workload.name << ": " << m_row.space
            << " gave a wrong result: ";
    if (m_result.size() != expected.size()) {
      message << m_result.size() << " numbers instead of " << expected.size();
    } else {
      std::size_t i = 0;
      // Written so that what isn't a number is found as well.
      while (i + 1 < expected.size() &&
             std::abs(m_result[i] - expected[i]) <= m_workload.tolerance) {
        ++i;
      }
      message << m_result[i] << " instead of " << expected[i];
    }
    throw std::runtime_error(message.str());
  }

  Contestant const& m_contestant;
  Workload const& m_workload;
  Row m_row;
  Result m_result;
  double m_warm_seconds = 0;
  std::vector<double> m_seconds;
  std::vector<double> m_page_faults;
};

/// \return So many that the fastest takes some milliseconds, as busy as the
/// machine is now, and few enough for all to feel the same disturbances.
int calls_for_a_sample(std::vector<Measurement> const& measurements) {
  double fastest = 1;
  for (auto const& measurement : measurements) {
    fastest = std::min(fastest, measurement.warm_seconds());
  }
  return static_cast<int>(std::clamp(4e-3 / fastest, 1., 200.));
}

}  // namespace

TableReport measure(Workload const& workload, int samples) {
  auto expected = workload.expected.value_or(Result());
  std::vector<Measurement> measurements;
  for (auto const& contestant : workload.contestants) {
    measurements.emplace_back(contestant, workload);
    auto const found = measurements.back().warm_up(expected);
    if (expected.empty()) expected = found;
  }
  auto const calls = calls_for_a_sample(measurements);

  // In turn, so that a drift of the machine hits all alike.
  for (int sample = 0; sample < samples; ++sample) {
    for (auto& measurement : measurements) {
      measurement.take_sample(expected, calls);
    }
  }
  TableReport report;
  report.workload         = workload.name;
  report.description      = workload.description;
  report.samples          = samples;
  report.calls_per_sample = calls;
  for (auto& measurement : measurements) {
    report.rows.push_back(measurement.finished_row(expected));
    report.rows.back().speedup =
        report.rows.front().seconds / report.rows.back().seconds;
  }
  return report;
}

}  // namespace KokkosArena::Perf
