// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Views that kernels take by a handle, on host backends.
#include <KokkosArena_TestConfig.hpp>

#include <algorithm>
#include <complex>
#include <limits>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#ifdef KOKKOS_ENABLE_OPENMP
#include <omp.h>
#endif

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaFrame;
using KokkosArena::ArenaHandle;
using KokkosArena::ArenaOptions;
using KokkosArena::Locked;
using KokkosArena::ThreadCached;
using KokkosArena::Unsynchronized;

using Exec = Kokkos::DefaultHostExecutionSpace;

constexpr std::size_t KiB  = std::size_t(1) << 10;
constexpr std::size_t most = std::numeric_limits<std::size_t>::max();

struct SyncName {
  template <class Sync>
  static std::string GetName(int) {
    if (std::is_same_v<Sync, Locked>) return "locked";
    return std::is_same_v<Sync, ThreadCached> ? "thread_cached"
                                              : "unsynchronized";
  }
};

// What holds for every sync policy, shown by one thread.

template <class Sync>
struct arena_handle : ::testing::Test {
  using Tested = Arena<Host, Sync>;
  using Handle = ArenaHandle<Host, Sync>;

  static_assert(std::is_trivially_copyable_v<Handle>);
  static_assert(
      std::is_same_v<decltype(std::declval<Tested&>().handle()), Handle>);
  static_assert(noexcept(std::declval<Handle const&>().allocate(1)));
  static_assert(
      noexcept(std::declval<Handle const&>().template view<double*>(1)));
  static_assert(
      std::is_same_v<
          decltype(std::declval<Handle const&>().template view<double**>(1, 1)),
          Kokkos::View<double**, Kokkos::Device<Exec, Host>,
                       Kokkos::MemoryTraits<Kokkos::Unmanaged>>>);

  static std::uint64_t failures(Tested const& arena) {
    return arena.statistics().failed_handle_allocations;
  }
};
using AllSync = ::testing::Types<Unsynchronized, Locked, ThreadCached>;
TYPED_TEST_SUITE(arena_handle, AllSync, SyncName);

/// Whether the View has these extents, over memory that is aligned as its
/// elements need, and keeps what is written to it.
template <class ViewType>
::testing::AssertionResult is_usable(ViewType const& view,
                                     std::vector<std::size_t> const& extents) {
  using value_type = typename ViewType::value_type;
  auto const alignment =
      std::max<std::size_t>(64, alignof(typename ViewType::value_type));
  if (!view.data()) return ::testing::AssertionFailure() << "a null View";
  if (address_of(view.data()) % alignment != 0) {
    return ::testing::AssertionFailure() << view.data() << " is not aligned";
  }
  if (extents.size() != ViewType::rank) {
    return ::testing::AssertionFailure() << "rank is " << ViewType::rank;
  }
  std::size_t size = 1;
  for (std::size_t r = 0; r < extents.size(); ++r) {
    size *= extents[r];
    if (view.extent(r) != extents[r]) {
      return ::testing::AssertionFailure()
             << "extent " << r << " is " << view.extent(r);
    }
  }
  if (view.span() != size || !view.span_is_contiguous()) {
    return ::testing::AssertionFailure() << "the span is " << view.span();
  }
  auto* const data = view.data();
  std::memset(static_cast<void*>(data), 0x5a, size * sizeof(value_type));
  for (std::size_t i = 0; i < size * sizeof(value_type); ++i) {
    if (reinterpret_cast<unsigned char const*>(data)[i] != 0x5a) {
      return ::testing::AssertionFailure() << "byte " << i << " has changed";
    }
  }
  return ::testing::AssertionSuccess();
}

TYPED_TEST(arena_handle, view_has_the_rank_and_extents_asked_for) {
  typename TestFixture::Tested arena;
  auto const handle = arena.handle();
  EXPECT_TRUE(is_usable(handle.template view<double>(), {}));
  EXPECT_TRUE(is_usable(handle.template view<double*>(7), {7}));
  EXPECT_TRUE(is_usable(handle.template view<double**>(7, 3), {7, 3}));
  EXPECT_TRUE(is_usable(handle.template view<char***>(7, 3, 5), {7, 3, 5}));
  EXPECT_TRUE(
      is_usable(handle.template view<int****>(2, 3, 5, 4), {2, 3, 5, 4}));
  EXPECT_TRUE(
      is_usable(handle.template view<float********>(2, 1, 3, 1, 2, 1, 2, 1),
                {2, 1, 3, 1, 2, 1, 2, 1}));
  EXPECT_EQ(arena.statistics().total_allocations, 6u);
  EXPECT_EQ(TestFixture::failures(arena), 0u);
}

