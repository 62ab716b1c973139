// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_TestTraceFile.hpp>
#include <engine/KokkosArena_ArenaTrace.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Impl::ArenaTrace;

Json first(Events const& events, std::string const& phase,
           std::string const& name) {
  for (auto const& event : events) {
    if (event["ph"].text == phase && event["name"].text == name) return event;
  }
  throw std::runtime_error("no event " + name);
}

TEST(arena_trace, is_none_if_nobody_asks_for_one) {
  EXPECT_EQ(ArenaTrace::open("", "an arena"), nullptr);
  TraceEnvironment const environment("");
  EXPECT_EQ(ArenaTrace::open("", "an arena"), nullptr);
}

TEST(arena_trace, is_of_the_environment_where_the_option_is_empty) {
  TemporaryFile const file, other;
  TraceEnvironment const environment(file.path());
  ArenaTrace::open("", "an arena")->event("here");
  ArenaTrace::open(other.path(), "an arena")->event("there");
  EXPECT_EQ(count(file.events(), "i", "here"), 1u);
  EXPECT_EQ(count(file.events(), "i", "there"), 0u);
  EXPECT_EQ(count(other.events(), "i", "there"), 1u);
}

TEST(arena_trace, that_cannot_be_had_is_an_error) {
  for (std::string const path : {"/nonexistent/directory/file", "/dev/full"}) {
    try {
      ArenaTrace::open(path, "solver");
      ADD_FAILURE() << path;
    } catch (std::runtime_error const& e) {
      std::string const message = e.what();
      EXPECT_NE(message.find("arena \"solver\""), message.npos) << message;
      EXPECT_NE(message.find(path), message.npos) << message;
      EXPECT_NE(message.find("ArenaOptions::trace"), message.npos) << message;
    }
  }
}

TEST(arena_trace, of_the_environment_that_cannot_be_had_is_a_warning) {
  TraceEnvironment const environment("/nonexistent/directory/file");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(ArenaTrace::open("", "solver"), nullptr);
  auto const text = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("arena \"solver\""), text.npos) << text;
  EXPECT_NE(text.find("unset KOKKOS_ARENA_TRACE"), text.npos) << text;
}

TEST(arena_trace, has_a_bar_for_each_key_that_begins_and_ends) {
  TemporaryFile const file;
  {
    auto const trace = ArenaTrace::open(file.path(), "an arena");
    trace->begin(1, 0xabc0, 100, "a");
    trace->begin(2, 0xdef0, 64, nullptr);
    trace->end(1);
    trace->end(1);
    trace->end(77);
    trace->begin(1, 0xabc0, 50, "again");
    trace->end(2);
    trace->end(1);
  }
  auto const events = file.events();
  expect_pairs(events, 3);
  auto const view = first(events, "b", "a");
  EXPECT_EQ(view["cat"].text, "view");
  EXPECT_EQ(view["args"]["arena"].text, "an arena");
  EXPECT_EQ(view["args"]["bytes"].number, 100);
  EXPECT_EQ(view["args"]["address"].text, "0xabc0");
  EXPECT_EQ(first(events, "e", "a")["args"]["bytes"].number, 100);
  EXPECT_EQ(first(events, "b", "untracked")["cat"].text, "untracked");
}

TEST(arena_trace, has_labels_of_any_bytes) {
  TemporaryFile const file;
  std::string const label = "a \"quoted\" \\ label\n\t\x01 \xc3\xa4";
  {
    auto const trace   = ArenaTrace::open(file.path(), "an arena");
    std::uintptr_t key = 0;
    for (auto const* const each :
         {label.c_str(), "\xff\xc0\x80\xed\xa0\x80", ""}) {
      trace->begin(++key, 64, 64, each);
      trace->end(key);
    }
  }
  auto const events = file.events();
  expect_pairs(events, 3);
  EXPECT_EQ(count(events, "b", label), 1u);
  EXPECT_EQ(count(events, "b", "??????"), 1u);
  EXPECT_EQ(count(events, "b", "[unlabeled]"), 1u);
}

