// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory of plain HostSpace from an arena: which requests, where it goes back,
// and all other users of operator new.
#include <KokkosArena_HostSpaceAdoption.hpp>
#include <KokkosArena_TestConfig.hpp>
#include <KokkosArena_TestTeam.hpp>

#include <Kokkos_DualView.hpp>
#include <Kokkos_DynRankView.hpp>
#include <Kokkos_Sort.hpp>
#include <Kokkos_StdAlgorithms.hpp>
#include <Kokkos_UnorderedMap.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

// A sanitizer's malloc otherwise ends the program where there is no memory.
extern "C" char const* __asan_default_options() {
  return "allocator_may_return_null=1";
}
extern "C" char const* __tsan_default_options() {
  return "allocator_may_return_null=1";
}

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaFrame;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaScope;
using KokkosArena::ArenaStatistics;
using KokkosArena::CheckedSpace;
using KokkosArena::HostSpaceAdoption;
using KokkosArena::Locked;
using KokkosArena::ThreadCached;
using KokkosArena::Unsynchronized;

using Exec      = Kokkos::DefaultHostExecutionSpace;
using Policy    = Kokkos::RangePolicy<Exec>;
using View      = Kokkos::View<double*, Host>;
using HostArena = Arena<Host>;

constexpr std::size_t KiB = std::size_t(1) << 10;
constexpr std::size_t MiB = std::size_t(1) << 20;

/// Whatever Kokkos puts around the data of a View is less than that.
constexpr std::size_t most_overhead = 512;

View uninitialised(std::size_t n) {
  return View(Kokkos::view_alloc("view", Kokkos::WithoutInitializing), n);
}

/// As Kokkos asks for HostSpace, without a View around it.
void* take(std::size_t bytes) {
  return ::operator new(bytes, std::align_val_t(64), std::nothrow);
}
void give_back(void* address) {
  ::operator delete(address, std::align_val_t(64), std::nothrow);
}

template <class A>
std::uint64_t live(A const& arena) {
  return arena.statistics().live_allocations;
}

/// All figures, with so many adoptions that failed.
auto with_failures(ArenaStatistics statistics, std::uint64_t failures) {
  statistics.failed_adoptions = failures;
  return figures(statistics);
}

template <class C>
struct adoption : ::testing::Test {
  using Tested = typename C::template arena_type<Host>;
  Tested arena{C::options(32 * MiB)};
};
TYPED_TEST_SUITE(adoption, All, ConfigName);

static_assert(std::is_constructible_v<HostSpaceAdoption, HostArena&>);
static_assert(std::is_constructible_v<HostSpaceAdoption,
                                      Arena<Exec, Unsynchronized>&, int>);
static_assert(
    !std::is_constructible_v<HostSpaceAdoption, Arena<CountingSpace>&>);
static_assert(!std::is_convertible_v<HostArena&, HostSpaceAdoption>);
static_assert(!std::is_copy_constructible_v<HostSpaceAdoption>);
static_assert(!std::is_copy_assignable_v<HostSpaceAdoption>);

// ------------------------------------------------------------ what is adopted

TYPED_TEST(adoption, serves_host_views_from_the_arena) {
  dirty(this->arena, MiB);
  auto const before = this->arena.statistics();
  {
    HostSpaceAdoption const adoption(this->arena);
    View const view("view", 1000);
    auto const s = this->arena.statistics();
    EXPECT_EQ(s.live_allocations, 1u);
    EXPECT_EQ(s.total_allocations, before.total_allocations + 1);
    EXPECT_GE(s.live_bytes, 1000 * sizeof(double));
    EXPECT_LE(s.live_bytes, 1000 * sizeof(double) + most_overhead);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(view(i), 0.0);
    fill_pattern(view, 1);
    View const other = uninitialised(1000);
    fill_pattern(other, 2);
    EXPECT_EQ(live(this->arena), 2u);
    EXPECT_TRUE(has_pattern(view, 1));
    EXPECT_TRUE(has_pattern(other, 2));
  }
  auto const s = this->arena.statistics();
  EXPECT_EQ(s.live_allocations, 0u);
  EXPECT_EQ(s.live_bytes, 0u);
  EXPECT_EQ(s.used_bytes, 0u);
  EXPECT_EQ(s.failed_adoptions, 0u);
}

TEST(adoption, is_in_effect_where_the_program_has_its_operators) {
  EXPECT_TRUE(HostSpaceAdoption::is_in_effect());
}

TYPED_TEST(adoption, leaves_what_is_below_the_threshold_to_malloc) {
  HostSpaceAdoption const adoption(this->arena);
  void* const below = take(4095);
  EXPECT_EQ(live(this->arena), 0u);
  void* const at = take(4096);
  EXPECT_EQ(live(this->arena), 1u);
  View const small("small", 100);
  EXPECT_EQ(live(this->arena), 1u);
  give_back(at);
  EXPECT_EQ(live(this->arena), 0u);
  give_back(below);
  EXPECT_EQ(this->arena.statistics().failed_adoptions, 0u);
}

