// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scopes reach the threads of kernels, and Views are made and dropped there.
#include <KokkosArena_CountingNew.hpp>
#include <KokkosArena_TestConfig.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#ifdef KOKKOS_ENABLE_OPENMP
#include <omp.h>
#endif

namespace {

using namespace KokkosArenaTest;

using Exec = Kokkos::DefaultHostExecutionSpace;
using View = Kokkos::View<std::int64_t*, Scoped>;

/// Of several threads, as the workers of a kernel are.
template <class Sync>
using Arena = KokkosArena::Arena<Host, Sync>;

template <class Sync>
struct regions : ::testing::Test {};
using Policies =
    ::testing::Types<KokkosArena::Locked, KokkosArena::ThreadCached>;
TYPED_TEST_SUITE(regions, Policies, SyncName);

constexpr int iterations = 2000;
constexpr int length     = 64;

/// What a kernel that knows nothing of arenas does: two temporaries, one of
/// them initialised. Gives 0 if an element was not zero, or was overwritten.
template <class ViewType = View>
std::int64_t use_temporaries(std::int64_t i) {
  ViewType initialised("initialised", length);
  ViewType raw(Kokkos::view_alloc("raw", Kokkos::WithoutInitializing), length);
  for (int k = 0; k < length; ++k) {
    if (initialised(k) != 0) return 0;
    initialised(k) = i;
    raw(k)         = i + k;
  }
  for (int k = 0; k < length; ++k) {
    if (initialised(k) != i || raw(k) != i + k) return 0;
  }
  return 1;
}

template <class Sync>
std::uint64_t total(Arena<Sync> const& arena) {
  return arena.statistics().total_allocations;
}

template <class A>
std::uint64_t unscoped(A const& arena) {
  return arena.statistics().unscoped_worker_allocations;
}

/// Runs a kernel in a scope and expects that all of its 2 * iterations
/// temporaries came from the arena, were right, and are gone.
template <class Sync, class Kernel>
void expect_all_from_arena(Kernel const& kernel) {
  Arena<Sync> arena;
  std::int64_t right = 0;
  {
    KokkosArena::ArenaScope const scope(arena);
    right = kernel();
  }
  EXPECT_EQ(right, iterations);
  EXPECT_EQ(total(arena), 2u * iterations);
  EXPECT_EQ(unscoped(arena), 0u);
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
}

TYPED_TEST(regions, scope_reaches_parallel_for) {
  expect_all_from_arena<TypeParam>([] {
    std::atomic<std::int64_t> right{0};
    Kokkos::parallel_for(Kokkos::RangePolicy<Exec>(0, iterations),
                         [&](int i) { right += use_temporaries(i); });
    return right.load();
  });
}

TYPED_TEST(regions, scope_reaches_parallel_reduce) {
  expect_all_from_arena<TypeParam>([] {
    std::int64_t right = 0;
    Kokkos::parallel_reduce(
        Kokkos::RangePolicy<Exec, Kokkos::Schedule<Kokkos::Dynamic>>(
            0, iterations),
        [](int i, std::int64_t& sum) { sum += use_temporaries(i); }, right);
    return right;
  });
}

TYPED_TEST(regions, scope_reaches_parallel_scan) {
  expect_all_from_arena<TypeParam>([] {
    std::int64_t right = 0;
    Kokkos::parallel_scan(
        Kokkos::RangePolicy<Exec>(0, iterations),
        [](int i, std::int64_t& sum, bool final) {
          // A scan runs its body twice for every index.
          sum += final ? use_temporaries(i) : 1;
        },
        right);
    return right;
  });
}

TYPED_TEST(regions, scope_reaches_team_policy) {
  expect_all_from_arena<TypeParam>([] {
    std::atomic<std::int64_t> right{0};
    using policy_type = Kokkos::TeamPolicy<Exec>;
    Kokkos::parallel_for(policy_type(iterations / 10, 1),
                         [&](policy_type::member_type const& team) {
                           for (int k = 0; k < 10; ++k) {
                             right += use_temporaries(team.league_rank() + k);
                           }
                         });
    return right.load();
  });
}

TYPED_TEST(regions, scope_reaches_mdrange_policy) {
  expect_all_from_arena<TypeParam>([] {
    std::atomic<std::int64_t> right{0};
    Kokkos::parallel_for(
        Kokkos::MDRangePolicy<Exec, Kokkos::Rank<2>>({0, 0},
                                                     {iterations / 20, 20}),
        [&](int i, int j) { right += use_temporaries(i * 20 + j); });
    return right.load();
  });
}

TYPED_TEST(regions, scope_opened_in_a_kernel_holds_for_its_thread_alone) {
  Arena<TypeParam> outer;
  std::atomic<int> wrong{0};
  {
    KokkosArena::ArenaScope const scope(outer);
    Kokkos::parallel_for(Kokkos::RangePolicy<Exec>(0, 200), [&](int i) {
      if (i % 2 == 0) {
        if (!use_temporaries(i)) ++wrong;
        return;
      }
      Arena<TypeParam> own;
      KokkosArena::ArenaScope const inner(own);
      if (!use_temporaries(i)) ++wrong;
      if (total(own) != 2) ++wrong;
    });
  }
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(total(outer), 200u);
}

TYPED_TEST(regions, scope_does_not_reach_other_std_threads) {
  Arena<TypeParam> arena;
  KokkosArena::ArenaScope const scope(arena);
  std::thread([] { EXPECT_EQ(use_temporaries(1), 1); }).join();
  EXPECT_EQ(total(arena), 0u);
}

TYPED_TEST(regions, views_of_non_trivial_elements_live_in_kernels) {
  Arena<TypeParam> arena;
  std::atomic<int> wrong{0};
  {
    KokkosArena::ArenaScope const scope(arena);
    Kokkos::parallel_for(Kokkos::RangePolicy<Exec>(0, iterations), [&](int i) {
      Kokkos::View<std::string*, Scoped> const strings("strings", 5);
      strings(2)      = "longer than a small string is: " + std::to_string(i);
      auto const same = [strings] { return strings(2).size(); };
      auto const numbers = KokkosArena::make_view<View>("numbers", i % 7);
      auto const copy    = KokkosArena::similar(numbers, 3);
      if (same() < 31 || !strings(4).empty() || copy.extent(0) != 3) ++wrong;
    });
  }
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(total(arena), 3u * iterations);
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
}

TYPED_TEST(regions, views_may_end_on_another_thread_than_they_began) {
  Arena<TypeParam> arena;
  std::vector<View> views(iterations);
  {
    KokkosArena::ArenaScope const scope(arena);
    Kokkos::parallel_for(Kokkos::RangePolicy<Exec>(0, iterations), [&](int i) {
      View const view("view", length);
      for (int k = 0; k < length; ++k) view(k) = i + k;
      views[static_cast<std::size_t>(i)] = view;
    });
  }
  EXPECT_EQ(arena.statistics().live_allocations, unsigned{iterations});
  std::atomic<int> wrong{0};
  Kokkos::parallel_for(Kokkos::RangePolicy<Exec>(0, iterations), [&](int i) {
    // From the other end, so that most change hands.
    auto const j = iterations - 1 - i;
    auto& view   = views[static_cast<std::size_t>(j)];
    for (int k = 0; k < length; ++k) {
      if (view(k) != j + k) ++wrong;
    }
    view = View();
  });
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

TYPED_TEST(regions, views_of_the_base_space_end_in_kernels) {
  std::int64_t right = 0;
  Kokkos::parallel_reduce(
      Kokkos::RangePolicy<Exec>(0, iterations),
      [](int i, std::int64_t& sum) { sum += use_temporaries(i); }, right);
  EXPECT_EQ(right, iterations);
}

std::atomic<int> fences{0};

TYPED_TEST(regions, temporaries_in_kernels_make_no_fence) {
  Arena<TypeParam> arena;
  KokkosArena::ArenaScope const scope(arena);
  namespace tools = Kokkos::Tools::Experimental;
  int inside      = -1;
  fences          = 0;
  tools::set_begin_fence_callback(
      [](char const*, std::uint32_t, std::uint64_t*) { ++fences; });
  std::atomic<std::int64_t> right{0};
  Kokkos::parallel_for(Kokkos::RangePolicy<Exec>(0, iterations), [&](int i) {
    auto const before = fences.load();
    right += use_temporaries(i);
    if (fences.load() != before) right -= 1;
  });
  Kokkos::fence();
  inside = fences.load();
  tools::set_begin_fence_callback(nullptr);
  EXPECT_EQ(right.load(), iterations);
  EXPECT_GT(inside, 0)
      << "the callback has to count the fence after the kernel";
}

TYPED_TEST(regions, kernel_in_an_unsynchronized_scope_draws_or_is_counted) {
  KokkosArena::Arena<Host, KokkosArena::Unsynchronized> arena;
  std::int64_t right = 0;
  {
    KokkosArena::ArenaScope const scope(arena);
    Kokkos::parallel_reduce(
        Kokkos::RangePolicy<Exec>(0, iterations),
        [](int i, std::int64_t& sum) { sum += use_temporaries(i); }, right);
  }
  EXPECT_EQ(right, iterations);
  bool const several = Exec().concurrency() > 1;
  EXPECT_EQ(unscoped(arena), several ? 2u * iterations : 0u);
  EXPECT_EQ(arena.statistics().total_allocations,
            several ? 0u : 2u * iterations);
}

#ifdef KOKKOS_ENABLE_OPENMP

/// The same as a raw region of so many threads; gives what was right.
std::int64_t raw_region(int threads, int count) {
  std::int64_t right = 0;
#pragma omp parallel for num_threads(threads) reduction(+ : right)
  for (int i = 0; i < count; ++i) right += use_temporaries(i);
  return right;
}

TYPED_TEST(regions, scope_reaches_raw_regions_of_changing_size) {
  Arena<TypeParam> arena;
  KokkosArena::ArenaScope const scope(arena);
  std::uint64_t expected = 0;
  for (int threads : {1, 4, 2, 8, 3, 1, 8}) {
    EXPECT_EQ(raw_region(threads, 100), 100);
    expected += 200;
    EXPECT_EQ(total(arena), expected) << threads;
  }
}

TYPED_TEST(regions, scope_reaches_nested_regions) {
  Arena<TypeParam> arena;
  auto const levels = omp_get_max_active_levels();
  omp_set_max_active_levels(2);
  std::int64_t right = 0;
  {
    KokkosArena::ArenaScope const scope(arena);
#pragma omp parallel num_threads(3) reduction(+ : right)
    right += raw_region(2, 50);
  }
  omp_set_max_active_levels(levels);
  EXPECT_EQ(right, 150);
  EXPECT_EQ(total(arena), 300u);
}

TYPED_TEST(regions, scope_opened_in_a_region_reaches_its_nested_region) {
  Arena<TypeParam> outer;
  auto const levels = omp_get_max_active_levels();
  omp_set_max_active_levels(2);
  std::atomic<int> wrong{0};
  {
    KokkosArena::ArenaScope const scope(outer);
#pragma omp parallel num_threads(3)
    {
      Arena<TypeParam> own;
      {
        KokkosArena::ArenaScope const inner(own);
        if (raw_region(2, 50) != 50 || total(own) != 100) ++wrong;
      }
      if (raw_region(2, 20) != 20) ++wrong;
    }
  }
  omp_set_max_active_levels(levels);
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(total(outer), 120u);
}

TYPED_TEST(regions, scope_ends_for_the_workers_too) {
  Arena<TypeParam> arena;
  {
    KokkosArena::ArenaScope const scope(arena);
    EXPECT_EQ(raw_region(4, 100), 100);
  }
  auto const before = total(arena);
  EXPECT_EQ(raw_region(4, 100), 100);
  EXPECT_EQ(total(arena), before);
}

TYPED_TEST(regions, concurrent_scopes_never_see_each_other) {
  std::atomic<int> wrong{0};
  auto const work = [&](int seed) {
    for (int round = 0; round < 20; ++round) {
      Arena<TypeParam> arena;
      KokkosArena::ArenaScope const scope(arena);
      auto const threads = 1 + (seed + round) % 5;
      if (raw_region(threads, 60) != 60 || total(arena) != 120) ++wrong;
    }
  };
  for (int generation = 0; generation < 3; ++generation) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) threads.emplace_back(work, t);
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(wrong.load(), 0);
}

TYPED_TEST(regions, scope_reaches_kernels_on_a_partition) {
  expect_all_from_arena<TypeParam>([] {
    auto const instances =
        Kokkos::Experimental::partition_space(Kokkos::OpenMP(), 1, 1);
    std::int64_t right = 0;
    for (auto const& instance : instances) {
      std::int64_t part = 0;
      Kokkos::parallel_reduce(
          Kokkos::RangePolicy<Kokkos::OpenMP>(instance, 0, iterations / 2),
          [](int i, std::int64_t& sum) { sum += use_temporaries(i); }, part);
      right += part;
    }
    return right;
  });
}

TYPED_TEST(regions, scope_on_an_unsynchronized_arena_does_not_reach_workers) {
  KokkosArena::Arena<Host, KokkosArena::Unsynchronized> arena;
  KokkosArena::ArenaScope const scope(arena);
  EXPECT_EQ(use_temporaries(1), 1);
  EXPECT_EQ(arena.statistics().total_allocations, 2u);
  EXPECT_EQ(raw_region(4, 100), 100);
  EXPECT_EQ(arena.statistics().total_allocations, 2u);
  EXPECT_EQ(unscoped(arena), 200u);
  // A region of one thread is as good as none.
  EXPECT_EQ(raw_region(1, 100), 100);
  EXPECT_EQ(arena.statistics().total_allocations, 202u);
  EXPECT_EQ(unscoped(arena), 200u);
}

TYPED_TEST(regions, worker_with_a_scope_of_its_own_is_not_counted) {
  KokkosArena::Arena<Host, KokkosArena::Unsynchronized> outer;
  std::atomic<int> wrong{0};
  {
    KokkosArena::ArenaScope const scope(outer);
#pragma omp parallel num_threads(4)
    {
      KokkosArena::Arena<Host, KokkosArena::Unsynchronized> own;
      KokkosArena::ArenaScope const inner(own);
      if (!use_temporaries(1) || unscoped(own) != 0) ++wrong;
      if (own.statistics().total_allocations != 2) ++wrong;
    }
  }
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(unscoped(outer), 0u);
}

TYPED_TEST(regions, each_way_to_allocate_is_counted_once) {
  KokkosArena::Arena<Host, KokkosArena::Unsynchronized> arena;
  KokkosArena::ArenaScope const scope(arena);
  auto const by_two_threads = [&](auto const& f) {
    auto const before = unscoped(arena);
#pragma omp parallel num_threads(2)
    f();
    return unscoped(arena) - before;
  };
  EXPECT_EQ(by_two_threads([] { View const view("view", 5); }), 2u);
  EXPECT_EQ(by_two_threads([] { View const view("empty", 0); }), 2u);
  EXPECT_EQ(by_two_threads([] {
              Kokkos::View<std::string*, Scoped> const view("strings", 5);
            }),
            2u);
  EXPECT_EQ(by_two_threads([] { KokkosArena::make_view<View>("view", 5); }),
            2u);
  EXPECT_EQ(by_two_threads([] {
              Scoped const space;
              space.deallocate(space.allocate(100), 100);
            }),
            2u);
  EXPECT_EQ(by_two_threads([] {
              Scoped const space;
              space.deallocate(space.allocate(Exec(), 100), 100);
            }),
            2u);
  EXPECT_EQ(by_two_threads([] {
              Kokkos::kokkos_free<Scoped>(Kokkos::kokkos_malloc<Scoped>(100));
            }),
            2u);
}

TYPED_TEST(regions, what_allocates_nothing_is_not_counted) {
  KokkosArena::Arena<Host, KokkosArena::Unsynchronized> arena;
  KokkosArena::ArenaScope const scope(arena);
  View const view("view", 5);
  std::atomic<int> got{0};
#pragma omp parallel num_threads(4)
  {
    [[maybe_unused]] Scoped const space;
    [[maybe_unused]] View const none;
    [[maybe_unused]] View const copy = view;
    KokkosArenaTest::HeapFailure const failure;
    try {
      space.allocate(100);
      ++got;
    } catch (std::exception const&) {  // NOLINT(bugprone-empty-catch)
    }
  }
  EXPECT_EQ(got.load(), 0);
  EXPECT_EQ(unscoped(arena), 0u);
}

TYPED_TEST(regions, who_asks_for_the_base_space_is_not_counted) {
  Scoped const base_space;
  Arena<TypeParam> arena;
  KokkosArena::ArenaScope const scope(arena);
#pragma omp parallel num_threads(4)
  View const view(Kokkos::view_alloc(base_space, "view"), 5);
  EXPECT_EQ(total(arena) + unscoped(arena), 0u);
}

TYPED_TEST(regions, allocator_of_a_scope_is_a_real_one_and_is_taken_back) {
  auto const before = omp_get_default_allocator();
  {
    Arena<TypeParam> arena;
    KokkosArena::ArenaScope const scope(arena);
    EXPECT_NE(omp_get_default_allocator(), before);
    void* const memory = omp_alloc(100, omp_null_allocator);
    EXPECT_NE(memory, nullptr);
    omp_free(memory, omp_null_allocator);
  }
  EXPECT_EQ(omp_get_default_allocator(), before);
}

// As OMP_ALLOCATOR does it for a whole program.
TYPED_TEST(regions, know_the_scope_whichever_predefined_allocator_is_default) {
  auto const before = omp_get_default_allocator();
  for (auto const chosen :
       {omp_default_mem_alloc, omp_large_cap_mem_alloc, omp_const_mem_alloc,
        omp_high_bw_mem_alloc, omp_low_lat_mem_alloc, omp_cgroup_mem_alloc,
        omp_pteam_mem_alloc, omp_thread_mem_alloc}) {
    omp_set_default_allocator(chosen);
    Arena<TypeParam> arena;
    {
      KokkosArena::ArenaScope const scope(arena);
      EXPECT_NE(omp_get_default_allocator(), chosen);
      EXPECT_EQ(raw_region(4, 100), 100);
      EXPECT_EQ(total(arena), 200u);
      {
        KokkosArena::ArenaScope const inner(arena);
        EXPECT_EQ(raw_region(4, 100), 100);
      }
      EXPECT_EQ(total(arena), 400u);
      void* const memory = omp_alloc(100, omp_null_allocator);
      EXPECT_NE(memory, nullptr);
      omp_free(memory, omp_null_allocator);
    }
    EXPECT_EQ(unscoped(arena), 0u);
    EXPECT_EQ(omp_get_default_allocator(), chosen);
  }
  omp_set_default_allocator(before);
}

/// A default allocator that the program, on this thread, sets for itself.
class OwnAllocator {
 public:
  OwnAllocator() { omp_set_default_allocator(m_own); }
  OwnAllocator(OwnAllocator const&)            = delete;
  OwnAllocator& operator=(OwnAllocator const&) = delete;
  ~OwnAllocator() {
    omp_set_default_allocator(m_before);
    omp_destroy_allocator(m_own);
  }
  omp_allocator_handle_t handle() const { return m_own; }

