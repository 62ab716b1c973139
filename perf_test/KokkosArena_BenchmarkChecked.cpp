// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <benchmark/benchmark.h>
#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "basic_reduction.hpp"
#include "benchmarks.hpp"
#include "classifier.hpp"
#include "exact_sum.hpp"
#include "measured_sums.hpp"
#include "view_benchmarks.hpp"

/// \file
/// What the checks of CheckedSpace cost: the same code, in one run, with Views
/// of HostSpace, ScopedSpace and CheckedSpace.

namespace KokkosArena::Perf {

namespace {

using Execution = Kokkos::DefaultHostExecutionSpace;
using Range     = Kokkos::RangePolicy<Execution>;

using InScopedArena  = InArena<Locked>;
using InCheckedArena = InArena<Locked, CheckedSpace<Kokkos::HostSpace>>;

/// Where Views of CheckedSpace are that were made outside of any arena.
struct InCheckedBaseSpace {
  using memory_space = CheckedSpace<Kokkos::HostSpace>;
};

// Kernels. Each has the Views that it works on; in between those that it reads
// and the one made last, its constructor calls \c between.

template <class Space>
class Triad {
 public:
  template <class Between>
  Triad(std::size_t n, Between const& between) : m_a("a", n), m_b("b", n) {
    between();
    m_c = view_type("c", n);
    for (std::size_t i = 0; i < n; ++i) {
      m_a(i) = static_cast<double>(i % 17);
      m_b(i) = static_cast<double>(i % 13);
    }
  }
  void operator()() const {
    Kokkos::parallel_for("triad", Range(0, m_c.extent(0)),
                         [a = m_a, b = m_b, c = m_c, s = m_s](std::size_t i) {
                           c(i) = a(i) + s * b(i);
                         });
  }
  bool is_right() const {
    bool right = true;
    for (std::size_t i = 0; i < m_c.extent(0); ++i) {
      right = right && m_c(i) == static_cast<double>(i % 17 + 2 * (i % 13));
    }
    return right;
  }

 private:
  using view_type = Kokkos::View<double*, Space>;
  view_type m_a, m_b, m_c;
  double m_s = 2;
};

template <class Space>
class Dot {
 public:
  template <class Between>
  Dot(std::size_t n, Between const& between) : m_a("a", n) {
    between();
    m_b = view_type("b", n);
    for (std::size_t i = 0; i < n; ++i) {
      m_a(i) = static_cast<double>(i % 17);
      m_b(i) = static_cast<double>(i % 13);
      m_expected += static_cast<double>((i % 17) * (i % 13));
    }
  }
  void operator()() {
    Kokkos::parallel_reduce(
        "dot", Range(0, m_a.extent(0)),
        [a = m_a, b = m_b](std::size_t i, double& sum) { sum += a(i) * b(i); },
        m_result);
    auto* result = &m_result;
    benchmark::DoNotOptimize(result);
    benchmark::ClobberMemory();
  }
  bool is_right() const { return m_result == m_expected; }

 private:
  using view_type = Kokkos::View<double*, Space>;
  view_type m_a, m_b;
  double m_result   = 0;
  double m_expected = 0;
};

/// Five points, on the inner of n x n.
template <class Space>
class Stencil {
 public:
  template <class Between>
  Stencil(std::size_t n, Between const& between) : m_a("a", n, n) {
    between();
    m_c = view_type("c", n, n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) m_a(i, j) = value(i, j);
    }
  }
  bool is_right() const {
    bool right = true;
    for (std::size_t i = 1; i + 1 < m_c.extent(0); ++i) {
      for (std::size_t j = 1; j + 1 < m_c.extent(1); ++j) {
        right = right && m_c(i, j) == value(i - 1, j) + value(i + 1, j) +
                                          value(i, j - 1) + value(i, j + 1) -
                                          4 * value(i, j);
      }
    }
    return right;
  }

 protected:
  using view_type = Kokkos::View<double**, Space>;
  view_type m_a, m_c;

