// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Library code that knows nothing of arenas, on Views in a ScopedSpace: all is
// as with HostSpace, inside of a scope and outside.
#include <KokkosArena_TestConfig.hpp>

#include <Kokkos_Complex.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaScope;
using Exec = Kokkos::DefaultHostExecutionSpace;
using View = Kokkos::View<double*, Scoped>;

template <class P>
struct scoped_views : AtPlace<P> {};
TYPED_TEST_SUITE(scoped_views, Places, PlaceName);

template <class ViewType>
bool is_all(ViewType const& view, typename ViewType::const_value_type& value) {
  return std::all_of(view.data(), view.data() + view.span(),
                     [&](auto const& element) { return element == value; });
}

TYPED_TEST(scoped_views, of_every_rank_are_zero_and_have_their_extents) {
  Kokkos::View<double, Scoped> const v0("v0");
  Kokkos::View<double*, Scoped> const v1("v1", 9);
  Kokkos::View<double**, Scoped> const v2("v2", 9, 8);
  Kokkos::View<double***, Scoped> const v3("v3", 9, 8, 7);
  Kokkos::View<double****, Scoped> const v4("v4", 9, 8, 7, 6);
  Kokkos::View<double*****, Scoped> const v5("v5", 9, 8, 7, 6, 5);
  Kokkos::View<double******, Scoped> const v6("v6", 9, 8, 7, 6, 5, 4);
  Kokkos::View<double*******, Scoped> const v7("v7", 9, 8, 7, 6, 5, 4, 3);
  Kokkos::View<double********, Scoped> const v8("v8", 9, 8, 7, 6, 5, 4, 3, 2);
  EXPECT_TRUE(this->draws(9));
  EXPECT_EQ(v0.size(), 1u);
  EXPECT_EQ(v8.size(), 9u * 8 * 7 * 6 * 5 * 4 * 3 * 2);
  EXPECT_EQ(v8.extent(7), 2u);
  EXPECT_TRUE(is_all(v0, 0.0));
  EXPECT_TRUE(is_all(v1, 0.0));
  EXPECT_TRUE(is_all(v2, 0.0));
  EXPECT_TRUE(is_all(v3, 0.0));
  EXPECT_TRUE(is_all(v4, 0.0));
  EXPECT_TRUE(is_all(v5, 0.0));
  EXPECT_TRUE(is_all(v6, 0.0));
  EXPECT_TRUE(is_all(v7, 0.0));
  EXPECT_TRUE(is_all(v8, 0.0));
  EXPECT_EQ(v3.label(), "v3");
  EXPECT_EQ(v3.use_count(), 1);
  v8(8, 7, 6, 5, 4, 3, 2, 1) = 5;
  EXPECT_EQ(v8(8, 7, 6, 5, 4, 3, 2, 1), 5);
}

TYPED_TEST(scoped_views, have_the_layout_asked_for) {
  Kokkos::View<int**, Kokkos::LayoutLeft, Scoped> const left("left", 5, 7);
  Kokkos::View<int**, Kokkos::LayoutRight, Scoped> const right("right", 5, 7);
  Kokkos::View<int**, Kokkos::LayoutStride, Scoped> const strided(
      "strided", Kokkos::LayoutStride(5, 2, 7, 30));
  Kokkos::View<int* [3], Scoped> const mixed("mixed", 11);
  EXPECT_TRUE(this->draws(4));
  EXPECT_EQ(left.stride(0), 1u);
  EXPECT_EQ(left.stride(1), 5u);
  EXPECT_EQ(right.stride(0), 7u);
  EXPECT_EQ(right.stride(1), 1u);
  EXPECT_EQ(strided.stride(0), 2u);
  EXPECT_EQ(strided.stride(1), 30u);
  EXPECT_EQ(mixed.extent(0), 11u);
  EXPECT_EQ(mixed.extent(1), 3u);
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 7; ++j) strided(i, j) = left(i, j) = i * 10 + j;
  }
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 7; ++j) {
      EXPECT_EQ(strided(i, j), i * 10 + j);
      EXPECT_EQ(left(i, j), i * 10 + j);
    }
  }
}

