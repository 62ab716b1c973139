// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// make_view and similar: Views that do not come from View's own constructor,
// and have to be like those that do.
#include <KokkosArena_TestConfig.hpp>

#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaScope;
using KokkosArena::make_view;
using KokkosArena::similar;
using KokkosArena::with_arena;

using Exec      = Kokkos::DefaultHostExecutionSpace;
using Native    = typename Exec::array_layout;
using HostArena = Arena<Host>;

template <class DataType, class Layout = Native, class Space = Scoped>
using Similar = Kokkos::View<DataType, Layout, Kokkos::Device<Exec, Space>>;

template <class Expected, class Actual>
constexpr bool is(Actual const&) {
  return std::is_same_v<Expected, Actual>;
}

template <class A>
std::uint64_t live(A const& arena) {
  return arena.statistics().live_allocations;
}

/// What f throws when it throws an E, and otherwise nothing.
template <class E, class F>
std::string message_of(F const& f) {
  try {
    f();
  } catch (E const& e) {
    return e.what();
  }
  return "";
}

#define EXPECT_CONTAINS(text, part) \
  EXPECT_NE((text).find(part), std::string::npos) << (text)

// --------------------------------------------------------- types and extents

TEST(similar, keeps_type_and_extents_of_a_view) {
  Kokkos::View<double**, Kokkos::LayoutLeft, Scoped> const left("left", 3, 5);
  Kokkos::View<int***, Kokkos::LayoutRight, Scoped> const right("right", 2, 3,
                                                                4);
  auto const a = similar(left);
  auto const b = similar(right);
  EXPECT_TRUE((is<Similar<double**, Kokkos::LayoutLeft>>(a)));
  EXPECT_TRUE((is<Similar<int***, Kokkos::LayoutRight>>(b)));
  EXPECT_EQ(a.extent(0), 3u);
  EXPECT_EQ(a.extent(1), 5u);
  EXPECT_EQ(a.stride(0), 1u);
  EXPECT_EQ(a.stride(1), 3u);
  EXPECT_EQ(b.extent(0), 2u);
  EXPECT_EQ(b.extent(1), 3u);
  EXPECT_EQ(b.extent(2), 4u);
  EXPECT_EQ(b.stride(2), 1u);
  EXPECT_EQ(b.stride(0), 12u);
  EXPECT_NE(a.data(), left.data());
  EXPECT_NE(b.data(), right.data());
}

TEST(similar, keeps_static_extents) {
  Kokkos::View<double* [3], Kokkos::LayoutRight, Scoped> const mixed("m", 5);
  auto const a = similar(mixed);
  EXPECT_TRUE((is<Similar<double* [3], Kokkos::LayoutRight>>(a)));
  EXPECT_EQ(a.extent(0), 5u);
  EXPECT_EQ(a.extent(1), 3u);

  Kokkos::View<double[2][3], Kokkos::LayoutRight, Scoped> const fixed("f");
  auto const b = similar(fixed);
  EXPECT_TRUE((is<Similar<double[2][3], Kokkos::LayoutRight>>(b)));
  EXPECT_EQ(b.extent(0), 2u);
  EXPECT_EQ(b.extent(1), 3u);
  EXPECT_EQ(b.size(), 6u);

  auto const c = similar(mixed, 7);
  EXPECT_TRUE((is<Similar<double* [3], Kokkos::LayoutRight>>(c)));
  EXPECT_EQ(c.extent(0), 7u);
  EXPECT_EQ(c.extent(1), 3u);
}

TEST(similar, takes_other_extents_of_the_same_rank) {
  Kokkos::View<double**, Kokkos::LayoutLeft, Scoped> const view("view", 3, 5);
  auto const a = similar(view, 7, 2);
  EXPECT_TRUE((is<Similar<double**, Kokkos::LayoutLeft>>(a)));
  EXPECT_EQ(a.extent(0), 7u);
  EXPECT_EQ(a.extent(1), 2u);
}

