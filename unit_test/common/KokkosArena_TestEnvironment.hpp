// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTENVIRONMENT_HPP
#define KOKKOSARENA_TESTENVIRONMENT_HPP

#include <cstdlib>

namespace KokkosArenaTest {

/// Sets an environment variable while it lives.
class Environment {
 public:
  Environment(char const* name, char const* value) : m_name(name) {
    setenv(name, value, 1);
  }
  Environment(Environment const&)            = delete;
  Environment& operator=(Environment const&) = delete;
  ~Environment() { unsetenv(m_name); }

 private:
  char const* m_name;
};

}  // namespace KokkosArenaTest

#endif
