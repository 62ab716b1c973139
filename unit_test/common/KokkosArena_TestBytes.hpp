// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTBYTES_HPP
#define KOKKOSARENA_TESTBYTES_HPP

#include <algorithm>
#include <cstddef>

namespace KokkosArenaTest {

inline bool all_are(unsigned char const* data, std::size_t bytes, int value) {
  return std::all_of(data, data + bytes,
                     [&](unsigned char c) { return c == value; });
}

}  // namespace KokkosArenaTest

#endif
