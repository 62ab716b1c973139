// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_TestJson.hpp>
#include <engine/KokkosArena_Process.hpp>
#include <engine/KokkosArena_TraceEvents.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace {

using KokkosArena::Impl::process_id;
using KokkosArena::Impl::thread_id;
using KokkosArena::Impl::TraceEvents;
using KokkosArenaTest::Json;
using KokkosArenaTest::JsonParser;

std::vector<Json> events_of(TraceEvents const& events) {
  return JsonParser(events.text() + std::string(TraceEvents::end_of_array))
      .parse()
      .items;
}

TEST(trace_events, have_what_the_format_asks_for) {
  TraceEvents events(1234);
  events.begin_array();
  events.begin('b', "view", "a \"label\"");
  events.id(0xab);
  events.begin_arguments();
  events.argument("bytes", 64);
  events.argument("arena", "an arena");
  events.address_argument(0x1000);
  events.end();
  auto const bar = events.now();
  events.begin('i', "arena", "reset");
  events.thread_scope();
  events.begin_arguments();
  events.end();
  auto const all = events_of(events);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]["ph"].text, "b");
  EXPECT_EQ(all[0]["cat"].text, "view");
  EXPECT_EQ(all[0]["name"].text, "a \"label\"");
  EXPECT_EQ(all[0]["id"].text, "0xab");
  EXPECT_EQ(all[0]["pid"].number, 1234);
  EXPECT_EQ(all[0]["tid"].number, static_cast<double>(thread_id()));
  EXPECT_DOUBLE_EQ(all[0]["ts"].number, static_cast<double>(bar) / 1000);
  EXPECT_EQ(all[0]["args"]["bytes"].number, 64);
  EXPECT_EQ(all[0]["args"]["arena"].text, "an arena");
  EXPECT_EQ(all[0]["args"]["address"].text, "0x1000");
  EXPECT_EQ(all[1]["ph"].text, "i");
  EXPECT_EQ(all[1]["s"].text, "t");
  EXPECT_TRUE(all[1].members.contains("args"));
  EXPECT_GE(events.now(), bar);
}

TEST(trace_events, name_each_thread_once) {
  TraceEvents events(process_id());
  events.begin_array();
  for (int i = 0; i < 2; ++i) {
    events.name_thread();
    std::thread([&] {
      events.name_thread();
      events.name_thread();
    }).join();
  }
  auto const all = events_of(events);
  ASSERT_EQ(all.size(), 3u);
  for (auto const& event : all) {
    EXPECT_EQ(event["ph"].text, "M");
    EXPECT_EQ(event["name"].text, "thread_name");
  }
#if defined(__linux__)
  EXPECT_EQ(all[0]["args"]["name"].text, "main thread");
#endif
  EXPECT_EQ(all[1]["args"]["name"].text, "thread 2");
  EXPECT_EQ(all[2]["args"]["name"].text, "thread 3");
}

TEST(trace_events, ids_are_never_given_twice) {
  TraceEvents events(1);
  auto const first = events.next_id();
  events.begin_array();
  auto const second = events.next_id();
  events.clear();
  EXPECT_NE(first, second);
  EXPECT_NE(events.next_id(), second);
  EXPECT_GT(events.next_id(), first);
}

}  // namespace
