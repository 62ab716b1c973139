// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_DIGITS_HPP
#define KOKKOSARENA_DIGITS_HPP

#include <KokkosArena_DirectBlas.hpp>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <type_traits>

/// \file
/// Inference of a small convolutional network that reads handwritten digits,
/// as a library would have it that has never heard of arenas. Its caller says
/// where temporaries live by the memory space of the images, and only there.

namespace KokkosArena::workloads {

inline constexpr int digit_width   = 28;  ///< And height, in pixels.
inline constexpr int digit_classes = 10;
inline constexpr int digit_batch   = 32;  ///< Images.

namespace Impl {

/// A temporary of rank 2 in the memory space of the input.
template <class In>
using matrix_like_t =
    Kokkos::View<float**, Kokkos::LayoutRight, typename In::memory_space>;

/// What goes from layer to layer. The channel is the slowest index: so a
/// convolution of the whole batch is one product of matrices, whose result is
/// the next layer's input as it is.
template <class Values>
struct Activations {
  Values values;  ///< (channels, images * height * width)
  int images;
  int height;
  int width;

  int channels() const { return values.extent_int(0); }
};

/// \return (9 * channels, pixels of the result): in each column what the 3x3
/// kernel sees from that pixel.
template <class Values>
auto unfold(Activations<Values> const& in) {
  auto const values = in.values;
  int const images = in.images, height = in.height, width = in.width;
  int const out_height = height - 2, out_width = width - 2;
  matrix_like_t<Values> columns(
      Kokkos::view_alloc("columns", Kokkos::WithoutInitializing),
      9 * in.channels(), images * out_height * out_width);
  using policy = Kokkos::RangePolicy<typename Values::execution_space>;
  Kokkos::parallel_for(
      "digits::unfold", policy(0, columns.extent_int(0) * images),
      KOKKOS_LAMBDA(int i) {
        int const row = i / images, image = i % images;
        int const channel = row / 9, shift_y = row % 9 / 3, shift_x = row % 3;
        for (int y = 0; y < out_height; ++y) {
          int const to   = (image * out_height + y) * out_width;
          int const from = (image * height + y + shift_y) * width + shift_x;
          for (int x = 0; x < out_width; ++x) {
            columns(row, to + x) = values(channel, from + x);
          }
        }
      });
  return columns;
}

/// The 3x3 convolution at all places where the kernel fits, and relu.
template <class Layer, class Values, class Kernels>
auto convolve(Layer const& layer, Activations<Values> const& in,
              Kernels const& kernels) {
  auto const columns = unfold(in);
  matrix_like_t<Values> out(
      Kokkos::view_alloc("convolved", Kokkos::WithoutInitializing),
      layer.weights.extent(0), columns.extent(1));
  kernels.gemm("N", "N", 1.0f, layer.weights, columns, 0.0f, out);
  auto const bias  = layer.bias;
  int const images = in.images;
  int const pixels = (in.height - 2) * (in.width - 2);
  using policy     = Kokkos::RangePolicy<typename Values::execution_space>;
  Kokkos::parallel_for(
      "digits::relu", policy(0, out.extent_int(0) * images),
      KOKKOS_LAMBDA(int i) {
        int const channel = i / images, first = i % images * pixels;
        float const shift = bias(channel);
        for (int p = first; p < first + pixels; ++p) {
          float const value = out(channel, p) + shift;
          out(channel, p)   = value > 0 ? value : 0;
        }
      });
  return Activations<matrix_like_t<Values>>{out, images, in.height - 2,
                                            in.width - 2};
}

/// Batch norm with the statistics of the training.
template <class Norm, class Values>
auto normalize(Norm const& norm, Activations<Values> const& in) {
  matrix_like_t<Values> out(
      Kokkos::view_alloc("normalized", Kokkos::WithoutInitializing),
      in.values.extent(0), in.values.extent(1));
  auto const values = in.values;
  int const images = in.images, pixels = in.height * in.width;
  using policy = Kokkos::RangePolicy<typename Values::execution_space>;
  Kokkos::parallel_for(
      "digits::normalize", policy(0, in.channels() * images),
      KOKKOS_LAMBDA(int i) {
        int const channel = i / images, first = i % images * pixels;
        float const factor =
            norm.scale(channel) / Kokkos::sqrt(norm.variance(channel) + 1e-5f);
        float const mean = norm.mean(channel), shift = norm.shift(channel);
        for (int p = first; p < first + pixels; ++p) {
          out(channel, p) = (values(channel, p) - mean) * factor + shift;
        }
      });
  return Activations<matrix_like_t<Values>>{out, images, in.height, in.width};
}

/// The maximum of each 2x2; an odd last row or column is left out.
template <class Values>
auto max_pool(Activations<Values> const& in) {
  int const images = in.images, height = in.height, width = in.width;
  int const out_height = height / 2, out_width = width / 2;
  matrix_like_t<Values> out(
      Kokkos::view_alloc("pooled", Kokkos::WithoutInitializing), in.channels(),
      images * out_height * out_width);
  auto const values = in.values;
  using policy      = Kokkos::RangePolicy<typename Values::execution_space>;
  Kokkos::parallel_for(
      "digits::max_pool", policy(0, in.channels() * images),
      KOKKOS_LAMBDA(int i) {
        int const channel = i / images, image = i % images;
        for (int y = 0; y < out_height; ++y) {
          int const to   = (image * out_height + y) * out_width;
          int const from = (image * height + 2 * y) * width;
          for (int x = 0; x < out_width; ++x) {
            int const p          = from + 2 * x;
            out(channel, to + x) = Kokkos::max(
                Kokkos::max(values(channel, p), values(channel, p + 1)),
                Kokkos::max(values(channel, p + width),
                            values(channel, p + width + 1)));
          }
        }
      });
  return Activations<matrix_like_t<Values>>{out, images, out_height, out_width};
}

/// \return (channels * pixels, images), the channel slowest.
template <class Values>
auto flatten(Activations<Values> const& in) {
  int const images = in.images, pixels = in.height * in.width;
  matrix_like_t<Values> out(
      Kokkos::view_alloc("flat", Kokkos::WithoutInitializing),
      in.channels() * pixels, images);
  auto const values = in.values;
  using policy      = Kokkos::RangePolicy<typename Values::execution_space>;
  Kokkos::parallel_for(
      "digits::flatten", policy(0, out.extent_int(0)), KOKKOS_LAMBDA(int i) {
        for (int image = 0; image < images; ++image) {
          out(i, image) = values(i / pixels, image * pixels + i % pixels);
        }
      });
  return out;
}

/// \param[in] in  (inputs, images)
/// \return        (outputs, images)
template <class Layer, class In, class Kernels>
auto dense(Layer const& layer, In const& in, Kernels const& kernels) {
  auto const bias = layer.bias;
  matrix_like_t<In> out("dense", layer.weights.extent(0), in.extent(1));
  kernels.gemm("N", "N", 1.0f, layer.weights, in, 0.0f, out);
  using policy = Kokkos::RangePolicy<typename In::execution_space>;
  Kokkos::parallel_for(
      "digits::bias", policy(0, out.extent_int(0)), KOKKOS_LAMBDA(int i) {
        for (int image = 0; image < out.extent_int(1); ++image) {
          out(i, image) += bias(i);
        }
      });
  return out;
}

/// \param[in] in  (classes, images)
/// \return        (images, classes); each image's sum is 1.
template <class In>
auto softmax(In const& in) {
  matrix_like_t<In> out(
      Kokkos::view_alloc("probabilities", Kokkos::WithoutInitializing),
      in.extent(1), in.extent(0));
  int const classes = in.extent_int(0);
  using policy      = Kokkos::RangePolicy<typename In::execution_space>;
  Kokkos::parallel_for(
      "digits::softmax", policy(0, out.extent_int(0)),
      KOKKOS_LAMBDA(int image) {
        float most = in(0, image);
        for (int i = 1; i < classes; ++i) {
          most = Kokkos::max(most, in(i, image));
        }
        float sum = 0;
        for (int i = 0; i < classes; ++i) {
          sum += out(image, i) = Kokkos::exp(in(i, image) - most);
        }
        for (int i = 0; i < classes; ++i) out(image, i) /= sum;
      });
  return out;
}

/// In [0, 1), from the raw bits, since the distributions of <random> differ
/// from one standard library to another.
inline float uniform(std::mt19937_64& random) {
  return static_cast<float>(random() >> 40) * 0x1p-24f;
}

}  // namespace Impl

/// \brief The network: convolution 3x3 1 to 32 and relu, batch norm, maximum of
/// 2x2, convolution 32 to 16 and relu, maximum, convolution 16 to 10 and relu,
/// dense 90 to 10, dense 10 to 10 twice with the same weights, softmax.
/// (Dropout is the identity here, since nothing is learnt.)
/// \tparam MemorySpace  Of the weights.
template <class MemorySpace>
struct Network {
  using memory_space = MemorySpace;
  using matrix_type  = Kokkos::View<float**, Kokkos::LayoutRight, MemorySpace>;
  using vector_type  = Kokkos::View<float*, Kokkos::LayoutRight, MemorySpace>;

