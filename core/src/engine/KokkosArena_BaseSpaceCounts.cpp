// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_BaseSpaceCounts.hpp"

#include "KokkosArena_Fork.hpp"
#include "KokkosArena_NeverDestroyed.hpp"

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <new>
#include <vector>

namespace KokkosArena::Impl {

namespace {

struct Lock {
  std::mutex mutex;
  ForkLock<std::mutex> fork_lock{ForkRank::file, mutex};
};
std::mutex& mutex() noexcept {
  static NeverDestroyed<Lock> const instance;
  return instance.get().mutex;
}

constexpr std::size_t most_labels = 1000;
constexpr std::size_t most_named  = 5;

}  // namespace

void BaseSpaceCounts::note(std::string_view label,
                           std::uint64_t bytes) noexcept {
  std::lock_guard const guard(mutex());
  ++m_allocations;
  try {
    auto entry = m_by_label.find(label);
    if (entry == m_by_label.end()) {
      if (m_by_label.size() == most_labels && !drop_least(bytes)) return;
      entry = m_by_label.emplace(label, BaseSpaceAllocations{}).first;
      entry->second.label = label;
    }
    ++entry->second.count;
    entry->second.bytes += bytes;
  } catch (std::bad_alloc const&) {  // NOLINT(bugprone-empty-catch)
  }
}

bool BaseSpaceCounts::drop_least(std::uint64_t bytes) noexcept {
  auto const least = std::min_element(m_by_label.begin(), m_by_label.end(),
                                      [](auto const& a, auto const& b) {
                                        return a.second.bytes < b.second.bytes;
                                      });
  if (least->second.bytes >= bytes) return false;
  m_by_label.erase(least);
  return true;
}

void BaseSpaceCounts::add_to(ArenaStatistics& s) const {
  std::lock_guard const guard(mutex());
  s.base_space_allocations += m_allocations;
  auto& largest = s.largest_base_space_allocations;
  largest.reserve(m_by_label.size());
  for (auto const& [label, allocations] : m_by_label) {
    largest.push_back(allocations);
  }
  auto const named = std::min(most_named, largest.size());
  std::partial_sort(
      largest.begin(), largest.begin() + static_cast<std::ptrdiff_t>(named),
      largest.end(),
      [](auto const& a, auto const& b) { return a.bytes > b.bytes; });
  largest.resize(named);
}

}  // namespace KokkosArena::Impl
