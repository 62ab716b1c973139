// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_ONELINE_HPP
#define KOKKOSARENA_PRELOAD_ONELINE_HPP

#include <algorithm>
#include <string>

namespace KokkosArena::Impl {

/// \return Whether a terminal would obey it rather than show it.
inline bool is_control(char c) noexcept {
  auto const code = static_cast<unsigned char>(c);
  return code < 0x20 || code == 0x7f;
}

/// \return The text, where another character stands for each such one.
inline std::string one_line(std::string text, char instead) {
  std::replace_if(text.begin(), text.end(), is_control, instead);
  return text;
}

}  // namespace KokkosArena::Impl

#endif
