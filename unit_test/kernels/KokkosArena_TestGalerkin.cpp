// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Before all others: it compiles alone.
#include <KokkosArena_Galerkin.hpp>

#include <gtest/gtest.h>
#include <KokkosArena.hpp>
#include <KokkosArena_FrontDoors.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "KokkosArena_TestWorkloads.hpp"

namespace {

using namespace KokkosArena::workloads;
using Matrix = crs_matrix_t<Kokkos::HostSpace>;
using Vector = Kokkos::View<double*, Kokkos::HostSpace>;

/// By row and column, where entries that are zero are as good as none.
using Entries = std::map<std::pair<int, int>, double>;

Entries entries_of(Matrix const& matrix) {
  Entries result;
  for (int row = 0; row < matrix.numRows(); ++row) {
    for (auto i = matrix.graph.row_map(row); i < matrix.graph.row_map(row + 1);
         ++i) {
      result[{row, matrix.graph.entries(i)}] += matrix.values(i);
    }
  }
  return result;
}

Entries product(Entries const& a, Entries const& b) {
  std::map<int, std::vector<std::pair<int, double>>> rows_of_b;
  for (auto const& [at, value] : b) {
    rows_of_b[at.first].emplace_back(at.second, value);
  }
  Entries result;
  for (auto const& [at, value] : a) {
    for (auto const& [column, factor] : rows_of_b[at.second]) {
      result[{at.first, column}] += value * factor;
    }
  }
  return result;
}

void expect_equal(Entries const& found, Entries const& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (auto const& [at, value] : expected) {
    auto const entry = found.find(at);
    ASSERT_NE(entry, found.end()) << at.first << ' ' << at.second;
    EXPECT_NEAR(entry->second, value, 1e-12) << at.first << ' ' << at.second;
  }
}

/// Neither symmetric nor of any structure.
Matrix scattered(int rows, int columns, int per_row) {
  CoordinateMatrix result{rows, columns, {}};
  unsigned state = 1;
  for (int row = 0; row < rows; ++row) {
    for (int i = 0; i < per_row; ++i) {
      state = state * 1664525u + 1013904223u;
      result.entries.push_back(
          {row, static_cast<int>((state >> 8) % static_cast<unsigned>(columns)),
           static_cast<double>(state >> 24) / 16 + 1});
    }
  }
  return crs_matrix(result);
}

TEST(coordinate_matrix, becomes_rows_in_order_with_sums) {
  auto const matrix = crs_matrix(
      {3, 4, {{2, 3, 1}, {0, 1, 2}, {0, 0, 3}, {2, 3, 4}, {0, 1, -2}}});
  EXPECT_EQ(matrix.numRows(), 3);
  EXPECT_EQ(matrix.numCols(), 4);
  ASSERT_EQ(matrix.nnz(), 3u);
  std::size_t const row_map[] = {0, 2, 2, 3};
  int const columns[]         = {0, 1, 3};
  double const values[]       = {3, 0, 5};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(matrix.graph.row_map(i), row_map[i]) << i;
  }
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(matrix.graph.entries(i), columns[i]) << i;
    EXPECT_EQ(matrix.values(i), values[i]) << i;
  }
}

TEST(coordinate_matrix, without_entries_becomes_rows) {
  EXPECT_EQ(crs_matrix({3, 4, {}}).nnz(), 0u);
  EXPECT_EQ(crs_matrix({0, 0, {}}).numRows(), 0);
}

TEST(poisson, matrix_is_the_seven_point_stencil) {
  int const n      = 4;
  auto const found = entries_of(crs_matrix(poisson_3d(n)));
  Entries expected;
  auto const number = [](int x, int y, int z) { return (z * n + y) * n + x; };
  for (int i = 0; i < n * n * n; ++i) {
    int const x = i % n, y = i / n % n, z = i / n / n;
    expected[{i, i}] = 6;
    for (int const d : {-1, 1}) {
      if (x + d >= 0 && x + d < n) expected[{i, number(x + d, y, z)}] = -1;
      if (y + d >= 0 && y + d < n) expected[{i, number(x, y + d, z)}] = -1;
      if (z + d >= 0 && z + d < n) expected[{i, number(x, y, z + d)}] = -1;
    }
  }
  EXPECT_EQ(found, expected);
}

TEST(galerkin, triple_product_is_that_of_plain_loops) {
  auto const r = scattered(20, 70, 5);
  auto const a = scattered(70, 90, 7);
  auto const p = scattered(90, 30, 4);
  expect_equal(entries_of(triple_product(r, a, p)),
               product(product(entries_of(r), entries_of(a)), entries_of(p)));
}

