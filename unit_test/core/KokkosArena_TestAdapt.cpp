// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The same data under another memory space: single Views and whole models.
#include <KokkosArena_ArenaAllocator.hpp>
#include <KokkosArena_TestConfig.hpp>

#include <Kokkos_DualView.hpp>
#include <Kokkos_DynRankView.hpp>

#include <any>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::adapt;
using KokkosArena::Arena;
using KokkosArena::ArenaScope;
using KokkosArena::unscoped;

/// Gives the tested space.
constexpr auto scoped = [](auto const& view) {
  if constexpr (is_checked) {
    return KokkosArena::checked(view);
  } else {
    return KokkosArena::scoped(view);
  }
};

using Exec      = Kokkos::DefaultHostExecutionSpace;
using HostArena = Arena<Host>;

template <class A, class B>
inline constexpr bool same = std::is_same_v<A, B>;

template <class DataType>
using OnHost = Kokkos::View<DataType, Host>;

/// What adapt makes of OnHost.
template <class DataType>
using OnScoped = Kokkos::View<DataType, Scoped>;

// --------------------------------------------------------------- single Views

TEST(scoped, shares_the_data_of_a_host_view) {
  OnHost<double*> const view("view", 10);
  view(3)          = 7;
  auto const other = scoped(view);
  static_assert(same<typename decltype(other)::memory_space, Scoped>);
  EXPECT_EQ(other.data(), view.data());
  EXPECT_EQ(other.extent(0), 10u);
  EXPECT_EQ(other(3), 7);
  EXPECT_EQ(other.use_count(), 2);
  EXPECT_EQ(view.use_count(), 2);
  EXPECT_EQ(other.label(), "view");
}

TEST(scoped, allocates_nothing) {
  OnHost<double*> const view("view", 10);
  HostArena arena;
  ArenaScope const scope(arena);
  auto const other = scoped(view);
  auto const third = unscoped(other);
  EXPECT_EQ(third.use_count(), 3);
  EXPECT_EQ(arena.statistics().total_allocations, 0u);
}

TEST(scoped, keeps_the_data_alive_after_its_source_is_gone) {
  auto view = OnHost<int*>("view", 100);
  Kokkos::deep_copy(view, 3);
  auto const other = scoped(view);
  view             = {};
  EXPECT_EQ(other.use_count(), 1);
  OnHost<int*> const next("may get the memory", 100);
  Kokkos::deep_copy(next, 4);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(other(i), 3);
}

TEST(unscoped, keeps_arena_memory_alive_after_its_source_is_gone) {
  HostArena arena;
  ArenaScope const scope(arena);
  Kokkos::View<int*, Scoped> view("view", 100);
  Kokkos::deep_copy(view, 3);
  auto host = unscoped(view);
  static_assert(same<typename decltype(host)::memory_space, Host>);
  EXPECT_EQ(host.data(), view.data());
  EXPECT_EQ(host.use_count(), 2);
  view = {};
  EXPECT_EQ(arena.statistics().live_allocations, 1u);
  EXPECT_EQ(host.use_count(), 1);
  arena.reset();
  Kokkos::View<int*, Scoped> const next("next", 100);
  Kokkos::deep_copy(next, 4);
  if constexpr (!is_checked) {
    for (int i = 0; i < 100; ++i) ASSERT_EQ(host(i), 3);
  }
  host = {};
  EXPECT_EQ(arena.statistics().live_allocations, 1u);
  EXPECT_EQ(arena.statistics().retired_blocks, 0u);
}

TEST(scoped, is_idempotent) {
  OnHost<double*> const view("view", 10);
  auto const once  = scoped(view);
  auto const twice = scoped(once);
  static_assert(same<decltype(once), decltype(twice)>);
  EXPECT_EQ(twice.data(), view.data());
  EXPECT_EQ(view.use_count(), 3);
  // A scoped View that nobody adapted keeps its own spelling.
  Kokkos::View<double**, Scoped> const made("made", 2, 2);
  auto const same_view = scoped(made);
  static_assert(same<decltype(same_view), decltype(made)>);
  EXPECT_EQ(same_view.data(), made.data());
}