TYPED_TEST(arena_handle, view_takes_static_extents_from_the_type) {
  typename TestFixture::Tested arena;
  auto const handle = arena.handle();
  EXPECT_TRUE(is_usable(handle.template view<double[4]>(), {4}));
  EXPECT_TRUE(is_usable(handle.template view<double[4][5]>(), {4, 5}));
  EXPECT_TRUE(is_usable(handle.template view<double* [3]>(10), {10, 3}));
  EXPECT_TRUE(
      is_usable(handle.template view<int** [3][2]>(4, 5), {4, 5, 3, 2}));
}

TYPED_TEST(arena_handle, view_takes_extents_of_any_integral_type) {
  typename TestFixture::Tested arena;
  auto const handle = arena.handle();
  EXPECT_TRUE(is_usable(
      handle.template view<int***>(std::size_t(2), static_cast<short>(3), 4L),
      {2, 3, 4}));
}

struct alignas(256) Wide {
  float values[64];
};
struct Aggregate {
  int number = 3;
  double value;
};
enum class Colour : std::uint16_t { red };

TYPED_TEST(arena_handle, view_is_aligned_for_its_elements) {
  typename TestFixture::Tested arena;
  auto const handle = arena.handle();
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(is_usable(handle.template view<char*>(i), {std::size_t(i)}));
    EXPECT_TRUE(is_usable(handle.template view<Wide*>(3), {3}));
    EXPECT_TRUE(is_usable(handle.template view<Wide>(), {}));
    EXPECT_TRUE(is_usable(handle.template view<Aggregate*>(3), {3}));
    EXPECT_TRUE(is_usable(handle.template view<Colour*>(3), {3}));
    EXPECT_TRUE(
        is_usable(handle.template view<Kokkos::complex<double>*>(3), {3}));
    EXPECT_TRUE(is_usable(handle.template view<std::complex<float>*>(3), {3}));
    EXPECT_TRUE(
        is_usable(handle.template view<std::pair<int, double>*>(3), {3}));
  }
}

TYPED_TEST(arena_handle, view_converts_to_one_of_const_elements) {
  typename TestFixture::Tested arena;
  auto const handle = arena.handle();
  auto const view   = handle.template view<double*>(2);
  view(0)           = 1;
  view(1)           = 2;
  Kokkos::View<double const*, Kokkos::HostSpace> const constant = view;
  EXPECT_EQ(constant.data(), view.data());
  EXPECT_EQ(constant(0) + constant(1), 3);
}

TYPED_TEST(arena_handle, views_of_extent_zero_are_distinct_and_not_null) {
  typename TestFixture::Tested arena;
  auto const handle = arena.handle();
  std::set<void*> all;
  for (int i = 0; i < 20; ++i) {
    auto const one = handle.template view<double*>(0);
    auto const two = handle.template view<double**>(0, 1000);
    EXPECT_EQ(one.extent(0), 0u);
    EXPECT_EQ(two.extent(0), 0u);
    EXPECT_EQ(two.extent(1), 1000u);
    all.insert(one.data());
    all.insert(two.data());
    all.insert(handle.allocate(0));
  }
  EXPECT_EQ(all.size(), 60u);
  EXPECT_EQ(all.count(nullptr), 0u);
  EXPECT_EQ(TestFixture::failures(arena), 0u);
}

TYPED_TEST(arena_handle, allocate_aligns_to_the_power_of_two_asked_for) {
  typename TestFixture::Tested arena;
  auto const handle = arena.handle();
  for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
    auto const address = address_of(handle.allocate(10, alignment));
    EXPECT_NE(address, 0u);
    EXPECT_EQ(address % std::max<std::size_t>(64, alignment), 0u);
  }
  EXPECT_EQ(handle.allocate(10, 48), nullptr);
  EXPECT_EQ(handle.allocate(10, 0), nullptr);
  EXPECT_EQ(TestFixture::failures(arena), 2u);
}

