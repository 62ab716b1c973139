// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The figures that an arena gives, and how they are printed.
#include <KokkosArena_TestConfig.hpp>

#include <algorithm>
#include <cstdint>
#include <iomanip>
#include <ios>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaScope;
using KokkosArena::ArenaStatistics;

using View = Kokkos::View<double*, Scoped>;

// ------------------------------------------------------------------- printing

/// Every figure different, and none part of another.
ArenaStatistics example() {
  ArenaStatistics s;
  s.capacity_bytes              = 900001;
  s.used_bytes                  = 800002;
  s.live_bytes                  = 700003;
  s.peak_bytes                  = 850004;
  s.peak_live_bytes             = 750005;
  s.live_allocations            = 606;
  s.total_allocations           = 5007;
  s.upstream_allocations        = 408;
  s.upstream_bytes              = 9900009;
  s.blocks                      = 310;
  s.retired_blocks              = 211;
  s.retired_bytes               = 120012;
  s.resets                      = 113;
  s.escaped_views               = 514;
  s.unscoped_worker_allocations = 615;
  s.failed_handle_allocations   = 716;
  s.failed_adoptions            = 817;
  s.label                       = "arena of the solver";
  return s;
}

std::string printed(ArenaStatistics const& s) {
  std::ostringstream out;
  out << s;
  return out.str();
}

/// The numbers in a text.
std::vector<std::string> numbers(std::string const& text) {
  std::vector<std::string> result;
  bool in_number = false;
  for (char const c : text) {
    bool const digit = c >= '0' && c <= '9';
    if (digit && !in_number) result.emplace_back();
    if (digit) result.back() += c;
    in_number = digit;
  }
  return result;
}

TEST(statistics, print_as_one_paragraph_with_the_label) {
  auto const text = printed(example());
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_NE(text.find("\"arena of the solver\""), std::string::npos) << text;
  EXPECT_NE(text.back(), ' ');
}

TEST(statistics, print_every_figure_once) {
  auto const found = numbers(printed(example()));
  for (std::uint64_t const figure :
       {900001, 800002, 700003, 850004, 750005, 606, 5007, 408, 9900009, 310,
        211, 120012, 113, 514, 615, 716, 817}) {
    EXPECT_EQ(std::count(found.begin(), found.end(), std::to_string(figure)), 1)
        << figure;
  }
  EXPECT_EQ(found.size(), 17u);
}

TEST(statistics, print_the_largest_figures) {
  auto s       = example();
  s.used_bytes = std::numeric_limits<std::uint64_t>::max();
  EXPECT_NE(printed(s).find("18446744073709551615"), std::string::npos);
}

TEST(statistics, print_what_an_arena_gives) {
  ArenaOptions options;
  options.label = "printed";
  Arena<Host> arena(options);
  arena.allocate(100);
  auto const text = printed(arena.statistics());
  EXPECT_NE(text.find("arena \"printed\""), std::string::npos) << text;
  EXPECT_NE(text.find(std::to_string(arena.statistics().capacity_bytes)),
            std::string::npos)
      << text;
}

TEST(statistics, print_the_same_whatever_the_streams_state) {
  auto const plain = printed(example());
  std::ostringstream out;
  out << std::hex << std::showbase << std::showpos << std::uppercase
      << std::setfill('*') << std::left << std::setprecision(1)
      << std::scientific << example();
  EXPECT_EQ(out.str(), plain);
  out.str("");
  out << std::setw(30) << std::setfill('*') << example();
  EXPECT_EQ(out.str(), plain);
}

TEST(statistics, leave_the_streams_state_as_it_was_when_printed) {
  std::ostringstream out;
  out << std::hex << std::showbase << std::setfill('*') << std::left
      << std::setprecision(3);
  auto const flags = out.flags();
  out << example();
  EXPECT_EQ(out.flags(), flags);
  EXPECT_EQ(out.fill(), '*');
  EXPECT_EQ(out.precision(), 3);
  out.str("");
  out << 255 << std::setw(4) << 1;
  EXPECT_EQ(out.str(), "0xff0x1*");
}

