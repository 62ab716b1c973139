// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The blocks of an arena over an upstream of made-up addresses, which gives
// blocks, and over host memory, which grows in place.
#include <KokkosArena_MockUpstream.hpp>
#include <engine/KokkosArena_Blocks.hpp>
#include <engine/KokkosArena_Owners.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace {

using KokkosArena::ArenaOptions;
using KokkosArena::ArenaStatistics;
using KokkosArena::Impl::Blocks;
using KokkosArena::Impl::Core;
using KokkosArena::Impl::HostUpstream;
using KokkosArenaTest::MockLog;
using KokkosArenaTest::MockUpstream;

constexpr std::size_t KiB = 1024;
constexpr std::size_t MiB = 1024 * KiB;

/// Nobody looks into it.
Core* owner() {
  static char some;
  return reinterpret_cast<Core*>(&some);
}

ArenaStatistics figures(Blocks const& blocks) {
  ArenaStatistics s;
  blocks.add_to(s);
  return s;
}

std::uintptr_t take(Blocks& blocks, std::size_t bytes,
                    std::size_t alignment = 64) {
  std::string failure;
  return blocks.allocate(bytes, alignment, false, failure);
}

std::uintptr_t take_view(Blocks& blocks, std::size_t bytes) {
  std::string failure;
  auto const address = blocks.allocate(bytes, 64, true, failure);
  if (address) ++blocks.serving().live;
  return address;
}

struct MockBlocks {
  explicit MockBlocks(ArenaOptions options = {})
      : blocks(owner(), options, std::make_unique<MockUpstream>(log), nullptr) {
  }
  ~MockBlocks() { EXPECT_EQ(log.wrong_deallocations, 0u); }
  void reset() {
    blocks.record_cycle();
    blocks.start_cycle(0);
  }
  MockLog log;
  Blocks blocks;
};

TEST(blocks, take_nothing_before_the_first_request) {
  MockBlocks m;
  EXPECT_TRUE(m.blocks.empty());
  EXPECT_TRUE(m.log.requests.empty());
  EXPECT_EQ(m.blocks.current().allocate(64, 64), 0u);
}

TEST(blocks, several_become_one_at_the_second_cycle) {
  MockBlocks m;
  auto const cycle = [&] {
    for (int i = 0; i < 10; ++i) ASSERT_NE(take(m.blocks, 100 * KiB), 0u);
  };
  cycle();
  EXPECT_GT(figures(m.blocks).blocks, 1u);
  m.reset();
  cycle();
  EXPECT_EQ(figures(m.blocks).blocks, 1u);
  auto const requests = m.log.requests.size();
  for (int i = 0; i < 10; ++i) {
    m.reset();
    cycle();
  }
  EXPECT_EQ(m.log.requests.size(), requests);
  EXPECT_EQ(figures(m.blocks).upstream_allocations, requests);
}

TEST(blocks, allocations_are_of_the_owner_until_the_block_goes_back) {
  MockBlocks m;
  auto const address = reinterpret_cast<void*>(take(m.blocks, KiB));
  EXPECT_EQ(KokkosArena::Impl::find_core(address), owner());
  m.blocks.release(0);
  EXPECT_EQ(KokkosArena::Impl::find_core(address), nullptr);
  EXPECT_TRUE(m.log.live.empty());
}

TEST(blocks, what_the_upstream_refuses_is_asked_for_in_the_least_size) {
  MockBlocks m;
  ASSERT_NE(take(m.blocks, MiB), 0u);
  m.log.fail_above = MiB / 2;
  ASSERT_NE(take(m.blocks, MiB / 4), 0u);
  EXPECT_EQ(m.log.requests[1], MiB) << "as much as there is";
  EXPECT_EQ(m.log.requests[2], MiB / 4);
}

TEST(blocks, refusal_leaves_them_as_they_were_and_says_what_the_upstream_said) {
  MockBlocks m;
  ASSERT_NE(take(m.blocks, MiB), 0u);
  auto const before = figures(m.blocks);
  m.log.fail_above  = 0;
  std::string failure;
  EXPECT_EQ(m.blocks.allocate(MiB, 64, false, failure), 0u);
  EXPECT_EQ(failure, "mock is out");
  auto const after = figures(m.blocks);
  EXPECT_EQ(after.blocks, before.blocks);
  EXPECT_EQ(after.used_bytes, before.used_bytes);
  EXPECT_EQ(after.upstream_allocations, before.upstream_allocations);
  m.log.fail_above = KokkosArenaTest::unlimited;
  EXPECT_NE(take(m.blocks, MiB), 0u);
}

TEST(blocks, maximum_holds_for_all_together) {
  MockBlocks m(ArenaOptions{.maximum_bytes = MiB});
  EXPECT_NE(take(m.blocks, MiB / 2), 0u);
  EXPECT_EQ(take(m.blocks, MiB), 0u);
  EXPECT_LE(m.log.live.begin()->second, MiB);
}

