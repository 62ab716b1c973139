// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_ArenaOptions.hpp"

#include "engine/KokkosArena_Block.hpp"

#include <stdexcept>

namespace KokkosArena {

ArenaOptions Impl::validated(ArenaOptions options) {
  auto const complain = [&](std::string const& what) {
    throw std::invalid_argument("KokkosArena: arena \"" + options.label +
                                "\": " + what);
  };
  if (options.maximum_bytes == 0) {
    complain(
        "maximum_bytes is 0, so that nothing could ever be allocated; pass the "
        "number of bytes that a cycle needs, or leave it out to let the arena "
        "grow");
  }
  if (options.initial_bytes > options.maximum_bytes) {
    complain("initial_bytes (" + std::to_string(options.initial_bytes) +
             ") exceeds maximum_bytes (" +
             std::to_string(options.maximum_bytes) + "); raise maximum_bytes");
  }
  if (options.history_length == 0) {
    complain("history_length is 0; it has to be at least 1 cycle");
  }
  auto const round = [](std::size_t& bytes) {
    auto const rounded = align_up(bytes, granule);
    if (rounded >= bytes) bytes = rounded;
  };
  round(options.initial_bytes);
  round(options.maximum_bytes);
  options.escape_policy = escape_policy_or(options.escape_policy);
  options.revoke        = revoke_or(options.revoke);
  return options;
}

}  // namespace KokkosArena