TEST(similar, takes_extents_of_another_rank) {
  Kokkos::View<double**, Kokkos::LayoutLeft, Scoped> const view("view", 3, 5);
  auto const a = similar(view, 7);
  EXPECT_TRUE((is<Similar<double*, Kokkos::LayoutLeft>>(a)));
  EXPECT_EQ(a.extent(0), 7u);
  auto const b = similar(view, 1, 2, 3, 4);
  EXPECT_TRUE((is<Similar<double****, Kokkos::LayoutLeft>>(b)));
  EXPECT_EQ(b.extent(3), 4u);
  EXPECT_EQ(b.size(), 24u);
}

TEST(similar, takes_extents_of_any_integer_type) {
  Kokkos::View<double***, Kokkos::LayoutLeft, Scoped> const view("view", 1, 1,
                                                                 1);
  auto const a = similar(view, std::int8_t(2), 3ul, std::uint16_t(4));
  EXPECT_EQ(a.extent(0), 2u);
  EXPECT_EQ(a.extent(1), 3u);
  EXPECT_EQ(a.extent(2), 4u);
}

TEST(similar, changes_the_element_type) {
  Kokkos::View<double* [3], Kokkos::LayoutRight, Scoped> const view("view", 5);
  auto const a = similar<float>(view);
  EXPECT_TRUE((is<Similar<float* [3], Kokkos::LayoutRight>>(a)));
  EXPECT_EQ(a.extent(0), 5u);
  auto const b = similar<int>(view, 6);
  EXPECT_TRUE((is<Similar<int* [3], Kokkos::LayoutRight>>(b)));
  EXPECT_EQ(b.extent(0), 6u);
  auto const c = similar<char>(view, 6, 7);
  EXPECT_TRUE((is<Similar<char**, Kokkos::LayoutRight>>(c)));
  EXPECT_EQ(c.extent(1), 7u);
}

TEST(similar, makes_a_contiguous_view_of_a_strided_one) {
  Kokkos::View<double**, Kokkos::LayoutLeft, Scoped> const view("view", 6, 5);
  auto const row = Kokkos::subview(view, 2, Kokkos::ALL);
  static_assert(std::is_same_v<typename decltype(row)::array_layout,
                               Kokkos::LayoutStride>);
  auto const a = similar(row);
  EXPECT_TRUE((is<Similar<double*, Native>>(a)));
  EXPECT_EQ(a.extent(0), 5u);
  EXPECT_EQ(a.stride(0), 1u);
  EXPECT_TRUE(a.span_is_contiguous());
}

TEST(similar, makes_a_packed_view_of_a_subview) {
  Kokkos::View<double**, Kokkos::LayoutLeft, Scoped> const view("view", 6, 5);
  auto const part =
      Kokkos::subview(view, Kokkos::pair(1, 4), Kokkos::pair(1, 3));
  auto const a = similar(part);
  EXPECT_EQ(a.extent(0), 3u);
  EXPECT_EQ(a.extent(1), 2u);
  EXPECT_TRUE(a.span_is_contiguous());
}

TEST(similar, drops_const_and_memory_traits_of_its_source) {
  Kokkos::View<double*, Scoped> const view("view", 5);
  Kokkos::View<double const*, Scoped,
               Kokkos::MemoryTraits<Kokkos::RandomAccess>> const constant =
      view;
  auto const a = similar(constant);
  EXPECT_TRUE((is<Similar<double*>>(a)));
  a(4) = 3;
  EXPECT_EQ(a(4), 3);
}

TEST(similar, makes_a_managed_view_of_an_unmanaged_one) {
  double data[12] = {};
  Kokkos::View<double**, Kokkos::LayoutRight, Scoped,
               Kokkos::MemoryTraits<Kokkos::Unmanaged>> const view(data, 3, 4);
  HostArena arena;
  ArenaScope const scope(arena);
  auto const a = similar(view);
  EXPECT_TRUE((is<Similar<double**, Kokkos::LayoutRight>>(a)));
  EXPECT_EQ(a.extent(1), 4u);
  EXPECT_EQ(a.use_count(), 1);
  EXPECT_EQ(live(arena), 1u);
}

TEST(similar, stays_in_the_base_space_of_its_source) {
  Kokkos::View<double*, Host> const view("view", 5);
  HostArena arena;
  ArenaScope const scope(arena);
  auto const a = similar(view);
  EXPECT_TRUE((is<Similar<double*, Native, Host>>(a)));
  auto const b = similar<int>(view, 2, 3);
  EXPECT_TRUE((is<Similar<int**, Native, Host>>(b)));
  EXPECT_EQ(a.extent(0), 5u);
  EXPECT_EQ(b.extent(1), 3u);
  EXPECT_EQ(live(arena), 0u);
  EXPECT_EQ(a.use_count(), 1);
}