TYPED_TEST(scoped_views, data_is_aligned_to_64_bytes) {
  std::vector<Kokkos::View<char*, Scoped>> all;
  for (std::size_t n = 0; n < 200; ++n) {
    all.emplace_back("chars", n);
    EXPECT_EQ(address_of(all.back().data()) % 64, 0u);
  }
  EXPECT_TRUE(this->draws(200));
}

TYPED_TEST(scoped_views, are_zero_whatever_their_memory_held) {
  for (std::size_t n : {1, 7, 1000, 16383, 16384, 16385, 100000, 500000}) {
    View const v("v", n);
    EXPECT_TRUE(is_all(v, 0.0)) << n;
    Kokkos::View<char*, Scoped> const c("c", n);
    EXPECT_TRUE(is_all(c, char(0))) << n;
    EXPECT_TRUE(this->draws(2));
    std::fill_n(v.data(), n, 3.0);
    std::fill_n(c.data(), n, char(3));
  }
}

TYPED_TEST(scoped_views, of_zero_extent_work) {
  View const v("none", 0);
  Kokkos::View<double**, Scoped> const w("none", 0, 5);
  Kokkos::View<std::string*, Scoped> const s("none", 0);
  EXPECT_EQ(v.size(), 0u);
  EXPECT_EQ(w.extent(1), 5u);
  EXPECT_EQ(s.size(), 0u);
  EXPECT_EQ(v.label(), "none");
}

TYPED_TEST(scoped_views, take_every_property_of_view_alloc) {
  using Kokkos::view_alloc;
  using Kokkos::WithoutInitializing;
  Exec const exec;
  View const a(view_alloc("a", WithoutInitializing), 100);
  View const b(view_alloc("b", exec), 100);
  View const c(view_alloc("c", exec, WithoutInitializing), 100);
  View const d(view_alloc("d", Scoped()), 100);
  View const e(view_alloc("e", Scoped(), exec), 100);
  Kokkos::View<double**, Scoped> const f(view_alloc("f", Kokkos::AllowPadding),
                                         127, 3);
  Kokkos::View<std::string*, Scoped> const g(
      view_alloc("g", Kokkos::SequentialHostInit), 100);
  View const h(view_alloc(std::string("h")), 100);
  EXPECT_TRUE(this->draws(8));
  for (auto const& view : {b, d, e, h}) EXPECT_TRUE(is_all(view, 0.0));
  EXPECT_TRUE(is_all(g, std::string()));
  EXPECT_GE(f.span(), 127u * 3);
  EXPECT_EQ(f(126, 2), 0.0);
  EXPECT_EQ(a.label() + b.label() + c.label() + d.label() + e.label() +
                f.label() + g.label() + h.label(),
            "abcdefgh");
}

TYPED_TEST(scoped_views, of_strings_and_complex_numbers_are_constructed) {
  Kokkos::View<std::string*, Scoped> const strings("strings", 1000);
  Kokkos::View<Kokkos::complex<double>*, Scoped> const complex("c", 1000);
  Kokkos::View<std::shared_ptr<int>**, Scoped> const shared("s", 10, 10);
  EXPECT_TRUE(this->draws(3));
  EXPECT_TRUE(is_all(strings, std::string()));
  EXPECT_TRUE(is_all(complex, Kokkos::complex<double>(0, 0)));
  EXPECT_TRUE(is_all(shared, std::shared_ptr<int>()));
  for (std::size_t i = 0; i < 1000; ++i) {
    strings(i) = std::string(100, 'x') + std::to_string(i);
  }
  EXPECT_EQ(strings(999), std::string(100, 'x') + "999");
  auto const value = std::make_shared<int>(7);
  Kokkos::View<std::shared_ptr<int>*, Scoped> owners("owners", 50);
  std::fill_n(owners.data(), 50, value);
  EXPECT_EQ(value.use_count(), 51);
  owners = {};
  EXPECT_EQ(value.use_count(), 1);
}