TYPED_TEST(adoption, takes_its_threshold_in_bytes) {
  HostSpaceAdoption const adoption(this->arena, 100);
  void* const below = take(99);
  void* const at    = take(100);
  EXPECT_EQ(live(this->arena), 1u);
  give_back(below);
  give_back(at);
}

TYPED_TEST(adoption, takes_even_nothing_with_a_threshold_of_zero) {
  HostSpaceAdoption const adoption(this->arena, 0);
  void* const first  = take(0);
  void* const second = take(0);
  EXPECT_EQ(live(this->arena), 2u);
  EXPECT_NE(first, nullptr);
  EXPECT_NE(first, second);
  View const empty("empty", 0);
  View const one("one", 1);
  one(0) = 1;
  EXPECT_GE(live(this->arena), 3u);
  give_back(first);
  give_back(second);
  give_back(nullptr);
}

TYPED_TEST(adoption, takes_nothing_from_a_block_that_is_full) {
  using arena_type = std::remove_reference_t<decltype(this->arena)>;
  // For each number of bytes, nothing is what fills the block to its end.
  for (std::size_t bytes = 64; bytes <= 640; bytes += 64) {
    arena_type small(bytes);
    HostSpaceAdoption const adoption(small, 0);
    std::vector<void*> all;
    for (int i = 0; i < 10; ++i) all.push_back(take(0));
    for (void* const address : all) give_back(address);
    EXPECT_EQ(live(small), 0u);
  }
}

TYPED_TEST(adoption, gives_aligned_memory_that_is_all_the_users) {
  HostSpaceAdoption const adoption(this->arena, 1);
  Random random(1);
  std::vector<std::pair<unsigned char*, std::size_t>> blocks;
  for (int i = 0; i < 300; ++i) {
    auto const bytes = 1 + random.below(20000);
    auto* const data = static_cast<unsigned char*>(take(bytes));
    EXPECT_EQ(address_of(data) % 64, 0u);
    std::memset(data, i % 251, bytes);
    blocks.emplace_back(data, bytes);
    if (i % 3 == 2) {
      auto const victim = random.below(blocks.size());
      give_back(blocks[victim].first);
      blocks[victim] = {nullptr, 0};
    }
  }
  EXPECT_EQ(static_cast<std::ptrdiff_t>(live(this->arena)),
            std::count_if(blocks.begin(), blocks.end(),
                          [](auto const& block) { return block.first; }));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    auto const [data, bytes] = blocks[i];
    EXPECT_EQ(static_cast<std::size_t>(std::count(
                  data, data + bytes, static_cast<unsigned char>(i % 251))),
              bytes);
    give_back(data);
  }
  EXPECT_EQ(live(this->arena), 0u);
  EXPECT_EQ(this->arena.statistics().used_bytes, 0u);
}

TYPED_TEST(adoption, ends_with_its_scope) {
  {
    HostSpaceAdoption const adoption(this->arena);
  }
  View const view("view", 1000);
  EXPECT_EQ(live(this->arena), 0u);
}

TYPED_TEST(adoption, holds_for_the_innermost_and_then_for_the_outer_again) {
  typename TestFixture::Tested inner_arena(TypeParam::options(32 * MiB));
  HostSpaceAdoption const outer(this->arena, 2000);
  View const first("first", 1000);
  {
    HostSpaceAdoption const inner(inner_arena, 10000);
    View const second("second", 10000);
    EXPECT_EQ(live(this->arena), 1u);
    EXPECT_EQ(live(inner_arena), 1u);
    // It isn't the outer's turn where the inner one doesn't want it.
    View const third("third", 1000);
    {
      HostSpaceAdoption const innermost(this->arena, 0);
      View const fourth("fourth", 1);
      EXPECT_EQ(live(this->arena), 2u);
    }
    View const fifth("fifth", 2000);
    EXPECT_EQ(live(this->arena), 1u);
    EXPECT_EQ(live(inner_arena), 2u);
  }
  View const sixth("sixth", 250);
  EXPECT_EQ(live(this->arena), 2u);
  EXPECT_EQ(live(inner_arena), 0u);
}

TYPED_TEST(adoption, holds_for_the_outer_again_after_an_exception) {
  HostArena inner_arena;
  HostSpaceAdoption const outer(this->arena);
  EXPECT_THROW(
      {
        HostSpaceAdoption const inner(inner_arena);
        View const view("view", 1000);
        EXPECT_EQ(live(inner_arena), 1u);
        throw std::runtime_error("thrown on purpose");
      },
      std::runtime_error);
  EXPECT_EQ(live(inner_arena), 0u);
  View const view("view", 1000);
  EXPECT_EQ(live(inner_arena), 0u);
  EXPECT_EQ(live(this->arena), 1u);
}

