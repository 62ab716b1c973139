// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A chain of layers, each of whose outputs outlives its input, as in a network
// or a multi-stage filter: two arrays are alive at a time, ten are made.

#include <KokkosArena_TestConfig.hpp>

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace KokkosArenaTest;

using View = Kokkos::View<double*, Scoped>;

constexpr std::size_t layers   = 10;
constexpr std::size_t smallest = 10'000;
constexpr std::size_t largest  = 1'000'000;

/// Of peak bytes to the most that were ever live at once.
constexpr double bound = 1.25;

/// Elements of each layer's output.
using Sizes = std::array<std::size_t, layers>;

struct Distribution {
  std::string name;
  Sizes sizes;
  friend std::ostream& operator<<(std::ostream& out, Distribution const& d) {
    return out << d.name << ' ' << ::testing::PrintToString(d.sizes);
  }
};

template <class F>
Distribution make(std::string name, F const& size_of) {
  Distribution result{std::move(name), {}};
  for (std::size_t i = 0; i < layers; ++i) result.sizes[i] = size_of(i);
  return result;
}

std::vector<Distribution> distributions() {
  std::vector<Distribution> result{
      make("equal", [](std::size_t) { return std::size_t(500'000); }),
      make("growing",
           [](std::size_t i) {
             return smallest + i * (largest - smallest) / (layers - 1);
           }),
      make("shrinking",
           [](std::size_t i) {
             return largest - i * (largest - smallest) / (layers - 1);
           }),
      make("alternating",
           [](std::size_t i) { return i % 2 ? largest : smallest; }),
      make("doubling",
           [](std::size_t i) {
             return smallest << std::min<std::size_t>(i, 6);
           }),
      make("halving", [](std::size_t i) {
        return largest >> std::min<std::size_t>(i, 6);
      })};
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Random random(seed);
    result.push_back(make("random_" + std::to_string(seed), [&](std::size_t) {
      return smallest + random.below(largest - smallest + 1);
    }));
  }
  return result;
}

struct WithMakeView {
  static View make(std::size_t n) {
    return KokkosArena::make_view<View>("layer", n);
  }
};
struct WithConstructor {
  static View make(std::size_t n) {
    return View(Kokkos::view_alloc("layer", Kokkos::WithoutInitializing), n);
  }
};

/// The most at once of one cycle.
struct Peaks {
  std::uint64_t used = 0;
  std::uint64_t live = 0;
  double ratio() const {
    return static_cast<double>(used) / static_cast<double>(live);
  }
};

template <class Form, class ArenaType>
Peaks run_chain(ArenaType& arena, Sizes const& sizes) {
  Peaks peaks;
  {
    KokkosArena::ArenaScope const scope(arena);
    View input;
    for (auto const n : sizes) {
      View output = Form::make(n);
      // Both figures rise only here.
      auto const s = arena.statistics();
      peaks.used   = std::max(peaks.used, s.used_bytes);
      peaks.live   = std::max(peaks.live, s.live_bytes);
      input        = output;
    }
  }
  arena.reset();
  return peaks;
}

template <class Sync, class Form>
void check(Distribution const& distribution) {
  KokkosArena::Arena<Host, Sync> arena;
  auto const first = run_chain<Form>(arena, distribution.sizes);
  EXPECT_LE(first.ratio(), bound)
      << "first cycle: " << first.used << " of " << first.live;
  for (int i = 0; i < 9; ++i) run_chain<Form>(arena, distribution.sizes);
  auto const before = arena.statistics();
  auto const later  = run_chain<Form>(arena, distribution.sizes);
  auto const s      = arena.statistics();
  EXPECT_EQ(s.upstream_allocations, before.upstream_allocations);
  EXPECT_EQ(s.blocks, 1u);
  EXPECT_LE(later.ratio(), bound)
      << "converged: " << later.used << " of " << later.live;
  // The arena's own figures, of all cycles.
  EXPECT_GE(s.peak_bytes, std::max(first.used, later.used));
  EXPECT_EQ(s.peak_live_bytes, first.live);
  EXPECT_LE(static_cast<double>(s.peak_bytes),
            bound * static_cast<double>(s.peak_live_bytes));
}

class chain : public ::testing::TestWithParam<Distribution> {};

TEST_P(chain, peaks_near_what_is_live_with_make_view) {
  check<KokkosArena::Unsynchronized, WithMakeView>(GetParam());
}
TEST_P(chain, peaks_near_what_is_live_with_make_view_locked) {
  check<KokkosArena::Locked, WithMakeView>(GetParam());
}
TEST_P(chain, peaks_near_what_is_live_with_make_view_thread_cached) {
  check<KokkosArena::ThreadCached, WithMakeView>(GetParam());
}
TEST_P(chain, peaks_near_what_is_live_with_constructor) {
  check<KokkosArena::Unsynchronized, WithConstructor>(GetParam());
}
TEST_P(chain, peaks_near_what_is_live_with_constructor_locked) {
  check<KokkosArena::Locked, WithConstructor>(GetParam());
}
TEST_P(chain, peaks_near_what_is_live_with_constructor_thread_cached) {
  check<KokkosArena::ThreadCached, WithConstructor>(GetParam());
}

INSTANTIATE_TEST_SUITE_P(sizes, chain, ::testing::ValuesIn(distributions()),
                         [](auto const& test) { return test.param.name; });

}  // namespace
