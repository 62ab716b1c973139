// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <sys/resource.h>
#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "basic_reduction.hpp"
#include "demo_options.hpp"
#include "demo_report.hpp"
#include "exact_sum.hpp"
#include "machine.hpp"

namespace KokkosArena::Perf {

namespace {

using Input = Kokkos::View<double const*, Kokkos::HostSpace>;

/// \brief Counts allocations, of HostSpace and of arenas alike, by Kokkos
/// Tools' events while it exists. A tool that the user loaded pauses.
class AllocationCounter {
 public:
  AllocationCounter() : m_tool(Kokkos::Tools::Experimental::get_callbacks()) {
    s_upstream = 0;
    s_bytes    = 0;
    Kokkos::Tools::Experimental::set_allocate_data_callback(note);
  }
  AllocationCounter(AllocationCounter const&)            = delete;
  AllocationCounter& operator=(AllocationCounter const&) = delete;
  ~AllocationCounter() { Kokkos::Tools::Experimental::set_callbacks(m_tool); }

  /// Allocations that HostSpace or an arena took from the heap or the system.
  std::uint64_t upstream() const { return s_upstream; }
  /// Bytes of all Views, wherever they came from.
  std::uint64_t bytes() const { return s_bytes; }

 private:
  static void note(Kokkos::Tools::SpaceHandle space, char const*, void const*,
                   std::uint64_t bytes) {
    s_bytes += bytes;
    if (std::strcmp(space.name, Kokkos::HostSpace::name()) == 0) ++s_upstream;
  }

  // Kokkos calls a plain function.
  static inline std::uint64_t s_upstream = 0;
  static inline std::uint64_t s_bytes    = 0;
  Kokkos::Tools::Experimental::EventSet m_tool;
};

/// One of the ways to run the library function, and what was measured of it.
struct Contestant {
  Row row;
  std::function<double()> call;
  std::vector<double> seconds;
  std::vector<double> page_faults;
};

template <class... Args>
std::function<double()> in_an_arena(Input const& input, Args&&... args) {
  // Shared, since a std::function is copyable and an arena is not.
  auto const arena =
      std::make_shared<Arena<Kokkos::HostSpace>>(std::forward<Args>(args)...);
  return [arena, a = scoped(input)] {
    auto const sum =
        with_arena(*arena, [&] { return library::basic_reduction(a); });
    arena->reset();
    return sum;
  };
}

std::function<double()> in_host_space(Input const& input) {
  return [input] { return library::basic_reduction(input); };
}

std::function<double()> in_an_arena_that_grows(Input const& input) {
  return in_an_arena(input, ArenaOptions{.label = "growing"});
}

std::function<double()> in_a_fixed_arena(Input const& input) {
  constexpr std::size_t bookkeeping = 512;
  return in_an_arena(input, 3 * (input.size() * sizeof(double) + bookkeeping));
}

std::function<double()> in_preallocated_temporaries(Input const& input) {
  using temporary_type = library::temporary_t<Input>;
  return [input, b = temporary_type("b", input.size()),
          c = temporary_type("c", input.size()),
          d = temporary_type("d", input.size())] {
    return library::basic_reduction(input, b, c, d);
  };
}

void call_and_check(Contestant const& contestant, std::size_t n) {
  auto const sum = contestant.call();
  if (sum != exact_sum(n)) {
    std::ostringstream message;
    message.precision(17);
    message << contestant.row.space << " gave a wrong sum for n = " << n << ": "
            << sum << " instead of " << exact_sum(n);
    throw std::runtime_error(message.str());
  }
}

/// \param[in] make  What makes the contestant's call, with all that it keeps.
template <class Make>
Contestant make_contestant(std::string const& name, Make const& make,
                           Input const& input) {
  AllocationCounter const counter;
  Contestant contestant;
  contestant.row.space = name;
  contestant.call      = make(input);
  // An arena that grows has found its size after the second cycle.
  for (int warm_up = 0; warm_up < 3; ++warm_up) {
    call_and_check(contestant, input.size());
  }
  contestant.row.warm_up_allocations = counter.upstream();
  return contestant;
}

double page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_minflt + usage.ru_majflt);
}

