// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an arena does where kernels run behind the host's back, with a stand-in
// for the device that can be held.
#include <KokkosArena_LaterBackend.hpp>
#include <KokkosArena_TestConfig.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaOptions;

constexpr std::size_t KiB = 1024;

/// A memory of the stand-in's that writes down what it is asked for.
using Mock     = CountingSpace;
using MockArea = LaterOver<Mock>;

template <class Sync>
struct async_arena : WithUpstream<Mock> {
  using arena_type = Arena<MockArea, Sync>;

  static ArenaOptions fixed(std::size_t bytes) {
    ArenaOptions options;
    options.initial_bytes = options.maximum_bytes = bytes;
    return options;
  }
  void TearDown() override {
    Later().fence();
    WithUpstream<Mock>::TearDown();
  }
};

using Syncs = ::testing::Types<KokkosArena::Unsynchronized, KokkosArena::Locked,
                               KokkosArena::ThreadCached>;
TYPED_TEST_SUITE(async_arena, Syncs, SyncName);

void fill(void* memory, std::size_t bytes, unsigned value) {
  std::memset(memory, static_cast<int>(value % 251), bytes);
}
bool holds(void const* memory, std::size_t bytes, unsigned value) {
  auto const* const p = static_cast<unsigned char const*>(memory);
  for (std::size_t i = 0; i < bytes; ++i) {
    if (p[i] != value % 251) return false;
  }
  return true;
}

TYPED_TEST(async_arena, memory_is_used_again_in_the_order_of_the_instance) {
  Later const instance = Later::fresh();
  typename TestFixture::arena_type arena(instance);
  std::atomic<int> wrong{0};
  for (unsigned k = 0; k < 10'000; ++k) {
    auto const bytes   = 64 + k % 5 * 1000;
    auto* const memory = arena.allocate(bytes);
    instance.submit([=] { fill(memory, bytes, k); });
    instance.submit([=, &wrong] { wrong += !holds(memory, bytes, k); });
    if (k % 3 == 0) arena.deallocate(memory);
    if (k % 7 == 0) arena.reset();
  }
  instance.fence();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(arena.statistics().upstream_allocations, 8u);
}

TYPED_TEST(async_arena, another_instance_needs_wait_for) {
  for (bool const ordered : {false, true}) {
    Later const own = Later::fresh(), other = Later::fresh();
    typename TestFixture::arena_type arena(own, 64 * KiB);
    auto* const memory = arena.allocate(KiB);
    std::atomic<int> wrong{0};
    own.submit([=] { fill(memory, KiB, 1); });
    KokkosArena::wait_for(other, own);
    other.hold();
    other.submit([=, &wrong] { wrong += !holds(memory, KiB, 1); });
    if (ordered) arena.wait_for(other);
    arena.reset();
    auto* const again = arena.allocate(KiB);
    ASSERT_EQ(again, memory);
    own.submit([=] { fill(again, KiB, 2); });
    // Without an order the other instance comes too late, which shows that this
    // test would find it.
    if (!ordered) own.fence();
    other.let_go();
    own.fence();
    other.fence();
    EXPECT_EQ(wrong, ordered ? 0 : 1);
  }
}

TYPED_TEST(async_arena, reset_takes_the_instance_to_wait_for) {
  Later const own = Later::fresh(), other = Later::fresh();
  typename TestFixture::arena_type arena(own, 64 * KiB);
  auto* const memory = arena.allocate(KiB);
  std::atomic<int> wrong{0};
  own.submit([=] { fill(memory, KiB, 1); });
  KokkosArena::wait_for(other, arena.instance());
  other.hold();
  other.submit([=, &wrong] { wrong += !holds(memory, KiB, 1); });
  auto const fences = Later::fences().load();
  arena.reset(other);
  EXPECT_EQ(arena.statistics().resets, 1u);
  auto* const again = arena.allocate(KiB);
  own.submit([=] { fill(again, KiB, 2); });
  EXPECT_EQ(Later::fences(), fences);
  other.let_go();
  own.fence();
  EXPECT_EQ(wrong, 0);
}

