// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gtest/gtest.h>
#include <KokkosArena.hpp>
#include <KokkosArena_KernelsHandle.hpp>
#include <KokkosArena_SparseContainers.hpp>
#include <KokkosSparse_spadd.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "KokkosArena_TestKernels.hpp"

namespace KokkosArenaTest {

namespace {

using KokkosArena::checked;
using KokkosArena::scoped;
using KokkosArena::unscoped;

template <class T, class U>
void expect_same_data(T const& left, U const& right) {
  EXPECT_EQ(left.graph.row_map.data(), right.graph.row_map.data());
  EXPECT_EQ(left.graph.entries.data(), right.graph.entries.data());
  EXPECT_EQ(left.values.data(), right.values.data());
  EXPECT_EQ(left.numCols(), right.numCols());
  EXPECT_EQ(left.numRows(), right.numRows());
}

struct sparse_containers : ::testing::Test {
  KokkosArena::Arena<Host> arena;
  KokkosArena::ArenaScope scope{arena};
};

TEST_F(sparse_containers, unscoped_crs_matrix_is_the_same_in_the_base_space) {
  auto const a = make_laplacian<Scoped>(3);
  auto const b = unscoped(a);
  static_assert(std::is_same_v<decltype(b), Crs<Host> const>);
  expect_same_data(a, b);
  EXPECT_EQ(a.values.use_count(), b.values.use_count());
  EXPECT_EQ(b.values.use_count(), 2);
}

TEST_F(sparse_containers, unscoped_is_idempotent) {
  auto const a = make_laplacian<Host>(3);
  static_assert(std::is_same_v<decltype(unscoped(a)), Crs<Host>>);
  expect_same_data(a, unscoped(a));
  auto const b = make_laplacian<Checked>(3);
  static_assert(std::is_same_v<decltype(unscoped(unscoped(b))), Crs<Host>>);
}

TEST_F(sparse_containers, scoped_crs_matrix_shares_its_data) {
  auto const a = make_laplacian<Host>(3);
  auto const b = scoped(a);
  static_assert(std::is_same_v<decltype(b), Crs<Scoped> const>);
  static_assert(std::is_same_v<decltype(scoped(b)), Crs<Scoped>>);
  expect_same_data(a, b);
}

TEST_F(sparse_containers, checked_crs_matrix_shares_its_data) {
  auto const a = make_laplacian<Host>(3);
  auto const b = checked(a);
  static_assert(std::is_same_v<decltype(b), Crs<Checked> const>);
  expect_same_data(a, b);
}

TEST_F(sparse_containers, checked_refuses_unchecked_memory_of_an_arena) {
  EXPECT_THROW(checked(make_laplacian<Scoped>(3)), std::invalid_argument);
  EXPECT_THROW(checked(make_laplacian<Scoped>(3).graph), std::invalid_argument);
}

TEST_F(sparse_containers, unscoped_bsr_matrix_is_the_same_in_the_base_space) {
  auto const crs = make_laplacian<Scoped>(3);
  Bsr<Scoped> const a(crs, 3);
  auto const b = unscoped(a);
  static_assert(std::is_same_v<decltype(b), Bsr<Host> const>);
  expect_same_data(a, b);
  EXPECT_EQ(b.blockDim(), 3);
}

TEST_F(sparse_containers, unscoped_graph_is_the_same_in_the_base_space) {
  auto graph = make_laplacian<Scoped>(3).graph;
  graph.create_block_partitioning(2);
  auto const b = unscoped(graph);
  using type   = std::remove_cvref_t<decltype(b)>;
  static_assert(std::is_same_v<typename type::device_type::memory_space, Host>);
  EXPECT_EQ(b.entries.data(), graph.entries.data());
  EXPECT_EQ(b.row_map.data(), graph.row_map.data());
  EXPECT_EQ(b.row_block_offsets.data(), graph.row_block_offsets.data());
  EXPECT_EQ(b.numRows(), 9u);
}

TEST_F(sparse_containers, const_values_stay_const) {
  using matrix_type = KokkosSparse::CrsMatrix<double const, int const,
                                              Kokkos::Device<Exec, Scoped>,
                                              void, std::size_t const>;
  matrix_type const a(make_laplacian<Scoped>(3));
  auto const b = unscoped(a);
  using value  = std::remove_reference_t<decltype(b.values(0))>;
  static_assert(std::is_same_v<value, double const>);
  EXPECT_EQ(a.values.data(), b.values.data());
}

TEST_F(sparse_containers, unscoped_tuple_holds_each_element_unscoped) {
  auto const a = make_laplacian<Scoped>(3);
  auto const x = make_vector<Checked>(9, 1);
  int count    = 4;
  std::tuple<Crs<Scoped>, Vector<double, Checked>, int&, double> const all(
      a, x, count, 2.5);
  auto const result = unscoped(all);
  static_assert(
      std::is_same_v<
          decltype(result),
          std::tuple<Crs<Host>, decltype(unscoped(x)), int&, double> const>);
  expect_same_data(std::get<0>(result), a);
  EXPECT_EQ(std::get<1>(result).data(), x.data());
  EXPECT_EQ(&std::get<2>(result), &count);
  EXPECT_EQ(std::get<3>(result), 2.5);
}

TEST_F(sparse_containers, unscoped_tuples_nest) {
  auto const a      = make_laplacian<Scoped>(3);
  auto const result = unscoped(std::make_tuple(std::make_tuple(a), a.graph));
  expect_same_data(std::get<0>(std::get<0>(result)), a);
  EXPECT_EQ(std::get<1>(result).entries.data(), a.graph.entries.data());
}

TEST_F(sparse_containers, adapt_takes_what_holds_matrices) {
  std::vector<Crs<Host>> const levels{make_laplacian<Host>(3),
                                      make_laplacian<Host>(2)};
  auto const result = KokkosArena::adapt<Scoped>(levels);
  static_assert(
      std::is_same_v<decltype(result), std::vector<Crs<Scoped>> const>);
  expect_same_data(result[1], levels[1]);
}

/// As a program spells it.
template <class Space>
struct Model {
  std::vector<KokkosSparse::StaticCrsGraph<
      int, Kokkos::LayoutRight, Kokkos::Device<Exec, Space>, void, int>>
      graphs;
  Crs<Space> matrix;
};

TEST_F(sparse_containers, adapt_takes_aggregates_of_matrices_and_graphs) {
  Model<Host> model;
  model.matrix = make_laplacian<Host>(3);
  model.graphs.resize(2);
  model.graphs[1].entries = Kokkos::View<int*, Host>("entries", 4);
  auto const result       = KokkosArena::adapt<Scoped>(model);
  static_assert(std::is_same_v<decltype(result), Model<Scoped> const>);
  expect_same_data(result.matrix, model.matrix);
  EXPECT_EQ(result.graphs[1].entries.data(), model.graphs[1].entries.data());
}

template <class Temporary, class Persistent>
using Handle = KokkosKernels::Experimental::KokkosKernelsHandle<
    std::size_t, int, double, Exec, Temporary, Persistent>;

TEST_F(sparse_containers, unscoped_handle_is_the_same_handle) {
  Handle<Scoped, Scoped> handle;
  auto& base = unscoped(handle);
  static_assert(std::is_same_v<decltype(base), Handle<Host, Host>&>);
  base.create_spgemm_handle();
  EXPECT_NE(handle.get_spgemm_handle(), nullptr);
  EXPECT_EQ(handle.get_spgemm_handle(), base.get_spgemm_handle());
  handle.set_team_work_size(17);
  EXPECT_EQ(base.get_set_team_work_size(), 17);
  EXPECT_EQ(&unscoped(base), &base);
}

TEST_F(sparse_containers, unscoped_handle_takes_each_space_to_its_base) {
  static_assert(
      std::is_same_v<decltype(unscoped(std::declval<Handle<Scoped, Host>&>())),
                     Handle<Host, Host>&>);
  static_assert(
      std::is_same_v<
          decltype(unscoped(
              std::declval<Handle<Host, Kokkos::Device<Exec, Checked>>&>())),
          Handle<Host, Host>&>);
}

TEST_F(sparse_containers,
       tuple_of_a_reference_to_a_handle_has_one_to_its_base) {
  Handle<Scoped, Scoped> handle;
  auto const a      = make_laplacian<Scoped>(3);
  auto const result = unscoped(std::tie(handle, a));
  static_assert(
      std::is_same_v<decltype(result),
                     std::tuple<Handle<Host, Host>&, Crs<Host>> const>);
  EXPECT_EQ(&std::get<0>(result), &unscoped(handle));
}

// Third-party code that isn't called through a front door makes handles of its
// Views' spaces, too.
TEST_F(sparse_containers, kokkos_kernels_itself_takes_a_handle_for_arenas) {
  auto const a = make_laplacian<Scoped>(3);
  Crs<Scoped> c;
  Handle<Scoped, Scoped> handle;
  handle.create_spadd_handle(true);
  KokkosSparse::spadd_symbolic(&handle, a, a, c);
  KokkosSparse::spadd_numeric(&handle, 1., a, 2., a, c);
  ASSERT_EQ(c.nnz(), a.nnz());
  for (std::size_t i = 0; i < a.nnz(); ++i) {
    EXPECT_EQ(c.values(i), 3 * a.values(i));
  }
}

}  // namespace

}  // namespace KokkosArenaTest
