// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kokkos' own containers and algorithms on a ScopedSpace.
#include <KokkosArena_TestConfig.hpp>

#include <Kokkos_DualView.hpp>
#include <Kokkos_DynRankView.hpp>
#include <Kokkos_OffsetView.hpp>
#include <Kokkos_Random.hpp>
#include <Kokkos_ScatterView.hpp>
#include <Kokkos_Sort.hpp>
#include <Kokkos_StdAlgorithms.hpp>
#include <Kokkos_UnorderedMap.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using Exec   = Kokkos::DefaultHostExecutionSpace;
using Device = Kokkos::Device<Exec, Scoped>;
using Policy = Kokkos::RangePolicy<Exec>;
using View   = Kokkos::View<double*, Scoped>;

template <class P>
struct scoped_containers : AtPlace<P> {};
TYPED_TEST_SUITE(scoped_containers, Places, PlaceName);

TYPED_TEST(scoped_containers, dual_view_modifies_and_syncs) {
  Kokkos::DualView<double*, Device> dual("dual", 100);
  EXPECT_TRUE(this->draws_some());
  EXPECT_EQ(dual.extent(0), 100u);
  for (int i = 0; i < 100; ++i) dual.view_host()(i) = i;
  dual.modify_host();
  dual.sync_device();
  auto const device = dual.view_device();
  Kokkos::parallel_for(
      Policy(0, 100), KOKKOS_LAMBDA(int i) { device(i) += 1; });
  dual.modify_device();
  dual.sync_host();
  EXPECT_FALSE(dual.need_sync_host());
  EXPECT_EQ(dual.view_host()(99), 100);
  dual.resize(200);
  EXPECT_EQ(dual.view_host()(99), 100);
  EXPECT_EQ(dual.extent(0), 200u);
}

TYPED_TEST(scoped_containers, dyn_rank_view_takes_its_rank_at_run_time) {
  Kokkos::DynRankView<double, Scoped> a("a", 4, 5, 6);
  EXPECT_TRUE(this->draws(1));
  EXPECT_EQ(a.rank(), 3u);
  EXPECT_EQ(a(3, 4, 5), 0.0);
  a(3, 4, 5) = 7;
  EXPECT_EQ(Kokkos::create_mirror_view_and_copy(Host(), a)(3, 4, 5), 7);
  Kokkos::resize(a, 5, 6, 7);
  EXPECT_EQ(a(3, 4, 5), 7);
  a = Kokkos::DynRankView<double, Scoped>("a", 3);
  EXPECT_EQ(a.rank(), 1u);
  EXPECT_TRUE(this->draws(1));
}

TYPED_TEST(scoped_containers, offset_view_begins_where_it_is_told) {
  Kokkos::Experimental::OffsetView<double*, Scoped> const v("v", {-5, 5});
  EXPECT_TRUE(this->draws(1));
  EXPECT_EQ(v.begin(0), -5);
  for (int i = -5; i <= 5; ++i) EXPECT_EQ(v(i), 0.0);
  v(-5) = 3;
  EXPECT_EQ(v.view()(0), 3);
}

TYPED_TEST(scoped_containers, sort_orders_and_returns_its_temporaries) {
  for (std::size_t n : {0, 1, 2, 1000, 100000}) {
    View const v("v", n);
    std::vector<double> expected(n);
    Random random(n + 1);
    for (std::size_t i = 0; i < n; ++i) {
      expected[i] = v(i) = static_cast<double>(random.below(1 << 20));
    }
    std::sort(expected.begin(), expected.end());
    Kokkos::sort(v);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), v.data()));
    EXPECT_TRUE(this->draws(1));
  }
}

TYPED_TEST(scoped_containers, sort_by_key_and_std_algorithms_work) {
  View const keys("keys", 1000);
  Kokkos::View<int*, Scoped> const values("values", 1000);
  for (int i = 0; i < 1000; ++i) {
    keys(i)   = 1000 - i;
    values(i) = i;
  }
  Kokkos::Experimental::sort_by_key(Exec(), keys, values);
  EXPECT_EQ(keys(0), 1);
  EXPECT_EQ(values(0), 999);
  View const sums("sums", 1000);
  Kokkos::Experimental::inclusive_scan(Exec(), keys, sums);
  EXPECT_EQ(sums(999), 1000.0 * 1001 / 2);
  Kokkos::Experimental::reverse(Exec(), keys);
  EXPECT_EQ(keys(0), 1000);
  EXPECT_TRUE(this->draws(3));
}

