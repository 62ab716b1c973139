// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kokkos' own containers, algorithms and copies on arenas of a GPU.
#include <KokkosArena_TestDevice.hpp>

#include <Kokkos_DualView.hpp>
#include <Kokkos_DynRankView.hpp>
#include <Kokkos_ScatterView.hpp>
#include <Kokkos_Sort.hpp>
#include <Kokkos_StdAlgorithms.hpp>
#include <Kokkos_UnorderedMap.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::ArenaScope;
using KokkosArena::make_view;
using KokkosArena::similar;

using Space  = InDevice::space;
using Device = InDevice::device;
using View   = ArenaView<double*, InDevice>;
using Plain  = Kokkos::View<double*, InDevice::base_device>;
using OnHost = Kokkos::View<double*, Kokkos::HostSpace>;

/// An arena in scope, whose memory isn't zero.
struct device_containers : ::testing::Test {
  void SetUp() override {
    dirty_on_device(m_arena, 8 * MiB);
    m_scope.emplace(m_arena);
  }
  void TearDown() override {
    EXPECT_EQ(m_errors.read(), 0u);
    EXPECT_EQ(live(), 0u);
  }
  std::uint64_t live() { return m_arena.statistics().live_allocations; }

  // The default instance: Kokkos' containers use no other.
  Backend m_instance;
  InDevice::arena_type m_arena{m_instance, labelled("arena of containers")};
  std::optional<ArenaScope> m_scope;
  ErrorCount m_errors;
};

/// \return Its elements; waits.
template <class ViewType>
auto on_host(ViewType const& view) {
  using value_type = typename ViewType::non_const_value_type;
  std::vector<value_type> result(view.extent(0));
  Kokkos::View<value_type*, Kokkos::HostSpace,
               Kokkos::MemoryTraits<Kokkos::Unmanaged>> const
      all(result.data(), result.size());
  Kokkos::deep_copy(all, view);
  return result;
}

/// Element i becomes factor * i + summand.
template <class ViewType>
void set_line(Backend const& instance, ViewType const& view, double factor,
              double summand) {
  using value_type = typename ViewType::value_type;
  Kokkos::parallel_for(
      "set_line", range(instance, view.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i) {
        view(i) =
            static_cast<value_type>(factor * static_cast<double>(i) + summand);
      });
}

template <class ViewType>
::testing::AssertionResult is_line(ViewType const& view, double factor,
                                   double summand) {
  auto const all = on_host(view);
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto const expected = factor * static_cast<double>(i) + summand;
    if (static_cast<double>(all[i]) != expected) {
      return ::testing::AssertionFailure()
             << "element " << i << " is " << all[i] << ", not " << expected;
    }
  }
  return ::testing::AssertionSuccess();
}

// Copies.

TEST_F(device_containers, deep_copy_goes_to_the_host_and_back) {
  constexpr std::size_t n = 10'000;
  View const device("device", n);
  OnHost const host("host", n);
  for (std::size_t i = 0; i < n; ++i) host(i) = static_cast<double>(i) + 3;
  Kokkos::deep_copy(device, host);
  EXPECT_TRUE(is_line(device, 1, 3));
  set_line(m_instance, device, 2, 1);
  Kokkos::deep_copy(host, device);
  for (std::size_t i = 0; i < n; ++i) {
    ASSERT_EQ(host(i), 2 * static_cast<double>(i) + 1);
  }
}

TEST_F(device_containers, deep_copy_goes_between_arena_and_plain_views) {
  constexpr std::size_t n = 10'000;
  View const a("a", n);
  View const b("b", n);
  Plain const plain("plain", n);
  set_line(m_instance, a, 1, 3);
  Kokkos::deep_copy(b, a);
  EXPECT_TRUE(is_line(b, 1, 3));
  Kokkos::deep_copy(plain, b);
  EXPECT_TRUE(is_line(plain, 1, 3));
  set_line(m_instance, plain, 2, 1);
  Kokkos::deep_copy(a, plain);
  EXPECT_TRUE(is_line(a, 2, 1));
  Kokkos::View<double*, InUvm::base_device> const uvm("uvm", n);
  Kokkos::deep_copy(uvm, a);
  EXPECT_TRUE(is_line(uvm, 2, 1));
}

