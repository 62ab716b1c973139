// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <engine/KokkosArena_AddressSlices.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstddef>

namespace {

using KokkosArena::Impl::AddressSlices;
using KokkosArena::Impl::Slice;

struct address_slices : ::testing::Test {
  std::array<Slice, 16> table{};
  AddressSlices slices{table.data(), table.size(), 4096};

  std::size_t valid() const {
    std::size_t count = 0;
    for (auto const slice : table) count += slice == Slice::valid;
    return count;
  }
};

TEST_F(address_slices, are_handed_out_once) {
  EXPECT_EQ(slices.take(3, 1), 0u);
  EXPECT_EQ(slices.take(2, 1), 3u);
  slices.drop(0, 3);
  EXPECT_EQ(slices.take(1, 1), 5u);
  EXPECT_EQ(slices[0], Slice::dropped);
  EXPECT_EQ(slices[3], Slice::valid);
  EXPECT_EQ(valid(), 3u);
}

TEST_F(address_slices, begin_at_a_multiple_of_the_step) {
  EXPECT_EQ(slices.take(1, 8), 0u);
  EXPECT_EQ(slices.take(1, 8), 8u);
  EXPECT_EQ(slices[4], Slice::unused);
}

TEST_F(address_slices, that_nobody_has_seen_are_handed_out_again) {
  auto const first = slices.take(4, 1);
  slices.untake(first, 4);
  EXPECT_EQ(valid(), 0u);
  EXPECT_EQ(slices.take(4, 1), first);
}

TEST_F(address_slices, come_round_behind_what_is_valid_and_say_so) {
  EXPECT_EQ(slices.take(6, 1), 0u);
  EXPECT_EQ(slices.take(2, 1), 6u);
  EXPECT_EQ(slices.take(8, 1), 8u);
  slices.drop(0, 6);
  slices.drop(8, 8);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(slices.take(3, 1), 0u);
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("65536 bytes"),
            std::string::npos);
  EXPECT_EQ(slices.take(4, 1), 8u);
  EXPECT_EQ(slices[6], Slice::valid);
}

TEST_F(address_slices, are_none_if_there_is_no_room) {
  EXPECT_EQ(slices.take(17, 1), AddressSlices::none);
  EXPECT_EQ(slices.take(9, 1), 0u);
  EXPECT_EQ(slices.take(8, 1), AddressSlices::none);
  EXPECT_EQ(slices.take(7, 1), 9u);
  EXPECT_EQ(slices.take(1, 1), AddressSlices::none);
}

TEST_F(address_slices, that_are_lost_are_never_handed_out_again) {
  EXPECT_EQ(slices.take(4, 1), 0u);
  slices.lose(0, 4);
  slices.untake(0, 4);
  EXPECT_EQ(slices[0], Slice::lost);
  EXPECT_EQ(slices.take(8, 1), 4u);
  slices.drop(4, 8);
  EXPECT_EQ(slices.take(4, 1), 12u);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(slices.take(4, 1), 4u);
  EXPECT_EQ(slices.take(4, 1), 8u);
  EXPECT_EQ(slices.take(1, 1), AddressSlices::none);
  ::testing::internal::GetCapturedStderr();
}

TEST_F(address_slices, do_not_come_round_where_they_must_not) {
  EXPECT_EQ(slices.take(8, 1), 0u);
  slices.drop(0, 8);
  slices.hand_out_once();
  EXPECT_EQ(slices.take(8, 1), 8u);
  EXPECT_EQ(slices.take(1, 1), AddressSlices::none);
  slices.untake(8, 8);
  EXPECT_EQ(slices.take(2, 1), 8u);
}

}  // namespace