TYPED_TEST(arena_handle, what_it_gives_counts_as_used_and_not_as_live) {
  typename TestFixture::Tested arena;
  auto const handle = arena.handle();
  auto const before = arena.statistics();
  auto const view   = handle.template view<double*>(1000);
  auto const after  = arena.statistics();
  ASSERT_NE(view.data(), nullptr);
  EXPECT_GE(after.used_bytes, before.used_bytes + 8000);
  EXPECT_EQ(after.live_bytes, 0u);
  EXPECT_EQ(after.live_allocations, 0u);
  EXPECT_EQ(after.total_allocations, 1u);
}

TYPED_TEST(arena_handle, bytes_to_reserve_are_ignored_on_the_host) {
  typename TestFixture::Tested arena(64 * KiB);
  auto const before = figures(arena.statistics());
  auto const handle = arena.handle(most);
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_TRUE(is_usable(handle.template view<char*>(60 * KiB), {60 * KiB}));
}

/// \return Whether the View is null, with nothing to loop over.
template <class ViewType>
bool is_null(ViewType const& view) {
  bool empty = true;
  for (std::size_t r = 0; r < ViewType::rank_dynamic; ++r) {
    empty = empty && view.extent(r) == 0;
  }
  return !view.data() && empty;
}

TYPED_TEST(arena_handle, view_is_null_and_counted_if_its_size_overflows) {
  for (bool const fixed : {false, true}) {
    typename TestFixture::Tested arena(
        fixed
            ? ArenaOptions{.initial_bytes = 64 * KiB, .maximum_bytes = 64 * KiB}
            : ArenaOptions{});
    auto const handle = arena.handle();
    auto expected     = arena.statistics();
    auto const b31    = std::size_t(1) << 31;
    auto const b33    = std::size_t(1) << 33;
    EXPECT_TRUE(is_null(handle.template view<double*>(most)));
    EXPECT_TRUE(is_null(handle.template view<double*>(most / 8 + 2)));
    EXPECT_TRUE(is_null(handle.template view<char*>(-1)));
    EXPECT_TRUE(is_null(handle.template view<double* [3]>(most / 16)));
    EXPECT_TRUE(is_null(handle.template view<char**>(b31, b33)));
    EXPECT_TRUE(is_null(handle.template view<int***>(b31, b31, 4)));
    EXPECT_TRUE(is_null(handle.template view<char****>(2, most / 2, 3, 1)));
    EXPECT_TRUE(is_null(handle.template view<char***>(most / 2, 3, 0)));
    EXPECT_TRUE(is_null(handle.template view<char***>(0, b33, b33)));
    EXPECT_TRUE(is_null(handle.template view<Wide*>(most / sizeof(Wide))));
    EXPECT_EQ(handle.allocate(most), nullptr);
    EXPECT_EQ(handle.allocate(most - 100, 4096), nullptr);
    expected.failed_handle_allocations = 12;
    EXPECT_EQ(figures(arena.statistics()), figures(expected));
    EXPECT_TRUE(is_usable(handle.template view<char*>(60 * KiB), {60 * KiB}));
  }
}

TYPED_TEST(arena_handle, view_is_null_and_counted_if_the_arena_is_full) {
  typename TestFixture::Tested arena(64 * KiB);
  auto const handle = arena.handle();
  auto const kept   = handle.template view<char*>(48 * KiB);
  ASSERT_TRUE(is_usable(kept, {48 * KiB}));
  fill_pattern(kept, 1);
  auto expected = arena.statistics();
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(is_null(handle.template view<double**>(KiB, 3)));
    ++expected.failed_handle_allocations;
    EXPECT_EQ(figures(arena.statistics()), figures(expected));
  }
  EXPECT_EQ(handle.allocate(17 * KiB), nullptr);
  EXPECT_EQ(handle.template view<double[3 * KiB]>().data(), nullptr);
  EXPECT_TRUE(is_usable(handle.template view<char*>(8 * KiB), {8 * KiB}));
  EXPECT_TRUE(has_pattern(kept, 1));
  EXPECT_EQ(TestFixture::failures(arena), 12u);

  arena.reset();
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
  EXPECT_TRUE(is_usable(handle.template view<double**>(KiB, 7), {KiB, 7}));
  EXPECT_EQ(TestFixture::failures(arena), 12u);
}