TYPED_TEST(adoption, holds_for_the_thread_that_opened_it_alone) {
  HostSpaceAdoption const adoption(this->arena);
  std::thread([&] {
    give_back(take(10000));
    View const view = uninitialised(1000);
    view(999)       = 1;
  }).join();
  EXPECT_EQ(this->arena.statistics().total_allocations, 0u);
}

TYPED_TEST(adoption, of_an_arena_with_an_instance_serves_its_kernels) {
  typename TypeParam::template arena_type<Exec> arena(
      Exec(), TypeParam::options(32 * MiB));
  HostSpaceAdoption const adoption(arena);
  View const a("a", 10000), b("b", 10000);
  Kokkos::parallel_for(Policy(0, 10000), KOKKOS_LAMBDA(int i) { a(i) = i; });
  Kokkos::deep_copy(b, a);
  double sum = 0;
  Kokkos::parallel_reduce(
      Policy(0, 10000), KOKKOS_LAMBDA(int i, double& s) { s += b(i); }, sum);
  EXPECT_EQ(sum, 10000.0 * 9999 / 2);
  EXPECT_GE(live(arena), 2u);
}

// --------------------------------------------------------- where it goes back

TYPED_TEST(adoption, memory_goes_back_where_it_came_from) {
  HostArena other;
  View from_malloc("from malloc", 1000);
  View adopted;
  {
    HostSpaceAdoption const adoption(this->arena);
    adopted     = View("adopted", 1000);
    from_malloc = View();
    from_malloc = View("small", 10);
  }
  EXPECT_EQ(live(this->arena), 1u);
  fill_pattern(adopted, 1);
  {
    HostSpaceAdoption const adoption(other);
    View const in_other("in other", 1000);
    EXPECT_TRUE(has_pattern(adopted, 1));
    adopted = View();
    EXPECT_EQ(live(this->arena), 0u);
    EXPECT_EQ(live(other), 1u);
  }
  EXPECT_EQ(live(other), 0u);
}

TYPED_TEST(adoption, memory_outlives_resets_and_rewinds) {
  View kept;
  {
    HostSpaceAdoption const adoption(this->arena);
    ArenaFrame const frame(this->arena);
    kept = View("kept", 1000);
    fill_pattern(kept, 1);
  }
  for (int cycle = 0; cycle < 5; ++cycle) {
    this->arena.reset();
    HostSpaceAdoption const adoption(this->arena);
    View const temporary = uninitialised(100000);
    fill_pattern(temporary, 2);
    EXPECT_TRUE(has_pattern(kept, 1));
    EXPECT_TRUE(has_pattern(temporary, 2));
    EXPECT_EQ(live(this->arena), 2u);
  }
  auto const s = this->arena.statistics();
  EXPECT_EQ(s.escaped_views, 5u);
  EXPECT_EQ(s.retired_blocks, 0u);
  kept = View();
  EXPECT_EQ(this->arena.statistics().retired_blocks, 0u);
  EXPECT_EQ(live(this->arena), 0u);
}

TYPED_TEST(adoption, memory_outlives_the_arena) {
  std::vector<View> kept;
  std::vector<void*> raw;
  for (int i = 0; i < 3; ++i) {
    typename TestFixture::Tested short_lived(TypeParam::options(MiB));
    HostSpaceAdoption const adoption(short_lived);
    kept.push_back(uninitialised(1000));
    fill_pattern(kept.back(), static_cast<std::uint64_t>(i));
    raw.push_back(take(5000));
    std::memset(raw.back(), i, 5000);
  }
  give_back(take(5000));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(has_pattern(kept.back(), static_cast<std::uint64_t>(2 - i)));
    kept.pop_back();
    give_back(raw[static_cast<std::size_t>(i)]);
  }
}

TYPED_TEST(adoption, memory_may_be_freed_by_a_thread_that_knows_no_arena) {
  std::vector<View> views;
  {
    HostSpaceAdoption const adoption(this->arena);
    for (std::size_t i = 0; i < 10; ++i) {
      views.push_back(uninitialised(1000 * (i + 1)));
      fill_pattern(views.back(), i);
    }
  }
  EXPECT_EQ(live(this->arena), 10u);
  std::thread([views = std::move(views)]() mutable {
    for (std::size_t i = 0; i < 10; ++i) EXPECT_TRUE(has_pattern(views[i], i));
    views.clear();
  }).join();
  EXPECT_EQ(live(this->arena), 0u);
}

/// What a library keeps for its next call, and as long as the program runs.
struct Cache {
  static View& view() {
    static View instance = [] {
      Kokkos::push_finalize_hook([] { view() = View(); });
      return View("cache", 5000);
    }();
    return instance;
  }
  /// Freed after Kokkos is finalised, when the statics end.
  static double* raw() {
    struct Freed {
      void operator()(double* data) const { give_back(data); }
    };
    static std::unique_ptr<double, Freed> const instance(
        static_cast<double*>(take(5000 * sizeof(double))));
    return instance.get();
  }
};