  struct Layer {
    /// (outputs, inputs); of a convolution (channels out, 9 * channels in),
    /// the column 9 * channel + 3 * y + x.
    matrix_type weights;
    vector_type bias;  ///< (outputs)
  };
  /// Of a channel: scale * (in - mean) / sqrt(variance + 1e-5) + shift
  struct Norm {
    vector_type scale, shift, mean, variance;
  };

  Layer convolution_1, convolution_2, convolution_3;
  Norm norm;
  Layer dense, shared;

  /// \brief The probability of each digit.
  /// \param[in] images   (images, 28, 28), LayoutRight, any number of images.
  /// \param[in] kernels  How to call gemm.
  /// \return (images, 10), in the memory space of \c images.
  /// Cost: 14 temporaries in the memory space of \c images, at most some 5.6 MB
  /// at once for 32 images. Threads: any number at once.
  template <class In, class Kernels = DirectBlas>
  auto operator()(In const& images, Kernels const& kernels = {}) const {
    using input = Kokkos::View<float const**, Kokkos::LayoutRight,
                               typename In::device_type,
                               Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
    static_assert(
        std::is_same_v<typename In::array_layout, Kokkos::LayoutRight>);
    int const n = images.extent_int(0);
    Impl::Activations<input> const in{
        input(images.data(), 1, n * digit_width * digit_width), n, digit_width,
        digit_width};
    // A layer's input ends with it, as in a chain, not with the statement.
    auto const first = [&] {
      auto const x =
          Impl::normalize(norm, Impl::convolve(convolution_1, in, kernels));
      return Impl::max_pool(x);
    }();
    auto const second =
        Impl::max_pool(Impl::convolve(convolution_2, first, kernels));
    auto const third  = Impl::convolve(convolution_3, second, kernels);
    auto const fourth = Impl::dense(dense, Impl::flatten(third), kernels);
    auto const fifth  = Impl::dense(shared, fourth, kernels);
    return Impl::softmax(Impl::dense(shared, fifth, kernels));
  }