 private:
  static omp_allocator_handle_t make() {
    omp_alloctrait_t trait{omp_atk_alignment, 128};
    return omp_init_allocator(omp_default_mem_space, 1, &trait);
  }
  omp_allocator_handle_t m_own    = make();
  omp_allocator_handle_t m_before = omp_get_default_allocator();
};

TYPED_TEST(regions, default_allocator_of_the_program_stays) {
  OwnAllocator const own;
  Arena<TypeParam> arena;
  {
    KokkosArena::ArenaScope const scope(arena);
    EXPECT_EQ(omp_get_default_allocator(), own.handle());
    EXPECT_EQ(use_temporaries(1), 1);
    EXPECT_EQ(total(arena), 2u);
    EXPECT_EQ(unscoped(arena), 0u);
    EXPECT_EQ(raw_region(4, 100), 100);
    EXPECT_LT(total(arena), 202u) << "workers can't know the scope";
    EXPECT_EQ(total(arena) + unscoped(arena), 202u);
  }
  EXPECT_EQ(omp_get_default_allocator(), own.handle());
  auto const before = unscoped(arena);
  EXPECT_EQ(raw_region(4, 100), 100);
  EXPECT_EQ(unscoped(arena), before) << "the scope has ended";
}

TYPED_TEST(regions, what_workers_cannot_know_counts_in_the_innermost_scope) {
  OwnAllocator const own;
  Arena<TypeParam> outer;
  Arena<TypeParam> inner;
  KokkosArena::ArenaScope const outer_scope(outer);
  {
    KokkosArena::ArenaScope const inner_scope(inner);
    EXPECT_EQ(raw_region(4, 100), 100);
    EXPECT_EQ(total(inner) + unscoped(inner), 200u);
    EXPECT_GT(unscoped(inner), 0u);
    EXPECT_EQ(total(outer) + unscoped(outer), 0u);
  }
  EXPECT_EQ(raw_region(4, 100), 100);
  EXPECT_EQ(total(outer) + unscoped(outer), 200u);
  EXPECT_EQ(total(inner) + unscoped(inner), 200u);
}

TYPED_TEST(regions, what_workers_cannot_know_counts_by_memory_space) {
  OwnAllocator const own;
  Arena<TypeParam> arena;
  KokkosArena::Arena<KokkosArenaTest::CountingSpace> elsewhere;
  KokkosArena::ArenaScope const outer(arena);
  KokkosArena::ArenaScope const inner(elsewhere);
  EXPECT_EQ(raw_region(4, 100), 100);
  EXPECT_EQ(total(arena) + unscoped(arena), 200u);
  EXPECT_GT(unscoped(arena), 0u);
  EXPECT_EQ(unscoped(elsewhere), 0u);
}

TYPED_TEST(regions, scope_of_one_worker_does_not_count_what_its_siblings_do) {
  OwnAllocator const own;
  Arena<TypeParam> arena;
#pragma omp parallel num_threads(4)
  {
    std::optional<KokkosArena::ArenaScope> scope;
    if (omp_get_thread_num() == 0) scope.emplace(arena);
#pragma omp barrier
    use_temporaries(1);
#pragma omp barrier
  }
  EXPECT_EQ(total(arena), 2u);
  EXPECT_EQ(unscoped(arena), 0u);
}

TYPED_TEST(regions, what_is_outside_of_regions_is_not_counted) {
  OwnAllocator const own;
  Arena<TypeParam> arena;
  KokkosArena::ArenaScope const scope(arena);
  std::thread([] {
    EXPECT_EQ(use_temporaries(1), 1);
    EXPECT_EQ(raw_region(1, 10), 10);
  }).join();
  EXPECT_EQ(total(arena) + unscoped(arena), 0u);
}

TYPED_TEST(regions, scopes_that_workers_cannot_know_may_end_in_any_order) {
  OwnAllocator const own;
  Arena<TypeParam> first;
  Arena<TypeParam> second;
  auto scope = std::make_unique<KokkosArena::ArenaScope>(first);
  std::atomic<int> step{0};
  auto const wait = [&](int until) {
    while (step.load() < until) std::this_thread::yield();
  };
  std::thread other([&] {
    OwnAllocator const others;
    KokkosArena::ArenaScope const newer(second);
    step = 1;
    wait(2);
    EXPECT_EQ(raw_region(4, 100), 100);
  });
  wait(1);
  scope.reset();
  step = 2;
  other.join();
  EXPECT_EQ(total(first) + unscoped(first), 0u);
  EXPECT_EQ(total(second) + unscoped(second), 200u);
  EXPECT_GT(unscoped(second), 0u);
}

TYPED_TEST(regions, workers_use_the_base_space_where_no_memory_tells_them) {
  // Other threads may have tokens to use again.
  std::thread([] {
    Arena<TypeParam> outer;
    Arena<TypeParam> inner;
    KokkosArena::ArenaScope const outer_scope(outer);
    auto const allocator = omp_get_default_allocator();
    {
      std::optional<KokkosArena::ArenaScope> inner_scope;
      {
        KokkosArenaTest::HeapFailure const failure;
        inner_scope.emplace(inner);
      }
      EXPECT_EQ(raw_region(4, 100), 100);
      EXPECT_EQ(total(inner) + unscoped(inner), 200u);
      EXPECT_GT(unscoped(inner), 0u);
      EXPECT_EQ(total(outer), 0u) << "the inner scope is the one that holds";
    }
    EXPECT_EQ(omp_get_default_allocator(), allocator);
    EXPECT_EQ(raw_region(4, 100), 100);
    EXPECT_EQ(total(outer), 200u);
    EXPECT_EQ(unscoped(outer), 0u);
  }).join();
}

TYPED_TEST(regions,
           workers_use_the_base_space_where_the_program_hides_the_scope) {
  Arena<TypeParam> arena;
  KokkosArena::ArenaScope const scope(arena);
  auto const ours = omp_get_default_allocator();
  omp_set_default_allocator(omp_default_mem_alloc);
  EXPECT_EQ(raw_region(4, 100), 100);
  // The thread that opened the scope knows it in any case.
  EXPECT_LT(total(arena), 200u);
  omp_set_default_allocator(ours);
}

TYPED_TEST(regions, reset_inside_a_region_that_uses_the_arena_is_an_error) {
  KokkosArena::ArenaOptions options;
  options.label = "busy";
  Arena<TypeParam> arena(options);
  KokkosArena::ArenaScope const scope(arena);
  std::atomic<int> errors{0};
#pragma omp parallel num_threads(2)
  {
    try {
      arena.reset();
    } catch (std::logic_error const& e) {
      if (std::string(e.what()).find("busy") != std::string::npos) ++errors;
    }
  }
  EXPECT_EQ(errors.load(), 2);
  EXPECT_EQ(arena.statistics().resets, 0u);
  arena.reset();
  EXPECT_EQ(arena.statistics().resets, 1u);
}

TYPED_TEST(regions, reset_of_a_worker_own_arena_is_allowed) {
  std::atomic<int> resets{0};
#pragma omp parallel num_threads(2)
  {
    Arena<TypeParam> own;
    KokkosArena::ArenaScope const scope(own);
    use_temporaries(1);
    own.reset();
    resets += static_cast<int>(own.statistics().resets);
  }
  EXPECT_EQ(resets.load(), 2);
}

/// What a program writes that ends: a text, once, to its end.
class SaysOnce : public ::testing::MatcherInterface<std::string const&> {
 public:
  explicit SaysOnce(std::string text) : m_text(std::move(text)) {}
  bool MatchAndExplain(std::string const& said,
                       ::testing::MatchResultListener*) const override {
    auto const first = said.find("KokkosArena: ");
    return first != said.npos &&
           said.find("KokkosArena: ", first + 1) == said.npos &&
           said.find(m_text, first) != said.npos &&
           said.find("where it can't be caught\n") != said.npos;
  }
  void DescribeTo(std::ostream* out) const override {
    *out << "says once \"" << m_text << '"';
  }

