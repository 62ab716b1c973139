// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Views in arenas over the memory spaces of a GPU: what they are made with, and
// that kernels, the host and their base space see the same contents.
#include <KokkosArena_TestDevice.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::ArenaScope;
using KokkosArena::make_view;
using KokkosArena::ScopedSpace;
using KokkosArena::similar;

// All ranks.

template <std::size_t... R, class ViewType>
KOKKOS_FUNCTION auto& at(std::index_sequence<R...>, ViewType const& view,
                         std::size_t const* i) {
  return view(i[R]...);
}

/// Element n, in the order of the indices, is to be n.
template <class ViewType>
struct Numbering {
  enum Task { check_zero, write, check };
  static constexpr bool is_left =
      std::is_same_v<typename ViewType::array_layout, Kokkos::LayoutLeft>;

  ViewType view;
  Task task;
  ErrorCount errors;

  KOKKOS_FUNCTION void operator()(std::int64_t n) const {
    constexpr int rank   = ViewType::rank;
    std::size_t index[8] = {};
    // Where element n is to be, by the rule of the layout.
    std::size_t offset = 0;
    auto rest          = static_cast<std::size_t>(n);
    for (int r = rank - 1; r >= 0; --r) {
      index[r] = rest % view.extent(r);
      rest /= view.extent(r);
    }
    for (int k = 0; k < rank; ++k) {
      auto const r = is_left ? rank - 1 - k : k;
      offset       = offset * view.extent(r) + index[r];
    }
    auto& element = at(std::make_index_sequence<rank>(), view, index);
    auto const value =
        task == check_zero ? 0 : static_cast<int>(n % 1000000) + 1;
    if (task == write) element = value;
    if (element != value || &element != view.data() + offset) errors.add();
  }
};

template <class ViewType>
void number(Backend const& instance, ViewType const& view,
            typename Numbering<ViewType>::Task task, ErrorCount const& errors) {
  Kokkos::parallel_for("number", range(instance, view.size()),
                       Numbering<ViewType>{view, task, errors});
}

template <class ViewType>
void write_and_check(Backend const& instance, ViewType const& view,
                     ErrorCount const& errors) {
  number(instance, view, Numbering<ViewType>::write, errors);
  number(instance, view, Numbering<ViewType>::check, errors);
}

template <class T, std::size_t Rank>
struct pointers_to {
  using type = typename pointers_to<T, Rank - 1>::type*;
};
template <class T>
struct pointers_to<T, 0> {
  using type = T;
};

constexpr std::size_t extents[] = {5, 3, 4, 2, 3, 2, 2, 3};

template <class M>
struct device_views : ::testing::Test {
  using memory = M;
  using space  = typename M::space;
  using device = typename M::device;

  /// What a View's address is a multiple of.
  static constexpr std::size_t data_alignment = 128;

  void dirty() { dirty_on_device(m_arena, 4 * MiB); }
  std::uint64_t live() { return m_arena.statistics().live_allocations; }

  template <class ViewType>
  void expect_zero(ViewType const& view) {
    check_bytes(m_instance, view.data(),
                view.span() * sizeof(typename ViewType::value_type), 0,
                m_errors);
  }
  template <class ViewType>
  static void expect_aligned(ViewType const& view) {
    EXPECT_EQ(address_of(view.data()) % data_alignment, 0u) << view.label();
  }

  Backend m_instance = new_instance();
  typename M::arena_type m_arena{m_instance, M::options("arena of views")};
  ErrorCount m_errors;
};
TYPED_TEST_SUITE(device_views, AllMemory, MemoryName);

template <class Layout, std::size_t... R, class Fixture>
void check_rank(std::index_sequence<R...>, Fixture& test) {
  constexpr int rank = sizeof...(R);
  SCOPED_TRACE(::testing::Message() << "rank " << rank);
  using View = Kokkos::View<typename pointers_to<int, rank>::type, Layout,
                            typename Fixture::device>;
  test.dirty();
  View const initialised("initialised", extents[R]...);
  auto const made  = make_view<View>("made", extents[R]...);
  auto const alike = similar(initialised);
  static_assert(std::is_same_v<decltype(alike), View const>);
  EXPECT_EQ(test.live(), 3u);
  EXPECT_EQ(initialised.label(), "initialised");
  EXPECT_EQ(made.label(), "made");
  for (int r = 0; r < rank; ++r) {
    EXPECT_EQ(made.extent(r), extents[r]);
    EXPECT_EQ(alike.extent(r), extents[r]);
  }
  number(test.m_instance, initialised, Numbering<View>::check_zero,
         test.m_errors);
  for (auto const& view : {initialised, made, alike}) {
    Fixture::expect_aligned(view);
    EXPECT_EQ(view.use_count(), 2);  // the list's, too
    write_and_check(test.m_instance, view, test.m_errors);
  }
  // Once all are written: none has the memory of another.
  for (auto const& view : {initialised, made, alike}) {
    number(test.m_instance, view, Numbering<View>::check, test.m_errors);
  }
}

