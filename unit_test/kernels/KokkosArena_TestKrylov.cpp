// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Before all others: it compiles alone.
#include <KokkosArena_Krylov.hpp>

#include <gtest/gtest.h>
#include <KokkosArena.hpp>
#include <KokkosArena_FrontDoors.hpp>
#include <KokkosArena_SparseMatrix.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include "KokkosArena_TestWorkloads.hpp"

namespace {

using namespace KokkosArena::workloads;
using Matrix  = crs_matrix_t<Kokkos::HostSpace>;
using Vector  = Kokkos::View<double*, Kokkos::HostSpace>;
using Vectors = Kokkos::View<double**, Kokkos::LayoutLeft, Kokkos::HostSpace>;

/// b - A x in plain loops, and its norm relative to b.
template <class B, class X>
double residual_norm(CoordinateMatrix const& a, B const& b, X const& x) {
  std::vector<double> r(b.extent(0));
  double norm_of_b = 0, norm_of_r = 0;
  for (std::size_t i = 0; i < r.size(); ++i) {
    r[i] = b(i);
    norm_of_b += b(i) * b(i);
  }
  for (auto const& e : a.entries) {
    r[static_cast<std::size_t>(e.row)] -= e.value * x(e.column);
  }
  for (double const value : r) norm_of_r += value * value;
  return std::sqrt(norm_of_r / norm_of_b);
}

/// The Laplacian with a wind along one axis: not symmetric, but its graph is.
CoordinateMatrix with_wind(int n) {
  auto result = poisson_3d(n);
  for (auto& e : result.entries) {
    if (e.column == e.row + 1) e.value = -0.2;
    if (e.column == e.row - 1) e.value = -1.8;
  }
  return result;
}

/// The columns differ: as wide waves as fit in, and all others.
Vectors right_hand_sides(int rows, int columns) {
  Vectors const b("b", rows, columns);
  for (int j = 0; j < columns; ++j) {
    for (int i = 0; i < rows; ++i) b(i, j) = std::sin(0.01 * (j + 1) * (i + 1));
  }
  return b;
}

TEST(krylov, gauss_seidel_is_a_symmetric_sweep_of_plain_loops) {
  // Without colours: those of a chain are its even rows, then its odd ones.
  CoordinateMatrix chain{8, 8, {}};
  for (int i = 0; i < 8; ++i) {
    chain.entries.push_back({i, i, 4.0 + i});
    if (i > 0) chain.entries.push_back({i, i - 1, -1});
    if (i < 7) chain.entries.push_back({i, i + 1, -2});
  }
  GaussSeidel<Matrix> const sweep(crs_matrix(chain));
  Vector const r("r", 8), z("z", 8);
  for (int i = 0; i < 8; ++i) r(i) = 1 + i % 3;
  sweep(r, z);

  std::vector<double> expected(8);
  auto const relax = [&](int i) {
    double sum = r(i);
    if (i > 0) sum += expected[static_cast<std::size_t>(i - 1)];
    if (i < 7) sum += 2 * expected[static_cast<std::size_t>(i + 1)];
    expected[static_cast<std::size_t>(i)] = sum / (4.0 + i);
  };
  for (int const first : {0, 1, 1, 0}) {
    for (int i = first; i < 8; i += 2) relax(i);
  }
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(z(i), expected[i], 1e-14) << i;
  }
}

TEST(krylov, conjugate_gradient_solves_each_column) {
  auto const coordinates = poisson_3d(12);
  auto const a           = crs_matrix(coordinates);
  GaussSeidel<Matrix> const preconditioner(a);
  auto const b = right_hand_sides(a.numRows(), 5);
  Vectors const x("x", a.numRows(), 5);
  auto const results =
      solve_columns(b, x, [&](auto const& column, auto const& solution) {
        return conjugate_gradient(a, column, solution, preconditioner);
      });
  ASSERT_EQ(results.size(), 5u);
  for (std::size_t j = 0; j < 5; ++j) {
    EXPECT_TRUE(results[j].has_converged) << j;
    EXPECT_GT(results[j].iterations, 3) << j;
    EXPECT_LT(results[j].iterations, 40) << j;
    EXPECT_LT(residual_norm(coordinates, Kokkos::subview(b, Kokkos::ALL, j),
                            Kokkos::subview(x, Kokkos::ALL, j)),
              1.1e-8)
        << j;
  }
}

TEST(krylov, gmres_solves_each_column_with_and_without_restarts) {
  auto const coordinates = with_wind(12);
  auto const a           = crs_matrix(coordinates);
  GaussSeidel<Matrix> const preconditioner(a);
  auto const b = right_hand_sides(a.numRows(), 3);
  for (int const restart : {5, 50}) {
    Vectors const x("x", a.numRows(), 3);
    SolveOptions options;
    options.restart = restart;
    auto const results =
        solve_columns(b, x, [&](auto const& column, auto const& solution) {
          return gmres(a, column, solution, preconditioner, options);
        });
    ASSERT_EQ(results.size(), 3u);
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_TRUE(results[j].has_converged) << j;
      EXPECT_GT(results[j].iterations, 5) << j;
      EXPECT_LT(results[j].iterations, 50) << j;
      EXPECT_LT(residual_norm(coordinates, Kokkos::subview(b, Kokkos::ALL, j),
                              Kokkos::subview(x, Kokkos::ALL, j)),
                1.1e-8)
          << j;
    }
  }
}

