// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of one block, held against a map of its bytes.
#include <KokkosArena_TestRandom.hpp>
#include <engine/KokkosArena_Block.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace {

using KokkosArenaTest::Random;
using Block = KokkosArena::Impl::Block;

constexpr std::uintptr_t base = std::uintptr_t(1) << 44;

/// Not inlined: GCC 16, told that the vector of holes is empty, warns of
/// accesses beyond its end on paths that are never taken.
[[gnu::noinline]] Block make_block(std::size_t bytes) { return {base, bytes}; }

std::size_t granules(std::size_t bytes) { return (bytes + 63) / 64; }

/// Which granules of the block are taken.
class Map {
 public:
  explicit Map(std::size_t bytes) : m_taken(bytes / 64, false) {}

  void take(std::uintptr_t address, std::size_t bytes) {
    ASSERT_GE(address, base);
    ASSERT_LE(address + bytes, base + m_taken.size() * 64);
    for (std::size_t g = 0; g < granules(bytes); ++g) {
      ASSERT_FALSE(m_taken[first(address) + g]);
      m_taken[first(address) + g] = true;
    }
  }
  void give_back(std::uintptr_t address, std::size_t bytes) {
    for (std::size_t g = 0; g < granules(bytes); ++g) {
      m_taken[first(address) + g] = false;
    }
  }
  /// The least top that the block can have.
  std::size_t used() const {
    std::size_t top = m_taken.size();
    while (top > 0 && !m_taken[top - 1]) --top;
    return top * 64;
  }
  /// Free runs below the top, as begin and end.
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> holes() const {
    std::vector<std::pair<std::uintptr_t, std::uintptr_t>> result;
    for (std::size_t g = 0; g < used() / 64; ++g) {
      if (m_taken[g]) continue;
      auto const address = base + g * 64;
      if (!result.empty() && result.back().second == address) {
        result.back().second += 64;
      } else {
        result.emplace_back(address, address + 64);
      }
    }
    return result;
  }
  bool has_room(std::size_t bytes, std::size_t alignment) const {
    std::size_t run = 0;
    for (std::size_t g = 0; g < m_taken.size(); ++g) {
      if (m_taken[g]) {
        run = 0;
      } else if (run > 0 || (base + g * 64) % alignment == 0) {
        if (++run == granules(bytes)) return true;
      }
    }
    return false;
  }

 private:
  static std::size_t first(std::uintptr_t address) {
    return (address - base) / 64;
  }
  std::vector<bool> m_taken;
};

TEST(block, allocations_are_disjoint_and_holes_are_what_is_left) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    constexpr std::size_t bytes = 64 * 512;
    auto block                  = make_block(bytes);
    Map map(bytes);
    std::vector<std::pair<std::uintptr_t, std::size_t>> held;
    for (int i = 0; i < 3000; ++i) {
      if (held.empty() || random.below(100) < 52) {
        auto const size = 1 + random.below(random.below(10) ? 600 : 6000);
        auto const alignment =
            random.below(4) ? 64 : std::size_t(1) << random.below(13);
        bool const room    = map.has_room(size, alignment);
        auto const address = block.allocate(size, alignment);
        if (address == 0) {
          ASSERT_FALSE(room) << "the block says that it is full, and isn't";
        } else {
          ASSERT_EQ(address % alignment, 0u);
          map.take(address, size);
          if (HasFatalFailure()) return;
          held.emplace_back(address, size);
        }
      } else {
        // Often the newest, as temporaries do.
        if (random.below(2)) {
          std::swap(held.back(), held[random.below(held.size())]);
        }
        auto const [address, size] = held.back();
        held.pop_back();
        block.deallocate(address, size);
        map.give_back(address, size);
      }
      ASSERT_EQ(block.used(), map.used()) << "the top has to retreat";
      std::vector<std::pair<std::uintptr_t, std::uintptr_t>> holes;
      for (auto const& hole : block.holes()) {
        holes.emplace_back(hole.begin, hole.end);
        ASSERT_EQ(hole.bytes(), hole.end - hole.begin);
      }
      ASSERT_EQ(holes, map.holes());
    }
    for (auto const& [address, size] : held) block.deallocate(address, size);
    EXPECT_EQ(block.used(), 0u);
    EXPECT_TRUE(block.holes().empty());
    EXPECT_EQ(block.allocate(bytes, 64), base);
  }
}

