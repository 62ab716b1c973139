// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_BaseSpaceWatch.hpp"

#include "../KokkosArena_ArenaScope.hpp"
#include "../engine/KokkosArena_CheckedAddresses.hpp"
#include "../engine/KokkosArena_Owners.hpp"
#include "KokkosArena_SpaceUpstream.hpp"

#include <Kokkos_Core.hpp>

#include <cstdint>
#include <string_view>

namespace KokkosArena::Impl {

namespace {

Kokkos_Profiling_allocateDataFunction previous = nullptr;

void note(Kokkos_Profiling_SpaceHandle space, char const* label,
          void const* address, std::uint64_t bytes) {
  if (previous) previous(space, label, address, bytes);
  // What an arena gives, Kokkos Tools see as of its base space.
  if (find_core(address) || is_in_checked_addresses(address) ||
      std::string_view(label) == block_label) {
    return;
  }
  note_base_allocation(space.name, label, bytes);
}

}  // namespace

void watch_base_spaces() {
  namespace Tools           = Kokkos::Tools::Experimental;
  static bool const watches = [] {
    previous = Tools::get_callbacks().allocate_data;
    Tools::set_allocate_data_callback(note);
    return true;
  }();
  (void)watches;
}

}  // namespace KokkosArena::Impl
