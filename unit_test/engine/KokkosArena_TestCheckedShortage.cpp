// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <engine/KokkosArena_CheckedShortage.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <string>

namespace {

using KokkosArena::Impl::CheckedShortage;

constexpr auto unbounded = std::numeric_limits<std::size_t>::max();
std::string const arena  = "weights";

TEST(checked_shortage, of_a_bounded_arena_names_what_is_left_and_the_maximum) {
  EXPECT_EQ((CheckedShortage{arena, 500, "v", 100, 90, 400, "", ""}.message()),
            "KokkosArena: arena \"weights\" can't give 500 checked bytes for "
            "View \"v\": 100 bytes are used, 300 are available, Views that "
            "are alive have 90, and its maximum is 400. Give it a larger "
            "maximum_bytes, reset it more "
            "often, or drop Views earlier");
}

TEST(checked_shortage, of_more_than_the_maximum_in_use_leaves_nothing) {
  EXPECT_NE(
      (CheckedShortage{arena, 500, "v", 450, 90, 400, "", ""}.message().find(
          "450 bytes are used, 0 are available")),
      std::string::npos);
}

TEST(checked_shortage, of_an_unbounded_arena_doubts_the_extents) {
  EXPECT_EQ(
      (CheckedShortage{arena, 500, "v", 100, 90, unbounded, "", ""}.message()),
      "KokkosArena: arena \"weights\" can't give 500 checked bytes for View "
      "\"v\": 100 bytes are used, Views that are alive have 90. Check the "
      "extents: no memory has that many "
      "bytes");
}

TEST(checked_shortage, of_the_system_has_its_reason_and_a_remedy) {
  EXPECT_EQ(
      (CheckedShortage{arena, 500, "v", 100, 90, unbounded, "it has none", ""}
           .message()),
      "KokkosArena: arena \"weights\" can't give 500 checked bytes for View "
      "\"v\": 100 bytes are used, Views that are alive have 90, and it has "
      "none. Ask for less, reset the "
      "arena more often, or free memory");
  EXPECT_EQ(
      (CheckedShortage{arena, 500, "v", 100, 90, 400, "it has none", "Buy some"}
           .message()),
      "KokkosArena: arena \"weights\" can't give 500 checked bytes for View "
      "\"v\": 100 bytes are used, 300 are available, Views that are alive have "
      "90, and it has none. Buy "
      "some");
}

}  // namespace
