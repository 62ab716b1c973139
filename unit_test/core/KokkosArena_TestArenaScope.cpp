// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which arena a View draws from, and what happens to programs that end arenas
// and scopes in the wrong order.
#include <KokkosArena_TestConfig.hpp>

#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaFrame;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaScope;
using KokkosArena::with_arena;

using HostArena = Arena<Host>;
using View      = Kokkos::View<double*, Scoped>;

template <class A>
std::uint64_t live(A const& arena) {
  return arena.statistics().live_allocations;
}

// ---------------------------------------------------------------- nesting

template <class C>
struct arena_scope_of : ::testing::Test {
  using Tested = typename C::template arena_type<Host>;
};
TYPED_TEST_SUITE(arena_scope_of, All, ConfigName);

TYPED_TEST(arena_scope_of, captures_views_until_it_ends) {
  typename TestFixture::Tested arena(TypeParam::options(1 << 20));
  View const before("before", 10);
  EXPECT_EQ(live(arena), 0u);
  {
    ArenaScope const scope(arena);
    View const inside("inside", 10);
    EXPECT_EQ(live(arena), 1u);
  }
  EXPECT_EQ(live(arena), 0u);
  View const after("after", 10);
  EXPECT_EQ(live(arena), 0u);
  EXPECT_EQ(arena.statistics().total_allocations, 1u);
}