/// Counts its objects; on demand the n-th throws.
struct Counted {
  Counted() {
    if (made == throw_at) throw std::runtime_error("no more of them");
    ++made;
  }
  Counted(Counted const&)            = delete;
  Counted& operator=(Counted const&) = delete;
  ~Counted() { ++ended; }

  static void start(int at = -1) { made = 0, ended = 0, throw_at = at; }
  static inline int made     = 0;
  static inline int ended    = 0;
  static inline int throw_at = -1;
  int value                  = 42;
};

TYPED_TEST(scoped_views, construct_and_destroy_each_element_once) {
  Counted::start();
  {
    Kokkos::View<Counted*, Scoped> const v("v", 50);
    Kokkos::View<Counted, Scoped> const w("w");
    Kokkos::View<Counted[3][4], Scoped> const x("x");
    Kokkos::View<Counted*, Scoped> const y(
        Kokkos::view_alloc("y", Kokkos::SequentialHostInit), 10);
    EXPECT_TRUE(this->draws(4));
    EXPECT_EQ(Counted::made, 50 + 1 + 12 + 10);
    EXPECT_EQ(Counted::ended, 0);
    EXPECT_EQ(v(49).value, 42);
    EXPECT_EQ(y(9).value, 42);
    auto const copy = v;
    auto const part = Kokkos::subview(v, std::pair<int, int>(3, 5));
    EXPECT_EQ(part(1).value, 42);
  }
  EXPECT_EQ(Counted::ended, Counted::made);
}

TYPED_TEST(scoped_views, of_more_than_128_KiB_of_objects_are_balanced) {
  Counted::start();
  {
    Kokkos::View<Counted*, Scoped> const v("v", 100000);
  }
  EXPECT_EQ(Counted::made, 100000);
  EXPECT_EQ(Counted::ended, 100000);
}

TYPED_TEST(scoped_views, whose_constructor_throws_leave_nothing_behind) {
  for (int at : {0, 1, 7, 99}) {
    Counted::start(at);
    EXPECT_THROW((Kokkos::View<Counted*, Scoped>("v", 100)),
                 std::runtime_error);
    EXPECT_EQ(Counted::made, at);
    EXPECT_EQ(Counted::ended, at);
    EXPECT_TRUE(this->draws(0));
  }
  Counted::start();
  Kokkos::View<Counted*, Scoped> const next("next", 100);
  EXPECT_TRUE(this->draws(1));
}

TYPED_TEST(scoped_views, whose_sequential_constructor_throws_likewise) {
  for (int at : {0, 1, 7, 99}) {
    Counted::start(at);
    EXPECT_THROW((Kokkos::View<Counted*, Scoped>(
                     Kokkos::view_alloc("v", Kokkos::SequentialHostInit), 100)),
                 std::runtime_error);
    EXPECT_EQ(Counted::made, at);
    EXPECT_TRUE(this->draws(0));
  }
}

TYPED_TEST(scoped_views, of_views_own_their_elements) {
  using Inner = Kokkos::View<double*, Scoped>;
  {
    Kokkos::View<Inner*, Scoped> const outer(
        Kokkos::view_alloc("outer", Kokkos::SequentialHostInit), 5);
    for (std::size_t i = 0; i < 5; ++i) {
      outer(i) = Inner("inner", 10);
      fill_pattern(outer(i), i);
    }
    EXPECT_TRUE(this->draws(6));
    for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(has_pattern(outer(i), i));
  }
  EXPECT_TRUE(this->draws(0));
  {
    Kokkos::View<Inner*, Scoped> const outer("outer", 5);
    outer(3) = Inner("inner", 10);
    EXPECT_TRUE(this->draws(2));
  }
  EXPECT_TRUE(this->draws(0));
}

