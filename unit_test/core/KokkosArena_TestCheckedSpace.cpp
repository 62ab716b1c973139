// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every use of a View after its arena has dropped it is found, with a message
// that says which View, where it was dropped, and what to do.
#include <KokkosArena_TestConfig.hpp>
#include <KokkosArena_TestEnvironment.hpp>
#include <KokkosArena_TestTeam.hpp>

#include <Kokkos_DualView.hpp>
#include <Kokkos_DynRankView.hpp>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <unistd.h>
#endif

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaExhausted;
using KokkosArena::ArenaFrame;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaScope;
using KokkosArena::EscapedViews;
using KokkosArena::EscapePolicy;
using KokkosArena::InvalidViewAccess;
using KokkosArena::make_view;
using KokkosArena::similar;

using Space  = KokkosArena::CheckedSpace<Host>;
using Plain  = KokkosArena::ScopedSpace<Host>;
using Vector = Kokkos::View<double*, Space>;
using Matrix = Kokkos::View<double**, Space>;

/// \return What InvalidViewAccess says, or what is wrong.
template <class F>
std::string message_of(F const& access) {
  try {
    access();
  } catch (InvalidViewAccess const& e) {
    return e.what();
  } catch (std::exception const& e) {
    return std::string("another exception: ") + e.what();
  }
  return "no exception";
}

::testing::AssertionResult says(std::string const& message,
                                std::string const& pattern) {
  ::testing::Matcher<std::string const&> const matcher =
      ::testing::ContainsRegex(pattern);
  if (matcher.Matches(message)) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure()
         << "\"" << message << "\" doesn't match \"" << pattern << "\"";
}

/// Runs \c f in a scope on the arena, and returns what it returns.
template <class A, class F>
auto inside(A& arena, F const& f) {
  ArenaScope const scope(arena);
  return f();
}

// ---------------------------------------------------------- each kind of View

struct checked_views : ::testing::Test {
  /// A View whose memory has been dropped.
  template <class ViewType, class... Extents>
  ViewType dropped(std::string const& label, Extents... n) {
    auto const view = inside(arena, [&] { return ViewType(label, n...); });
    arena.reset();
    return view;
  }
  Arena<Host> arena{ArenaOptions{.label = "solver"}};
};

TEST_F(checked_views, throw_at_an_access_after_reset) {
  auto const view = inside(arena, [] {
    Matrix result("residual", 3, 4);
    result(2, 3) = 7;
    return result;
  });
  EXPECT_EQ(view(2, 3), 7);
  arena.reset();
  int const line     = __LINE__ - 1;
  auto const message = message_of([&] { EXPECT_NE(view(0, 0), view(0, 0)); });
  EXPECT_TRUE(says(message, "View \"residual\" \\(3 x 4, 96 bytes\\)"));
  EXPECT_TRUE(says(message, "arena \"solver\""));
  EXPECT_TRUE(says(message, "after reset\\(\\) at .*TestCheckedSpace.cpp:" +
                                std::to_string(line)));
  EXPECT_TRUE(says(message, "made in cycle 1 and dropped in cycle 1\\."));
  EXPECT_TRUE(says(message, "[cC]opy what has to outlive"));
}

TEST_F(checked_views, throw_at_each_kind_of_access) {
  auto const view = dropped<Vector>("v", 10);
  EXPECT_THROW(view(3), InvalidViewAccess);
  EXPECT_THROW(view[3], InvalidViewAccess);
  EXPECT_THROW(view(3) = 1, InvalidViewAccess);
  EXPECT_THROW(view.access(3), InvalidViewAccess);
  auto const scalar = dropped<Kokkos::View<double, Space>>("scalar");
  EXPECT_TRUE(says(message_of([&] { scalar() = 1; }),
                   "View \"scalar\" \\(a scalar, 8 bytes\\)"));
  auto const fixed = dropped<Kokkos::View<int* [3], Space>>("fixed", 5);
  EXPECT_TRUE(says(message_of([&] { fixed(0, 0) = 1; }),
                   "View \"fixed\" \\(5 x 3, 64 bytes\\)"));
  auto const rank_8 =
      dropped<Kokkos::View<int********, Space>>("r8", 1, 2, 1, 2, 1, 2, 1, 2);
  EXPECT_TRUE(says(message_of([&] { rank_8(0, 0, 0, 0, 0, 0, 0, 0) = 1; }),
                   "\\(1 x 2 x 1 x 2 x 1 x 2 x 1 x 2, 64 bytes\\)"));
}

TEST_F(checked_views, throw_through_copies_subviews_and_other_shapes) {
  auto const view   = inside(arena, [] { return Matrix("m", 6, 8); });
  auto const copy   = view;
  auto const row    = Kokkos::subview(view, 2, Kokkos::ALL);
  auto const middle = Kokkos::subview(view, std::pair(1, 3), std::pair(2, 5));
  Kokkos::View<double const**, Space> const constant                = view;
  Kokkos::View<double**, Kokkos::LayoutStride, Space> const strided = view;
  Matrix const reshaped(view.data(), 8, 6);
  EXPECT_EQ(
      row(1) + middle(1, 1) + constant(0, 0) + strided(0, 0) + reshaped(7, 5),
      0);
  arena.reset();
  EXPECT_THROW(copy(0, 0), InvalidViewAccess);
  EXPECT_TRUE(says(message_of([&] { row(1) = 1; }), "View \"m\" \\(6 x 8"));
  EXPECT_THROW(middle(1, 1), InvalidViewAccess);
  EXPECT_THROW(constant(0, 0), InvalidViewAccess);
  EXPECT_THROW(strided(0, 0), InvalidViewAccess);
  EXPECT_TRUE(
      says(message_of([&] { reshaped(0, 0) = 1; }), "View \"m\" \\(6 x 8"));
}

TEST_F(checked_views, throw_whatever_their_traits) {
  auto const view = inside(arena, [] { return Vector("traits", 10); });
  Kokkos::View<double*, Space, Kokkos::MemoryTraits<Kokkos::Atomic>> const
      atomic                                                            = view;
  Kokkos::View<double const*, Space,
               Kokkos::MemoryTraits<Kokkos::RandomAccess>> const random = view;
  Kokkos::View<double*, Space, Kokkos::MemoryTraits<Kokkos::Unmanaged>> const
      unmanaged = view;
  Kokkos::View<double*, Space,
               Kokkos::MemoryTraits<Kokkos::Unmanaged | Kokkos::Atomic>> const
      unmanaged_atomic = view;
  EXPECT_NO_THROW(atomic(1) += 1);
  EXPECT_NO_THROW(unmanaged_atomic(1) += 1);
  EXPECT_EQ(random(1) + unmanaged(1), 4);
  arena.reset();
  EXPECT_THROW(atomic(1) += 1, InvalidViewAccess);
  EXPECT_THROW(random(1), InvalidViewAccess);
  EXPECT_THROW(unmanaged(1), InvalidViewAccess);
  EXPECT_THROW(unmanaged_atomic(1) += 1, InvalidViewAccess);
}