 private:
  std::string m_text;
};
::testing::Matcher<std::string const&> says_once(std::string text) {
  return ::testing::MakeMatcher(new SaysOnce(std::move(text)));
}

/// Nobody can catch what is thrown in a kernel.
struct regions_death_test : ::testing::Test {
  regions_death_test() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  template <class F>
  void run_in_kernel(F const& f) {
    KokkosArena::ArenaScope const scope(arena);
    Kokkos::parallel_for(Kokkos::RangePolicy<Exec>(0, 64), [=](int) { f(); });
  }
  KokkosArena::Arena<Host> arena{4096};
};

TEST_F(regions_death_test, view_that_does_not_fit_in_a_kernel_is_told_once) {
  EXPECT_DEATH(run_in_kernel([] {
                 View const a("first", 200);
                 View const b("second", 200);
                 View const c("third", 200);
                 View const d("fourth", 200);
               }),
               says_once("can't give"));
}

TEST_F(regions_death_test, similar_that_does_not_fit_in_a_kernel_is_told_once) {
  View const model("model", 10);
  EXPECT_DEATH(run_in_kernel([=] {
                 auto const big = KokkosArena::similar(model, 1000);
                 big(0)         = 1;
               }),
               says_once("can't give"));
}

TEST_F(regions_death_test, extents_that_overflow_in_a_kernel_are_told_once) {
  EXPECT_DEATH(run_in_kernel([] {
                 using Matrix   = Kokkos::View<double**, Scoped>;
                 auto const all = ~std::size_t(0);
                 auto const m =
                     KokkosArena::make_view<Matrix>("huge", all, all);
                 m(0, 0) = 1;
               }),
               says_once("more bytes than a size_t can count"));
}

TEST_F(regions_death_test, space_that_has_no_room_in_a_kernel_is_told_once) {
  EXPECT_DEATH(run_in_kernel([] {
                 auto* const p = static_cast<char*>(Scoped().allocate(10'000));
                 *p            = 1;
               }),
               says_once("can't give 100"));
}

#endif

}  // namespace
