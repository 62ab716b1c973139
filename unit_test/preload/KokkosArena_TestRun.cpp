// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// kokkos-arena run, around a program that knows nothing of it.
#include "KokkosArena_TestCommand.hpp"

#include <cctype>
#include <csignal>
#include <string>

namespace {

using namespace KokkosArenaTest;

Result run(std::string const& options, std::string const& actions) {
  return shell("$ARENA run " + options + " -- $PROGRAM " + actions);
}

/// \return How many allocations the printed statistics count.
int allocations(Result const& result) {
  auto const end = result.err.find(" allocation");
  if (!contains(result.err, "arena \"kokkos-arena\"")) return -1;
  if (end == std::string::npos) return 0;
  auto begin = end;
  while (begin > 0 && std::isdigit(result.err[begin - 1])) --begin;
  return std::stoi(result.err.substr(begin));
}

TEST(run, adopts_what_is_made_in_a_region) {
  auto const result =
      run("--adopt step --stats",
          "temporaries 7 region step region other temporaries 3");
  EXPECT_DONE(result);
  EXPECT_EQ(allocations(result), 10) << result.err;
}

TEST(run, adopts_by_pattern_and_in_nested_regions) {
  auto const result = run("--adopt 'st?p*' --adopt last --stats",
                          "nested 'step 2' region other nested last");
  EXPECT_DONE(result);
  EXPECT_EQ(allocations(result), 22) << result.err;
}

TEST(run, adopts_a_region_whose_name_looks_like_a_pattern) {
  auto const result =
      run("--adopt 'dot[TPL]' --stats", "region 'dot[TPL]' region dotT");
  EXPECT_DONE(result);
  EXPECT_EQ(allocations(result), 20) << result.err;
}

TEST(run, adopts_an_inner_region_alone) {
  auto const result = run("--adopt inner --stats", "nested outer region other");
  EXPECT_DONE(result);
  EXPECT_EQ(allocations(result), 10) << result.err;
}

TEST(run, adopts_everywhere_without_a_region) {
  auto const some = run("--stats", "temporaries 5 region step");
  auto const more = run("--stats", "temporaries 105 region step");
  EXPECT_DONE(some);
  EXPECT_DONE(more);
  // Kokkos itself has some.
  EXPECT_GE(allocations(some), 15) << some.err;
  EXPECT_EQ(allocations(more), allocations(some) + 100);
}

TEST(run, leaves_what_is_small_to_malloc) {
  auto const result =
      run("--adopt step --stats", "nested step region step small 10");
  EXPECT_DONE(result);
  EXPECT_EQ(allocations(result), 21) << result.err;
  auto const none =
      run("--adopt step --threshold 1000000 --stats", "region step");
  EXPECT_DONE(none);
  EXPECT_EQ(allocations(none), 0) << none.err;
}

TEST(run, follows_the_regions_of_each_thread) {
  auto const result = run("--adopt mine --stats", "threads mine");
  EXPECT_DONE(result);
  EXPECT_EQ(allocations(result), 200) << result.err;
}

TEST(run, keeps_what_outlives_its_region_and_cycles) {
  auto const result = run("--adopt step --cycle step --stats",
                          "keep step keep step look x region step region step "
                          "look x drop x region step");
  EXPECT_DONE(result);
  EXPECT_EQ(allocations(result), 50) << result.err;
  EXPECT_TRUE(contains(result.err, "5 resets")) << result.err;
  EXPECT_TRUE(contains(result.err, "no View alive")) << result.err;
}

TEST(run, takes_back_what_dies_on_another_thread) {
  auto const result =
      run("--adopt step --stats", "keep step look x drop-on-thread x");
  EXPECT_DONE(result);
  EXPECT_EQ(allocations(result), 10) << result.err;
  EXPECT_TRUE(contains(result.err, "no View alive")) << result.err;
}

TEST(run, begins_a_cycle_at_a_kernel) {
  auto const result = run("--adopt step --cycle work --stats",
                          "kernel work region step kernel work kernel other");
  EXPECT_DONE(result);
  EXPECT_TRUE(contains(result.err, "2 resets")) << result.err;
}

TEST(run, tells_ranks_apart) {
  File const trace("7");
  auto const name = trace.path.substr(0, trace.path.size() - 1) + "%r";
  auto const result =
      shell("PMI_RANK=7 $ARENA run --adopt step --stats --trace " + name +
            " -- $PROGRAM region step");
  EXPECT_DONE(result);
  EXPECT_TRUE(contains(result.err, "kokkos-arena, rank 7: arena"))
      << result.err;
  EXPECT_TRUE(contains(contents(trace.path), "HostSpace"));
}

TEST(run, writes_a_timeline) {
  File const trace("trace");
  auto const result =
      run("--adopt step --cycle step --trace " + trace.path, "region step");
  EXPECT_DONE(result);
  auto const text = contents(trace.path);
  EXPECT_TRUE(contains(text, "HostSpace")) << text;
  EXPECT_TRUE(contains(text, "reset")) << text;
  EXPECT_TRUE(text.ends_with("]\n")) << text;
}

TEST(run, survives_a_pop_without_a_push) {
  auto const result =
      run("--adopt step --stats", "region step pop-too-often x region step");
  EXPECT_DONE(result);
  EXPECT_EQ(allocations(result), 20) << result.err;
}

TEST(run, does_not_adopt_in_a_forked_child) {
  auto const result = run("--adopt step --stats", "region step fork step");
  EXPECT_DONE(result);
  EXPECT_EQ(allocations(result), 10) << result.err;
}

TEST(run, adopts_in_programs_that_are_started_only_if_asked) {
  std::string const actions = "start \"$PROGRAM region step\"";
  auto const without        = run("--adopt step --stats", actions);
  EXPECT_EQ(without.out, "done\ndone\n");
  EXPECT_EQ(allocations(without), 0) << without.err;
  auto const with = run("--adopt step --children --stats", actions);
  EXPECT_EQ(with.out, "done\ndone\n");
  EXPECT_TRUE(contains(with.err, "10 allocations")) << with.err;
}

// ---------------------------------------------------- the program's own
// manners

TEST(run, leaves_the_exit_code_and_the_signal_to_the_program) {
  EXPECT_EQ(run("", "region step exit 42").code, 42);
  EXPECT_EQ(run("", "region step abort x").code, 128 + SIGABRT);
  EXPECT_EQ(run("", "region step throw 'in the middle'").code, 128 + SIGABRT);
  auto const result =
      run("--adopt step --stats", "region step never-finalize x");
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, "never finalized\n");
  EXPECT_EQ(allocations(result), 10) << result.err;
}

