// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ARENAMARK_HPP
#define KOKKOSARENA_ARENAMARK_HPP

#include <cstdint>

namespace KokkosArena {

/// \brief A point in the life of an arena, to rewind to; what \c Arena::mark
/// gives. A value: copied freely, on any thread. Valid as long as the arena.
class ArenaMark {
 public:
  ArenaMark(void const* core, std::uint64_t epoch) noexcept
      : m_core(core), m_epoch(epoch) {}
  void const* core() const noexcept { return m_core; }
  /// The one that the mark ended.
  std::uint64_t epoch() const noexcept { return m_epoch; }

 private:
  void const* m_core;
  std::uint64_t m_epoch;
};

}  // namespace KokkosArena

#endif