TEST(unscoped, is_idempotent) {
  OnHost<double*> const view("view", 10);
  auto const same_view = unscoped(view);
  static_assert(same<decltype(same_view), decltype(view)>);
  EXPECT_EQ(same_view.data(), view.data());
  auto const there_and_back = unscoped(scoped(view));
  static_assert(same<typename decltype(there_and_back)::memory_space, Host>);
  static_assert(same<decltype(unscoped(there_and_back)),
                     std::remove_const_t<decltype(there_and_back)>>);
  EXPECT_EQ(there_and_back.data(), view.data());
  EXPECT_EQ(view.use_count(), 3);
}

/// Everything of a View's type but the memory space.
template <class View>
void expect_only_the_space_changes(View const& view) {
  auto const other = scoped(view);
  using Other      = std::remove_const_t<decltype(other)>;
  static_assert(same<typename Other::memory_space, Scoped>);
  static_assert(same<typename Other::data_type, typename View::data_type>);
  static_assert(
      same<typename Other::array_layout, typename View::array_layout>);
  static_assert(
      same<typename Other::memory_traits, typename View::memory_traits>);
  static_assert(
      same<typename Other::execution_space, typename View::execution_space>);
  EXPECT_EQ(other.data(), view.data());
  EXPECT_EQ(other.span(), view.span());
  EXPECT_EQ(other.use_count(), view.use_count());
  for (std::size_t r = 0; r < View::rank; ++r) {
    EXPECT_EQ(other.extent(r), view.extent(r)) << r;
    EXPECT_EQ(other.stride(r), view.stride(r)) << r;
  }
  auto const back = unscoped(other);
  using Back      = std::remove_const_t<decltype(back)>;
  static_assert(same<typename Back::data_type, typename View::data_type>);
  static_assert(same<typename Back::memory_space, Host>);
  static_assert(
      same<typename Back::memory_traits, typename View::memory_traits>);
  EXPECT_EQ(back.data(), view.data());
}

TEST(scoped, keeps_ranks_and_layouts) {
  using Kokkos::LayoutLeft;
  using Kokkos::LayoutRight;
  expect_only_the_space_changes(OnHost<int>("v"));
  expect_only_the_space_changes(
      Kokkos::View<int**, LayoutLeft, Host>("v", 3, 4));
  expect_only_the_space_changes(
      Kokkos::View<int**, LayoutRight, Host>("v", 3, 4));
  expect_only_the_space_changes(
      Kokkos::View<int* [3][2], LayoutRight, Host>("v", 3));
  expect_only_the_space_changes(
      Kokkos::View<int********, LayoutLeft, Host>("v", 1, 2, 3, 1, 2, 3, 1, 2));
  Kokkos::View<int**, LayoutLeft, Host> const matrix("v", 3, 4);
  expect_only_the_space_changes(Kokkos::subview(matrix, 1, Kokkos::ALL));
  expect_only_the_space_changes(
      Kokkos::subview(matrix, Kokkos::pair(1, 3), Kokkos::pair(1, 3)));
}

TEST(scoped, keeps_const_and_memory_traits) {
  using Kokkos::MemoryTraits;
  OnHost<double*> const view("v", 4);
  expect_only_the_space_changes(OnHost<double const*>(view));
  expect_only_the_space_changes(
      Kokkos::View<double const*, Host, MemoryTraits<Kokkos::RandomAccess>>(
          view));
  expect_only_the_space_changes(
      Kokkos::View<double*, Host, MemoryTraits<Kokkos::Atomic>>(view));
  expect_only_the_space_changes(
      Kokkos::View<double*, Host, MemoryTraits<Kokkos::Restrict>>(view));
  double data[4] = {};
  expect_only_the_space_changes(
      Kokkos::View<double*, Host, MemoryTraits<Kokkos::Unmanaged>>(data, 4));
}

TEST(scoped, makes_what_is_made_like_the_result_draw_from_the_arena) {
  OnHost<double*> const view("view", 10);
  HostArena arena;
  ArenaScope const scope(arena);
  auto const other = scoped(view);
  Kokkos::View<double*, typename decltype(other)::memory_space> const temporary(
      "temporary", 10);
  EXPECT_EQ(arena.statistics().live_allocations, 1u);
}

