// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_MEDIAN_HPP
#define KOKKOSARENA_PERF_MEDIAN_HPP

#include <algorithm>
#include <iterator>
#include <vector>

namespace KokkosArena::Perf {

/// \pre There is a value.
inline double median(std::vector<double> values) {
  auto const middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace KokkosArena::Perf

#endif
