// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_CountingNew.hpp>
#include <KokkosArena_TestChild.hpp>
#include <KokkosArena_TestTraceFile.hpp>
#include <engine/KokkosArena_TraceFile.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/resource.h>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Impl::TraceEvents;
using KokkosArena::Impl::TraceFile;
using KokkosArena::Impl::TraceUser;

/// Which live as long as the process.
TraceFile& trace_file(std::string const& path) {
  static std::vector<std::unique_ptr<TraceFile>> all;
  all.push_back(std::make_unique<TraceFile>(path));
  return *all.back();
}

void add(TraceEvents& events, std::string const& name) {
  events.begin('i', "test", name);
  events.begin_arguments();
  events.end();
}
void write(TraceFile& file, std::string const& name) {
  file.write([&](TraceEvents& events) { add(events, name); });
}

std::size_t instants(Events const& events) {
  std::size_t result = 0;
  for (auto const& event : events) result += event["ph"].text == "i";
  return result;
}

TEST(trace_file, is_an_array_of_all_events_once_nobody_uses_it) {
  TemporaryFile const path;
  auto& file = trace_file(path.path());
  {
    TraceUser const user(file, "an arena");
    write(file, "first");
    write(file, "second");
  }
  auto const events = path.events();
  EXPECT_EQ(count(events, "M", "process_name"), 1u);
  EXPECT_EQ(count(events, "M", "process_labels"), 1u);
  EXPECT_EQ(count(events, "M", "thread_name"), 1u);
  EXPECT_EQ(count(events, "i", "first"), 1u);
  EXPECT_EQ(count(events, "i", "second"), 1u);
  EXPECT_EQ(events.size(), 5u);
}

TEST(trace_file, is_written_only_while_somebody_uses_it) {
  TemporaryFile const path;
  auto& file = trace_file(path.path());
  write(file, "before");
  EXPECT_FALSE(std::filesystem::exists(path.path()));
  {
    TraceUser const user(file, "an arena");
  }
  auto const text = path.text();
  write(file, "after");
  file.flush_if_possible();
  file.end();
  EXPECT_EQ(path.text(), text);
}

TEST(trace_file, goes_on_with_a_later_user) {
  TemporaryFile const path;
  auto& file = trace_file(path.path());
  for (char const* const name : {"first", "second", "third"}) {
    TraceUser const user(file, "an arena");
    write(file, name);
  }
  auto const events = path.events();
  EXPECT_EQ(count(events, "M", "process_name"), 1u);
  EXPECT_EQ(count(events, "M", "process_labels"), 1u);
  EXPECT_EQ(count(events, "M", "thread_name"), 1u);
  EXPECT_EQ(instants(events), 3u);
}

TEST(trace_file, begins_anew_if_it_was_changed_or_removed_meanwhile) {
  TemporaryFile const path;
  auto& file     = trace_file(path.path());
  auto const use = [&](char const* name) {
    TraceUser const user(file, "an arena");
    write(file, name);
  };
  use("first");
  std::ofstream(path.path(), std::ios::app) << "somebody else's";
  use("second");
  auto events = path.events();
  EXPECT_EQ(count(events, "i", "second"), 1u);
  EXPECT_EQ(instants(events), 1u);
  EXPECT_EQ(count(events, "M", "thread_name"), 1u);
  std::filesystem::remove(path.path());
  use("third");
  events = path.events();
  EXPECT_EQ(count(events, "i", "third"), 1u);
  EXPECT_EQ(instants(events), 1u);
  EXPECT_EQ(count(events, "M", "process_labels"), 1u);
}

TEST(trace_file, gives_each_user_a_name_that_no_other_has) {
  TemporaryFile const path;
  auto& file = trace_file(path.path());
  {
    TraceUser const first(file, "arena");
    {
      TraceUser const second(file, "arena");
      TraceUser const third(file, "arena");
      EXPECT_EQ(first.name(), "arena");
      EXPECT_EQ(second.name(), "arena (2)");
      EXPECT_EQ(third.name(), "arena (3)");
    }
    EXPECT_EQ(TraceUser(file, "arena").name(), "arena (2)");
    EXPECT_EQ(&first.file(), &file);
  }
  std::vector<std::string> labels;
  for (auto const& event : path.events()) {
    if (event["name"].text == "process_labels") {
      labels.push_back(event["args"]["labels"].text);
    }
  }
  EXPECT_EQ(labels, (std::vector<std::string>{
                        "arenas: arena", "arenas: arena, arena (2)",
                        "arenas: arena, arena (2), arena (3)"}));
}

TEST(trace_file, that_cannot_be_had_is_an_error_each_time) {
  struct Case {
    char const *path, *what;
    int error;
  };
  for (auto const& c : {Case{"/nonexistent/directory/file", "opened", ENOENT},
                        Case{"/dev/full", "written", ENOSPC}}) {
    auto& file = trace_file(c.path);
    for (int i = 0; i < 2; ++i) {
      try {
        TraceUser const user(file, "an arena");
        ADD_FAILURE() << c.path;
      } catch (std::runtime_error const& e) {
        EXPECT_EQ(e.what(), "the trace file \"" + std::string(c.path) +
                                "\" can't be " + c.what + ": " +
                                std::strerror(c.error));
      }
    }
  }
}