TEST(scoped, of_an_empty_view_is_empty) {
  auto const other = scoped(OnHost<double*>());
  EXPECT_EQ(other.data(), nullptr);
  EXPECT_EQ(other.use_count(), 0);
}

TEST(adapt, takes_spaces_devices_and_execution_spaces) {
  OnHost<double*> const view("view", 10);
  auto const other = adapt<Kokkos::Device<Exec, Scoped>>(view);
  static_assert(same<decltype(other), decltype(adapt<Scoped>(view)) const>);
  static_assert(same<typename decltype(other)::memory_space, Scoped>);
  auto const back = adapt<Exec>(other);
  static_assert(
      same<typename decltype(back)::memory_space, typename Exec::memory_space>);
  EXPECT_EQ(back.data(), view.data());
  EXPECT_EQ(view.use_count(), 3);
}

// ----------------------------------------------------------------- containers

// Spelt as the View is, with another memory space.

template <class From, class To, class Space = Scoped>
constexpr bool becomes = same<KokkosArena::rebind_view_t<From, Space>, To>;
template <class From, class To>
constexpr bool and_back = becomes<From, To> && becomes<To, From, Host>;

using Random = Kokkos::MemoryTraits<Kokkos::RandomAccess>;
using Left   = Kokkos::LayoutLeft;

static_assert(
    and_back<Kokkos::View<float*, Host>, Kokkos::View<float*, Scoped>>);
static_assert(and_back<Kokkos::View<float const**, Left, Host>,
                       Kokkos::View<float const**, Left, Scoped>>);
static_assert(and_back<Kokkos::View<float[3], Host, Random>,
                       Kokkos::View<float[3], Scoped, Random>>);
static_assert(and_back<Kokkos::View<float*, Left, Host, Random>,
                       Kokkos::View<float*, Left, Scoped, Random>>);
static_assert(and_back<Kokkos::View<float*, Kokkos::Device<Exec, Host>>,
                       Kokkos::View<float*, Kokkos::Device<Exec, Scoped>>>);
static_assert(becomes<Kokkos::View<float*, Exec>,
                      Kokkos::View<float*, Kokkos::Device<Exec, Scoped>>>);
// The default space is the host's here.
static_assert(becomes<Kokkos::View<float*>, Kokkos::View<float*, Scoped>>);
static_assert(
    becomes<Kokkos::View<float*, Left>, Kokkos::View<float*, Left, Scoped>>);
static_assert(becomes<Kokkos::View<float*, Random>,
                      Kokkos::View<float*, Scoped, Random>>);
static_assert(becomes<Kokkos::View<float*, Left, Random>,
                      Kokkos::View<float*, Left, Scoped, Random>>);

TEST(adapt, gives_types_that_are_those_of_code_over_the_space) {
  OnHost<float*> const host("host", 3);
  OnScoped<float*> const other = scoped(host);
  // One type, so that a program may choose.
  auto const& either = host.extent(0) > 2 ? unscoped(other) : host;
  static_assert(same<decltype(either), OnHost<float*> const&>);
  EXPECT_EQ(either.data(), host.data());
  std::vector<OnScoped<float*>> const views =
      adapt<Scoped>(std::vector<OnHost<float*>>{host});
  EXPECT_EQ(views[0].data(), host.data());
}

TEST(adapt, rebinds_a_dyn_rank_view) {
  Kokkos::DynRankView<double, Host> const host("host", 3, 4);
  auto const result = adapt<Scoped>(host);
  static_assert(
      same<decltype(result), Kokkos::DynRankView<double, Scoped> const>);
  EXPECT_EQ(result.data(), host.data());
  EXPECT_EQ(result.rank(), 2u);
  EXPECT_EQ(result.extent(1), 4u);
  EXPECT_EQ(adapt<Host>(result).data(), host.data());
}

TEST(adapt, rebinds_a_dual_view_with_what_it_knows) {
  Kokkos::DualView<double*, Kokkos::Device<Exec, Host>> host("host", 5);
  host.modify_host();
  auto result = adapt<Scoped>(host);
  static_assert(same<decltype(result),
                     Kokkos::DualView<double*, Kokkos::Device<Exec, Scoped>>>);
  EXPECT_EQ(result.view_host().data(), host.view_host().data());
  EXPECT_EQ(result.view_device().data(), host.view_device().data());
  EXPECT_EQ(result.need_sync_device(), host.need_sync_device());
  result.modify_device();
  EXPECT_EQ(result.need_sync_host(), host.need_sync_host());
}

