// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Before all others: it compiles alone.
#include <KokkosArena_DigitsWeights.hpp>

#include <gtest/gtest.h>
#include <KokkosArena.hpp>
#include <KokkosArena_FrontDoors.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "KokkosArena_TestWorkloads.hpp"

namespace {

using namespace KokkosArena::workloads;
using KokkosArenaTest::Checked;
using KokkosArenaTest::Host;
using KokkosArenaTest::Scoped;

// ------------------------------------------- the network once more, in loops

using Weights = std::map<std::string, std::vector<double>>;

Weights weights_of(Network<Host> const& network) {
  Weights result;
  network.for_each([&](std::string const& name, auto const& view) {
    result[name].assign(view.data(), view.data() + view.size());
  });
  return result;
}

/// One image with some channels.
struct Picture {
  std::size_t channels, size;
  std::vector<double> values = std::vector<double>(channels * size * size);
  double& operator()(std::size_t c, std::size_t y, std::size_t x) {
    return values[(c * size + y) * size + x];
  }
};

Picture convolve_and_relu(Picture in, std::size_t channels, Weights& weights,
                          std::string const& name) {
  auto const& kernel = weights[name + ".weights"];
  auto const& bias   = weights[name + ".bias"];
  Picture out{channels, in.size - 2};
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t y = 0; y < out.size; ++y) {
      for (std::size_t x = 0; x < out.size; ++x) {
        double sum = bias[c];
        for (std::size_t d = 0; d < in.channels; ++d) {
          for (std::size_t v = 0; v < 3; ++v) {
            for (std::size_t u = 0; u < 3; ++u) {
              sum += kernel[((c * in.channels + d) * 3 + v) * 3 + u] *
                     in(d, y + v, x + u);
            }
          }
        }
        out(c, y, x) = std::max(sum, 0.0);
      }
    }
  }
  return out;
}

Picture halve(Picture in) {
  Picture out{in.channels, in.size / 2};
  for (std::size_t c = 0; c < out.channels; ++c) {
    for (std::size_t y = 0; y < out.size; ++y) {
      for (std::size_t x = 0; x < out.size; ++x) {
        out(c, y, x) =
            std::max({in(c, 2 * y, 2 * x), in(c, 2 * y, 2 * x + 1),
                      in(c, 2 * y + 1, 2 * x), in(c, 2 * y + 1, 2 * x + 1)});
      }
    }
  }
  return out;
}

std::vector<double> apply_dense(std::vector<double> const& in, Weights& weights,
                                std::string const& name) {
  std::vector<double> out(10);
  for (std::size_t i = 0; i < 10; ++i) {
    out[i] = weights[name + ".bias"][i];
    for (std::size_t j = 0; j < in.size(); ++j) {
      out[i] += weights[name + ".weights"][i * in.size() + j] * in[j];
    }
  }
  return out;
}

std::vector<double> reference(Weights& weights, float const* image) {
  Picture picture{1, 28};
  std::copy(image, image + 28 * 28, picture.values.begin());
  picture = convolve_and_relu(picture, 32, weights, "convolution_1");
  for (std::size_t c = 0; c < 32; ++c) {
    for (std::size_t p = 0; p < 26 * 26; ++p) {
      auto& value = picture.values[c * 26 * 26 + p];
      value = weights["norm.scale"][c] * (value - weights["norm.mean"][c]) /
                  std::sqrt(weights["norm.variance"][c] + 1e-5) +
              weights["norm.shift"][c];
    }
  }
  picture = convolve_and_relu(halve(picture), 16, weights, "convolution_2");
  picture = convolve_and_relu(halve(picture), 10, weights, "convolution_3");
  EXPECT_EQ(picture.values.size(), 90u);
  auto out   = apply_dense(picture.values, weights, "dense");
  out        = apply_dense(out, weights, "shared");
  out        = apply_dense(out, weights, "shared");
  double sum = 0;
  for (auto& value : out) sum += value = std::exp(value);
  for (auto& value : out) value /= sum;
  return out;
}

// ---------------------------------------------------------------- the network

