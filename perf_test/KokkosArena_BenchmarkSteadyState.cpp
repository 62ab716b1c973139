// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <benchmark/benchmark.h>
#include <KokkosArena.hpp>
#include <KokkosArena_CountingNew.hpp>
#include <KokkosArena_SteadyStateCounters.hpp>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks.hpp"

/// \file
/// What a cycle of temporaries asks of others once an arena has its size:
/// figures that are the same each time and on each machine. HostSpace is the
/// control, which shows that the counters count.

namespace KokkosArena::Perf {

namespace {

template <class Space>
using View = Kokkos::View<double*, Space>;

/// 3.2 MB.
constexpr std::size_t large = 400'000;

constexpr std::size_t doubles_of_a_page = 512;

/// \return The sum of an element of each page.
double sum_of_pages(double const volatile* elements, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; i += doubles_of_a_page) sum += elements[i];
  return sum;
}

/// \brief Writes to each page of a temporary. \return The sum of what it reads
/// again.
double write_and_read(double* data, std::size_t n) {
  auto volatile* const elements = data;
  for (std::size_t i = 0; i < n; i += doubles_of_a_page) elements[i] = 1;
  return sum_of_pages(elements, n);
}

/// Of the function above.
double expected_of(std::size_t n) {
  return static_cast<double>((n + doubles_of_a_page - 1) / doubles_of_a_page);
}

// The cycles. Each is called with the place and says whether all that it has
// read was what it wrote.

struct Views {
  template <class Where>
  bool operator()(Where&) const {
    using view_type = View<typename Where::memory_space>;
    bool right      = true;
    // Larger ones the threads of the backend may initialise together.
    for (std::size_t const n : {1, 100, 10'000}) {
      view_type const zeros("tmp", n);
      right &= zeros(0) == 0 && zeros(n - 1) == 0;
      right &= write_and_read(zeros.data(), n) == expected_of(n);
    }
    for (std::size_t const n : {std::size_t(1), std::size_t(100), large}) {
      view_type const first(
          Kokkos::view_alloc("first", Kokkos::WithoutInitializing), n);
      view_type const second(
          Kokkos::view_alloc("second", Kokkos::WithoutInitializing), n);
      right &= write_and_read(first.data(), n) == expected_of(n);
      right &= write_and_read(second.data(), n) == expected_of(n);
    }
    return right;
  }
};

struct MadeViews {
  template <class Where>
  bool operator()(Where&) const {
    bool right = true;
    for (std::size_t const n : {std::size_t(1), std::size_t(100), large}) {
      auto const made = make_view<View<typename Where::memory_space>>("tmp", n);
      auto const like = similar(made);
      right &= write_and_read(made.data(), n) == expected_of(n);
      right &= write_and_read(like.data(), n) == expected_of(n);
    }
    return right;
  }
};

/// The sum of a + a, by way of three temporaries.
struct Reduction {
  template <class Where>
  bool operator()(Where&) const {
    constexpr std::size_t n = 10'000;
    using view_type         = View<typename Where::memory_space>;
    auto const a            = make_view<view_type>("a", n);
    std::iota(a.data(), a.data() + n, 0.);
    auto const b = similar(a);
    auto const c = similar(a);
    auto const d = similar(a);
    std::copy_n(a.data(), n, b.data());
    std::copy_n(a.data(), n, c.data());
    for (std::size_t i = 0; i < n; ++i) d(i) = b(i) + c(i);
    return std::accumulate(d.data(), d.data() + n, 0.) ==
           static_cast<double>(n * (n - 1));
  }
};

/// Ten layers, of which each makes its output while its input is alive.
struct Chain {
  template <class Where>
  bool operator()(Where&) const {
    using view_type = View<typename Where::memory_space>;
    auto in         = make_view<view_type>("input", 50'000);
    in(0)           = 0;
    for (std::size_t layer = 0; layer < 10; ++layer) {
      auto out = make_view<view_type>("layer", 50'000 - 4'000 * layer);
      write_and_read(out.data(), out.extent(0));
      out(0) = in(0) + 1;
      in     = out;
    }
    return in(0) == 10;
  }
};

/// Only arenas have these.

struct RawAllocations {
  template <class Where>
  bool operator()(Where& where) const {
    bool right = true;
    for (std::size_t const n : {std::size_t(8), std::size_t(1000), large}) {
      auto* const data =
          static_cast<double*>(where.arena.allocate(n * sizeof(double)));
      right &= write_and_read(data, n) == expected_of(n);
    }
    return right;
  }
};

struct HandleViews {
  template <class Where>
  bool operator()(Where& where) const {
    auto const handle = where.arena.handle();
    bool right        = true;
    for (std::size_t const n : {std::size_t(8), std::size_t(1000), large}) {
      auto const view = handle.template view<double*>(n);
      right &= write_and_read(view.data(), n) == expected_of(n);
    }
    return right;
  }
};

struct Frames {
  template <class Where>
  bool operator()(Where& where) const {
    bool right = true;
    for (int i = 0; i < 3; ++i) {
      ArenaFrame const outer(where.arena);
      right &= MadeViews()(where);
      ArenaFrame const inner(where.arena);
      right &= RawAllocations()(where);
    }
    return right;
  }
};

std::uint64_t upstream_allocations(InHostSpace const&) { return 0; }
template <class Sync>
std::uint64_t upstream_allocations(InArena<Sync> const& where) {
  return where.arena.statistics().upstream_allocations;
}

void report_peak(benchmark::State&, InHostSpace const&) {}
template <class Sync>
void report_peak(benchmark::State& state, InArena<Sync> const& where) {
  auto const s = where.arena.statistics();
  // Where all is untracked there is no such figure.
  if (s.peak_live_bytes == 0) return;
  state.counters["peak_over_live"] = static_cast<double>(s.peak_bytes) /
                                     static_cast<double>(s.peak_live_bytes);
}

/// \brief The kernel may move a page at any time, which then faults once. What
/// the cycles are to blame for happens in every attempt.
/// \param[in] attempt  Returns the page faults of its cycles, if they are
/// known.
template <class Attempt>
std::optional<long> least_of(Attempt const& attempt) {
  std::optional<long> least = attempt();
  for (int further = 0; further < 4 && least && *least > 0; ++further) {
    least = std::min(least, attempt());
  }
  return least;
}

template <class Cycle, class Where>
void run(benchmark::State& state) {
  using namespace KokkosArenaTest;
  constexpr int warm_up_cycles  = 20;
  constexpr int measured_cycles = 100;
  Where where;
  bool right       = true;
  auto const cycle = [&] {
    right &= Cycle()(where);
    where.next_cycle();
  };
  auto const cycles = [&](int count) {
    for (int i = 0; i < count; ++i) cycle();
  };
  auto const each = [](auto total) {
    return static_cast<double>(total) / measured_cycles;
  };
  cycles(warm_up_cycles);

  auto const heap     = heap_calls().allocations;
  auto const upstream = upstream_allocations(where);
  cycles(measured_cycles);
  state.counters["heap_allocations"] = each(heap_calls().allocations - heap);
  state.counters["upstream_allocations"] =
      each(upstream_allocations(where) - upstream);
  {
    FenceCounter const counter;
    cycles(measured_cycles);
    state.counters["fences"] = each(counter.count());
  }
  auto const faults =
      least_of([&] { return page_faults([&] { cycles(measured_cycles); }); });
  if (faults) state.counters["page_faults"] = each(*faults);
  if (auto const calls = system_calls([&] { cycles(measured_cycles); })) {
    state.counters["system_calls"] = each(*calls);
  }
  report_peak(state, where);
  for (auto _ : state) cycle();
  if (!right) state.SkipWithError("a temporary lost what was written to it");
}

/// \brief An arena in which each step replaces a View of 800 KB, beside ten
/// temporaries of 4 MB: there is one at each end of a step.
class ArenaWithSurvivor {
 public:
  explicit ArenaWithSurvivor(bool resets) : m_resets(resets) {}