TYPED_TEST(scoped_views, take_labels_of_any_length) {
  for (std::size_t length : {0, 1, 15, 16, 120, 127, 128, 129, 300, 5000}) {
    std::string const label(length, 'x');
    View const v(label, 10);
    Kokkos::View<std::string*, Scoped> const s(label, 10);
    EXPECT_EQ(v.label(), label);
    EXPECT_EQ(s.label(), label);
    EXPECT_TRUE(this->draws(2));
  }
}

TYPED_TEST(scoped_views, resize_keeps_contents_and_realloc_does_not) {
  View v("v", 100);
  fill_pattern(v, 5);
  Kokkos::resize(v, 200);
  EXPECT_TRUE(this->draws(1));
  EXPECT_EQ(v.extent(0), 200u);
  EXPECT_EQ(v.label(), "v");
  EXPECT_TRUE(has_pattern(Kokkos::subview(v, std::pair<int, int>(0, 100)), 5));
  EXPECT_TRUE(is_all(Kokkos::subview(v, std::pair<int, int>(100, 200)), 0.0));
  Kokkos::resize(v, 50);
  EXPECT_EQ(v.extent(0), 50u);
  EXPECT_TRUE(has_pattern(v, 5));
  Kokkos::resize(Kokkos::WithoutInitializing, v, 70);
  EXPECT_TRUE(has_pattern(Kokkos::subview(v, std::pair<int, int>(0, 50)), 5));
  Kokkos::realloc(v, 300);
  EXPECT_EQ(v.extent(0), 300u);
  EXPECT_TRUE(is_all(v, 0.0));
  Kokkos::realloc(Kokkos::WithoutInitializing, v, 10);
  EXPECT_EQ(v.extent(0), 10u);
  EXPECT_TRUE(this->draws(1));
  Kokkos::View<double**, Kokkos::LayoutLeft, Scoped> w("w", 3, 4);
  w(2, 3) = 7;
  Kokkos::resize(w, 5, 6);
  EXPECT_EQ(w(2, 3), 7);
  EXPECT_EQ(w(4, 5), 0);
}

TYPED_TEST(scoped_views, deep_copy_to_and_from_other_spaces) {
  Kokkos::View<double*, Host> const host("host", 1000);
  View const a("a", 1000);
  View const b("b", 1000);
  fill_pattern(host, 3);
  Kokkos::deep_copy(a, host);
  EXPECT_TRUE(has_pattern(a, 3));
  Kokkos::deep_copy(b, a);
  EXPECT_TRUE(has_pattern(b, 3));
  Kokkos::deep_copy(host, 0.0);
  Kokkos::deep_copy(host, b);
  EXPECT_TRUE(has_pattern(host, 3));
  Exec const exec;
  fill_pattern(host, 4);
  Kokkos::deep_copy(exec, a, host);
  Kokkos::deep_copy(exec, b, a);
  exec.fence();
  EXPECT_TRUE(has_pattern(b, 4));
  Kokkos::deep_copy(a, 2.5);
  EXPECT_TRUE(is_all(a, 2.5));
  Kokkos::deep_copy(exec, a, 3.5);
  exec.fence();
  EXPECT_TRUE(is_all(a, 3.5));
  double scalar = 0;
  Kokkos::View<double, Scoped> const one("one");
  Kokkos::deep_copy(one, 9.0);
  Kokkos::deep_copy(scalar, one);
  EXPECT_EQ(scalar, 9.0);
  EXPECT_TRUE(this->draws(3));
}