TYPED_TEST(adoption, memory_that_a_library_keeps_stays_valid) {
  for (int i = 0; i < 3; ++i) {
    typename TestFixture::Tested short_lived(TypeParam::options(MiB));
    HostSpaceAdoption const adoption(short_lived);
    if (Cache::view().extent(0) == 0) Cache::view() = View("cache", 5000);
    View const raw(Cache::raw(), 5000);
    if (i == 0) {
      fill_pattern(Cache::view(), 1);
      fill_pattern(raw, 2);
    }
    short_lived.reset();
    EXPECT_TRUE(has_pattern(Cache::view(), 1));
    EXPECT_TRUE(has_pattern(raw, 2));
  }
  EXPECT_TRUE(has_pattern(Cache::view(), 1));
}

TYPED_TEST(adoption, memory_of_kokkos_own_scratch_stays_valid) {
  using Team = Kokkos::TeamPolicy<Exec>;
  // Each asks for more than Kokkos has kept from before.
  static std::size_t bytes = 50000;
  for (int i = 0; i < 3; ++i) {
    bytes += 20000;
    auto const n = bytes / sizeof(double) - 16;
    HostArena short_lived;
    HostSpaceAdoption const adoption(short_lived);
    int sum = 0;
    Kokkos::parallel_reduce(
        Team(4, 1).set_scratch_size(1, Kokkos::PerTeam(bytes)),
        KOKKOS_LAMBDA(Team::member_type const& member, int& s) {
          Kokkos::View<double*, Exec::scratch_memory_space> const scratch(
              member.team_scratch(1), n);
          scratch(n - 1) = member.league_rank();
          s += static_cast<int>(scratch(n - 1));
        },
        sum);
    EXPECT_EQ(sum, 6);
  }
}

// ------------------------------------------------------ what the arena hasn't

template <class C>
struct adoption_growing : adoption<C> {};
TYPED_TEST_SUITE(adoption_growing, Growing, ConfigName);
template <class C>
struct adoption_fixed : adoption<C> {};
TYPED_TEST_SUITE(adoption_fixed, Fixed, ConfigName);

TYPED_TEST(adoption_growing, takes_nothing_upstream_in_steady_state) {
  HostSpaceAdoption const adoption(this->arena);
  auto const cycle = [&] {
    std::vector<View> views;
    for (std::size_t i = 0; i < 50; ++i) {
      views.push_back(uninitialised(1000 + 500 * i));
      fill_pattern(views.back(), i);
      View const temporary = uninitialised(3000);
      fill_pattern(temporary, 99);
    }
    for (std::size_t i = 0; i < 50; ++i) EXPECT_TRUE(has_pattern(views[i], i));
    views.clear();
    this->arena.reset();
  };
  cycle();
  EXPECT_GT(this->arena.statistics().upstream_allocations, 1u);
  cycle();
  auto const upstream = this->arena.statistics().upstream_allocations;
  for (int i = 0; i < 10; ++i) cycle();
  auto const s = this->arena.statistics();
  EXPECT_EQ(s.upstream_allocations, upstream);
  EXPECT_EQ(s.blocks, 1u);
  EXPECT_EQ(s.failed_adoptions, 0u);
}

TYPED_TEST(adoption_fixed, leaves_to_malloc_what_does_not_fit_and_counts_it) {
  HostSpaceAdoption const adoption(this->arena);
  View const first      = uninitialised(100000);
  auto const before     = this->arena.statistics();
  View const larger     = uninitialised(8 * MiB);
  View const also_large = uninitialised(8 * MiB);
  EXPECT_EQ(figures(this->arena.statistics()), with_failures(before, 2));
  larger(8 * MiB - 1) = 1;
  View const fits     = uninitialised(1000);
  EXPECT_EQ(live(this->arena), 2u);
}

TYPED_TEST(adoption_fixed, goes_on_with_malloc_when_full_and_comes_back) {
  HostSpaceAdoption const adoption(this->arena);
  std::vector<View> views;
  while (this->arena.statistics().failed_adoptions < 5) {
    views.push_back(uninitialised(10000));
    fill_pattern(views.back(), views.size());
  }
  EXPECT_EQ(live(this->arena), views.size() - 5);
  for (std::size_t i = 0; i < views.size(); ++i) {
    EXPECT_TRUE(has_pattern(views[i], i + 1));
  }
  views.clear();
  EXPECT_EQ(live(this->arena), 0u);
  View const fits = uninitialised(10000);
  EXPECT_EQ(live(this->arena), 1u);
}