TYPED_TEST(arena_handle, fixed_arena_can_be_filled_to_its_last_byte) {
  typename TestFixture::Tested arena(64 * KiB);
  auto const handle = arena.handle();
  EXPECT_TRUE(is_usable(handle.template view<char*>(64 * KiB), {64 * KiB}));
  EXPECT_TRUE(is_null(handle.template view<char*>(1)));
  EXPECT_TRUE(is_null(handle.template view<char*>(0)));
  EXPECT_EQ(TestFixture::failures(arena), 2u);
}

TYPED_TEST(arena_handle, reset_drops_what_it_gave) {
  typename TestFixture::Tested arena;
  auto const handle = arena.handle();
  for (int cycle = 0; cycle < 20; ++cycle) {
    for (std::size_t i = 0; i < 50; ++i) {
      EXPECT_TRUE(is_usable(handle.template view<int*>(i * 100), {i * 100}));
    }
    arena.reset();
    EXPECT_EQ(arena.statistics().used_bytes, 0u);
  }
  auto const warm = arena.statistics();
  EXPECT_EQ(warm.blocks, 1u);
  for (int cycle = 0; cycle < 5; ++cycle) {
    for (int i = 0; i < 50; ++i) {
      EXPECT_NE(handle.template view<int*>(i * 100).data(), nullptr);
    }
    arena.reset();
  }
  EXPECT_EQ(arena.statistics().upstream_allocations, warm.upstream_allocations);
  arena.release();
  EXPECT_EQ(arena.statistics().capacity_bytes, 0u);
  EXPECT_TRUE(is_usable(handle.template view<int*>(100), {100}));
}

TYPED_TEST(arena_handle, rewind_drops_what_is_newer_than_the_mark) {
  typename TestFixture::Tested arena;
  auto const handle = arena.handle();
  auto const old    = handle.template view<int*>(1000);
  fill_pattern(old, 1);
  auto const mark = arena.mark();
  for (int i = 0; i < 100; ++i) {
    auto const recent = handle.template view<int*>(1000);
    fill_pattern(recent, 2);
  }
  arena.rewind(mark);
  EXPECT_LT(arena.statistics().used_bytes, 100u * 4000);
  for (int i = 0; i < 100; ++i) {
    auto const next = handle.template view<int*>(1000);
    ASSERT_NE(next.data(), nullptr);
    fill_pattern(next, 3);
  }
  EXPECT_TRUE(has_pattern(old, 1));
}

TYPED_TEST(arena_handle, frame_drops_what_was_taken_in_it) {
  typename TestFixture::Tested arena;
  auto const handle = arena.handle();
  auto const outer  = handle.template view<int*>(1000);
  fill_pattern(outer, 1);
  {
    ArenaFrame const frame(arena);
    auto const middle = handle.template view<int*>(1000);
    fill_pattern(middle, 2);
    for (int i = 0; i < 10; ++i) {
      ArenaFrame const inner(arena);
      // A managed View of the scope beside an untracked one.
      Kokkos::View<int*, Scoped> const managed("managed", 100);
      auto const view = handle.template view<int*>(1000);
      fill_pattern(managed, 3);
      fill_pattern(view, 4);
      EXPECT_TRUE(has_pattern(managed, 3));
      EXPECT_TRUE(has_pattern(view, 4));
    }
    EXPECT_TRUE(has_pattern(middle, 2));
    EXPECT_EQ(arena.statistics().live_allocations, 0u);
  }
  EXPECT_TRUE(has_pattern(outer, 1));
  EXPECT_LT(arena.statistics().peak_bytes, 10u * 4000)
      << "the inner frames used the same bytes";
}

TYPED_TEST(arena_handle, view_is_null_if_the_upstream_fails) {
  CountingSpace::log() = UpstreamLog{};
  {
    Arena<CountingSpace, TypeParam> arena;
    auto const handle                 = arena.handle();
    CountingSpace::log().fail_request = 0;
    CountingSpace::log().fail_above   = 0;
    EXPECT_EQ(handle.allocate(1000), nullptr);
    EXPECT_EQ(arena.statistics().failed_handle_allocations, 1u);
    EXPECT_EQ(arena.statistics().total_allocations, 0u);
    CountingSpace::log() = UpstreamLog{};
    EXPECT_NE(handle.allocate(1000), nullptr);
  }
  EXPECT_EQ(CountingSpace::log().live.size(), 0u);
}