  void step() {
    std::vector<view_type> temporaries;
    for (int i = 0; i < 10; ++i) {
      temporaries.push_back(make_view<view_type>("temporary", 500'000));
      m_right &= write_and_read(temporaries.back().data(), 500'000) ==
                 expected_of(500'000);
    }
    auto const next = make_kept();
    m_right &= sum_of_pages(m_kept.data(), kept_size) == expected_of(kept_size);
    temporaries.clear();
    m_kept = next;
    if (m_resets) m_arena.reset();
  }
  /// Whether what was read was what had been written.
  bool is_right() const { return m_right; }
  ArenaStatistics statistics() const { return m_arena.statistics(); }

 private:
  using view_type = View<ScopedSpace<Kokkos::HostSpace>>;

  static constexpr std::size_t kept_size = 100'000;

  static view_type make_kept() {
    auto const kept = make_view<view_type>("kept", kept_size);
    write_and_read(kept.data(), kept_size);
    return kept;
  }

  bool m_resets;
  bool m_right = true;
  Arena<Kokkos::HostSpace> m_arena{ArenaOptions{.huge_pages = false}};
  ArenaScope m_scope{m_arena};
  view_type m_kept = make_kept();
};

/// \brief Steps over each of which a View lives: what others are asked for from
/// the second step on, and later, when all has found its place.
template <bool Resets>
void survivor(benchmark::State& state) {
  bool right       = true;
  auto const count = [&](std::string const& steps, int first, int last) {
    std::uint64_t upstream = 0;
    auto const faults      = least_of([&] {
      ArenaWithSurvivor arena(Resets);
      for (int i = 1; i < first; ++i) arena.step();
      auto const before = arena.statistics().upstream_allocations;
      auto const found  = KokkosArenaTest::page_faults([&] {
        for (int i = first; i <= last; ++i) arena.step();
      });
      upstream          = arena.statistics().upstream_allocations - before;
      right &= arena.is_right();
      return found;
    });
    state.counters["upstream_allocations_" + steps] =
        static_cast<double>(upstream);
    if (faults) {
      state.counters["page_faults_" + steps] = static_cast<double>(*faults);
    }
  };
  count("from_second_step", 2, 10);
  count("later", 11, 100);
  ArenaWithSurvivor arena(Resets);
  for (auto _ : state) arena.step();
  if (!right || !arena.is_right()) {
    state.SkipWithError("a View lost what was written to it");
  }
}

template <class Cycle, class Where>
void add(std::string const& cycle, std::string const& where) {
  benchmark::RegisterBenchmark("steady_state/" + cycle + "/" + where,
                               run<Cycle, Where>)
      ->Unit(benchmark::kMicrosecond);
}

template <class Where>
void add_all_spaces_cycles(std::string const& where) {
  add<Views, Where>("views", where);
  add<MadeViews, Where>("make_view_and_similar", where);
  add<Reduction, Where>("reduction", where);
  add<Chain, Where>("chain", where);
}

template <class Sync>
void add_arena(std::string const& where) {
  add_all_spaces_cycles<InArena<Sync>>(where);
  add<RawAllocations, InArena<Sync>>("raw_allocate", where);
  add<HandleViews, InArena<Sync>>("handle", where);
  add<Frames, InArena<Sync>>("frames", where);
}

}  // namespace

void register_benchmarks() {
  add_arena<ThreadCached>("ThreadCached");
  add_arena<Locked>("Locked");
  add_arena<Unsynchronized>("Unsynchronized");
  add_all_spaces_cycles<InHostSpace>("HostSpace");
  benchmark::RegisterBenchmark("survivor/arena", survivor<true>)
      ->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark("survivor/arena_without_reset", survivor<false>)
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace KokkosArena::Perf
