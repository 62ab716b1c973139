// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_TestConfig.hpp>

#include <Kokkos_Complex.hpp>

#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::make_view;
using KokkosArena::similar;

template <class P>
struct similar_views : AtPlace<P> {};
TYPED_TEST_SUITE(similar_views, Places, PlaceName);

using View = Kokkos::View<double*, Scoped>;

template <class T, class U>
void expect_type(U const&) {
  static_assert(std::is_same_v<T, U>);
}

/// Whether each element can be written and keeps what was written.
template <class ViewType>
void expect_memory(ViewType const& view) {
  fill_pattern(view, 17);
  EXPECT_TRUE(has_pattern(view, 17));
}

TYPED_TEST(similar_views, make_view_gives_the_type_and_extents_asked_for) {
  auto const v0 = make_view<Kokkos::View<double, Scoped>>("v0");
  auto const v1 = make_view<View>("v1", 7);
  auto const v2 =
      make_view<Kokkos::View<int**, Kokkos::LayoutLeft, Scoped>>("v2", 7, 5);
  auto const v3 =
      make_view<Kokkos::View<float**, Kokkos::LayoutRight, Scoped>>("v3", 7, 5);
  auto const v8 = make_view<Kokkos::View<double********, Scoped>>(
      "v8", 1, 2, 3, 1, 2, 3, 1, 2);
  auto const mixed = make_view<Kokkos::View<double* [3], Scoped>>("mixed", 7);
  auto const fixed = make_view<Kokkos::View<double[4][3], Scoped>>("fixed");
  EXPECT_TRUE(this->draws(7));
  EXPECT_EQ(v0.size(), 1u);
  EXPECT_EQ(v1.extent(0), 7u);
  EXPECT_EQ(v2.extent(0), 7u);
  EXPECT_EQ(v2.extent(1), 5u);
  EXPECT_EQ(v2.stride(1), 7u);
  EXPECT_EQ(v3.stride(0), 5u);
  EXPECT_EQ(v8.size(), 72u);
  EXPECT_EQ(mixed.size(), 21u);
  EXPECT_EQ(fixed.size(), 12u);
  expect_memory(v0);
  expect_memory(v1);
  expect_memory(v2);
  expect_memory(v3);
  expect_memory(v8);
  expect_memory(mixed);
  expect_memory(fixed);
  EXPECT_EQ(v3.label(), "v3");
  EXPECT_EQ(v3.use_count(), 1);
}

TYPED_TEST(similar_views, make_view_takes_any_integer_type) {
  EXPECT_EQ(make_view<View>("v", short(5)).extent(0), 5u);
  EXPECT_EQ(make_view<View>("v", 5u).extent(0), 5u);
  EXPECT_EQ(make_view<View>("v", 5ll).extent(0), 5u);
  EXPECT_EQ(make_view<View>("v", std::size_t(5)).extent(0), 5u);
}

TYPED_TEST(similar_views, make_view_is_a_view_like_any_other) {
  auto v = make_view<View>("v", 100);
  fill_pattern(v, 1);
  {
    auto const copy = v;
    auto const part = Kokkos::subview(v, std::pair<int, int>(1, 2));
    EXPECT_EQ(v.use_count(), 3);
    Kokkos::View<double*, Host> const host = v;
    EXPECT_EQ(host.use_count(), 4);
    EXPECT_EQ(host.label(), "v");
  }
  EXPECT_EQ(v.use_count(), 1);
  Kokkos::resize(v, 200);
  EXPECT_TRUE(has_pattern(Kokkos::subview(v, std::pair<int, int>(0, 100)), 1));
  Kokkos::deep_copy(v, 3.0);
  EXPECT_EQ(v(199), 3.0);
  EXPECT_TRUE(this->draws(1));
  v = {};
  EXPECT_TRUE(this->draws(0));
}

TYPED_TEST(similar_views, similar_has_the_type_and_extents_of_its_source) {
  View const v("source", 7);
  Kokkos::View<int**, Kokkos::LayoutLeft, Scoped> const w("w", 7, 5);
  Kokkos::View<double, Scoped> const scalar("scalar");
  Kokkos::View<double* [3], Scoped> const mixed("mixed", 7);
  auto const a = similar(v);
  auto const b = similar(w);
  auto const c = similar(scalar);
  auto const d = similar(mixed);
  EXPECT_TRUE(this->draws(8));
  expect_type<double*>(typename decltype(a)::data_type{});
  static_assert(std::is_same_v<typename decltype(a)::memory_space, Scoped>);
  static_assert(std::is_same_v<typename decltype(b)::array_layout,
                               Kokkos::LayoutLeft>);
  static_assert(std::is_same_v<typename decltype(d)::data_type, double* [3]>);
  EXPECT_EQ(a.extent(0), 7u);
  EXPECT_EQ(b.extent(0), 7u);
  EXPECT_EQ(b.extent(1), 5u);
  EXPECT_EQ(c.size(), 1u);
  EXPECT_EQ(d.extent(0), 7u);
  EXPECT_EQ(d.extent(1), 3u);
  EXPECT_EQ(a.label(), "source");
  EXPECT_NE(a.data(), v.data());
  fill_pattern(v, 1);
  expect_memory(a);
  EXPECT_TRUE(has_pattern(v, 1));
  expect_memory(b);
  expect_memory(c);
  expect_memory(d);
}

