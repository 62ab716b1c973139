// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_TestRandom.hpp>
#include <engine/KokkosArena_UntrackedLog.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

using KokkosArena::Impl::UntrackedLog;
using KokkosArenaTest::Random;

struct Noted {
  std::uintptr_t address;
  std::size_t bytes;
  std::uint64_t epoch;
};

void note(UntrackedLog& log, Noted const& noted) {
  if (log.full()) log.grow();
  log.note(noted.address, noted.bytes, noted.epoch);
}

TEST(untracked_log, forgets_the_oldest_first_as_the_newest_first) {
  for (bool const oldest : {true, false}) {
    UntrackedLog log;
    constexpr std::uintptr_t count = 100'000;
    for (std::uintptr_t i = 1; i <= count; ++i) note(log, {64 * i, i, 1});
    for (std::uintptr_t i = 1; i <= count; ++i) {
      auto const k = oldest ? i : count + 1 - i;
      ASSERT_EQ(log.forget(64 * k), k);
      ASSERT_EQ(log.forget(64 * k), 0u);
    }
    EXPECT_TRUE(log.empty());
    EXPECT_EQ(log.total(), count);
  }
}

TEST(untracked_log, agrees_with_a_list_after_random_operations) {
  UntrackedLog log;
  Random random(1);
  std::vector<Noted> expected;  // in the order of their making
  std::uint64_t epoch = 1, total = 0;
  for (int operation = 0; operation < 100'000; ++operation) {
    auto const kind = random.below(1000);
    if (kind < 600) {
      // Addresses that have been given back come again.
      std::uintptr_t address = 64 * (1 + random.below(20'000));
      bool const taken =
          std::any_of(expected.begin(), expected.end(),
                      [&](Noted const& n) { return n.address == address; });
      if (taken) continue;
      expected.push_back({address, 1 + random.below(1000), epoch});
      note(log, expected.back());
      ++total;
    } else if (kind < 990 && !expected.empty()) {
      auto const i =
          kind < 750 ? expected.size() - 1 : random.below(expected.size());
      ASSERT_EQ(log.forget(expected[i].address), expected[i].bytes);
      expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(i));
    } else if (kind < 994) {
      EXPECT_EQ(log.forget(64 * 30'000), 0u);
    } else if (kind < 998) {
      ++epoch;
    } else if (kind < 999) {
      auto const kept = epoch - random.below(3);
      log.drop_after(kept, [&](std::uintptr_t address, std::size_t bytes) {
        ASSERT_FALSE(expected.empty());
        EXPECT_GT(expected.back().epoch, kept);
        EXPECT_EQ(expected.back().address, address);
        EXPECT_EQ(expected.back().bytes, bytes);
        expected.pop_back();
      });
      EXPECT_TRUE(expected.empty() || expected.back().epoch <= kept);
    } else if (random.below(10) == 0) {
      log.clear();
      expected.clear();
    }
    ASSERT_EQ(log.empty(), expected.empty());
    ASSERT_EQ(log.total(), total);
    // So that the list stays short.
    if (expected.size() > 3000) {
      log.clear();
      expected.clear();
    }
  }
}

}  // namespace