TYPED_TEST(async_arena, wait_for_its_own_instance_costs_nothing) {
  Later const instance = Later::fresh();
  typename TestFixture::arena_type arena(instance);
  auto const events = Later::events().load();
  auto const fences = Later::fences().load();
  arena.wait_for(instance);
  arena.wait_for(Kokkos::DefaultHostExecutionSpace());
  EXPECT_EQ(Later::events(), events);
  EXPECT_EQ(Later::fences(), fences);
  EXPECT_TRUE(arena.instance() == instance);
}

TEST(wait_for, of_a_host_arena_fences_an_instance_of_another_kind) {
  Arena<Kokkos::DefaultHostExecutionSpace> arena;
  Later const other = Later::fresh();
  bool done         = false;
  other.submit([&] { done = true; });
  auto const fences = Later::fences().load();
  arena.wait_for(other);
  EXPECT_EQ(Later::fences(), fences + 1);
  EXPECT_TRUE(done);
}

TYPED_TEST(async_arena, grows_without_a_fence_while_kernels_run) {
  Later const instance = Later::fresh();
  typename TestFixture::arena_type arena(instance);
  auto* const first = arena.allocate(KiB);
  instance.hold();
  std::atomic<int> wrong{0};
  instance.submit([=] { fill(first, KiB, 1); });
  auto const fences = Later::fences().load();
  auto* const large = arena.allocate(1000 * KiB);
  instance.submit([=] { fill(large, 1000 * KiB, 2); });
  instance.submit([=, &wrong] { wrong += !holds(first, KiB, 1); });
  EXPECT_GE(Mock::log().live.size(), 2u);
  EXPECT_EQ(Later::fences(), fences);
  instance.let_go();
  instance.fence();
  EXPECT_EQ(wrong, 0);
}

TYPED_TEST(async_arena, blocks_go_back_when_the_instance_has_passed) {
  Later const instance = Later::fresh();
  typename TestFixture::arena_type arena(instance);
  auto* const a     = arena.allocate(10 * KiB);
  auto* const b     = arena.allocate(1000 * KiB);
  auto const blocks = Mock::log().live.size();
  ASSERT_GE(blocks, 2u);
  instance.hold();
  std::atomic<int> wrong{0};
  instance.submit([=] { fill(a, 10 * KiB, 1), fill(b, 1000 * KiB, 2); });
  instance.submit([=, &wrong] { wrong += !holds(a, 10 * KiB, 1); });
  auto const fences = Later::fences().load();
  arena.reset();  // would merge the blocks
  EXPECT_EQ(Mock::log().deallocations, 0u);
  EXPECT_EQ(arena.statistics().blocks, 0u);
  EXPECT_EQ(Later::fences(), fences);
  instance.fence();
  EXPECT_EQ(wrong, 0);
  arena.reset();
  EXPECT_EQ(Mock::log().deallocations, blocks);
}

TYPED_TEST(async_arena, a_block_of_the_last_survivor_is_set_aside) {
  Later const instance = Later::fresh();
  typename TestFixture::arena_type arena(instance);
  auto& core         = arena.impl_core();
  auto* const memory = core.allocate_tracked(100 * KiB, 64, "survivor");
  arena.reset();
  ASSERT_EQ(arena.statistics().retired_blocks, 1u);
  instance.hold();
  std::atomic<int> wrong{0};
  instance.submit([=] { fill(memory, 100 * KiB, 1); });
  instance.submit([=, &wrong] { wrong += !holds(memory, 100 * KiB, 1); });
  auto const fences = Later::fences().load();
  core.deallocate_tracked(memory, 100 * KiB);
  EXPECT_EQ(Later::fences(), fences);
  EXPECT_EQ(Mock::log().deallocations, 0u);
  instance.fence();
  EXPECT_EQ(wrong, 0);
}

