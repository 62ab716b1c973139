// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTCOMMAND_HPP
#define KOKKOSARENA_TESTCOMMAND_HPP

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

/// \file
/// The command kokkos-arena, and the programs that it is tried with.

namespace KokkosArenaTest {

struct Result {
  int code = -1;
  std::string out, err;
};

inline std::string contents(std::string const& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// A file of this process alone, which is gone with it.
struct File {
  explicit File(std::string const& name)
      : path(::testing::TempDir() + "/kokkos_arena_" +
             std::to_string(getpid()) + '_' + name) {}
  File(File const&)            = delete;
  File& operator=(File const&) = delete;
  ~File() { std::remove(path.c_str()); }
  std::string path;
};

/// \param[in] command  Of the shell; $ARENA and $PROGRAM are what is tested.
inline Result shell(std::string const& command) {
  File const out("out"), err("err");
  auto const line = "ARENA=" KOKKOSARENA_COMMAND
                    "; PROGRAM=" KOKKOSARENA_PROGRAM "; { " +
                    command + " ; } >" + out.path + " 2>" + err.path;
  auto const status = std::system(line.c_str());
  Result result;
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
  result.out  = contents(out.path);
  result.err  = contents(err.path);
  return result;
}

inline bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

#define EXPECT_DONE(result)                \
  EXPECT_EQ(result.code, 0) << result.err; \
  EXPECT_EQ(result.out, "done\n") << result.err

}  // namespace KokkosArenaTest

#endif
