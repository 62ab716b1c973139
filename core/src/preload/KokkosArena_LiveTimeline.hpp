// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_LIVETIMELINE_HPP
#define KOKKOSARENA_PRELOAD_LIVETIMELINE_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace KokkosArena::Impl {

/// What a timeline tells apart.
inline constexpr std::size_t most_series = 16;
/// \brief Bytes by series.
using LiveBySeries = std::array<std::uint64_t, most_series>;

/// \brief From this moment on, until the next sample, so much was alive.
struct LiveSample {
  std::uint64_t ns    = 0;  ///< Since the timeline's beginning.
  std::uint64_t total = 0;
  LiveBySeries live{};
};

/// \brief Bytes that are alive over time: of each interval, the moment with
/// most of them and the last change. The intervals become twice as long
/// whenever there are too many, so that a timeline of any length takes the same
/// memory, and keeps its peaks.
/// Threads: not synchronised. Moments that come too late count as the latest.
class LiveTimeline {
 public:
  static constexpr std::size_t most_samples = 2048;

  /// \throws std::bad_alloc
  explicit LiveTimeline(std::uint64_t begin_ns,
                        std::uint64_t interval_ns = 50'000);

  void add(std::size_t series, std::uint64_t bytes,
           std::uint64_t now_ns) noexcept;
  void remove(std::size_t series, std::uint64_t bytes,
              std::uint64_t now_ns) noexcept;

  /// \return The samples so far, in order.
  std::vector<LiveSample> samples() const;

 private:
  void advance(std::uint64_t now_ns) noexcept;
  void note_peak() noexcept;
  void end_interval(std::vector<LiveSample>& samples) const;
  void halve() noexcept;

  std::uint64_t m_begin_ns;
  std::uint64_t m_interval_ns;
  std::uint64_t m_end_ns;  ///< Of the interval that is open.
  LiveSample m_now;
  LiveSample m_peak;           ///< Of the interval.
  bool m_has_changed = false;  ///< In the interval.
  std::vector<LiveSample> m_samples;
};

}  // namespace KokkosArena::Impl

#endif
