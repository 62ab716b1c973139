// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_EXACT_SUM_HPP
#define KOKKOSARENA_PERF_EXACT_SUM_HPP

#include <cstddef>

namespace KokkosArena::Perf {

/// The input: element i is i modulo this, so every partial sum is a whole
/// number that a double holds, in whatever order threads add up.
inline constexpr std::size_t input_period = 16;

/// \return What basic_reduction has to give for an input of n elements: the
/// double of its sum, from a closed form.
double exact_sum(std::size_t n);

}  // namespace KokkosArena::Perf

#endif