TYPED_TEST(similar_views, similar_changes_extents_rank_and_element) {
  View const v("v", 7);
  Kokkos::View<double* [3], Scoped> const mixed("mixed", 7);
  auto const longer  = similar(v, 11);
  auto const matrix  = similar(v, 4, 5);
  auto const ints    = similar<int>(v);
  auto const complex = similar<Kokkos::complex<float>>(v, 3, 2, 4);
  auto const floats  = similar<float>(mixed);
  auto const more    = similar(mixed, 9);
  auto const dynamic = similar(mixed, 9, 8);
  EXPECT_TRUE(this->draws(9));
  static_assert(std::is_same_v<typename decltype(matrix)::data_type, double**>);
  static_assert(std::is_same_v<typename decltype(ints)::data_type, int*>);
  static_assert(std::is_same_v<typename decltype(complex)::data_type,
                               Kokkos::complex<float>***>);
  static_assert(
      std::is_same_v<typename decltype(floats)::data_type, float* [3]>);
  static_assert(
      std::is_same_v<typename decltype(dynamic)::data_type, double**>);
  EXPECT_EQ(longer.extent(0), 11u);
  EXPECT_EQ(matrix.size(), 20u);
  EXPECT_EQ(ints.extent(0), 7u);
  EXPECT_EQ(complex.extent(2), 4u);
  EXPECT_EQ(floats.extent(1), 3u);
  EXPECT_EQ(more.extent(0), 9u);
  EXPECT_EQ(more.extent(1), 3u);
  EXPECT_EQ(dynamic.extent(1), 8u);
  expect_memory(matrix);
  expect_memory(ints);
  expect_memory(floats);
  expect_memory(dynamic);
}

TYPED_TEST(similar_views, similar_of_const_and_unmanaged_and_strided_views) {
  View const v("v", 10);
  Kokkos::View<double const*, Scoped> const constant = v;
  Kokkos::View<double*, Scoped, Kokkos::MemoryTraits<Kokkos::Unmanaged>> const
      unmanaged(v.data(), 10);
  Kokkos::View<double**, Kokkos::LayoutRight, Scoped> const matrix("m", 6, 8);
  auto const column = Kokkos::subview(matrix, Kokkos::ALL, 3);
  auto const a      = similar(constant);
  auto const b      = similar(unmanaged);
  auto const c      = similar(column);
  auto const d      = similar(unmanaged, 5, 5);
  EXPECT_TRUE(this->draws(6));
  static_assert(std::is_same_v<typename decltype(a)::data_type, double*>);
  static_assert(!decltype(b)::memory_traits::is_unmanaged);
  EXPECT_EQ(a.use_count(), 1);
  EXPECT_EQ(b.use_count(), 1);
  EXPECT_EQ(b.extent(0), 10u);
  EXPECT_EQ(c.extent(0), 6u);
  EXPECT_EQ(c.stride(0), 1u);
  expect_memory(a);
  expect_memory(b);
  expect_memory(c);
  expect_memory(d);
}

TYPED_TEST(similar_views, similar_of_a_host_view_is_a_host_view) {
  Kokkos::View<double**, Kokkos::LayoutLeft, Host> const host("host", 5, 6);
  auto const a = similar(host);
  auto const b = similar<int>(host, 9);
  auto const c = make_view<Kokkos::View<double*, Host>>("c", 9);
  static_assert(std::is_same_v<typename decltype(a)::memory_space, Host>);
  EXPECT_EQ(a.extent(1), 6u);
  EXPECT_EQ(b.extent(0), 9u);
  EXPECT_EQ(c.label(), "c");
  expect_memory(a);
  expect_memory(b);
  expect_memory(c);
  EXPECT_TRUE(this->draws(0));
  make_view<View>("the place draws something", 1);
}

template <std::size_t Alignment>
struct alignas(Alignment) Aligned {
  double value;
};

