// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_MOCKCHECKEDMEMORY_HPP
#define KOKKOSARENA_MOCKCHECKEDMEMORY_HPP

#include <engine/KokkosArena_Block.hpp>
#include <engine/KokkosArena_CheckedMemory.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace KokkosArenaTest {

/// \brief Checked memory at addresses that no process has. Holds what it is
/// asked for against the rules of CheckedMemory, and refuses what it is told
/// to. Takes no heap memory but for descriptions.
class MockCheckedMemory final : public KokkosArena::Impl::CheckedMemory {
 public:
  static constexpr std::size_t page           = 4096;
  static constexpr std::size_t part           = 4 * page;
  static constexpr std::size_t addresses_step = std::size_t(2) << 20;

  // What fails from now on.
  bool has_no_addresses = false;
  int failing_lends     = 0;  ///< The next ones.
  bool moves_fail       = false;
  // What it is.
  bool guard_pages  = false;
  bool descriptions = false;
  bool has_parts    = false;

  struct Bytes {
    std::uintptr_t begin;
    std::size_t bytes;
  };
  std::vector<Bytes> spoilt;    ///< Noted up to its capacity.
  std::uintptr_t expected = 0;  ///< Of the last expect_accesses().

  struct Description {
    std::uintptr_t begin, end;
    std::string text;
  };
  std::vector<Description> described;
  int published = 0;
  int waits     = 0;

  MockCheckedMemory() {
    m_ranges.reserve(4096);
    m_dropped_parts.reserve(4096);
    spoilt.reserve(64);
  }

  /// With pages behind them.
  std::size_t lent_bytes() const {
    std::size_t sum = 0;
    for (auto const& range : m_ranges) sum += range.is_lent ? range.bytes : 0;
    return sum;
  }
  std::size_t valid_ranges() const {
    return static_cast<std::size_t>(
        std::count_if(m_ranges.begin(), m_ranges.end(),
                      [](auto const& range) { return range.is_valid; }));
  }
  bool is_valid(std::uintptr_t address) const {
    return std::any_of(m_ranges.begin(), m_ranges.end(),
                       [&](auto const& r) {
                         return r.is_valid && address - r.begin < r.bytes;
                       }) &&
           std::none_of(m_dropped_parts.begin(), m_dropped_parts.end(),
                        [&](auto const& dropped) {
                          return address - dropped.begin < dropped.bytes;
                        });
  }
  bool is_valid(void const* address) const {
    return is_valid(reinterpret_cast<std::uintptr_t>(address));
  }
  /// Whether all that was taken or lent was given back, and reported so.
  bool is_at_rest() const {
    return std::none_of(m_ranges.begin(), m_ranges.end(), [](auto const& r) {
      return r.is_valid || r.is_lent || r.is_reported;
    });
  }

  std::uintptr_t take_addresses(std::size_t bytes) noexcept override {
    EXPECT_EQ(bytes % page, 0u);
    if (has_no_addresses || m_ranges.size() == m_ranges.capacity()) return 0;
    auto const begin = m_next;
    m_next += KokkosArena::Impl::align_up(bytes, addresses_step);
    m_ranges.push_back({begin, bytes, true, false, false});
    return begin;
  }
  void untake_addresses(std::uintptr_t begin,
                        std::size_t bytes) noexcept override {
    auto& range = at(begin, bytes);
    EXPECT_TRUE(range.is_valid && !range.is_lent);
    range.is_valid = false;
  }
  void drop_addresses(std::uintptr_t begin,
                      std::size_t bytes) noexcept override {
    auto& range = at(begin, bytes);
    EXPECT_TRUE(range.is_valid && range.is_lent);
    range.is_valid = false;
  }
  void drop_part(std::uintptr_t begin, std::size_t bytes) noexcept override {
    EXPECT_TRUE(has_parts);
    EXPECT_EQ(bytes % part, 0u);
    EXPECT_TRUE(is_valid(begin) && is_valid(begin + bytes - 1));
    m_dropped_parts.push_back({begin, bytes});
  }
  std::size_t part_bytes() const noexcept override {
    return has_parts ? part : 0;
  }
  void spoil(std::uintptr_t begin, std::size_t bytes) noexcept override {
    EXPECT_TRUE(is_valid(begin) && is_valid(begin + bytes - 1));
    if (spoilt.size() < spoilt.capacity()) spoilt.push_back({begin, bytes});
  }
  void expect_accesses(std::uintptr_t address) noexcept override {
    EXPECT_TRUE(is_valid(address));
    expected = address;
  }
  bool lend(std::uintptr_t begin, std::size_t bytes, bool) noexcept override {
    auto& range = at(begin, bytes);
    EXPECT_TRUE(range.is_valid && !range.is_lent);
    if (failing_lends > 0) {
      --failing_lends;
      return false;
    }
    return range.is_lent = true;
  }
  bool move(std::uintptr_t from, std::uintptr_t to,
            std::size_t bytes) noexcept override {
    auto& old   = at(from, bytes);
    auto& fresh = at(to, bytes);
    // Who may still have the old addresses must be refused before.
    EXPECT_TRUE(!old.is_valid && old.is_lent);
    EXPECT_TRUE(fresh.is_valid && !fresh.is_lent);
    if (moves_fail) return false;
    old.is_lent   = false;
    fresh.is_lent = true;
    return true;
  }
  void take_back(std::uintptr_t begin, std::size_t bytes) noexcept override {
    auto& range = at(begin, bytes);
    EXPECT_TRUE(!range.is_valid && range.is_lent);
    range.is_lent = false;
  }

  std::size_t page_bytes() const noexcept override { return page; }
  bool has_guard_pages() const noexcept override { return guard_pages; }
  void wait_for_kernels() noexcept override { ++waits; }
  bool keeps_descriptions() const noexcept override { return descriptions; }
  void describe(std::uintptr_t begin, std::uintptr_t end,
                char const* text) noexcept override {
    described.push_back({begin, end, text});
  }
  void publish() noexcept override { ++published; }

  void report_taken(std::uintptr_t begin, std::size_t bytes) const override {
    auto& range = at(begin, bytes);
    EXPECT_FALSE(range.is_reported);
    range.is_reported = true;
  }
  void report_returned(std::uintptr_t begin, std::size_t bytes) const override {
    auto& range = at(begin, bytes);
    EXPECT_TRUE(range.is_reported);
    range.is_reported = false;
  }

 private:
  struct Range {
    std::uintptr_t begin;
    std::size_t bytes;
    bool is_valid;
    bool is_lent;
    bool is_reported;
  };
  Range& at(std::uintptr_t begin, std::size_t bytes) const {
    auto const found =
        std::find_if(m_ranges.begin(), m_ranges.end(),
                     [&](auto const& range) { return range.begin == begin; });
    if (found == m_ranges.end()) {
      ADD_FAILURE() << "nobody has taken " << begin;
      return m_ranges.front();
    }
    EXPECT_EQ(found->bytes, bytes);
    return *found;
  }

  std::uintptr_t m_next = std::uintptr_t(1) << 60;
  mutable std::vector<Range> m_ranges;
  std::vector<Bytes> m_dropped_parts;
};

}  // namespace KokkosArenaTest

#endif
