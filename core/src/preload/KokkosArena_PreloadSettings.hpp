// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_PRELOADSETTINGS_HPP
#define KOKKOSARENA_PRELOAD_PRELOADSETTINGS_HPP

#include <cstddef>
#include <string>
#include <vector>

namespace KokkosArena::Impl {

/// \brief What the environment asks for: the command kokkos-arena sets it, or
/// who starts the program by hand.
struct PreloadSettings {
  /// KOKKOS_ARENA_ADOPT: names or glob patterns of regions, with semicolons
  /// between them; "*": everywhere. Empty: nothing is adopted.
  std::vector<std::string> regions;
  /// KOKKOS_ARENA_ADOPT_CYCLE: a region or kernel that begins a cycle.
  std::string cycle;
  /// KOKKOS_ARENA_ADOPT_THRESHOLD, in bytes.
  std::size_t threshold = 4096;
  /// KOKKOS_ARENA_STATS=1: the arena's statistics at the end.
  bool statistics = false;
  /// KOKKOS_ARENA_ADVISE=1: a report at the end, instead of an adoption;
  /// KOKKOS_ARENA_ADVISE_JSON, KOKKOS_ARENA_ADVISE_HTML: files for it as well,
  /// where %p stands for the process and %r for its rank.
  bool advises = false;
  std::string json, html;
  /// KOKKOS_ARENA_PROGRAM: how the program is called in what is proposed.
  std::string program;
  /// Without KOKKOS_ARENA_PROCESS: also in what this process starts or forks.
  bool reaches_children = false;
  /// KOKKOS_ARENA_NEXT_TOOL: a library that gets all events as well.
  std::string next_tool;

  bool adopts() const noexcept { return !regions.empty() && !advises; }
};

/// \brief What isn't understood is told on stderr, and left out.
/// KOKKOS_ARENA_PROCESS, a number, restricts all to the process of that number,
/// so that what it starts is not adopted.
PreloadSettings read_preload_settings();

}  // namespace KokkosArena::Impl

#endif
