// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_TestChild.hpp>
#include <KokkosArena_TestTraceFile.hpp>
#include <engine/KokkosArena_TraceFiles.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Impl::flush_traces;
using KokkosArena::Impl::TraceEvents;
using KokkosArena::Impl::TraceFile;
using KokkosArena::Impl::TraceFiles;
using KokkosArena::Impl::TraceUser;

TraceFile& file_at(std::string const& path) {
  return TraceFiles::of_process().at(path);
}

void write(TraceFile& file, std::string const& name) {
  file.write([&](TraceEvents& events) {
    events.begin('i', "test", name);
    events.begin_arguments();
    events.end();
  });
}

TEST(trace_files, are_one_for_all_spellings_of_a_path) {
  TemporaryFile const path, other;
  auto& file = file_at(path.path());
  EXPECT_EQ(&file, &file_at(path.path()));
  auto const directory = std::filesystem::path(path.path()).parent_path();
  auto const name      = std::filesystem::path(path.path()).filename();
  EXPECT_EQ(&file, &file_at((directory / "." / name).string()));
  EXPECT_EQ(&file, &file_at((directory / "nothing" / ".." / name).string()));
  EXPECT_EQ(&file, &file_at(std::filesystem::relative(path.path()).string()));
  EXPECT_NE(&file, &file_at(other.path()));
}

TEST(trace_files, are_one_for_a_link_and_what_it_leads_to) {
  TemporaryFile const path, link;
  auto& file = file_at(path.path());
  {
    TraceUser const user(file, "an arena");
  }
  std::filesystem::create_symlink(path.path(), link.path());
  EXPECT_EQ(&file, &file_at(link.path()));
}

TEST(trace_files, have_the_process_number_for_each_percent_p) {
  TemporaryFile const path;
  auto const pid = std::to_string(getpid());
  auto& file     = file_at(path.path() + ".%p.%%p.json");
  EXPECT_EQ(&file, &file_at(path.path() + "." + pid + ".%" + pid + ".json"));
}

TEST(trace_files, are_all_written_when_the_program_is_about_to_end_at_once) {
  TemporaryFile const first_path, second_path;
  auto& first  = file_at(first_path.path());
  auto& second = file_at(second_path.path());
  TraceUser const of_first(first, "an arena"), of_second(second, "an arena");
  write(first, "in the first");
  write(second, "in the second");
  write(second, "in the second");
  flush_traces();
  auto const has = [](TemporaryFile const& path, char const* name) {
    return count(JsonParser(path.text() + "]").parse().items, "i", name);
  };
  EXPECT_EQ(has(first_path, "in the first"), 1u);
  EXPECT_EQ(has(second_path, "in the second"), 2u);
}

// As of Views that are statics.
TEST(trace_files, end_at_exit_where_somebody_uses_them_still) {
  TemporaryFile const path;
  EXPECT_EQ(code_in_child([&]() -> int {
              auto& file = file_at(path.path());
              file.enter("an arena");
              write(file, "buffered");
              std::exit(0);
            }),
            0);
  EXPECT_EQ(count(path.events(), "i", "buffered"), 1u);
}

}  // namespace