TEST(adapt, rebinds_the_views_of_a_tuple) {
  OnHost<double*> const a("a", 3);
  OnHost<int**> const b("b", 2, 2);
  auto const result = adapt<Scoped>(std::tuple(a, 5, b, std::string("text")));
  static_assert(
      same<decltype(result), std::tuple<OnScoped<double*>, int, OnScoped<int**>,
                                        std::string> const>);
  EXPECT_EQ(std::get<0>(result).data(), a.data());
  EXPECT_EQ(std::get<1>(result), 5);
  EXPECT_EQ(std::get<2>(result).data(), b.data());
  EXPECT_EQ(std::get<3>(result), "text");
  EXPECT_EQ(a.use_count(), 2);
}

TEST(adapt, rebinds_the_views_of_a_pair) {
  OnHost<double*> const a("a", 3);
  auto const result = adapt<Scoped>(std::pair(a, 2.5));
  static_assert(
      same<decltype(result), std::pair<OnScoped<double*>, double> const>);
  EXPECT_EQ(result.first.data(), a.data());
  EXPECT_EQ(result.second, 2.5);
}

TEST(adapt, rebinds_the_views_of_an_array) {
  std::array<OnHost<int*>, 3> const views{
      OnHost<int*>("a", 1), OnHost<int*>("b", 2), OnHost<int*>("c", 3)};
  auto const result = adapt<Scoped>(views);
  static_assert(same<decltype(result), std::array<OnScoped<int*>, 3> const>);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(result[i].data(), views[i].data());
    EXPECT_EQ(result[i].extent(0), i + 1);
  }
}

TEST(adapt, rebinds_the_views_of_a_vector) {
  std::vector<OnHost<int*>> views;
  for (int n = 0; n < 5; ++n) views.emplace_back("v", n + 1);
  auto const result = adapt<Scoped>(views);
  static_assert(same<decltype(result), std::vector<OnScoped<int*>> const>);
  ASSERT_EQ(result.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(result[i].data(), views[i].data());
  }
  EXPECT_TRUE(adapt<Scoped>(std::vector<OnHost<int*>>{}).empty());
}

TEST(adapt, rebinds_the_views_of_nested_containers) {
  OnHost<int*> const a("a", 1), b("b", 2), c("c", 3);
  using V           = OnHost<int*>;
  using S           = OnScoped<int*>;
  auto const result = adapt<Scoped>(
      std::tuple(std::vector{std::pair(a, 1), std::pair(b, 2)},
                 std::array<std::vector<V>, 2>{{{c}, {}}},
                 std::pair(std::tuple(a, b), std::array<V, 1>{c})));
  static_assert(
      same<decltype(result),
           std::tuple<std::vector<std::pair<S, int>>,
                      std::array<std::vector<S>, 2>,
                      std::pair<std::tuple<S, S>, std::array<S, 1>>> const>);
  EXPECT_EQ(std::get<0>(result)[1].first.data(), b.data());
  EXPECT_EQ(std::get<0>(result)[1].second, 2);
  EXPECT_EQ(std::get<1>(result)[0][0].data(), c.data());
  EXPECT_TRUE(std::get<1>(result)[1].empty());
  EXPECT_EQ(std::get<0>(std::get<2>(result).first).data(), a.data());
  EXPECT_EQ(std::get<2>(result).second[0].data(), c.data());
}

TEST(adapt, keeps_the_data_of_containers_alive_after_their_source_is_gone) {
  auto source = std::make_unique<std::vector<std::pair<OnHost<int*>, int>>>();
  source->emplace_back(OnHost<int*>("a", 10), 1);
  source->emplace_back(OnHost<int*>("b", 20), 2);
  for (auto const& [view, number] : *source) Kokkos::deep_copy(view, number);
  auto const result = adapt<Scoped>(*source);
  source.reset();
  for (auto const& [view, number] : result) {
    EXPECT_EQ(view.use_count(), 1);
    for (std::size_t i = 0; i < view.extent(0); ++i) {
      ASSERT_EQ(view(i), number);
    }
  }
}