TEST(run, says_nothing_unless_there_is_something) {
  auto const result = run("", "temporaries 10");
  EXPECT_DONE(result);
  EXPECT_EQ(result.err.find("kokkos-arena"), std::string::npos) << result.err;
}

TEST(run, hands_events_on_to_another_tool) {
  for (std::string const way :
       {"$ARENA run --adopt step --tool " KOKKOSARENA_TOOL,
        "KOKKOS_TOOLS_LIBS=" KOKKOSARENA_TOOL " $ARENA run --adopt step"}) {
    auto const alone = shell("KOKKOS_TOOLS_LIBS=" KOKKOSARENA_TOOL
                             " $PROGRAM region step kernel work keep step");
    auto const both  = shell(way +
                             " -- $PROGRAM region step kernel work "
                              "keep step");
    EXPECT_DONE(both);
    EXPECT_TRUE(contains(alone.err, "tool: ")) << alone.err;
    EXPECT_EQ(both.err, alone.err);
  }
}

// -------------------------------------------------------------------- bad
// input

TEST(run, names_a_region_that_was_never_entered) {
  auto const result = run("--adopt stepp", "region step region other");
  EXPECT_DONE(result);
  EXPECT_TRUE(contains(result.err,
                       "no region of the name \"stepp\" was entered; there "
                       "were \"other\", \"step\""))
      << result.err;
  auto const none = run("--adopt step", "temporaries 1");
  EXPECT_TRUE(contains(none.err, "the program has none")) << none.err;
}

TEST(run, names_a_cycle_that_never_began) {
  auto const result = run("--adopt step --cycle tick", "region step");
  EXPECT_DONE(result);
  EXPECT_TRUE(contains(result.err, "\"tick\" began")) << result.err;
}

// Scripts that start programs would say it of each.
TEST(run, says_nothing_of_programs_without_kokkos_where_all_are_meant) {
  auto const result = run("--children", "without-kokkos");
  EXPECT_DONE(result);
  EXPECT_EQ(result.err, "");
}

TEST(run, says_that_a_program_uses_no_kokkos) {
  auto const result = run("", "without-kokkos");
  EXPECT_DONE(result);
  EXPECT_TRUE(contains(result.err, "no Kokkos was initialised")) << result.err;
}

TEST(run, says_that_another_operator_new_wins) {
  auto const result = shell(
      "$ARENA run --adopt step --stats -- " KOKKOSARENA_FOREIGN " region step");
  EXPECT_DONE(result);
  EXPECT_TRUE(contains(result.err, "nothing is adopted")) << result.err;
  EXPECT_TRUE(contains(result.err, KOKKOSARENA_FOREIGN)) << result.err;
}

TEST(run, refuses_what_it_does_not_know) {
  auto const expect = [](std::string const& command, int code,
                         std::string const& text) {
    auto const result = shell(command);
    EXPECT_EQ(result.code, code) << command;
    EXPECT_TRUE(contains(result.err, text)) << result.err;
    EXPECT_EQ(result.out, "") << command;
  };
  expect("$ARENA", 2, "a command is missing: advise or run");
  expect("$ARENA walk", 2, "no command \"walk\"");
  expect("$ARENA run --adpot x -- $PROGRAM", 2, "no option \"--adpot\"");
  expect("$ARENA run --adopt", 2, "--adopt needs a value");
  expect("$ARENA run --json x -- $PROGRAM", 2, "--json is no option of run");
  expect("$ARENA advise --adopt x -- $PROGRAM", 2,
         "--adopt is no option of advise");
  expect("$ARENA run --adopt '' -- $PROGRAM", 2, "--adopt needs a value");
  expect("$ARENA run -- /tmp", 126, "/tmp can't be started: it is");
  expect("$ARENA run -- " KOKKOSARENA_LIBRARY ".txt", 127, "no such program");
  expect("$ARENA run --threshold 4k -- $PROGRAM", 2,
         "\"4k\" is no number of bytes");
  expect("$ARENA run --adopt x", 2, "which program");
  expect("$ARENA run -- ./no-such-program", 127,
         "./no-such-program can't be started");
}

