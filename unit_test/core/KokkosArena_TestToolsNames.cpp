// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Kokkos Tools see of arena Views by default: Views of the base space,
// each once, and the kernels that initialise them.
#include <KokkosArena_HostSpaceAdoption.hpp>
#include <KokkosArena_TestConfig.hpp>
#include <KokkosArena_TestTools.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace KokkosArenaTest;

using Exec = Kokkos::DefaultHostExecutionSpace;

// Before the library asks for it.
[[maybe_unused]] int const as_by_default = setenv("KOKKOS_ARENA_TOOLS", "", 1);

/// Names and device ids of the kernels that a tool sees while f runs.
template <class F>
std::vector<std::pair<std::string, std::uint32_t>> kernels(F const& f) {
  static std::vector<std::pair<std::string, std::uint32_t>> seen;
  seen.clear();
  auto const outer = Kokkos::Tools::Experimental::get_callbacks();
  Kokkos::Tools::Experimental::set_begin_parallel_for_callback(
      [](char const* name, std::uint32_t device, std::uint64_t*) {
        seen.emplace_back(name, device);
      });
  f();
  Kokkos::Tools::Experimental::set_callbacks(outer);
  return seen;
}

struct WithConstructor {
  WithConstructor() : value(7) {}
  int value;
};

template <class T, class Space>
auto kernels_of_views() {
  return kernels([] {
    Kokkos::View<T*, Space> const plain("plain", 100);
    Kokkos::View<T*, Space> const on(Kokkos::view_alloc(Exec(), "on"), 100);
    Kokkos::View<T*, Space> const empty("empty", 0);
    Kokkos::View<T*, Space> const sequential(
        Kokkos::view_alloc("sequential", Kokkos::SequentialHostInit), 100);
  });
}

TEST(tools_names, kernels_are_those_of_the_base_space) {
  KokkosArena::Arena<Host> arena;
  KokkosArena::ArenaScope const scope(arena);
  auto const numbers = kernels_of_views<double, Host>();
  EXPECT_EQ(numbers.size(), 2u);
  EXPECT_EQ((kernels_of_views<double, Scoped>()), numbers);
  EXPECT_EQ((kernels_of_views<double, KokkosArena::CheckedSpace<Host>>()),
            numbers);
  auto const others = kernels_of_views<WithConstructor, Host>();
  EXPECT_EQ(others.size(), 2u);
  EXPECT_EQ((kernels_of_views<WithConstructor, Scoped>()), others);
}

TEST(tools_names, a_view_is_one_of_the_base_space_and_counts_once) {
  {
    // The first adoption of a program tries out what it replaces.
    KokkosArena::Arena<Host> arena;
    KokkosArena::HostSpaceAdoption const adoption(arena);
  }
  ToolsObserver tools;
  {
    KokkosArena::Arena<Host> arena;
    KokkosArena::ArenaScope const scope(arena);
    {
      Kokkos::View<double*, Scoped> const scoped("scoped", 1000);
      Kokkos::View<double*, KokkosArena::CheckedSpace<Host>> const checked(
          "checked", 1000);
      EXPECT_EQ(tools.live_bytes(Host::name()), 2 * 8000u);
    }
    EXPECT_EQ(tools.live_bytes(Host::name()), 0u);
    {
      KokkosArena::HostSpaceAdoption const adoption(arena);
      Kokkos::View<double*, Host> const adopted("adopted", 100'000);
      EXPECT_EQ(tools.live_bytes(Host::name()), 800'000u);
    }
    arena.reset();
  }
  EXPECT_EQ(tools.live_bytes(Host::name()), 0u);
  for (auto const& event : tools.events()) {
    EXPECT_EQ(event.space, Host::name());
    EXPECT_TRUE(event.label == "scoped" || event.label == "checked" ||
                event.label == "adopted")
        << event.label;
  }
  EXPECT_EQ(tools.events().size(), 6u);
}

}  // namespace