TEST(adapt, is_idempotent_on_containers) {
  OnHost<int*> const a("a", 1);
  auto const once  = adapt<Scoped>(std::tuple(a, std::vector{a}));
  auto const twice = adapt<Scoped>(once);
  static_assert(same<decltype(once), decltype(twice)>);
  EXPECT_EQ(std::get<0>(twice).data(), a.data());
  auto const back = adapt<Host>(once);
  static_assert(
      same<typename std::tuple_element_t<0, decltype(back)>::memory_space,
           Host>);
  EXPECT_EQ(std::get<1>(back)[0].data(), a.data());
}

TEST(adapt, copies_what_is_no_view) {
  EXPECT_EQ(adapt<Scoped>(5), 5);
  EXPECT_EQ(adapt<Scoped>(std::string("text")), "text");
  std::vector<int> const numbers{1, 2, 3};
  EXPECT_EQ(adapt<Scoped>(numbers), numbers);
  struct Plain {
    int value;
  };
  EXPECT_EQ(adapt<Scoped>(Plain{4}).value, 4);
  EXPECT_EQ(adapt<Scoped>(std::tuple()), std::tuple());
}

// --------------------------------------------------------------------- models

template <class Space>
struct Layer {
  Kokkos::View<double**, Kokkos::LayoutRight, Space> weights;
  std::string name;

  template <class S>
  auto adapt() const {
    return Layer<S>{KokkosArena::adapt<S>(weights), name};
  }
};

template <class Space>
struct Model {
  std::vector<Layer<Space>> layers;
  std::pair<Kokkos::View<double*, Kokkos::LayoutRight, Space>, int> input;
  double rate = 0;

  template <class S>
  auto adapt() const {
    return Model<S>{KokkosArena::adapt<S>(layers), KokkosArena::adapt<S>(input),
                    rate};
  }
};

Model<Host> make_model() {
  Model<Host> model;
  for (int n : {2, 3}) {
    Kokkos::View<double**, Kokkos::LayoutRight, Host> const weights("weights",
                                                                    n, n);
    Kokkos::deep_copy(weights, n);
    model.layers.push_back({weights, "layer " + std::to_string(n)});
  }
  model.input.first  = {"input", 2};
  model.input.second = 17;
  model.rate         = 0.5;
  return model;
}

TEST(adapt, calls_the_member_adapt_of_a_model) {
  auto const model  = make_model();
  auto const result = adapt<Scoped>(model);
  static_assert(same<decltype(result), Model<Scoped> const>);
  ASSERT_EQ(result.layers.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(result.layers[i].weights.data(), model.layers[i].weights.data());
    EXPECT_EQ(result.layers[i].weights.use_count(), 2);
    EXPECT_EQ(result.layers[i].name, model.layers[i].name);
  }
  EXPECT_EQ(result.input.first.data(), model.input.first.data());
  EXPECT_EQ(result.input.second, 17);
  EXPECT_EQ(result.rate, 0.5);
}

TEST(adapt, brings_a_model_there_and_back) {
  auto const model  = make_model();
  auto const result = adapt<Host>(adapt<Scoped>(model));
  static_assert(same<decltype(result), decltype(model)>);
  EXPECT_EQ(result.layers[1].weights.data(), model.layers[1].weights.data());
}

TEST(adapt, keeps_the_data_of_a_model_alive_after_it_is_gone) {
  auto const result = adapt<Scoped>(make_model());
  EXPECT_EQ(result.layers[1].weights.use_count(), 1);
  EXPECT_EQ(result.layers[1].weights(2, 2), 3.);
}

TEST(adapt, rebinds_models_in_containers) {
  auto const model  = make_model();
  auto const result = adapt<Scoped>(std::tuple(model, std::vector{model}));
  static_assert(
      same<decltype(result),
           std::tuple<Model<Scoped>, std::vector<Model<Scoped>>> const>);
  EXPECT_EQ(std::get<1>(result)[0].layers[0].weights.data(),
            model.layers[0].weights.data());
}

// ----------------------------------------------------------------- aggregates