TYPED_TEST(scoped_views, deep_copy_between_layouts) {
  Kokkos::View<int**, Kokkos::LayoutLeft, Scoped> const left("left", 5, 7);
  Kokkos::View<int**, Kokkos::LayoutRight, Scoped> const right("right", 5, 7);
  Kokkos::View<int**, Kokkos::LayoutRight, Host> const host("host", 5, 7);
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 7; ++j) left(i, j) = i * 10 + j;
  }
  Kokkos::deep_copy(right, left);
  Kokkos::deep_copy(host, left);
  auto const row = Kokkos::subview(left, 3, Kokkos::ALL);
  View const line("line", 7);
  Kokkos::View<int*, Scoped> const copied("copied", 7);
  Kokkos::deep_copy(copied, row);
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 7; ++j) {
      EXPECT_EQ(right(i, j), i * 10 + j);
      EXPECT_EQ(host(i, j), i * 10 + j);
    }
  }
  EXPECT_EQ(copied(6), 36);
}

TYPED_TEST(scoped_views, subviews_share_the_data) {
  Kokkos::View<double**, Kokkos::LayoutRight, Scoped> const v("v", 10, 20);
  auto const row    = Kokkos::subview(v, 3, Kokkos::ALL);
  auto const column = Kokkos::subview(v, Kokkos::ALL, 4);
  auto const block =
      Kokkos::subview(v, std::pair<int, int>(2, 6), std::pair<int, int>(3, 9));
  EXPECT_TRUE(this->draws(1));
  EXPECT_EQ(v.use_count(), 4);
  v(3, 4) = 11;
  EXPECT_EQ(row(4), 11);
  EXPECT_EQ(column(3), 11);
  EXPECT_EQ(block(1, 1), 11);
  static_assert(std::is_same_v<typename decltype(row)::memory_space, Scoped>);
}

TYPED_TEST(scoped_views, run_in_kernels) {
  View const v("v", 10000);
  Kokkos::parallel_for(
      Kokkos::RangePolicy<Exec>(0, 10000), KOKKOS_LAMBDA(int i) { v(i) = i; });
  double sum = 0;
  Kokkos::parallel_reduce(
      Kokkos::RangePolicy<Exec>(0, 10000),
      KOKKOS_LAMBDA(int i, double& s) { s += v(i); }, sum);
  EXPECT_EQ(sum, 10000.0 * 9999 / 2);
  Kokkos::View<double, Scoped> const result("result");
  Kokkos::parallel_reduce(
      Kokkos::RangePolicy<Exec>(0, 10000),
      KOKKOS_LAMBDA(int i, double& s) { s += v(i); }, result);
  Kokkos::fence();
  EXPECT_EQ(result(), sum);
}

TYPED_TEST(scoped_views, mirrors_are_as_with_host_space) {
  View const v("v", 100);
  fill_pattern(v, 6);
  auto const mirror_view = Kokkos::create_mirror_view(v);
  EXPECT_EQ(mirror_view.data(), v.data());
  EXPECT_TRUE(this->draws(1));
  auto const mirror = Kokkos::create_mirror(v);
  EXPECT_NE(mirror.data(), v.data());
  EXPECT_EQ(mirror.extent(0), 100u);
  auto const in_host = Kokkos::create_mirror(Host(), v);
  static_assert(std::is_same_v<typename decltype(in_host)::memory_space, Host>);
  auto const view_in_host = Kokkos::create_mirror_view(Host(), v);
  EXPECT_EQ(view_in_host.extent(0), 100u);
  auto const copy = Kokkos::create_mirror_view_and_copy(Host(), v);
  EXPECT_TRUE(has_pattern(copy, 6));
  auto const scoped_copy = Kokkos::create_mirror_view_and_copy(Scoped(), copy);
  EXPECT_TRUE(has_pattern(scoped_copy, 6));
  static_assert(
      std::is_same_v<typename decltype(scoped_copy)::memory_space, Scoped>);
  auto const scoped_of_scoped =
      Kokkos::create_mirror_view_and_copy(Scoped(), v);
  EXPECT_EQ(scoped_of_scoped.data(), v.data());
}