TEST(blocks, request_beyond_all_memory_asks_the_upstream_for_nothing) {
  MockBlocks m;
  for (auto const bytes :
       {KokkosArenaTest::unlimited, KokkosArenaTest::unlimited / 2 + 2}) {
    EXPECT_EQ(take(m.blocks, bytes), 0u);
    EXPECT_EQ(take(m.blocks, bytes, MiB), 0u);
  }
  EXPECT_TRUE(m.log.requests.empty());
}

TEST(blocks, alignment_beyond_the_blocks_own_is_had) {
  MockBlocks m;
  for (std::size_t alignment = 64; alignment <= 4 * MiB; alignment *= 2) {
    EXPECT_EQ(take(m.blocks, 64, alignment) % alignment, 0u) << alignment;
  }
}

TEST(blocks, alignment_that_was_refused_costs_later_cycles_nothing) {
  MockBlocks m;
  auto const cycle = [&] { ASSERT_NE(take(m.blocks, 100 * KiB), 0u); };
  cycle();
  m.reset();
  cycle();
  m.log.fail_above = MiB;
  EXPECT_EQ(take(m.blocks, 64, std::size_t(1) << 40), 0u);
  m.log.fail_above    = KokkosArenaTest::unlimited;
  auto const requests = m.log.requests.size();
  for (int i = 0; i < 3; ++i) {
    m.reset();
    cycle();
  }
  EXPECT_EQ(m.log.requests.size(), requests);
}

TEST(blocks, block_with_a_view_retires_and_goes_back_with_its_last) {
  MockBlocks m;
  auto const view  = take_view(m.blocks, KiB);
  auto const other = take_view(m.blocks, KiB);
  m.blocks.record_cycle();
  m.blocks.start_cycle(2 * KiB);
  EXPECT_TRUE(m.blocks.empty());
  EXPECT_TRUE(m.blocks.have_retired());
  EXPECT_EQ(figures(m.blocks).retired_blocks, 1u);
  m.blocks.deallocate_view(view, KiB);
  EXPECT_EQ(m.log.live.size(), 1u);
  m.blocks.deallocate_view(other, KiB);
  EXPECT_FALSE(m.blocks.have_retired());
  EXPECT_TRUE(m.log.live.empty());
}

TEST(blocks, bounded_ones_without_room_for_a_fresh_one_stay_with_their_views) {
  MockBlocks m(ArenaOptions{.maximum_bytes = MiB});
  auto const view = take_view(m.blocks, 600 * KiB);
  m.blocks.record_cycle();
  m.blocks.start_cycle(600 * KiB);
  EXPECT_FALSE(m.blocks.have_retired());
  EXPECT_EQ(figures(m.blocks).blocks, 1u);
  m.blocks.deallocate_view(view, 600 * KiB);
}

TEST(blocks, retired_one_serves_again_where_the_upstream_has_no_more) {
  MockBlocks m;
  auto const view = take_view(m.blocks, KiB);
  m.blocks.start_cycle(KiB);
  m.log.fail_above = 0;
  EXPECT_NE(take(m.blocks, KiB), 0u);
  EXPECT_FALSE(m.blocks.have_retired());
  EXPECT_EQ(figures(m.blocks).blocks, 1u);
  m.blocks.deallocate_view(view, KiB);
}

TEST(blocks, bounded_ones_wait_for_what_they_have_given_back) {
  MockBlocks m(ArenaOptions{.maximum_bytes = MiB});
  m.log.sets_aside = true;
  for (int i = 0; i < 3; ++i) ASSERT_NE(take(m.blocks, 250 * KiB), 0u);
  ASSERT_GT(figures(m.blocks).blocks, 1u);
  m.reset();
  ASSERT_GT(m.log.set_aside, MiB / 2);
  EXPECT_EQ(m.log.waits, 0u);
  EXPECT_NE(take(m.blocks, 700 * KiB), 0u);
  EXPECT_EQ(m.log.waits, 1u);
}

TEST(blocks, peak_counts_only_the_chunk_that_is_known) {
  MockBlocks m;
  ASSERT_NE(take(m.blocks, 512 * KiB), 0u);
  m.blocks.deallocate(m.blocks.serving().begin(), 512 * KiB);
  m.blocks.record_cycle();
  auto const first  = m.blocks.take_chunk(64, 64 * KiB);
  auto const second = m.blocks.take_chunk(64, 16 * KiB);
  ASSERT_EQ(first.bytes(), 64 * KiB);
  ASSERT_EQ(second.bytes(), 16 * KiB);
  auto const peak = figures(m.blocks).peak_bytes;
  EXPECT_EQ(peak, 0u) << "no chunk is known";
  m.blocks.set_chunk(second.begin, KiB);
  m.blocks.note_peaks();
  EXPECT_EQ(figures(m.blocks).peak_bytes, KiB);
}