template <class Space>
struct Dense {
  struct Norm {
    Kokkos::View<double*, Space> mean;
    Kokkos::View<double*, Space> variance;
  };
  Kokkos::View<double**, Kokkos::LayoutRight, Space> weights;
  Kokkos::View<double*, Space> bias;
  Norm norm;
  std::string name;
};

template <class Space>
struct Net {
  std::vector<Dense<Space>> dense;
  std::array<Kokkos::View<float*, Space>, 2> pair;
  Kokkos::View<int*, Space> c_array[2][2];
  Kokkos::View<double*, Host> always_on_the_host;
  std::tuple<Kokkos::View<int*, Space>, int> tuple;
  double const* pointer = nullptr;
  double rate           = 1;
  bool flags[3]         = {};
};

Net<Host> make_net() {
  Net<Host> net;
  net.dense.push_back({{"weights", 2, 2}, {"bias", 2}, {}, "first"});
  net.dense.push_back({{"weights", 3, 3}, {"bias", 3}, {}, "second"});
  net.dense[1].norm.variance = {"variance", 3};
  net.pair[1]                = {"float", 4};
  net.c_array[0][1]          = {"0 1", 1};
  net.c_array[1][0]          = {"1 0", 1};
  net.always_on_the_host     = {"host", 1};
  std::get<0>(net.tuple)     = {"int", 5};
  std::get<1>(net.tuple)     = 6;
  net.pointer                = net.always_on_the_host.data();
  net.rate                   = 7;
  net.flags[1]               = true;
  return net;
}

TEST(adapt, takes_aggregates_apart_and_puts_them_together) {
  auto const net    = make_net();
  auto const result = adapt<Scoped>(net);
  static_assert(same<decltype(result), Net<Scoped> const>);
  ASSERT_EQ(result.dense.size(), 2u);
  EXPECT_EQ(result.dense[0].weights.data(), net.dense[0].weights.data());
  EXPECT_EQ(result.dense[1].bias.data(), net.dense[1].bias.data());
  EXPECT_EQ(result.dense[1].norm.variance.data(),
            net.dense[1].norm.variance.data());
  EXPECT_EQ(result.dense[1].name, "second");
  EXPECT_EQ(result.pair[1].data(), net.pair[1].data());
  EXPECT_EQ(result.c_array[0][0].data(), nullptr);
  EXPECT_EQ(result.c_array[0][1].data(), net.c_array[0][1].data());
  EXPECT_EQ(result.c_array[1][0].data(), net.c_array[1][0].data());
  EXPECT_EQ(result.always_on_the_host.data(), net.always_on_the_host.data());
  EXPECT_EQ(std::get<0>(result.tuple).data(), std::get<0>(net.tuple).data());
  EXPECT_EQ(std::get<1>(result.tuple), 6);
  EXPECT_EQ(result.pointer, net.pointer);
  EXPECT_EQ(result.rate, 7);
  EXPECT_TRUE(result.flags[1]);
  EXPECT_EQ(net.pair[1].use_count(), 2);
}

TEST(adapt, brings_aggregates_there_and_back) {
  auto const net    = make_net();
  auto const result = adapt<Host>(adapt<Scoped>(net));
  static_assert(same<decltype(result), Net<Host> const>);
  EXPECT_EQ(result.c_array[1][0].data(), net.c_array[1][0].data());
  auto const again = adapt<Host>(net);
  EXPECT_EQ(again.dense[0].bias.data(), net.dense[0].bias.data());
}

TEST(adapt, shares_the_views_of_aggregates_without_an_allocation) {
  auto const net = make_net();
  HostArena arena;
  ArenaScope const scope(arena);
  auto const result = adapt<Scoped>(net);
  EXPECT_EQ(result.pair[1].use_count(), 2);
  EXPECT_EQ(arena.statistics().total_allocations, 0u);
}

/// Where something else than a memory space tells it.
template <class View>
struct OfView {
  View view;
  int number;
};
template <class Device>
struct OfDevice {
  Kokkos::View<double*, Device> view;
};
template <class ExecutionSpace, class MemorySpace>
struct OfBoth {
  Kokkos::View<double*, ExecutionSpace> execution;
  Kokkos::View<double*, MemorySpace> memory;
};

