// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosKernels_config.h>
#include <gtest/gtest.h>
#include <KokkosArena.hpp>
#include <KokkosArena_Blas.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include "KokkosArena_TestKernels.hpp"

namespace KokkosArenaTest {

namespace {

namespace blas = KokkosArena::blas;

constexpr std::size_t n = 60;

/// Kokkos Kernels was built with a BLAS, and with its kernels as a library.
#if defined(KOKKOSKERNELS_ENABLE_TPL_BLAS)
constexpr bool is_library = true;
#else
constexpr bool is_library = false;
#endif
constexpr char const* vendor       = "[TPL_BLAS,double]";
constexpr char const* instantiated = "[ETI]";

template <class MixType>
struct blas_front_doors : OperandsIn<MixType> {};
TYPED_TEST_SUITE(blas_front_doors, Mixes);

TYPED_TEST(blas_front_doors, axpby_is_that_of_host_space) {
  auto const x        = make_vector<typename TestFixture::first>(n, 1);
  auto const y        = make_vector<typename TestFixture::second>(n, 2);
  auto const expected = make_vector<Host>(n, 2);
  auto const host_x   = make_vector<Host>(n, 1);
  auto const path =
      path_of([&] { KokkosBlas::axpby(2.5, host_x, -1.5, expected); });

  EXPECT_EQ(path_of([&] { blas::axpby(2.5, x, -1.5, y); }), path);
  EXPECT_EQ(any_has(path, vendor), is_library);
  EXPECT_EQ(contents(y), contents(expected));

  KokkosBlas::axpy(0.3, host_x, expected);
  blas::axpy(0.3, x, y);
  EXPECT_EQ(contents(y), contents(expected));
}

TYPED_TEST(blas_front_doors, scal_is_that_of_host_space) {
  auto const x = make_vector<typename TestFixture::first>(n, 1);
  Vector<double, typename TestFixture::second> const r("r", n);
  auto const host_x = make_vector<Host>(n, 1);
  Vector<double, Host> const expected("expected", n);
  auto const path = path_of([&] { KokkosBlas::scal(expected, 3., host_x); });

  EXPECT_EQ(path_of([&] { blas::scal(r, 3., x); }), path);
  EXPECT_EQ(any_has(path, vendor), is_library);
  EXPECT_EQ(contents(r), contents(expected));
}

TYPED_TEST(blas_front_doors, dot_and_nrm2_return_the_values_of_host_space) {
  auto const x      = make_vector<typename TestFixture::first>(n, 1);
  auto const y      = make_vector<typename TestFixture::second>(n, 2);
  auto const host_x = make_vector<Host>(n, 1);
  auto const host_y = make_vector<Host>(n, 2);
  double dot        = 0;
  double expected   = 0;
  auto const path =
      path_of([&] { expected = KokkosBlas::dot(host_x, host_y); });

  EXPECT_EQ(path_of([&] { dot = blas::dot(x, y); }), path);
  EXPECT_EQ(any_has(path, vendor), is_library);
  EXPECT_EQ(dot, expected);
  EXPECT_GT(dot, 0);
  EXPECT_EQ(any_has(path_of([&] { blas::nrm2(x); }), vendor), is_library);
  EXPECT_EQ(blas::nrm2(x), KokkosBlas::nrm2(host_x));
}

TYPED_TEST(blas_front_doors, dot_writes_its_result_to_a_view_of_any_space) {
  auto const x = make_matrix<typename TestFixture::first>(n, 3, 1);
  auto const y = make_matrix<typename TestFixture::second>(n, 3, 2);
  Vector<double, typename TestFixture::third> const dots("dots", 3);
  Vector<double, Host> const expected("expected", 3);
  KokkosBlas::dot(expected, make_matrix<Host>(n, 3, 1),
                  make_matrix<Host>(n, 3, 2));
  auto const path = path_of([&] { blas::dot(dots, x, y); });
  EXPECT_EQ(any_has(path, instantiated), is_library);
  EXPECT_EQ(contents(dots), contents(expected));
}

TYPED_TEST(blas_front_doors, gemv_is_that_of_host_space) {
  auto const a        = make_matrix<typename TestFixture::first>(n, 40, 1);
  auto const x        = make_vector<typename TestFixture::second>(40, 2);
  auto const y        = make_vector<typename TestFixture::third>(n, 3);
  auto const host_a   = make_matrix<Host>(n, 40, 1);
  auto const host_x   = make_vector<Host>(40, 2);
  auto const expected = make_vector<Host>(n, 3);
  auto const path     = path_of(
      [&] { KokkosBlas::gemv("N", 1.5, host_a, host_x, 0.5, expected); });

  EXPECT_EQ(path_of([&] { blas::gemv("N", 1.5, a, x, 0.5, y); }), path);
  EXPECT_EQ(any_has(path, vendor), is_library);
  EXPECT_EQ(contents(y), contents(expected));
}

TYPED_TEST(blas_front_doors, gemm_takes_the_path_of_host_space) {
  auto const a        = make_matrix<typename TestFixture::first>(n, 50, 1);
  auto const b        = make_matrix<typename TestFixture::second>(n, 50, 2);
  auto const c        = make_matrix<typename TestFixture::third>(n, n, 3);
  auto const host_a   = make_matrix<Host>(n, 50, 1);
  auto const host_b   = make_matrix<Host>(n, 50, 2);
  auto const expected = make_matrix<Host>(n, n, 3);
  auto const path     = path_of(
      [&] { KokkosBlas::gemm("N", "T", 1.5, host_a, host_b, 0.5, expected); });
  ASSERT_FALSE(path.empty());
  EXPECT_EQ(any_has(path, vendor), is_library);

  EXPECT_EQ(path_of([&] { blas::gemm("N", "T", 1.5, a, b, 0.5, c); }), path);
  EXPECT_EQ(contents(c), contents(expected));
}

TYPED_TEST(blas_front_doors, gemm_takes_an_execution_space_instance) {
  auto const a        = make_matrix<typename TestFixture::first>(n, n, 1);
  auto const b        = make_matrix<typename TestFixture::second>(n, n, 2);
  auto const c        = make_matrix<typename TestFixture::third>(n, n, 3);
  auto const expected = make_matrix<Host>(n, n, 3);
  KokkosBlas::gemm(Exec{}, "N", "N", 1., make_matrix<Host>(n, n, 1),
                   make_matrix<Host>(n, n, 2), 0., expected);
  blas::gemm(Exec{}, "N", "N", 1., a, b, 0., c);
  EXPECT_EQ(contents(c), contents(expected));
}

TYPED_TEST(blas_front_doors, trsm_is_that_of_host_space) {
  auto const a        = make_matrix<typename TestFixture::first>(n, n, 1);
  auto const b        = make_matrix<typename TestFixture::second>(n, 10, 2);
  auto const host_a   = make_matrix<Host>(n, n, 1);
  auto const expected = make_matrix<Host>(n, 10, 2);
  // Larger than what is beside it, for a solution of moderate size.
  for (std::size_t i = 0; i < n; ++i) a(i, i) = host_a(i, i) = 100;
  auto const path = path_of(
      [&] { KokkosBlas::trsm("L", "U", "N", "N", 2., host_a, expected); });

  EXPECT_EQ(path_of([&] { blas::trsm("L", "U", "N", "N", 2., a, b); }), path);
  EXPECT_EQ(any_has(path, vendor), is_library);
  EXPECT_EQ(contents(b), contents(expected));
}

TEST(blas_front_door, result_is_in_the_memory_of_the_caller_s_view) {
  KokkosArena::Arena<Host> arena;
  KokkosArena::ArenaScope const scope(arena);
  auto const a      = make_matrix<Scoped>(n, n, 1);
  auto const c      = make_matrix<Scoped>(n, n, 3);
  auto const before = arena.statistics();
  blas::gemm("N", "N", 1., a, a, 0., c);
  double expected = 0;
  for (std::size_t k = 0; k < n; ++k) expected += a(2, k) * a(k, 5);
  EXPECT_NEAR(c(2, 5), expected, 1e-11);
  EXPECT_EQ(arena.statistics().live_allocations, before.live_allocations);
}

TEST(blas_front_door, takes_subviews_and_const_views) {
  KokkosArena::Arena<Host> arena;
  KokkosArena::ArenaScope const scope(arena);
  auto const a = make_matrix<Scoped>(n, n, 1);
  Kokkos::View<double const**, Kokkos::LayoutLeft, Scoped> const const_a = a;
  auto const column = Kokkos::subview(const_a, Kokkos::ALL, 3);
  auto const row    = Kokkos::subview(a, 3, Kokkos::ALL);
  double expected   = 0;
  for (std::size_t k = 0; k < n; ++k) expected += a(k, 3) * a(3, k);
  EXPECT_NEAR(blas::dot(column, row), expected, 1e-12);
}

TEST(blas_front_door, reports_a_view_that_its_arena_has_dropped) {
  KokkosArena::Arena<Host> arena;
  Vector<double, Checked> escaped;
  {
    KokkosArena::ArenaScope const scope(arena);
    escaped = Vector<double, Checked>("escaped", n);
  }
  auto const y = make_vector<Host>(n, 1);
  arena.reset();
  try {
    blas::axpby(1., escaped, 1., y);
    FAIL() << "nothing was thrown";
  } catch (KokkosArena::InvalidViewAccess const& e) {
    EXPECT_NE(std::string(e.what()).find("escaped"), std::string::npos)
        << e.what();
  }
  EXPECT_EQ(contents(y), contents(make_vector<Host>(n, 1)));
}

TEST(blas_front_door, hands_errors_of_kokkos_kernels_on) {
  auto const a = make_matrix<Scoped>(n, 4, 1);
  auto const x = make_vector<Scoped>(7, 1);
  auto const y = make_vector<Scoped>(n, 1);
  EXPECT_THROW(blas::gemv("N", 1., a, x, 0., y), std::runtime_error);
}

// Why the front doors are there, and that the tests of the path can fail.
TEST(blas_front_door, kokkos_kernels_itself_misses_the_fast_paths) {
  auto const a    = make_matrix<Scoped>(n, n, 1);
  auto const c    = make_matrix<Scoped>(n, n, 3);
  auto const path = path_of([&] {
    KokkosBlas::gemm("N", "N", 1., a, a, 0., c);
    KokkosBlas::dot(Vector<double, Scoped>("dots", n), a, a);
  });
  ASSERT_FALSE(path.empty());
  EXPECT_FALSE(any_has(path, vendor));
  EXPECT_FALSE(any_has(path, instantiated));
}

}  // namespace

}  // namespace KokkosArenaTest