 private:
  static double value(std::size_t i, std::size_t j) {
    return static_cast<double>((7 * i + 5 * j) % 17);
  }
};

template <class Space>
struct StencilOfPoints : Stencil<Space> {
  using Stencil<Space>::Stencil;
  void operator()() const {
    auto const n = this->m_a.extent_int(0);
    Kokkos::parallel_for("stencil_of_points",
                         Kokkos::MDRangePolicy<Execution, Kokkos::Rank<2>>(
                             {1, 1}, {n - 1, n - 1}),
                         [a = this->m_a, c = this->m_c](int i, int j) {
                           c(i, j) = a(i - 1, j) + a(i + 1, j) + a(i, j - 1) +
                                     a(i, j + 1) - 4 * a(i, j);
                         });
  }
};

template <class Space>
struct StencilOfRows : Stencil<Space> {
  using Stencil<Space>::Stencil;
  void operator()() const {
    auto const n = this->m_a.extent_int(0);
    Kokkos::parallel_for("stencil_of_rows", Range(1, n - 1),
                         [a = this->m_a, c = this->m_c, n](int i) {
                           for (int j = 1; j < n - 1; ++j) {
                             c(i, j) = a(i - 1, j) + a(i + 1, j) + a(i, j - 1) +
                                       a(i, j + 1) - 4 * a(i, j);
                           }
                         });
  }
};

template <class Kernel>
void measure(benchmark::State& state, Kernel& kernel) {
  Execution().fence();
  for (auto _ : state) {
    kernel();
    Execution().fence();
  }
  if (!kernel.is_right()) state.SkipWithError("wrong result");
}

std::size_t size_of(benchmark::State const& state) {
  return static_cast<std::size_t>(state.range(0));
}

template <class Where, template <class> class Kernel>
void kernel_in_one_place(benchmark::State& state) {
  [[maybe_unused]] Where const where;
  Kernel<typename Where::memory_space> kernel(size_of(state), [] {});
  measure(state, kernel);
}

/// The View made last is a frame's within that of the others. Another one has
/// been there before, so that addresses around those of the others are dropped.
template <class Where, template <class> class Kernel>
void kernel_in_two_frames(benchmark::State& state) {
  using kernel_type = Kernel<typename Where::memory_space>;
  Where where;
  auto const n = size_of(state);
  kernel_type const first(n, [] {});
  ArenaFrame const outer(where.arena);
  std::optional<ArenaFrame> inner;
  kernel_type kernel(n, [&] {
    {
      ArenaFrame const before(where.arena);
      kernel_type const dropped(n, [] {});
    }
    inner.emplace(where.arena);
  });
  measure(state, kernel);
}

// Inference.

constexpr std::size_t batch_size = 32;
constexpr std::size_t classes    = 10;
constexpr std::size_t layers     = 3;

/// \param[in] width  Of the inputs, and of each layer but the last.
template <class Space>
library::Classifier<Space> make_classifier(std::size_t width) {
  library::Classifier<Space> classifier;
  for (std::size_t l = 0; l < layers; ++l) {
    auto const outputs = l + 1 < layers ? width : classes;
    library::Layer<Space> const layer{
        library::Matrix<Space>("weights", outputs, width),
        library::Vector<Space>("bias", outputs)};
    for (std::size_t j = 0; j < outputs; ++j) {
      layer.bias(j) = static_cast<double>(j % 3) / 4;
      for (std::size_t k = 0; k < width; ++k) {
        layer.weights(j, k) = (static_cast<double>((3 * j + 5 * k) % 7) - 3) /
                              static_cast<double>(width);
      }
    }
    classifier.layers.push_back(layer);
  }
  return classifier;
}

template <class Space>
library::Matrix<Space> make_batch(std::size_t width) {
  library::Matrix<Space> const batch("batch", batch_size, width);
  for (std::size_t i = 0; i < batch_size; ++i) {
    for (std::size_t k = 0; k < width; ++k) {
      batch(i, k) = static_cast<double>((11 * i + 7 * k) % 23) / 8;
    }
  }
  return batch;
}

/// \return A sum in which each class counts differently.
template <class Space>
double score(library::Classifier<Space> const& classifier,
             library::Matrix<Space> const& batch) {
  auto const y = classifier(batch);
  double sum   = 0;
  for (std::size_t i = 0; i < y.extent(0); ++i) {
    for (std::size_t j = 0; j < y.extent(1); ++j) {
      sum += static_cast<double>(j + 1) * y(i, j);
    }
  }
  return sum;
}

template <class Where>
void inference(benchmark::State& state) {
  using space         = typename Where::memory_space;
  auto const width    = size_of(state);
  auto const expected = score(make_classifier<Kokkos::HostSpace>(width),
                              make_batch<Kokkos::HostSpace>(width));
  // From outside of the arena, so that they stay.
  auto const classifier = make_classifier<space>(width);
  auto const batch      = make_batch<space>(width);
  Where where;
  auto const cycle = [&] {
    auto const result = score(classifier, batch);
    where.next_cycle();
    return result;
  };
  // An arena that grows has found its size after the second cycle.
  for (int warm_up = 0; warm_up < 3; ++warm_up) cycle();
  for (auto _ : state) {
    // The same operations, though perhaps other instructions.
    if (std::abs(cycle() - expected) > 1e-12 * expected) {
      state.SkipWithError("wrong result");
      break;
    }
  }
}

// Lifetimes.

template <class Where>
void reduction(benchmark::State& state) {
  Where where;
  auto const n = size_of(state);
  // From outside the arena, so that it stays when the arena starts again.
  Kokkos::View<double*, typename Where::memory_space> const a = make_input(n);
  auto const cycle                                            = [&] {
    auto const sum = library::basic_reduction(a);
    where.next_cycle();
    return sum;
  };
  // Until the pages have been touched that checked cycles share.
  measure_sums(state, n, cycle, 200);
}

/// \return The sum of what the frames' Views hold, which is the depth.
template <class Where>
double nest(Where& where, std::ptrdiff_t depth) {
  if (depth == 0) return 0;
  ArenaFrame const frame(where.arena);
  view_in<Where> const view(
      Kokkos::view_alloc("of frame", Kokkos::WithoutInitializing), 10);
  view(0)          = 1;
  auto const inner = nest(where, depth - 1);
  return inner + view(0);
}

/// Frames within frames; the time is that of one.
template <class Where>
void nested_frames(benchmark::State& state) {
  auto const depth = state.range(0);
  Where where;
  using clock = std::chrono::steady_clock;
  for (auto _ : state) {
    auto const begin = clock::now();
    if (nest(where, depth) != static_cast<double>(depth)) {
      state.SkipWithError("wrong result");
      break;
    }
    state.SetIterationTime(
        std::chrono::duration<double>(clock::now() - begin).count() /
        static_cast<double>(depth));
  }
}

template <class Where>
void frame_with_temporary(benchmark::State& state) {
  Where where;
  auto const n = size_of(state);
  for (auto _ : state) {
    ArenaFrame const frame(where.arena);
    view_in<Where> const view(
        Kokkos::view_alloc("tmp", Kokkos::WithoutInitializing), n);
    auto* data = view.data();
    benchmark::DoNotOptimize(data);
  }
}

/// One View of so many bytes is made, written and dropped, and then only the
/// reset is measured.
template <class Where>
void reset_alone(benchmark::State& state) {
  Where where;
  auto const n    = size_of(state) / sizeof(double);
  auto const fill = [n] {
    view_in<Where> const view("tmp", n);
    auto* data = view.data();
    benchmark::DoNotOptimize(data);
    benchmark::ClobberMemory();
  };
  for (int warm_up = 0; warm_up < 3; ++warm_up) {
    fill();
    where.next_cycle();
  }
  using clock = std::chrono::steady_clock;
  for (auto _ : state) {
    fill();
    Execution().fence();
    auto const begin = clock::now();
    where.next_cycle();
    Execution().fence();
    state.SetIterationTime(
        std::chrono::duration<double>(clock::now() - begin).count());
  }
}

/// The same with all that belongs to a cycle.
template <class Where>
void reset_and_touch(benchmark::State& state) {
  Where where;
  auto const n = size_of(state) / sizeof(double);
  for (auto _ : state) {
    {
      view_in<Where> const view("tmp", n);
      auto* data = view.data();
      benchmark::DoNotOptimize(data);
      benchmark::ClobberMemory();
    }
    where.next_cycle();
  }
}

template <class Function>
auto* add(std::string const& name, Function const& function) {
  return benchmark::RegisterBenchmark(name, function)->UseRealTime();
}

template <template <class> class Kernel>
void register_kernel(std::string const& name, std::ptrdiff_t n) {
  add(name + "/HostSpace", kernel_in_one_place<InHostSpace, Kernel>)->Arg(n);
  add(name + "/ScopedSpace", kernel_in_one_place<InScopedArena, Kernel>)
      ->Arg(n);
  add(name + "/CheckedSpace", kernel_in_one_place<InCheckedArena, Kernel>)
      ->Arg(n);
  add(name + "/CheckedSpace_outside",
      kernel_in_one_place<InCheckedBaseSpace, Kernel>)
      ->Arg(n);
  add(name + "_two_frames/ScopedSpace",
      kernel_in_two_frames<InScopedArena, Kernel>)
      ->Arg(n);
  add(name + "_two_frames/CheckedSpace",
      kernel_in_two_frames<InCheckedArena, Kernel>)
      ->Arg(n);
}

template <class Where>
void register_lifetimes(std::string const& where) {
  for (auto const& [name, function] :
       {std::pair("View_uninitialized/", view_uninitialized<Where>),
        std::pair("View_initialized/", view_initialized<Where>),
        std::pair("similar/", similar_to_view<Where>)}) {
    add(name + where, function)->Arg(16)->Arg(256)->Arg(4096)->Arg(100000);
  }
  for (auto const width : {16, 128}) {
    add("inference/" + where, inference<Where>)->Arg(width);
  }
}

template <class Where>
void register_cycles(std::string const& where) {
  add("reduction/" + where, reduction<Where>)->Arg(256);
  add("frame_with_temporary/" + where, frame_with_temporary<Where>)->Arg(256);
  benchmark::RegisterBenchmark("nested_frames/" + where, nested_frames<Where>)
      ->Arg(1000)
      ->Arg(10000)
      ->UseManualTime()
      ->Iterations(20);
  for (auto const kibibytes : {64, 1024, 65536}) {
    auto const bytes = std::ptrdiff_t(kibibytes) << 10;
    add("reset_and_touch/" + where, reset_and_touch<Where>)->Arg(bytes);
    benchmark::RegisterBenchmark("reset/" + where, reset_alone<Where>)
        ->Arg(bytes)
        ->UseManualTime()
        // Most of the time passes outside of what is measured.
        ->Iterations(kibibytes > 1024 ? 10 : 1000);
  }
}

}  // namespace

void register_benchmarks() {
  constexpr std::ptrdiff_t elements = 10000;
  constexpr std::ptrdiff_t side     = 100;
  register_kernel<Triad>("triad", elements);
  register_kernel<Dot>("dot", elements);
  register_kernel<StencilOfPoints>("stencil_of_points", side);
  register_kernel<StencilOfRows>("stencil_of_rows", side);
  register_lifetimes<InHostSpace>("HostSpace");
  register_lifetimes<InScopedArena>("ScopedSpace");
  register_lifetimes<InCheckedArena>("CheckedSpace");
  register_cycles<InScopedArena>("ScopedSpace");
  register_cycles<InCheckedArena>("CheckedSpace");
}

}  // namespace KokkosArena::Perf