TYPED_TEST(similar_views, data_is_aligned_as_the_element_demands) {
  View const v("v", 3);
  for (std::size_t i = 0; i < 20; ++i) {
    auto const a = make_view<Kokkos::View<Aligned<256>*, Scoped>>("a", i);
    auto const b = make_view<Kokkos::View<Aligned<4096>*, Scoped>>("b", i);
    auto const c = similar<Aligned<1024>>(v, i);
    auto const d = make_view<Kokkos::View<char*, Scoped>>("d", i);
    EXPECT_TRUE(this->draws(5));
    EXPECT_EQ(address_of(a.data()) % 256, 0u);
    EXPECT_EQ(address_of(b.data()) % 4096, 0u);
    EXPECT_EQ(address_of(c.data()) % 1024, 0u);
    EXPECT_EQ(address_of(d.data()) % 64, 0u);
    for (std::size_t j = 0; j < i; ++j) {
      a(j).value = b(j).value = c(j).value = 1.0;
      d(j)                                 = 1;
    }
    EXPECT_EQ(a.label() + b.label() + d.label(), "abd");
  }
}

TYPED_TEST(similar_views, of_over_aligned_elements_stay_alive_as_host_views) {
  auto v = make_view<Kokkos::View<Aligned<4096>*, Scoped>>("v", 3);
  v(2).value = 8;
  Kokkos::View<Aligned<4096>*, Host> const host = v;
  v                                             = {};
  EXPECT_EQ(host(2).value, 8);
  EXPECT_EQ(host.use_count(), 1);
}

TYPED_TEST(similar_views, of_zero_extent_work) {
  auto const a = make_view<View>("a", 0);
  auto const b = make_view<Kokkos::View<double***, Scoped>>("b", 5, 0, 5);
  auto const c = similar(a);
  auto const d = similar(b, 0, 0);
  // No overflow: nothing is asked for.
  auto const e = make_view<Kokkos::View<double**, Scoped>>(
      "e", 0, std::numeric_limits<std::ptrdiff_t>::max());
  EXPECT_EQ(a.size() + b.size() + c.size() + d.size() + e.size(), 0u);
  EXPECT_EQ(b.extent(2), 5u);
  EXPECT_EQ(a.label(), "a");
  EXPECT_EQ(c.label(), "a");
}

template <class F>
std::string length_error(F const& f) {
  try {
    f();
  } catch (std::length_error const& e) {
    return e.what();
  }
  return "no length_error";
}

TYPED_TEST(similar_views, impossible_extents_throw_with_the_label) {
  using Matrix      = Kokkos::View<double**, Scoped>;
  using Cube        = Kokkos::View<double***, Scoped>;
  auto const most   = std::numeric_limits<std::size_t>::max();
  auto const source = make_view<View>("the source", 3);
  auto const before = figures(this->m_arena.statistics());
  for (auto const& message :
       {length_error([&] { make_view<View>("bad one", -1); }),
        length_error([&] { make_view<View>("bad one", most); }),
        length_error([&] { make_view<View>("bad one", most / 8 + 1); }),
        length_error([&] { make_view<Matrix>("bad one", -5, 3); }),
        length_error([&] { make_view<Matrix>("bad one", 3, -5); }),
        length_error([&] { make_view<Matrix>("bad one", 1ull << 31, 1ull << 31); }),
        length_error([&] { make_view<Matrix>("bad one", 1ull << 32, 1ull << 32); }),
        length_error([&] {
          make_view<Cube>("bad one", 1 << 22, 1 << 22, 1 << 22);
        })}) {
    EXPECT_NE(message.find("bad one"), std::string::npos) << message;
  }
  EXPECT_NE(length_error([&] { similar(source, -1); }).find("the source"),
            std::string::npos);
  EXPECT_NE(length_error([&] { make_view<Matrix>("bad one", 12345, -1); })
                .find("12345"),
            std::string::npos);
  EXPECT_EQ(figures(this->m_arena.statistics()), before);
  EXPECT_EQ(make_view<View>("good one", 10).extent(0), 10u);
}

TYPED_TEST(similar_views, extents_that_no_memory_has_throw_bad_alloc) {
  auto const before = figures(this->m_arena.statistics());
  for (std::size_t elements :
       {(unlimited / 8), (unlimited / 8 - 1), (unlimited / 8 - 16),
        (unlimited / 8 - 100), (unlimited / 16), std::size_t(1) << 57}) {
    if constexpr (TypeParam::is_inside) {
      EXPECT_THROW(make_view<View>("v", elements), KokkosArena::ArenaExhausted);
      EXPECT_THROW(View(Kokkos::view_alloc("v", Kokkos::WithoutInitializing),
                        elements),
                   KokkosArena::ArenaExhausted);
    } else {
      EXPECT_ANY_THROW(make_view<View>("v", elements));
    }
    EXPECT_EQ(figures(this->m_arena.statistics()), before);
  }
  EXPECT_EQ(make_view<View>("good one", 10).extent(0), 10u);
}

TYPED_TEST(similar_views, labels_of_any_length_are_kept) {
  for (std::size_t length : {0, 15, 16, 127, 128, 300}) {
    std::string const label(length, 'x');
    auto const v = make_view<View>(label, 3);
    EXPECT_EQ(v.label(), label);
    EXPECT_EQ(similar(v).label(), label);
  }
}

}  // namespace
