// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A program that uses Kokkos and knows nothing of this library: what it does is
// said by its arguments, one after the other. It prints what it computed.
#include <Kokkos_Core.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using View = Kokkos::View<double*, Kokkos::HostSpace>;

std::vector<View> kept;

/// A temporary of so many doubles, with contents that are looked at again.
double temporary(std::size_t n, char const* label = "temporary") {
  View const view(
      Kokkos::view_alloc(Kokkos::WithoutInitializing, std::string(label)), n);
  for (std::size_t i = 0; i < n; ++i) view(i) = static_cast<double>(i);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += view(i);
  return sum;
}

struct Region {
  explicit Region(std::string const& name) {
    Kokkos::Profiling::pushRegion(name);
  }
  ~Region() { Kokkos::Profiling::popRegion(); }
};

void in_region(std::string const& name, int times = 10) {
  Region const region(name);
  for (int i = 0; i < times; ++i) temporary(1000);
}

std::map<std::string, std::function<void(std::string const&)>> const actions{
    {"temporaries",
     [](auto const& n) {
       for (int i = 0; i < std::stoi(n); ++i) temporary(1000);
     }},
    {"small",
     [](auto const& n) {
       for (int i = 0; i < std::stoi(n); ++i) temporary(10);
     }},
    {"large", [](auto const& n) { temporary(std::stoul(n)); }},
    {"region", [](auto const& name) { in_region(name); }},
    {"touch",
     [](auto const& name) {
       Region const region(name);
       temporary(8 << 20);
     }},
    {"nested",
     [](auto const& name) {
       Region const outer(name);
       in_region("inner");
       temporary(1000);
     }},
    {"threads",
     [](auto const& name) {
       std::vector<std::thread> threads;
       for (int t = 0; t < 4; ++t) {
         threads.emplace_back([&, t] {
           if (t % 2 == 0) in_region(name, 100);
           if (t % 2 != 0) in_region("other", 100);
         });
       }
       for (auto& thread : threads) thread.join();
     }},
    {"keep",
     [](auto const& name) {
       Region const region(name);
       for (int i = 0; i < 10; ++i) {
         kept.emplace_back("kept", 1000);
         Kokkos::deep_copy(kept.back(), i);
       }
     }},
    {"look",
     [](auto const&) {
       for (std::size_t i = 0; i < kept.size(); ++i) {
         for (std::size_t j = 0; j < kept[i].extent(0); ++j) {
           if (kept[i](j) != static_cast<double>(i % 10)) std::exit(77);
         }
       }
     }},
    {"drop", [](auto const&) { kept.clear(); }},
    {"drop-on-thread",
     [](auto const&) { std::thread([] { kept.clear(); }).join(); }},
    {"kernel",
     [](auto const& name) {
       double sum = 0;
       Kokkos::parallel_reduce(
           name, 100, KOKKOS_LAMBDA(int i, double& s) { s += i; }, sum);
       if (sum != 4950) std::exit(77);
     }},
    {"over-aligned",
     [](auto const& n) {
       struct alignas(64) Line {
         double value[8];
       };
       std::vector<Line> lines;
       for (int i = 0; i < std::stoi(n); ++i) lines.push_back({});
       ::operator delete(
           ::operator new(100, std::align_val_t(128), std::nothrow),
           std::align_val_t(128), std::nothrow);
       ::operator delete(::operator new(100, std::align_val_t(64)), 100,
                         std::align_val_t(64));
     }},
    {"open",
     [](auto const& name) {
       if (!std::fopen(name.c_str(), "w")) std::exit(77);
     }},
    {"pop-too-often", [](auto const&) { Kokkos::Profiling::popRegion(); }},
    {"fork",
     [](auto const& name) {
       auto const pid = fork();
       if (pid == 0) {
         in_region(name);
         _exit(0);
       }
       int status = 0;
       waitpid(pid, &status, 0);
       if (status != 0) std::exit(77);
     }},
    {"start",
     [](auto const& command) {
       if (std::system(command.c_str()) != 0) std::exit(77);
     }},
    {"exit", [](auto const& code) { std::exit(std::stoi(code)); }},
    {"abort", [](auto const&) { std::abort(); }},
    {"throw", [](auto const& what) { throw std::runtime_error(what); }},
    {"never-finalize", [](auto const&) {
       std::puts("never finalized");
       std::fflush(stdout);
       std::exit(0);
     }}};

}  // namespace

int main(int argc, char* argv[]) {
  std::vector<std::string> const arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments[0] == "without-kokkos") {
    std::puts("done");
    return 0;
  }
  if (!arguments.empty() && arguments[0] == "fork-first") {
    if (auto const pid = fork(); pid != 0) {
      int status = 0;
      waitpid(pid, &status, 0);
      return WIFEXITED(status) ? WEXITSTATUS(status) : 77;
    }
  }
  Kokkos::initialize(argc, argv);
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    if (arguments[i] == "fork-first") continue;
    auto const action = actions.find(arguments[i]);
    if (action == actions.end()) {
      std::fprintf(stderr, "no action \"%s\"\n", arguments[i].c_str());
      return 2;
    }
    action->second(arguments[i + 1]);
  }
  kept.clear();
  Kokkos::finalize();
  std::puts("done");
}
