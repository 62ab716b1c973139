// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_PreloadMessage.hpp"

#include <engine/KokkosArena_Process.hpp>

#include <algorithm>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <string>

#include <unistd.h>

namespace KokkosArena::Impl {

void tell(char const* format, ...) noexcept {
  auto const rank = process_rank();
  char text[4096];
  constexpr auto room = sizeof(text) - 1;  // for the newline
  auto length         = static_cast<std::size_t>(
      rank.empty() ? std::snprintf(text, room, "kokkos-arena: ")
                   : std::snprintf(text, room,
                                           "kokkos-arena, rank %.20s: ", rank.c_str()));
  std::va_list arguments;
  va_start(arguments, format);
  auto const more =
      std::vsnprintf(text + length, room - length, format, arguments);
  va_end(arguments);
  length =
      std::min(length + static_cast<std::size_t>(std::max(more, 0)), room - 1);
  text[length++] = '\n';
  tell_text({text, length});
}

void tell_text(std::string_view text) noexcept {
  // Not stdio's, which the program may have closed.
  while (!text.empty()) {
    auto const written = write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace KokkosArena::Impl