TYPED_TEST(scoped_views, become_host_views_that_share_ownership) {
  View v("v", 100);
  fill_pattern(v, 8);
  Kokkos::View<double*, Host> host = v;
  EXPECT_EQ(host.data(), v.data());
  EXPECT_EQ(host.label(), "v");
  EXPECT_EQ(v.use_count(), 2);
  EXPECT_EQ(host.use_count(), 2);
  EXPECT_TRUE(this->draws(1));
  v = View();
  EXPECT_EQ(host.use_count(), 1);
  EXPECT_TRUE(has_pattern(host, 8));
  EXPECT_TRUE(this->draws(1));
  Kokkos::View<double const*, Host> const constant = host;
  host                                             = {};
  EXPECT_TRUE(this->draws(1));
}

TYPED_TEST(scoped_views, made_of_host_views_share_ownership) {
  Kokkos::View<double*, Host> host("host", 100);
  fill_pattern(host, 9);
  View v = host;
  EXPECT_EQ(v.data(), host.data());
  EXPECT_EQ(v.label(), "host");
  EXPECT_EQ(host.use_count(), 2);
  host = {};
  EXPECT_EQ(v.use_count(), 1);
  EXPECT_TRUE(has_pattern(v, 9));
  EXPECT_TRUE(this->draws(0));
  View const part = Kokkos::subview(v, std::pair<int, int>(10, 20));
  v               = View("v", 10);
  EXPECT_EQ(part(0), static_cast<double>((9 * 1000003 + 10) % 251));
  EXPECT_TRUE(this->draws(1));
}

TYPED_TEST(scoped_views, wrap_memory_that_they_do_not_own) {
  std::vector<double> memory(100, 4.0);
  View const v(memory.data(), 100);
  EXPECT_EQ(v.data(), memory.data());
  EXPECT_EQ(v.use_count(), 0);
  EXPECT_TRUE(is_all(v, 4.0));
  View const copy("copy", 100);
  Kokkos::deep_copy(copy, v);
  EXPECT_TRUE(is_all(copy, 4.0));
  EXPECT_TRUE(this->draws(1));
}

TYPED_TEST(scoped_views, kokkos_malloc_realloc_and_free) {
  auto* p = static_cast<char*>(Kokkos::kokkos_malloc<Scoped>("bytes", 1000));
  ASSERT_NE(p, nullptr);
  EXPECT_EQ(address_of(p) % 64, 0u);
  EXPECT_TRUE(this->draws(1));
  std::memset(p, 7, 1000);
  p = static_cast<char*>(Kokkos::kokkos_realloc<Scoped>(p, 5000));
  EXPECT_TRUE(std::all_of(p, p + 1000, [](char c) { return c == 7; }));
  EXPECT_TRUE(this->draws(1));
  p = static_cast<char*>(Kokkos::kokkos_realloc<Scoped>(p, 10));
  EXPECT_TRUE(std::all_of(p, p + 10, [](char c) { return c == 7; }));
  Kokkos::kokkos_free<Scoped>(p);
  EXPECT_TRUE(this->draws(0));
  Kokkos::kokkos_free<Scoped>(Kokkos::kokkos_malloc<Scoped>(1));
  EXPECT_EQ(Kokkos::kokkos_malloc<Scoped>(0), nullptr);
  Kokkos::kokkos_free<Scoped>(nullptr);
  EXPECT_TRUE(this->draws(0));
}

TYPED_TEST(scoped_views, space_allocates_by_itself) {
  Scoped const space;
  void* const a = space.allocate(1000);
  void* const b = space.allocate("label", 1000);
  void* const c = space.allocate("label", 1000, 900);
  void* const d = space.allocate(Exec(), 1000);
  void* const e = space.allocate(Exec(), "label", 1000);
  EXPECT_TRUE(this->draws(5));
  for (void* const p : {a, b, c, d, e}) std::memset(p, 1, 1000);
  space.deallocate(a, 1000);
  space.deallocate("label", b, 1000);
  space.deallocate("label", c, 1000, 900);
  // Of any instance.
  Scoped().deallocate(d, 1000);
  this->m_scope.reset();  // the scope ends before its memory does
  Scoped().deallocate("label", e, 1000);
}

