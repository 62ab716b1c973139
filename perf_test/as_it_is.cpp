// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A workload of the demo, or Views that are made and dropped, in one way, as a
// program of its own, for what works on whole programs: see as_it_is.py.
// KokkosArena::adopt is a shared library here, so that one which is preloaded
// comes before it.
#include "demo_workload.hpp"
#include "machine.hpp"
#include "median.hpp"

#include <KokkosArena_HostSpaceAdoption.hpp>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace KokkosArena::Perf {

namespace {

double seconds_now() {
  using clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(clock::now().time_since_epoch()).count();
}

template <class T>
T const& named(std::vector<T> const& all, std::string_view name) {
  auto const found = std::find_if(
      all.begin(), all.end(), [&](auto const& a) { return a.name == name; });
  if (found == all.end()) {
    throw std::runtime_error("there is no \"" + std::string(name) + '"');
  }
  return *found;
}

void print(double seconds, long faults, double calls) {
  std::printf("%.9g s a call, %.6g page faults\n", seconds,
              static_cast<double>(faults) / calls);
}

/// Views of n doubles that are made and dropped, by as many threads as OpenMP
/// has; a call is one of them.
void make_views(std::size_t n, bool adopts, double seconds) {
  HostArena arena;
  auto const number = static_cast<std::size_t>(Kokkos::num_threads());
  std::vector<double> times(number);
  std::vector<std::size_t> calls(number);
  constexpr int batch = 10000;
  auto const make     = [&](std::size_t thread) {
    std::optional<HostSpaceAdoption> adoption;
    if (adopts) adoption.emplace(arena);
    Kokkos::Profiling::pushRegion("calls");
    std::vector<double> batches;
    auto const begin = seconds_now();
    while (batches.empty() || seconds_now() - begin < seconds) {
      auto const before = seconds_now();
      for (int i = 0; i < batch; ++i) {
        Kokkos::View<double*, Kokkos::HostSpace> const view(
            Kokkos::view_alloc(Kokkos::WithoutInitializing, "view"), n);
        view(0) = i;
      }
      batches.push_back((seconds_now() - before) / batch);
    }
    times[thread] = median(batches);
    calls[thread] = batches.size() * batch;
    Kokkos::Profiling::popRegion();
  };
  auto const faults = page_faults();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < number; ++i) threads.emplace_back(make, i);
  for (auto& thread : threads) thread.join();
  print(median(times), page_faults() - faults,
        static_cast<double>(
            std::accumulate(calls.begin(), calls.end(), std::size_t(0))));
}

/// What comes to the same in each way isn't looked at: the demo does that.
void run(std::string_view workload_name, std::size_t n,
         std::string_view contestant_name, double seconds) {
  auto const& kind = named(workload_kinds(), workload_name);
  if (!kind.make) throw std::runtime_error(kind.name + " isn't in this build");
  auto const workload   = kind.make({.n = n});
  auto const contestant = named(workload.contestants, contestant_name);
  Result result;
  auto const call = [&] {
    result.clear();
    contestant.call(result);
  };
  Kokkos::Profiling::pushRegion("warm-up");
  for (int i = 0; i < 3; ++i) call();
  Kokkos::Profiling::popRegion();
  // Not to grow: where that lies on the heap decides what malloc gives back.
  std::vector<double> times;
  times.reserve(std::size_t(1) << 20);
  auto const faults = page_faults();
  auto const begin  = seconds_now();
  while (times.empty() || seconds_now() - begin < seconds) {
    Kokkos::Profiling::pushRegion("calls");
    auto const before = seconds_now();
    call();
    times.push_back(seconds_now() - before);
    Kokkos::Profiling::popRegion();
  }
  print(median(times), page_faults() - faults,
        static_cast<double>(times.size()));
}

}  // namespace

}  // namespace KokkosArena::Perf

int main(int argc, char* argv[]) {
  Kokkos::ScopeGuard const kokkos(argc, argv);
  try {
    if (argc != 5) {
      throw std::runtime_error("usage: as_it_is WORKLOAD|views N WAY SECONDS");
    }
    std::string const workload = argv[1], way = argv[3];
    auto const n       = std::stoul(argv[2]);
    auto const seconds = std::stod(argv[4]);
    if (workload == "views") {
      KokkosArena::Perf::make_views(n, way != "HostSpace", seconds);
    } else {
      KokkosArena::Perf::run(workload, n, way, seconds);
    }
  } catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
  return 0;
}
