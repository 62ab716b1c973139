// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <benchmark/benchmark.h>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks.hpp"
#include "machine.hpp"

namespace {

/// What Kokkos was configured with, as "OPENMP SERIAL ...".
std::string kokkos_configuration() {
  std::stringstream configuration;
  Kokkos::print_configuration(configuration);
  std::string enabled;
  for (std::string line; std::getline(configuration, line);) {
    std::string const prefix = "KOKKOS_ENABLE_";
    auto const begin         = line.find(prefix);
    auto const end           = line.find(": yes");
    if (begin == line.npos || end == line.npos) continue;
    auto const name = begin + prefix.size();
    enabled += (enabled.empty() ? "" : " ") + line.substr(name, end - name);
  }
  return enabled;
}

/// \brief Google Benchmark's own output, but in the order of registration where
/// repetitions come in a random one, and with the median and its spread only.
class OrderedReporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(Context const& context) override {
    return m_reporter.ReportContext(context);
  }
  void ReportRuns(std::vector<Run> const& runs) override {
    for (auto const& run : runs) {
      if (run.aggregate_name != "mean" && run.aggregate_name != "stddev") {
        m_runs.push_back(run);
      }
    }
  }
  void Finalize() override {
    std::stable_sort(
        m_runs.begin(), m_runs.end(), [](Run const& a, Run const& b) {
          return std::pair(a.family_index, a.per_family_instance_index) <
                 std::pair(b.family_index, b.per_family_instance_index);
        });
    m_reporter.ReportRuns(m_runs);
    m_reporter.Finalize();
  }

 private:
  BenchmarkReporter& m_reporter = *benchmark::CreateDefaultDisplayReporter();
  std::vector<Run> m_runs;
};

void add_context() {
  auto const machine = KokkosArena::Perf::this_machine();
  benchmark::AddCustomContext("kokkos", machine.kokkos);
  benchmark::AddCustomContext("kokkos_configuration", kokkos_configuration());
  benchmark::AddCustomContext("backend", machine.backend);
  benchmark::AddCustomContext("threads", std::to_string(machine.threads));
  benchmark::AddCustomContext("compiler", machine.compiler);
  benchmark::AddCustomContext("malloc", machine.malloc);
  benchmark::AddCustomContext("processor", machine.processor);
  benchmark::AddCustomContext("processors", std::to_string(machine.processors));
  benchmark::AddCustomContext("transparent_huge_pages", machine.huge_pages);
  benchmark::AddCustomContext("device", machine.device);
#ifdef KOKKOSARENA_PERF_HAS_UMPIRE
  benchmark::AddCustomContext("umpire", "yes");
#else
  benchmark::AddCustomContext("umpire", "no");
#endif
}

}  // namespace

int main(int argc, char* argv[]) {
  if (auto const why = KokkosArena::Perf::why_no_device(); !why.empty()) {
    std::cout << "no device: " << why << std::endl;
    return 77;  // What CTest and run.py take for: not here.
  }
  // The counters tell by their space what comes from arenas.
  setenv("KOKKOS_ARENA_TOOLS", "spaces", 0);
  Kokkos::ScopeGuard const guard(argc, argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  add_context();
  KokkosArena::Perf::register_benchmarks();
  OrderedReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  // What they hold has to end before Kokkos does.
  benchmark::ClearRegisteredBenchmarks();
  benchmark::Shutdown();
}