TEST_F(checked_views, throw_when_unmanaged_and_their_owner_has_ended) {
  Kokkos::View<double*, Space, Kokkos::MemoryTraits<Kokkos::Unmanaged>>
      unmanaged;
  inside(arena, [&] {
    Vector const owner("owner", 10);
    unmanaged = owner;
    return 0;
  });
  arena.reset();
  EXPECT_TRUE(says(message_of([&] { unmanaged(0) = 1; }),
                   "View \"owner\" \\(10, 80 bytes\\) of arena \"solver\""));
}

TEST_F(checked_views, throw_when_copied_by_deep_copy) {
  auto const view = dropped<Vector>("source", 10);
  Kokkos::View<double*, Host> const host("host", 10);
  auto const other = inside(arena, [] { return Vector("other", 10); });
  EXPECT_THROW(Kokkos::deep_copy(host, view), InvalidViewAccess);
  EXPECT_THROW(Kokkos::deep_copy(view, host), InvalidViewAccess);
  EXPECT_THROW(Kokkos::deep_copy(other, view), InvalidViewAccess);
  EXPECT_THROW(Kokkos::deep_copy(view, other), InvalidViewAccess);
  EXPECT_NO_THROW(Kokkos::deep_copy(host, other));
}

TEST_F(checked_views, made_by_make_view_and_similar_throw) {
  auto const made =
      inside(arena, [] { return make_view<Matrix>("made", 2, 3); });
  auto const like = inside(arena, [&] { return similar<int>(made, 7); });
  arena.reset();
  EXPECT_TRUE(
      says(message_of([&] { made(0, 0) = 1; }), "\"made\" \\(2 x 3, 48"));
  EXPECT_TRUE(
      says(message_of([&] { like(0) = 1; }), "\"made\" \\(7, 32 bytes"));
}

TEST_F(checked_views, go_on_to_work_where_no_element_is_accessed) {
  auto const view = dropped<Matrix>("kept", 3, 4);
  EXPECT_EQ(view.extent(1), 4u);
  EXPECT_EQ(view.label(), "kept");
  EXPECT_EQ(view.use_count(), 1);
  auto const copy = view;
  EXPECT_EQ(view.use_count(), 2);
  auto const row = Kokkos::subview(copy, 1, Kokkos::ALL);
  EXPECT_EQ(row.extent(0), 4u);
  EXPECT_EQ(view.span(), 12u);
}

// ------------------------------------------------- what makes a View invalid

TEST(checked_space, rewind_invalidates_what_is_newer_than_the_mark) {
  Arena<Host> arena;
  ArenaScope const scope(arena);
  Vector const older("older", 10);
  auto const mark = arena.mark();
  Vector const newer("newer", 10);
  newer(0) = older(0) = 1;
  arena.rewind(mark);
  EXPECT_EQ(older(0), 1);
  EXPECT_TRUE(says(message_of([&] { newer(0) = 1; }),
                   "\"newer\".* after rewind\\(\\) at .*TestChecked"));
  Vector const again("again", 10);
  EXPECT_NO_THROW(again(0) = older(0));
  arena.rewind(mark);
  EXPECT_THROW(again(0), InvalidViewAccess);
  EXPECT_EQ(older(0), 1);
}

TEST(checked_space, rewind_to_an_older_mark_invalidates_all_between) {
  Arena<Host> arena;
  ArenaScope const scope(arena);
  std::vector<Vector> views;
  std::vector<KokkosArena::ArenaMark> marks;
  for (int i = 0; i < 5; ++i) {
    marks.push_back(arena.mark());
    views.emplace_back("view " + std::to_string(i), 10);
  }
  arena.rewind(marks[2]);
  for (int i = 0; i < 5; ++i) {
    auto const k = static_cast<std::size_t>(i);
    if (i < 2) {
      EXPECT_NO_THROW(views[k](0) = 1);
    } else {
      EXPECT_THROW(views[k](0) = 1, InvalidViewAccess) << i;
    }
  }
}

TEST(checked_space, frame_invalidates_what_was_made_in_it) {
  Arena<Host> arena;
  ArenaScope const scope(arena);
  Vector const outer("outer", 10);
  Vector escaped;
  {
    ArenaFrame const frame(arena);
    escaped = Vector("escaped", 10);
    {
      ArenaFrame const inner(arena);
      Vector const temporary("temporary", 10);
      temporary(0) = escaped(0) + outer(0);
    }
    EXPECT_NO_THROW(escaped(0) = 1);
  }
  EXPECT_NO_THROW(outer(0) = 1);
  EXPECT_TRUE(says(message_of([&] { escaped(0) = 1; }),
                   "after the end of the ArenaFrame made at .*TestChecked"));
}

TEST(checked_space, frame_leaves_alone_what_other_threads_have_made) {
  Arena<Host> arena;
  Meeting meeting(2);
  EXPECT_TRUE(at_once(2, [&](int t) {
    bool right = true;
    for (int i = 0; i < 200; ++i) {
      ArenaFrame const frame(arena);
      Vector const mine("mine", 10 + i);
      mine(0) = t;
      if (i % 10 == 0) meeting.wait();
      right = right && mine(0) == t;
    }
    return right;
  }));
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
}

TEST(checked_space, end_of_arena_and_release_invalidate) {
  Vector view, released;
  {
    Arena<Host> arena(ArenaOptions{.label = "short-lived"});
    released = inside(arena, [] { return Vector("released", 10); });
    arena.release();
    EXPECT_TRUE(says(message_of([&] { released(0) = 1; }),
                     "after release\\(\\) at .*TestChecked"));
    view = inside(arena, [] { return Vector("orphan", 10); });
    EXPECT_NO_THROW(view(0) = 1);
  }
  EXPECT_TRUE(
      says(message_of([&] { view(0) = 1; }),
           "\"orphan\".*arena \"short-lived\".* after the arena's end"));
  EXPECT_THROW(released(0) = 1, InvalidViewAccess);
}

