// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gtest/gtest.h>
#include <KokkosArena.hpp>
#include <KokkosArena_FrontDoors.hpp>
#include <KokkosArena_KernelsHandle.hpp>
#include <KokkosArena_Sparse.hpp>
#include <KokkosSparse_MatrixPrec.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "KokkosArena_TestKernels.hpp"

namespace KokkosArenaTest {

namespace {

namespace sparse = KokkosArena::sparse;

constexpr int side = 9;
constexpr int n    = side * side;

template <class Space>
using Handle =
    KokkosKernels::Experimental::KokkosKernelsHandle<std::size_t, int, double,
                                                     Exec, Space, Space>;

/// Kokkos Kernels itself.
struct Plain {
  static constexpr auto spadd_symbolic = [](auto&&... args) {
    KokkosSparse::spadd_symbolic(args...);
  };
  static constexpr auto spadd_numeric = [](auto&&... args) {
    KokkosSparse::spadd_numeric(args...);
  };
  static constexpr auto gauss_seidel_symbolic = [](auto&&... args) {
    KokkosSparse::gauss_seidel_symbolic(args...);
  };
  static constexpr auto gauss_seidel_numeric = [](auto&&... args) {
    KokkosSparse::gauss_seidel_numeric(args...);
  };
  static constexpr auto symmetric_gauss_seidel_apply = [](auto&&... args) {
    KokkosSparse::symmetric_gauss_seidel_apply(args...);
  };
  static constexpr auto forward_sweep_gauss_seidel_apply = [](auto&&... args) {
    KokkosSparse::forward_sweep_gauss_seidel_apply(args...);
  };
  static constexpr auto backward_sweep_gauss_seidel_apply = [](auto&&... args) {
    KokkosSparse::backward_sweep_gauss_seidel_apply(args...);
  };
  static constexpr auto spiluk_symbolic = [](auto&&... args) {
    KokkosSparse::spiluk_symbolic(args...);
  };
  static constexpr auto spiluk_numeric = [](auto&&... args) {
    KokkosSparse::spiluk_numeric(args...);
  };
  static constexpr auto sptrsv_symbolic = [](auto&&... args) {
    KokkosSparse::sptrsv_symbolic(args...);
  };
  static constexpr auto sptrsv_solve = [](auto&&... args) {
    KokkosSparse::sptrsv_solve(args...);
  };
  static constexpr auto gmres = [](auto&&... args) {
    KokkosSparse::Experimental::gmres(args...);
  };
};

using Doors = KokkosArena::FrontDoors;

template <class MixType>
struct sparse_front_doors : OperandsIn<MixType> {
  using first  = typename MixType::first;
  using second = typename MixType::second;

