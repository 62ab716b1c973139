// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_ToolsNames.hpp"

#include "../engine/KokkosArena_Cancellation.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace KokkosArena::Impl {

bool tools_see_spaces() noexcept {
  static bool const seen = [] {
    auto const* const text = std::getenv("KOKKOS_ARENA_TOOLS");
    std::string_view const value(text ? text : "");
    if (!value.empty() && value != "spaces") {
      CancellationOff const off;
      std::fprintf(
          stderr,
          "KokkosArena: KOKKOS_ARENA_TOOLS is \"%s\"; \"spaces\" is all "
          "that it can be, and it is ignored\n",
          text);
    }
    return value == "spaces";
  }();
  return seen;
}

}  // namespace KokkosArena::Impl