TEST(statistics, can_be_chained_in_a_stream) {
  std::ostringstream out;
  out << '[' << example() << ']' << 5;
  EXPECT_EQ(out.str(), '[' + printed(example()) + "]5");
}

// --------------------------------------------------------------------- counts

template <class C>
struct statistics_of : WithUpstream<CountingSpace> {
  using Tested = typename C::template arena_type<CountingSpace>;
  using Space  = KokkosArenaTest::ArenaSpace<CountingSpace>;
};
TYPED_TEST_SUITE(statistics_of, All, ConfigName);

constexpr std::size_t KiB = 1024;

TYPED_TEST(statistics_of, start_at_zero_but_for_a_fixed_block) {
  typename TestFixture::Tested const arena(TypeParam::options(64 * KiB));
  ArenaStatistics expected;
  expected.label = "tested arena";
  if (TypeParam::is_fixed) {
    expected.capacity_bytes       = 64 * KiB;
    expected.upstream_bytes       = 64 * KiB;
    expected.upstream_allocations = 1;
    expected.blocks               = 1;
    expected.free_bytes           = 64 * KiB;
    expected.largest_free_bytes   = 64 * KiB;
  }
  EXPECT_EQ(figures(arena.statistics()), figures(expected));
}

TYPED_TEST(statistics_of, are_exact_after_a_script_of_operations) {
  typename TestFixture::Tested arena(TypeParam::options(64 * KiB));
  typename TestFixture::Space const space(arena);

  // Two that count as Views, and one that does not.
  void* const first  = space.allocate("first", 1000);
  void* const second = space.allocate("second", 128);
  void* const raw    = arena.allocate(100);
  auto s             = arena.statistics();
  EXPECT_EQ(s.live_allocations, 2u);
  EXPECT_EQ(s.live_bytes, 1024u + 128u);
  EXPECT_EQ(s.used_bytes, 1024u + 128u + 128u);
  EXPECT_EQ(s.peak_bytes, 1280u);
  EXPECT_EQ(s.peak_live_bytes, 1152u);
  EXPECT_EQ(s.total_allocations, 3u);
  EXPECT_EQ(s.resets, 0u);

  // A hole stays used; freeing the newest closes it too.
  space.deallocate("second", second, 128);
  s = arena.statistics();
  EXPECT_EQ(s.live_allocations, 1u);
  EXPECT_EQ(s.live_bytes, 1024u);
  EXPECT_EQ(s.used_bytes, 1280u);
  arena.deallocate(raw);
  s = arena.statistics();
  EXPECT_EQ(s.used_bytes, 1024u);
  EXPECT_EQ(s.peak_bytes, 1280u);
  EXPECT_EQ(s.peak_live_bytes, 1152u);

  // One survives the reset.
  arena.allocate(100);
  arena.reset();
  s = arena.statistics();
  EXPECT_EQ(s.resets, 1u);
  EXPECT_EQ(s.escaped_views, 1u);
  EXPECT_EQ(s.live_allocations, 1u);
  EXPECT_EQ(s.live_bytes, 1024u);
  EXPECT_EQ(s.total_allocations, 4u);
  EXPECT_EQ(s.peak_bytes, 1280u);
  if (TypeParam::is_fixed) {
    EXPECT_EQ(s.used_bytes, 1024u);
    EXPECT_EQ(s.blocks, 1u);
    EXPECT_EQ(s.capacity_bytes, 64 * KiB);
    EXPECT_EQ(s.retired_blocks, 0u);
    EXPECT_EQ(s.retired_bytes, 0u);
  } else {
    EXPECT_EQ(s.used_bytes, 0u);
    EXPECT_EQ(s.blocks, 0u);
    EXPECT_EQ(s.capacity_bytes, 0u);
    EXPECT_EQ(s.retired_blocks, 1u);
    EXPECT_EQ(s.retired_bytes, CountingSpace::log().live_bytes());
  }
  EXPECT_EQ(s.upstream_allocations, 1u);

  // It is counted again by each reset, and its end is seen.
  arena.reset();
  EXPECT_EQ(arena.statistics().escaped_views, 2u);
  space.deallocate("first", first, 1000);
  arena.reset();
  s = arena.statistics();
  EXPECT_EQ(s.resets, 3u);
  EXPECT_EQ(s.escaped_views, 2u);
  EXPECT_EQ(s.live_allocations, 0u);
  EXPECT_EQ(s.live_bytes, 0u);
  EXPECT_EQ(s.used_bytes, 0u);
  EXPECT_EQ(s.retired_blocks, 0u);
  EXPECT_EQ(s.retired_bytes, 0u);
  EXPECT_EQ(s.peak_bytes, 1280u);
  EXPECT_EQ(s.peak_live_bytes, 1152u);
  EXPECT_EQ(s.total_allocations, 4u);
  EXPECT_EQ(s.label, "tested arena");
}