void take_sample(Contestant& contestant, std::size_t n, int calls) {
  using clock = std::chrono::steady_clock;
  // What the others left in the caches is not this one's fault.
  call_and_check(contestant, n);
  Kokkos::fence("demo: before a sample");
  auto const faults_before = page_faults();
  auto const start         = clock::now();
  for (int i = 0; i < calls; ++i) call_and_check(contestant, n);
  Kokkos::fence("demo: after a sample");
  std::chrono::duration<double> const elapsed = clock::now() - start;
  contestant.seconds.push_back(elapsed.count() / calls);
  contestant.page_faults.push_back((page_faults() - faults_before) / calls);
}

/// \return So many that the fastest takes some milliseconds, as busy as the
/// machine is now, and few enough for all to feel the same disturbances.
int calls_for_a_sample(std::vector<Contestant> contestants, std::size_t n) {
  double fastest = 1;
  for (auto& contestant : contestants) {
    take_sample(contestant, n, 1);
    fastest = std::min(fastest, contestant.seconds.back());
  }
  return static_cast<int>(std::clamp(4e-3 / fastest, 1., 200.));
}

double median(std::vector<double> values) {
  auto const middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

Row finished_row(Contestant const& contestant, std::size_t n) {
  auto row = contestant.row;
  AllocationCounter const counter;
  call_and_check(contestant, n);
  row.temporaries_bytes    = counter.bytes();
  row.allocations_per_call = counter.upstream();
  row.seconds              = median(contestant.seconds);
  row.page_faults_per_call = median(contestant.page_faults);
  return row;
}

Input make_input(std::size_t n) {
  Kokkos::View<double*, Kokkos::HostSpace> const a("a", n);
  Kokkos::parallel_for(
      "demo::make_input",
      Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, n),
      [=](std::size_t i) { a(i) = static_cast<double>(i % input_period); });
  return a;
}

SizeReport measure(std::size_t n, int samples) {
  auto const input = make_input(n);
  std::vector<Contestant> contestants;
  auto const enter = [&](std::string const& name, auto const& make) {
    contestants.push_back(make_contestant(name, make, input));
  };
  enter("HostSpace", in_host_space);
  enter("growing arena", in_an_arena_that_grows);
  enter("fixed arena", in_a_fixed_arena);
  enter("preallocated", in_preallocated_temporaries);

  auto const calls = calls_for_a_sample(contestants, n);
  SizeReport report{n, samples, calls, {}};

  // In turn, so that a drift of the machine hits all alike.
  for (int sample = 0; sample < samples; ++sample) {
    for (auto& contestant : contestants) take_sample(contestant, n, calls);
  }
  for (auto const& contestant : contestants) {
    report.rows.push_back(finished_row(contestant, n));
  }
  for (auto& row : report.rows) {
    row.speedup = report.rows.front().seconds / row.seconds;
  }
  return report;
}

/// Rather than to be killed in the midst of it.
void check_memory(std::vector<std::size_t> const& sizes,
                  Machine const& machine) {
  auto const n =
      static_cast<double>(*std::max_element(sizes.begin(), sizes.end()));
  // The input, three temporaries for each row, and what growing takes.
  constexpr double arrays = 14;
  auto const needed       = arrays * n * sizeof(double);
  if (machine.memory_bytes > 0 && needed > machine.memory_bytes) {
    std::ostringstream message;
    message << "n = " << n << " needs about " << needed / 1e9
            << " GB of memory, and this machine has "
            << machine.memory_bytes / 1e9 << "; give a smaller one with --n";
    throw UsageError(message.str());
  }
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
  check_memory(options.sizes, machine);
  auto json = open_json(options.json);

  std::cout << "basic_reduction(a): the sum of a + a, by way of three "
               "temporaries like a\n";
  print_machine(std::cout, machine);
  std::vector<SizeReport> reports;
  for (auto const n : options.sizes) {
    reports.push_back(measure(n, options.samples));
    print_table(std::cout, reports.back());
  }
  std::cout << "\nAll sums are exact.\n" << std::flush;
  if (!std::cout) throw std::runtime_error("the table could not be written");

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
    Kokkos::ScopeGuard const guard(argc, argv);
    run(options);
    return EXIT_SUCCESS;
  } catch (UsageError const& e) {
    std::cerr << "demo: " << e.what() << "\nTry demo --help.\n";
    return 2;
  } catch (std::exception const& e) {
    std::cerr << "demo: " << e.what() << '\n';
    return EXIT_FAILURE;
  }
}