TYPED_TEST(adoption, leaves_what_no_memory_has_to_the_error_of_kokkos) {
  HostSpaceAdoption const adoption(this->arena);
  View const kept     = uninitialised(1000);
  auto const before   = this->arena.statistics();
  std::uint64_t tries = 0;
  // The upstream refuses the first; the others are sizes that none is asked.
  for (std::size_t const bytes :
       {std::size_t(1) << 50,
        std::size_t(std::numeric_limits<std::ptrdiff_t>::max()),
        std::numeric_limits<std::size_t>::max() - 64,
        std::numeric_limits<std::size_t>::max()}) {
    EXPECT_EQ(take(bytes), nullptr);
    ++tries;
    EXPECT_THROW(static_cast<void>(Host().allocate("huge", bytes)),
                 std::exception);
    ++tries;
    EXPECT_EQ(figures(this->arena.statistics()), with_failures(before, tries));
  }
  EXPECT_THROW(View("huge", std::size_t(1) << 47), std::exception);
  EXPECT_EQ(figures(this->arena.statistics()),
            with_failures(before, tries + 1));
  View const next("next", 1000);
  EXPECT_EQ(live(this->arena), 2u);
}

TEST(adoption_of_bounded_arena, falls_back_beyond_its_maximum) {
  HostArena arena(ArenaOptions{.maximum_bytes = MiB});
  HostSpaceAdoption const adoption(arena);
  View const first  = uninitialised(64 * KiB);
  View const second = uninitialised(128 * KiB);
  EXPECT_EQ(live(arena), 1u);
  EXPECT_EQ(arena.statistics().failed_adoptions, 1u);
  EXPECT_LE(arena.statistics().capacity_bytes, MiB);
}

// ------------------------------------------------- other users of the operator

struct alignas(64) Line {
  std::array<double, 8> values{};
};
struct alignas(256) Wide {
  std::array<double, 32> values{};
};

template <class T>
struct AlignedAllocator {
  using value_type   = T;
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(AlignedAllocator<U> const&) {}
  T* allocate(std::size_t n) {
    return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t(64)));
  }
  void deallocate(T* data, std::size_t n) {
    ::operator delete(data, n * sizeof(T), std::align_val_t(64));
  }
  bool operator==(AlignedAllocator const&) const = default;
};

TYPED_TEST(adoption, leaves_over_aligned_objects_on_the_heap) {
  HostSpaceAdoption const adoption(this->arena, 0);
  void* const adopted = take(100);
  auto const before   = figures(this->arena.statistics());
  {
    auto const one  = std::make_unique<Line>();
    auto const wide = std::make_unique<Wide>();
    auto const many = std::make_unique<Line[]>(100);
    auto const none = std::make_unique<Line[]>(0);
    std::unique_ptr<Wide> const nothrow(new (std::nothrow) Wide);
    std::vector<Line> vector(100);
    for (int i = 0; i < 1000; ++i) vector.emplace_back();
    std::vector<double, AlignedAllocator<double>> allocated(1000);
    for (int i = 0; i < 1000; ++i) allocated.push_back(i);
    EXPECT_EQ(address_of(one.get()) % 64, 0u);
    EXPECT_EQ(address_of(wide.get()) % 256, 0u);
    EXPECT_EQ(address_of(nothrow.get()) % 256, 0u);
    EXPECT_EQ(address_of(&vector[1]) % 64, 0u);
    EXPECT_EQ(allocated[1999], 999);
    EXPECT_EQ(figures(this->arena.statistics()), before);
  }
  EXPECT_EQ(figures(this->arena.statistics()), before);
  give_back(adopted);
}

TYPED_TEST(adoption, recognises_an_object_that_asks_as_kokkos_does) {
  HostSpaceAdoption const adoption(this->arena, 0);
  {
    std::unique_ptr<Line> const line(new (std::nothrow) Line);
    std::unique_ptr<Line[]> const lines(new (std::nothrow) Line[10]);
    // Compilers leave a pair of new and delete out if nothing else sees it.
    Line const* volatile const seen[] = {line.get(), lines.get()};
    EXPECT_EQ(address_of(seen[0]) % 64, 0u);
    EXPECT_GE(live(this->arena), 1u);
    lines[9].values[7] = line->values[7];
  }
  EXPECT_EQ(live(this->arena), 0u);
}

/// One that gives up at the second call.
std::atomic<int> handler_calls = 0;
void handle() {
  if (++handler_calls == 2) throw std::bad_alloc();
}

TEST(adoption_operators, fail_as_the_standard_says) {
  constexpr auto huge = std::size_t(1) << 50;
  HostArena arena(MiB);
  for (bool const open : {false, true}) {
    std::optional<HostSpaceAdoption> adoption;
    if (open) adoption.emplace(arena);
    EXPECT_THROW(static_cast<void>(::operator new(huge, std::align_val_t(64))),
                 std::bad_alloc);
    EXPECT_THROW(
        static_cast<void>(::operator new(
            std::numeric_limits<std::size_t>::max(), std::align_val_t(4096))),
        std::bad_alloc);
    EXPECT_EQ(take(huge), nullptr);
    auto* const before = std::set_new_handler(handle);
    handler_calls      = 0;
    EXPECT_THROW(static_cast<void>(::operator new(huge, std::align_val_t(64))),
                 std::bad_alloc);
    EXPECT_EQ(handler_calls, 2);
    handler_calls = 0;
    EXPECT_EQ(take(huge), nullptr);
    EXPECT_EQ(handler_calls, 2);
    std::set_new_handler(before);
  }
  EXPECT_EQ(arena.statistics().failed_adoptions, 2u);
}