TEST(make_view, gives_the_type_asked_for) {
  using A      = Kokkos::View<double* [3], Kokkos::LayoutRight, Scoped>;
  auto const a = make_view<A>("a", 5);
  EXPECT_TRUE(is<A>(a));
  EXPECT_EQ(a.extent(0), 5u);
  EXPECT_EQ(a.extent(1), 3u);
  using B      = Kokkos::View<double[2][3], Kokkos::LayoutLeft, Scoped>;
  auto const b = make_view<B>("b");
  EXPECT_TRUE(is<B>(b));
  EXPECT_EQ(b.size(), 6u);
  using C      = Kokkos::View<int********, Kokkos::LayoutLeft, Scoped>;
  auto const c = make_view<C>("c", 1, 2, 3, 1, 2, 3, 1, 2);
  EXPECT_EQ(c.size(), 72u);
  EXPECT_EQ(c.extent(5), 3u);
  EXPECT_EQ(a.label(), "a");
}

TEST(make_view, has_the_strides_that_the_constructor_gives) {
  auto const compare = []<class V>(V const& constructed) {
    auto const made =
        make_view<V>("made", constructed.extent(0), constructed.extent(1),
                     constructed.extent(2));
    for (std::size_t r = 0; r < 3; ++r) {
      EXPECT_EQ(made.stride(r), constructed.stride(r)) << r;
    }
    EXPECT_EQ(made.span(), constructed.span());
  };
  compare(Kokkos::View<double***, Kokkos::LayoutLeft, Scoped>("v", 3, 4, 5));
  compare(Kokkos::View<double***, Kokkos::LayoutRight, Scoped>("v", 3, 4, 5));
}

TEST(make_view, works_in_the_base_space) {
  using V      = Kokkos::View<double**, Host>;
  auto const a = make_view<V>("a", 5, 2);
  EXPECT_TRUE(is<V>(a));
  EXPECT_EQ(a.extent(1), 2u);
  EXPECT_EQ(a.label(), "a");
}

// ------------------------------------------------------------------ alignment

struct alignas(256) Aligned256 {
  double value;
};
struct alignas(4096) Aligned4096 {
  double value;
};

template <class T>
void expect_aligned() {
  using V = Kokkos::View<T*, Scoped>;
  Kokkos::View<double*, Scoped> const source("source", 3);
  // Several, and small ones between, so that luck does not do it.
  std::vector<V> views;
  std::vector<Kokkos::View<char*, Scoped>> between;
  for (int n : {1, 2, 3, 1, 0, 5}) {
    views.push_back(make_view<V>("view", n));
    between.push_back(make_view<Kokkos::View<char*, Scoped>>("between", n));
    views.push_back(similar<T>(source, n));
  }
  for (auto const& view : views) {
    EXPECT_EQ(address_of(view.data()) % alignof(T), 0u);
    EXPECT_NE(view.data(), nullptr);
    // All of it can be written.
    std::memset(static_cast<void*>(view.data()), 1, view.size() * sizeof(T));
  }
  for (auto const& view : between) {
    EXPECT_EQ(address_of(view.data()) % 64, 0u);
  }
}