TEST(adapt, takes_aggregates_over_views_and_devices) {
  OnHost<double*> const view("view", 3);
  auto const of_view = adapt<Scoped>(OfView<OnHost<double*>>{view, 4});
  static_assert(same<decltype(of_view), OfView<OnScoped<double*>> const>);
  EXPECT_EQ(of_view.view.data(), view.data());
  EXPECT_EQ(of_view.number, 4);

  using Device         = Kokkos::Device<Exec, Host>;
  auto const of_device = adapt<Scoped>(OfDevice<Device>{view});
  static_assert(
      same<decltype(of_device), OfDevice<Kokkos::Device<Exec, Scoped>> const>);
  EXPECT_EQ(of_device.view.data(), view.data());

  auto const of_execution = adapt<Scoped>(OfDevice<Exec>{view});
  static_assert(same<decltype(of_execution),
                     OfDevice<Kokkos::Device<Exec, Scoped>> const>);
  EXPECT_EQ(of_execution.view.data(), view.data());

  auto const of_both = adapt<Scoped>(OfBoth<Exec, Host>{view, view});
  static_assert(same<decltype(of_both), OfBoth<Exec, Scoped> const>);
  EXPECT_EQ(of_both.execution.data(), view.data());
  EXPECT_EQ(of_both.memory.data(), view.data());
}

/// Of which a tree is made.
template <class Space>
struct Node {
  Kokkos::View<int*, Space> view;
  std::vector<Node> children;
};

TEST(adapt, takes_trees) {
  Node<Host> root{{"root", 1}, {}};
  root.children.push_back({{"child", 1}, {{{"grandchild", 1}, {}}}});
  auto const result = adapt<Scoped>(root);
  static_assert(same<decltype(result), Node<Scoped> const>);
  EXPECT_EQ(result.children[0].children[0].view.data(),
            root.children[0].children[0].view.data());
}

/// Aggregates without Views, or with nothing to change, stay what they are,
/// whatever else is in them.
template <class Space>
struct Numbers {
  int count;
  double factor;
};
struct Leaf {
  std::vector<Leaf> children;
  std::string name;
};

TEST(adapt, copies_aggregates_without_views_of_another_space) {
  auto const numbers = adapt<Scoped>(Numbers<Host>{3, 0.5});
  static_assert(same<decltype(numbers), Numbers<Host> const>);
  EXPECT_EQ(numbers.count, 3);
  EXPECT_EQ(adapt<Scoped>(Leaf{{{{}, "child"}}, "root"}).children[0].name,
            "child");
  std::vector<int, KokkosArena::ArenaAllocator<int>> const own{1, 2};
  auto const copy = adapt<Scoped>(own);
  static_assert(same<decltype(copy), decltype(own)>);
  EXPECT_EQ(copy, own);
}

/// Members that need a value, have no type of their own in C++, or take any.
template <class Space>
struct Odd {
  enum class Kind : short { first, second };
  std::any any;
  std::reference_wrapper<int> reference;
  Kokkos::View<int*, Space> view;
  Kind kind;
  Kind kinds[2];
  int bits : 3;
  unsigned more_bits : 5;
};

TEST(adapt, takes_aggregates_with_odd_members) {
  int number = 0;
  OnHost<int*> const view("view", 1);
  using Kind        = Odd<Host>::Kind;
  auto const result = adapt<Scoped>(Odd<Host>{std::any(5),
                                              number,
                                              view,
                                              Kind::second,
                                              {Kind::first, Kind::second},
                                              -2,
                                              17});
  static_assert(same<decltype(result), Odd<Scoped> const>);
  EXPECT_EQ(std::any_cast<int>(result.any), 5);
  EXPECT_EQ(&result.reference.get(), &number);
  EXPECT_EQ(result.view.data(), view.data());
  EXPECT_EQ(result.kind, Odd<Scoped>::Kind::second);
  EXPECT_EQ(result.kinds[1], Odd<Scoped>::Kind::second);
  EXPECT_EQ(result.bits, -2);
  EXPECT_EQ(result.more_bits, 17u);
}

