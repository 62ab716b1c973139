// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_CHILDPROCESS_HPP
#define KOKKOSARENA_CHILDPROCESS_HPP

#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include <sys/wait.h>
#include <unistd.h>

/// \file
/// What ends badly needs a process of its own: after a kernel has aborted, a
/// process can't use the device any more, and a process that has used it can't
/// fork. So the test program starts itself once more, with an option that
/// names what to do there.

namespace KokkosArenaTest {

inline constexpr char const* child_option = "--child=";

using ChildMain = void (*)();

inline std::map<std::string, ChildMain, std::less<>>& children() {
  static std::map<std::string, ChildMain, std::less<>> all;
  return all;
}

/// \brief Makes a function known under a name; as a static object.
struct Child {
  Child(char const* name, ChildMain f) { children()[name] = f; }
};

/// \brief What the child's main does. \return 0 if the function came back.
inline int be_child(std::string_view name) {
  auto const child = children().find(name);
  if (child == children().end()) {
    std::fprintf(stderr, "no child of that name\n");
    return 2;
  }
  child->second();
  std::fprintf(stderr, "the child has come to its end\n");
  return 0;
}

struct ChildResult {
  bool succeeded;      ///< It came to its end, and exited with 0.
  std::string output;  ///< What it wrote, stdout and stderr together.
};

/// \brief Starts this program as that child, and waits for it.
inline ChildResult run_child(std::string const& name) {
  char path[4096];
  auto const length = readlink("/proc/self/exe", path, sizeof(path));
  if (length <= 0) throw std::runtime_error("the program can't be found");
  auto const command = "exec '" +
                       std::string(path, static_cast<std::size_t>(length)) +
                       "' " + child_option + name + " 2>&1";
  auto* const pipe = popen(command.c_str(), "r");
  if (!pipe) throw std::runtime_error("the child can't be started");
  ChildResult result{};
  char buffer[4096];
  while (auto const count = std::fread(buffer, 1, sizeof(buffer), pipe)) {
    result.output.append(buffer, count);
  }
  auto const status = pclose(pipe);
  result.succeeded  = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return result;
}

}  // namespace KokkosArenaTest

#endif
