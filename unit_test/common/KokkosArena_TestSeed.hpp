// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTSEED_HPP
#define KOKKOSARENA_TESTSEED_HPP

#include <cstdint>
#include <cstdlib>

namespace KokkosArenaTest {

inline std::uint64_t from_environment(char const* name,
                                      std::uint64_t otherwise) {
  auto const* const text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Of random programs; KOKKOS_ARENA_TEST_SEED gives others.
inline std::uint64_t seed() {
  return from_environment("KOKKOS_ARENA_TEST_SEED", 20260101);
}

}  // namespace KokkosArenaTest

#endif