TYPED_TEST(arena_scope_of, frees_into_the_arena_after_it_ended) {
  typename TestFixture::Tested arena(TypeParam::options(1 << 20));
  View view;
  {
    ArenaScope const scope(arena);
    view = View("survivor", 10);
  }
  EXPECT_EQ(live(arena), 1u);
  view = View();
  EXPECT_EQ(live(arena), 0u);
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

TEST(arena_scope, innermost_wins_when_nested) {
  HostArena outer, inner;
  ArenaScope const outer_scope(outer);
  View const a("a", 1);
  {
    ArenaScope const inner_scope(inner);
    View const b("b", 1), c("c", 1);
    EXPECT_EQ(live(outer), 1u);
    EXPECT_EQ(live(inner), 2u);
  }
  View const d("d", 1);
  EXPECT_EQ(live(outer), 2u);
  EXPECT_EQ(live(inner), 0u);
}

TEST(arena_scope, nests_over_the_same_arena) {
  HostArena arena;
  ArenaScope const outer(arena);
  {
    ArenaScope const inner(arena);
  }
  View const view("still captured", 1);
  EXPECT_EQ(live(arena), 1u);
}

TEST(arena_scope, nests_over_another_sync_policy) {
  HostArena outer;
  Arena<Host, KokkosArena::Unsynchronized> inner;
  ArenaScope const outer_scope(outer);
  ArenaScope const inner_scope(inner);
  View const view("view", 1);
  EXPECT_EQ(live(outer), 0u);
  EXPECT_EQ(live(inner), 1u);
}

TEST(arena_scope, captures_for_arenas_named_by_execution_space_and_device) {
  using Exec = Kokkos::DefaultHostExecutionSpace;
  Arena<Exec> by_space;
  Arena<Kokkos::Device<Exec, Host>> by_device;
  {
    ArenaScope const scope(by_space);
    View const view("view", 1);
    EXPECT_EQ(live(by_space), 1u);
  }
  {
    ArenaScope const scope(by_device);
    View const view("view", 1);
    EXPECT_EQ(live(by_device), 1u);
  }
}

TEST(arena_scope, restores_outer_scope_after_throw) {
  HostArena outer, inner;
  ArenaScope const outer_scope(outer);
  try {
    ArenaScope const inner_scope(inner);
    View const view("in the air", 1);
    throw 42;
  } catch (int) {
  }
  View const view("view", 1);
  EXPECT_EQ(live(outer), 1u);
  EXPECT_EQ(live(inner), 0u);
}

TEST(arena_scope, restores_no_scope_after_throw) {
  HostArena arena;
  EXPECT_THROW(with_arena(arena, [] { throw std::runtime_error("thrown"); }),
               std::runtime_error);
  View const view("view", 1);
  EXPECT_EQ(live(arena), 0u);
}

TEST(arena_scope, restores_outer_scope_after_exhaustion) {
  HostArena outer, full(4096);
  ArenaScope const outer_scope(outer);
  EXPECT_THROW(with_arena(full, [] { return View("too large", 10000); }),
               KokkosArena::ArenaExhausted);
  View const view("view", 10000);
  EXPECT_EQ(live(outer), 1u);
}

// ----------------------------------------------------------- memory spaces

struct arena_scope_of_two_spaces : WithUpstream<CountingSpace> {
  using Other = KokkosArenaTest::ArenaSpace<CountingSpace>;
};

TEST_F(arena_scope_of_two_spaces, serves_each_space_from_its_own_arena) {
  HostArena host;
  Arena<CountingSpace> other;
  ArenaScope const host_scope(host);
  ArenaScope const other_scope(other);
  View const view("view", 10);
  void* const bytes = Other().allocate("bytes", 10);
  EXPECT_EQ(live(host), 1u);
  EXPECT_EQ(live(other), 1u);
  Other().deallocate("bytes", bytes, 10);
  EXPECT_EQ(live(other), 0u);
}

TEST_F(arena_scope_of_two_spaces, does_not_capture_another_memory_space) {
  Arena<CountingSpace> other;
  HostArena host;
  {
    ArenaScope const scope(other);
    View const view("view", 10);
    EXPECT_EQ(live(other), 0u);
  }
  {
    ArenaScope const scope(host);
    void* const bytes = Other().allocate("bytes", 10);
    EXPECT_EQ(live(host), 0u);
    EXPECT_EQ(CountingSpace::log().live.size(), 1u);
    Other().deallocate("bytes", bytes, 10);
  }
  EXPECT_EQ(other.statistics().total_allocations, 0u);
  EXPECT_EQ(host.statistics().total_allocations, 0u);
}

TEST_F(arena_scope_of_two_spaces, finds_the_scope_of_a_space_behind_another) {
  HostArena outer, inner;
  Arena<CountingSpace> other;
  ArenaScope const outer_scope(outer);
  ArenaScope const other_scope(other);
  {
    View const view("past the scope in between", 1);
    EXPECT_EQ(live(outer), 1u);
  }
  ArenaScope const inner_scope(inner);
  void* const bytes = Other().allocate("bytes", 10);
  EXPECT_EQ(live(other), 1u);
  Other().deallocate("bytes", bytes, 10);
}

// ----------------------------------------------------------------- threads

TEST(arena_scope, is_invisible_to_other_threads) {
  HostArena mine, its;
  ArenaScope const scope(mine);
  View kept;
  std::thread([&] {
    View const outside("outside", 10);
    EXPECT_EQ(live(mine), 0u);
    ArenaScope const its_scope(its);
    kept = View("inside", 10);
    EXPECT_EQ(live(its), 1u);
  }).join();
  View const view("view", 10);
  EXPECT_EQ(live(mine), 1u);
  EXPECT_EQ(live(its), 1u);
}

// -------------------------------------------------------------- with_arena

TEST(with_arena, returns_what_the_function_returns) {
  HostArena arena;
  int variable    = 1;
  auto&& by_value = with_arena(arena, [] { return 2; });
  EXPECT_EQ(by_value, 2);
  static_assert(
      std::is_same_v<decltype(with_arena(arena, [] { return 2; })), int>);

  auto const reference = [&]() -> int& { return variable; };
  static_assert(std::is_same_v<decltype(with_arena(arena, reference)), int&>);
  EXPECT_EQ(&with_arena(arena, reference), &variable);

  auto const constant = [&]() -> int const& { return variable; };
  static_assert(
      std::is_same_v<decltype(with_arena(arena, constant)), int const&>);

  auto const set = [&] { variable = 3; };
  static_assert(std::is_void_v<decltype(with_arena(arena, set))>);
  with_arena(arena, set);
  EXPECT_EQ(variable, 3);

  auto const unique =
      with_arena(arena, [] { return std::make_unique<int>(4); });
  EXPECT_EQ(*unique, 4);
}

TEST(with_arena, calls_a_function_object_with_its_value_category) {
  struct OnlyOnce {
    std::unique_ptr<int> value;
    std::unique_ptr<int> operator()() && { return std::move(value); }
  };
  HostArena arena;
  EXPECT_EQ(*with_arena(arena, OnlyOnce{std::make_unique<int>(5)}), 5);
}

TEST(with_arena, runs_in_a_scope_that_ends_with_it) {
  HostArena arena;
  auto const view = with_arena(arena, [] { return View("result", 10); });
  EXPECT_EQ(live(arena), 1u);
  EXPECT_EQ(view.use_count(), 1);
  View const after("after", 10);
  EXPECT_EQ(live(arena), 1u);
}

// -------------------------------------------------------------- ArenaFrame

TEST(arena_frame, rewinds_untracked_allocations) {
  HostArena arena;
  arena.allocate(100);
  auto const used = arena.statistics().used_bytes;
  {
    ArenaFrame const frame(arena);
    arena.allocate(1000);
    arena.allocate(1000);
    EXPECT_GE(arena.statistics().used_bytes, used + 2000);
  }
  EXPECT_EQ(arena.statistics().used_bytes, used);
}

TEST(arena_frame, rewinds_after_throw) {
  HostArena arena;
  arena.allocate(100);
  auto const used = arena.statistics().used_bytes;
  try {
    ArenaFrame const frame(arena);
    arena.allocate(1000);
    throw 1;
  } catch (int) {
  }
  EXPECT_EQ(arena.statistics().used_bytes, used);
  View const view("view", 1);
  EXPECT_EQ(live(arena), 0u);
}

TEST(arena_frame, is_a_scope) {
  HostArena outer, inner;
  ArenaScope const scope(outer);
  {
    ArenaFrame const frame(inner);
    View const view("view", 1);
    EXPECT_EQ(live(inner), 1u);
  }
  View const view("view", 1);
  EXPECT_EQ(live(outer), 1u);
}

TEST(arena_frame, leaves_live_views_valid) {
  HostArena arena;
  View view;
  {
    ArenaFrame const frame(arena);
    arena.allocate(1000);
    view = View("survivor", 100);
    Kokkos::deep_copy(view, 7.);
    arena.allocate(1000);
  }
  if constexpr (is_checked) {
    EXPECT_EQ(live(arena), 0u);
    EXPECT_THROW((void)view(0), KokkosArena::InvalidViewAccess);
    return;
  }
  EXPECT_EQ(live(arena), 1u);
  // Whoever is given the View's memory would overwrite it here.
  auto* const other = static_cast<char*>(arena.allocate(5000));
  for (int i = 0; i < 5000; ++i) other[i] = -1;
  for (int i = 0; i < 100; ++i) ASSERT_EQ(view(i), 7.);
}

TEST(arena_frame, rewinds_and_leaves_live_views_valid_after_a_reset_inside) {
  HostArena arena;
  arena.allocate(100);
  View old_view, new_view;
  {
    ArenaFrame const frame(arena);
    old_view = View("before the reset", 100);
    Kokkos::deep_copy(old_view, 1.);
    arena.allocate(1000);
    arena.reset();
    EXPECT_EQ(arena.statistics().used_bytes, arena.statistics().live_bytes);
    new_view = View("after the reset", 100);
    Kokkos::deep_copy(new_view, 2.);
    arena.allocate(1000);
  }
  auto const s = arena.statistics();
  if constexpr (is_checked) {
    EXPECT_EQ(s.live_allocations, 0u);
    EXPECT_EQ(s.used_bytes, 0u);
    EXPECT_EQ(s.escaped_views, 2u);
    EXPECT_THROW((void)old_view(0), KokkosArena::InvalidViewAccess);
    EXPECT_THROW((void)new_view(0), KokkosArena::InvalidViewAccess);
    return;
  }
  EXPECT_EQ(s.live_allocations, 2u);
  EXPECT_EQ(s.used_bytes, s.live_bytes);
  auto* const other = static_cast<char*>(arena.allocate(5000));
  for (int i = 0; i < 5000; ++i) other[i] = -1;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(old_view(i), 1.);
    ASSERT_EQ(new_view(i), 2.);
  }
}

