// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedAccess.hpp"

#include "../KokkosArena_Error.hpp"
#include "../engine/KokkosArena_Core.hpp"
#include "../engine/KokkosArena_Owners.hpp"
#include "KokkosArena_Region.hpp"

#include <stdexcept>

namespace KokkosArena::Impl {

ViewExtents& next_view_extents() noexcept {
  thread_local ViewExtents extents;
  return extents;
}

void refuse_unchecked(void const* address, std::string const& label) {
  auto const* const core = find_core(address);
  if (!core || find_checked_allocation(address)) return;
  throw std::invalid_argument(
      "KokkosArena: checked() of View \"" + label +
      "\", whose memory is arena \"" + core->label() +
      "\"'s and wasn't made in CheckedSpace: its lifetime can't be known. Make "
      "it in CheckedSpace, or copy it");
}

int invalid_access(void const* address) {
  char text[1024];
  describe_checked_address(address, text, sizeof(text));
  if (region_level() > 0) abort(text);
  throw InvalidViewAccess(std::string("KokkosArena: ") + text);
}

}  // namespace KokkosArena::Impl
