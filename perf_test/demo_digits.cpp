// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_Digits.hpp>
#include <KokkosArena_FrontDoors.hpp>

#include "demo_kernels.hpp"
#include "demo_spaces.hpp"

#include <string>

namespace KokkosArena::Perf {

Workload make_digits(WorkloadInput const& in) {
  auto const trained = workloads::random_network(1);
  auto const pixels  = workloads::random_images(static_cast<int>(in.n), 2);

  auto const digits_in = [&]<class Space>(Space) {
    return [network = adapt<Space>(trained), images = adapt<Space>(pixels)](
               Result& result, auto const& cycle) {
      for (int i = 0; i < workloads::number_of_batches(images); ++i) {
        cycle([&] {
          append(result,
                 network(workloads::batch(images, i), kernels_for<Space>()));
        });
      }
    };
  };
  return {.name        = "digits",
          .description = "a small neural network reads " +
                         std::to_string(in.n) +
                         " images of 28 x 28 pixels in batches of " +
                         std::to_string(workloads::digit_batch) +
                         ", with 14 temporaries and a reset for each batch",
          .contestants = in_all_spaces(digits_in),
          .tolerance   = 1e-5};
}

}  // namespace KokkosArena::Perf
