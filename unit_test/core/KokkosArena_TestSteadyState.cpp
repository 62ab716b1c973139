// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a cycle of temporaries must not do once an arena has its size. Each
// counter is shown to count on Views of HostSpace.

#include <KokkosArena_CountingNew.hpp>
#include <KokkosArena_SteadyStateCounters.hpp>
#include <KokkosArena_TestConfig.hpp>
#include <KokkosArena_TestTeam.hpp>

#include <algorithm>
#include <array>
#include <string>

#if defined(__linux__)
#include <unistd.h>
#endif

namespace {

using namespace KokkosArenaTest;

template <class Space>
using Vector = Kokkos::View<double*, Space>;

constexpr int warm_up_cycles  = 20;
constexpr int measured_cycles = 100;

/// 3.2 MB.
constexpr std::size_t large = 400'000;
/// Of the system's own mapping in every malloc that is tuned by nobody.
constexpr std::size_t huge = 6'000'000;

/// A write to each page of a View is all that page faults depend on.
template <class ViewType>
void touch(ViewType const& view) {
  auto volatile* const data = view.data();
  for (std::size_t i = 0; i < view.size(); i += 256) data[i] = 1;
}

struct CycleOptions {
  /// Larger Views, in elements, are made without initialisation only.
  std::size_t largest_initialised = large;
  /// Whether View's own constructor makes some, or make_view all.
  bool with_constructor = true;
  bool with_reset       = true;
};

/// View's constructor with a label, as most code calls it.
template <class ViewType, class... Extents>
ViewType construct(CycleOptions const& options, std::string const& label,
                   Extents... n) {
  return options.with_constructor
             ? ViewType(label, n...)
             : KokkosArena::make_view<ViewType>(label, n...);
}

template <class ViewType, class... Extents>
ViewType construct_uninitialised(CycleOptions const& options,
                                 std::string const& label, Extents... n) {
  return options.with_constructor
             ? ViewType(Kokkos::view_alloc(label, Kokkos::WithoutInitializing),
                        n...)
             : KokkosArena::make_view<ViewType>(label, n...);
}

/// Temporaries of one size in every form, with a hole in their middle that is
/// used again.
template <class Space>
void make_temporaries(std::size_t n, CycleOptions const& options) {
  using Matrix = Kokkos::View<double**, Kokkos::LayoutRight, Space>;
  if (n <= options.largest_initialised) {
    touch(construct<Vector<Space>>(options, "15 letters wide", n));
  }
  auto first  = construct_uninitialised<Vector<Space>>(options, "first", n);
  auto matrix = construct_uninitialised<Matrix>(options, "matrix", n / 4, 4);
  auto const made  = KokkosArena::make_view<Vector<Space>>("made", n);
  auto const like  = KokkosArena::similar(made);
  auto const ints  = KokkosArena::similar<int>(made, n / 2, 2);
  auto const alias = made;
  touch(first);
  touch(matrix);
  touch(made);
  touch(like);
  touch(ints);
  first  = {};
  matrix = {};
  touch(KokkosArena::similar(alias));
}

template <class ArenaType>
void cycle(ArenaType& arena, CycleOptions const& options = {}) {
  {
    KokkosArena::ArenaScope const scope(arena);
    for (std::size_t const n : {0u, 1u, 100u, 10'000u, 100'000u}) {
      make_temporaries<Scoped>(n, options);
    }
    make_temporaries<Scoped>(large, options);
  }
  if (options.with_reset) arena.reset();
}

template <class C>
class steady_state : public ::testing::Test {
 protected:
  steady_state() {
    for (int i = 0; i < warm_up_cycles; ++i) cycle(arena);
  }
  void run(CycleOptions const& options = {}) {
    for (int i = 0; i < measured_cycles; ++i) cycle(arena, options);
  }
  void expect_no_heap_call(CycleOptions const& options) {
    auto const before = heap_calls();
    run(options);
    auto const after = heap_calls();
    EXPECT_EQ(after.allocations - before.allocations, 0u);
    EXPECT_EQ(after.deallocations - before.deallocations, 0u);
  }
  typename C::template arena_type<Host> arena{
      C::options(std::size_t(64) << 20)};
};
TYPED_TEST_SUITE(steady_state, All, ConfigName);

TYPED_TEST(steady_state, temporaries_call_neither_operator_new_nor_delete) {
  auto const before = heap_calls();
  {
    Kokkos::DefaultHostExecutionSpace const instance;
  }
  if (heap_calls().allocations > before.allocations) {
    GTEST_SKIP() << "this Kokkos takes heap memory for each execution space "
                    "instance, of which View's constructor makes one itself";
  }
  this->expect_no_heap_call({});
}

TYPED_TEST(steady_state,
           temporaries_of_make_view_call_neither_operator_new_nor_delete) {
  CycleOptions options;
  options.with_constructor = false;
  this->expect_no_heap_call(options);
}

TYPED_TEST(steady_state, temporaries_make_no_fence) {
  FenceCounter const counter;
  this->run();
  EXPECT_EQ(counter.count(), 0u);
}

TYPED_TEST(steady_state, temporaries_ask_the_upstream_for_nothing) {
  auto const before = this->arena.statistics();
  this->run();
  auto const after = this->arena.statistics();
  EXPECT_EQ(after.upstream_allocations, before.upstream_allocations);
  EXPECT_EQ(after.upstream_bytes, before.upstream_bytes);
  EXPECT_EQ(after.capacity_bytes, before.capacity_bytes);
  EXPECT_EQ(after.blocks, blocks_with_views<TypeParam>());
  EXPECT_EQ(after.live_allocations, 0u);
  // That something happened at all.
  EXPECT_EQ(after.resets - before.resets, std::uint64_t(measured_cycles));
  EXPECT_EQ(after.total_allocations - before.total_allocations,
            std::uint64_t(measured_cycles) * 6 * 7);
}

#if defined(__linux__)

TYPED_TEST(steady_state, temporaries_make_no_page_fault) {
  if (is_sanitized) {
    GTEST_SKIP() << "the sanitizer touches pages of its own";
  }
  // The kernel may move a page at any time, which then faults once. What the
  // arena is to blame for happens in every attempt.
  // A reset moves checked memory to addresses of which the table hasn't been
  // used so far: at most one page of it a cycle, whatever the Views' size.
  constexpr long most = is_checked ? measured_cycles : 0;
  long least          = most + 1;
  for (int attempt = 0; attempt < 5 && least > most; ++attempt) {
    auto const faults = page_faults([&] { this->run(); }).value();
    least             = attempt == 0 ? faults : std::min(least, faults);
  }
  EXPECT_LE(least, most);
}

TYPED_TEST(steady_state, temporaries_make_no_system_call) {
  if (is_sanitized) {
    GTEST_SKIP() << "the sanitizer makes system calls of its own";
  }
  if (!system_calls([] {})) {
    GTEST_SKIP() << "this system doesn't let the test trace system calls";
  }
  // Larger ones the threads of the backend may initialise together.
  CycleOptions options;
  options.largest_initialised = 10'000;
  // Checked memory moves then, which is up to the system.
  options.with_reset = !is_checked;
  EXPECT_EQ(system_calls([&] { this->run(options); }), 0);
}

#endif

template <class C>
struct steady_state_of_threads : ::testing::Test {
  using Arena = typename C::template arena_type<Host>;
};
TYPED_TEST_SUITE(steady_state_of_threads, Shared, ConfigName);

TYPED_TEST(steady_state_of_threads,
           temporaries_take_memory_neither_from_heap_nor_upstream) {
  constexpr int threads = 4;
  constexpr int cycles  = warm_up_cycles + measured_cycles;
  typename TestFixture::Arena arena(TypeParam::options(std::size_t(64) << 20));
  CycleOptions options;
  options.with_constructor = false;
  // Each cycle ends Views on other threads than they began, too.
  std::array<std::array<Vector<Scoped>, 10>, threads> handed;
  // Memory for all cycles: there is no reset.
  constexpr auto for_all = std::size_t(16) << 20;
  if constexpr (is_checked) {
    KokkosArena::ArenaScope const scope(arena);
    KokkosArena::make_view<Vector<Scoped>>("for all", for_all / 8);
  } else {
    dirty(arena, for_all);
  }
  Meeting meeting(threads);
  std::uint64_t heap     = 0;
  std::uint64_t upstream = 0;
  at_once(threads, [&](int t) {
    auto const own  = static_cast<std::size_t>(t);
    auto const next = static_cast<std::size_t>((t + 1) % threads);
    for (int i = 0; i < cycles; ++i) {
      meeting.wait_for(t, [&] {
        if (i != warm_up_cycles) return;
        heap     = heap_calls().allocations;
        upstream = arena.statistics().upstream_allocations;
      });
      KokkosArena::ArenaScope const scope(arena);
      for (auto& view : handed[own]) {
        view = KokkosArena::make_view<Vector<Scoped>>("handed", 100);
      }
      for (std::size_t const n : {0u, 1u, 100u, 10'000u}) {
        make_temporaries<Scoped>(n, options);
      }
      meeting.wait();
      for (auto& view : handed[next]) view = {};
    }
    meeting.wait_for(t, [&] {
      heap     = heap_calls().allocations - heap;
      upstream = arena.statistics().upstream_allocations - upstream;
    });
    return true;
  });
  // Who meets whom differs from cycle to cycle, so that a list of holes may
  // still have to grow: a few times in all, where Views are thousands. What is
  // known of checked Views takes one allocation for each that is alive at once.
  EXPECT_LT(heap, is_checked ? 200u : 20u);
  EXPECT_EQ(upstream, 0u);
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
  EXPECT_EQ(arena.statistics().total_allocations,
            1 + std::uint64_t(threads) * cycles * (10 + 4 * 7));
}

TEST(steady_state_counters,
     operator_new_and_delete_are_counted_for_host_views) {
  auto const before = heap_calls();
  {
    Vector<Host> const view("view", 100);
  }
  auto const after = heap_calls();
  // The record and the data, at least.
  EXPECT_GE(after.allocations - before.allocations, 2u);
  EXPECT_EQ(after.deallocations - before.deallocations,
            after.allocations - before.allocations);
}

TEST(steady_state_counters, operator_new_is_counted_for_long_labels) {
  KokkosArena::Arena<Host> arena(std::size_t(1) << 20);
  KokkosArena::ArenaScope const scope(arena);
  auto const before = heap_calls();
  {
    Vector<Scoped> const view("sixteen letters.", 100);
  }
  EXPECT_GT(heap_calls().allocations, before.allocations);
}

TEST(steady_state_counters, fences_are_counted_for_host_views) {
  FenceCounter const counter;
  {
    Vector<Host> const view("view", 100);
  }
  EXPECT_GT(counter.count(), 0u);
}

TEST(steady_state_counters, upstream_is_counted_in_the_first_cycle) {
  KokkosArena::Arena<Host> arena;
  cycle(arena);
  EXPECT_GT(arena.statistics().upstream_allocations, 0u);
}

#if defined(__linux__)

TEST(steady_state_counters, page_faults_are_counted_for_host_views) {
  EXPECT_GT(
      page_faults([] {
        touch(Vector<Host>(
            Kokkos::view_alloc("view", Kokkos::WithoutInitializing), huge));
      }),
      10);
}

TEST(steady_state_counters, system_calls_are_counted_for_host_views) {
  if (is_sanitized) {
    GTEST_SKIP() << "the sanitizer makes system calls of its own";
  }
  if (!system_calls([] {})) {
    GTEST_SKIP() << "this system doesn't let the test trace system calls";
  }
  EXPECT_EQ(system_calls([] {
              (void)getppid();
              (void)getppid();
            }),
            2);
  EXPECT_GT(system_calls([] {
              Vector<Host> const view(
                  Kokkos::view_alloc("view", Kokkos::WithoutInitializing),
                  huge);
            }),
            0);
}

#endif

}  // namespace
