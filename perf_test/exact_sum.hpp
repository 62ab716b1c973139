// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_EXACT_SUM_HPP
#define KOKKOSARENA_PERF_EXACT_SUM_HPP

#include <Kokkos_Core.hpp>

#include <cstddef>

namespace KokkosArena::Perf {

/// The input: element i is i modulo this, so every partial sum is a whole
/// number that a double holds, in whatever order threads add up.
inline constexpr std::size_t input_period = 16;

inline Kokkos::View<double*, Kokkos::HostSpace> make_input(std::size_t n) {
  Kokkos::View<double*, Kokkos::HostSpace> const a("a", n);
  Kokkos::parallel_for(
      "make_input",
      Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, n),
      [=](std::size_t i) { a(i) = static_cast<double>(i % input_period); });
  return a;
}

/// \return What basic_reduction has to give for an input of n elements: the
/// double of its sum, from a closed form.
double exact_sum(std::size_t n);

}  // namespace KokkosArena::Perf

#endif