TEST(digits, network_gives_the_probabilities_of_plain_loops) {
  auto const network = random_network(1);
  auto weights       = weights_of(network);
  auto const images  = random_images(40, 2);
  ASSERT_EQ(number_of_batches(images), 2);
  double least = 1, most = 0;
  for (int b = 0; b < 2; ++b) {
    auto const some          = batch(images, b);
    auto const probabilities = network(some);
    ASSERT_EQ(probabilities.extent(0), b == 0 ? 32u : 8u);
    ASSERT_EQ(probabilities.extent(1), 10u);
    for (std::size_t i = 0; i < probabilities.extent(0); ++i) {
      auto const expected = reference(weights, &some(i, 0, 0));
      for (std::size_t c = 0; c < 10; ++c) {
        EXPECT_NEAR(probabilities(i, c), expected[c], 1e-5) << i << ' ' << c;
        least = std::min(least, expected[c]);
        most  = std::max(most, expected[c]);
      }
    }
  }
  // Else there would be nothing to compare.
  EXPECT_GT(most, 2 * least);
}

/// All batches' probabilities; \c after_batch is called after each.
template <class Net, class Images, class F, class Kernels = DirectBlas>
std::vector<float> probabilities(Net const& network, Images const& images,
                                 F const& after_batch,
                                 Kernels const& kernels = {}) {
  std::vector<float> result;
  for (int b = 0; b < number_of_batches(images); ++b) {
    {
      auto const p = network(batch(images, b), kernels);
      static_assert(std::is_same_v<typename decltype(p)::memory_space,
                                   typename Images::memory_space>);
      for (std::size_t i = 0; i < p.extent(0); ++i) {
        for (std::size_t c = 0; c < p.extent(1); ++c) {
          result.push_back(p(i, c));
        }
      }
    }
    after_batch(b);
  }
  return result;
}

template <class Space>
class digits_in : public ::testing::Test {};
struct SpaceName {
  template <class Space>
  static std::string GetName(int) {
    return std::is_same_v<Space, Scoped> ? "ScopedSpace" : "CheckedSpace";
  }
};
using ArenaSpaces = ::testing::Types<Scoped, Checked>;
TYPED_TEST_SUITE(digits_in, ArenaSpaces, SpaceName);

TYPED_TEST(digits_in, an_arena_bits_are_the_same_without_upstream) {
  auto const network  = random_network(1);
  auto const images   = random_images(300, 2);
  auto const expected = probabilities(network, images, [](int) {});
  ASSERT_EQ(expected.size(), 3000u);

  KokkosArena::Arena arena;
  KokkosArena::ArenaScope const scope(arena);
  // The first cycle, spread over several blocks, looks as if it needed more
  // than twice as much; five cycles later it is forgotten, and the arena's
  // block exchanged.
  constexpr int settled  = 6;
  std::uint64_t upstream = 0;
  auto const found       = probabilities(
      KokkosArena::adapt<TypeParam>(network),
      KokkosArena::adapt<TypeParam>(images),
      [&](int b) {
        arena.reset();
        auto const s = arena.statistics();
        EXPECT_EQ(s.escaped_views, 0u);
        EXPECT_EQ(s.total_allocations, 14u * static_cast<unsigned>(b + 1));
        if (b == settled) upstream = s.upstream_allocations;
        if (b > settled) {
          EXPECT_EQ(s.upstream_allocations, upstream) << b;
        }
      },
      KokkosArena::FrontDoors{});
  EXPECT_EQ(found, expected);
}

TEST(digits, adopted_bits_are_the_same_without_upstream) {
  auto const network = random_network(1);
  auto const images  = random_images(40, 2);
  auto const pass    = [&] {
    auto const found = probabilities(network, images, [](int) {});
    return std::vector<double>(found.begin(), found.end());
  };
  KokkosArenaTest::expect_steady_cycles<KokkosArena::HostSpaceAdoption>(pass(),
                                                                        pass);
  KokkosArenaTest::expect_all_is_adopted(pass);
}

TEST(digits, images_alone_decide_where_temporaries_live) {
  auto const network = random_network(1);
  auto const images  = random_images(1, 2);
  KokkosArena::Arena arena;
  KokkosArena::ArenaScope const scope(arena);
  network(images);
  EXPECT_EQ(arena.statistics().total_allocations, 0u);
  network(KokkosArena::scoped(images));
  EXPECT_EQ(arena.statistics().total_allocations, 14u);
}