TEST(blocks, dissolved_chunk_leaves_what_was_in_use) {
  MockBlocks m;
  std::string failure;
  ASSERT_TRUE(m.blocks.acquire(MiB, failure));
  auto const range = m.blocks.take_chunk(64, 64 * KiB);
  KokkosArena::Impl::Block chunk{range.begin, range.bytes()};
  auto const view = chunk.allocate(KiB, 64);
  auto const gone = chunk.allocate(KiB, 64);
  auto const last = chunk.allocate(KiB, 64);
  chunk.deallocate(gone, KiB);
  m.blocks.dissolve_chunk(chunk, 2);
  EXPECT_EQ(chunk.capacity(), 0u);
  auto& block = m.blocks.serving();
  EXPECT_EQ(block.used(), 3 * KiB);
  EXPECT_EQ(block.free_bytes(), block.capacity() - 2 * KiB);
  EXPECT_EQ(block.live, 2u);
  m.blocks.deallocate_view(view, KiB);
  m.blocks.deallocate_view(last, KiB);
  EXPECT_EQ(block.used(), 0u);
}

/// Over host memory; skips where there are no runs of addresses.
class InRuns : public ::testing::Test {
 protected:
  void SetUp() override {
    auto const run = KokkosArena::Impl::take_run(MiB);
    if (run.bytes == 0) GTEST_SKIP() << "the system has no range of addresses";
    KokkosArena::Impl::give_back_run(run);
  }
  Blocks m_blocks{owner(), ArenaOptions{.huge_pages = false},
                  std::make_unique<HostUpstream>(false), nullptr};
};

TEST_F(InRuns, growth_is_in_place_and_contiguous) {
  auto const first = take(m_blocks, 100 * KiB);
  auto end         = first + 100 * KiB;
  std::memset(reinterpret_cast<void*>(first), 7, 100 * KiB);
  for (int i = 0; i < 100; ++i) {
    auto const next = take(m_blocks, 100 * KiB);
    ASSERT_EQ(next, end);
    end = next + 100 * KiB;
  }
  EXPECT_EQ(figures(m_blocks).blocks, 1u);
  EXPECT_EQ(reinterpret_cast<unsigned char*>(first)[100 * KiB - 1], 7);
}

TEST_F(InRuns, survivors_stay_in_service_and_the_next_cycle_fits_beside_them) {
  ASSERT_NE(take(m_blocks, 300 * KiB), 0u);
  auto const view = take_view(m_blocks, KiB);
  std::memset(reinterpret_cast<void*>(view), 5, KiB);
  ASSERT_NE(take(m_blocks, 300 * KiB), 0u);
  auto const begin = m_blocks.serving().begin();
  m_blocks.record_cycle();
  // As an arena does, which drops what isn't a View.
  m_blocks.deallocate(begin, 300 * KiB);
  m_blocks.deallocate(view + KiB, 300 * KiB);
  m_blocks.start_cycle(KiB);
  EXPECT_FALSE(m_blocks.have_retired());
  auto const taken = figures(m_blocks).upstream_allocations;
  for (int i = 0; i < 6; ++i) ASSERT_NE(take(m_blocks, 100 * KiB), 0u);
  EXPECT_EQ(m_blocks.serving().begin(), begin);
  EXPECT_LE(figures(m_blocks).upstream_allocations, taken + 1);
  for (std::size_t i = 0; i < KiB; ++i) {
    ASSERT_EQ(reinterpret_cast<unsigned char*>(view)[i], 5);
  }
  m_blocks.deallocate_view(view, KiB);
}

