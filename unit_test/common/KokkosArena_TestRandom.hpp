// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTRANDOM_HPP
#define KOKKOSARENA_TESTRANDOM_HPP

#include <cstddef>
#include <cstdint>
#include <limits>

namespace KokkosArenaTest {

inline constexpr auto unlimited = std::numeric_limits<std::size_t>::max();

/// A generator that is the same everywhere, unlike those of <random> with
/// their distributions.
class Random {
 public:
  explicit Random(std::uint64_t seed) : m_state(seed) {}
  std::uint64_t operator()() {  // splitmix64
    auto z = (m_state += 0x9e3779b97f4a7c15u);
    z      = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z      = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// From 0 to n - 1.
  std::size_t below(std::size_t n) { return (*this)() % n; }

 private:
  std::uint64_t m_state;
};

}  // namespace KokkosArenaTest

#endif
