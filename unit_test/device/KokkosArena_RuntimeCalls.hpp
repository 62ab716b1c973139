// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_RUNTIMECALLS_HPP
#define KOKKOSARENA_RUNTIMECALLS_HPP

#include <cstdint>
#include <map>
#include <string>

namespace KokkosArenaTest {

/// \brief Calls of functions of the backend's runtime from when it was made, by
/// their names. Only in programs whose linker puts KokkosArena_RuntimeCalls.cpp
/// in their place (COUNT_CALLS), which it does for what is linked statically;
/// so far for Cuda.
class RuntimeCalls {
 public:
  RuntimeCalls();
  /// \return Since then, of those functions together.
  template <class... Names>
  std::uint64_t operator()(Names... names) const {
    return (since(names) + ... + 0);
  }
  /// \return All that have been called, for a message.
  std::string list() const;

 private:
  std::uint64_t since(char const* name) const;

  std::map<std::string, std::uint64_t> m_before;
};

}  // namespace KokkosArenaTest

#endif