// What holds for any number of threads in one arena.

template <class Sync>
struct arena_handle_in_kernels : ::testing::Test {
  using Tested = Arena<Host, Sync>;
  using Handle = ArenaHandle<Host, Sync>;
  using View   = typename Handle::template view_type<std::uint32_t**>;

  static constexpr int iterations = 2000;

  /// Of each iteration: a View of its own, with contents of its own.
  class Taken {
   public:
    explicit Taken(int count) : m_views(static_cast<std::size_t>(count)) {}

    void take(Handle const& handle, int i) const {
      auto const view =
          handle.template view<std::uint32_t**>(i % 13, 1 + i % 7);
      fill_pattern(view, static_cast<std::uint64_t>(i));
      m_views[static_cast<std::size_t>(i)] = view;
    }
    bool is_intact(int i) const {
      auto const& view = m_views[static_cast<std::size_t>(i)];
      return view.data() && address_of(view.data()) % 64 == 0 &&
             view.extent_int(0) == i % 13 && view.extent_int(1) == 1 + i % 7 &&
             has_pattern(view, static_cast<std::uint64_t>(i));
    }
    /// Whether all are there, and none shares a byte with another.
    ::testing::AssertionResult are_right() const {
      std::vector<std::pair<std::uintptr_t, std::uintptr_t>> ranges;
      for (std::size_t i = 0; i < m_views.size(); ++i) {
        if (!is_intact(static_cast<int>(i))) {
          return ::testing::AssertionFailure() << "View " << i << " is wrong";
        }
        auto const begin = address_of(m_views[i].data());
        ranges.emplace_back(
            begin, begin + std::max<std::size_t>(1, 4 * m_views[i].span()));
      }
      std::sort(ranges.begin(), ranges.end());
      for (std::size_t i = 1; i < ranges.size(); ++i) {
        if (ranges[i].first < ranges[i - 1].second) {
          return ::testing::AssertionFailure() << "two Views overlap";
        }
      }
      return ::testing::AssertionSuccess();
    }

   private:
    mutable std::vector<View> m_views;
  };

  /// Runs a kernel that shall take \c iterations Views, for several cycles.
  template <class Kernel>
  void expect_right(Kernel const& kernel) {
    Tested arena;
    auto const handle = arena.handle();
    for (unsigned cycle = 1; cycle <= 3; ++cycle) {
      Taken const taken(iterations);
      kernel(handle, taken);
      EXPECT_TRUE(taken.are_right());
      auto const s = arena.statistics();
      EXPECT_EQ(s.total_allocations, cycle * unsigned{iterations});
      EXPECT_EQ(s.live_allocations, 0u);
      EXPECT_EQ(s.failed_handle_allocations, 0u);
      EXPECT_GE(s.used_bytes, 64u * iterations);
      arena.reset();
      EXPECT_EQ(arena.statistics().used_bytes, 0u);
    }
  }
};
using SharedSync = ::testing::Types<Locked, ThreadCached>;
TYPED_TEST_SUITE(arena_handle_in_kernels, SharedSync, SyncName);

TYPED_TEST(arena_handle_in_kernels, parallel_for_takes_views) {
  this->expect_right([](auto const handle, auto const& taken) {
    Kokkos::parallel_for(Kokkos::RangePolicy<Exec>(0, TestFixture::iterations),
                         [handle, &taken](int i) { taken.take(handle, i); });
  });
}

TYPED_TEST(arena_handle_in_kernels, parallel_reduce_takes_views) {
  this->expect_right([](auto const handle, auto const& taken) {
    int right = 0;
    Kokkos::parallel_reduce(
        Kokkos::RangePolicy<Exec, Kokkos::Schedule<Kokkos::Dynamic>>(
            0, TestFixture::iterations),
        [handle, &taken](int i, int& sum) {
          taken.take(handle, i);
          sum += taken.is_intact(i);
        },
        right);
    EXPECT_EQ(right, TestFixture::iterations);
  });
}

TYPED_TEST(arena_handle_in_kernels, mdrange_policy_takes_views) {
  this->expect_right([](auto const handle, auto const& taken) {
    Kokkos::parallel_for(
        Kokkos::MDRangePolicy<Exec, Kokkos::Rank<2>>(
            {0, 0}, {TestFixture::iterations / 20, 20}),
        [handle, &taken](int i, int j) { taken.take(handle, i * 20 + j); });
  });
}