TEST(adapt, takes_again_what_it_has_made) {
  auto const net  = make_net();
  auto const once = adapt<Scoped>(net);
  // Of another space remains what is so in each Net.
  auto const twice = adapt<Scoped>(once);
  static_assert(same<decltype(twice), decltype(once)>);
  EXPECT_EQ(twice.dense[0].bias.data(), net.dense[0].bias.data());
  auto const in_a_vector = adapt<Scoped>(std::vector{once});
  static_assert(same<decltype(in_a_vector), std::vector<Net<Scoped>> const>);
  EXPECT_EQ(in_a_vector[0].pair[1].data(), net.pair[1].data());
}

TEST(adapt, keeps_the_kind_of_allocator_of_a_vector) {
  using V = OnHost<int*>;
  using S = OnScoped<int*>;
  V const view("view", 1);
  auto const result =
      adapt<Scoped>(std::vector<V, KokkosArena::ArenaAllocator<V>>{view, view});
  static_assert(same<decltype(result),
                     std::vector<S, KokkosArena::ArenaAllocator<S>> const>);
  EXPECT_EQ(result[1].data(), view.data());
}

/// The members of an anonymous union can't be told.
struct WithUnion {
  int number;
  union {
    int i;
    float f;
  };
};

TEST(adapt, copies_an_aggregate_with_an_anonymous_union) {
  WithUnion object{3, {}};
  object.f          = 0.5F;
  auto const result = adapt<Scoped>(std::pair(OnHost<int*>("v", 1), object));
  EXPECT_EQ(result.second.number, 3);
  EXPECT_EQ(result.second.f, 0.5F);
}

// What can be seen to hold Views in another space isn't copied in silence: see
// KokkosArena_AdaptRefusals.cpp for the text.

template <class T>
inline constexpr bool is_refused =
    KokkosArena::Impl::holds_other_views_v<Scoped, T>;

struct NotATemplate {
  OnHost<double*> view;
};
template <class Space>
class WithPrivateMembers {
  Kokkos::View<double*, Space> m_view;
};
struct Deep {
  int number;
  struct {
    std::vector<NotATemplate> inner;
  } middle;
};
struct Derived : NotATemplate {
  int number;
};
struct NeedsValue {
  OnHost<double*> view;
  std::reference_wrapper<int> reference;
};
struct Empty {};
template <class Space>
struct DerivedNeedsValue : Empty {
  Kokkos::View<double*, Space> view;
  std::reference_wrapper<int> reference;
};
static_assert(is_refused<NotATemplate>);
static_assert(is_refused<NeedsValue>);
static_assert(is_refused<DerivedNeedsValue<Host>>);
static_assert(is_refused<NotATemplate[3]>);
static_assert(is_refused<WithPrivateMembers<Host>>);
static_assert(is_refused<Deep>);
static_assert(is_refused<std::vector<NotATemplate>>);
static_assert(is_refused<std::optional<OnHost<double*>>>);
static_assert(is_refused<std::map<int, OnHost<double*>>>);
static_assert(is_refused<std::shared_ptr<OnHost<double*>>>);
static_assert(is_refused<Kokkos::Device<Exec, Host>> == false);
static_assert(!is_refused<WithPrivateMembers<Scoped>>);
static_assert(!is_refused<std::optional<OnScoped<double*>>>);
static_assert(!is_refused<OnHost<double*>*>);
static_assert(!is_refused<Leaf>);
static_assert(!is_refused<std::function<void(OnHost<double*>)>>);

TEST(adapt, keeps_a_tuple_of_one_tuple_or_pair) {
  using V = Kokkos::View<int*, Host>;
  V const v("v", 1);
  auto const a = adapt<Scoped>(std::tuple<std::pair<V, int>>(std::pair(v, 1)));
  EXPECT_EQ(std::tuple_size_v<std::remove_const_t<decltype(a)>>, 1u);
  auto const b =
      adapt<Scoped>(std::tuple<std::tuple<V, int>>(std::tuple(v, 1)));
  EXPECT_EQ(std::tuple_size_v<std::remove_const_t<decltype(b)>>, 1u);
}

TEST(adapt, rebinds_const_views_in_containers) {
  using V      = Kokkos::View<int*, Host>;
  auto const c = adapt<Scoped>(std::pair<V const, int>(V("v", 1), 1));
  EXPECT_TRUE(
      (std::is_same_v<typename decltype(c.first)::memory_space, Scoped>));
}

}  // namespace
