// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTKERNELS_HPP
#define KOKKOSARENA_TESTKERNELS_HPP

#include <gtest/gtest.h>
#include <KokkosArena.hpp>
#include <KokkosSparse_BsrMatrix.hpp>
#include <KokkosSparse_CrsMatrix.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace KokkosArenaTest {

using Host    = Kokkos::HostSpace;
using Scoped  = KokkosArena::ScopedSpace<Host>;
using Checked = KokkosArena::CheckedSpace<Host>;
using Exec    = Kokkos::DefaultHostExecutionSpace;

/// The spaces of the first, second and third operand of a call.
template <class First, class Second, class Third>
struct Mix {
  using first  = First;
  using second = Second;
  using third  = Third;
};
using Mixes =
    ::testing::Types<Mix<Host, Host, Host>, Mix<Scoped, Scoped, Scoped>,
                     Mix<Checked, Checked, Checked>, Mix<Host, Scoped, Checked>,
                     Mix<Scoped, Host, Host>, Mix<Checked, Checked, Host>>;

/// A test of operands in these spaces, whose arena is in scope.
template <class MixType>
struct OperandsIn : ::testing::Test {
  using first  = typename MixType::first;
  using second = typename MixType::second;
  using third  = typename MixType::third;

  KokkosArena::Arena<Host> arena;
  KokkosArena::ArenaScope scope{arena};
};

/// The path that a call takes, as Kokkos Kernels tells it to a tool by its
/// regions, and the names of the kernels that it starts, which say the types
/// that they are instantiated for unless they have a label.
template <class F>
std::vector<std::string> path_of(F const& f) {
  namespace Experimental = Kokkos::Tools::Experimental;
  static std::vector<std::string> path;
  path.clear();
  auto const outer      = Experimental::get_callbacks();
  auto const add_kernel = [](char const* name, std::uint32_t, std::uint64_t*) {
    // How a View is filled depends on its space.
    if (std::string_view(name).starts_with("Kokkos::View::init")) return;
    path.emplace_back(name);
  };
  Experimental::set_push_region_callback(
      [](char const* name) { path.emplace_back(name); });
  Experimental::set_begin_parallel_for_callback(add_kernel);
  Experimental::set_begin_parallel_reduce_callback(add_kernel);
  Experimental::set_begin_parallel_scan_callback(add_kernel);
  f();
  Experimental::set_callbacks(outer);
  return path;
}

inline bool any_has(std::vector<std::string> const& path,
                    std::string const& text) {
  for (auto const& step : path) {
    if (step.find(text) != step.npos) return true;
  }
  return false;
}

/// Numbers without a pattern, the same each time: of the seed's sequence, in
/// (0.5, 1.5].
inline double number(std::size_t i, std::size_t seed) {
  auto const mixed = (i + 1) * 2654435761u + seed * 40503u;
  return 0.5 + static_cast<double>(mixed % 10007 + 1) / 10007.;
}

template <class T, class Space>
using Vector = Kokkos::View<T*, Kokkos::Device<Exec, Space>>;
template <class T, class Space>
using Matrix =
    Kokkos::View<T**, Kokkos::LayoutLeft, Kokkos::Device<Exec, Space>>;

template <class Space>
auto make_vector(std::size_t n, std::size_t seed) {
  Vector<double, Space> const result("vector", n);
  for (std::size_t i = 0; i < n; ++i) result(i) = number(i, seed);
  return result;
}
template <class Space>
auto make_matrix(std::size_t rows, std::size_t columns, std::size_t seed) {
  Matrix<double, Space> const result("matrix", rows, columns);
  for (std::size_t j = 0; j < columns; ++j) {
    for (std::size_t i = 0; i < rows; ++i) {
      result(i, j) = number(i + j * rows, seed);
    }
  }
  return result;
}

template <class ViewType>
auto contents(ViewType const& view) {
  using value_type = typename ViewType::non_const_value_type;
  return std::vector<value_type>(view.data(), view.data() + view.span());
}

template <class Space>
using Crs = KokkosSparse::CrsMatrix<double, int, Kokkos::Device<Exec, Space>,
                                    void, std::size_t>;
template <class Space>
using Bsr = KokkosSparse::Experimental::BsrMatrix<
    double, int, Kokkos::Device<Exec, Space>, void, std::size_t>;

/// The five-point Laplacian of a square grid, with the diagonal given.
template <class Space>
Crs<Space> make_laplacian(int side, double diagonal = 4) {
  auto const n = side * side;
  std::vector<std::size_t> rows{0};
  std::vector<int> columns;
  std::vector<double> values;
  for (int row = 0; row < n; ++row) {
    auto const add = [&](bool exists, int column, double value) {
      if (!exists) return;
      columns.push_back(column);
      values.push_back(value);
    };
    auto const x = row % side;
    add(row >= side, row - side, -1);
    add(x > 0, row - 1, -1);
    add(true, row, diagonal);
    add(x < side - 1, row + 1, -1);
    add(row < n - side, row + side, -1);
    rows.push_back(columns.size());
  }
  Vector<std::size_t, Space> const row_map("row map", rows.size());
  Vector<int, Space> const entries("entries", columns.size());
  Vector<double, Space> const entry_values("values", values.size());
  for (std::size_t i = 0; i < rows.size(); ++i) row_map(i) = rows[i];
  for (std::size_t i = 0; i < columns.size(); ++i) {
    entries(i)      = columns[i];
    entry_values(i) = values[i];
  }
  return Crs<Space>("A", n, n, columns.size(), entry_values, row_map, entries);
}

/// Bit for bit.
template <class Left, class Right>
void expect_same_matrix(Left const& left, Right const& right) {
  EXPECT_EQ(left.numRows(), right.numRows());
  EXPECT_EQ(left.numCols(), right.numCols());
  EXPECT_EQ(contents(left.graph.row_map), contents(right.graph.row_map));
  EXPECT_EQ(contents(left.graph.entries), contents(right.graph.entries));
  EXPECT_EQ(contents(left.values), contents(right.values));
}

}  // namespace KokkosArenaTest

#endif
