// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_TestBytes.hpp>
#include <KokkosArena_TestRandom.hpp>
#include <engine/KokkosArena_Upstream.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <new>

namespace {

using namespace KokkosArena::Impl;
using KokkosArenaTest::all_are;
using KokkosArenaTest::unlimited;

/// Knows what was reported, and not yet as returned.
class Reporting final : public HostUpstream {
 public:
  using HostUpstream::HostUpstream;

  std::map<void const*, std::size_t> live;
  int taken = 0, returned = 0;

 private:
  void report_taken(void const* address, std::size_t bytes) override {
    ++taken;
    EXPECT_TRUE(live.emplace(address, bytes).second);
  }
  void report_returned(void const* address,
                       std::size_t bytes) noexcept override {
    ++returned;
    auto const found = live.find(address);
    ASSERT_NE(found, live.end());
    EXPECT_EQ(found->second, bytes);
    live.erase(found);
  }
};

class host_upstream : public ::testing::TestWithParam<bool> {
 protected:
  Reporting upstream{GetParam()};

  void TearDown() override {
    EXPECT_TRUE(upstream.live.empty());
    EXPECT_EQ(upstream.taken, upstream.returned);
  }
};
INSTANTIATE_TEST_SUITE_P(pages, host_upstream, ::testing::Bool(),
                         [](auto const& parameter) {
                           return parameter.param ? "huge" : "small";
                         });

TEST_P(host_upstream, blocks_are_usable_and_reported) {
  for (std::size_t const bytes :
       {std::size_t(1), std::size_t(100'000), std::size_t(5) << 20}) {
    auto* const block = static_cast<unsigned char*>(upstream.allocate(bytes));
    EXPECT_EQ(upstream.live.size(), 1u);
    EXPECT_EQ(upstream.live.at(block), bytes);
    EXPECT_TRUE(all_are(block, bytes, 0));
    std::memset(block, 0xab, bytes);
    upstream.deallocate(block, bytes);
  }
  EXPECT_EQ(upstream.taken, 3);
}

TEST_P(host_upstream, block_that_cannot_be_had_throws_and_is_not_reported) {
  EXPECT_THROW(upstream.allocate(unlimited / 2), std::bad_alloc);
  EXPECT_EQ(upstream.taken, 0);
}

TEST_P(host_upstream, run_grows_and_shrinks_in_place_and_is_reported_anew) {
  auto const run = upstream.begin_run(1000, std::size_t(64) << 20);
  ASSERT_GT(run.bytes, 0u);
  auto* const data = reinterpret_cast<unsigned char*>(run.begin);
  std::size_t held = 1000;
  std::memset(data, 0xab, held);
  for (std::size_t const bytes :
       {std::size_t(1001), std::size_t(70'000), std::size_t(9) << 20,
        std::size_t(9) << 20, std::size_t(66'000), std::size_t(64),
        std::size_t(5) << 20}) {
    ASSERT_TRUE(upstream.resize_run(run, held, bytes));
    EXPECT_EQ(upstream.live.size(), 1u);
    EXPECT_EQ(upstream.live.at(data), bytes);
    EXPECT_TRUE(all_are(data, std::min(held, bytes), 0xab));
    std::memset(data, 0xab, bytes);
    held = bytes;
  }
  upstream.end_run(run, held);
  EXPECT_EQ(upstream.taken, 8);
}

TEST_P(host_upstream, run_that_would_be_too_small_is_none_and_not_reported) {
  // More than the share that one without a bound gets.
  auto const run = upstream.begin_run(unlimited / 2, unlimited);
  EXPECT_EQ(run.bytes, 0u);
  EXPECT_EQ(upstream.taken, 0);
}

TEST_P(host_upstream, runs_and_blocks_live_side_by_side) {
  auto const first  = upstream.begin_run(1000, 1000);
  auto const second = upstream.begin_run(2000, unlimited);
  auto* const block = upstream.allocate(3000);
  ASSERT_GT(first.bytes, 0u);
  ASSERT_GT(second.bytes, 0u);
  EXPECT_EQ(upstream.live.size(), 3u);
  std::memset(reinterpret_cast<void*>(first.begin), 1, 1000);
  std::memset(reinterpret_cast<void*>(second.begin), 2, 2000);
  std::memset(block, 3, 3000);
  EXPECT_TRUE(all_are(reinterpret_cast<unsigned char*>(first.begin), 1000, 1));
  EXPECT_TRUE(all_are(reinterpret_cast<unsigned char*>(second.begin), 2000, 2));
  upstream.end_run(first, 1000);
  upstream.deallocate(block, 3000);
  upstream.end_run(second, 2000);
}

}  // namespace