TEST(run, may_be_used_in_a_program_that_it_has_started) {
  for (std::string const outer :
       {"$ARENA run --", "$ARENA advise --children --",
        "KOKKOS_TOOLS_LIBS=" KOKKOSARENA_LIBRARY}) {
    auto const result = shell(
        outer + " $ARENA run --adopt step --stats -- $PROGRAM region step");
    EXPECT_DONE(result);
    EXPECT_EQ(allocations(result), 10) << result.err;
  }
}

TEST(run, takes_the_first_of_several_tools_as_kokkos_does) {
  auto const result =
      shell("KOKKOS_TOOLS_LIBS='" KOKKOSARENA_TOOL
            ";other.so' $ARENA run --adopt step -- $PROGRAM region step");
  EXPECT_DONE(result);
  EXPECT_TRUE(contains(result.err, "tool: push step")) << result.err;
  EXPECT_FALSE(contains(result.err, "can't be loaded")) << result.err;
  auto const older = shell("KOKKOS_PROFILE_LIBRARY=" KOKKOSARENA_TOOL
                           " $ARENA run --adopt step -- $PROGRAM region step");
  EXPECT_DONE(older);
  EXPECT_TRUE(contains(older.err, "tool: push step")) << older.err;
}

// The program may have made room in front of what these give.
TEST(run, leaves_operators_that_a_program_has_replaced_in_part_to_it) {
  for (std::string const command : {"run --stats", "advise"}) {
    auto const result =
        shell("$ARENA " + command +
              " -- " KOKKOSARENA_PARTLY " over-aligned 100 region step");
    EXPECT_DONE(result);
    if (command != "advise") {
      EXPECT_GE(allocations(result), 10) << result.err;
    }
  }
}

TEST(run, writes_nothing_where_stderr_was_closed) {
  File const data("data");
  auto const result = shell("$ARENA run --stats -- $PROGRAM open " + data.path +
                            " region step 2>&-");
  EXPECT_DONE(result);
  EXPECT_EQ(contents(data.path), "");
}

TEST(run, says_that_ld_preload_had_no_effect) {
  auto const result = shell("KOKKOS_TOOLS_LIBS=" KOKKOSARENA_LIBRARY
                            " KOKKOS_ARENA_ADOPT='*' $PROGRAM temporaries 3");
  EXPECT_DONE(result);
  EXPECT_TRUE(contains(result.err, "LD_PRELOAD had no effect")) << result.err;
}

TEST(run, adopts_in_a_process_that_forked_before_kokkos_began) {
  auto const result =
      run("--adopt step --children --stats", "fork-first x region step");
  EXPECT_DONE(result);
  EXPECT_EQ(allocations(result), 10) << result.err;
}

TEST(run, survives_a_broken_pipe) {
  auto const result = shell(
      "{ $ARENA run --stats -- $PROGRAM region step 2>&1 >/dev/null; echo $? "
      ">&9; } 9>&2 | true");
  EXPECT_TRUE(contains(result.err, "0\n")) << result.err;
}

TEST(run, runs_on_without_a_tool_that_cannot_be_loaded) {
  auto const result =
      run("--tool ./no-such-tool.so --adopt step --stats", "region step");
  EXPECT_DONE(result);
  EXPECT_TRUE(
      contains(result.err, "the tool ./no-such-tool.so can't be loaded"))
      << result.err;
  EXPECT_EQ(allocations(result), 10) << result.err;
}

TEST(run, explains_itself) {
  auto const result = shell("$ARENA --help");
  EXPECT_EQ(result.code, 0);
  EXPECT_TRUE(contains(result.out, "--adopt REGION")) << result.out;
}

TEST(run, is_done_by_variables_too) {
  auto const result = shell(
      "LD_PRELOAD=" KOKKOSARENA_LIBRARY
      " KOKKOS_TOOLS_LIBS=" KOKKOSARENA_LIBRARY
      " KOKKOS_ARENA_ADOPT='step;other' KOKKOS_ARENA_STATS=1 "
      "KOKKOS_ARENA_ADOPT_THRESHOLD=4k $PROGRAM region step region other");
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(allocations(result), 20) << result.err;
  EXPECT_TRUE(contains(result.err, "KOKKOS_ARENA_ADOPT_THRESHOLD is \"4k\""))
      << result.err;
}

}  // namespace