TEST(block, large_allocations_from_both_ends_are_disjoint_and_leave_nothing) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    constexpr std::size_t bytes = 64 * 512;
    auto block                  = make_block(bytes);
    Map map(bytes);
    std::vector<std::pair<std::uintptr_t, std::size_t>> held;
    std::size_t taken = 0;
    for (int i = 0; i < 3000; ++i) {
      if (held.empty() || random.below(100) < 52) {
        auto const size = 1 + random.below(random.below(10) ? 600 : 6000);
        auto const alignment =
            random.below(4) ? 64 : std::size_t(1) << random.below(13);
        bool const room    = map.has_room(size, alignment);
        bool const large   = random.below(3) > 0;
        auto const address = large ? block.allocate_large(size, alignment)
                                   : block.allocate(size, alignment);
        if (address == 0) {
          // An alignment may fit at one end and not at the other.
          ASSERT_FALSE(room && alignment <= 64);
        } else {
          ASSERT_EQ(address % alignment, 0u);
          map.take(address, size);
          if (HasFatalFailure()) return;
          held.emplace_back(address, size);
          taken += granules(size) * 64;
        }
      } else {
        if (random.below(2)) {
          std::swap(held.back(), held[random.below(held.size())]);
        }
        auto const [address, size] = held.back();
        held.pop_back();
        block.deallocate(address, size);
        map.give_back(address, size);
        taken -= granules(size) * 64;
      }
      ASSERT_LE(block.top(), block.floor());
      std::size_t in_holes  = 0;
      std::uintptr_t behind = 0;
      for (auto const& hole : block.holes()) {
        ASSERT_NE(hole.begin, behind) << "neighbours have to become one";
        ASSERT_NE(hole.end, block.top());
        ASSERT_NE(hole.begin, block.floor());
        in_holes += hole.bytes();
        behind = hole.end;
      }
      ASSERT_EQ(block.used(), taken + in_holes);
    }
    for (auto const& [address, size] : held) block.deallocate(address, size);
    EXPECT_EQ(block.used(), 0u);
    EXPECT_TRUE(block.holes().empty());
    EXPECT_EQ(block.allocate(bytes, 64), base);
  }
}

TEST(block, large_allocations_that_overlap_in_time_leave_no_hole) {
  auto block          = make_block(6400);
  std::uintptr_t last = 0;
  std::size_t before  = 0;
  for (std::size_t const bytes : {640, 1280, 64, 3200, 2560, 3840, 128}) {
    auto const address = block.allocate_large(bytes, 64);
    ASSERT_NE(address, 0u);
    EXPECT_EQ(block.used(), before + bytes);
    if (last) block.deallocate(last, before);
    EXPECT_TRUE(block.holes().empty());
    last   = address;
    before = bytes;
  }
}