TEST_F(device_containers, deep_copy_with_an_instance_is_in_its_order) {
  constexpr std::size_t n = 10'000;
  auto const instance     = new_instance();
  InDevice::arena_type arena(instance, labelled("of an instance"));
  ArenaScope const scope(arena);
  Kokkos::View<double*, PinnedSpace> const host("host", n);
  for (std::size_t i = 0; i < n; ++i) host(i) = static_cast<double>(i);
  for (int round = 0; round < 3; ++round) {
    auto const a = make_view<View>("a", n);
    auto const b = similar(a);
    auto const c = similar(a);
    keep_busy(instance, 5'000, m_errors);
    Kokkos::deep_copy(instance, a, host);
    Kokkos::deep_copy(instance, b, a);
    Kokkos::deep_copy(instance, c, 4.0);
    EXPECT_EQ(arena.statistics().live_allocations, 3u);
    instance.fence();
    EXPECT_TRUE(is_line(b, 1, 0));
    EXPECT_TRUE(is_line(c, 0, 4));
  }
}

TEST_F(device_containers, deep_copy_fills_also_parts) {
  View const view("view", 1000);
  Kokkos::deep_copy(view, 1.5);
  EXPECT_TRUE(is_line(view, 0, 1.5));
  auto const part = Kokkos::subview(view, Kokkos::make_pair(100, 200));
  Kokkos::deep_copy(part, 2.0);
  auto const copy = similar(part);
  Kokkos::deep_copy(copy, part);
  EXPECT_TRUE(is_line(copy, 0, 2));
  Kokkos::deep_copy(view, 0.0);
  EXPECT_TRUE(is_line(part, 0, 0));
  auto const all = on_host(view);
  EXPECT_EQ(all[99] + all[100] + all[200], 0);
}

TEST_F(device_containers, strided_views_copy_on_the_device) {
  using Whole = Kokkos::View<double**, Kokkos::LayoutRight, Device>;
  Whole const whole("whole", 500, 6);
  auto const column = Kokkos::subview(whole, Kokkos::ALL, 2);
  set_line(m_instance, column, 1, 1);
  View const copy("copy", 500);
  Kokkos::deep_copy(copy, column);
  EXPECT_TRUE(is_line(copy, 1, 1));
  set_line(m_instance, copy, 0, 9);
  Kokkos::deep_copy(column, copy);
  Kokkos::deep_copy(copy, Kokkos::subview(whole, Kokkos::ALL, 3));
  EXPECT_TRUE(is_line(copy, 0, 0));
  Kokkos::deep_copy(copy, column);
  EXPECT_TRUE(is_line(copy, 0, 9));
}

TEST_F(device_containers, mirrors_are_on_the_host_and_back_in_the_arena) {
  View const view("view", 1000);
  set_line(m_instance, view, 1, 0);
  auto const mirror = Kokkos::create_mirror_view(view);
  static_assert(Kokkos::SpaceAccessibility<
                Kokkos::HostSpace,
                typename decltype(mirror)::memory_space>::accessible);
  EXPECT_NE(mirror.data(), view.data());
  Kokkos::deep_copy(mirror, view);
  EXPECT_EQ(mirror(999), 999);
  auto const copy =
      Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  EXPECT_EQ(copy(999), 999);
  EXPECT_EQ(live(), 1u);

  copy(999)         = 1;
  auto const device = Kokkos::create_mirror_view_and_copy(Space(), copy);
  static_assert(std::is_same_v<typename decltype(device)::memory_space, Space>);
  EXPECT_EQ(live(), 2u);
  EXPECT_EQ(on_host(device)[999], 1);
  auto const other = Kokkos::create_mirror_view(
      Kokkos::view_alloc(Space(), Kokkos::WithoutInitializing), copy);
  EXPECT_EQ(live(), 3u);
  EXPECT_EQ(other.extent(0), 1000u);
  // There already.
  auto const same = Kokkos::create_mirror_view(Space(), device);
  EXPECT_EQ(same.data(), device.data());
}

TEST_F(device_containers, mirror_of_what_the_host_can_reach_is_the_view) {
  InUvm::arena_type arena(m_instance, labelled("uvm"));
  ArenaScope const scope(arena);
  Kokkos::View<double*, InUvm::device> const view("view", 100);
  auto const mirror = Kokkos::create_mirror_view(view);
  EXPECT_EQ(mirror.data(), view.data());
  EXPECT_EQ(arena.statistics().live_allocations, 1u);
}

TEST_F(device_containers, resize_keeps_elements_and_realloc_does_not) {
  View view("view", 100);
  set_line(m_instance, view, 1, 0);
  Kokkos::resize(view, 50);
  EXPECT_TRUE(is_line(view, 1, 0));
  EXPECT_EQ(live(), 1u);
  Kokkos::resize(view, 1000);
  auto const all = on_host(view);
  EXPECT_EQ(all[49], 49);
  EXPECT_EQ(std::count(all.begin() + 50, all.end(), 0), 950);
  EXPECT_EQ(view.label(), "view");
  Kokkos::realloc(view, 2000);
  EXPECT_TRUE(is_line(view, 0, 0));
  EXPECT_EQ(live(), 1u);
  Kokkos::View<double**, Device> matrix("matrix", 10, 20);
  Kokkos::deep_copy(matrix, 1.0);
  Kokkos::resize(matrix, 20, 30);
  auto const host =
      Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), matrix);
  for (std::size_t i = 0; i < 20; ++i) {
    for (std::size_t j = 0; j < 30; ++j) {
      ASSERT_EQ(host(i, j), i < 10 && j < 20 ? 1 : 0);
    }
  }
}