TYPED_TEST(arena_handle_in_kernels, arenas_of_two_threads_do_not_mix) {
  auto const work = [&] {
    this->expect_right([](auto const handle, auto const& taken) {
      for (int i = 0; i < TestFixture::iterations; ++i) taken.take(handle, i);
    });
  };
  std::thread first(work);
  std::thread second(work);
  first.join();
  second.join();
}

TYPED_TEST(arena_handle_in_kernels, std_threads_take_views) {
  this->expect_right([](auto const handle, auto const& taken) {
    constexpr int count = 4;
    std::vector<std::thread> threads;
    for (int t = 0; t < count; ++t) {
      threads.emplace_back([handle, &taken, t] {
        for (int i = t; i < TestFixture::iterations; i += count) {
          taken.take(handle, i);
        }
      });
    }
    for (auto& thread : threads) thread.join();
  });
}

/// Teams of as many threads as there are, up to four.
template <class Functor>
Kokkos::TeamPolicy<Exec> teams(int leagues, Functor const& functor) {
  auto const most_threads = Kokkos::TeamPolicy<Exec>(1, 1).team_size_max(
      functor, Kokkos::ParallelForTag());
  EXPECT_GE(most_threads, std::min(4, Exec().concurrency()));
  return {leagues, std::min(4, most_threads)};
}

TYPED_TEST(arena_handle_in_kernels, team_shares_what_one_thread_takes) {
  constexpr int leagues       = 50;
  static constexpr int length = 100;
  using policy_type           = Kokkos::TeamPolicy<Exec>;
  using view_type = typename TestFixture::Handle::template view_type<int*>;
  typename TestFixture::Tested arena;
  std::vector<view_type> all(leagues);
  auto const kernel = [handle = arena.handle(),
                       &all](policy_type::member_type const& team) {
    auto const league = team.league_rank();
    view_type shared;
    Kokkos::single(
        Kokkos::PerTeam(team),
        [&](view_type& view) { view = handle.template view<int*>(length); },
        shared);
    // The same by a pointer, with extents that all threads know.
    void* bytes = nullptr;
    Kokkos::single(
        Kokkos::PerTeam(team),
        [&](void*& pointer) {
          pointer = handle.allocate(length * sizeof(int));
        },
        bytes);
    view_type const copy(static_cast<int*>(bytes), length);
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, length),
                         [&](int i) { shared(i) = league * length + i; });
    team.team_barrier();
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, length), [&](int i) {
      copy(length - 1 - i) = shared(length - 1 - i);
    });
    Kokkos::single(Kokkos::PerTeam(team),
                   [&] { all[static_cast<std::size_t>(league)] = copy; });
  };
  Kokkos::parallel_for(teams(leagues, kernel), kernel);
  EXPECT_EQ(arena.statistics().total_allocations, 2u * leagues);
  int wrong = 0;
  for (int league = 0; league < leagues; ++league) {
    auto const& view = all[static_cast<std::size_t>(league)];
    ASSERT_NE(view.data(), nullptr);
    for (int i = 0; i < length; ++i) wrong += view(i) != league * length + i;
  }
  EXPECT_EQ(wrong, 0);
}

TYPED_TEST(arena_handle_in_kernels, each_thread_of_a_team_takes_its_own) {
  using policy_type     = Kokkos::TeamPolicy<Exec>;
  constexpr int leagues = 50;
  constexpr int each    = 10;
  typename TestFixture::Tested arena;
  typename TestFixture::Taken const taken(leagues * 4 * each);
  auto const handle = arena.handle();
  auto const kernel = [handle, &taken](policy_type::member_type const& team) {
    // However many threads share them, each index is taken once.
    Kokkos::parallel_for(Kokkos::TeamThreadRange(team, 4 * each), [&](int i) {
      taken.take(handle, team.league_rank() * 4 * each + i);
    });
  };
  Kokkos::parallel_for(teams(leagues, kernel), kernel);
  EXPECT_TRUE(taken.are_right());
}

