// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_LIVEALLOCATIONS_HPP
#define KOKKOSARENA_PRELOAD_LIVEALLOCATIONS_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace KokkosArena::Impl {

/// \brief What an AllocationLog has to know of an allocation when it ends.
struct LiveAllocation {
  std::uintptr_t address = 0;
  std::uint64_t bytes    = 0;
  std::uint64_t made_ns  = 0;
  std::uint64_t entry    = 0;  ///< The maker's last one when it was made.
  std::uint32_t region   = 0;  ///< That it was made in.
  std::uint32_t label    = 0;  ///< Or the space, where that isn't the host's.
  std::uint16_t thread   = 0;  ///< The maker's slot.
  std::uint8_t series    = 0;  ///< Of the timeline.
  bool is_host           = true;
};

/// \brief The allocations that are alive, by address: a table with open
/// addresses that holds no memory beyond twice to four times what the most at
/// once needed, and asks for none while they come and go.
/// Threads: not synchronised.
class LiveAllocations {
 public:
  LiveAllocations() : m_places(first_places) {}

  /// \pre Its address isn't null and not in the table.
  /// \throws std::bad_alloc  Nothing has changed then.
  void insert(LiveAllocation const& allocation) {
    if (2 * (m_size + 1) > m_places.size()) grow();
    put(m_places, allocation);
    ++m_size;
  }

  /// \return What was at the address, which isn't in the table any more.
  std::optional<LiveAllocation> take(std::uintptr_t address) noexcept {
    auto hole = place_of(address, m_places.size());
    while (m_places[hole].address != address) {
      if (m_places[hole].address == 0) return std::nullopt;
      hole = after(hole);
    }
    auto const result = m_places[hole];
    --m_size;
    // Whoever was pushed past the hole goes back to it, so that a search may
    // end at the first empty place.
    for (auto i = after(hole); m_places[i].address != 0; i = after(i)) {
      auto const home = place_of(m_places[i].address, m_places.size());
      auto const mask = m_places.size() - 1;
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      m_places[hole] = m_places[i];
      hole           = i;
    }
    m_places[hole].address = 0;
    return result;
  }

  std::size_t size() const noexcept { return m_size; }

 private:
  static constexpr std::size_t first_places = 1024;  ///< A power of two.

  static std::size_t place_of(std::uintptr_t address,
                              std::size_t places) noexcept {
    // The lowest bits of all addresses are the same.
    auto const mixed =
        static_cast<std::uint64_t>(address) * 0x9e3779b97f4a7c15u;
    return static_cast<std::size_t>(mixed >> 32) & (places - 1);
  }
  std::size_t after(std::size_t place) const noexcept {
    return (place + 1) & (m_places.size() - 1);
  }
  static void put(std::vector<LiveAllocation>& places,
                  LiveAllocation const& allocation) noexcept {
    auto i = place_of(allocation.address, places.size());
    while (places[i].address != 0) i = (i + 1) & (places.size() - 1);
    places[i] = allocation;
  }
  void grow() {
    std::vector<LiveAllocation> places(2 * m_places.size());
    for (auto const& allocation : m_places) {
      if (allocation.address != 0) put(places, allocation);
    }
    m_places.swap(places);
  }

  std::vector<LiveAllocation> m_places;  ///< Address 0: nobody is there.
  std::size_t m_size = 0;
};

}  // namespace KokkosArena::Impl

#endif