// Where memory goes back to.

struct scoped_space : ::testing::Test {
  Arena<Host> m_arena;
  std::uint64_t live() const { return m_arena.statistics().live_allocations; }
};

TEST_F(scoped_space, view_made_inside_and_freed_outside_goes_to_the_arena) {
  View v;
  {
    ArenaScope const scope(m_arena);
    v = View("v", 100);
  }
  EXPECT_EQ(live(), 1u);
  v = View("outside", 100);
  EXPECT_EQ(live(), 0u);
  EXPECT_EQ(m_arena.statistics().used_bytes, 0u);
}

TEST_F(scoped_space, view_made_outside_and_freed_inside_does_not) {
  View v("v", 100);
  ArenaScope const scope(m_arena);
  auto const before = figures(m_arena.statistics());
  v                 = View();
  EXPECT_EQ(figures(m_arena.statistics()), before);
}

TEST_F(scoped_space, view_freed_in_another_scope_goes_to_its_own_arena) {
  Arena<Host> other;
  View v;
  {
    ArenaScope const scope(m_arena);
    v = View("v", 100);
  }
  ArenaScope const scope(other);
  EXPECT_EQ(other.statistics().live_allocations, 0u);
  v = View("w", 100);
  EXPECT_EQ(live(), 0u);
  EXPECT_EQ(other.statistics().live_allocations, 1u);
}

TEST_F(scoped_space, raw_memory_goes_where_it_came_from) {
  void* inside = nullptr;
  {
    ArenaScope const scope(m_arena);
    inside = Scoped().allocate("inside", 1000);
  }
  void* const outside = Scoped().allocate("outside", 1000);
  EXPECT_EQ(live(), 1u);
  {
    ArenaScope const scope(m_arena);
    Scoped().deallocate("outside", outside, 1000);
    EXPECT_EQ(live(), 1u);
  }
  Scoped().deallocate("inside", inside, 1000);
  EXPECT_EQ(live(), 0u);
}

TEST_F(scoped_space, raw_memory_survives_reset_and_arena) {
  void* p = nullptr;
  {
    Arena<Host> arena;
    p = Scoped(arena).allocate(1000);
    std::memset(p, 3, 1000);
    arena.reset();
    dirty(arena, 10000);
  }
  // Otherwise only its end is safe.
  if constexpr (!is_checked) {
    EXPECT_EQ(static_cast<char*>(p)[999], 3);
  }
  Scoped().deallocate(p, 1000);
}

TEST_F(scoped_space, kokkos_malloc_and_realloc_stay_with_their_arena) {
  void* p = nullptr;
  {
    ArenaScope const scope(m_arena);
    p = Kokkos::kokkos_malloc<Scoped>("p", 100);
  }
  p = Kokkos::kokkos_realloc<Scoped>(p, 10000);
  EXPECT_EQ(live(), 1u);
  Kokkos::kokkos_free<Scoped>(p);
  EXPECT_EQ(live(), 0u);
}

TEST_F(scoped_space, instance_remembers_the_scope_of_its_making) {
  std::optional<Scoped> inside;
  {
    ArenaScope const scope(m_arena);
    inside.emplace();
  }
  View const v(Kokkos::view_alloc("v", *inside), 100);
  EXPECT_EQ(live(), 1u);
  View const w("w", 100);
  EXPECT_EQ(live(), 1u);
}

TEST_F(scoped_space, instance_of_an_arena_needs_no_scope) {
  View const v(Kokkos::view_alloc("v", Scoped(m_arena)), 100);
  EXPECT_EQ(live(), 1u);
  Arena<Host, KokkosArena::Unsynchronized> other;
  ArenaScope const scope(other);
  View const w(Kokkos::view_alloc("w", Scoped(m_arena)), 100);
  EXPECT_EQ(live(), 2u);
  EXPECT_EQ(other.statistics().live_allocations, 0u);
}

