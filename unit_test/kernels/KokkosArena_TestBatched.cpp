// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gtest/gtest.h>
#include <KokkosArena.hpp>
#include <KokkosArena_Batched.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <type_traits>

#include "KokkosArena_TestKernels.hpp"

namespace KokkosArenaTest {

namespace {

namespace batched = KokkosArena::batched;
using KokkosBatched::Algo;
using KokkosBatched::Trans;

constexpr int batch = 7;
constexpr int n     = 5;

template <class Space>
using Batch =
    Kokkos::View<double***, Kokkos::LayoutRight, Kokkos::Device<Exec, Space>>;

template <class Space>
auto make_batch(std::size_t seed) {
  Batch<Space> const result("batch", batch, n, n);
  for (std::size_t i = 0; i < result.size(); ++i) {
    result.data()[i] = number(i, seed);
  }
  return result;
}

template <class MixType>
struct batched_front_doors : OperandsIn<MixType> {};
TYPED_TEST_SUITE(batched_front_doors, Mixes);

TYPED_TEST(batched_front_doors, gemm_is_that_of_host_space) {
  auto const a        = make_batch<typename TestFixture::first>(1);
  auto const b        = make_batch<typename TestFixture::second>(2);
  auto const c        = make_batch<typename TestFixture::third>(3);
  auto const host_a   = make_batch<Host>(1);
  auto const host_b   = make_batch<Host>(2);
  auto const expected = make_batch<Host>(3);
  using KokkosBatched::BatchLayout;
  using No = Trans::NoTranspose;
  KokkosBatched::BatchedGemmHandle handle;
  int host_result = -1;
  auto const path = path_of([&] {
    host_result = KokkosBatched::BatchedGemm<No, No, BatchLayout::Left>(
        &handle, 1.5, host_a, host_b, 0.5, expected);
  });
  ASSERT_EQ(host_result, 0);
  ASSERT_FALSE(path.empty());

  int result = -1;
  EXPECT_EQ(path_of([&] {
              result = batched::BatchedGemm<No, No, BatchLayout::Left>(
                  &handle, 1.5, a, b, 0.5, c);
            }),
            path);
  EXPECT_EQ(result, 0);
  EXPECT_EQ(contents(c), contents(expected));
}

template <class Door, class... Views>
int call_in_a_kernel(Door const& door, Views const&... views) {
  int failures = 0;
  Kokkos::parallel_reduce(
      "batched", Kokkos::RangePolicy<Exec>(0, batch),
      KOKKOS_LAMBDA(int i, int& sum) {
        sum +=
            door(Kokkos::subview(views, i, Kokkos::ALL, Kokkos::ALL)...) != 0;
      },
      failures);
  return failures;
}

TYPED_TEST(batched_front_doors, serial_gemm_is_that_of_host_space) {
  auto const a        = make_batch<typename TestFixture::first>(1);
  auto const b        = make_batch<typename TestFixture::second>(2);
  auto const c        = make_batch<typename TestFixture::third>(3);
  auto const expected = make_batch<Host>(3);
  using Plain = KokkosBatched::SerialGemm<Trans::NoTranspose, Trans::Transpose,
                                          Algo::Gemm::Unblocked>;
  using Door  = batched::SerialGemm<Trans::NoTranspose, Trans::Transpose,
                                    Algo::Gemm::Unblocked>;
  EXPECT_EQ(call_in_a_kernel(
                KOKKOS_LAMBDA(auto const& x, auto const& y, auto const& z) {
                  return Plain::invoke(2., x, y, 0.5, z);
                },
                make_batch<Host>(1), make_batch<Host>(2), expected),
            0);
  EXPECT_EQ(call_in_a_kernel(
                KOKKOS_LAMBDA(auto const& x, auto const& y, auto const& z) {
                  return Door::invoke(2., x, y, 0.5, z);
                },
                a, b, c),
            0);
  EXPECT_EQ(contents(c), contents(expected));
}

TYPED_TEST(batched_front_doors, serial_getrf_is_that_of_host_space) {
  auto const a        = make_batch<typename TestFixture::first>(1);
  auto const expected = make_batch<Host>(1);
  Kokkos::View<int**, Kokkos::LayoutRight,
               Kokkos::Device<Exec, typename TestFixture::second>> const
      pivots("pivots", batch, n);
  Kokkos::View<int**, Kokkos::LayoutRight, Kokkos::Device<Exec, Host>> const
      expected_pivots("pivots", batch, n);
  using Plain  = KokkosBatched::SerialGetrf<Algo::Getrf::Unblocked>;
  using Door   = batched::SerialGetrf<Algo::Getrf::Unblocked>;
  int failures = 0;
  Kokkos::parallel_reduce(
      "getrf", Kokkos::RangePolicy<Exec>(0, batch),
      KOKKOS_LAMBDA(int i, int& sum) {
        auto const matrix = [i](auto const& all) {
          return Kokkos::subview(all, i, Kokkos::ALL, Kokkos::ALL);
        };
        auto const row = [i](auto const& all) {
          return Kokkos::subview(all, i, Kokkos::ALL);
        };
        sum += Plain::invoke(matrix(expected), row(expected_pivots)) != 0;
        sum += Door::invoke(matrix(a), row(pivots)) != 0;
      },
      failures);
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(contents(a), contents(expected));
  EXPECT_EQ(contents(pivots), contents(expected_pivots));
  EXPECT_NE(contents(a), contents(make_batch<Host>(1)));
}

}  // namespace

}  // namespace KokkosArenaTest
