// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <engine/KokkosArena_CheckedEscapes.hpp>

#include <gtest/gtest.h>

#include <source_location>
#include <string>
#include <vector>

namespace {

using KokkosArena::EscapedView;
using KokkosArena::EscapedViews;
using KokkosArena::EscapePolicy;
using KokkosArena::Impl::CheckedDrop;
using KokkosArena::Impl::CheckedEscapes;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

std::string const arena = "weights";

std::vector<EscapedView> escaped(int count) {
  std::vector<EscapedView> result;
  for (int i = 0; i < count; ++i) {
    result.push_back(
        {"v" + std::to_string(i), static_cast<std::uint64_t>(100 - i), 2});
  }
  return result;
}

/// \return What is written to stderr.
std::string reported(EscapePolicy policy, std::vector<EscapedView> const& views,
                     CheckedDrop const& drop, bool may_throw = true) {
  CaptureStderr();
  CheckedEscapes(arena, policy).report(views, drop, may_throw);
  return GetCapturedStderr();
}

CheckedDrop const nowhere{"the arena's end", {}};

TEST(checked_escapes, that_are_collected_are_kept_without_a_word) {
  CheckedEscapes escapes(arena, EscapePolicy::collect);
  auto views = escaped(2);
  escapes.keep(views);
  ASSERT_EQ(escapes.views().size(), 2u);
  EXPECT_EQ(escapes.views()[1].label, "v1");
  EXPECT_TRUE(views.empty()) << "a copy may fail";
  EXPECT_EQ(reported(EscapePolicy::collect, escaped(2), nowhere), "");
  escapes.clear();
  EXPECT_TRUE(escapes.views().empty());
}

TEST(checked_escapes, that_will_be_reported_are_kept_as_a_copy) {
  for (auto const policy : {EscapePolicy::warn, EscapePolicy::throw_exception,
                            EscapePolicy::abort}) {
    CheckedEscapes escapes(arena, policy);
    auto views = escaped(2);
    escapes.keep(views);
    EXPECT_EQ(views.size(), 2u);
    EXPECT_EQ(escapes.views().size(), 2u);
  }
}

TEST(checked_escapes, one_is_named_with_all_that_is_known) {
  EXPECT_EQ(reported(EscapePolicy::warn, escaped(1), nowhere),
            "KokkosArena: arena \"weights\": the arena's end has dropped 1 "
            "CheckedSpace View that is alive: \"v0\" (100 bytes, use count 2). "
            "Let them end before, or copy what has to outlive it into memory "
            "of its own; an access to one of them is an error\n");
}

TEST(checked_escapes, are_reported_with_the_line_that_has_dropped_them) {
  auto const where = std::source_location::current();
  auto const text =
      reported(EscapePolicy::warn, escaped(2), {"reset()", where});
  EXPECT_NE(text.find("\": reset() at " + std::string(where.file_name()) + ':' +
                      std::to_string(where.line()) +
                      " has dropped 2 CheckedSpace Views that are alive: "
                      "\"v0\" (100 bytes, use count 2), \"v1\" ("),
            std::string::npos)
      << text;
}

TEST(checked_escapes, that_are_many_are_counted_behind_the_first_ten) {
  auto const text = reported(EscapePolicy::warn, escaped(12), nowhere);
  EXPECT_NE(text.find("\"v9\""), std::string::npos) << text;
  EXPECT_EQ(text.find("\"v10\""), std::string::npos) << text;
  EXPECT_NE(text.find(", and 2 smaller ones. "), std::string::npos) << text;
}

TEST(checked_escapes, are_thrown_where_that_is_wanted_and_possible) {
  CheckedEscapes const escapes(arena, EscapePolicy::throw_exception);
  try {
    escapes.report(escaped(3), nowhere, true);
    ADD_FAILURE() << "nothing was thrown";
  } catch (EscapedViews const& e) {
    EXPECT_EQ(e.views().size(), 3u);
    EXPECT_EQ(std::string(e.what()).find("KokkosArena: arena \"weights\": "),
              0u);
  }
  EXPECT_NE(reported(EscapePolicy::throw_exception, escaped(3), nowhere, false)
                .find("has dropped 3"),
            std::string::npos);
}

TEST(checked_escapes, end_the_program_where_that_is_wanted) {
  CheckedEscapes const escapes(arena, EscapePolicy::abort);
  EXPECT_DEATH(escapes.report(escaped(1), nowhere, false),
               "arena \"weights\": the arena's end has dropped 1");
}

}  // namespace