TEST(trace_file, that_can_be_written_no_more_stops_and_says_so_once) {
  TemporaryFile const path;
  auto const in_child = [&] {
    auto& file = trace_file(path.path());
    std::optional<TraceUser> user(std::in_place, file, "an arena");
    write(file, "kept");
    file.flush_if_possible();
    auto const before = path.text();
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit const limit{before.size(), RLIM_INFINITY};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return child_skips;
    ::testing::internal::CaptureStderr();
    write(file, "lost");
    file.flush_if_possible();
    write(file, "never written");
    file.flush_if_possible();
    rlimit const none{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &none);
    auto const said = ::testing::internal::GetCapturedStderr();
    if (said != "KokkosArena: the trace file \"" + path.path() +
                    "\" can't be written: " + std::strerror(EFBIG) +
                    "; what follows is not traced\n") {
      std::fputs(said.c_str(), stderr);
      return 1;
    }
    // Nor by a later user, who isn't refused.
    user.reset();
    TraceUser const later(file, "an arena");
    write(file, "never written");
    file.end();
    return path.text() == before ? 0 : 2;
  };
  auto const code = code_in_child(in_child);
  if (code == child_skips) GTEST_SKIP() << "files can't be limited";
  EXPECT_EQ(code, 0);
  auto const events = JsonParser(path.text() + "]").parse().items;
  EXPECT_EQ(instants(events), 1u);
}

TEST(trace_file, is_left_alone_by_a_child_process) {
  TemporaryFile const path;
  auto& file = trace_file(path.path());
  {
    TraceUser const user(file, "an arena");
    write(file, "parent's, buffered");
    EXPECT_EQ(code_in_child([&] {
                write(file, "child's");
                file.flush_if_possible();
                {
                  TraceUser const another(file, "an arena");
                  if (another.name() != "an arena") return 1;
                  write(file, "child's");
                }
                file.end();
                return 0;
              }),
              0);
  }
  auto const events = path.events();
  EXPECT_EQ(count(events, "i", "parent's, buffered"), 1u);
  EXPECT_EQ(instants(events), 1u);
}

TEST(trace_file, has_what_was_buffered_once_it_is_flushed) {
  TemporaryFile const path;
  auto& file = trace_file(path.path());
  TraceUser const user(file, "an arena");
  write(file, "first");
  write(file, "second");
  file.flush_if_possible();
  // Whole events, of an array that goes on.
  EXPECT_EQ(instants(JsonParser(path.text() + "]").parse().items), 2u);
}

TEST(trace_file, is_written_in_part_before_the_buffer_becomes_large) {
  TemporaryFile const path;
  auto& file = trace_file(path.path());
  TraceUser const user(file, "an arena");
  std::string const name(1000, 'x');
  for (int i = 0; i < 300; ++i) write(file, name);
  // 64 KiB may still be in the buffer.
  EXPECT_GT(path.text().size(), std::size_t(200'000));
  file.end();
  EXPECT_EQ(count(path.events(), "i", name), 300u);
}

TEST(trace_file, has_nothing_of_events_for_which_there_is_no_memory) {
  TemporaryFile const path;
  auto& file = trace_file(path.path());
  {
    TraceUser const user(file, "an arena");
    write(file, "first");
    file.write([](TraceEvents& events) {
      add(events, "dropped");
      events.begin('i', "test", "in the middle of it");
      throw std::bad_alloc();
    });
    write(file, "second");
  }
  auto const events = path.events();
  EXPECT_EQ(instants(events), 2u);
  EXPECT_EQ(count(events, "i", "first"), 1u);
  EXPECT_EQ(count(events, "i", "second"), 1u);
}

TEST(trace_file, is_whole_where_there_is_no_memory_for_another_user) {
  TemporaryFile const path;
  auto& file = trace_file(path.path());
  // Too long for the buffer that there is.
  std::string const label(100'000, 'x');
  std::uint64_t failures = 0;
  {
    TraceUser const user(file, "an arena");
    for (bool failed = true; failed; ++failures) {
      HeapFailure const failure(failures);
      try {
        TraceUser const another(file, label);
      } catch (std::bad_alloc const&) {
      }
      failed = HeapFailure::has_happened();
    }
    write(file, "after");
  }
  EXPECT_GT(failures, 4u);
  auto const events = path.events();
  EXPECT_EQ(count(events, "i", "after"), 1u);
  // The first user's, and that of the attempt that succeeded.
  EXPECT_EQ(count(events, "M", "process_labels"), 2u);
}

TEST(trace_file, has_all_events_of_threads_each_with_a_name) {
  TemporaryFile const path;
  auto& file            = trace_file(path.path());
  constexpr int threads = 4, each = 2000;
  {
    std::vector<std::thread> team;
    for (int t = 0; t < threads; ++t) {
      team.emplace_back([&file, t] {
        auto const name = "of thread " + std::to_string(t);
        for (int i = 0; i < each; ++i) {
          // The file ends and goes on whenever nobody uses it.
          TraceUser const user(file, name);
          write(file, name);
          if (i % 100 == 0) file.flush_if_possible();
        }
      });
    }
    for (auto& thread : team) thread.join();
  }
  auto const events = path.events();
  for (int t = 0; t < threads; ++t) {
    EXPECT_EQ(count(events, "i", "of thread " + std::to_string(t)),
              std::size_t(each));
  }
  EXPECT_EQ(count(events, "M", "thread_name"), std::size_t(threads));
  expect_pairs(events, 0);
}

}  // namespace