TEST(arena_frame, keeps_what_was_allocated_before_it_when_nested) {
  HostArena arena;
  std::uint64_t outer_used = 0, inner_used = 0;
  {
    ArenaFrame const outer(arena);
    auto* const kept = static_cast<int*>(arena.allocate(sizeof(int)));
    *kept            = 42;
    outer_used       = arena.statistics().used_bytes;
    {
      ArenaFrame const inner(arena);
      arena.allocate(100);
    }
    inner_used = arena.statistics().used_bytes;
    EXPECT_EQ(*kept, 42);
  }
  EXPECT_GT(outer_used, 0u);
  EXPECT_EQ(inner_used, outer_used);
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

// ---------------------------------------------------- instances of the space

TEST(scoped_space, allocates_from_its_arena_without_a_scope) {
  HostArena arena;
  View const view(Kokkos::view_alloc("view", Scoped(arena)), 10);
  EXPECT_EQ(live(arena), 1u);
  EXPECT_EQ(view.label(), "view");
}

// An arena's arguments are what they are said to be.
template <class... Ts>
concept IsArena = requires { typename KokkosArena::Arena<Ts...>; };
static_assert(IsArena<> && IsArena<Host> &&
              IsArena<Kokkos::DefaultHostExecutionSpace> &&
              IsArena<Host::device_type, KokkosArena::Locked>);
static_assert(!IsArena<int> && !IsArena<KokkosArena::Locked> &&
              !IsArena<Host, int> && !IsArena<Host, Host>);

TEST(scoped_space, allocates_from_its_arena_in_the_scope_of_another) {
  HostArena named, scoped;
  ArenaScope const scope(scoped);
  View const view(Kokkos::view_alloc("view", Scoped(named)), 10);
  EXPECT_EQ(live(named), 1u);
  EXPECT_EQ(live(scoped), 0u);
}

TEST(scoped_space, remembers_the_arena_in_scope_when_it_was_made) {
  HostArena arena, later;
  auto const space = with_arena(arena, [] { return Scoped(); });
  ArenaScope const scope(later);
  View const view(Kokkos::view_alloc("view", space), 10);
  EXPECT_EQ(live(arena), 1u);
  EXPECT_EQ(live(later), 0u);
}

TEST(scoped_space, frees_what_any_instance_of_it_allocated) {
  HostArena arena;
  void* const of_arena = Scoped(arena).allocate("bytes", 100);
  void* const of_base  = Scoped().allocate("bytes", 100);
  EXPECT_EQ(live(arena), 1u);
  Scoped().deallocate("bytes", of_arena, 100);
  EXPECT_EQ(live(arena), 0u);
  Scoped(arena).deallocate("bytes", of_base, 100);
  EXPECT_EQ(live(arena), 0u);
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

// ----------------------------------------------- what ends the program

/// Each dies in a program of its own, with Kokkos initialised afresh.
struct arena_scope_death_test : ::testing::Test {
  arena_scope_death_test() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(arena_scope_death_test, arena_that_ends_in_its_scope_aborts) {
  EXPECT_DEATH(
      {
        auto arena = std::make_unique<HostArena>(labelled("short-lived"));
        ArenaScope const scope(*arena);
        arena.reset();
      },
      "arena \"short-lived\" ends while a scope on it is open");
}

TEST_F(arena_scope_death_test, arena_that_ends_in_an_outer_scope_aborts) {
  EXPECT_DEATH(
      {
        HostArena other;
        auto arena = std::make_unique<HostArena>(labelled("outer"));
        ArenaScope const scope(*arena);
        ArenaScope const inner(other);
        arena.reset();
      },
      "arena \"outer\" ends while a scope on it is open");
}

TEST_F(arena_scope_death_test, arena_that_ends_in_its_frame_aborts) {
  EXPECT_DEATH(
      {
        auto arena = std::make_unique<HostArena>(labelled("framed"));
        ArenaFrame const frame(*arena);
        arena.reset();
      },
      "arena \"framed\" ends while a scope on it is open");
}

TEST_F(arena_scope_death_test, exit_in_a_scope_keeps_its_code_and_is_told) {
  EXPECT_EXIT(
      {
        static HostArena arena(labelled("left open"));
        ArenaScope const scope(arena);
        std::exit(7);
      },
      ::testing::ExitedWithCode(7),
      "arena \"left open\" ends while a scope on it is open, since the program "
      "ends");
}

TEST_F(arena_scope_death_test, exit_in_a_scope_of_another_thread_likewise) {
  EXPECT_EXIT(
      {
        static HostArena arena(labelled("left open"));
        std::thread([] {
          ArenaScope const scope(arena);
          std::exit(7);
        }).join();
      },
      ::testing::ExitedWithCode(7), "since the program ends");
}

TEST_F(arena_scope_death_test, arena_that_ends_after_finalize_aborts) {
  EXPECT_DEATH(
      {
        HostArena arena(labelled("straggler"));
        Kokkos::finalize();
      },
      "arena \"straggler\" ends after Kokkos::finalize");
}

TEST_F(arena_scope_death_test, outer_scope_that_ends_first_aborts) {
  EXPECT_DEATH(
      {
        HostArena outer(labelled("outer"));
        HostArena inner(labelled("inner"));
        auto outer_scope = std::make_unique<ArenaScope>(outer);
        auto inner_scope = std::make_unique<ArenaScope>(inner);
        outer_scope.reset();
      },
      "a scope on arena \"outer\" ends on another thread .*or before");
}

TEST_F(arena_scope_death_test, scope_that_ends_on_another_thread_aborts) {
  EXPECT_DEATH(
      {
        HostArena arena(labelled("handed over"));
        auto scope = std::make_unique<ArenaScope>(arena);
        std::thread([&] { scope.reset(); }).join();
      },
      "a scope on arena \"handed over\" ends on another thread");
}

// ------------------------------------------------------------------ coroutines

/// Holds nothing while it is suspended.
TEST(arena_scope, holds_again_when_it_is_resumed) {
  HostArena arena, other;
  ArenaScope scope(arena);
  {
    ArenaScope const inner(other);
    View const view("inner", 1);
    EXPECT_EQ(other.statistics().live_allocations, 1u);
  }
  scope.suspend();
  {
    View const view("outside", 1);
    EXPECT_EQ(arena.statistics().live_allocations, 0u);
    ArenaScope const next(other);
    scope.resume();
    View const again("inside", 1);
    EXPECT_EQ(arena.statistics().live_allocations, 1u);
    scope.suspend();
    View const in_next("in next", 1);
    EXPECT_EQ(other.statistics().live_allocations, 1u);
  }
  scope.resume();
  View const view("at last", 1);
  EXPECT_EQ(arena.statistics().live_allocations, 1u);
}

TEST(arena_scope, holds_for_the_threads_of_kernels_when_it_is_resumed) {
  Arena<Host, KokkosArena::ThreadCached> arena;
  ArenaScope scope(arena);
  constexpr int n = 64;
  auto const draw = [] {
    Kokkos::parallel_for(n, [](int) { View const view("in a kernel", 1); });
  };
  scope.suspend();
  draw();
  EXPECT_EQ(arena.statistics().total_allocations, 0u);
  scope.resume();
  draw();
  EXPECT_EQ(arena.statistics().total_allocations, std::uint64_t(n));
}

TEST(arena_scope, goes_on_with_the_thread_that_resumes_it) {
  HostArena arena;
  auto scope = std::make_unique<ArenaScope>(arena);
  scope->suspend();
  std::thread([&] {
    scope->resume();
    View const view("on another thread", 1);
    EXPECT_EQ(arena.statistics().live_allocations, 1u);
    scope->suspend();
  }).join();
  scope->resume();
  View const view("back", 1);
  EXPECT_EQ(arena.statistics().live_allocations, 1u);
}

TEST(arena_scope, may_end_suspended) {
  HostArena arena;
  {
    ArenaScope scope(arena);
    scope.suspend();
  }
  View const view("outside", 1);
  EXPECT_EQ(arena.statistics().total_allocations, 0u);
}

TEST(arena_scope, is_not_suspended_inside_a_region_launched_in_it) {
  HostArena arena(labelled("outer"));
  ArenaScope scope(arena);
  bool is_region = false;
  std::string text;
  Kokkos::parallel_for(
      Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, 1), [&](int) {
        is_region = KokkosArena::Impl::region_level() > 0;
        if (!is_region) return;
        try {
          scope.suspend();
        } catch (std::logic_error const& e) {
          text = e.what();
        }
      });
  if (!is_region) GTEST_SKIP() << "the backend has no regions";
  EXPECT_EQ(text,
            "KokkosArena: suspend() of a scope on arena \"outer\" was called "
            "inside a parallel region that was launched in it; call it between "
            "regions");
  View const view("view", 1);
  EXPECT_EQ(arena.statistics().total_allocations, 1u);
}

TEST(arena_scope, is_suspended_and_resumed_in_turns) {
  auto const message = [](auto const& f) -> std::string {
    try {
      f();
    } catch (std::logic_error const& e) {
      return e.what();
    }
    return "nothing was thrown";
  };
  HostArena arena(labelled("turns"));
  ArenaScope scope(arena);
  EXPECT_EQ(
      message([&] { scope.resume(); }),
      "KokkosArena: resume() of an open scope on arena \"turns\"; call the "
      "two in turns");
  scope.suspend();
  EXPECT_EQ(message([&] { scope.suspend(); }),
            "KokkosArena: suspend() of a suspended scope on arena \"turns\"; "
            "call the two in turns");
}

/// Yields as long as there is something to do.
struct Generator {
  struct promise_type {
    Generator get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    std::suspend_always yield_value(double value) noexcept {
      m_value = value;
      return {};
    }
    void return_void() {}
    void unhandled_exception() { throw; }
    double m_value = 0;
  };
  std::coroutine_handle<promise_type> handle;
};

Generator sums(HostArena& arena, int n) {
  ArenaScope scope(arena);
  for (int i = 1; i <= n; ++i) {
    View view("temporary", 10);
    Kokkos::deep_copy(view, i);
    double sum = 0;
    for (int j = 0; j < 10; ++j) sum += view(j);
    scope.suspend();
    co_yield sum;
    scope.resume();
  }
}

TEST(arena_scope, of_a_coroutine_does_not_hold_for_its_caller) {
  HostArena first, second, callers;
  auto const a = sums(first, 3), b = sums(second, 2);
  {
    ArenaScope const scope(callers);
    for (int i = 1; i <= 3; ++i) {
      a.handle.resume();
      EXPECT_EQ(a.handle.promise().m_value, 10. * i);
      if (i < 3) b.handle.resume();
      View const view("the caller's", 1);
      EXPECT_EQ(callers.statistics().live_allocations, 1u);
    }
  }
  EXPECT_EQ(first.statistics().total_allocations, 3u);
  EXPECT_EQ(second.statistics().total_allocations, 2u);
  // One of them at its end, one before.
  a.handle.resume();
  EXPECT_TRUE(a.handle.done());
  EXPECT_FALSE(b.handle.done());
  a.handle.destroy();
  b.handle.destroy();
}

TEST_F(arena_scope_death_test,
       arena_that_ends_before_a_suspended_scope_aborts) {
  EXPECT_DEATH(
      {
        auto arena = std::make_unique<HostArena>(labelled("suspended"));
        ArenaScope scope(*arena);
        scope.suspend();
        arena.reset();
      },
      "arena \"suspended\" ends while a scope on it is open");
}

TEST_F(arena_scope_death_test, scope_that_a_coroutine_leaves_open_is_told) {
  EXPECT_DEATH(
      {
        HostArena arena(labelled("coroutine's"));
        HostArena callers(labelled("caller's"));
        std::unique_ptr<ArenaScope> left_open;
        {
          ArenaScope const scope(callers);
          left_open = std::make_unique<ArenaScope>(arena);
        }
      },
      "a scope on arena \"caller's\" ends .*in a coroutine suspend\\(\\)");
}

/// \return 0 if the arena could not be made and the message says why.
template <class... Arguments>
int arena_after_finalize(Arguments&&... arguments) {
  Kokkos::finalize();
  try {
    // Not ended: that would abort.
    new HostArena(std::forward<Arguments>(arguments)...);
  } catch (std::logic_error const& e) {
    std::string const message = e.what();
    if (message.find("Kokkos::finalize") != std::string::npos) return 0;
    std::fputs(e.what(), stderr);
    return 1;
  } catch (...) {
    return 2;
  }
  return 3;
}

TEST_F(arena_scope_death_test, arena_made_after_finalize_throws_logic_error) {
  // _Exit: main would finalise Kokkos once more.
  EXPECT_EXIT(std::_Exit(arena_after_finalize()), ::testing::ExitedWithCode(0),
              "");
  EXPECT_EXIT(std::_Exit(arena_after_finalize(4096)),
              ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(std::_Exit(arena_after_finalize(labelled("late"))),
              ::testing::ExitedWithCode(0), "");
}

TEST_F(arena_scope_death_test,
       arena_with_an_instance_made_after_finalize_throws) {
  EXPECT_EXIT(
      {
        auto* const exec = new Kokkos::DefaultHostExecutionSpace;
        Kokkos::finalize();
        try {
          new Arena<Host>(*exec, ArenaOptions{});
        } catch (std::logic_error const&) {
          std::_Exit(0);
        }
        std::_Exit(3);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