TYPED_TEST(scoped_containers, bin_sort_orders_into_bins) {
  constexpr int n = 2000;
  View const v("v", n);
  Random random(3);
  for (int i = 0; i < n; ++i) {
    v(i) = static_cast<double>(random.below(1000)) / 1000;
  }
  using Bins = Kokkos::BinOp1D<View>;
  Kokkos::BinSort<View, Bins, Device> sorter(v, Bins(100, 0.0, 1.0), true);
  EXPECT_TRUE(this->draws_some());
  sorter.create_permute_vector();
  sorter.sort(v);
  EXPECT_TRUE(std::is_sorted(v.data(), v.data() + n));
}

TYPED_TEST(scoped_containers, unordered_map_inserts_and_finds_and_rehashes) {
  Kokkos::UnorderedMap<int, double, Device> map(100);
  EXPECT_TRUE(this->draws_some());
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(map.insert(i * 7, i).success());
  }
  EXPECT_TRUE(map.insert(7, 1).existing());
  EXPECT_EQ(map.size(), 100u);
  EXPECT_TRUE(map.exists(693));
  EXPECT_FALSE(map.exists(694));
  EXPECT_EQ(map.value_at(map.find(70)), 10);
  Kokkos::UnorderedMap<int, double, Kokkos::Device<Exec, Host>> host;
  host.create_copy_view(map);
  EXPECT_EQ(host.size(), 100u);
  EXPECT_EQ(host.value_at(host.find(70)), 10);
  map.rehash(5000);
  EXPECT_GE(map.capacity(), 5000u);
  EXPECT_EQ(map.size(), 100u);
  EXPECT_EQ(map.value_at(map.find(70)), 10);
  auto const inserted = map;
  Kokkos::parallel_for(
      Policy(1000, 3000), KOKKOS_LAMBDA(int i) { inserted.insert(i, i); });
  Kokkos::fence();
  EXPECT_EQ(map.size(), 2100u);
}

TYPED_TEST(scoped_containers, crs_is_made_by_counting_and_filling) {
  using Crs = Kokkos::Crs<int, Device, void, int>;
  Crs crs;
  Kokkos::count_and_fill_crs(
      crs, 10, KOKKOS_LAMBDA(int row, int* fill) {
        if (fill) {
          for (int i = 0; i < row; ++i) fill[i] = i;
        }
        return row;
      });
  EXPECT_TRUE(this->draws_some());
  ASSERT_EQ(crs.numRows(), 10);
  ASSERT_EQ(crs.entries.extent(0), 45u);
  EXPECT_EQ(crs.row_map(10), 45);
  EXPECT_EQ(crs.entries(44), 8);
  Crs transposed;
  Kokkos::transpose_crs(transposed, crs);
  EXPECT_EQ(transposed.row_map(1), 9);
}

TYPED_TEST(scoped_containers, scatter_view_sums_contributions) {
  View result("result", 10);  // contribute() takes no const one
  {
    auto const scatter = Kokkos::Experimental::create_scatter_view(result);
    Kokkos::parallel_for(
        Policy(0, 10000),
        KOKKOS_LAMBDA(int i) { scatter.access()(i % 10) += 1; });
    Kokkos::Experimental::contribute(result, scatter);
  }
  for (int i = 0; i < 10; ++i) EXPECT_EQ(result(i), 1000);
  {
    Kokkos::Experimental::ScatterView<double*, Kokkos::LayoutRight, Device,
                                      Kokkos::Experimental::ScatterSum,
                                      Kokkos::Experimental::ScatterDuplicated,
                                      Kokkos::Experimental::ScatterNonAtomic>
        duplicated(result);
    Kokkos::parallel_for(
        Policy(0, 10000),
        KOKKOS_LAMBDA(int i) { duplicated.access()(i % 10) += 1; });
    duplicated.contribute_into(result);
  }
  for (int i = 0; i < 10; ++i) EXPECT_EQ(result(i), 2000);
  EXPECT_TRUE(this->draws(1));
}

