// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_CLASSIFIER_HPP
#define KOKKOSARENA_PERF_CLASSIFIER_HPP

#include <Kokkos_Core.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

/// \file
/// Inference as in a library of neural networks: each layer makes its output
/// where its input is. It knows this project as little as any other library
/// does.

namespace library {

template <class Space>
using Matrix = Kokkos::View<double**, Space>;
template <class Space>
using Vector = Kokkos::View<double*, Space>;

template <class In>
using output_t =
    Kokkos::View<typename In::non_const_data_type, typename In::memory_space>;

template <class In>
auto rows_of(In const& x) {
  return Kokkos::RangePolicy<typename In::execution_space>(0, x.extent(0));
}

/// Each row of the output is weights * (row of x) + bias.
template <class In, class Weights, class Bias>
output_t<In> dense(In const& x, Weights const& weights, Bias const& bias) {
  output_t<In> y("dense", x.extent(0), weights.extent(0));
  Kokkos::parallel_for(
      "library::dense", rows_of(x), KOKKOS_LAMBDA(std::size_t row) {
        for (std::size_t j = 0; j < weights.extent(0); ++j) {
          auto sum = bias(j);
          for (std::size_t k = 0; k < weights.extent(1); ++k) {
            sum += weights(j, k) * x(row, k);
          }
          y(row, j) = sum;
        }
      });
  return y;
}

template <class In>
output_t<In> relu(In const& x) {
  output_t<In> y("relu", x.extent(0), x.extent(1));
  Kokkos::parallel_for(
      "library::relu", rows_of(x), KOKKOS_LAMBDA(std::size_t row) {
        for (std::size_t j = 0; j < x.extent(1); ++j) {
          y(row, j) = x(row, j) > 0 ? x(row, j) : 0;
        }
      });
  return y;
}

template <class In>
output_t<In> softmax(In const& x) {
  output_t<In> y("softmax", x.extent(0), x.extent(1));
  Kokkos::parallel_for(
      "library::softmax", rows_of(x), KOKKOS_LAMBDA(std::size_t row) {
        auto most = x(row, 0);
        for (std::size_t j = 1; j < x.extent(1); ++j) {
          most = x(row, j) > most ? x(row, j) : most;
        }
        double sum = 0;
        for (std::size_t j = 0; j < x.extent(1); ++j) {
          y(row, j) = std::exp(x(row, j) - most);
          sum += y(row, j);
        }
        for (std::size_t j = 0; j < x.extent(1); ++j) y(row, j) /= sum;
      });
  return y;
}

template <class Space>
struct Layer {
  Matrix<Space> weights;
  Vector<Space> bias;
};

/// Dense layers with a relu between each two of them, and a softmax.
template <class Space>
struct Classifier {
  std::vector<Layer<Space>> layers;

  output_t<Matrix<Space>> operator()(Matrix<Space> const& batch) const {
    auto x = dense(batch, layers.front().weights, layers.front().bias);
    for (std::size_t l = 1; l < layers.size(); ++l) {
      x = dense(relu(x), layers[l].weights, layers[l].bias);
    }
    return softmax(x);
  }
};

}  // namespace library

#endif
