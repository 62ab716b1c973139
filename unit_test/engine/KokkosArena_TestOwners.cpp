// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_MockUpstream.hpp>
#include <engine/KokkosArena_HostAddresses.hpp>
#include <engine/KokkosArena_OwnedBlock.hpp>
#include <engine/KokkosArena_Owners.hpp>

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace {

using namespace KokkosArena::Impl;
using KokkosArenaTest::MockLog;
using KokkosArenaTest::MockUpstream;

Core* owner(int i = 0) {
  static char some[8];
  return reinterpret_cast<Core*>(some + i);
}

void const* pointer(std::uintptr_t address) {
  return reinterpret_cast<void const*>(address);
}

constexpr std::uintptr_t base = std::uintptr_t(3) << 44;

TEST(owners, know_exactly_the_addresses_of_each_block) {
  add_block_owner(base + 64, base + 128, owner(0));
  add_block_owner(base + 256, base + 512, owner(1));
  EXPECT_EQ(find_core(pointer(base + 63)), nullptr);
  EXPECT_EQ(find_core(pointer(base + 64)), owner(0));
  EXPECT_EQ(find_core(pointer(base + 127)), owner(0));
  EXPECT_EQ(find_core(pointer(base + 128)), nullptr);
  EXPECT_EQ(find_core(pointer(base + 300)), owner(1));
  EXPECT_EQ(find_core(pointer(base + 512)), nullptr);
  remove_block_owner(base + 64);
  EXPECT_EQ(find_core(pointer(base + 64)), nullptr);
  EXPECT_EQ(find_core(pointer(base + 300)), owner(1));
  remove_block_owner(base + 256);
  EXPECT_EQ(find_core(nullptr), nullptr);
}

TEST(owners, are_told_from_each_other_while_threads_come_and_go) {
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t, &wrong] {
      auto const begin =
          base + (std::uintptr_t(1) << 30) * static_cast<unsigned>(t);
      for (int i = 0; i < 2000; ++i) {
        add_block_owner(begin, begin + 64, owner(t));
        wrong[static_cast<std::size_t>(t)] +=
            find_core(pointer(begin + 10)) != owner(t);
        remove_block_owner(begin);
        wrong[static_cast<std::size_t>(t)] +=
            find_core(pointer(begin + 10)) != nullptr;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(owned_block, without_memory_gives_nothing_back) {
  MockLog log;
  MockUpstream upstream(log);
  {
    OwnedBlock const block(upstream, owner());
  }
  EXPECT_EQ(log.wrong_deallocations, 0u);
}

TEST(owned_block, gives_back_what_it_asked_for_though_it_uses_whole_granules) {
  MockLog log;
  MockUpstream upstream(log);
  log.offset = 16;
  {
    OwnedBlock block(upstream, owner());
    block.allocate_upstream(1000);
    EXPECT_EQ(block.upstream_bytes(), 1000u);
    EXPECT_EQ(block.begin() % 64, 0u);
    EXPECT_LE(block.capacity(), 1000u);
    EXPECT_GE(block.capacity(), 1000u - 127);
    EXPECT_EQ(find_core(pointer(block.begin())), owner());
  }
  EXPECT_TRUE(log.live.empty());
  EXPECT_EQ(log.wrong_deallocations, 0u);
}

TEST(owned_block, has_nothing_after_the_upstream_threw) {
  MockLog log;
  MockUpstream upstream(log);
  log.fail_above = 0;
  OwnedBlock block(upstream, owner());
  EXPECT_THROW(block.allocate_upstream(1000), std::runtime_error);
  EXPECT_EQ(block.capacity(), 0u);
  EXPECT_EQ(block.upstream_bytes(), 0u);
}

/// Of which the tests touch what nobody has allocated.
class UnpoisonedUpstream final : public HostUpstream {
 public:
  using HostUpstream::HostUpstream;
  bool is_poisonable() const noexcept override { return false; }
};

TEST(owned_block, in_a_run_grows_shrinks_and_forgets) {
  UnpoisonedUpstream upstream(false);
  std::uintptr_t begin = 0;
  {
    OwnedBlock block(upstream, owner());
    if (!block.begin_run(1 << 20, 1 << 30)) GTEST_SKIP() << "no addresses";
    begin       = block.begin();
    auto* bytes = reinterpret_cast<unsigned char*>(begin);
    bytes[0]    = 1;
    ASSERT_TRUE(block.enlarge(1 << 20));
    EXPECT_EQ(block.begin(), begin);
    EXPECT_EQ(block.capacity(), std::size_t(2) << 20);
    EXPECT_EQ(bytes[0], 1);
    bytes[(2 << 20) - 1] = 2;
    block.shrink_to(1 << 20);
    EXPECT_EQ(block.upstream_bytes(), std::size_t(1) << 20);
    ASSERT_TRUE(block.enlarge(1 << 20));
    EXPECT_EQ(bytes[(2 << 20) - 1], 0) << "its memory went back";
    EXPECT_EQ(find_core(bytes), owner());
    bytes[1 << 20] = 3;
    block.discard_free(1 << 20);
    EXPECT_EQ(bytes[0], 1);
    EXPECT_EQ(bytes[1 << 20], 0);
    bytes[1 << 20] = 3;
    block.discard_free(1 << 20);
    EXPECT_EQ(bytes[1 << 20], 3) << "once, until more is touched again";
  }
  EXPECT_EQ(find_core(pointer(begin)), nullptr);
}

}  // namespace