TYPED_TEST(scoped_containers, random_pool_fills_a_view) {
  View const v("v", 1000);
  {
    Kokkos::Random_XorShift64_Pool<Device> const pool(12345);
    Kokkos::fill_random(v, pool, 0.0, 1.0);
    Kokkos::fence();
  }
  std::set<double> const distinct(v.data(), v.data() + 1000);
  EXPECT_GT(distinct.size(), 990u);
  EXPECT_GE(*distinct.begin(), 0.0);
  EXPECT_LE(*distinct.rbegin(), 1.0);
  EXPECT_TRUE(this->draws(1));
}

TYPED_TEST(scoped_containers, memory_pool_draws_its_superblocks) {
  Kokkos::MemoryPool<Device> pool(Scoped(), 1 << 20, 64, 1024, 1 << 16);
  EXPECT_TRUE(this->draws_some());
  void* const a = pool.allocate(100);
  void* const b = pool.allocate(1000);
  ASSERT_NE(a, nullptr);
  ASSERT_NE(b, nullptr);
  std::memset(a, 1, 100);
  std::memset(b, 2, 1000);
  EXPECT_EQ(static_cast<char*>(a)[99], 1);
  pool.deallocate(a, 100);
  pool.deallocate(b, 1000);
}

TYPED_TEST(scoped_containers, team_policy_and_reducers_run_on_views) {
  Kokkos::View<double**, Kokkos::LayoutRight, Scoped> const a("a", 20, 30);
  View const x("x", 30);
  View const y("y", 20);
  Kokkos::deep_copy(a, 2.0);
  Kokkos::deep_copy(x, 3.0);
  using Team = Kokkos::TeamPolicy<Exec>;
  Kokkos::parallel_for(
      Team(20, 1), KOKKOS_LAMBDA(typename Team::member_type const& team) {
        double sum = 0;
        Kokkos::parallel_reduce(
            Kokkos::TeamThreadRange(team, 30),
            [&](int j, double& s) { s += a(team.league_rank(), j) * x(j); },
            sum);
        y(team.league_rank()) = sum;
      });
  double largest = 0;
  Kokkos::parallel_reduce(
      Policy(0, 20),
      KOKKOS_LAMBDA(int i, double& m) { m = Kokkos::max(m, y(i)); },
      Kokkos::Max<double>(largest));
  EXPECT_EQ(largest, 180.0);
  double total = 0;
  Kokkos::parallel_scan(
      Policy(0, 20),
      KOKKOS_LAMBDA(int i, double& s, bool last) {
        s += y(i);
        if (last) y(i) = s;
      },
      total);
  EXPECT_EQ(total, 20 * 180.0);
  EXPECT_EQ(y(19), total);
  EXPECT_TRUE(this->draws(3));
}

TYPED_TEST(scoped_containers, library_code_makes_temporaries_like_its_input) {
  // As it is found in libraries: the input decides on the memory space.
  auto const norm_of_difference = [](auto const& a, auto const& b) {
    using input = std::decay_t<decltype(a)>;
    Kokkos::View<typename input::non_const_data_type,
                 typename input::array_layout, typename input::device_type>
        difference("difference", a.extent(0));
    Kokkos::parallel_for(
        Policy(0, static_cast<int>(a.extent(0))),
        KOKKOS_LAMBDA(int i) { difference(i) = a(i) - b(i); });
    double sum = 0;
    Kokkos::parallel_reduce(
        Policy(0, static_cast<int>(a.extent(0))),
        KOKKOS_LAMBDA(int i, double& s) { s += difference(i) * difference(i); },
        sum);
    return sum;
  };
  Kokkos::View<double*, Host> const a("a", 1000);
  Kokkos::View<double*, Host> const b("b", 1000);
  Kokkos::deep_copy(a, 3.0);
  Kokkos::deep_copy(b, 1.0);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(norm_of_difference(KokkosArena::scoped(a), b), 4000.0);
    EXPECT_TRUE(this->draws(0));
  }
}

}  // namespace
