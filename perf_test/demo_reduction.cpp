// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "basic_reduction.hpp"
#include "demo_spaces.hpp"
#include "exact_sum.hpp"

#include <cstddef>

namespace KokkosArena::Perf {

namespace {

using Input = Kokkos::View<double const*, Kokkos::HostSpace>;

/// Temporaries from nowhere: what the computation alone costs.
Contestant preallocated(Input const& input) {
  using temporary_type = library::temporary_t<Input>;
  auto const n         = input.size();
  return {
      .name = "preallocated",
      .call = [input, b = temporary_type("b", n), c = temporary_type("c", n),
               d = temporary_type("d", n)](Result& result) {
        result.push_back(library::basic_reduction(input, b, c, d));
      }};
}

}  // namespace

Workload make_reduction(WorkloadInput const& in) {
  Input const input       = make_input(in.n);
  auto const reduction_in = [&]<class Space>(Space) {
    return [a = adapt<Space>(input)](Result& result, auto const& cycle) {
      cycle([&] { result.push_back(library::basic_reduction(a)); });
    };
  };
  Workload workload{.name = "reduction",
                    .description =
                        "basic_reduction(a): the sum of a + a, by way of three "
                        "temporaries like a",
                    .contestants = in_all_spaces(reduction_in),
                    .expected    = Result{exact_sum(in.n)}};
  workload.contestants.push_back(preallocated(input));
  return workload;
}

}  // namespace KokkosArena::Perf