TYPED_TEST(arena_handle_in_kernels, full_arena_gives_null_views_to_all) {
  constexpr int capacity = 512;
  constexpr int asked    = 3000;
  typename TestFixture::Tested arena(capacity * 64);
  auto const handle = arena.handle();
  for (unsigned cycle = 1; cycle <= 3; ++cycle) {
    int right = 0;
    int null  = 0;
    Kokkos::parallel_reduce(
        Kokkos::RangePolicy<Exec>(0, asked),
        [handle](int i, int& right_here, int& null_here) {
          auto const view = handle.template view<int*>(16);
          null_here += is_null(view);
          if (!view.data()) return;
          for (int k = 0; k < 16; ++k) view(k) = i + k;
          bool same = true;
          for (int k = 0; k < 16; ++k) same = same && view(k) == i + k;
          right_here += same;
        },
        right, null);
    EXPECT_EQ(right + null, asked);
    EXPECT_LE(right, capacity);
    EXPECT_GT(right, 0);
    if (std::is_same_v<TypeParam, Locked>) {
      EXPECT_EQ(right, capacity);
    }
    auto const s = arena.statistics();
    EXPECT_EQ(s.failed_handle_allocations, cycle * static_cast<unsigned>(null));
    EXPECT_EQ(s.capacity_bytes, unsigned{capacity} * 64);
    arena.reset();
  }
  EXPECT_NE(handle.template view<int*>(16).data(), nullptr);
}

TYPED_TEST(arena_handle_in_kernels, temporaries_by_scope_and_handle_mix) {
  typename TestFixture::Tested arena;
  KokkosArena::ArenaScope const scope(arena);
  typename TestFixture::Taken const taken(TestFixture::iterations);
  auto const handle = arena.handle();
  int right         = 0;
  Kokkos::parallel_reduce(
      Kokkos::RangePolicy<Exec>(0, TestFixture::iterations),
      [handle, &taken](int i, int& sum) {
        Kokkos::View<int*, Scoped> const managed("managed", i % 50);
        auto const seed = static_cast<std::uint64_t>(i);
        fill_pattern(managed, seed);
        taken.take(handle, i);
        sum += has_pattern(managed, seed);
      },
      right);
  EXPECT_EQ(right, TestFixture::iterations);
  EXPECT_TRUE(taken.are_right());
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
}

#ifdef KOKKOS_ENABLE_OPENMP

TYPED_TEST(arena_handle_in_kernels, raw_regions_take_views) {
  for (int const threads : {1, 4, 2, 8}) {
    this->expect_right([threads](auto const handle, auto const& taken) {
#pragma omp parallel for num_threads(threads) schedule(dynamic)
      for (int i = 0; i < TestFixture::iterations; ++i) taken.take(handle, i);
    });
  }
}

TYPED_TEST(arena_handle_in_kernels, nested_regions_take_views) {
  auto const levels = omp_get_max_active_levels();
  omp_set_max_active_levels(2);
  this->expect_right([](auto const handle, auto const& taken) {
    constexpr int half = TestFixture::iterations / 2;
#pragma omp parallel for num_threads(2)
    for (int outer = 0; outer < 2; ++outer) {
#pragma omp parallel for num_threads(2)
      for (int i = 0; i < half; ++i) taken.take(handle, outer * half + i);
    }
  });
  omp_set_max_active_levels(levels);
}

#endif

// What device kernels draw from, with host threads in their place.

using Region  = KokkosArena::Impl::DeviceHandleSource<Host>;
using Regions = KokkosArena::Impl::DeviceHandleSources<Exec, Host, Locked>;

struct device_handle : ::testing::Test {
  /// An arena with what one of a device would have beside its core.
  struct Tested : Arena<Host, Locked> {
    using Arena<Host, Locked>::Arena;

    Region region(std::size_t bytes) { return m_regions.make(core(), bytes); }
    Region region() { return m_regions.make(core()); }
    std::uint64_t failures() const { return m_regions.failures(); }

   private:
    using core_type = KokkosArena::Impl::SynchronizedCore<Locked>;
    core_type& core() { return static_cast<core_type&>(impl_core()); }
    Regions m_regions{Exec()};
  };
};

TEST_F(device_handle, is_trivially_copyable) {
  static_assert(std::is_trivially_copyable_v<Region>);
}