TYPED_TEST(statistics_of, agree_with_what_the_upstream_saw) {
  typename TestFixture::Tested arena(TypeParam::options(1024 * KiB));
  typename TestFixture::Space const space(arena);
  std::size_t asked = 0, requests = 0;
  std::vector<void*> alive;
  auto const check = [&] {
    auto const& log = CountingSpace::log();
    for (; requests < log.requests.size(); ++requests) {
      asked += log.requests[requests];
    }
    auto const s = arena.statistics();
    EXPECT_EQ(s.upstream_allocations, log.allocations);
    EXPECT_EQ(s.upstream_bytes, asked);
    EXPECT_EQ(s.blocks + s.retired_blocks, log.live.size());
    EXPECT_EQ(s.capacity_bytes + s.retired_bytes, log.live_bytes());
    EXPECT_EQ(s.live_allocations, alive.size());
  };
  check();
  for (int cycle = 0; cycle < 4; ++cycle) {
    for (int i = 0; i < 20; ++i) {
      alive.push_back(space.allocate("view", 10 * KiB));
      arena.allocate(KiB);
    }
    check();
    while (alive.size() > 1) {
      space.deallocate("view", alive.back(), 10 * KiB);
      alive.pop_back();
    }
    arena.reset();
    check();
    space.deallocate("view", alive.back(), 10 * KiB);
    alive.clear();
    check();
  }
  arena.release();
  check();
  EXPECT_EQ(arena.statistics().capacity_bytes, 0u);
  EXPECT_GE(CountingSpace::log().allocations, 1u);
}

TEST(statistics, count_views_and_their_copies_once) {
  Arena<Host> arena;
  ArenaScope const scope(arena);
  {
    View const view("view", 1000);
    View const copy    = view;
    auto const subview = Kokkos::subview(view, Kokkos::pair(10, 20));
    View const unmanaged(view.data(), 10);
    auto const s = arena.statistics();
    EXPECT_EQ(s.live_allocations, 1u);
    EXPECT_EQ(s.total_allocations, 1u);
    EXPECT_GE(s.live_bytes, 1000 * sizeof(double));
    EXPECT_LE(s.live_bytes, 1000 * sizeof(double) + 1024);
    EXPECT_EQ(s.used_bytes, s.live_bytes);
  }
  auto const s = arena.statistics();
  EXPECT_EQ(s.live_allocations, 0u);
  EXPECT_EQ(s.live_bytes, 0u);
  EXPECT_EQ(s.used_bytes, 0u);
  EXPECT_GE(s.peak_live_bytes, 1000 * sizeof(double));
  EXPECT_EQ(s.peak_live_bytes, s.peak_bytes);
}

TEST(statistics, are_a_snapshot_that_outlives_the_arena) {
  ArenaStatistics s;
  {
    ArenaOptions options;
    options.label = "a label that is too long for the small string";
    Arena<Host> arena(options);
    arena.allocate(1);
    s = arena.statistics();
    arena.allocate(1);
  }
  EXPECT_EQ(s.total_allocations, 1u);
  EXPECT_EQ(s.label, "a label that is too long for the small string");
}

TEST(statistics, print_the_same_whatever_the_streams_width) {
  std::ostringstream plain, wide;
  plain << ArenaStatistics{};
  wide << std::setw(1000) << std::setfill('*') << ArenaStatistics{};
  EXPECT_EQ(wide.str(), plain.str());
}

}  // namespace