TYPED_TEST(async_arena, release_and_the_end_wait_and_give_all_back) {
  Later const instance = Later::fresh();
  std::atomic<int> wrong{0};
  {
    typename TestFixture::arena_type arena(instance);
    for (unsigned round = 0; round < 2; ++round) {
      auto* const memory = arena.allocate(100 * KiB);
      instance.hold();
      instance.submit([=] { fill(memory, 100 * KiB, round); });
      instance.submit(
          [=, &wrong] { wrong += !holds(memory, 100 * KiB, round); });
      if (round == 0) {
        arena.release();
        EXPECT_TRUE(Mock::log().live.empty());
        EXPECT_EQ(arena.statistics().capacity_bytes, 0u);
      }
    }
  }
  EXPECT_TRUE(Mock::log().live.empty());
  instance.fence();
  EXPECT_EQ(wrong, 0);
}

TYPED_TEST(async_arena, a_view_that_outlives_the_arena_gives_its_block_back) {
  Later const instance          = Later::fresh();
  KokkosArena::Impl::Core* core = nullptr;
  void* memory                  = nullptr;
  {
    typename TestFixture::arena_type arena(instance);
    core   = &arena.impl_core();
    memory = core->allocate_tracked(KiB, 64, "survivor");
  }
  EXPECT_EQ(Mock::log().live.size(), 1u);
  instance.hold();
  std::atomic<int> wrong{0};
  instance.submit([=] { fill(memory, KiB, 1); });
  instance.submit([=, &wrong] { wrong += !holds(memory, KiB, 1); });
  core->deallocate_tracked(memory, KiB);
  EXPECT_TRUE(Mock::log().live.empty());
  instance.fence();
  EXPECT_EQ(wrong, 0);
}

TYPED_TEST(async_arena, never_has_more_than_its_maximum_at_once) {
  Later const instance = Later::fresh();
  ArenaOptions options;
  options.maximum_bytes = 1000 * KiB;
  typename TestFixture::arena_type arena(instance, options);
  for (unsigned cycle = 0; cycle < 200; ++cycle) {
    instance.hold();
    std::size_t const bytes = (100 + cycle * 37 % 800) * KiB;
    auto* const memory      = arena.allocate(bytes);
    EXPECT_LE(Mock::log().live_bytes(), options.maximum_bytes);
    instance.submit([=] { fill(memory, bytes, cycle); });
    cycle % 3 ? arena.reset() : arena.deallocate(memory);
  }
  instance.fence();
  arena.release();
  EXPECT_TRUE(Mock::log().live.empty());
}

TYPED_TEST(async_arena, takes_what_is_set_aside_when_upstream_has_no_more) {
  Later const instance = Later::fresh();
  typename TestFixture::arena_type arena(instance);
  auto* const small = arena.allocate(10 * KiB);
  static_cast<void>(arena.allocate(1000 * KiB));
  instance.hold();
  instance.submit([=] { fill(small, 10 * KiB, 1); });
  arena.reset();
  ASSERT_GE(Mock::log().live.size(), 2u);
  // Succeeds as soon as all else has gone back.
  Mock::log().fail_request = Mock::log().requests.size();
  EXPECT_NE(arena.allocate(10 * KiB), nullptr);
  EXPECT_EQ(Mock::log().live.size(), 1u);
}

TYPED_TEST(async_arena, is_as_it_was_after_a_failure_upstream) {
  Later const instance = Later::fresh();
  typename TestFixture::arena_type arena(instance);
  static_cast<void>(arena.allocate(KiB));
  auto const before      = figures(arena.statistics());
  Mock::log().fail_above = 100 * KiB;
  EXPECT_THROW(arena.allocate(1000 * KiB), KokkosArena::ArenaExhausted);
  EXPECT_EQ(figures(arena.statistics()), before);
  Mock::log().fail_above = unlimited;
  EXPECT_NE(arena.allocate(1000 * KiB), nullptr);
}

