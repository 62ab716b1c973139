// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDPIECE_HPP
#define KOKKOSARENA_ENGINE_CHECKEDPIECE_HPP

#include <engine/KokkosArena_Block.hpp>
#include <engine/KokkosArena_CheckedDrop.hpp>
#include <engine/KokkosArena_CheckedLedger.hpp>
#include <engine/KokkosArena_CheckedWindows.hpp>

#include <cstddef>
#include <cstdint>

namespace KokkosArena::Impl {

/// \brief A section, and what has been made in it by one frame between two
/// marks, so that a frame or a rewind drops whole sections.
struct CheckedPiece {
  CheckedSection section;  ///< Empty if the memory is the arena's own.
  Block block{granule, 0};
  std::uint64_t frame   = 0;  ///< The one that it is of; 0: none.
  std::uint64_t marks   = 0;  ///< How many there had been.
  std::uint64_t epoch   = 0;  ///< Of the arena, when its first View was made.
  std::uint64_t made_in = 0;  ///< The epoch; that of the frame is before it.
  std::uint64_t cycle   = 0;
  std::size_t live      = 0;
  CheckedLedger ledger;

  bool dropped                = false;
  std::uint64_t dropped_cycle = 0;
  std::uint64_t drop_number   = 0;  ///< Of the store's drops.
  CheckedDrop drop{};
};

}  // namespace KokkosArena::Impl

#endif