  /// \brief Calls \c f(name, view) for all weights, in the order of a file of
  /// weights.
  template <class F>
  void for_each(F const& f) const {
    auto const layer = [&](std::string const& name, Layer const& l) {
      f(name + ".weights", l.weights);
      f(name + ".bias", l.bias);
    };
    layer("convolution_1", convolution_1);
    f("norm.scale", norm.scale);
    f("norm.shift", norm.shift);
    f("norm.mean", norm.mean);
    f("norm.variance", norm.variance);
    layer("convolution_2", convolution_2);
    layer("convolution_3", convolution_3);
    layer("dense", dense);
    layer("shared", shared);
  }
};

/// \brief A network in HostSpace whose weights are all zero.
/// Cost: 14 allocations, 30 kB. Threads: any.
inline Network<Kokkos::HostSpace> zero_network() {
  using network_type = Network<Kokkos::HostSpace>;
  using matrix       = network_type::matrix_type;
  using vector       = network_type::vector_type;
  auto const layer   = [](int outputs, int inputs) {
    return network_type::Layer{matrix("weights", outputs, inputs),
                               vector("bias", outputs)};
  };
  return {layer(32, 9),
          layer(16, 32 * 9),
          layer(10, 16 * 9),
          {vector("scale", 32), vector("shift", 32), vector("mean", 32),
           vector("variance", 32)},
          layer(digit_classes, 90),
          layer(digit_classes, digit_classes)};
}

/// \brief A network in HostSpace with weights from a generator: nothing is
/// learnt, but no layer's output is trivial.
/// \param[in] seed  The same seed gives the same weights everywhere.
/// Cost: as zero_network. Threads: any.
inline Network<Kokkos::HostSpace> random_network(std::uint64_t seed) {
  auto const network = zero_network();
  std::mt19937_64 random(seed);
  network.for_each([&](std::string const& name, auto const& view) {
    // So that values neither grow nor vanish from layer to layer.
    auto const inputs    = static_cast<float>(view.extent(view.rank() - 1));
    float const most     = view.rank() == 2 ? std::sqrt(6.0f / inputs) : 0.1f;
    bool const is_factor = name == "norm.scale" || name == "norm.variance";
    for (std::size_t i = 0; i < view.size(); ++i) {
      view.data()[i] = is_factor ? 0.5f + Impl::uniform(random)
                                 : most * (2 * Impl::uniform(random) - 1);
    }
  });
  return network;
}

/// \brief Images in HostSpace, of noise: what they show doesn't matter for the
/// time that the network takes.
/// \param[in] count  Of images.
/// \param[in] seed   The same seed gives the same images everywhere.
/// \return (count, 28, 28), each in [0, 1).
/// Cost: one allocation. Threads: any.
inline auto random_images(int count, std::uint64_t seed) {
  Kokkos::View<float***, Kokkos::LayoutRight, Kokkos::HostSpace> const images(
      "images", count, digit_width, digit_width);
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < images.size(); ++i) {
    images.data()[i] = Impl::uniform(random);
  }
  return images;
}

/// \brief How many batches of at most 32 there are.
template <class In>
int number_of_batches(In const& images) {
  return (images.extent_int(0) + digit_batch - 1) / digit_batch;
}

/// \param[in] images  (images, 28, 28)
/// \param[in] i       From 0 to number_of_batches(images) - 1.
/// \return            The images of the i-th batch; the last may have fewer.
template <class In>
auto batch(In const& images, int i) {
  int const first = i * digit_batch;
  int const last  = std::min(first + digit_batch, images.extent_int(0));
  return Kokkos::subview(images, Kokkos::pair(first, last), Kokkos::ALL,
                         Kokkos::ALL);
}

}  // namespace KokkosArena::workloads

#endif
