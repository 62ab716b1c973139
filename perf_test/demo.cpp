// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_MatrixMarket.hpp>
#include <Kokkos_Core.hpp>

#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "demo_measure.hpp"
#include "demo_options.hpp"
#include "demo_report.hpp"
#include "demo_workload.hpp"
#include "machine.hpp"

namespace KokkosArena::Perf {

namespace {

/// What to run, one after the other.
struct Run {
  WorkloadKind kind;
  WorkloadInput input;
};

/// Rather than to be killed in the midst of it.
void check_memory(Run const& run, Machine const& machine) {
  auto const n      = static_cast<double>(run.input.n);
  auto const needed = run.kind.bytes_per_n * std::pow(n, run.kind.power);
  if (machine.memory_bytes > 0 && needed > machine.memory_bytes) {
    std::ostringstream message;
    message << run.kind.name << " with n = " << n << " needs about "
            << needed / 1e9 << " GB of memory, and this machine has "
            << machine.memory_bytes / 1e9 << "; give a smaller one with --n";
    throw UsageError(message.str());
  }
}

std::vector<Run> runs_of(DemoOptions const& options,
                         workloads::CoordinateMatrix const* matrix) {
  std::vector<Run> runs;
  for (auto const& name : options.workloads) {
    for (auto const& kind : workload_kinds()) {
      if (kind.name != name) continue;
      auto const& sizes = !options.sizes.empty() ? options.sizes
                          : options.is_short     ? kind.short_sizes
                                                 : kind.default_sizes;
      if (matrix) {
        runs.push_back({kind, {.matrix = matrix}});
        continue;
      }
      for (auto const n : sizes) {
        runs.push_back({kind, {.n = n}});
      }
    }
  }
  return runs;
}

TableReport report_of(Run const& run, DemoOptions const& options) {
  auto const workload = run.kind.make(run.input);
  auto report         = measure(workload, options.samples);
  report.n            = run.input.n;
  report.matrix       = options.matrix;
  return report;
}

std::ofstream open_json(std::string const& name) {
  std::ofstream file;
  if (name.empty()) return file;
  file.open(name);
  if (!file) {
    throw UsageError("--json: can't write \"" + name +
                     "\": " + std::strerror(errno));
  }
  return file;
}

void run(DemoOptions const& options) {
  auto const machine = this_machine();
  std::optional<workloads::CoordinateMatrix> matrix;
  if (!options.matrix.empty()) {
    matrix = workloads::read_matrix_market(options.matrix);
  }
  auto const runs = runs_of(options, matrix ? &*matrix : nullptr);
  for (auto const& run : runs) check_memory(run, machine);
  auto json = open_json(options.json);

  print_machine(std::cout, machine);
  std::vector<TableReport> reports;
  for (auto const& run : runs) {
    reports.push_back(report_of(run, options));
    print_table(std::cout, reports.back());
  }
  std::cout << "\nAll results are right.\n" << std::flush;
  if (!std::cout) throw std::runtime_error("the tables could not be written");

  if (json.is_open()) {
    write_json(json, machine, reports);
    if (!json) throw std::runtime_error("could not write " + options.json);
  }
}

}  // namespace

}  // namespace KokkosArena::Perf

int main(int argc, char* argv[]) {
  using namespace KokkosArena::Perf;
  try {
    auto const options = parse_demo_options(argc, argv);
    if (options.help) {
      std::cout << demo_help() << std::flush;
      return std::cout ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    // The counters tell by their space what comes from arenas.
    setenv("KOKKOS_ARENA_TOOLS", "spaces", 0);
    Kokkos::ScopeGuard const guard(argc, argv);
    run(options);
    return EXIT_SUCCESS;
  } catch (UsageError const& e) {
    std::cerr << "demo: " << e.what() << "\nTry demo --help.\n";
    return 2;
  } catch (KokkosArena::workloads::MatrixMarketError const& e) {
    std::cerr << "demo: " << e.what() << '\n';
    return 2;
  } catch (std::exception const& e) {
    std::cerr << "demo: " << e.what() << '\n';
    return EXIT_FAILURE;
  }
}