TEST(digits, no_images_give_no_probabilities) {
  auto const network = random_network(1);
  auto const images  = random_images(0, 2);
  EXPECT_EQ(number_of_batches(images), 0);
  EXPECT_EQ(network(images).extent(0), 0u);
}

// --------------------------------------------------------------- their weights

TEST(digits, seeded_weights_and_images_are_the_same_everywhere) {
  auto const network = random_network(1);
  EXPECT_EQ(weights_of(network), weights_of(random_network(1)));
  EXPECT_NE(weights_of(network), weights_of(random_network(2)));
  EXPECT_EQ(network.convolution_1.weights(0, 0), -0.597876966f);
  EXPECT_EQ(random_images(1, 1)(0, 0, 0), 0.133876622f);
}

std::string text_of(Network<Host> const& network) {
  std::ostringstream output;
  write_network(output, network);
  return output.str();
}

TEST(digits_weights, are_read_as_they_were_written) {
  auto const network = random_network(1);
  std::istringstream input(text_of(network));
  EXPECT_EQ(weights_of(read_network(input, "file")), weights_of(network));
}

/// What is said of the text.
std::string error_of(std::string const& text) {
  std::istringstream input(text);
  try {
    read_network(input, "w.txt");
  } catch (WeightsError const& error) {
    return error.what();
  }
  return "nothing";
}

/// The written text with a part replaced.
std::string with(std::string const& part, std::string const& other) {
  auto text     = text_of(zero_network());
  auto const at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return text.replace(at, part.size(), other);
}

TEST(digits_weights, errors_say_where_and_what) {
  auto const text        = text_of(zero_network());
  std::string const last = "shared.weights 10 10\n";
  EXPECT_EQ(error_of(text), "nothing");
  EXPECT_EQ(error_of(text + "\n \n"), "nothing");
  EXPECT_EQ(error_of(""), "w.txt:1: the file ends, expected digits-weights 1");
  EXPECT_EQ(error_of("P5 28 28\n"),
            "w.txt:1: not a file of weights, which begins with "
            "\"digits-weights 1\"");
  EXPECT_EQ(error_of("digits-weights 2\n"),
            "w.txt:1: version 2 of the format is unknown, expected 1");
  EXPECT_EQ(error_of("digits-weights 1\n"),
            "w.txt:2: the file ends, expected \"convolution_1.weights 32 9\"");
  EXPECT_EQ(error_of(with("_1.weights 32 9", "_1.weights 9 32")),
            "w.txt:2: expected \"convolution_1.weights 32 9\", found "
            "\"convolution_1.weights 9 32\"");
  EXPECT_EQ(error_of(with("32 9\n0 0 0 0 0 0 0 0 0", "32 9\n0 0 0")),
            "w.txt:3: expected 9 numbers, row 1 of 32 of "
            "convolution_1.weights, found only 3 of 9 fields");
  EXPECT_EQ(
      error_of(with("32 9\n0 0 0 0 0 0 0 0 0", "32 9\n0 0 0 0 0 0 0 0 0 8")),
      "w.txt:3: \"8\" is too much: expected 9 numbers, row 1 of 32 of "
      "convolution_1.weights");
  EXPECT_EQ(error_of(with("0 0 0", "0 x 0")),
            "w.txt:3: \"x\" is not a finite number");
  EXPECT_EQ(error_of(with("0 0 0", "0 nan 0")),
            "w.txt:3: \"nan\" is not a finite number");
  EXPECT_EQ(error_of(with("0 0 0", "0 1e99 0")),
            "w.txt:3: \"1e99\" is out of range, expected a finite number");
  EXPECT_EQ(error_of(text.substr(0, text.find(last) + last.size())),
            "w.txt:91: the file ends, expected 10 numbers, row 1 of 10 of "
            "shared.weights");
  EXPECT_EQ(error_of(text + "more"),
            "w.txt:103: \"more\" is too much: expected the end of the file");
}

TEST(digits_weights, a_file_that_is_not_there_is_an_error) {
  try {
    read_network(std::string("nowhere/w.txt"));
    FAIL();
  } catch (WeightsError const& error) {
    EXPECT_EQ(std::string(error.what()),
              "nowhere/w.txt: can't be opened; give the path of a file of "
              "weights that can be read");
  }
}

}  // namespace
