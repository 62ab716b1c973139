// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// kokkos-arena advise, around a program that knows nothing of it.
#include "KokkosArena_TestCommand.hpp"

#include <cstdint>
#include <string>

namespace {

using namespace KokkosArenaTest;

/// What a report says, by its figures.
struct Report {
  std::string text;

  /// \return The object that begins with this text, with all that is in it.
  Report of(std::string const& begin) const {
    auto const place = text.find(begin);
    if (place == std::string::npos) return {};
    std::size_t depth = 1, end = place;
    for (; end < text.size() && depth > 0; ++end) {
      depth += text[end] == '{';
      depth -= text[end] == '}';
    }
    return {text.substr(place, end - place)};
  }
  Report region(std::string const& path) const {
    return of("\"path\":\"" + path + "\"");
  }
  Report label(std::string const& name) const {
    // Regions have names, too.
    auto const labels = text.find("\"labels\"");
    return Report{text.substr(labels)}.of("\"name\":\"" + name + "\"");
  }
  /// \return The first of that name, or -1.
  double figure(std::string const& name) const {
    auto const key   = "\"" + name + "\":";
    auto const place = text.find(key);
    return place == std::string::npos
               ? -1
               : std::stod(text.substr(place + key.size()));
  }
};

struct Advised : Result {
  Report report;
};

Advised advise(std::string const& actions, std::string const& options = "") {
  File const json("json");
  Advised advised{shell("$ARENA advise --json " + json.path + ' ' + options +
                        " -- $PROGRAM " + actions),
                  {}};
  advised.report.text = contents(json.path);
  return advised;
}

constexpr double kilo_view = 8000;

TEST(advise, counts_by_region_and_label) {
  auto const advised =
      advise("region a region a nested b temporaries 5 region a");
  EXPECT_DONE(advised);
  auto const a = advised.report.region("a");
  EXPECT_EQ(a.figure("entries"), 3);
  EXPECT_EQ(a.figure("allocations"), 30);
  EXPECT_EQ(a.figure("bytes"), 30 * kilo_view);
  EXPECT_EQ(a.figure("died"), 30);
  EXPECT_EQ(a.figure("died_in_entry"), 30);
  EXPECT_EQ(a.figure("most_live_bytes"), kilo_view);
  auto const b = advised.report.region("b");
  EXPECT_EQ(b.figure("allocations"), 11);
  EXPECT_EQ(b.of("\"own\"").figure("allocations"), 1);
  EXPECT_EQ(advised.report.region("b/inner").figure("allocations"), 10);
  EXPECT_EQ(advised.report.label("temporary").figure("allocations"), 46);
  auto const program = advised.report.of("\"program\"");
  EXPECT_EQ(program.figure("unbalanced_pops"), 0);
  EXPECT_EQ(program.figure("unbalanced_pushes"), 0);
  EXPECT_EQ(program.figure("lost_events"), 0);
}

TEST(advise, balances_what_dies_elsewhere) {
  auto const advised =
      advise("keep a region b drop-on-thread x keep a region b drop x");
  EXPECT_DONE(advised);
  auto const a = advised.report.region("a");
  EXPECT_EQ(a.figure("allocations"), 20);
  EXPECT_EQ(a.figure("died"), 20);
  EXPECT_EQ(a.figure("died_in_entry"), 0);
  EXPECT_EQ(a.figure("most_live_bytes"), 10 * kilo_view);
  auto const kept = advised.report.label("kept");
  EXPECT_EQ(kept.figure("allocations"), 20);
  EXPECT_EQ(kept.figure("died"), 20);
}

TEST(advise, counts_the_regions_of_each_thread) {
  auto const advised = advise("threads mine");
  EXPECT_DONE(advised);
  auto const mine = advised.report.region("mine");
  EXPECT_EQ(mine.figure("entries"), 2);
  EXPECT_EQ(mine.figure("allocations"), 200);
  EXPECT_EQ(mine.figure("died_in_entry"), 200);
  EXPECT_EQ(advised.report.region("other").figure("allocations"), 200);
}

TEST(advise, tells_pops_without_a_push) {
  auto const advised = advise("region a pop-too-often x region a");
  EXPECT_DONE(advised);
  EXPECT_EQ(advised.report.of("\"program\"").figure("unbalanced_pops"), 1);
  EXPECT_EQ(advised.report.region("a").figure("allocations"), 20);
}

TEST(advise, expects_no_gain_of_small_arrays) {
  auto const advised = advise("kernel work temporaries 100");
  EXPECT_DONE(advised);
  EXPECT_TRUE(contains(advised.report.text, "\"result\":\"no gain\""))
      << advised.report.text;
  EXPECT_FALSE(contains(advised.err, "kokkos-arena run")) << advised.err;
}

TEST(advise, finds_the_region_whose_arrays_are_touched_anew_each_time) {
  std::string actions;
  for (int i = 0; i < 10; ++i) actions += " touch solve";
  auto const advised = advise(actions);
  EXPECT_DONE(advised);
  EXPECT_TRUE(contains(advised.report.text, "\"result\":\"gain\""))
      << advised.report.text;
  EXPECT_TRUE(contains(advised.err, "kokkos-arena run --adopt 'solve'"))
      << advised.err;
  auto const solve = advised.report.region("solve");
  // Ten arrays of 64 MiB, whose pages are all touched.
  EXPECT_EQ(solve.figure("allocations"), 10);
  EXPECT_GE(solve.figure("faults"), 10 * 32);
  EXPECT_GT(solve.figure("gain_percent"), 3);
}

TEST(advise, writes_a_page_of_its_own) {
  File const page("html");
  auto const advised = advise("region a keep b", "--html " + page.path);
  EXPECT_DONE(advised);
  auto const html = contents(page.path);
  EXPECT_TRUE(contains(html, "<svg")) << html;
  EXPECT_TRUE(contains(html, "</html>")) << html;
  EXPECT_FALSE(contains(html, "src=\"http")) << html;
}

TEST(advise, proposes_a_command_that_can_be_pasted) {
  auto const result = shell(
      "$ARENA advise -- $PROGRAM touch \"it's; a\" touch \"it's; a\" touch "
      "\"it's; a\" touch \"it's; a\"");
  EXPECT_DONE(result);
  EXPECT_TRUE(contains(result.err, "--adopt 'it'\\''s? a' -- ")) << result.err;
  EXPECT_TRUE(contains(result.err, " touch 'it'\\''s; a' touch "))
      << result.err;
}

TEST(advise, leaves_the_exit_code_to_the_program) {
  auto const advised = advise("region a exit 42");
  EXPECT_EQ(advised.code, 42);
  EXPECT_EQ(advised.report.region("a").figure("allocations"), 10);
}

TEST(advise, hears_nothing_of_children) {
  auto const advised = advise("region a fork a start \"$PROGRAM region a\"");
  EXPECT_EQ(advised.out, "done\ndone\n");
  EXPECT_EQ(advised.report.region("a").figure("allocations"), 10);
}

TEST(advise, says_why_there_is_none) {
  auto const advised = advise("without-kokkos");
  EXPECT_DONE(advised);
  EXPECT_TRUE(contains(advised.err, "nothing was done: no Kokkos"))
      << advised.err;
  auto const unwritable = advise("region a", "--html /no/such/folder/page");
  EXPECT_DONE(unwritable);
  EXPECT_TRUE(contains(unwritable.err,
                       "can't be written to /no/such/folder/page: No such"))
      << unwritable.err;
}

}  // namespace