/// One replaced in each cycle, before or behind what is dropped.
TEST_F(InRuns,
       replaced_survivor_takes_no_more_addresses_from_the_second_cycle) {
  for (bool const first : {true, false}) {
    Blocks blocks(owner(), ArenaOptions{},
                  std::make_unique<HostUpstream>(false), nullptr);
    std::uintptr_t survivor = 0;
    std::uint64_t taken     = 0;
    for (int cycle = 0; cycle < 20; ++cycle) {
      std::uintptr_t next = first ? take_view(blocks, 800'000) : 0;
      std::vector<std::uintptr_t> temporaries;
      for (int i = 0; i < 10; ++i) {
        temporaries.push_back(take_view(blocks, 4'000'000));
        ASSERT_NE(temporaries.back(), 0u);
      }
      if (!first) next = take_view(blocks, 800'000);
      blocks.note_peaks();
      for (auto const t : temporaries) blocks.deallocate_view(t, 4'000'000);
      if (survivor) blocks.deallocate_view(survivor, 800'000);
      survivor = next;
      blocks.record_cycle();
      blocks.start_cycle(800'000);
      if (cycle == 1) taken = figures(blocks).upstream_bytes;
    }
    EXPECT_EQ(figures(blocks).upstream_bytes, taken);
    EXPECT_LE(blocks.capacity_bytes(), 42'000'000u);
    blocks.deallocate_view(survivor, 800'000);
  }
}

TEST_F(InRuns, few_survivors_get_the_room_that_others_like_them_will_need) {
  auto const view = take_view(m_blocks, 60 * KiB);
  auto const rest = take(m_blocks, 1000 * KiB);
  m_blocks.record_cycle();
  m_blocks.deallocate(rest, 1000 * KiB);
  ASSERT_LT(m_blocks.serving().free_bytes(), 1060 * KiB);
  m_blocks.start_cycle(60 * KiB);
  EXPECT_EQ(m_blocks.serving().free_bytes(), 1060 * KiB);
  m_blocks.deallocate_view(view, 60 * KiB);
}

TEST_F(InRuns, block_that_has_grown_gets_what_chunks_will_take_and_only_then) {
  ASSERT_NE(take(m_blocks, 64 * KiB), 0u);
  ASSERT_NE(take(m_blocks, MiB), 0u);
  m_blocks.record_cycle();
  m_blocks.set_spare_bytes(MiB);
  m_blocks.start_cycle(0);
  auto const capacity = m_blocks.capacity_bytes();
  EXPECT_GE(capacity, 2 * MiB + 64 * KiB);
  ASSERT_NE(take(m_blocks, MiB), 0u);
  m_blocks.record_cycle();
  m_blocks.set_spare_bytes(2 * MiB);
  m_blocks.start_cycle(0);
  EXPECT_EQ(m_blocks.capacity_bytes(), capacity);
}

/// The room behind a survivor is chosen for what the cycles before had beside
/// theirs; one that began with none had all of its own beside them.
TEST_F(InRuns, survivor_that_has_died_counts_no_longer_where_chunks_stay) {
  Blocks blocks(owner(), ArenaOptions{.history_length = 1},
                std::make_unique<HostUpstream>(false), nullptr);
  auto const large = take_view(blocks, 8 * MiB);
  blocks.record_cycle();
  blocks.start_cycle(8 * MiB);
  blocks.note_peaks();
  blocks.deallocate_view(large, 8 * MiB);
  blocks.record_cycle();
  blocks.start_cycle_around(std::vector<KokkosArena::Impl::Hole>{});

  auto const below = take(blocks, 2 * MiB);
  auto const small = take_view(blocks, 64);
  auto const above = take(blocks, 7 * MiB);
  ASSERT_NE(above, 0u);
  blocks.record_cycle();
  blocks.deallocate(below, 2 * MiB);
  blocks.deallocate(above, 7 * MiB);
  blocks.start_cycle(64);
  EXPECT_GE(blocks.serving().room(), 7 * MiB);
  blocks.deallocate_view(small, 64);
}

TEST_F(InRuns, capacity_falls_to_the_recent_peaks) {
  ASSERT_NE(take(m_blocks, 16 * MiB), 0u);
  for (int i = 0; i < 6; ++i) {
    m_blocks.record_cycle();
    m_blocks.start_cycle(0);
    ASSERT_NE(take(m_blocks, MiB), 0u);
  }
  m_blocks.record_cycle();
  m_blocks.start_cycle(0);
  EXPECT_LE(m_blocks.capacity_bytes(), 2 * MiB);
}

TEST_F(InRuns, release_returns_all_but_what_has_views) {
  ASSERT_NE(take(m_blocks, 16 * MiB), 0u);
  m_blocks.record_cycle();
  m_blocks.release(0);
  EXPECT_EQ(m_blocks.capacity_bytes(), 0u);
  auto const view = take_view(m_blocks, KiB);
  ASSERT_NE(take(m_blocks, 16 * MiB), 0u);
  m_blocks.deallocate(view + KiB, 16 * MiB);
  m_blocks.record_cycle();
  m_blocks.release(KiB);
  EXPECT_EQ(m_blocks.capacity_bytes(), KiB);
  m_blocks.deallocate_view(view, KiB);
}

TEST_F(InRuns, end_retires_what_has_views_and_returns_the_rest) {
  auto const view = take_view(m_blocks, KiB);
  m_blocks.end();
  EXPECT_TRUE(m_blocks.empty());
  ASSERT_TRUE(m_blocks.have_retired());
  reinterpret_cast<unsigned char*>(view)[0] = 1;
  m_blocks.deallocate_view(view, KiB);
  EXPECT_FALSE(m_blocks.have_retired());
}

}  // namespace