TEST(adoption_operators, honour_every_alignment) {
  for (std::size_t alignment = 1; alignment <= 64 * KiB; alignment *= 2) {
    for (std::size_t const bytes : {0u, 1u, 100u, 5000u}) {
      auto const align  = std::align_val_t(alignment);
      auto* const first = ::operator new(bytes, align);
      auto* const next  = ::operator new(bytes, align, std::nothrow);
      EXPECT_EQ(address_of(first) % alignment, 0u);
      EXPECT_EQ(address_of(next) % alignment, 0u);
      EXPECT_NE(first, next);
      std::memset(first, 1, bytes);
      std::memset(next, 1, bytes);
      ::operator delete(first, bytes, align);
      ::operator delete(next, align);
    }
  }
}

// ------------------------------------------- together with the rest of arenas

TYPED_TEST(adoption, and_a_scope_serve_each_its_own_space) {
  HostArena scoped_arena;
  HostSpaceAdoption const adoption(this->arena);
  ArenaScope const scope(scoped_arena);
  using Scoped = KokkosArena::ScopedSpace<Host>;
  View const plain("plain", 1000);
  Kokkos::View<double*, Scoped> const scoped("scoped", 1000);
  Kokkos::View<double*, CheckedSpace<Host>> const checked("checked", 1000);
  EXPECT_EQ(live(this->arena), 1u);
  EXPECT_EQ(live(scoped_arena), 2u);
  Kokkos::deep_copy(plain, scoped);
  auto const shared = KokkosArena::scoped(plain);
  EXPECT_EQ(shared.use_count(), 2);
}

TYPED_TEST(adoption, and_a_scope_on_the_same_arena_share_it) {
  HostSpaceAdoption const adoption(this->arena);
  ArenaScope const scope(this->arena);
  for (int cycle = 0; cycle < 3; ++cycle) {
    View const plain  = uninitialised(1000);
    auto const scoped = KokkosArena::similar(
        Kokkos::View<double*, KokkosArena::ScopedSpace<Host>>(plain));
    fill_pattern(plain, 1);
    fill_pattern(scoped, 2);
    EXPECT_TRUE(has_pattern(plain, 1));
    EXPECT_EQ(live(this->arena), 2u);
  }
  EXPECT_EQ(live(this->arena), 0u);
}

TYPED_TEST(adoption, serves_arena_space_views_outside_of_scopes) {
  HostSpaceAdoption const adoption(this->arena);
  {
    Kokkos::View<double*, KokkosArena::ScopedSpace<Host>> const scoped("scoped",
                                                                       1000);
    Kokkos::View<double*, CheckedSpace<Host>> const checked("checked", 1000);
    scoped(999)  = 1;
    checked(999) = 1;
    EXPECT_EQ(live(this->arena), 2u);
  }
  EXPECT_EQ(live(this->arena), 0u);
}

TYPED_TEST(adoption, leaves_raw_memory_of_arena_spaces_to_their_base) {
  HostSpaceAdoption const adoption(this->arena);
  auto const check = [&](auto const& space) {
    void* const address = space.allocate("raw", 10000);
    EXPECT_EQ(live(this->arena), 0u);
    space.deallocate("raw", address, 10000);
    EXPECT_EQ(live(this->arena), 0u);
  };
  check(KokkosArena::ScopedSpace<Host>());
  check(CheckedSpace<Host>());
  EXPECT_EQ(this->arena.statistics().total_allocations, 0u);
}

TYPED_TEST(adoption, views_can_not_be_checked) {
  HostSpaceAdoption const adoption(this->arena);
  View const view("view", 1000);
  EXPECT_THROW(KokkosArena::checked(view), std::invalid_argument);
}

/// An upstream that is served by HostSpace.
struct HostSpaceMemory {
  static void* allocate(std::size_t bytes) { return Host().allocate(bytes); }
  static void deallocate(void* address, std::size_t bytes) {
    Host().deallocate(address, bytes);
  }
};
using OverHostSpace = MockSpace<HostSpaceMemory>;

TYPED_TEST(adoption, leaves_blocks_of_other_arenas_to_their_upstream) {
  OverHostSpace::log() = UpstreamLog{};
  HostSpaceAdoption const adoption(this->arena);
  {
    typename TypeParam::template arena_type<OverHostSpace> other(
        TypeParam::options(MiB));
    KokkosArena::ScopedSpace<OverHostSpace> const space(other);
    void* const address = space.allocate("raw", 10000);
    View const adopted("adopted", 1000);
    EXPECT_EQ(live(other), 1u);
    EXPECT_EQ(live(this->arena), 1u);
    space.deallocate("raw", address, 10000);
    other.release();
  }
  EXPECT_EQ(live(this->arena), 0u);
  EXPECT_EQ(OverHostSpace::log().live.size(), 0u);
}