TEST(arena_trace, shows_views_that_survive_or_escape_and_only_those) {
  TemporaryFile const file;
  {
    auto const trace = ArenaTrace::open(file.path(), "an arena");
    for (std::uintptr_t key = 10; key < 15; ++key) {
      auto const label = "view " + std::to_string(key);
      trace->begin(key, 64 * key, key, key == 12 ? nullptr : label.c_str());
    }
    trace->survivors(11, 14);
    trace->escape(14);
    trace->escape(99);
    for (std::uintptr_t key = 10; key < 15; ++key) trace->end(key);
  }
  auto const events = file.events();
  expect_pairs(events, 5);
  std::vector<std::string> seen;
  for (auto const& event : events) {
    auto const& name = event["name"].text;
    if (name != "survivor" && name != "escape") continue;
    seen.push_back(name + ' ' + event["args"]["label"].text);
    EXPECT_EQ(event["args"]["arena"].text, "an arena");
    EXPECT_GT(event["args"]["bytes"].number, 10);
  }
  EXPECT_EQ(seen,
            (std::vector<std::string>{"survivor view 11", "survivor view 13",
                                      "escape view 14"}));
}

TEST(arena_trace, shows_what_else_happens) {
  TemporaryFile const file;
  {
    auto const trace = ArenaTrace::open(file.path(), "an arena");
    trace->event("reset");
    trace->event("block taken", 4096);
    trace->exhausted(100, "too large");
    trace->exhausted(200, nullptr);
  }
  auto const events = file.events();
  EXPECT_FALSE(first(events, "i", "reset")["args"].members.contains("bytes"));
  EXPECT_EQ(first(events, "i", "block taken")["args"]["bytes"].number, 4096);
  EXPECT_EQ(first(events, "i", "exhausted")["args"]["label"].text, "too large");
  EXPECT_EQ(first(events, "i", "exhausted")["args"]["bytes"].number, 100);
  EXPECT_EQ(count(events, "i", "exhausted"), 2u);
}

TEST(arena_trace, writes_levels_when_they_change) {
  TemporaryFile const file;
  {
    auto const trace = ArenaTrace::open(file.path(), "an arena");
    trace->levels({});  // as they begin
    trace->levels({1, 2, 3});
    trace->levels({1, 2, 3});
    trace->levels({1, 2, 4});
    trace->for_checked_memory()->levels({5, 6, 7});
  }
  auto const events = file.events();
  EXPECT_EQ(count(events, "C", "arena an arena"), 2u);
  auto const levels = first(events, "C", "arena an arena")["args"];
  EXPECT_EQ(levels["used"].number, 1);
  EXPECT_EQ(levels["live"].number, 2);
  EXPECT_EQ(levels["capacity"].number, 3);
  EXPECT_EQ(count(events, "C", "arena an arena, checked memory"), 1u);
}

TEST(arena_trace, shares_a_file_and_goes_on_with_a_later_one) {
  TemporaryFile const file;
  auto const use = [](ArenaTrace& trace) {
    trace.begin(1, 64, 64, "view");
    trace.end(1);
  };
  {
    auto const one = ArenaTrace::open(file.path(), "arena");
    {
      auto const two = ArenaTrace::open(file.path(), "arena");
      // The same key in both.
      one->begin(1, 64, 64, "of one");
      two->begin(1, 64, 64, "of two");
      one->end(1);
      two->end(1);
    }
    use(*one);
  }
  expect_pairs(file.events(), 3);
  use(*ArenaTrace::open(file.path(), "arena"));
  auto const events = file.events();
  expect_pairs(events, 4);
  std::set<std::string> names;
  for (auto const& event : events) {
    if (event["ph"].text == "b") names.insert(event["args"]["arena"].text);
  }
  EXPECT_EQ(names, (std::set<std::string>{"arena", "arena (2)"}));
}

// The file ends with the last that uses it.
TEST(arena_trace, of_checked_memory_may_outlive_the_other) {
  TemporaryFile const file;
  {
    std::unique_ptr<ArenaTrace> checked;
    {
      auto const trace = ArenaTrace::open(file.path(), "an arena");
      checked          = trace->for_checked_memory();
    }
    checked->begin(1, 64, 64, "view");
    checked->end(1);
  }
  expect_pairs(file.events(), 1);
}

}  // namespace
