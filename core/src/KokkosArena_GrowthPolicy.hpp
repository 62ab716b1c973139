// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_GROWTHPOLICY_HPP
#define KOKKOSARENA_GROWTHPOLICY_HPP

#include <cstddef>
#include <vector>

namespace KokkosArena {

/// \brief Decides how large the blocks of an arena are.
///
/// A cycle is what lies between two resets. The policy keeps the peaks of the
/// last few cycles: a block of 1.1 times the largest of them serves the next
/// cycle, and a block of more than twice that is given back.
/// Threads: not synchronised; the arena calls it under its own lock.
class GrowthPolicy {
 public:
  /// \param[in] history_length  Cycles that are remembered, at least 1.
  /// \param[in] initial_bytes   Never recommend fewer bytes than these.
  GrowthPolicy(std::size_t history_length, std::size_t initial_bytes);

  /// \brief Remembers a cycle. One in which nothing was allocated is ignored,
  /// so that resetting twice changes nothing.
  void record_cycle(std::size_t peak_bytes) noexcept;

  /// \brief Bytes that a new block is to have beside what peaks say; one that
  /// was enough is not exchanged for them.
  void set_spare_bytes(std::size_t bytes) noexcept { m_spare_bytes = bytes; }
  std::size_t spare_bytes() const noexcept {
    return largest_peak() == 0 ? 0 : m_spare_bytes;
  }

  /// \return Bytes of the block that should serve the next cycle, 0 if
  /// nothing is known yet.
  std::size_t recommended_bytes() const noexcept;

  /// \return Whether one block of \c block_bytes should be kept.
  bool keeps(std::size_t block_bytes) const noexcept;

  /// \param[in] needed_bytes    What one allocation needs now.
  /// \param[in] capacity_bytes  What the arena holds already.
  /// \return Bytes of the next block: at least what is needed, and as much as
  /// the arena holds, so that the number of blocks grows with the logarithm.
  std::size_t next_block_bytes(std::size_t needed_bytes,
                               std::size_t capacity_bytes) const noexcept;

  std::size_t initial_bytes() const noexcept { return m_initial_bytes; }

  /// \return Of the cycles that are remembered, in bytes.
  std::size_t largest_peak() const noexcept { return m_largest_peak; }

 private:
  std::vector<std::size_t> m_peaks;  ///< A ring; 0 is no cycle yet.
  std::size_t m_next         = 0;
  std::size_t m_largest_peak = 0;
  std::size_t m_initial_bytes;
  std::size_t m_spare_bytes = 0;
};

}  // namespace KokkosArena

#endif