/// A tool that takes HostSpace memory at each event.
thread_local bool t_in_tool          = false;
thread_local std::size_t t_tool_runs = 0;
void allocate_in_tool() {
  if (t_in_tool) return;
  t_in_tool = true;
  ++t_tool_runs;
  void* const address = Host().allocate("in tool", 10000);
  std::memset(address, 1, 10000);
  Host().deallocate("in tool", address, 10000);
  t_in_tool = false;
}

TYPED_TEST(adoption, lets_tools_allocate_while_the_arena_takes_a_block) {
  namespace Tools  = Kokkos::Tools::Experimental;
  auto const outer = Tools::get_callbacks();
  Tools::set_allocate_data_callback([](Kokkos_Profiling_SpaceHandle,
                                       char const*, void const*,
                                       std::uint64_t) { allocate_in_tool(); });
  Tools::set_deallocate_data_callback(
      [](Kokkos_Profiling_SpaceHandle, char const*, void const*,
         std::uint64_t) { allocate_in_tool(); });
  {
    typename TestFixture::Tested arena(TypeParam::options(MiB));
    HostSpaceAdoption const adoption(arena);
    ArenaScope const scope(arena);
    View const view("view", 1000);
    Kokkos::View<double*, CheckedSpace<Host>> const checked("checked", 1000);
    View const larger("larger", 50000);
    arena.reset();
    arena.release();
  }
  Tools::set_callbacks(outer);
  EXPECT_GE(t_tool_runs, 4u);
}

// ------------------------------------------------- Kokkos' own library code

TYPED_TEST(adoption, serves_containers_and_algorithms) {
  {
    HostSpaceAdoption const adoption(this->arena, 256);
    Kokkos::DualView<double*, Exec> dual("dual", 1000);
    dual.view_host()(999) = 1;
    dual.modify_host();
    dual.sync_device();
    dual.resize(2000);
    EXPECT_EQ(dual.view_host()(999), 1);

    Kokkos::DynRankView<double, Host> dynamic("dynamic", 10, 20, 3);
    dynamic(9, 19, 2) = 7;
    Kokkos::resize(dynamic, 11, 21, 4);
    EXPECT_EQ(dynamic(9, 19, 2), 7);

    Kokkos::UnorderedMap<int, int, Exec> map(2000);
    Kokkos::parallel_for(
        Policy(0, 1000), KOKKOS_LAMBDA(int i) { map.insert(i, 2 * i); });
    EXPECT_EQ(map.size(), 1000u);
    map.rehash(4000);
    EXPECT_EQ(map.value_at(map.find(500)), 1000);

    View view("view", 5000);
    for (int i = 0; i < 5000; ++i) view(i) = (i * 7919) % 5000;
    View const copy("copy", 5000);
    Kokkos::deep_copy(copy, view);
    Kokkos::Experimental::inclusive_scan(Exec(), view, copy);
    EXPECT_EQ(copy(4999), 4999.0 * 5000 / 2);
    Kokkos::sort(Exec(), view);
    EXPECT_EQ(view(4999), 4999);
    Kokkos::resize(view, 10000);
    EXPECT_EQ(view(4999), 4999);
    Kokkos::realloc(view, 20000);
    EXPECT_EQ(view(0), 0);

    auto* memory = static_cast<char*>(Kokkos::kokkos_malloc<Host>("raw", 5000));
    std::memset(memory, 5, 5000);
    memory = static_cast<char*>(Kokkos::kokkos_realloc<Host>(memory, 10000));
    EXPECT_EQ(std::count(memory, memory + 5000, 5), 5000);
    Kokkos::kokkos_free<Host>(memory);

    // An owning View of owning Views.
    Kokkos::View<View*, Host> const views(
        Kokkos::view_alloc("views", Kokkos::SequentialHostInit), 100);
    for (int i = 0; i < 100; ++i) views(i) = uninitialised(1000);
    fill_pattern(views(99), 3);
    EXPECT_TRUE(has_pattern(views(99), 3));
    EXPECT_GT(live(this->arena), 100u);
  }
  auto const s = this->arena.statistics();
  EXPECT_EQ(s.failed_adoptions, 0u);
  // Kokkos may keep scratch memory of its own.
  EXPECT_LE(s.live_allocations, 2u);
}

// -------------------------------------------------------------------- threads

constexpr int rounds = is_sanitized ? 300 : 3000;

/// Makes, checks and drops; keeps some for a while.
bool churn(int thread, int count) {
  Random random(static_cast<std::uint64_t>(thread) + 1);
  std::array<View, 8> kept;
  std::array<std::uint64_t, 8> seeds{};
  for (int i = 0; i < count; ++i) {
    auto const slot = random.below(8);
    if (kept[slot].data() && !has_pattern(kept[slot], seeds[slot])) {
      return false;
    }
    seeds[slot] = random();
    kept[slot]  = View();
    kept[slot]  = uninitialised(1 + random.below(3000));
    fill_pattern(kept[slot], seeds[slot]);
  }
  for (std::size_t slot = 0; slot < 8; ++slot) {
    if (!has_pattern(kept[slot], seeds[slot])) return false;
  }
  return true;
}