TEST_F(device_handle, region_has_the_bytes_asked_for) {
  Tested arena;
  for (std::size_t const bytes : {64u, 100u, 1000u, 100'000u}) {
    auto const region = arena.region(bytes);
    auto const before = arena.failures();
    for (std::size_t taken = 0; taken < bytes; taken += 64) {
      EXPECT_NE(region.allocate(std::min<std::size_t>(64, bytes - taken), 64),
                nullptr);
    }
    EXPECT_EQ(arena.failures(), before);
    EXPECT_EQ(region.allocate(1, 64), nullptr);
    EXPECT_EQ(region.allocate(0, 64), nullptr);
    EXPECT_EQ(arena.failures(), before + 2);
  }
  EXPECT_EQ(arena.region(0).allocate(0, 64), nullptr);
}

TEST_F(device_handle, region_survives_requests_that_do_not_fit) {
  Tested arena;
  auto const region = arena.region(1000);
  EXPECT_EQ(region.allocate(most, 64), nullptr);
  EXPECT_EQ(region.allocate(most - 10, 4096), nullptr);
  EXPECT_EQ(region.allocate(1, most / 2 + 1), nullptr);
  EXPECT_EQ(region.allocate(1025, 64), nullptr);
  EXPECT_EQ(region.allocate(8, 0), nullptr);
  EXPECT_EQ(region.allocate(8, 48), nullptr);
  EXPECT_EQ(arena.failures(), 6u);
  EXPECT_NE(region.allocate(1000, 64), nullptr);
}

TEST_F(device_handle, region_that_has_no_room_in_the_arena_throws) {
  Tested arena(64 * KiB);
  auto const before = figures(arena.statistics());
  for (std::size_t const bytes : {64 * KiB, most - 200, most - 63, most}) {
    EXPECT_THROW(arena.region(bytes), KokkosArena::ArenaExhausted) << bytes;
  }
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_NE(arena.region(63 * KiB).allocate(63 * KiB, 64), nullptr);
}

TEST_F(device_handle, default_region_is_half_of_what_is_free) {
  constexpr std::size_t MiB = KiB * KiB;
  Tested fixed(16 * MiB);
  auto region = fixed.region();
  EXPECT_EQ(fixed.statistics().used_bytes, 8 * MiB);
  EXPECT_NE(region.allocate(8 * MiB - 64, 64), nullptr);
  region = fixed.region();
  EXPECT_EQ(fixed.statistics().used_bytes, 12 * MiB);

  Tested small(16 * KiB);
  region = small.region();
  EXPECT_EQ(small.statistics().used_bytes, 8 * KiB);
  Tested tiny(64);
  EXPECT_THROW(region = tiny.region(), KokkosArena::ArenaExhausted);

  Tested growing;
  for (int cycle = 0; cycle < 20; ++cycle) {
    region = growing.region();
    EXPECT_NE(region.allocate(MiB, 64), nullptr);
    growing.reset();
  }
}

TEST_F(device_handle, region_gives_disjoint_aligned_ranges_to_all_threads) {
  constexpr int count           = 4000;
  constexpr std::size_t bytes   = 200'000;
  constexpr std::size_t at_most = 1024;
  using Range                   = std::pair<std::uintptr_t, std::uintptr_t>;
  Tested arena;
  for (unsigned cycle = 0; cycle < 5; ++cycle) {
    std::vector<Range> all(count);
    auto const before = arena.failures();
    Kokkos::parallel_for(
        Kokkos::RangePolicy<Exec>(0, count),
        [&all, cycle, region = arena.region(bytes)](int i) {
          Random random(cycle * count + static_cast<unsigned>(i));
          auto const size      = random.below(400);
          auto const alignment = std::size_t(1) << random.below(11);
          auto const begin     = address_of(region.allocate(size, alignment));
          if (begin == 0) return;
          auto const aligned =
              begin % std::max<std::size_t>(64, alignment) == 0;
          all[static_cast<std::size_t>(i)] = Range(
              begin, aligned ? begin + std::max<std::size_t>(1, size) : 0);
        });
    std::erase(all, Range());
    std::sort(all.begin(), all.end());
    EXPECT_EQ(arena.failures() - before, count - all.size());
    EXPECT_GE(all.size(), bytes / (400 + at_most));
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_GT(all[i].second, all[i].first) << "is not aligned";
      if (i > 0) {
        EXPECT_GE(all[i].first, all[i - 1].second);
      }
    }
    EXPECT_LE(all.back().second - all.front().first, bytes);
    arena.reset();
  }
}

}  // namespace