// Memory as C has it.

TEST_F(device_containers, kokkos_malloc_gives_memory_of_the_arena) {
  auto* const a = Kokkos::kokkos_malloc<Space>("a", 8000);
  auto* const b = Kokkos::kokkos_malloc<Space>(8000);
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(live(), 2u);
  auto* const numbers = static_cast<std::uint64_t*>(a);
  write_pattern(m_instance, numbers, 1000, 1);
  write_pattern(m_instance, static_cast<std::uint64_t*>(b), 1000, 2);
  Kokkos::fence();
  auto* const larger =
      static_cast<std::uint64_t*>(Kokkos::kokkos_realloc<Space>(a, 80'000));
  ASSERT_NE(larger, nullptr);
  EXPECT_EQ(live(), 2u);
  check_pattern(m_instance, larger, 1000, 1, m_errors);
  write_pattern(m_instance, larger, 10'000, 3);
  Kokkos::fence();
  auto* const smaller =
      static_cast<std::uint64_t*>(Kokkos::kokkos_realloc<Space>(larger, 4000));
  check_pattern(m_instance, smaller, 500, 3, m_errors);
  check_pattern(m_instance, static_cast<std::uint64_t*>(b), 1000, 2, m_errors);
  EXPECT_EQ(m_errors.read(), 0u);
  Kokkos::kokkos_free<Space>(smaller);
  Kokkos::kokkos_free<Space>(b);
  Kokkos::kokkos_free<Space>(nullptr);
  EXPECT_EQ(Kokkos::kokkos_malloc<Space>(0), nullptr);
}

TEST_F(device_containers, kokkos_realloc_follows_what_the_instance_has_to_do) {
  for (int round = 0; round < 3; ++round) {
    auto* memory = Kokkos::kokkos_malloc<Space>("memory", 8000);
    keep_busy(m_instance, 20'000, m_errors);
    write_pattern(m_instance, static_cast<std::uint64_t*>(memory), 1000, 1);
    memory = Kokkos::kokkos_realloc<Space>(memory, 80'000);
    check_pattern(m_instance, static_cast<std::uint64_t*>(memory), 1000, 1,
                  m_errors);
    EXPECT_EQ(m_errors.read(), 0u);
    Kokkos::kokkos_free<Space>(memory);
  }
}

TEST_F(device_containers, space_gives_and_takes_raw_memory) {
  Space const space;
  void* const a = space.allocate("a", 1000);
  void* const b = space.allocate(m_instance, "b", 1000);
  EXPECT_EQ(live(), 2u);
  fill_bytes(m_instance, a, 1000, 1);
  fill_bytes(m_instance, b, 1000, 2);
  check_bytes(m_instance, a, 1000, 1, m_errors);
  space.deallocate("a", a, 1000);
  space.deallocate("b", b, 1000);
  EXPECT_EQ(live(), 0u);
}

// Reductions and scans.

template <class ViewType, class ResultType>
void sum_into(Backend const& instance, ViewType const& view,
              ResultType const& result) {
  Kokkos::parallel_reduce(
      "sum_into", range(instance, view.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i, double& sum) { sum += view(i); }, result);
}

template <class ViewType, class ResultType>
void largest_into(Backend const& instance, ViewType const& view,
                  ResultType const& result) {
  Kokkos::parallel_reduce(
      "largest_into", range(instance, view.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i, double& most) {
        most = Kokkos::max(most, view(i));
      },
      Kokkos::Max<double, typename ResultType::memory_space>(result));
}

template <class ViewType>
void scan_into(Backend const& instance, ViewType const& view,
               ViewType const& sums) {
  Kokkos::parallel_scan(
      "scan_into", range(instance, view.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i, double& sum, bool last) {
        sum += view(i);
        if (last) sums(i) = sum;
      });
}

TEST_F(device_containers, reductions_and_scans_write_arena_views) {
  constexpr std::size_t n = 100'000;
  View const view("view", n);
  set_line(m_instance, view, 1, 1);
  for (int round = 0; round < 100; ++round) {
    Kokkos::View<double, Device> const sum("sum");
    Kokkos::View<double, Device> const largest("largest");
    View const sums("sums", n);
    sum_into(m_instance, view, sum);
    largest_into(m_instance, view, largest);
    scan_into(m_instance, view, sums);
    if (round < 95) continue;  // dropped with the kernels yet to run
    double result = 0;
    Kokkos::deep_copy(result, sum);
    EXPECT_EQ(result, 5000050000.0);
    Kokkos::deep_copy(result, largest);
    EXPECT_EQ(result, 100'000.0);
    Kokkos::deep_copy(result, Kokkos::subview(sums, n - 1));
    EXPECT_EQ(result, 5000050000.0);
  }
}

template <class Matrix, class Vector>
void row_sums(Backend const& instance, Matrix const& matrix,
              Vector const& sums) {
  using Team = Kokkos::TeamPolicy<Backend>;
  Kokkos::parallel_for(
      "row_sums", Team(instance, static_cast<int>(matrix.extent(0)), 64),
      KOKKOS_LAMBDA(typename Team::member_type const& team) {
        auto const i = team.league_rank();
        double sum   = 0;
        Kokkos::parallel_reduce(
            Kokkos::TeamThreadRange(team, static_cast<int>(matrix.extent(1))),
            [&](int j, double& s) { s += matrix(i, j); }, sum);
        Kokkos::single(Kokkos::PerTeam(team), [&] { sums(i) = sum; });
      });
}

TEST_F(device_containers, teams_work_on_arena_views) {
  Kokkos::View<double**, Device> const matrix("matrix", 200, 300);
  Kokkos::deep_copy(matrix, 2.0);
  View const sums("sums", 200);
  row_sums(m_instance, matrix, sums);
  EXPECT_TRUE(is_line(sums, 0, 600));
}

// Containers.

TEST_F(device_containers, dual_view_modifies_and_syncs) {
  Kokkos::DualView<double*, Device> dual("dual", 100);
  EXPECT_EQ(live(), 1u);
  for (int i = 0; i < 100; ++i) dual.view_host()(i) = i;
  dual.modify_host();
  dual.sync_device();
  set_line(m_instance, dual.view_device(), 1, 1);
  dual.modify_device();
  EXPECT_TRUE(dual.need_sync_host());
  dual.sync_host();
  EXPECT_FALSE(dual.need_sync_host());
  EXPECT_EQ(dual.view_host()(99), 100);
  dual.resize(200);
  EXPECT_EQ(dual.extent(0), 200u);
  dual.sync_host();
  EXPECT_EQ(dual.view_host()(99), 100);
  EXPECT_EQ(live(), 1u);
}

TEST_F(device_containers, dual_view_in_uvm_is_one_view) {
  InUvm::arena_type arena(m_instance, labelled("uvm"));
  ArenaScope const scope(arena);
  Kokkos::DualView<double*, InUvm::device> dual("dual", 100);
  EXPECT_EQ(arena.statistics().live_allocations, 1u);
  for (int i = 0; i < 100; ++i) dual.view_host()(i) = i;
  dual.modify_host();
  dual.sync_device();
  set_line(m_instance, dual.view_device(), 1, 1);
  dual.modify_device();
  dual.sync_host();
  EXPECT_EQ(dual.view_host()(99), 100);
}

TEST_F(device_containers, dyn_rank_view_takes_its_rank_at_run_time) {
  using Dyn = Kokkos::DynRankView<double, Device>;
  Dyn a("a", 4, 5, 6);
  EXPECT_EQ(live(), 1u);
  EXPECT_EQ(a.rank(), 3u);
  auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), a);
  EXPECT_EQ(host(3, 4, 5), 0);
  host(3, 4, 5) = 7;
  Kokkos::deep_copy(a, host);
  Kokkos::resize(a, 5, 6, 7);
  EXPECT_EQ(a.extent(2), 7u);
  host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), a);
  EXPECT_EQ(host(3, 4, 5), 7);
  EXPECT_EQ(host(4, 5, 6), 0);
  a = Dyn("a", 3);
  EXPECT_EQ(a.rank(), 1u);
  EXPECT_EQ(live(), 1u);
}

using Map = Kokkos::UnorderedMap<std::uint32_t, double, Device>;

void insert_all(Backend const& instance, Map const& map, std::size_t n,
                ErrorCount const& errors) {
  Kokkos::parallel_for(
      "insert_all", range(instance, n), KOKKOS_LAMBDA(std::int64_t i) {
        auto const key = static_cast<std::uint32_t>(i * 7);
        if (map.insert(key, static_cast<double>(i)).failed()) errors.add();
      });
}
void find_all(Backend const& instance, Map const& map, std::size_t n,
              ErrorCount const& errors) {
  Kokkos::parallel_for(
      "find_all", range(instance, n), KOKKOS_LAMBDA(std::int64_t i) {
        auto const key   = static_cast<std::uint32_t>(i * 7);
        auto const index = map.find(key);
        if (!map.valid_at(index) ||
            map.value_at(index) != static_cast<double>(i) ||
            map.exists(key + 1)) {
          errors.add();
        }
      });
}

TEST_F(device_containers, unordered_map_inserts_and_finds_and_rehashes) {
  Map map(10'000);
  EXPECT_GT(live(), 0u);
  insert_all(m_instance, map, 5000, m_errors);
  Kokkos::fence();
  EXPECT_EQ(map.size(), 5000u);
  find_all(m_instance, map, 5000, m_errors);
  Kokkos::fence();
  map.rehash(100'000);
  EXPECT_GE(map.capacity(), 100'000u);
  EXPECT_EQ(map.size(), 5000u);
  insert_all(m_instance, map, 50'000, m_errors);
  find_all(m_instance, map, 50'000, m_errors);
  Kokkos::fence();
  EXPECT_EQ(map.size(), 50'000u);
  Kokkos::UnorderedMap<std::uint32_t, double,
                       Kokkos::Device<Kokkos::DefaultHostExecutionSpace, Host>>
      host;
  host.create_copy_view(map);
  EXPECT_EQ(host.size(), 50'000u);
  EXPECT_EQ(host.value_at(host.find(700)), 100);
  EXPECT_FALSE(host.exists(701));
}

template <class Scatter>
void count_remainders(Backend const& instance, Scatter const& scatter,
                      std::size_t n) {
  Kokkos::parallel_for(
      "count_remainders", range(instance, n), KOKKOS_LAMBDA(std::int64_t i) {
        auto access = scatter.access();
        access(i % 10) += 1;
      });
}

template <class Scatter>
void note_largest(Backend const& instance, Scatter const& scatter,
                  std::size_t n) {
  Kokkos::parallel_for(
      "note_largest", range(instance, n), KOKKOS_LAMBDA(std::int64_t i) {
        auto access = scatter.access();
        access(i % 10).update(static_cast<double>(i));
      });
}

TEST_F(device_containers, scatter_view_combines_contributions) {
  View result("result", 10);  // contribute() takes no const one
  {
    auto const scatter = Kokkos::Experimental::create_scatter_view(result);
    count_remainders(m_instance, scatter, 10'000);
    Kokkos::Experimental::contribute(result, scatter);
  }
  Kokkos::fence();
  EXPECT_TRUE(is_line(result, 0, 1000));
  EXPECT_EQ(live(), 1u);
  View largest("largest", 10);
  {
    auto const scatter = Kokkos::Experimental::create_scatter_view<
        Kokkos::Experimental::ScatterMax>(largest);
    note_largest(m_instance, scatter, 10'000);
    Kokkos::Experimental::contribute(largest, scatter);
  }
  Kokkos::fence();
  EXPECT_TRUE(is_line(largest, 1, 9990));
  EXPECT_EQ(live(), 2u);
}

// Algorithms.

template <class ViewType>
void set_random(Backend const& instance, ViewType const& view,
                std::uint64_t seed) {
  Kokkos::parallel_for(
      "set_random", range(instance, view.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i) {
        view(i) = static_cast<double>(
            mixed(seed, static_cast<std::uint64_t>(i)) % 1000003);
      });
}

TEST_F(device_containers, sort_orders) {
  for (std::size_t const n : {0, 1, 2, 1000, 100'000}) {
    View const view("view", n);
    set_random(m_instance, view, n);
    auto expected = on_host(view);
    std::sort(expected.begin(), expected.end());
    Kokkos::sort(view);
    Kokkos::fence();
    EXPECT_EQ(on_host(view), expected);
    set_random(m_instance, view, n);
    Kokkos::sort(m_instance, view);
    m_instance.fence();
    EXPECT_EQ(on_host(view), expected);
    EXPECT_EQ(live(), 1u);
  }
}

TEST_F(device_containers, bin_sort_orders_into_bins) {
  View const view("view", 20'000);
  set_random(m_instance, view, 1);
  auto expected = on_host(view);
  std::sort(expected.begin(), expected.end());
  using Bins = Kokkos::BinOp1D<View>;
  {
    Kokkos::BinSort<View, Bins, Device> sorter(view, Bins(1000, 0.0, 1000003.0),
                                               true);
    EXPECT_GT(live(), 1u);
    sorter.create_permute_vector();
    sorter.sort(view);
    Kokkos::fence();
  }
  EXPECT_EQ(on_host(view), expected);
}

TEST_F(device_containers, std_algorithms_work_on_arena_views) {
  namespace Std = Kokkos::Experimental;
  View const a("a", 1000);
  View const b("b", 1000);
  Std::fill(m_instance, a, 1.0);
  Std::inclusive_scan(m_instance, a, b);
  m_instance.fence();
  EXPECT_TRUE(is_line(b, 1, 1));
  EXPECT_EQ(Std::count(m_instance, a, 1.0), 1000);
  Std::reverse(m_instance, b);
  m_instance.fence();
  EXPECT_TRUE(is_line(b, -1, 1000));
  Std::copy(m_instance, b, a);
  m_instance.fence();
  EXPECT_TRUE(is_line(a, -1, 1000));
  EXPECT_TRUE(Std::equal(m_instance, a, b));
  EXPECT_EQ(live(), 2u);
}

TEST_F(device_containers, sort_by_key_carries_values_along) {
  View const keys("keys", 1000);
  Kokkos::View<int*, Device> const values("values", 1000);
  set_line(m_instance, keys, -1, 1000);
  set_line(m_instance, values, 1, 0);
  Kokkos::Experimental::sort_by_key(m_instance, keys, values);
  m_instance.fence();
  EXPECT_TRUE(is_line(keys, 1, 1));
  EXPECT_TRUE(is_line(values, -1, 999));
}

// As it is found in libraries: the input decides on the memory space.

template <class A, class B>
double norm_of_difference(Backend const& instance, A const& a, B const& b) {
  Kokkos::View<typename A::non_const_data_type, typename A::array_layout,
               typename A::device_type> const difference("difference",
                                                         a.extent(0));
  Kokkos::parallel_for(
      "difference", range(instance, a.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i) { difference(i) = a(i) - b(i); });
  double sum = 0;
  Kokkos::parallel_reduce(
      "norm", range(instance, a.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i, double& s) {
        s += difference(i) * difference(i);
      },
      sum);
  return sum;
}

TEST_F(device_containers, library_code_makes_temporaries_like_its_input) {
  Plain const a("a", 1000);
  Plain const b("b", 1000);
  Kokkos::deep_copy(a, 3.0);
  Kokkos::deep_copy(b, 1.0);
  auto const before = m_arena.statistics().total_allocations;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(norm_of_difference(m_instance, KokkosArena::scoped(a), b), 4000);
    EXPECT_EQ(live(), 0u);
  }
  EXPECT_EQ(m_arena.statistics().total_allocations, before + 10);
}

}  // namespace
