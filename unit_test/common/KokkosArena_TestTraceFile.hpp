// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTTRACEFILE_HPP
#define KOKKOSARENA_TESTTRACEFILE_HPP

#include <KokkosArena_TestJson.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <unistd.h>

namespace KokkosArenaTest {

/// A file that is gone after the test.
class TemporaryFile {
 public:
  TemporaryFile()
      : m_path((std::filesystem::temp_directory_path() /
                ("kokkosarena_trace_" + std::to_string(::getpid()) + "_" +
                 std::to_string(++s_files) + ".json"))
                   .string()) {}
  ~TemporaryFile() { std::remove(m_path.c_str()); }
  TemporaryFile(TemporaryFile const&)            = delete;
  TemporaryFile& operator=(TemporaryFile const&) = delete;

  std::string const& path() const { return m_path; }
  std::string text() const {
    std::ifstream in(m_path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<Json> events() const { return JsonParser(text()).parse().items; }

 private:
  static inline int s_files = 0;
  std::string m_path;
};

using Events = std::vector<Json>;

inline std::size_t count(Events const& events, std::string const& phase,
                         std::string const& name) {
  return static_cast<std::size_t>(
      std::count_if(events.begin(), events.end(), [&](Json const& e) {
        return e["ph"].text == phase && e["name"].text == name;
      }));
}

/// Every bar begins once and ends once, later and under the same name.
inline void expect_pairs(Events const& events, std::size_t bars) {
  std::map<std::string, Json const*> open;
  std::size_t begun = 0;
  double last       = 0;
  for (auto const& e : events) {
    if (e["ph"].text == "M") continue;
    EXPECT_GE(e["ts"].number, last);
    last = e["ts"].number;
    if (e["ph"].text == "b") {
      ++begun;
      EXPECT_TRUE(open.emplace(e["id"].text, &e).second);
    } else if (e["ph"].text == "e") {
      auto const found = open.find(e["id"].text);
      ASSERT_NE(found, open.end());
      EXPECT_EQ((*found->second)["name"].text, e["name"].text);
      EXPECT_EQ((*found->second)["cat"].text, e["cat"].text);
      open.erase(found);
    }
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(begun, bars);
}

/// The environment that asks for a trace.
class TraceEnvironment {
 public:
  explicit TraceEnvironment(std::string const& path) {
    setenv("KOKKOS_ARENA_TRACE", path.c_str(), 1);
  }
  ~TraceEnvironment() { unsetenv("KOKKOS_ARENA_TRACE"); }
  TraceEnvironment(TraceEnvironment const&)            = delete;
  TraceEnvironment& operator=(TraceEnvironment const&) = delete;
};

}  // namespace KokkosArenaTest

#endif