TEST(galerkin, restriction_is_the_transpose_of_a_partition) {
  auto const a      = crs_matrix(poisson_3d(9));
  auto const [p, r] = transfer(a);
  EXPECT_EQ(p.numRows(), a.numRows());
  EXPECT_LT(p.numCols(), a.numRows() / 4);
  EXPECT_GT(p.numCols(), 10);
  Entries transposed;
  std::vector<int> members(static_cast<std::size_t>(p.numCols()));
  for (auto const& [at, value] : entries_of(p)) {
    EXPECT_EQ(value, 1);
    transposed[{at.second, at.first}] = value;
    ++members[static_cast<std::size_t>(at.second)];
  }
  EXPECT_EQ(transposed.size(), static_cast<std::size_t>(a.numRows()));
  EXPECT_EQ(entries_of(r), transposed);
  EXPECT_EQ(std::count(members.begin(), members.end(), 0), 0);
}

TEST(galerkin, each_level_of_a_v_cycle_is_the_triple_product) {
  auto const levels = v_cycle_setup(crs_matrix(poisson_3d(12)), 20);
  ASSERT_GE(levels.size(), 3u);
  EXPECT_LE(levels.back().a.numRows(), 20);
  for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
    auto const& level = levels[i];
    expect_equal(entries_of(levels[i + 1].a),
                 product(product(entries_of(level.r), entries_of(level.a)),
                         entries_of(level.p)));
  }
}

/// Of b - A x.
double residual_norm(Matrix const& a, Vector const& b, Vector const& x) {
  std::vector<double> r(b.data(), b.data() + b.size());
  for (auto const& [at, value] : entries_of(a)) {
    r[static_cast<std::size_t>(at.first)] -= value * x(at.second);
  }
  double sum = 0;
  for (double const value : r) sum += value * value;
  return std::sqrt(sum);
}

TEST(galerkin, v_cycles_converge) {
  auto const a      = crs_matrix(poisson_3d(16));
  auto const levels = v_cycle_setup(a);
  EXPECT_GE(levels.size(), 3u);
  Vector const b("b", a.numRows()), x("x", a.numRows());
  Kokkos::deep_copy(b, 1);
  auto const first = residual_norm(a, b, x);
  for (int i = 0; i < 20; ++i) v_cycle(levels, b, x);
  EXPECT_LT(residual_norm(a, b, x), 1e-3 * first);
}

TEST(galerkin, a_matrix_that_is_diagonal_or_empty_has_one_level) {
  CoordinateMatrix diagonal{100, 100, {}};
  for (int i = 0; i < 100; ++i) diagonal.entries.push_back({i, i, 2});
  EXPECT_EQ(v_cycle_setup(crs_matrix(diagonal)).size(), 1u);
  EXPECT_EQ(v_cycle_setup(crs_matrix({0, 0, {}})).size(), 1u);
}

/// The matrices of a V-cycle and what three cycles make of x = 0.
template <class Space, class Kernels>
std::vector<double> set_up_and_solve(Matrix const& matrix,
                                     Kernels const& kernels) {
  auto const a      = KokkosArena::adapt<Space>(matrix);
  auto const levels = v_cycle_setup(a, 50, kernels);
  Kokkos::View<double*, Space> const b("b", a.numRows()), x("x", a.numRows());
  Kokkos::deep_copy(b, 1);
  for (int cycle = 0; cycle < 3; ++cycle) v_cycle(levels, b, x, kernels);
  std::vector<double> result(x.data(), x.data() + x.size());
  for (auto const& level : levels) {
    auto const& values = level.a.values;
    result.insert(result.end(), values.data(), values.data() + values.size());
  }
  return result;
}

using namespace KokkosArenaTest;

struct galerkin_in_arenas : ::testing::Test {
  Matrix const matrix = crs_matrix(poisson_3d(14));
  std::vector<double> const expected =
      set_up_and_solve<Host>(matrix, DirectSparse{});
};

TEST_F(galerkin_in_arenas, scoped_matrices_give_the_same_bits) {
  expect_steady_cycles<KokkosArena::ArenaScope>(expected, [&] {
    return set_up_and_solve<Scoped>(matrix, KokkosArena::FrontDoors{});
  });
}

TEST_F(galerkin_in_arenas, checked_matrices_give_the_same_bits) {
  expect_steady_cycles<KokkosArena::ArenaScope>(expected, [&] {
    return set_up_and_solve<Checked>(matrix, KokkosArena::FrontDoors{});
  });
}

TEST_F(galerkin_in_arenas, adopted_matrices_give_the_same_bits) {
  auto const pass = [&] {
    return set_up_and_solve<Host>(matrix, DirectSparse{});
  };
  expect_steady_cycles<KokkosArena::HostSpaceAdoption>(expected, pass);
  expect_all_is_adopted(pass);
}

}  // namespace