TEST(krylov, the_residual_norm_is_that_of_plain_loops) {
  auto const coordinates = with_wind(8);
  auto const a           = crs_matrix(coordinates);
  GaussSeidel<Matrix> const preconditioner(a);
  Vector const b("b", a.numRows()), x("x", a.numRows());
  Kokkos::deep_copy(b, 1);
  SolveOptions options;
  options.maximum_iterations = 7;
  options.restart            = 4;
  auto const result          = gmres(a, b, x, preconditioner, options);
  EXPECT_EQ(result.iterations, 7);
  EXPECT_FALSE(result.has_converged);
  EXPECT_NEAR(result.residual_norm,
              residual_norm(coordinates, b, x) * std::sqrt(b.size()), 1e-12);
}

TEST(krylov, a_solution_takes_no_iterations) {
  auto const a = crs_matrix(poisson_3d(5));
  GaussSeidel<Matrix> const preconditioner(a);
  Vector const b("b", a.numRows()), x("x", a.numRows());
  EXPECT_EQ(conjugate_gradient(a, b, x, preconditioner).iterations, 0);
  EXPECT_EQ(gmres(a, b, x, preconditioner).iterations, 0);
  Kokkos::deep_copy(b, 1);
  EXPECT_TRUE(conjugate_gradient(a, b, x, preconditioner).has_converged);
  EXPECT_EQ(
      conjugate_gradient(a, b, x, preconditioner, {1e-6, 9, 9}).iterations, 0);
  EXPECT_EQ(gmres(a, b, x, preconditioner, {1e-6, 9, 9}).iterations, 0);
}

TEST(krylov, results_are_the_same_bits_each_time) {
  auto const a = crs_matrix(poisson_3d(10));
  auto const b = right_hand_sides(a.numRows(), 1);
  std::vector<double> first;
  for (int run = 0; run < 3; ++run) {
    GaussSeidel<Matrix> const preconditioner(a);
    Vector const x("x", a.numRows());
    conjugate_gradient(a, Kokkos::subview(b, Kokkos::ALL, 0), x,
                       preconditioner);
    std::vector<double> const values(x.data(), x.data() + x.size());
    if (run == 0) first = values;
    EXPECT_EQ(values, first);
  }
}

/// The solutions by both methods, one after the other.
template <class Space, class Kernels>
std::vector<double> solve_by_both(Matrix const& matrix, Vectors const& b,
                                  Kernels const& kernels) {
  auto const a = KokkosArena::adapt<Space>(matrix);
  GaussSeidel<crs_matrix_t<Space>, Kernels> const preconditioner(a, true,
                                                                 kernels);
  using view_type = Kokkos::View<double**, Kokkos::LayoutLeft, Space>;
  view_type const columns(b);
  std::vector<double> result;
  auto const keep = [&](auto const& x) {
    result.insert(result.end(), x.data(), x.data() + x.size());
  };
  view_type const x("x", b.extent(0), b.extent(1));
  solve_columns(columns, x, [&](auto const& column, auto const& solution) {
    return conjugate_gradient(a, column, solution, preconditioner, {}, kernels);
  });
  keep(x);
  view_type const y("y", b.extent(0), b.extent(1));
  solve_columns(columns, y, [&](auto const& column, auto const& solution) {
    return gmres(a, column, solution, preconditioner, {}, kernels);
  });
  keep(y);
  return result;
}

using namespace KokkosArenaTest;

struct krylov_in_arenas : ::testing::Test {
  Matrix const matrix = crs_matrix(poisson_3d(8));
  Vectors const b     = right_hand_sides(matrix.numRows(), 2);
  std::vector<double> const expected =
      solve_by_both<Host>(matrix, b, DirectKernels{});
};

TEST_F(krylov_in_arenas, scoped_vectors_give_the_same_bits) {
  expect_steady_cycles<KokkosArena::ArenaScope>(expected, [&] {
    return solve_by_both<Scoped>(matrix, b, KokkosArena::FrontDoors{});
  });
}

TEST_F(krylov_in_arenas, checked_vectors_give_the_same_bits) {
  expect_steady_cycles<KokkosArena::ArenaScope>(expected, [&] {
    return solve_by_both<Checked>(matrix, b, KokkosArena::FrontDoors{});
  });
}

TEST_F(krylov_in_arenas, adopted_vectors_give_the_same_bits) {
  auto const pass = [&] {
    return solve_by_both<Host>(matrix, b, DirectKernels{});
  };
  expect_steady_cycles<KokkosArena::HostSpaceAdoption>(expected, pass);
  expect_all_is_adopted(pass);
}

}  // namespace