TEST(block, neighbouring_holes_become_one_in_any_order_of_frees) {
  std::vector<std::size_t> order{1, 2, 3};
  do {
    auto block = make_block(640);
    for (int i = 0; i < 5; ++i) block.allocate(64, 64);
    for (auto const i : order) block.deallocate(base + i * 64, 64);
    ASSERT_EQ(block.holes().size(), 1u);
    EXPECT_EQ(block.holes()[0].begin, base + 64);
    EXPECT_EQ(block.holes()[0].end, base + 4 * 64);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(block, top_retreats_over_the_hole_beneath_it) {
  auto block = make_block(640);
  for (int i = 0; i < 4; ++i) block.allocate(64, 64);
  block.deallocate(base + 128, 64);
  block.deallocate(base + 64, 64);
  EXPECT_EQ(block.used(), 256u);
  block.deallocate(base + 192, 64);
  EXPECT_EQ(block.used(), 64u);
  EXPECT_TRUE(block.holes().empty());
}

TEST(block, gap_before_an_aligned_allocation_is_a_hole) {
  auto block = make_block(64 * 100);
  block.allocate(1, 1);
  auto const aligned = block.allocate(100, 1024);
  EXPECT_EQ(aligned, base + 1024);
  ASSERT_EQ(block.holes().size(), 1u);
  EXPECT_EQ(block.holes()[0].begin, base + 64);
  EXPECT_EQ(block.holes()[0].end, aligned);
  EXPECT_EQ(block.allocate(960, 64), base + 64);
  EXPECT_TRUE(block.holes().empty());
}

TEST(block, aligned_allocation_from_within_a_hole_leaves_both_ends) {
  auto block = make_block(64 * 100);
  block.allocate(64, 64);
  block.allocate(64 * 40, 64);
  block.allocate(64, 64);
  block.deallocate(base + 64, 64 * 40);
  EXPECT_EQ(block.allocate(64, 1024), base + 1024);
  ASSERT_EQ(block.holes().size(), 2u);
  EXPECT_EQ(block.holes()[0].end, base + 1024);
  EXPECT_EQ(block.holes()[1].begin, base + 1024 + 64);
}

TEST(block, hole_that_was_made_last_serves_first) {
  auto block = make_block(64 * 100);
  for (int i = 0; i < 9; ++i) block.allocate(64, 64);
  for (std::size_t i : {7, 1, 5}) block.deallocate(base + i * 64, 64);
  EXPECT_EQ(block.allocate(64, 64), base + 5 * 64);
}

/// Around survivors, as a reset leaves it.
TEST(block, large_allocation_lies_where_a_survivor_was_and_a_small_one_not) {
  auto block        = make_block(std::size_t(1) << 20);
  auto const first  = block.allocate(20'000, 64);
  auto const second = block.allocate(20'000, 64);
  block.deallocate(first, 20'000);
  block.choose_room(500'000);
  EXPECT_EQ(block.allocate_for_view(1'000, 64), second + granules(20'000) * 64);
  EXPECT_EQ(block.allocate_for_view(20'000, 64), first);
}

TEST(block,
     small_allocation_keeps_off_survivors_when_a_large_one_found_no_place) {
  auto block = make_block(std::size_t(1) << 20);
  std::vector<std::uintptr_t> made;
  for (std::size_t const bytes : {20'000, 64, 30'000, 64}) {
    made.push_back(block.allocate(bytes, 64));
  }
  block.deallocate(made[0], 20'000);
  block.deallocate(made[2], 30'000);
  block.choose_room(500'000);
  EXPECT_EQ(block.allocate_for_view(30'000, 64), made[2]);
  EXPECT_GT(block.allocate_for_view(25'000, 64), made[3]);
  EXPECT_GT(block.allocate_for_view(1'000, 64), made[3]);
}

TEST(block, among_many_survivors_no_allocation_looks_for_a_place) {
  auto block = make_block(std::size_t(4) << 20);
  std::vector<std::uintptr_t> made;
  for (int i = 0; i < 80; ++i) made.push_back(block.allocate(20'000, 64));
  for (std::size_t i = 0; i < made.size(); i += 2) {
    block.deallocate(made[i], 20'000);
  }
  block.choose_room(500'000);
  EXPECT_GT(block.allocate_for_view(20'000, 64), made.back());
}

TEST(block, request_beyond_its_end_gives_zero_and_changes_nothing) {
  auto block = make_block(640);
  block.allocate(320, 64);
  for (std::size_t bytes :
       {std::size_t(321), std::size_t(640), std::size_t(641),
        KokkosArenaTest::unlimited - 63, KokkosArenaTest::unlimited}) {
    for (std::size_t alignment : {1, 64, 128, 4096}) {
      EXPECT_EQ(block.allocate(bytes, alignment), 0u);
    }
  }
  EXPECT_EQ(block.used(), 320u);
  EXPECT_TRUE(block.holes().empty());
  EXPECT_EQ(block.allocate(320, 64), base + 320);
}

TEST(block, contains_exactly_its_own_addresses) {
  auto const block = make_block(640);
  EXPECT_FALSE(block.contains(base - 1));
  EXPECT_TRUE(block.contains(base));
  EXPECT_TRUE(block.contains(base + 639));
  EXPECT_FALSE(block.contains(base + 640));
  EXPECT_FALSE(block.contains(0));
}

TEST(block, clear_forgets_everything) {
  auto block = make_block(640);
  block.allocate(64, 64);
  block.allocate(64, 64);
  block.allocate(64, 64);
  block.deallocate(base + 64, 64);
  block.clear();
  EXPECT_EQ(block.used(), 0u);
  EXPECT_TRUE(block.holes().empty());
  EXPECT_EQ(block.allocate(640, 64), base);
}

TEST(block, align_up_rounds_to_multiples) {
  using KokkosArena::Impl::align_up;
  EXPECT_EQ(align_up(0, 64), 0u);
  EXPECT_EQ(align_up(1, 64), 64u);
  EXPECT_EQ(align_up(64, 64), 64u);
  EXPECT_EQ(align_up(65, 64), 128u);
  EXPECT_EQ(align_up(base + 1, 4096), base + 4096);
}

}  // namespace
