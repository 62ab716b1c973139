// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <benchmark/benchmark.h>
#include <Kokkos_Core.hpp>

#include <cmath>
#include <cstddef>
#include <memory>
#include <string>

#include "benchmarks.hpp"
#include "demo_workload.hpp"
#include "machine.hpp"

/// \file
/// The demo's workloads, in all the ways in which the demo does them.

namespace KokkosArena::Perf {

namespace {

/// Words with nothing but underscores between them.
std::string in_one_word(std::string const& text) {
  std::string word;
  for (char const c : text) {
    if (c == ',') continue;
    word += c == ' ' ? '_' : c;
  }
  return word;
}

bool agree(Result const& left, Result const& right, double tolerance) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    // Written so that what isn't a number doesn't agree.
    if (!(std::abs(left[i] - right[i]) <= tolerance)) return false;
  }
  return true;
}

/// \brief A workload that is made when it is first needed, since one with all
/// its contestants takes memory and time.
class LazyWorkload {
 public:
  LazyWorkload(WorkloadKind const& kind, std::size_t n)
      : m_kind(kind), m_n(n) {}
  Workload const& get() {
    if (!m_workload) {
      m_workload = std::make_unique<Workload>(m_kind.make({.n = m_n}));
      // What the first gives is expected of all.
      run(m_workload->contestants.front(), m_expected);
    }
    return *m_workload;
  }
  Result const& expected() const { return m_expected; }

  static void run(Contestant const& contestant, Result& result) {
    result.clear();
    contestant.call(result);
    if (contestant.collect) contestant.collect(result);
  }

 private:
  WorkloadKind const& m_kind;
  std::size_t m_n;
  std::unique_ptr<Workload> m_workload;
  Result m_expected;
};

void run_contestant(benchmark::State& state, LazyWorkload& lazy,
                    std::size_t index) {
  auto const& workload   = lazy.get();
  auto const& contestant = workload.contestants[index];
  Result result;
  // An arena has its size after the second cycle, checked memory after the
  // third.
  for (int i = 0; i < 4; ++i) LazyWorkload::run(contestant, result);
  Kokkos::fence("benchmark: before a workload");
  auto const faults = page_faults();
  for (auto _ : state) {
    result.clear();
    contestant.call(result);
    Kokkos::fence("benchmark: after a call");
  }
  state.counters["page_faults"] =
      benchmark::Counter(static_cast<double>(page_faults() - faults),
                         benchmark::Counter::kAvgIterations);
  if (contestant.collect) contestant.collect(result);
  if (!agree(result, lazy.expected(), workload.tolerance)) {
    state.SkipWithError("wrong result");
  }
}

}  // namespace

void register_benchmarks() {
  for (auto const& kind : workload_kinds()) {
    // That one has a program of its own, with its peers.
    if (!kind.make || kind.name == "reduction") continue;
    auto const n    = kind.short_sizes.front();
    auto const lazy = std::make_shared<LazyWorkload>(kind, n);
    // Only for the contestants' names.
    auto const small = kind.make({.n = kind.name == "digits" ? 40u : 4u});
    for (std::size_t i = 0; i < small.contestants.size(); ++i) {
      benchmark::RegisterBenchmark("workload/" + kind.name + "_" +
                                       std::to_string(n) + "/" +
                                       in_one_word(small.contestants[i].name),
                                   [lazy, i](benchmark::State& state) {
                                     run_contestant(state, *lazy, i);
                                   })
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
}

}  // namespace KokkosArena::Perf