TEST(checked_space, message_counts_the_cycles) {
  Arena<Host> arena;
  for (int i = 0; i < 6; ++i) arena.reset();
  auto const view = inside(arena, [] { return Vector("late", 10); });
  arena.reset();
  arena.reset();
  EXPECT_TRUE(says(message_of([&] { view(0) = 1; }),
                   "made in cycle 7 and dropped in cycle 7"));
}

TEST(checked_space, view_that_escaped_long_ago_is_still_named) {
  Arena<Host> arena;
  auto const view = inside(arena, [] { return Vector("ancient", 10); });
  for (int i = 0; i < 100; ++i) {
    inside(arena, [] { return Vector("temporary", 100); });
    arena.reset();
  }
  EXPECT_TRUE(says(message_of([&] { view(0) = 1; }), "\"ancient\""));
}

TEST(checked_space, scoped_views_of_the_same_arena_survive) {
  Arena<Host> arena;
  ArenaScope const scope(arena);
  Kokkos::View<double*, Plain> const scoped("scoped", 100);
  Vector const checked("checked", 100);
  fill_pattern(scoped, 1);
  arena.reset();
  EXPECT_TRUE(has_pattern(scoped, 1));
  EXPECT_THROW(checked(0), InvalidViewAccess);
}

TEST(checked_space, instance_of_an_arena_makes_views_without_a_scope) {
  Arena<Host> arena, scoped;
  ArenaScope const scope(scoped);
  Vector const view(Kokkos::view_alloc(Space(arena), "view"), 10);
  Vector const other(Kokkos::view_alloc("other", Space(arena),
                                        Kokkos::DefaultHostExecutionSpace()),
                     10);
  EXPECT_EQ(arena.statistics().live_allocations, 2u);
  EXPECT_EQ(scoped.statistics().live_allocations, 0u);
  scoped.reset();
  EXPECT_NO_THROW(view(0) = other(0));
  arena.reset();
  EXPECT_THROW(view(0), InvalidViewAccess);
  EXPECT_THROW(other(0), InvalidViewAccess);
}

TEST(checked_space, outside_of_a_scope_nothing_is_invalid) {
  Arena<Host> arena;
  Vector const view("base", 100);
  arena.reset();
  EXPECT_NO_THROW(view(0) = 1);
  Vector const empty("empty", 0), none;
  EXPECT_EQ(empty.extent(0) + none.extent(0), 0u);
}

// ------------------------------------------------------- memory and addresses

TEST(checked_space, each_cycle_has_fresh_addresses_over_the_same_pages) {
#if !defined(__linux__)
  GTEST_SKIP() << "elsewhere than on Linux pages can't be moved";
#endif
  Arena<Host> arena;
  std::set<std::uintptr_t> addresses;
  std::uint64_t requests = 0;
  for (int cycle = 0; cycle < 100; ++cycle) {
    inside(arena, [&] {
      Vector const view("view", 10000);
      EXPECT_EQ(view(9999), 0);
      addresses.insert(address_of(view.data()));
      return 0;
    });
    arena.reset();
    if (cycle == 2) requests = arena.statistics().upstream_allocations;
  }
  EXPECT_EQ(addresses.size(), 100u);
  EXPECT_EQ(arena.statistics().upstream_allocations, requests);
}

TEST(checked_space, temporaries_without_reset_are_bounded_by_what_is_live) {
  Arena<Host> arena;
  ArenaScope const scope(arena);
  Vector const kept("kept", 100);
  for (int i = 0; i < 20000; ++i) {
    Vector const a("a", 1 + i % 1000), b("b", 500);
    a(0) = b(0);
  }
  EXPECT_LE(arena.statistics().capacity_bytes, std::size_t(64) << 10);
  EXPECT_EQ(arena.statistics().live_allocations, 1u);
  EXPECT_NO_THROW(kept(0) = 1);
}

TEST(checked_space, marks_without_rewind_are_bounded_by_what_is_live) {
  Arena<Host> arena;
  ArenaScope const scope(arena);
  for (int i = 0; i < 2000; ++i) {
    auto const mark = arena.mark();
    Vector const view("temporary", 1000);
    view(0) = static_cast<double>(mark.epoch());
  }
  EXPECT_LE(arena.statistics().capacity_bytes, std::size_t(128) << 10);
}

/// Views of frames within frames.
void nest_frames(Arena<Host>& arena, int depth) {
  if (depth == 0) return;
  ArenaFrame const frame(arena);
  Vector const view("of frame", 10);
  view(0) = depth;
  nest_frames(arena, depth - 1);
  EXPECT_EQ(view(0), depth);
}

TEST(checked_space, nested_frames_and_marks_take_a_little_memory_each) {
  constexpr std::size_t each = std::size_t(64) << 10;
  for (auto const maximum : {std::size_t(1) << 20, ~std::size_t(0)}) {
    Arena<Host> arena(ArenaOptions{.maximum_bytes = maximum});
    nest_frames(arena, 100);
    EXPECT_LE(arena.statistics().capacity_bytes, 101 * each);
    arena.reset();
    ArenaScope const scope(arena);
    std::vector<Vector> views;
    for (int i = 0; i < 100; ++i) {
      EXPECT_LE(arena.mark().epoch(), 1000u);
      views.emplace_back("behind a mark", 10);
      views.back()(0) = i;
    }
    EXPECT_LE(arena.statistics().capacity_bytes, 102 * each);
    for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(views[i](0), i);
  }
}

TEST(checked_space, frame_that_outgrows_its_memory_gets_more) {
  Arena<Host> arena;
  for (int i = 0; i < 5; ++i) {
    ArenaFrame const frame(arena);
    std::vector<Vector> views;
    for (int k = 0; k < 100; ++k) {
      views.emplace_back("view", 10000);
      views.back()(9999) = k;
    }
    for (std::size_t k = 0; k < 100; ++k) EXPECT_EQ(views[k](9999), k);
  }
  EXPECT_LE(arena.statistics().capacity_bytes, std::size_t(32) << 20);
}

TEST(checked_space, reset_inside_a_frame_leaves_the_frame_usable) {
  Arena<Host> arena;
  Vector before, after;
  {
    ArenaFrame const frame(arena);
    before = Vector("before", 10);
    arena.reset();
    after    = Vector("after", 10);
    after(0) = 1;
    EXPECT_THROW(before(0), InvalidViewAccess);
  }
  EXPECT_TRUE(says(message_of([&] { before(0) = 1; }), "after reset"));
  EXPECT_TRUE(says(message_of([&] { after(0) = 1; }), "ArenaFrame"));
}

