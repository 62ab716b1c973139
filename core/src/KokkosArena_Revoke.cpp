// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Revoke.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace KokkosArena {

Revoke Impl::revoke_or(Revoke otherwise) {
  auto const* const text = std::getenv("KOKKOS_ARENA_REVOKE");
  std::string_view const name(text ? text : "");
  if (name.empty()) return otherwise;
  if (name == "window") return Revoke::window;
  if (name == "at_once") return Revoke::at_once;
  throw std::invalid_argument(
      "KokkosArena: the environment variable KOKKOS_ARENA_REVOKE is \"" +
      std::string(name) + "\"; set it to window or at_once, or unset it");
}

}  // namespace KokkosArena