TEST(similar, aligns_elements_to_256_in_a_scope) {
  HostArena arena;
  {
    ArenaScope const scope(arena);
    expect_aligned<Aligned256>();
    EXPECT_GE(arena.statistics().total_allocations, 19u);
  }
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

TEST(similar, aligns_elements_to_4096_in_a_scope) {
  HostArena arena;
  {
    ArenaScope const scope(arena);
    expect_aligned<Aligned4096>();
    EXPECT_GE(arena.statistics().total_allocations, 19u);
  }
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

TEST(similar, aligns_elements_without_a_scope) {
  expect_aligned<double>();
  expect_aligned<Aligned256>();
  expect_aligned<Aligned4096>();
}

TEST(similar, aligns_elements_in_a_fixed_arena) {
  HostArena arena(1 << 20);
  ArenaScope const scope(arena);
  expect_aligned<Aligned4096>();
}

// ------------------------------------------------- extents at their limits

TEST(make_view, allows_zero_extents) {
  HostArena arena;
  {
    ArenaScope const scope(arena);
    using V      = Kokkos::View<double***, Scoped>;
    auto const a = make_view<V>("a", 0, 3, 4);
    auto const b = make_view<V>("b", 3, 0, 4);
    EXPECT_EQ(a.size(), 0u);
    EXPECT_EQ(a.extent(0), 0u);
    EXPECT_EQ(a.extent(2), 4u);
    EXPECT_EQ(b.extent(1), 0u);
    EXPECT_EQ(live(arena), 2u);
    auto const c = similar(a);
    EXPECT_EQ(c.size(), 0u);
    EXPECT_EQ(c.label(), "a");
    auto const d = similar(c, 2, 2, 2);
    EXPECT_EQ(d.size(), 8u);
    EXPECT_EQ(live(arena), 4u);
  }
  EXPECT_EQ(live(arena), 0u);
  auto const outside = make_view<Kokkos::View<int*, Scoped>>("outside", 0);
  EXPECT_EQ(outside.size(), 0u);
}

template <class V, class... Extents>
bool overflows(Extents... extents) {
  try {
    (void)make_view<V>("overflow", extents...);
  } catch (std::length_error const&) {
    return true;
  }
  return false;
}

template <class Space>
void expect_length_errors() {
  auto const most = std::numeric_limits<std::size_t>::max();
  {
    auto const message = message_of<std::length_error>(
        [] { (void)make_view<Kokkos::View<double*, Space>>("negative", -1); });
    EXPECT_CONTAINS(message, "\"negative\"");
    EXPECT_CONTAINS(message, "18446744073709551615");
  }
  {
    auto const message = message_of<std::length_error>([&] {
      (void)make_view<Kokkos::View<double**, Space>>("huge", 17, most / 2);
    });
    EXPECT_CONTAINS(message, "\"huge\"");
    EXPECT_CONTAINS(message, "17 x 9223372036854775807");
  }
  // Products that come out small when the carry is dropped.
  auto const half = std::size_t(1) << 32;
  EXPECT_TRUE((overflows<Kokkos::View<char**, Space>>(half, half)));
  EXPECT_TRUE((overflows<Kokkos::View<double*, Space>>(half * (half / 8) + 1)));
  EXPECT_TRUE((overflows<Kokkos::View<char***, Space>>(half, half / 2, 4)));
  EXPECT_TRUE((overflows<Kokkos::View<char* [4], Space>>(most / 2)));
}

TEST(make_view, throws_length_error_when_extents_overflow_in_a_scope) {
  HostArena arena;
  ArenaScope const scope(arena);
  auto const before = figures(arena.statistics());
  expect_length_errors<Scoped>();
  EXPECT_EQ(figures(arena.statistics()), before);
  auto const view = make_view<Kokkos::View<double*, Scoped>>("next", 10);
  EXPECT_EQ(view.extent(0), 10u);
}

TEST(make_view, throws_length_error_when_extents_overflow_without_a_scope) {
  expect_length_errors<Scoped>();
}

TEST(make_view, throws_length_error_when_extents_overflow_in_the_base_space) {
  expect_length_errors<Host>();
}

TEST(similar, throws_length_error_with_its_sources_label) {
  Kokkos::View<double**, Scoped> const source("source", 2, 2);
  auto const message =
      message_of<std::length_error>([&] { (void)similar<int>(source, -3, 5); });
  EXPECT_CONTAINS(message, "\"source\"");
  EXPECT_CONTAINS(message, "18446744073709551613 x 5");
}

// A product that a size_t can hold, and no memory.
TEST(make_view, throws_bad_alloc_when_no_memory_is_that_large) {
  auto const bytes = std::numeric_limits<std::size_t>::max() / 2;
  using V          = Kokkos::View<char*, Scoped>;
  HostArena arena;
  ArenaScope const scope(arena);
  for (auto const n : {bytes, bytes + 1, 2 * bytes, 2 * bytes + 1}) {
    EXPECT_THROW((void)make_view<V>("huge", n), std::bad_alloc) << n;
  }
  EXPECT_EQ(live(arena), 0u);
  EXPECT_EQ(make_view<V>("next", 10).extent(0), 10u);
}

// AddressSanitizer ends a program that asks HostSpace for so much.
#ifndef __SANITIZE_ADDRESS__
TEST(make_view, throws_without_a_scope_when_no_memory_is_that_large) {
  auto const bytes = std::numeric_limits<std::size_t>::max() / 2;
  using V          = Kokkos::View<char*, Scoped>;
  for (auto const n : {bytes, bytes + 1, 2 * bytes, 2 * bytes + 1}) {
    EXPECT_ANY_THROW((void)make_view<V>("huge", n)) << n;
  }
}
#endif

// ----------------------------------------------------------- where memory is

TEST(similar, draws_from_the_arena_in_scope_and_frees_into_it) {
  HostArena arena;
  Kokkos::View<double*, Scoped> const outside("outside", 100);
  auto inside = with_arena(arena, [&] { return similar(outside); });
  EXPECT_EQ(live(arena), 1u);
  EXPECT_GE(arena.statistics().used_bytes, 100 * sizeof(double));
  // Outside, though its source is from the arena.
  {
    auto const second = similar(inside);
    EXPECT_EQ(live(arena), 1u);
  }
  EXPECT_EQ(live(arena), 1u);
  {
    HostArena other;
    ArenaScope const scope(other);
    auto const third = similar(inside);
    EXPECT_EQ(live(other), 1u);
    inside = {};
    EXPECT_EQ(live(other), 1u);
  }
  EXPECT_EQ(live(arena), 0u);
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
}

TEST(similar, frees_into_the_base_space_in_a_scope) {
  Kokkos::View<double*, Scoped> const source("source", 100);
  auto outside = similar(source);
  HostArena arena;
  ArenaScope const scope(arena);
  outside = {};
  EXPECT_EQ(arena.statistics().total_allocations, 0u);
  EXPECT_EQ(live(arena), 0u);
}

TEST(make_view, outlives_its_arena) {
  using V = Kokkos::View<int*, Scoped>;
  V view;
  {
    HostArena arena;
    view = with_arena(arena, [] { return make_view<V>("survivor", 1000); });
    Kokkos::deep_copy(view, 5);
  }
  if constexpr (is_checked) {
    EXPECT_THROW((void)view(0), KokkosArena::InvalidViewAccess);
  } else {
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(view(i), 5);
  }
  EXPECT_EQ(view.label(), "survivor");
}

// --------------------------------------------------------------------- labels

TEST(similar, has_the_label_of_its_source_in_arena_spaces) {
  Kokkos::View<double*, Scoped> const outside("made outside", 5);
  HostArena arena;
  ArenaScope const scope(arena);
  Kokkos::View<double*, Scoped> const inside("made inside", 5);
  EXPECT_EQ(similar(outside).label(), "made outside");
  EXPECT_EQ(similar(inside).label(), "made inside");
  EXPECT_EQ(similar<int>(inside, 2, 3).label(), "made inside");
  EXPECT_EQ(similar(similar(inside)).label(), "made inside");
  EXPECT_EQ(similar(Kokkos::subview(inside, Kokkos::pair(1, 3))).label(),
            "made inside");
}

TEST(make_view, keeps_labels_of_any_length) {
  using V = Kokkos::View<double*, Scoped>;
  HostArena arena;
  for (std::size_t const length : {0, 1, 15, 16, 127, 128, 129, 5000}) {
    std::string const label(length, 'x');
    EXPECT_EQ(make_view<V>(label, 3).label(), label);
    ArenaScope const scope(arena);
    auto const view = make_view<V>(label, 3);
    EXPECT_EQ(view.label(), label);
    EXPECT_EQ(similar(view).label(), label);
    EXPECT_EQ(live(arena), 1u);
  }
}

// ----------------------------------------------------------- a View as others

TEST(similar, is_managed_and_counts_its_owners) {
  HostArena arena;
  Kokkos::View<double*, Scoped> const source("source", 5);
  ArenaScope const scope(arena);
  auto view = similar(source);
  EXPECT_EQ(view.use_count(), 1);
  EXPECT_TRUE(view.is_allocated());
  {
    auto const copy = view;
    EXPECT_EQ(view.use_count(), 2);
    EXPECT_EQ(copy.use_count(), 2);
    EXPECT_EQ(copy.data(), view.data());
  }
  EXPECT_EQ(view.use_count(), 1);
  auto const moved = std::move(view);
  EXPECT_EQ(moved.use_count(), 1);
  EXPECT_EQ(live(arena), 1u);
  EXPECT_EQ(source.use_count(), 1);
}

TEST(similar, gives_memory_of_its_own_when_copies_end_in_any_order) {
  HostArena arena;
  ArenaScope const scope(arena);
  Kokkos::View<int*, Scoped> const source("source", 5);
  auto first        = similar(source);
  auto second       = similar(source);
  auto const copy   = first;
  first             = second;
  auto* const where = copy.data();
  EXPECT_NE(where, second.data());
  EXPECT_EQ(copy.use_count(), 1);
  EXPECT_EQ(second.use_count(), 2);
  EXPECT_EQ(live(arena), 3u);
}

TEST(similar, works_in_deep_copy_resize_realloc_and_mirrors) {
  HostArena arena;
  ArenaScope const scope(arena);
  Kokkos::View<int**, Kokkos::LayoutRight, Scoped> const source("source", 4, 3);
  auto a = similar(source);
  Kokkos::deep_copy(a, 7);
  auto const b = similar<int>(a);
  Kokkos::deep_copy(b, a);
  EXPECT_EQ(b(3, 2), 7);

  Kokkos::View<int**, Kokkos::LayoutRight, Host> const host("host", 4, 3);
  Kokkos::deep_copy(host, a);
  EXPECT_EQ(host(3, 2), 7);
  Kokkos::deep_copy(a, 8);
  Kokkos::deep_copy(host, a);
  EXPECT_EQ(host(0, 0), 8);

  Kokkos::resize(a, 6, 2);
  EXPECT_EQ(a.extent(0), 6u);
  EXPECT_EQ(a.extent(1), 2u);
  EXPECT_EQ(a(3, 1), 8);
  EXPECT_EQ(a(5, 1), 0);
  EXPECT_EQ(a.label(), "source");

  Kokkos::realloc(a, 2, 2);
  EXPECT_EQ(a(1, 1), 0);
  auto const mirror = Kokkos::create_mirror_view(a);
  EXPECT_EQ(mirror.extent(0), 2u);
  EXPECT_EQ(live(arena), 3u);  // the source, a and b
}

TEST(similar, converts_to_and_from_the_base_space) {
  HostArena arena;
  ArenaScope const scope(arena);
  Kokkos::View<int*, Scoped> const source("source", 4);
  auto view                           = similar(source);
  Kokkos::View<int const*, Host> host = view;
  EXPECT_EQ(host.data(), view.data());
  EXPECT_EQ(host.use_count(), 2);
  view = {};
  EXPECT_EQ(live(arena), 2u);
  host = {};
  EXPECT_EQ(live(arena), 1u);
}

TEST(similar, can_be_written_in_a_kernel) {
  HostArena arena;
  ArenaScope const scope(arena);
  Kokkos::View<int*, Scoped> const source("source", 1000);
  auto const view = similar(source);
  Kokkos::parallel_for(
      Kokkos::RangePolicy<Exec>(0, 1000),
      KOKKOS_LAMBDA(int i) { view(i) = i; });
  Exec().fence();
  int sum = 0;
  for (int i = 0; i < 1000; ++i) sum += view(i);
  EXPECT_EQ(sum, 499500);
  EXPECT_EQ(view.use_count(), 1);
}

TEST(make_view, survives_a_zero_beside_extents_whose_product_overflows) {
  auto const big = std::numeric_limits<std::size_t>::max() / 2;
  try {
    auto const a = make_view<Kokkos::View<double***, Scoped>>("a", big, big, 0);
    EXPECT_EQ(a.size(), 0u);
  } catch (std::length_error const&) {
  }
}

TEST(similar, makes_a_scalar_like_a_scalar) {
  Kokkos::View<int, Scoped> const scalar("scalar");
  auto const a = similar(scalar);
  a()          = 7;
  EXPECT_EQ(a(), 7);
  EXPECT_NE(a.data(), scalar.data());
  EXPECT_EQ(similar(scalar, 4).extent(0), 4u);
}

}  // namespace