TEST(checked_space, views_of_many_windows_are_all_named_after_the_reset) {
  using Unmanaged =
      Kokkos::View<double*, Space, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  Arena<Host> arena;
  std::vector<Unmanaged> unmanaged;
  inside(arena, [&] {
    std::vector<Vector> owners;
    for (int i = 0; i < 40; ++i) {
      owners.emplace_back("view " + std::to_string(i), 100'000);
      unmanaged.emplace_back(owners.back());
    }
    return 0;
  });
  arena.reset();
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_TRUE(says(message_of([&] { unmanaged[i](0) = 1; }),
                     "\"view " + std::to_string(i) + "\""));
  }
}

TEST(checked_space, refused_memory_uses_no_addresses_up) {
  ::testing::internal::CaptureStderr();
  Arena<Host> arena;
  ArenaScope const scope(arena);
  for (int i = 0; i < 100; ++i) {
    EXPECT_THROW(make_view<Vector>("huge", std::size_t(1) << 39),
                 ArenaExhausted);
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(arena.statistics().total_allocations, 0u);
  EXPECT_NO_THROW(Vector("next", 10)(0) = 1);
}

TEST(checked_space, fixed_arena_holds_no_more_than_its_bytes) {
  constexpr std::size_t bytes = std::size_t(1) << 20;
  Arena<Host> arena(ArenaOptions{
      .label = "small", .initial_bytes = bytes, .maximum_bytes = bytes});
  ArenaScope const scope(arena);
  std::vector<Vector> views;
  auto const fill = [&] {
    for (;;) views.emplace_back("part", 10000);
  };
  EXPECT_THROW(fill(), ArenaExhausted);
  auto const count = views.size();
  EXPECT_GE(count, 12u);
  try {
    Vector const more("one too many", 20000);
    ADD_FAILURE();
  } catch (ArenaExhausted const& e) {
    EXPECT_TRUE(says(e.what(), "arena \"small\".*160128 .*\"one too many\""));
    EXPECT_TRUE(says(e.what(), "maximum is 1048576"));
  }
  // Frames share the bytes, and find all that is free.
  views.resize(count / 2);
  for (int i = 0; i < 10; ++i) {
    ArenaFrame const frame(arena);
    Vector const half("half", 10000 * (count - count / 2) - 1000);
    half(0) = 1;
  }
  // So do cycles, although Views have escaped.
  arena.reset();
  std::vector<Vector> fresh;
  for (std::size_t i = 0; i < count; ++i) fresh.emplace_back("fresh", 10000);
  EXPECT_THROW(views[0](0) = 1, InvalidViewAccess);
  EXPECT_NO_THROW(fresh[count - 1](9999) = 1);
}

TEST(checked_space, statistics_count_its_views) {
  Arena<Host> arena;
  auto const view = inside(arena, [] { return Vector("view", 1000); });
  auto s          = arena.statistics();
  EXPECT_EQ(s.live_allocations, 1u);
  EXPECT_GE(s.live_bytes, 8000u);
  EXPECT_GE(s.used_bytes, s.live_bytes);
  EXPECT_GE(s.capacity_bytes, s.used_bytes);
  EXPECT_EQ(s.escaped_views, 0u);
  arena.reset();
  s = arena.statistics();
  EXPECT_EQ(s.live_allocations, 0u);
  EXPECT_EQ(s.used_bytes, 0u);
  EXPECT_EQ(s.escaped_views, 1u);
  EXPECT_EQ(s.total_allocations, 1u);
  arena.release();
  EXPECT_EQ(arena.statistics().capacity_bytes, 0u);
}

TEST(checked_space, raw_memory_is_tracked_like_a_view) {
  Arena<Host> arena(ArenaOptions{.label = "raw"});
  Space const space(arena);
  auto* const given_back = space.allocate("given back", 100);
  space.deallocate("given back", given_back, 100);
  auto* const address = static_cast<char*>(space.allocate("kept", 100));
  address[99]         = 1;
  EXPECT_EQ(arena.statistics().live_allocations, 1u);
  arena.reset();
  ASSERT_EQ(arena.escapes().size(), 1u);
  EXPECT_EQ(arena.escapes()[0].label, "kept");
  EXPECT_EQ(arena.escapes()[0].bytes, 100u);
  space.deallocate("kept", address, 100);
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
}

TEST(checked_space, kokkos_malloc_and_free_work_and_free_is_safe_after_reset) {
  Arena<Host> arena;
  ArenaScope const scope(arena);
  auto* data = static_cast<double*>(Kokkos::kokkos_malloc<Space>("m", 800));
  data[99]   = 5;
  data       = static_cast<double*>(Kokkos::kokkos_realloc<Space>(data, 1600));
  EXPECT_EQ(data[99], 5);
  Kokkos::kokkos_free<Space>(data);
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
  Kokkos::deep_copy(Matrix("a", 2, 3), Matrix("b", 2, 3));
  data = static_cast<double*>(Kokkos::kokkos_malloc<Space>("m", 800));
  arena.reset();
  // Of no extents, whatever was copied before.
  EXPECT_TRUE(says(message_of([&] {
                     data = static_cast<double*>(
                         Kokkos::kokkos_realloc<Space>(data, 1600));
                   }),
                   "View \"m\" \\(800 bytes\\)"));
  Kokkos::kokkos_free<Space>(data);
}

// ------------------------------------------------------------ owning elements

int living = 0;
struct Counted {
  Counted() { ++living; }
  Counted(Counted const&) { ++living; }
  ~Counted() { --living; }
};

TEST(checked_space, elements_of_escaped_views_end_once_at_the_reset) {
  living = 0;
  Arena<Host> arena;
  {
    auto const view = inside(arena, [] {
      return Kokkos::View<Counted*, Space>(
          Kokkos::view_alloc("counted", Kokkos::SequentialHostInit), 10);
    });
    EXPECT_EQ(living, 10);
    arena.reset();
    EXPECT_EQ(living, 0);
  }
  EXPECT_EQ(living, 0);
}

TEST(checked_space, views_of_views_may_escape) {
  using Nested = Kokkos::View<Vector*, Space>;
  Arena<Host> arena;
  Vector inner;
  {
    auto const outer = inside(arena, [&] {
      Nested result(Kokkos::view_alloc("outer", Kokkos::SequentialHostInit), 5);
      for (std::size_t i = 0; i < 5; ++i) result(i) = Vector("inner", 10);
      return result;
    });
    inner            = outer(3);
    EXPECT_EQ(arena.statistics().live_allocations, 6u);
    arena.reset();
    EXPECT_EQ(inner.use_count(), 1);
    EXPECT_THROW(outer(3), InvalidViewAccess);
  }
  EXPECT_THROW(inner(0), InvalidViewAccess);
  inner = {};
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
}

// -------------------------------------------------------------------- escapes

TEST(escapes, are_collected_the_largest_first) {
  Arena<Host> arena;
  EXPECT_TRUE(arena.escapes().empty());
  std::vector<Vector> kept;
  Matrix large;
  inside(arena, [&] {
    Vector const ended("ended", 10);
    kept.emplace_back("small", 10);
    kept.emplace_back("middle", 100);
    large = Matrix("large", 100, 100);
    return 0;
  });
  auto const copy = large;
  arena.reset();
  auto const escaped = arena.escapes();
  ASSERT_EQ(escaped.size(), 3u);
  EXPECT_EQ(escaped[0].label, "large");
  EXPECT_EQ(escaped[0].bytes, 80000u);
  EXPECT_EQ(escaped[0].use_count, 2);
  EXPECT_EQ(escaped[1].label, "middle");
  EXPECT_EQ(escaped[1].bytes, 800u);
  EXPECT_EQ(escaped[1].use_count, 1);
  EXPECT_EQ(escaped[2].label, "small");
  // They are reported once.
  arena.reset();
  EXPECT_TRUE(arena.escapes().empty());
  EXPECT_EQ(arena.statistics().escaped_views, 3u);
}

TEST(escapes, of_frames_and_rewinds_are_collected) {
  Arena<Host> arena;
  Vector a, b;
  {
    ArenaFrame const frame(arena);
    a = Vector("of frame", 10);
  }
  ASSERT_EQ(arena.escapes().size(), 1u);
  EXPECT_EQ(arena.escapes()[0].label, "of frame");
  auto const mark = arena.mark();
  b               = inside(arena, [] { return Vector("of rewind", 10); });
  arena.rewind(mark);
  ASSERT_EQ(arena.escapes().size(), 1u);
  EXPECT_EQ(arena.escapes()[0].label, "of rewind");
}

TEST(escapes, are_thrown_after_the_reset_is_done) {
  Arena<Host> arena(ArenaOptions{
      .label = "strict", .escape_policy = EscapePolicy::throw_exception});
  auto const view = inside(arena, [] { return Vector("escapee", 10); });
  try {
    arena.reset();
    ADD_FAILURE();
  } catch (EscapedViews const& e) {
    EXPECT_TRUE(
        says(e.what(), "arena \"strict\": reset\\(\\) at .*TestChecked"));
    EXPECT_TRUE(says(e.what(), "\"escapee\" \\(80 bytes, use count 1\\)"));
    ASSERT_EQ(e.views().size(), 1u);
    EXPECT_EQ(e.views()[0].label, "escapee");
  }
  EXPECT_EQ(arena.statistics().resets, 1u);
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
  EXPECT_THROW(view(0), InvalidViewAccess);
  EXPECT_NO_THROW(arena.reset());
}

TEST(escapes, are_named_on_stderr_and_only_the_largest_of_many) {
  Arena<Host> arena(ArenaOptions{.escape_policy = EscapePolicy::warn});
  std::vector<Vector> kept;
  inside(arena, [&] {
    for (int i = 0; i < 30; ++i) {
      kept.emplace_back("view " + std::to_string(i), 100 + i);
    }
    return 0;
  });
  ::testing::internal::CaptureStderr();
  arena.reset();
  auto const text = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(says(text, "has dropped 30 CheckedSpace Views"));
  EXPECT_TRUE(says(text, "\"view 29\".*\"view 20\".*and 20 smaller ones"));
  EXPECT_FALSE(says(text, "\"view 19\""));
  EXPECT_EQ(arena.escapes().size(), 30u);
}

TEST(escapes, of_a_frame_are_named_instead_of_thrown) {
  Arena<Host> arena(
      ArenaOptions{.escape_policy = EscapePolicy::throw_exception});
  Vector view;
  ::testing::internal::CaptureStderr();
  {
    ArenaFrame const frame(arena);
    view = Vector("of frame", 10);
  }
  EXPECT_TRUE(says(::testing::internal::GetCapturedStderr(), "\"of frame\""));
}

TEST(escapes, policy_is_set_by_the_environment) {
  Environment const variable("KOKKOS_ARENA_ESCAPE_POLICY", "throw_exception");
  Arena<Host> arena;
  auto const view = inside(arena, [] { return Vector("escapee", 10); });
  EXPECT_THROW(arena.reset(), EscapedViews);
}

TEST(escapes, policy_that_does_not_exist_is_refused) {
  Environment const variable("KOKKOS_ARENA_ESCAPE_POLICY", "explode");
  try {
    Arena<Host> const arena;
    ADD_FAILURE();
  } catch (std::invalid_argument const& e) {
    EXPECT_TRUE(says(e.what(), "KOKKOS_ARENA_ESCAPE_POLICY is \"explode\""));
    EXPECT_TRUE(says(e.what(), "collect, warn, throw_exception or abort"));
  }
}

struct mock_memory : WithUpstream<CountingSpace> {};

TEST_F(mock_memory, of_another_space_stays_valid_and_its_escapes_are_reported) {
  using Mock = KokkosArena::CheckedSpace<CountingSpace>;
  Arena<CountingSpace> arena;
  Mock const space(arena);
  auto* const address = static_cast<char*>(space.allocate("mock", 800));
  address[799]        = 3;
  arena.reset();
  ASSERT_EQ(arena.escapes().size(), 1u);
  EXPECT_EQ(arena.escapes()[0].label, "mock");
  EXPECT_EQ(arena.escapes()[0].bytes, 800u);
  EXPECT_EQ(arena.escapes()[0].use_count, 1);
  EXPECT_EQ(address[799], 3);
  EXPECT_EQ(arena.statistics().retired_blocks, 1u);
  EXPECT_EQ(arena.statistics().escaped_views, 1u);
  space.deallocate("mock", address, 800);
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
  EXPECT_EQ(arena.statistics().retired_blocks, 0u);
}

// -------------------------------------------------------------------- checked

TEST(checked, shares_a_view_of_the_base_space) {
  Kokkos::View<double**, Host> const host("host", 3, 4);
  auto const view = KokkosArena::checked(host);
  static_assert(std::is_same_v<decltype(view)::memory_space, Space>);
  EXPECT_EQ(view.data(), host.data());
  EXPECT_EQ(host.use_count(), 2);
  EXPECT_NO_THROW(view(1, 1) = 1);
  // What is made like it has strict lifetimes.
  Arena<Host> arena;
  auto const temporary = inside(arena, [&] { return similar(view); });
  arena.reset();
  EXPECT_THROW(temporary(0, 0), InvalidViewAccess);
  EXPECT_NO_THROW(view(1, 1) = 1);
}

TEST(checked, of_a_checked_view_is_the_same_view) {
  Arena<Host> arena;
  auto const view = inside(arena, [] { return Vector("view", 10); });
  auto const same = KokkosArena::checked(view);
  static_assert(std::is_same_v<decltype(same), Vector const>);
  EXPECT_EQ(same.data(), view.data());
  EXPECT_EQ(view.use_count(), 2);
  // Also by way of the base space.
  auto const back = KokkosArena::checked(KokkosArena::unscoped(view));
  arena.reset();
  EXPECT_THROW(back(0), InvalidViewAccess);
}

TEST(checked, refuses_unchecked_memory_of_an_arena) {
  Arena<Host> arena(ArenaOptions{.label = "unknown lifetimes"});
  auto const view = inside(
      arena, [] { return Kokkos::View<double*, Plain>("scoped one", 10); });
  try {
    KokkosArena::checked(view);
    ADD_FAILURE();
  } catch (std::invalid_argument const& e) {
    EXPECT_TRUE(says(e.what(), "View \"scoped one\".*\"unknown lifetimes\""));
    EXPECT_TRUE(says(e.what(), "Make it in CheckedSpace, or copy it"));
  }
  EXPECT_THROW(KokkosArena::checked(KokkosArena::unscoped(view)),
               std::invalid_argument);
  // Outside of a scope it is base memory, which no arena drops.
  Kokkos::View<double*, Plain> const outside("outside", 10);
  EXPECT_NO_THROW(KokkosArena::checked(outside)(0) = 1);
}

// -------------------------------------------------------------------- threads

TEST(checked_space_threads, each_with_an_arena_know_their_own_views) {
  EXPECT_TRUE(at_once(4, [](int t) {
    Arena<Host> arena;
    bool right = true;
    for (int i = 0; i < 300; ++i) {
      auto const view = inside(arena, [&] {
        Vector const temporary("temporary", 100 + i);
        Vector result("result", 10 + i % 7);
        result(0) = temporary(0) + t;
        return result;
      });
      right           = right && view(0) == t;
      arena.reset();
      right = right && message_of([&] { view(0) = 1; }) != "no exception";
    }
    return right;
  }));
}

TEST(checked_space_threads, views_die_on_other_threads_while_arenas_reset) {
  Arena<Host> arena;
  Meeting meeting(4);
  EXPECT_TRUE(at_once(4, [&](int t) {
    for (int i = 0; i < 200; ++i) {
      std::vector<Vector> views;
      {
        ArenaScope const scope(arena);
        for (int k = 0; k < 5; ++k) views.emplace_back("view", 1 + k);
      }
      meeting.wait();
      if (t == 0) arena.reset();
      auto copies = views;
      views.clear();
      copies.clear();
      meeting.wait();
    }
    return true;
  }));
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
  arena.reset();
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

TEST(checked_space_threads, temporaries_and_frames_inside_a_kernel) {
  Arena<Host> arena;
  ArenaScope const scope(arena);
  constexpr int n = 2000;
  Kokkos::View<double*, Host> const result("result", n);
  Vector const outer("outer", n);
  Kokkos::deep_copy(outer, 1.0);
  using Policy = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, int>;
  Kokkos::parallel_for("frames", Policy(0, n), [=, &arena](int i) {
    ArenaFrame const frame(arena);
    Vector const a("a", 16);
    auto const b = similar(a);
    for (int k = 0; k < 16; ++k) b(k) = a(k) + outer(i) * k;
    for (int k = 0; k < 16; ++k) result(i) += b(k);
  });
  for (int i = 0; i < n; ++i) EXPECT_EQ(result(i), 120);
  EXPECT_EQ(arena.statistics().live_allocations, 1u);
}

// --------------------------------- AllocArrays.jl's examples of improper use
//
// From "Improper usage" of its documentation, each with its corrected version.

/// Allocates, and knows nothing of arenas.
template <class View>
View doubled(View const& a) {
  View result("doubled", a.extent(0));
  for (std::size_t i = 0; i < a.extent(0); ++i) result(i) = 2 * a(i);
  return result;
}
template <class View>
double sum(View const& a) {
  double result = 0;
  for (std::size_t i = 0; i < a.extent(0); ++i) result += a(i);
  return result;
}

struct improper_use : ::testing::Test {
  improper_use() {
    for (std::size_t i = 0; i < 10; ++i) input(i) = 1;
  }
  Vector input{"input", 10};
};

TEST_F(improper_use, result_that_escapes_the_reset_is_found) {
  Arena<Host> arena;
  auto const bad = [&] {
    auto const output = inside(arena, [&] { return doubled(input); });
    arena.reset();
    return sum(output);
  };
  EXPECT_TRUE(says(message_of(bad), "View \"doubled\""));
  auto const good = [&] {
    auto const output = inside(arena, [&] { return sum(doubled(input)); });
    arena.reset();
    return output;
  };
  EXPECT_EQ(good(), 20);
}

TEST_F(improper_use, reset_while_other_threads_use_the_arena_is_found) {
  constexpr int threads = 4;
  {
    Arena<Host> arena;
    Meeting meeting(threads);
    // The first resets while the others still need what they have made.
    EXPECT_TRUE(at_once(threads, [&](int t) {
      auto const output = inside(arena, [&] { return doubled(input); });
      meeting.wait();
      if (t == 0) {
        arena.reset();
        meeting.wait();
        return true;
      }
      meeting.wait();
      return bool(says(message_of([&] { EXPECT_LT(sum(output), 0); }),
                       "View \"doubled\".* after reset"));
    }));
  }
  // Once all have finished, it may.
  Arena<Host> arena;
  EXPECT_TRUE(at_once(threads, [&](int) {
    return inside(arena, [&] { return sum(doubled(input)); }) == 20;
  }));
  arena.reset();
  EXPECT_TRUE(arena.escapes().empty());
}

TEST_F(improper_use, never_resetting_exhausts_a_fixed_arena_only_if_all_live) {
  Arena<Host> arena(std::size_t(64) << 10);
  ArenaScope const scope(arena);
  std::vector<Vector> outputs;
  auto const bad = [&] {
    for (int i = 0; i < 1000; ++i) outputs.push_back(doubled(input));
  };
  EXPECT_THROW(bad(), ArenaExhausted);
  outputs.clear();
  // What is dropped is used again, with and without a reset.
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(sum(doubled(input)), 20);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(sum(doubled(input)), 20);
    arena.reset();
  }
}

// ---------------------------------------------------------------- death tests

/// Where nobody can catch, or no View is asked, the program ends.
struct checked_space_death_test : ::testing::Test {
  checked_space_death_test() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  Arena<Host> arena{ArenaOptions{.label = "doomed"}};
};

TEST_F(checked_space_death_test, kernel_aborts_at_an_access_after_reset) {
  auto const view = inside(arena, [] { return Matrix("in kernel", 100, 2); });
  arena.reset();
  auto const kernel = [&] {
    Kokkos::parallel_for(
        "kernel",
        Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, int>(0, 100),
        [=](int i) { view(i, 1) = i; });
  };
#if defined(KOKKOS_ENABLE_OPENMP)
  EXPECT_DEATH(kernel(), "View \"in kernel\" \\(100 x 2.*after reset\\(\\)");
#else
  // Kernels of Serial run on the calling thread, where it can be caught.
  EXPECT_TRUE(says(message_of(kernel), "View \"in kernel\""));
#endif
}

TEST_F(checked_space_death_test, policy_abort_ends_the_program) {
  Arena<Host> strict(
      ArenaOptions{.label = "strict", .escape_policy = EscapePolicy::abort});
  auto view = inside(strict, [] { return Vector("escapee", 10); });
  EXPECT_DEATH(strict.reset(), "arena \"strict\": reset.*\"escapee\"");
  view = {};
}

#if defined(__linux__)

/// What a BLAS does: reads by address, past all Views.
double first_of(double const* data) {
  return *const_cast<double const volatile*>(data);
}

TEST_F(checked_space_death_test, raw_pointer_faults_after_reset) {
  auto const view  = inside(arena, [] { return Vector("raw", 1000); });
  auto* const data = view.data();
  EXPECT_EQ(first_of(data), 0);
  arena.reset();
  EXPECT_DEATH(first_of(data), "");
  EXPECT_DEATH(*const_cast<double volatile*>(data + 999) = 1, "");
  Kokkos::View<double*, Host> const unchecked = view;
  EXPECT_DEATH(unchecked(0) = 1, "");
}

// Kokkos has it read by address, past its accessor.
TEST_F(checked_space_death_test, dyn_rank_view_faults_after_reset) {
  using Dynamic      = Kokkos::DynRankView<double, Space>;
  auto const dynamic = inside(arena, [] { return Dynamic("dynamic", 3, 3); });
  EXPECT_EQ(dynamic(1, 1), 0);
  arena.reset();
  EXPECT_TRUE(KokkosArena::install_fault_handler());
  EXPECT_DEATH(dynamic(1, 1) = 1, "View \"dynamic\" ");
}

// So do these.
TEST_F(checked_space_death_test, copies_by_address_fault_after_reset) {
  Kokkos::View<double**, Kokkos::LayoutRight, Host> const host("host", 30, 30);
  Kokkos::View<double**, Kokkos::LayoutLeft, Space> left;
  auto const vector = inside(arena, [&] {
    left = Kokkos::View<double**, Kokkos::LayoutLeft, Space>("left", 30, 30);
    return Vector("filled", 100);
  });
  arena.reset();
  EXPECT_TRUE(KokkosArena::install_fault_handler());
  EXPECT_DEATH(Kokkos::deep_copy(vector, 0.0), "View \"filled\" \\(100,");
  EXPECT_DEATH(Kokkos::deep_copy(vector, 1.0), "View \"filled\" \\(100,");
  EXPECT_DEATH(Kokkos::deep_copy(host, left), "View \"left\" \\(30 x 30,");
}

TEST_F(checked_space_death_test, fault_handler_names_the_view) {
  auto const view  = inside(arena, [] { return Vector("raw", 1000); });
  auto* const data = view.data();
  arena.reset();
  EXPECT_TRUE(KokkosArena::install_fault_handler());
  EXPECT_TRUE(KokkosArena::install_fault_handler());
  EXPECT_DEATH(first_of(data + 500),
               "KokkosArena: View \"raw\" \\(1000, 8000 bytes\\) of arena "
               "\"doomed\" was accessed after reset\\(\\) at .*TestChecked");
}

TEST_F(checked_space_death_test, fault_is_named_without_being_asked_for) {
  auto const view  = inside(arena, [] { return Vector("raw", 1000); });
  auto* const data = view.data();
  arena.reset();
  EXPECT_DEATH(first_of(data), "View \"raw\" \\(1000, 8000 bytes\\)");
}

TEST_F(checked_space_death_test, fault_handler_that_is_kept_out_says_nothing) {
  if (is_sanitized) GTEST_SKIP() << "a sanitizer has a handler of its own";
  auto const view  = inside(arena, [] { return Vector("raw", 1000); });
  auto* const data = view.data();
  arena.reset();
  // Without a handler a child process ends by the signal.
  EXPECT_EXIT(
      {
        KokkosArena::install_fault_handler(false);
        first_of(data);
      },
      ::testing::KilledBySignal(SIGSEGV), "^$");
}

TEST_F(checked_space_death_test, handler_that_comes_later_has_the_only_turn) {
  auto const view  = inside(arena, [] { return Vector("raw", 1000); });
  auto* const data = view.data();
  arena.reset();
  EXPECT_EXIT(
      {
        std::signal(SIGSEGV, [](int) { _exit(3); });
        auto const another = inside(arena, [] { return Vector("more", 10); });
        first_of(data);
      },
      ::testing::ExitedWithCode(3), "^$");
}

TEST_F(checked_space_death_test, fault_handler_names_a_view_of_an_ended_frame) {
  double* data = nullptr;
  {
    ArenaFrame const frame(arena);
    Vector const view("of frame", 10);
    data = view.data();
  }
  EXPECT_TRUE(KokkosArena::install_fault_handler());
  EXPECT_DEATH(first_of(data), "View \"of frame\".*end of the ArenaFrame");
}

TEST_F(checked_space_death_test, fault_handler_hands_on) {
  auto const view  = inside(arena, [] { return Vector("raw", 1000); });
  auto* const data = view.data();
  arena.reset();
  auto const with_previous_handler = [&](double const* address) {
    std::signal(SIGSEGV, [](int) {
      static char const text[]      = "the previous handler\n";
      [[maybe_unused]] auto const n = write(2, text, sizeof(text) - 1);
      _exit(3);
    });
    KokkosArena::install_fault_handler();
    first_of(address);
  };
  EXPECT_EXIT(with_previous_handler(data), ::testing::ExitedWithCode(3),
              "View \"raw\"(.|\n)*the previous handler");
  // Of other faults it says nothing.
  std::uintptr_t volatile const low = 64;
  auto const* const nowhere         = reinterpret_cast<double const*>(low);
  EXPECT_EXIT(with_previous_handler(nowhere), ::testing::ExitedWithCode(3),
              "^the previous handler");
}

TEST_F(checked_space_death_test, fault_handler_ends_with_one_that_hands_on) {
  auto const view  = inside(arena, [] { return Vector("raw", 1000); });
  auto* const data = view.data();
  arena.reset();
  static struct sigaction ours;
  auto const with_another = [&] {
    KokkosArena::install_fault_handler();
    struct sigaction another{};
    another.sa_flags     = SA_SIGINFO;
    another.sa_sigaction = [](int signal, siginfo_t* info, void* context) {
      ours.sa_sigaction(signal, info, context);
    };
    sigaction(SIGSEGV, &another, &ours);
    KokkosArena::install_fault_handler();
    first_of(data);
  };
  EXPECT_DEATH(with_another(), "View \"raw\"");
  auto const with_one_shot = [&] {
    struct sigaction once{};
    once.sa_flags   = SA_RESETHAND;
    once.sa_handler = [](int) {};
    sigaction(SIGSEGV, &once, nullptr);
    KokkosArena::install_fault_handler();
    first_of(data);
  };
  EXPECT_DEATH(with_one_shot(), "View \"raw\"");
}

TEST_F(checked_space_death_test, guard_page_behind_each_view_finds_overruns) {
  Arena<Host> guarded(ArenaOptions{.label = "guarded", .guard_pages = true});
  ArenaScope const scope(guarded);
  EXPECT_TRUE(KokkosArena::install_fault_handler());
  for (int const n : {8, 1000, 512, 100'000, 9, 1001}) {
    Vector const view("walled", n), next("next", n);
    // The next multiple of 64 bytes.
    auto* const end = view.data() + (n + 7) / 8 * 8;
    EXPECT_NO_THROW(view(n - 1) = 1);
    EXPECT_DEATH(first_of(end), "behind the end of View \"walled\" \\(" +
                                    std::to_string(n) + ", ");
  }
}

#endif

TEST(checked_space, guard_pages_are_no_trouble_to_right_programs) {
  Arena<Host> arena(ArenaOptions{.guard_pages = true});
  for (int cycle = 0; cycle < 20; ++cycle) {
    ArenaScope const scope(arena);
    std::vector<Vector> views;
    for (int i = 0; i < 50; ++i) {
      views.emplace_back("view", i * 37);
      if (i > 0) views.back()(i * 37 - 1) = i;
      if (i % 3 == 0) views.erase(views.begin());
    }
    {
      ArenaFrame const frame(arena);
      Vector const temporary("temporary", 5000);
      temporary(4999) = 1;
    }
    auto const aligned =
        make_view<Kokkos::View<std::array<double, 16>*, Space>>("aligned", 3);
    EXPECT_EQ(address_of(aligned.data()) % 64, 0u);
    views.clear();
    arena.reset();
  }
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
}

// ------------------------------------------------------------ few addresses

/// Runs where KOKKOS_ARENA_CHECKED_ADDRESS_BYTES is 64 MiB: see CMakeLists.txt.
TEST(few_addresses, are_used_again_and_it_is_said) {
  if (!std::getenv("KOKKOS_ARENA_CHECKED_ADDRESS_BYTES")) {
    GTEST_SKIP() << "only with KOKKOS_ARENA_CHECKED_ADDRESS_BYTES";
  }
  Arena<Host> lasting_arena, arena;
  auto const lasting =
      inside(lasting_arena, [] { return Vector("lasting", 1000); });
  fill_pattern(lasting, 1);
  ::testing::internal::CaptureStderr();
  for (int cycle = 0; cycle < 500; ++cycle) {
    ArenaScope const scope(arena);
    Vector const view("view", 200'000);
    view(199'999) = cycle;
    EXPECT_EQ(view(199'999), cycle);
    arena.reset();
    EXPECT_THROW(view(0), InvalidViewAccess);
  }
  EXPECT_TRUE(says(::testing::internal::GetCapturedStderr(),
                   "67108864 bytes of addresses .* have been used up"));
  EXPECT_TRUE(has_pattern(lasting, 1));
  // Of an address that two arenas have had, the one that has it now is meant.
  std::set<void*> kept;
  Arena<Host> other;
  inside(arena, [&] {
    for (int i = 0; i < 200; ++i) {
      kept.insert(Kokkos::kokkos_malloc<Space>("kept", 8));
      arena.reset();
    }
    return 0;
  });
  std::size_t shared = 0;
  inside(other, [&] {
    for (int i = 0; i < 300; ++i) {
      auto* const brief = Kokkos::kokkos_malloc<Space>("brief", 8);
      shared += kept.count(brief);
      Kokkos::kokkos_free<Space>(brief);
      EXPECT_EQ(other.statistics().live_allocations, 0u);
      other.reset();
    }
    return 0;
  });
  EXPECT_GT(shared, 0u);
  for (auto* const pointer : kept) Kokkos::kokkos_free<Space>(pointer);
  EXPECT_TRUE(has_pattern(lasting, 1));
  // Small cycles and frames, whose windows come round as well.
  Vector stale;
  for (int cycle = 0; cycle < 5000; ++cycle) {
    {
      ArenaFrame const frame(arena);
      Vector const inner("inner", 10);
      Vector const another("another", 100);
      inner(9) = another(99) = cycle;
      if (cycle > 0) {
        EXPECT_THROW(stale(0), InvalidViewAccess);
      }
      stale = another;
      EXPECT_EQ(inner(9), cycle);
    }
    EXPECT_THROW(stale(0), InvalidViewAccess);
    if (cycle % 10 == 0) arena.reset();
  }
  EXPECT_TRUE(has_pattern(lasting, 1));
  // What doesn't fit is refused, as elsewhere.
  try {
    ArenaScope const scope(arena);
    Vector const huge("huge", std::size_t(100) << 20);
    ADD_FAILURE();
  } catch (ArenaExhausted const& e) {
    EXPECT_TRUE(says(e.what(), "no addresses"));
  }
}

}  // namespace
