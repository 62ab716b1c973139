// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "exact_sum.hpp"

namespace KokkosArena::Perf {

double exact_sum(std::size_t n) {
  constexpr auto sum_below = [](std::size_t m) { return m * (m - 1) / 2; };
  auto const periods       = n / input_period;
  auto const rest          = n % input_period;
  auto const sum =
      periods * sum_below(input_period) + (rest > 0 ? sum_below(rest) : 0);
  return static_cast<double>(2 * sum);
}

}  // namespace KokkosArena::Perf
