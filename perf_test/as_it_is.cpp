// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A workload of the demo in one way, as a program of its own, for what works on
// whole programs: see as_it_is.py. KokkosArena::adopt is a shared library here,
// so that one which is preloaded comes before it.
#include "demo_workload.hpp"

#include <Kokkos_Core.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>

namespace KokkosArena::Perf {

namespace {

double seconds_now() {
  using clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(clock::now().time_since_epoch()).count();
}

long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
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
  std::vector<double> times;
  auto const faults = page_faults();
  auto const begin  = seconds_now();
  while (times.empty() || seconds_now() - begin < seconds) {
    Kokkos::Profiling::pushRegion("calls");
    auto const before = seconds_now();
    call();
    times.push_back(seconds_now() - before);
    Kokkos::Profiling::popRegion();
  }
  auto const middle =
      times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  std::printf("%.9g s a call, %.6g page faults, %zu calls\n", *middle,
              static_cast<double>(page_faults() - faults) /
                  static_cast<double>(times.size()),
              times.size());
}

}  // namespace

}  // namespace KokkosArena::Perf

int main(int argc, char* argv[]) {
  Kokkos::ScopeGuard const kokkos(argc, argv);
  try {
    if (argc != 5) {
      throw std::runtime_error("usage: as_it_is WORKLOAD N WAY SECONDS");
    }
    KokkosArena::Perf::run(argv[1], std::stoul(argv[2]), argv[3],
                           std::stod(argv[4]));
  } catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
  return 0;
}