template <class Layout, class Fixture>
void check_all_ranks(Fixture& test) {
  [&]<std::size_t... Rank>(std::index_sequence<Rank...>) {
    (check_rank<Layout>(std::make_index_sequence<Rank>(), test), ...);
  }(std::make_index_sequence<9>());
  EXPECT_EQ(test.m_errors.read(), 0u);
  EXPECT_EQ(test.live(), 0u);
}

TYPED_TEST(device_views, all_ranks_hold_their_elements_in_layout_left) {
  ArenaScope const scope(this->m_arena);
  check_all_ranks<Kokkos::LayoutLeft>(*this);
}

TYPED_TEST(device_views, all_ranks_hold_their_elements_in_layout_right) {
  ArenaScope const scope(this->m_arena);
  check_all_ranks<Kokkos::LayoutRight>(*this);
}

TYPED_TEST(device_views, static_extents_come_from_the_type) {
  ArenaScope const scope(this->m_arena);
  this->dirty();
  using View = ArenaView<int* [3], TypeParam>;
  View const view("static", 1000);
  this->expect_zero(view);
  write_and_check(this->m_instance, view, this->m_errors);
  auto const alike = similar(view, 7);
  static_assert(std::is_same_v<decltype(alike), View const>);
  EXPECT_EQ(alike.extent(0), 7u);
  EXPECT_EQ(alike.extent(1), 3u);
  write_and_check(this->m_instance, alike, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_views, sizes_from_none_to_large_are_zero_and_hold_patterns) {
  using View = ArenaView<std::uint64_t*, TypeParam>;
  ArenaScope const scope(this->m_arena);
  this->dirty();
  std::uint64_t seed = 0;
  for (std::size_t const n : {0, 1, 7, 8, 100, 4097, 100'003, 1'000'000}) {
    View const view("view", n);
    ASSERT_EQ(view.extent(0), n);
    this->expect_zero(view);
    auto const other = similar(view);
    write_pattern(this->m_instance, view, ++seed);
    write_pattern(this->m_instance, other, seed + 100);
    check_pattern(this->m_instance, view, seed, this->m_errors);
    check_pattern(this->m_instance, other, seed + 100, this->m_errors);
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
  EXPECT_EQ(this->live(), 0u);
}

TYPED_TEST(device_views,
           initialisation_follows_what_the_instance_has_yet_to_do) {
  using View = ArenaView<std::uint64_t*, TypeParam>;
  ArenaScope const scope(this->m_arena);
  for (int i = 0; i < 3; ++i) {
    // What was there is written late, by who was given it before.
    keep_busy(this->m_instance, 20'000, this->m_errors);
    this->dirty();
    View const view("view", 100'000);
    this->expect_zero(view);
    write_pattern(this->m_instance, view, 1);
    check_pattern(this->m_instance, view, 1, this->m_errors);
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_views,
           initialisation_on_another_instance_waits_for_the_arenas) {
  using View       = ArenaView<std::uint64_t*, TypeParam>;
  auto const other = new_instance();
  for (int i = 0; i < 3; ++i) {
    ArenaScope const scope(this->m_arena);
    keep_busy(this->m_instance, 20'000, this->m_errors);
    this->dirty();
    View const view(Kokkos::view_alloc(other, "view"), 100'000);
    EXPECT_EQ(this->live(), 1u);
    // Both instances see zeros, also when all has been done.
    check_bytes(other, view.data(), view.span() * 8, 0, this->m_errors);
    EXPECT_EQ(this->m_errors.read(), 0u);
    this->expect_zero(view);
    write_pattern(other, view, 1);
    check_pattern(other, view, 1, this->m_errors);
    this->m_arena.wait_for(other);
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_views,
           view_alloc_may_name_the_arena_instance_and_no_contents) {
  using View = ArenaView<std::uint64_t*, TypeParam>;
  using Kokkos::view_alloc;
  using Kokkos::WithoutInitializing;
  typename TestFixture::space const place(this->m_arena);  // no scope
  this->dirty();
  View const a(view_alloc(place, "a"), 1000);
  View const b(view_alloc(place, "b", WithoutInitializing), 1000);
  View const c(view_alloc(place, this->m_instance, "c"), 1000);
  View const d(view_alloc(place, this->m_instance, "d", WithoutInitializing),
               1000);
  EXPECT_EQ(this->live(), 4u);
  this->expect_zero(a);
  this->expect_zero(c);
  std::uint64_t seed = 0;
  for (auto const& view : {a, b, c, d}) {
    TestFixture::expect_aligned(view);
    write_pattern(this->m_instance, view, ++seed);
  }
  seed = 0;
  for (auto const& view : {a, b, c, d}) {
    check_pattern(this->m_instance, view, ++seed, this->m_errors);
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_views, padded_views_are_zero_and_hold_their_elements) {
  using View =
      Kokkos::View<int**, Kokkos::LayoutLeft, typename TestFixture::device>;
  ArenaScope const scope(this->m_arena);
  this->dirty();
  View const view(Kokkos::view_alloc("padded", Kokkos::AllowPadding), 129, 5);
  EXPECT_EQ(this->live(), 1u);
  this->expect_zero(view);
  EXPECT_EQ(view.extent(0), 129u);
  EXPECT_EQ(view.extent(1), 5u);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

// Elements of other types.

struct Sample {
  double number;
  int other = 7;
  KOKKOS_FUNCTION Sample() : number(3.5) {}
};

template <class ViewType>
void check_samples(Backend const& instance, ViewType const& view,
                   ErrorCount const& errors) {
  Kokkos::parallel_for(
      "check_samples", range(instance, view.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i) {
        if (view(i).number != 3.5 || view(i).other != 7) errors.add();
      });
}

TYPED_TEST(device_views, elements_with_a_constructor_are_constructed) {
  using View       = ArenaView<Sample*, TypeParam>;
  auto const other = new_instance();
  ArenaScope const scope(this->m_arena);
  for (int i = 0; i < 3; ++i) {
    keep_busy(this->m_instance, 5'000, this->m_errors);
    this->dirty();
    View const a("a", 3000);
    check_samples(this->m_instance, a, this->m_errors);
    View const b(Kokkos::view_alloc(other, "b"), 3000);
    check_samples(other, b, this->m_errors);
    EXPECT_EQ(this->m_errors.read(), 0u);
  }
}

/// Counts in device memory how many have ended.
struct Mortal {
  unsigned long long* ended = nullptr;
  KOKKOS_FUNCTION Mortal() {}
  KOKKOS_FUNCTION ~Mortal() {
    if (ended) Kokkos::atomic_inc(ended);
  }
};

template <class ViewType>
void name_counter(Backend const& instance, ViewType const& view,
                  unsigned long long* counter) {
  Kokkos::parallel_for(
      "name_counter", range(instance, view.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i) { view(i).ended = counter; });
}

TYPED_TEST(device_views, elements_with_a_destructor_end_with_their_view) {
  using View = ArenaView<Mortal*, TypeParam>;
  Kokkos::View<unsigned long long, Kokkos::Device<Backend, DeviceSpace>> const
      ended("ended");
  unsigned long long expected = 0;
  ArenaScope const scope(this->m_arena);
  for (int i = 0; i < 3; ++i) {
    this->dirty();
    {
      View const view("view", 1000);
      // The last of its users, which is late.
      keep_busy(this->m_instance, 5'000, this->m_errors);
      name_counter(this->m_instance, view, ended.data());
      // Kokkos ends elements that the host can reach on the default instance.
      if (TypeParam::is_for_host) this->m_instance.fence();
    }
    // Nothing that is made there next may come before their end.
    Kokkos::View<std::uint64_t*, typename TestFixture::device> const next(
        "next", 1000);
    write_pattern(this->m_instance, next, 1);
    check_pattern(this->m_instance, next, 1, this->m_errors);
    Kokkos::fence();
    unsigned long long counted = 0;
    Kokkos::deep_copy(counted, ended);
    expected += 1000;
    EXPECT_EQ(counted, expected);
  }
  EXPECT_EQ(this->live(), 0u);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

template <class ViewType>
void write_complex(Backend const& instance, ViewType const& view) {
  using value_type = typename ViewType::value_type;
  Kokkos::parallel_for(
      "write_complex", range(instance, view.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i) {
        auto const x = static_cast<double>(i);
        view(i) += value_type(x, -x);
      });
}
template <class ViewType>
void check_complex(Backend const& instance, ViewType const& view,
                   ErrorCount const& errors) {
  Kokkos::parallel_for(
      "check_complex", range(instance, view.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i) {
        auto const x = static_cast<double>(i);
        if (view(i).real() != x || view(i).imag() != -x) errors.add();
      });
}

TYPED_TEST(device_views, complex_elements_begin_as_zero) {
  using View = ArenaView<Kokkos::complex<double>*, TypeParam>;
  ArenaScope const scope(this->m_arena);
  this->dirty();
  View const view("view", 5000);
  this->expect_zero(view);
  write_complex(this->m_instance, view);
  check_complex(this->m_instance, view, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

struct alignas(512) Wide {
  std::uint64_t numbers[64];
};

TYPED_TEST(device_views, similar_and_make_view_align_as_the_elements_need) {
  using View = ArenaView<Wide*, TypeParam>;
  ArenaScope const scope(this->m_arena);
  Kokkos::View<char*, typename TestFixture::device> const before("before", 1);
  auto const view  = make_view<View>("view", 5);
  auto const alike = similar(view, 3);
  EXPECT_EQ(address_of(view.data()) % 512, 0u);
  EXPECT_EQ(address_of(alike.data()) % 512, 0u);
  EXPECT_TRUE(alike.data() >= view.data() + 5 ||
              view.data() >= alike.data() + 3);
}

TYPED_TEST(device_views, similar_with_another_element_keeps_layout_and_space) {
  using View =
      Kokkos::View<double**, Kokkos::LayoutRight, typename TestFixture::device>;
  ArenaScope const scope(this->m_arena);
  auto const view   = make_view<View>("view", 5, 7);
  auto const counts = similar<int>(view);
  static_assert(
      std::is_same_v<decltype(counts),
                     Kokkos::View<int**, Kokkos::LayoutRight,
                                  typename TestFixture::device> const>);
  EXPECT_EQ(counts.label(), "view");
  EXPECT_EQ(counts.extent(1), 7u);
  write_and_check(this->m_instance, counts, this->m_errors);
  auto const line = similar<int>(view, 11);
  EXPECT_EQ(line.extent(0), 11u);
  write_and_check(this->m_instance, line, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

// Parts.

template <class ViewType>
void add_to_each(Backend const& instance, ViewType const& view, int n) {
  Kokkos::parallel_for(
      "add_to_each", range(instance, view.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i) { view(i) += n; });
}
template <class ViewType>
void check_each(Backend const& instance, ViewType const& view, int n,
                ErrorCount const& errors) {
  Kokkos::parallel_for(
      "check_each", range(instance, view.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i) {
        if (view(i) != n) errors.add();
      });
}

TYPED_TEST(device_views, strided_part_keeps_the_whole_alive) {
  using Whole =
      Kokkos::View<int**, Kokkos::LayoutRight, typename TestFixture::device>;
  ArenaScope const scope(this->m_arena);
  this->dirty();
  std::optional<Whole> whole(std::in_place, "whole", 300, 7);
  auto const column = Kokkos::subview(*whole, Kokkos::ALL, 3);
  auto const row    = Kokkos::subview(*whole, 5, Kokkos::make_pair(1, 6));
  static_assert(std::is_same_v<typename decltype(column)::array_layout,
                               Kokkos::LayoutStride>);
  EXPECT_EQ(whole->use_count(), 3);
  whole.reset();
  EXPECT_EQ(this->live(), 1u);
  EXPECT_EQ(column.label(), "whole");
  add_to_each(this->m_instance, column, 2);
  add_to_each(this->m_instance, row, 0);
  check_each(this->m_instance, column, 2, this->m_errors);

  auto const alike = similar(column);
  using alike_type = std::remove_const_t<decltype(alike)>;
  static_assert(
      std::is_same_v<typename alike_type::array_layout,
                     typename alike_type::execution_space::array_layout>);
  EXPECT_EQ(alike.extent(0), 300u);
  write_pattern(this->m_instance, alike, 1);
  check_pattern(this->m_instance, alike, 1, this->m_errors);
  check_each(this->m_instance, column, 2, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

// The base space.

TYPED_TEST(device_views, view_converts_to_its_base_space_and_back) {
  using View  = ArenaView<int*, TypeParam>;
  using Plain = Kokkos::View<int*, typename TestFixture::memory::base_device>;
  std::optional<ArenaScope> scope(std::in_place, this->m_arena);
  std::optional<View> view(std::in_place, "converted", 3000);
  write_pattern(this->m_instance, *view, 1);
  Plain plain = *view;
  EXPECT_EQ(plain.data(), view->data());
  EXPECT_EQ(plain.label(), "converted");
  EXPECT_EQ(plain.use_count(), 2);
  View back = plain;
  EXPECT_EQ(view->use_count(), 3);
  EXPECT_EQ(back.label(), "converted");
  auto const unscoped = KokkosArena::unscoped(*view);
  auto const scoped   = KokkosArena::scoped(plain);
  static_assert(std::is_same_v<typename decltype(unscoped)::memory_space,
                               typename TestFixture::memory::memory_space>);
  static_assert(std::is_same_v<typename decltype(scoped)::memory_space,
                               typename TestFixture::space>);
  EXPECT_EQ(plain.use_count(), 5);
  Kokkos::View<int const*, typename TestFixture::device> const constant = *view;
  EXPECT_EQ(constant.use_count(), 6);
  view.reset();
  back = View();
  scope.reset();
  this->m_arena.reset();
  EXPECT_EQ(this->live(), 1u);
  check_pattern(this->m_instance, plain, 1, this->m_errors);
  check_pattern(this->m_instance, constant, 1, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_views, outside_of_a_scope_the_base_space_serves) {
  using View        = ArenaView<int*, TypeParam>;
  auto const before = figures(this->m_arena.statistics());
  {
    View const view("outside", 3000);
    EXPECT_EQ(view.label(), "outside");
    EXPECT_EQ(view.use_count(), 1);
    this->expect_zero(view);
    auto const alike = similar(view);
    auto const made  = make_view<View>("made", 1000);
    write_pattern(this->m_instance, alike, 1);
    write_pattern(this->m_instance, made, 2);
    check_pattern(this->m_instance, alike, 1, this->m_errors);
    check_pattern(this->m_instance, made, 2, this->m_errors);
    Kokkos::View<int*, typename TestFixture::memory::base_device> const plain =
        view;
    EXPECT_EQ(plain.use_count(), 2);
    EXPECT_EQ(this->m_errors.read(), 0u);  // waits: these Views fence nothing
  }
  EXPECT_EQ(figures(this->m_arena.statistics()), before);
}

TYPED_TEST(device_views, view_may_end_outside_of_the_scope_it_was_made_in) {
  using View = ArenaView<int*, TypeParam>;
  View outer;
  {
    ArenaScope const scope(this->m_arena);
    outer = View("outer", 100);
  }
  EXPECT_EQ(this->live(), 1u);
  write_pattern(this->m_instance, outer, 1);
  check_pattern(this->m_instance, outer, 1, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
  outer = View();
  EXPECT_EQ(this->live(), 0u);
}

TYPED_TEST(device_views, scope_holds_for_its_own_memory_space) {
  ArenaScope const scope(this->m_arena);
  // Another memory space than the arena's.
  using Other =
      std::conditional_t<TestFixture::memory::is_pinned, InUvm, InPinned>;
  auto const before = figures(this->m_arena.statistics());
  Kokkos::View<int*, typename Other::device> const view("other", 100);
  Kokkos::View<int*, ScopedSpace<Host>> const on_host("host", 100);
  EXPECT_EQ(figures(this->m_arena.statistics()), before);
}

TYPED_TEST(device_views, sizes_that_overflow_are_refused) {
  using View = ArenaView<double**, TypeParam>;
  ArenaScope const scope(this->m_arena);
  auto const before = figures(this->m_arena.statistics());
  auto const b33    = std::size_t(1) << 33;
  EXPECT_THROW(static_cast<void>(make_view<View>("too large", b33, b33)),
               std::length_error);
  EXPECT_EQ(figures(this->m_arena.statistics()), before);
}

// What the host can reach, too.

template <class M>
struct device_views_of_host : device_views<M> {};
using HostMemory = ::testing::Types<InUvm, InPinned>;
TYPED_TEST_SUITE(device_views_of_host, HostMemory, MemoryName);

TYPED_TEST(device_views_of_host, host_may_write_a_view_at_once) {
  using View = ArenaView<int*, TypeParam>;
  ArenaScope const scope(this->m_arena);
  constexpr std::size_t n = 10'000;
  for (int way = 0; way < 4; ++way) {
    SCOPED_TRACE(way);
    // Kernels that still write there when the host has dropped it.
    keep_busy(this->m_instance, 20'000, this->m_errors);
    this->dirty();
    auto const view = [&] {
      using Kokkos::WithoutInitializing;
      if (way == 0) return View("view", n);
      if (way == 1)
        return View(Kokkos::view_alloc("v", WithoutInitializing), n);
      auto const made = make_view<View>("view", n);
      return way == 2 ? made : similar(made);
    }();
    if (way == 0) {
      for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(view(i), 0);
    }
    fill_pattern(view, 3);
    this->m_instance.fence();
    EXPECT_TRUE(has_pattern(view, 3));
  }
}

TYPED_TEST(device_views_of_host, host_and_kernels_see_each_others_elements) {
  using View = ArenaView<int*, TypeParam>;
  ArenaScope const scope(this->m_arena);
  View const view("view", 5000);
  for (std::size_t i = 0; i < 5000; ++i) {
    view(i) = pattern<int>(1, static_cast<std::int64_t>(i));
  }
  check_pattern(this->m_instance, view, 1, this->m_errors);
  write_pattern(this->m_instance, view, 2);
  this->m_instance.fence();
  for (std::size_t i = 0; i < 5000; ++i) {
    ASSERT_EQ(view(i), pattern<int>(2, static_cast<std::int64_t>(i)));
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_views_of_host, host_may_initialise_one_after_the_other) {
  using View = ArenaView<Sample*, TypeParam>;
  ArenaScope const scope(this->m_arena);
  this->dirty();
  View const view(Kokkos::view_alloc("view", Kokkos::SequentialHostInit), 1000);
  EXPECT_EQ(view(999).number, 3.5);
  check_samples(this->m_instance, view, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TEST(device_views_together, pinned_space_also_serves_the_backend_of_the_host) {
  // By itself it is for host kernels.
  using View = Kokkos::View<int*, ScopedSpace<PinnedSpace>>;
  KokkosArena::Arena<PinnedSpace> arena(labelled("pinned, for the host"));
  ErrorCount errors;
  {
    ArenaScope const scope(arena);
    dirty(arena, MiB);
    View const view("view", 1000);
    EXPECT_EQ(arena.statistics().live_allocations, 1u);
    for (std::size_t i = 0; i < 1000; ++i) ASSERT_EQ(view(i), 0);
    fill_pattern(view, 1);
    auto const alike = similar(view);
    fill_pattern(alike, 2);
    EXPECT_TRUE(has_pattern(view, 1));
    write_pattern(Backend(), view, 3);
    check_pattern(Backend(), view, 3, errors);
    EXPECT_EQ(errors.read(), 0u);
    EXPECT_TRUE(has_pattern(alike, 2));
  }
  EXPECT_EQ(arena.statistics().live_allocations, 0u);
}

TEST(device_views_together, scopes_on_all_spaces_hold_side_by_side) {
  InDevice::arena_type device(Backend(), labelled("device"));
  InUvm::arena_type uvm(Backend(), labelled("uvm"));
  InPinned::arena_type pinned(Backend(), labelled("pinned"));
  KokkosArena::Arena<Host> host;
  ArenaScope const a(device);
  ArenaScope const b(uvm);
  ArenaScope const c(pinned);
  ArenaScope const d(host);
  Kokkos::View<int*, InDevice::device> const v("v", 10);
  Kokkos::View<int*, InUvm::device> const w("w", 10);
  Kokkos::View<int*, InPinned::device> const x("x", 10);
  Kokkos::View<int*, ScopedSpace<Host>> const y("y", 10);
  EXPECT_EQ(device.statistics().live_allocations, 1u);
  EXPECT_EQ(uvm.statistics().live_allocations, 1u);
  EXPECT_EQ(pinned.statistics().live_allocations, 1u);
  EXPECT_EQ(host.statistics().live_allocations, 1u);
}

}  // namespace
