// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <engine/KokkosArena_CheckedLayout.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace {

using KokkosArena::Impl::CheckedLayout;

constexpr std::uintptr_t base = std::uintptr_t(1) << 44;
constexpr std::size_t page    = 4096;

/// Calls f(layout, front, bytes, alignment) for many of them, at several
/// places: the multiples of what it wants.
template <class F>
void for_many(std::size_t guard_bytes, F const& f) {
  for (std::size_t const front : {0, 1, 64, 128, 5000}) {
    for (std::size_t const bytes : {0, 1, 63, 64, 65, 4096, 4097, 100'000}) {
      for (std::size_t const alignment : {1, 8, 64, 256, 4096, 8192}) {
        CheckedLayout const layout(front, bytes, alignment, guard_bytes);
        ASSERT_TRUE(layout.is_possible());
        SCOPED_TRACE(::testing::Message()
                     << front << ' ' << bytes << ' ' << alignment);
        for (auto const step : {0, 1, 3}) {
          f(layout, base + step * layout.alignment(), front, bytes, alignment);
        }
      }
    }
  }
}

TEST(checked_layout, data_is_aligned_and_has_room_behind_the_front) {
  for (std::size_t const guard_bytes : {std::size_t(0), page}) {
    for_many(guard_bytes,
             [&](CheckedLayout const& layout, std::uintptr_t begin,
                 std::size_t front, std::size_t bytes, std::size_t alignment) {
               auto const data = layout.data(begin);
               EXPECT_EQ(data % alignment, 0u);
               EXPECT_GE(data, begin + front);
               EXPECT_LE(data + bytes, begin + layout.bytes() - guard_bytes);
               EXPECT_EQ(layout.bytes() % 64, 0u);
             });
  }
}

TEST(checked_layout, guarded_data_ends_where_a_whole_page_begins) {
  for_many(page, [&](CheckedLayout const& layout, std::uintptr_t begin,
                     std::size_t, std::size_t bytes, std::size_t alignment) {
    auto const guard = CheckedLayout::guard(begin, layout.bytes(), page);
    EXPECT_EQ(guard % page, 0u);
    EXPECT_EQ(guard + page, begin + layout.bytes());
    auto const end = layout.data(begin) + std::max<std::size_t>(bytes, 1);
    EXPECT_LT(guard - end, std::max<std::size_t>(alignment, 64));
  });
}

TEST(checked_layout, without_a_byte_takes_some_for_an_address_of_its_own) {
  EXPECT_EQ(CheckedLayout(0, 0, 1, 0).bytes(), 64u);
  EXPECT_EQ(CheckedLayout(64, 0, 1, 0).bytes(), 128u);
}

TEST(checked_layout, that_nothing_can_count_is_not_possible) {
  constexpr std::size_t huge = std::size_t(1) << 62;
  EXPECT_FALSE(CheckedLayout(huge, 1, 1, 0).is_possible());
  EXPECT_FALSE(CheckedLayout(0, huge, 1, 0).is_possible());
  EXPECT_FALSE(CheckedLayout(0, 1, huge, 0).is_possible());
  EXPECT_FALSE(CheckedLayout(0, ~std::size_t(0), 64, page).is_possible());
  EXPECT_TRUE(CheckedLayout(0, huge / 4, 64, page).is_possible());
}

}  // namespace