TYPED_TEST(async_arena, steady_state_asks_upstream_and_instance_for_nothing) {
  Later const instance = Later::fresh();
  typename TestFixture::arena_type arena(instance);
  auto& core       = arena.impl_core();
  auto const cycle = [&] {
    for (std::size_t const bytes : {64u, 5000u, 100'000u}) {
      auto* const memory = core.allocate_tracked(bytes, 128, "tmp");
      instance.submit([=] { fill(memory, bytes, 1); });
      core.deallocate_tracked(memory, bytes);
    }
    static_cast<void>(arena.allocate(3000));
    arena.reset();
  };
  for (int k = 0; k < 10; ++k) cycle();
  auto const requests = Mock::log().requests.size();
  auto const fences   = Later::fences().load();
  auto const events   = Later::events().load();
  for (int k = 0; k < 1000; ++k) cycle();
  EXPECT_EQ(Mock::log().requests.size(), requests);
  EXPECT_EQ(Later::fences(), fences);
  EXPECT_EQ(Later::events(), events);
  instance.fence();
}

TYPED_TEST(async_arena,
           stream_ordered_is_refused_where_there_is_no_such_memory) {
  ArenaOptions options;
  options.stream_ordered = true;
  EXPECT_THROW(typename TestFixture::arena_type(Later(), options),
               std::invalid_argument);
  EXPECT_THROW((Arena<Kokkos::HostSpace, TypeParam>(options)),
               std::invalid_argument);
  EXPECT_TRUE(Mock::log().requests.empty());
}

TYPED_TEST(async_arena, two_side_by_side_from_two_threads) {
  std::atomic<int> wrong{0};
  Later const instances[] = {Later::fresh(), Later::fresh()};
  Arena<LaterOver<Host>, TypeParam> one(instances[0]), two(instances[1]);
  auto const work = [&wrong](auto& arena, Later const& instance) {
    for (unsigned k = 0; k < 2000; ++k) {
      auto const bytes   = 64 + k % 11 * 700;
      auto* const memory = arena.allocate(bytes);
      instance.submit([=] { fill(memory, bytes, k); });
      instance.submit([=, &wrong] { wrong += !holds(memory, bytes, k); });
      if (k % 2) arena.deallocate(memory);
      if (k % 5 == 0) arena.reset();
    }
    instance.fence();
  };
  std::thread thread([&] { work(one, instances[0]); });
  work(two, instances[1]);
  thread.join();
  EXPECT_EQ(wrong, 0);
}

// Handles: each region's counter is zeroed in the order of the instance.

TYPED_TEST(async_arena, regions_of_handles_are_used_again_in_order) {
  Later const instance = Later::fresh();
  Arena<Later, TypeParam> arena(instance);
  constexpr int count = 16;
  std::atomic<int> missing{0}, wrong{0};
  for (unsigned cycle = 0; cycle < 500; ++cycle) {
    auto const handle = arena.handle(count * 128);
    instance.submit([=, &missing, &wrong] {
      void* all[count];
      for (int i = 0; i < count; ++i) {
        all[i] = handle.allocate(100);
        if (!all[i]) {
          ++missing;
          return;
        }
        fill(all[i], 100, cycle + static_cast<unsigned>(i));
      }
      if (handle.allocate(1)) ++wrong;  // full
      for (int i = 0; i < count; ++i) {
        wrong += !holds(all[i], 100, cycle + static_cast<unsigned>(i));
      }
    });
    arena.reset();
  }
  // Waits for the kernels, in which each has failed once.
  EXPECT_EQ(arena.statistics().failed_handle_allocations, 500u);
  EXPECT_EQ(missing, 0);
  EXPECT_EQ(wrong, 0);
}

}  // namespace
