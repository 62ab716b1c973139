// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_LiveTimeline.hpp"

#include <algorithm>

namespace KokkosArena::Impl {

LiveTimeline::LiveTimeline(std::uint64_t begin_ns, std::uint64_t interval_ns)
    : m_begin_ns(begin_ns), m_interval_ns(interval_ns), m_end_ns(interval_ns) {
  m_samples.reserve(most_samples);
}

void LiveTimeline::add(std::size_t series, std::uint64_t bytes,
                       std::uint64_t now_ns) noexcept {
  advance(now_ns);
  m_now.live[series] += bytes;
  m_now.total += bytes;
}

void LiveTimeline::remove(std::size_t series, std::uint64_t bytes,
                          std::uint64_t now_ns) noexcept {
  // Before the moment passes: a peak is noted when it ends, not on the way up.
  note_peak();
  advance(now_ns);
  m_now.live[series] -= bytes;
  m_now.total -= bytes;
}

std::vector<LiveSample> LiveTimeline::samples() const {
  auto result = m_samples;
  end_interval(result);
  return result;
}

void LiveTimeline::note_peak() noexcept {
  if (m_has_changed && m_now.total > m_peak.total) m_peak = m_now;
}

void LiveTimeline::advance(std::uint64_t now_ns) noexcept {
  auto const ns = std::max(now_ns, m_begin_ns + m_now.ns) - m_begin_ns;
  if (ns >= m_end_ns) {
    end_interval(m_samples);  // there is room
    if (m_samples.size() + 2 > most_samples) {
      while (m_samples.size() > most_samples / 2) halve();
    }
    m_end_ns      = ns - ns % m_interval_ns + m_interval_ns;
    m_has_changed = false;
  }
  m_now.ns = ns;
  if (!m_has_changed) m_peak = LiveSample{};
  m_has_changed = true;
}

void LiveTimeline::end_interval(std::vector<LiveSample>& samples) const {
  if (!m_has_changed) return;
  if (m_peak.total > m_now.total) samples.push_back(m_peak);
  samples.push_back(m_now);
}

void LiveTimeline::halve() noexcept {
  m_interval_ns *= 2;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < m_samples.size();) {
    auto const interval = m_samples[i].ns / m_interval_ns;
    auto peak           = i;
    auto last           = i;
    for (; i < m_samples.size() && m_samples[i].ns / m_interval_ns == interval;
         ++i) {
      if (m_samples[i].total > m_samples[peak].total) peak = i;
      last = i;
    }
    // In order; nothing that is still to be read is overwritten.
    if (peak != last) m_samples[kept++] = m_samples[peak];
    m_samples[kept++] = m_samples[last];
  }
  m_samples.resize(kept);
}

}  // namespace KokkosArena::Impl
