// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_BASIC_REDUCTION_HPP
#define KOKKOSARENA_PERF_BASIC_REDUCTION_HPP

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <utility>

/// \file
/// A library as there are many: it works on Views, makes the temporaries that
/// it needs, and its callers can't tell it where from. It knows this project
/// as little as any other library does.

namespace library {

/// A temporary in the memory space of the input, as the code below needs it.
template <class In>
using temporary_t =
    Kokkos::View<typename In::non_const_data_type, typename In::array_layout,
                 typename In::memory_space>;

template <class In, class Out>
void copy(In const& a, Out const& out) {
  Kokkos::parallel_for(
      "library::copy",
      Kokkos::RangePolicy<typename In::execution_space>(0, a.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { out(i) = a(i); });
}

template <class B, class C, class Out>
void add(B const& b, C const& c, Out const& out) {
  Kokkos::parallel_for(
      "library::add",
      Kokkos::RangePolicy<typename B::execution_space>(0, b.extent(0)),
      KOKKOS_LAMBDA(std::size_t i) { out(i) = b(i) + c(i); });
}

template <class In>
double sum(In const& a) {
  double result = 0;
  Kokkos::parallel_reduce(
      "library::sum",
      Kokkos::RangePolicy<typename In::execution_space>(0, a.extent(0)),
      KOKKOS_LAMBDA(std::size_t i, double& partial) { partial += a(i); },
      result);
  return result;
}

/// Two copies of the input. They are not initialised, since every element is
/// written at once.
template <class In>
auto some_allocating_function(In const& a) {
  using Kokkos::view_alloc;
  using Kokkos::WithoutInitializing;
  temporary_t<In> b(view_alloc("b", WithoutInitializing), a.extent(0));
  temporary_t<In> c(view_alloc("c", WithoutInitializing), a.extent(0));
  copy(a, b);
  copy(a, c);
  return std::pair(b, c);
}

/// The sum of a + a, the long way round.
template <class In>
double basic_reduction(In const& a) {
  auto const [b, c] = some_allocating_function(a);
  temporary_t<In> d(Kokkos::view_alloc("d", Kokkos::WithoutInitializing),
                    a.extent(0));
  add(b, c, d);
  return sum(d);
}

/// The same in temporaries that the caller keeps: what the computation alone
/// costs.
template <class In, class Temporary>
double basic_reduction(In const& a, Temporary const& b, Temporary const& c,
                       Temporary const& d) {
  copy(a, b);
  copy(a, c);
  add(b, c, d);
  return sum(d);
}

}  // namespace library

#endif
