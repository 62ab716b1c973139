// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arenas over the memory of a GPU: what resets, marks and releases do to it,
// and that errors leave them as they were.
#include <KokkosArena_TestDevice.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaExhausted;
using KokkosArena::ArenaFrame;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaScope;
using KokkosArena::make_view;

template <class M>
struct device_arena : ::testing::Test {
  using memory = M;
  using arena  = typename M::arena_type;
  using View   = ArenaView<std::uint64_t*, M>;
  using Bytes  = ArenaView<char*, M>;

  void write(View const& view, std::uint64_t seed) {
    write_pattern(m_instance, view, seed);
  }
  void check(View const& view, std::uint64_t seed) {
    check_pattern(m_instance, view, seed, m_errors);
  }
  /// All that can be used is usable.
  void use(arena& a, std::uint64_t seed) {
    ArenaScope const scope(a);
    View const view("used", 1000);
    check_bytes(m_instance, view.data(), 8000, 0, m_errors);
    write(view, seed);
    check(view, seed);
  }

  Backend m_instance = new_instance();
  ErrorCount m_errors;
};
TYPED_TEST_SUITE(device_arena, AllMemory, MemoryName);

TYPED_TEST(device_arena, takes_nothing_before_its_first_allocation) {
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("new"));
  EXPECT_TRUE(arena.instance() == this->m_instance);
  auto const s = arena.statistics();
  EXPECT_EQ(s.label, "new");
  EXPECT_EQ(s.blocks, 0u);
  EXPECT_EQ(s.capacity_bytes, 0u);
}

TYPED_TEST(device_arena, fixed_one_takes_its_bytes_at_once_and_no_more) {
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("fixed", 4 * MiB));
  auto const s = arena.statistics();
  EXPECT_EQ(s.blocks, 1u);
  EXPECT_EQ(s.capacity_bytes, 4 * MiB);
  for (std::uint64_t cycle = 0; cycle < 10; ++cycle) {
    this->use(arena, cycle);
    arena.reset();
  }
  EXPECT_EQ(arena.statistics().upstream_allocations, 1u);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_arena, allocate_aligns_to_any_power_of_two) {
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("aligned"));
  std::uint64_t seed = 0;
  std::vector<std::pair<std::uint64_t*, std::uint64_t>> all;
  for (std::size_t alignment = 1; alignment <= MiB; alignment *= 2) {
    void* const memory = arena.allocate(800, alignment);
    EXPECT_EQ(address_of(memory) % std::max<std::size_t>(alignment, 64), 0u);
    auto* const numbers = static_cast<std::uint64_t*>(memory);
    write_pattern(this->m_instance, numbers, 100, ++seed);
    all.emplace_back(numbers, seed);
  }
  for (auto const& [numbers, s] : all) {
    check_pattern(this->m_instance, numbers, 100, s, this->m_errors);
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
  for (auto const& [numbers, s] : all) arena.deallocate(numbers);
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
  EXPECT_THROW(static_cast<void>(arena.allocate(1, 48)), std::invalid_argument);
}

TYPED_TEST(device_arena, survivors_keep_their_contents_over_resets) {
  using View = typename TestFixture::View;
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("survived"));
  Random random(5);
  struct Survivor {
    View view;
    std::uint64_t seed;
  };
  std::vector<Survivor> survivors;
  std::uint64_t seed = 0;
  for (int cycle = 0; cycle < 100; ++cycle) {
    {
      ArenaScope const scope(arena);
      for (int i = 0; i < 5; ++i) {
        auto const n = 1 + random.below(20'000);
        View const view =
            i % 2 ? View("initialised", n) : make_view<View>("temporary", n);
        if (i % 2) {
          check_bytes(this->m_instance, view.data(), n * 8, 0, this->m_errors);
        }
        this->write(view, ++seed);
        this->check(view, seed);
        if (i == 0) survivors.push_back({view, seed});
      }
    }
    // Each for some cycles.
    if (survivors.size() > 8) {
      auto const one =
          survivors.begin() + static_cast<std::ptrdiff_t>(random.below(8));
      this->check(one->view, one->seed);
      survivors.erase(one);
    }
    arena.reset();
    EXPECT_EQ(arena.statistics().live_allocations, survivors.size());
  }
  for (auto const& [view, s] : survivors) this->check(view, s);
  EXPECT_EQ(this->m_errors.read(), 0u);
  EXPECT_GT(arena.statistics().escaped_views, 100u);
  survivors.clear();
  arena.reset();
  arena.release();
  auto const s = arena.statistics();
  EXPECT_EQ(s.live_allocations, 0u);
  EXPECT_EQ(s.retired_blocks, 0u);
  EXPECT_EQ(s.capacity_bytes, 0u);
}