  Crs<Host> host_a = make_laplacian<Host>(side);
  Crs<Host> host_b = make_laplacian<Host>(side, 5);
  Crs<first> a     = make_laplacian<first>(side);
  Crs<second> b    = make_laplacian<second>(side, 5);
};
TYPED_TEST_SUITE(sparse_front_doors, Mixes);

TYPED_TEST(sparse_front_doors, spmv_is_that_of_host_space) {
  auto const x        = make_vector<typename TestFixture::second>(n, 1);
  auto const y        = make_vector<typename TestFixture::third>(n, 2);
  auto const host_x   = make_vector<Host>(n, 1);
  auto const expected = make_vector<Host>(n, 2);
  auto const path     = path_of([&] {
    KokkosSparse::spmv("N", 2., this->host_a, host_x, 0.5, expected);
  });

  EXPECT_EQ(path_of([&] { sparse::spmv("N", 2., this->a, x, 0.5, y); }), path);
  EXPECT_EQ(contents(y), contents(expected));
}

TYPED_TEST(sparse_front_doors, spgemm_gives_the_matrix_of_host_space) {
  using C = Crs<typename TestFixture::third>;
  Crs<Host> expected;
  Handle<Host> host_handle;
  host_handle.create_spgemm_handle();
  auto const path = path_of([&] {
    KokkosSparse::spgemm_symbolic(host_handle, this->host_a, false,
                                  this->host_b, false, expected);
    KokkosSparse::spgemm_numeric(host_handle, this->host_a, false, this->host_b,
                                 false, expected);
  });
  ASSERT_FALSE(path.empty());

  C c;
  Handle<typename TestFixture::first> handle;
  handle.create_spgemm_handle();
  EXPECT_EQ(path_of([&] {
              sparse::spgemm_symbolic(handle, this->a, false, this->b, false,
                                      c);
              sparse::spgemm_numeric(handle, this->a, false, this->b, false, c);
            }),
            path);
  expect_same_matrix(c, expected);
  EXPECT_GT(c.nnz(), this->a.nnz());
  EXPECT_EQ(handle.get_spgemm_handle()->get_c_nnz(), c.nnz());

  // Once more with the same structure, as a solver does.
  Kokkos::deep_copy(KokkosArena::unscoped(c.values), 0.);
  sparse::spgemm_numeric(handle, this->a, false, this->b, false, c);
  expect_same_matrix(c, expected);

  auto const at_once = sparse::spgemm<C>(this->a, false, this->b, false);
  static_assert(std::is_same_v<decltype(at_once), C const>);
  expect_same_matrix(at_once, expected);
}

TYPED_TEST(sparse_front_doors, spgemm_symbolic_of_views_fills_the_row_map) {
  Handle<typename TestFixture::second> handle;
  handle.create_spgemm_handle();
  Vector<std::size_t, typename TestFixture::third> const row_map("rows", n + 1);
  sparse::spgemm_symbolic(&handle, n, n, n, this->a.graph.row_map,
                          this->a.graph.entries, false, this->b.graph.row_map,
                          this->b.graph.entries, false, row_map);
  EXPECT_EQ(row_map(n), handle.get_spgemm_handle()->get_c_nnz());
  EXPECT_GT(row_map(n), this->a.nnz());
}

TYPED_TEST(sparse_front_doors, spgemm_of_empty_matrices_is_empty) {
  using C = Crs<typename TestFixture::third>;
  Vector<std::size_t, typename TestFixture::first> const rows("rows", n + 1);
  Crs<typename TestFixture::first> const empty("empty", n, n, 0, {}, rows, {});
  auto const c = sparse::spgemm<C>(empty, false, this->b, false);
  EXPECT_EQ(c.nnz(), 0u);
  EXPECT_EQ(c.numRows(), n);
  EXPECT_EQ(c.numCols(), n);
  ASSERT_EQ(c.graph.row_map.extent(0), std::size_t{n} + 1);
  EXPECT_EQ(c.graph.row_map(n), 0u);
}

TYPED_TEST(sparse_front_doors, spgemm_refuses_shapes_that_do_not_fit) {
  using C          = Crs<typename TestFixture::third>;
  auto const small = make_laplacian<typename TestFixture::second>(2);
  EXPECT_THROW(sparse::spgemm<C>(this->a, false, small, false),
               std::invalid_argument);
  EXPECT_THROW(sparse::spgemm<C>(this->a, true, this->b, false),
               std::invalid_argument);
}

TYPED_TEST(sparse_front_doors, spadd_gives_the_matrix_of_host_space) {
  auto const add = [](auto call, auto& handle, auto const& a, auto const& b,
                      auto& c) {
    handle.create_spadd_handle(true);
    call.spadd_symbolic(&handle, a, b, c);
    call.spadd_numeric(&handle, 2., a, 3., b, c);
  };
  Crs<Host> expected;
  Handle<Host> host_handle;
  auto const path = path_of(
      [&] { add(Plain{}, host_handle, this->host_a, this->host_b, expected); });

  Crs<typename TestFixture::third> c;
  Handle<typename TestFixture::second> handle;
  EXPECT_EQ(path_of([&] { add(Doors{}, handle, this->a, this->b, c); }), path);
  expect_same_matrix(c, expected);
}

TYPED_TEST(sparse_front_doors, spadd_of_an_empty_matrix_gives_the_other) {
  using C = Crs<typename TestFixture::third>;
  Vector<std::size_t, typename TestFixture::first> const rows("rows", n + 1);
  Crs<typename TestFixture::first> const empty("empty", n, n, 0, {}, rows, {});
  C left;
  C right;
  for (auto* c : {&left, &right}) {
    Handle<typename TestFixture::first> handle;
    handle.create_spadd_handle(true);
    if (c == &left) {
      sparse::spadd_symbolic(&handle, empty, this->b, *c);
      sparse::spadd_numeric(&handle, 2., empty, 1., this->b, *c);
    } else {
      sparse::spadd_symbolic(Exec{}, &handle, this->b, empty, *c);
      sparse::spadd_numeric(Exec{}, &handle, 1., this->b, 2., empty, *c);
    }
    expect_same_matrix(*c, this->host_b);
  }
}

TYPED_TEST(sparse_front_doors, gauss_seidel_is_that_of_host_space) {
  // Serial colouring, so that the colours are the same each time.
  auto const solve = [](auto call, auto& handle, auto const& a, auto const& x,
                        auto const& y) {
    auto const& rows    = a.graph.row_map;
    auto const& entries = a.graph.entries;
    handle.create_gs_handle(KokkosSparse::GS_DEFAULT,
                            KokkosGraph::COLORING_SERIAL);
    call.gauss_seidel_symbolic(&handle, n, n, rows, entries, true);
    call.gauss_seidel_numeric(&handle, n, n, rows, entries, a.values, true);
    call.symmetric_gauss_seidel_apply(&handle, n, n, rows, entries, a.values, x,
                                      y, true, true, 0.9, 2);
    handle.destroy_gs_handle();
  };
  Handle<Host> host_handle;
  auto const host_y = make_vector<Host>(n, 1);
  Vector<double, Host> const expected("expected", n);
  auto const path = path_of(
      [&] { solve(Plain{}, host_handle, this->host_a, expected, host_y); });

  Handle<typename TestFixture::second> handle;
  auto const y = make_vector<typename TestFixture::third>(n, 1);
  Vector<double, typename TestFixture::second> const x("x", n);
  EXPECT_EQ(path_of([&] { solve(Doors{}, handle, this->a, x, y); }), path);
  EXPECT_EQ(contents(x), contents(expected));
  EXPECT_NE(x(0), 0);
}

// Incomplete factors of a matrix, and a solution with them.
template <class Call, class Space, class VectorSpace>
auto solve_by_factors(Call call, Crs<Space> const& a,
                      Vector<double, VectorSpace> const& b) {
  Handle<Space> handle;
  auto const room = std::size_t{4} * a.nnz();
  handle.create_spiluk_handle(
      KokkosSparse::Experimental::SPILUKAlgorithm::SEQLVLSCHD_TP1, n, room,
      room);
  Vector<std::size_t, Space> lower_rows("lower rows", n + 1);
  Vector<std::size_t, Space> upper_rows("upper rows", n + 1);
  Vector<int, Space> lower_entries("lower", room);
  Vector<int, Space> upper_entries("upper", room);
  auto rows    = a.graph.row_map;
  auto entries = a.graph.entries;
  call.spiluk_symbolic(&handle, 2, rows, entries, lower_rows, lower_entries,
                       upper_rows, upper_entries);
  auto const lower_room = handle.get_spiluk_handle()->get_nnzL();
  auto const upper_room = handle.get_spiluk_handle()->get_nnzU();
  Kokkos::resize(lower_entries, lower_room);
  Kokkos::resize(upper_entries, upper_room);
  Vector<double, Space> lower_values("values", lower_room);
  Vector<double, Space> upper_values("values", upper_room);
  auto values = a.values;
  call.spiluk_numeric(&handle, 2, rows, entries, values, lower_rows,
                      lower_entries, lower_values, upper_rows, upper_entries,
                      upper_values);

  using KokkosSparse::Experimental::SPTRSVAlgorithm;
  Vector<double, VectorSpace> const between("between", n);
  Vector<double, VectorSpace> const x("x", n);
  Handle<Space> lower;
  lower.create_sptrsv_handle(SPTRSVAlgorithm::SEQLVLSCHD_TP1, n, true);
  call.sptrsv_symbolic(&lower, lower_rows, lower_entries, lower_values);
  call.sptrsv_solve(&lower, lower_rows, lower_entries, lower_values, b,
                    between);
  Handle<Space> upper;
  upper.create_sptrsv_handle(SPTRSVAlgorithm::SEQLVLSCHD_TP1, n, false);
  call.sptrsv_symbolic(&upper, upper_rows, upper_entries, upper_values);
  call.sptrsv_solve(&upper, upper_rows, upper_entries, upper_values, between,
                    x);
  return x;
}

TYPED_TEST(sparse_front_doors, spiluk_and_sptrsv_are_those_of_host_space) {
  std::vector<double> expected;
  auto const host_b = make_vector<Host>(n, 1);
  auto const path   = path_of([&] {
    expected = contents(solve_by_factors(Plain{}, this->host_a, host_b));
  });
  std::vector<double> x;
  auto const b = make_vector<typename TestFixture::third>(n, 1);
  EXPECT_EQ(
      path_of([&] { x = contents(solve_by_factors(Doors{}, this->a, b)); }),
      path);
  EXPECT_EQ(x, expected);
}

TYPED_TEST(sparse_front_doors, gmres_is_that_of_host_space) {
  auto const solve = [](auto call, auto& handle, auto& a, auto const& b,
                        auto const& x) {
    handle.create_gmres_handle(20, 1e-10, 10);
    call.gmres(&handle, a, b, x);
  };
  Handle<Host> host_handle;
  auto const host_b = make_vector<Host>(n, 1);
  Vector<double, Host> const expected("expected", n);
  auto const path = path_of(
      [&] { solve(Plain{}, host_handle, this->host_a, host_b, expected); });

  Handle<typename TestFixture::third> handle;
  auto const b = make_vector<typename TestFixture::second>(n, 1);
  Vector<double, typename TestFixture::third> const x("x", n);
  EXPECT_EQ(path_of([&] { solve(Doors{}, handle, this->a, b, x); }), path);
  EXPECT_EQ(contents(x), contents(expected));
  EXPECT_EQ(handle.get_gmres_handle()->get_num_iters(),
            host_handle.get_gmres_handle()->get_num_iters());
}

/// A diagonal that varies, so that its inverse changes the solver's way.
template <class Space>
Crs<Space> make_uneven() {
  auto const a = make_laplacian<Space>(side);
  for (int row = 0; row < n; ++row) {
    for (auto i = a.graph.row_map(row); i < a.graph.row_map(row + 1); ++i) {
      if (a.graph.entries(i) == row) a.values(i) += row % 7;
    }
  }
  return a;
}
template <class Space>
Crs<Space> make_inverse_diagonal() {
  Vector<std::size_t, Space> const rows("rows", n + 1);
  Vector<int, Space> const entries("entries", n);
  Vector<double, Space> const values("values", n);
  for (int i = 0; i < n; ++i) {
    rows(i + 1) = static_cast<std::size_t>(i) + 1;
    entries(i)  = i;
    values(i)   = 1. / (4 + i % 7);
  }
  return Crs<Space>("D", n, n, n, values, rows, entries);
}

/// Counts how often it is asked.
template <class Matrix>
struct CountingPreconditioner : KokkosSparse::Experimental::MatrixPrec<Matrix> {
  using base = KokkosSparse::Experimental::MatrixPrec<Matrix>;
  using base::base;
  void apply(Kokkos::View<double const*, typename Matrix::device_type> const& x,
             Kokkos::View<double*, typename Matrix::device_type> const& y,
             char const mode[], double alpha, double beta) const override {
    ++calls;
    base::apply(x, y, mode, alpha, beta);
  }
  mutable int calls = 0;
};

template <class Space, class Call, class B>
auto solve_with_preconditioner(Call call, B const& b) {
  auto a        = make_uneven<Space>();
  auto diagonal = make_inverse_diagonal<Space>();
  CountingPreconditioner<Crs<Space>> preconditioner(diagonal);
  Handle<Space> handle;
  handle.create_gmres_handle(20, 1e-10, 10);
  Vector<double, typename B::memory_space> const x("x", n);
  call.gmres(&handle, a, b, x, &preconditioner);
  return std::tuple(contents(x), handle.get_gmres_handle()->get_num_iters(),
                    preconditioner.calls);
}

TYPED_TEST(sparse_front_doors, gmres_with_a_preconditioner_is_that_of_host) {
  auto const host_b   = make_vector<Host>(n, 1);
  auto const expected = solve_with_preconditioner<Host>(Plain{}, host_b);
  ASSERT_GT(std::get<2>(expected), 0);
  auto const b = make_vector<typename TestFixture::second>(n, 1);
  auto const found =
      solve_with_preconditioner<typename TestFixture::first>(Doors{}, b);
  EXPECT_EQ(found, expected);

  // Without it the way is another.
  auto a = make_uneven<Host>();
  Handle<Host> handle;
  handle.create_gmres_handle(20, 1e-10, 10);
  Vector<double, Host> const x("x", n);
  sparse::gmres(&handle, a, host_b, x, nullptr);
  EXPECT_NE(contents(x), std::get<0>(expected));
}

TYPED_TEST(sparse_front_doors, sweeps_of_gauss_seidel_take_an_instance) {
  auto const sweep = [](auto call, auto& handle, auto const& a, auto const& x,
                        auto const& y) {
    auto const& rows    = a.graph.row_map;
    auto const& entries = a.graph.entries;
    handle.create_gs_handle(KokkosSparse::GS_DEFAULT,
                            KokkosGraph::COLORING_SERIAL);
    call.gauss_seidel_symbolic(Exec{}, &handle, n, n, rows, entries, true);
    call.gauss_seidel_numeric(Exec{}, &handle, n, n, rows, entries, a.values,
                              true);
    call.forward_sweep_gauss_seidel_apply(Exec{}, &handle, n, n, rows, entries,
                                          a.values, x, y, true, true, 0.9, 1);
    call.backward_sweep_gauss_seidel_apply(Exec{}, &handle, n, n, rows, entries,
                                           a.values, x, y, false, true, 0.9, 1);
    handle.destroy_gs_handle();
  };
  Handle<Host> host_handle;
  Vector<double, Host> const expected("expected", n);
  sweep(Plain{}, host_handle, this->host_a, expected, make_vector<Host>(n, 1));
  Handle<typename TestFixture::third> handle;
  Vector<double, typename TestFixture::second> const x("x", n);
  sweep(Doors{}, handle, this->a, x,
        make_vector<typename TestFixture::third>(n, 1));
  EXPECT_EQ(contents(x), contents(expected));
  EXPECT_NE(x(0), 0);
}

TYPED_TEST(sparse_front_doors, spmv_takes_blocks_transposes_and_columns) {
  auto const x      = make_vector<typename TestFixture::second>(n, 1);
  auto const y      = make_vector<typename TestFixture::third>(n, 2);
  auto const host_x = make_vector<Host>(n, 1);
  auto const host_y = make_vector<Host>(n, 2);
  KokkosSparse::spmv(Exec{}, "N", 2., Bsr<Host>(this->host_a, 3), host_x, 1.,
                     host_y);
  sparse::spmv(Exec{}, "N", 2., Bsr<typename TestFixture::first>(this->a, 3), x,
               1., y);
  EXPECT_EQ(contents(y), contents(host_y));

  // By atomic additions, whose order isn't always the same.
  KokkosSparse::spmv("T", 2., this->host_a, host_x, 1., host_y);
  sparse::spmv("T", 2., this->a, x, 1., y);
  for (int i = 0; i < n; ++i) EXPECT_NEAR(y(i), host_y(i), 1e-12) << i;

  auto const columns      = make_matrix<typename TestFixture::second>(n, 3, 4);
  auto const result       = make_matrix<typename TestFixture::third>(n, 3, 5);
  auto const host_columns = make_matrix<Host>(n, 3, 4);
  auto const host_result  = make_matrix<Host>(n, 3, 5);
  KokkosSparse::spmv("N", 2., this->host_a, host_columns, 1., host_result);
  sparse::spmv("N", 2., this->a, columns, 1., result);
  EXPECT_EQ(contents(result), contents(host_result));
}

TEST(sparse_front_door, product_is_in_the_arena) {
  KokkosArena::Arena<Host> arena;
  KokkosArena::ArenaScope const scope(arena);
  auto const a      = make_laplacian<Scoped>(side);
  auto const before = arena.statistics();
  auto const c      = sparse::spgemm<Crs<Scoped>>(a, false, a, false);
  EXPECT_EQ(arena.statistics().live_allocations, before.live_allocations + 3);
}

TEST(sparse_front_door, reports_a_matrix_that_its_arena_has_dropped) {
  KokkosArena::Arena<Host> arena;
  Crs<Checked> a;
  {
    KokkosArena::ArenaScope const scope(arena);
    a = make_laplacian<Checked>(side);
  }
  arena.reset();
  auto const x = make_vector<Host>(n, 1);
  EXPECT_THROW(sparse::spmv("N", 1., a, x, 0., x),
               KokkosArena::InvalidViewAccess);
}

}  // namespace

}  // namespace KokkosArenaTest