TYPED_TEST(adoption, holds_on_several_threads_with_an_arena_each) {
  EXPECT_TRUE(at_once(4, [](int thread) {
    typename TestFixture::Tested arena(TypeParam::options(4 * MiB));
    for (int cycle = 0; cycle < 3; ++cycle) {
      {
        HostSpaceAdoption const adoption(arena);
        if (!churn(thread, rounds / 3)) return false;
      }
      if (live(arena) != 0) return false;
      arena.reset();
    }
    return arena.statistics().total_allocations > 0;
  }));
}

template <class C>
struct adoption_shared : adoption<C> {};
TYPED_TEST_SUITE(adoption_shared, Shared, ConfigName);

TYPED_TEST(adoption_shared, holds_on_several_threads_with_one_arena) {
  EXPECT_TRUE(at_once(4, [&](int thread) {
    HostSpaceAdoption const adoption(this->arena);
    return churn(thread, rounds);
  }));
  EXPECT_EQ(live(this->arena), 0u);
}

TYPED_TEST(adoption_shared, memory_is_freed_by_threads_that_did_not_make_it) {
  struct Message {
    std::mutex mutex;
    std::vector<View> views;
  };
  constexpr int threads = 4;
  std::array<Message, threads> inbox;
  EXPECT_TRUE(at_once(threads, [&](int thread) {
    // Half of them adopt, and free what others got from malloc, too.
    std::optional<HostSpaceAdoption> adoption;
    if (thread % 2 == 0) adoption.emplace(this->arena, 2000);
    Random random(static_cast<std::uint64_t>(thread) + 1);
    for (int i = 0; i < rounds; ++i) {
      auto view = uninitialised(2 + random.below(2000));
      view(0) = view(1) = i;
      {
        auto& to = inbox[random.below(threads)];
        std::lock_guard const guard(to.mutex);
        to.views.push_back(std::move(view));
      }
      std::vector<View> mine;
      {
        auto& from = inbox[static_cast<std::size_t>(thread)];
        std::lock_guard const guard(from.mutex);
        mine.swap(from.views);
      }
      for (auto const& received : mine) {
        if (received(0) != received(1)) return false;
      }
    }
    return true;
  }));
  for (auto& message : inbox) message.views.clear();
  EXPECT_EQ(live(this->arena), 0u);
}

TYPED_TEST(adoption_shared, memory_outlives_the_thread_and_then_the_arena) {
  std::vector<View> kept(4);
  {
    typename TestFixture::Tested short_lived(TypeParam::options(4 * MiB));
    EXPECT_TRUE(at_once(4, [&](int thread) {
      HostSpaceAdoption const adoption(short_lived);
      auto& view = kept[static_cast<std::size_t>(thread)];
      view       = uninitialised(thread % 2 ? 1000 : 10000);
      fill_pattern(view, static_cast<std::uint64_t>(thread));
      return true;
    }));
    EXPECT_EQ(live(short_lived), 4u);
  }
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(has_pattern(kept[i], i));
  EXPECT_TRUE(at_once(4, [&](int thread) {
    kept[static_cast<std::size_t>(thread)] = View();
    return true;
  }));
}

// ------------------------------------------------------- what ends the program

struct adoption_death_test : ::testing::Test {
  adoption_death_test() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(adoption_death_test, exit_in_it_keeps_its_code_and_is_told) {
  EXPECT_EXIT(
      {
        static HostArena arena(labelled("left open"));
        HostSpaceAdoption const adoption(arena);
        std::exit(7);
      },
      ::testing::ExitedWithCode(7), "since the program ends");
}

TEST_F(adoption_death_test, arena_that_ends_in_it_aborts) {
  EXPECT_DEATH(
      {
        auto arena = std::make_unique<HostArena>(labelled("short-lived"));
        HostSpaceAdoption const adoption(*arena);
        arena.reset();
      },
      "arena \"short-lived\" ends while a scope on it is open");
}

TEST_F(adoption_death_test, that_ends_before_an_inner_one_aborts) {
  EXPECT_DEATH(
      {
        HostArena arena(labelled("outer"));
        auto outer = std::make_unique<HostSpaceAdoption>(arena);
        HostSpaceAdoption const inner(arena);
        outer.reset();
      },
      "HostSpaceAdoption of arena \"outer\" ends on another thread");
}

TEST_F(adoption_death_test, that_ends_on_another_thread_aborts) {
  EXPECT_DEATH(
      {
        HostArena arena(labelled("wandering"));
        auto adoption = std::make_unique<HostSpaceAdoption>(arena);
        std::thread([&] { adoption.reset(); }).join();
      },
      "HostSpaceAdoption of arena \"wandering\" ends on another thread");
}

}  // namespace
