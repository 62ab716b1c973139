// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mirrors of arena Views in the base space are the Views themselves, as they
// are for Views of the base space.
#include <KokkosArena_TestConfig.hpp>

#include <Kokkos_DynRankView.hpp>
#include <Kokkos_OffsetView.hpp>

#include <type_traits>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaScope;
using Exec = Kokkos::DefaultHostExecutionSpace;

struct mirrors : ::testing::Test {
  Arena<Host> arena;
  ArenaScope const scope{arena};

  /// Of the View under test alone.
  void expect_no_other() {
    EXPECT_EQ(arena.statistics().total_allocations, 1u);
  }
  template <class Mirror, class ViewType>
  void expect_alias(Mirror const& mirror, ViewType const& view) {
    EXPECT_EQ(mirror.data(), view.data());
    EXPECT_EQ(mirror.extent(0), view.extent(0));
    expect_no_other();
  }
};

template <class ViewType>
using space_of = typename ViewType::memory_space;

TEST_F(mirrors, of_a_view_in_the_base_space_are_it) {
  Kokkos::View<double*, Scoped> const view("view", 10);
  auto const mirror = Kokkos::create_mirror_view(Host(), view);
  static_assert(
      std::is_same_v<decltype(mirror), Kokkos::View<double*, Host> const>);
  expect_alias(mirror, view);
  mirror(3) = 7;
  EXPECT_EQ(view(3), 7);
  EXPECT_EQ(view.use_count(), 2);
}

TEST_F(mirrors, are_it_in_every_form) {
  Kokkos::View<double**, Scoped> const view("view", 10, 3);
  expect_alias(Kokkos::create_mirror_view(view), view);
  expect_alias(Kokkos::create_mirror_view(Exec(), view), view);
  expect_alias(
      Kokkos::create_mirror_view(Kokkos::WithoutInitializing, Host(), view),
      view);
  expect_alias(
      Kokkos::create_mirror_view(
          Kokkos::view_alloc(Host(), Kokkos::WithoutInitializing), view),
      view);
  expect_alias(
      Kokkos::create_mirror_view(Kokkos::view_alloc(Host(), Exec()), view),
      view);
  expect_alias(Kokkos::create_mirror_view_and_copy(Host(), view), view);
  expect_alias(Kokkos::create_mirror_view_and_copy(Host(), view, "copy"), view);
  expect_alias(Kokkos::create_mirror_view_and_copy(Exec(), view), view);
  expect_alias(Kokkos::create_mirror_view_and_copy(
                   Kokkos::view_alloc(Host(), Exec()), view),
               view);
}

TEST_F(mirrors, of_const_and_strided_views_are_they) {
  Kokkos::View<double**, Scoped> const view("view", 10, 3);
  Kokkos::View<double const**, Scoped> const constant = view;
  auto const mirror = Kokkos::create_mirror_view(Host(), constant);
  static_assert(
      std::is_same_v<typename decltype(mirror)::value_type, double const>);
  expect_alias(mirror, view);
  expect_alias(Kokkos::create_mirror_view_and_copy(Host(), constant), view);
  auto const column  = Kokkos::subview(view, Kokkos::ALL, 1);
  auto const strided = Kokkos::create_mirror_view(Host(), column);
  EXPECT_EQ(strided.data(), column.data());
  EXPECT_EQ(strided.stride(0), column.stride(0));
  expect_no_other();
}

TEST_F(mirrors, of_a_dyn_rank_view_are_it) {
  Kokkos::DynRankView<double, Scoped> const view("view", 10, 3);
  auto const mirror = Kokkos::create_mirror_view(Host(), view);
  static_assert(std::is_same_v<space_of<decltype(mirror)>, Host>);
  expect_alias(mirror, view);
  EXPECT_EQ(mirror.rank(), 2u);
  expect_alias(Kokkos::create_mirror_view(Exec(), view), view);
  expect_alias(Kokkos::create_mirror_view_and_copy(Host(), view), view);
}

TEST_F(mirrors, of_an_offset_view_are_it) {
  Kokkos::Experimental::OffsetView<double*, Scoped> const view("view", {-2, 7});
  auto const mirror = Kokkos::create_mirror_view(Host(), view);
  static_assert(std::is_same_v<space_of<decltype(mirror)>, Host>);
  expect_alias(mirror, view);
  EXPECT_EQ(mirror.begin(0), -2);
  EXPECT_EQ(mirror.end(0), view.end(0));
  expect_alias(Kokkos::create_mirror_view(Exec(), view), view);
  auto const copy = Kokkos::create_mirror_view_and_copy(Host(), view);
  expect_alias(copy, view);
  EXPECT_EQ(copy.begin(0), -2);
  EXPECT_NE(Kokkos::create_mirror(Host(), view).data(), view.data());
}

TEST_F(mirrors, that_are_not_views_of_it_are_copies) {
  Kokkos::View<double*, Scoped> const view("view", 10);
  Kokkos::deep_copy(view, 2.0);
  auto const mirror = Kokkos::create_mirror(Host(), view);
  static_assert(std::is_same_v<space_of<decltype(mirror)>, Host>);
  EXPECT_NE(mirror.data(), view.data());
  expect_no_other();
  auto const copy = Kokkos::create_mirror_view_and_copy(
      Scoped(), Kokkos::View<double*, Host>("host", 5));
  EXPECT_EQ(copy.extent(0), 5u);
  EXPECT_EQ(arena.statistics().total_allocations, 2u);
}

}  // namespace