TYPED_TEST(device_arena, survivors_in_a_fixed_arena_stay_where_they_are) {
  using View = typename TestFixture::View;
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("fixed", 4 * MiB));
  std::optional<View> survivor;
  {
    ArenaScope const scope(arena);
    auto const before = make_view<View>("before", 10'000);
    survivor          = make_view<View>("survivor", 10'000);
    this->write(before, 1);
    this->write(*survivor, 2);
  }
  for (std::uint64_t cycle = 0; cycle < 20; ++cycle) {
    arena.reset();
    ArenaScope const scope(arena);
    // All around it.
    std::vector<View> others;
    try {
      while (true) others.push_back(make_view<View>("other", 5'000));
    } catch (ArenaExhausted const&) {
    }
    EXPECT_GT(others.size(), 50u);
    for (auto const& view : others) this->write(view, cycle + 10);
    for (auto const& view : others) this->check(view, cycle + 10);
    this->check(*survivor, 2);
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
  EXPECT_EQ(arena.statistics().upstream_allocations, 1u);
}

TYPED_TEST(device_arena, views_outlive_their_arena) {
  using View = typename TestFixture::View;
  std::optional<typename TestFixture::arena> arena(
      std::in_place, this->m_instance, TypeParam::options("ended"));
  std::optional<View> view;
  {
    ArenaScope const scope(*arena);
    view.emplace("outlives", 10'000);
    View const other("other", 100'000);
  }
  this->write(*view, 1);
  arena.reset();
  // Whoever gets what the arena has given back leaves the View alone.
  typename TestFixture::arena next(this->m_instance,
                                   TypeParam::options("next"));
  this->use(next, 2);
  this->check(*view, 1);
  EXPECT_EQ(view->label(), "outlives");
  EXPECT_EQ(this->m_errors.read(), 0u);
  view.reset();
  this->use(next, 3);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_arena, exhaustion_leaves_a_fixed_arena_as_it_was) {
  using View = typename TestFixture::View;
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("small one", MiB));
  ArenaScope const scope(arena);
  View const kept("kept", 1000);
  this->write(kept, 1);
  auto const before = figures(arena.statistics());
  for (int i = 0; i < 10; ++i) {
    try {
      View const large("large one", 200'000);
      ADD_FAILURE() << "it has got what there isn't";
    } catch (ArenaExhausted const& e) {
      std::string const message = e.what();
      EXPECT_NE(message.find("small one"), std::string::npos) << message;
      EXPECT_NE(message.find("large one"), std::string::npos) << message;
    }
    EXPECT_THROW(static_cast<void>(make_view<View>("large", 200'000)),
                 ArenaExhausted);
    EXPECT_THROW(static_cast<void>(arena.allocate(2 * MiB)), ArenaExhausted);
    EXPECT_EQ(figures(arena.statistics()), before);
  }
  View const next("next", 10'000);
  this->write(next, 2);
  this->check(next, 2);
  this->check(kept, 1);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_arena, marks_are_rewound_to_and_views_stay) {
  using View = typename TestFixture::View;
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("marked", 16 * MiB));
  auto* const old = static_cast<std::uint64_t*>(arena.allocate(80'000));
  write_pattern(this->m_instance, old, 10'000, 1);
  auto const used    = arena.statistics().used_bytes;
  std::uint64_t seed = 10;
  for (int i = 0; i < 20; ++i) {
    auto const mark   = arena.mark();
    auto* const newer = static_cast<std::uint64_t*>(arena.allocate(800'000));
    write_pattern(this->m_instance, newer, 100'000, ++seed);
    check_pattern(this->m_instance, newer, 100'000, seed, this->m_errors);
    std::optional<View> view;
    {
      ArenaScope const scope(arena);
      view.emplace("view", 1000);
      this->write(*view, seed + 1000);
    }
    arena.rewind(mark);
    auto* const again = static_cast<std::uint64_t*>(arena.allocate(400'000));
    write_pattern(this->m_instance, again, 50'000, seed + 500);
    this->check(*view, seed + 1000);
    check_pattern(this->m_instance, again, 50'000, seed + 500, this->m_errors);
    arena.rewind(mark);
    view.reset();
    EXPECT_EQ(arena.statistics().used_bytes, used);
  }
  check_pattern(this->m_instance, old, 10'000, 1, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_arena, frame_drops_what_was_made_in_it) {
  using View = typename TestFixture::View;
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("framed", 16 * MiB));
  std::optional<View> survivor;
  for (std::uint64_t i = 0; i < 20; ++i) {
    ArenaFrame const outer(arena);
    View const view("view", 5000);
    this->write(view, i);
    {
      ArenaFrame const inner(arena);
      auto* const memory = static_cast<std::uint64_t*>(arena.allocate(80'000));
      write_pattern(this->m_instance, memory, 10'000, i + 100);
      check_pattern(this->m_instance, memory, 10'000, i + 100, this->m_errors);
      View const inner_view("inner", 5000);
      this->write(inner_view, i + 200);
      if (i == 7) survivor = inner_view;
    }
    View const next("next", 20'000);
    check_bytes(this->m_instance, next.data(), 160'000, 0, this->m_errors);
    this->check(view, i);
  }
  this->check(*survivor, 207);
  EXPECT_EQ(arena.statistics().live_allocations, 1u);
  survivor.reset();
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_arena, release_returns_all_and_the_arena_goes_on) {
  using View = typename TestFixture::View;
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("released"));
  for (std::uint64_t i = 0; i < 5; ++i) {
    keep_busy(this->m_instance, 2'000, this->m_errors);
    this->use(arena, i);
    EXPECT_GT(arena.statistics().capacity_bytes, 0u);
    arena.release();
    EXPECT_EQ(arena.statistics().capacity_bytes, 0u);
    EXPECT_EQ(arena.statistics().blocks, 0u);
  }
  std::optional<View> survivor;
  {
    ArenaScope const scope(arena);
    survivor.emplace("survivor", 1000);
  }
  this->write(*survivor, 1);
  arena.release();
  EXPECT_EQ(arena.statistics().capacity_bytes, 0u);
  EXPECT_EQ(arena.statistics().retired_blocks, 1u);
  this->use(arena, 7);
  this->check(*survivor, 1);
  survivor.reset();
  EXPECT_EQ(arena.statistics().retired_blocks, 0u);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_arena, blocks_become_one_when_the_cycles_are_alike) {
  using View = typename TestFixture::View;
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("growing"));
  std::uint64_t asked = 0;
  for (int cycle = 0; cycle < 8; ++cycle) {
    {
      ArenaScope const scope(arena);
      std::vector<View> views;
      for (std::uint64_t i = 0; i < 12; ++i) {
        views.push_back(make_view<View>("view", std::size_t(1) << (6 + i)));
        this->write(views.back(), i);
      }
      for (std::uint64_t i = 0; i < 12; ++i) this->check(views[i], i);
    }
    arena.reset();
    auto const s = arena.statistics();
    EXPECT_LE(s.blocks, 1u);
    EXPECT_LE(s.capacity_bytes, 4 * MiB);
    if (cycle == 3) asked = s.upstream_allocations;
  }
  EXPECT_EQ(arena.statistics().upstream_allocations, asked);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

template <class A>
std::uint64_t temporaries(A& arena, Backend const& instance,
                          ErrorCount const& errors) {
  using space = KokkosArena::ScopedSpace<typename A::memory_space>;
  using View  = Kokkos::View<std::uint64_t*, Kokkos::Device<Backend, space>>;
  for (std::uint64_t cycle = 0; cycle < 20; ++cycle) {
    ArenaScope const scope(arena);
    for (std::uint64_t i = 0; i < 10; ++i) {
      View const a("a", 3000);
      auto const b = KokkosArena::similar(a);
      write_pattern(instance, a, i);
      write_pattern(instance, b, i + 50);
      check_pattern(instance, a, i, errors);
      check_pattern(instance, b, i + 50, errors);
    }
  }
  arena.reset();
  return arena.statistics().total_allocations;
}

TYPED_TEST(device_arena, every_sync_policy_serves) {
  typename TypeParam::template arena_of<KokkosArena::Unsynchronized> one(
      this->m_instance, TypeParam::options("unsynchronized"));
  typename TypeParam::template arena_of<KokkosArena::Locked> two(
      this->m_instance, TypeParam::options("locked"));
  typename TypeParam::template arena_of<KokkosArena::ThreadCached> three(
      this->m_instance, TypeParam::options("thread cached"));
  EXPECT_EQ(temporaries(one, this->m_instance, this->m_errors), 400u);
  EXPECT_EQ(temporaries(two, this->m_instance, this->m_errors), 400u);
  EXPECT_EQ(temporaries(three, this->m_instance, this->m_errors), 400u);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

// More than the card has. Not of memory that the host shares, which a request
// beyond all bounds may harm.

template <class M>
struct device_arena_upstream : device_arena<M> {};
TYPED_TEST_SUITE(device_arena_upstream, DeviceMemory, MemoryName);

TYPED_TEST(device_arena_upstream, failure_leaves_a_growing_arena_as_it_was) {
  using View                = typename TestFixture::View;
  using Bytes               = typename TestFixture::Bytes;
  constexpr std::size_t PiB = std::size_t(1) << 50;
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("unbounded one"));
  {
    ArenaScope const scope(arena);
    EXPECT_THROW(static_cast<void>(make_view<Bytes>("first", PiB)),
                 ArenaExhausted);
    EXPECT_EQ(arena.statistics().blocks, 0u);
    View const kept("kept", 1000);
    this->write(kept, 1);
    auto const before = figures(arena.statistics());
    for (int i = 0; i < 3; ++i) {
      try {
        Bytes const large("large one", PiB);
        ADD_FAILURE() << "it has got what there isn't";
      } catch (ArenaExhausted const& e) {
        std::string const message = e.what();
        EXPECT_NE(message.find("unbounded one"), std::string::npos) << message;
        EXPECT_NE(message.find("large one"), std::string::npos) << message;
      }
      EXPECT_THROW(static_cast<void>(arena.allocate(PiB)), ArenaExhausted);
      EXPECT_EQ(figures(arena.statistics()), before);
    }
    View const next("next", 100'000);
    check_bytes(this->m_instance, next.data(), 800'000, 0, this->m_errors);
    this->write(next, 2);
    this->check(next, 2);
    this->check(kept, 1);
  }
  // The runtime has kept no error that another call would report.
  EXPECT_NO_THROW(Kokkos::fence());
  arena.reset();
  this->use(arena, 3);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_arena_upstream, failure_of_a_fixed_arena_is_thrown) {
  using arena = typename TestFixture::arena;
  EXPECT_THROW(arena(this->m_instance,
                     TypeParam::options("fixed", std::size_t(1) << 50)),
               ArenaExhausted);
  arena next(this->m_instance, TypeParam::options("next"));
  this->use(next, 1);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

// Options.

template <class Space>
std::string complaint_of(ArenaOptions options) {
  try {
    Arena<Space> const arena(std::move(options));
  } catch (std::invalid_argument const& e) {
    return e.what();
  }
  return "none";
}

TEST(device_arena_options, stream_order_is_for_memory_of_the_device_alone) {
  auto options           = labelled("ordered one");
  options.stream_ordered = true;
  for (auto const& complaint :
       {complaint_of<InUvm::base_device>(options),
        complaint_of<InPinned::base_device>(options),
        complaint_of<PinnedSpace>(options), complaint_of<Host>(options)}) {
    EXPECT_NE(complaint.find("ordered one"), std::string::npos) << complaint;
    EXPECT_NE(complaint.find("stream_ordered"), std::string::npos) << complaint;
  }
#if defined(KOKKOS_ENABLE_SYCL)
  EXPECT_NE(complaint_of<InDevice::base_device>(options), "none");
#else
  EXPECT_EQ(complaint_of<InDevice::base_device>(options), "none");
  EXPECT_EQ(complaint_of<DeviceSpace>(options), "none");
  EXPECT_EQ(complaint_of<Backend>(options), "none");
#endif
}

TEST(device_arena_options, default_instance_serves_where_none_is_named) {
  Arena<DeviceSpace> const a;
  Arena<Backend> const b(labelled("b"));
  Arena<UvmSpace> const c(MiB);
  EXPECT_TRUE(a.instance() == Backend());
  EXPECT_TRUE(b.instance() == Backend());
  EXPECT_TRUE(c.instance() == Backend());
  auto const instance = new_instance();
  KokkosArena::Arena d(instance);
  static_assert(std::is_same_v<decltype(d), Arena<Backend>>);
  EXPECT_TRUE(d.instance() == instance);
  EXPECT_FALSE(d.instance() == Backend());
}

TEST(device_arena_options, limits_and_initial_bytes_are_kept) {
  auto options          = labelled("limited");
  options.initial_bytes = 2 * MiB;
  options.maximum_bytes = 5 * MiB;
  Arena<DeviceSpace> arena(options);
  EXPECT_EQ(arena.statistics().capacity_bytes, 2 * MiB);
  auto* const a = arena.allocate(2 * MiB);
  auto* const b = arena.allocate(2 * MiB);
  EXPECT_NE(a, b);
  EXPECT_THROW(static_cast<void>(arena.allocate(2 * MiB)), ArenaExhausted);
  EXPECT_LE(arena.statistics().capacity_bytes, 5 * MiB);
  arena.reset();
  // What was set aside for kernels that still ran counts no more.
  for (int i = 0; i < 10; ++i) {
    EXPECT_NO_THROW(static_cast<void>(arena.allocate(4 * MiB)));
    arena.reset();
  }
}

}  // namespace