TEST_F(scoped_space, live_bytes_are_data_and_a_little_more) {
  ArenaScope const scope(m_arena);
  for (std::size_t n : {0, 1, 10, 1000, 100000}) {
    View const v("v", n);
    Kokkos::View<std::string*, Scoped> const s("s", n);
    auto const live_bytes = m_arena.statistics().live_bytes;
    auto const data_bytes = n * (sizeof(double) + sizeof(std::string));
    EXPECT_GE(live_bytes, data_bytes);
    EXPECT_LT(live_bytes, data_bytes + 2 * 1024);
  }
}

TEST_F(scoped_space, is_a_memory_space_of_its_own) {
  static_assert(Kokkos::is_memory_space_v<Scoped>);
  static_assert(!std::is_same_v<Scoped::memory_space, Host>);
  static_assert(!std::is_base_of_v<Host, Scoped>);
  static_assert(std::is_same_v<Scoped::execution_space, Host::execution_space>);
  static_assert(std::is_same_v<View::memory_space, Scoped>);
  static_assert(
      std::is_same_v<View::device_type, Kokkos::Device<Exec, Scoped>>);
  EXPECT_STREQ(Scoped::name(), is_checked ? "Checked<Host>" : "Scoped<Host>");
  EXPECT_STREQ(KokkosArenaTest::ArenaSpace<CountingSpace>::name(),
               is_checked ? "Checked<Mock>" : "Scoped<Mock>");
  static_assert(KokkosArena::is_arena_space_v<Scoped>);
  static_assert(!KokkosArena::is_arena_space_v<Host>);
  static_assert(std::is_same_v<KokkosArena::base_memory_space_t<Scoped>, Host>);
  static_assert(std::is_same_v<KokkosArena::base_memory_space_t<Host>, Host>);
}

TEST_F(scoped_space, is_accessible_and_assignable_as_host_space_is) {
  using Kokkos::SpaceAccessibility;
  static_assert(SpaceAccessibility<Exec, Scoped>::accessible);
  static_assert(SpaceAccessibility<Scoped, Host>::assignable);
  static_assert(SpaceAccessibility<Scoped, Host>::accessible);
  static_assert(SpaceAccessibility<Scoped, Host>::deepcopy);
  static_assert(SpaceAccessibility<Host, Scoped>::assignable);
  static_assert(SpaceAccessibility<Host, Scoped>::accessible);
  static_assert(SpaceAccessibility<Host, Scoped>::deepcopy);
  static_assert(SpaceAccessibility<Scoped, Scoped>::assignable);
  static_assert(std::is_assignable_v<Kokkos::View<double*, Host>&, View>);
  static_assert(std::is_assignable_v<View&, Kokkos::View<double*, Host>>);
  static_assert(
      !std::is_assignable_v<View&, Kokkos::View<double const*, Host>>);
  static_assert(!std::is_assignable_v<Kokkos::View<int*, Host>&, View>);
  static_assert(std::is_same_v<View::host_mirror_type::data_type, double*>);
  SUCCEED();
}

TEST_F(scoped_space, view_in_a_device_with_it_is_the_same) {
  ArenaScope const scope(m_arena);
  Kokkos::View<double*, Kokkos::Device<Exec, Scoped>> const v("v", 10);
  EXPECT_EQ(live(), 1u);
  View const w = v;
  EXPECT_EQ(w.data(), v.data());
}

TEST_F(scoped_space, over_a_space_that_the_host_cannot_reach_compiles) {
  CountingSpace::log() = {};
  {
    Arena<CountingSpace> arena;
    KokkosArenaTest::ArenaSpace<CountingSpace> const space(arena);
    space.deallocate(space.allocate(100), 100);
    EXPECT_EQ(arena.statistics().total_allocations, 1u);
  }
  EXPECT_EQ(CountingSpace::log().live.size(), 0u);
}

}  // namespace
