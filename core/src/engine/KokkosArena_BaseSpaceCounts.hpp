// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_BASESPACECOUNTS_HPP
#define KOKKOSARENA_ENGINE_BASESPACECOUNTS_HPP

#include <KokkosArena_Statistics.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace KokkosArena::Impl {

/// \brief What the memory space underneath has given inside an arena's scopes,
/// by label.
/// Threads: any; all share one lock.
class BaseSpaceCounts {
 public:
  /// \param[in] space  Its name; a literal.
  explicit BaseSpaceCounts(char const* space) noexcept : m_space(space) {}

  std::string_view space() const noexcept { return m_space; }

  /// \brief Where there is no heap memory for a label, it counts without one.
  /// Of more than a thousand it forgets those with the least bytes.
  void note(std::string_view label, std::uint64_t bytes) noexcept;
  void add_to(ArenaStatistics& s) const;

 private:
  /// \return Whether a label with less bytes made place.
  bool drop_least(std::uint64_t bytes) noexcept;

  std::string_view m_space;
  std::uint64_t m_allocations = 0;
  std::map<std::string, BaseSpaceAllocations, std::less<>> m_by_label;
};

}  // namespace KokkosArena::Impl

#endif
