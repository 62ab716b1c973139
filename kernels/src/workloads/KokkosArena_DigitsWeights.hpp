// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_DIGITSWEIGHTS_HPP
#define KOKKOSARENA_DIGITSWEIGHTS_HPP

#include <KokkosArena_Digits.hpp>
#include <KokkosArena_LineReader.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <fstream>
#include <istream>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>

/// \file
/// A file of weights is text. Its first line is "digits-weights 1", where 1 is
/// the version of this format. Then each array, in the order of
/// Network::for_each: a line with its name, rows and columns (of a vector 1 and
/// its length), and after that a line for each row with its numbers.

namespace KokkosArena::workloads {

/// \brief A file of weights can't be read; the message names the file, the
/// line, what is wrong and what was expected.
struct WeightsError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace Impl {

/// The shape that an array has in the file.
template <class ViewType>
std::array<std::size_t, 2> shape_in_file(ViewType const& view) {
  std::size_t const columns = view.extent(ViewType::rank() - 1);
  return {view.size() / columns, columns};
}

}  // namespace Impl

/// \brief Reads weights. \param[in] name  For messages.
/// \return A network in HostSpace.
/// \throws WeightsError  Anything but the format above, or a number that isn't
/// finite.
/// Cost: 14 Views. Threads: any, on different inputs.
inline Network<Kokkos::HostSpace> read_network(std::istream& input,
                                               std::string const& name) {
  LineReader<WeightsError> reader(input, name);
  reader.next("digits-weights 1");
  auto const& fields = reader.fields();
  if (fields.size() != 2 || fields[0] != "digits-weights") {
    reader.fail(
        "not a file of weights, which begins with \"digits-weights 1\"");
  }
  if (fields[1] != "1") {
    reader.fail("version " + std::string(fields[1]) +
                " of the format is unknown, expected 1");
  }
  auto const network = zero_network();
  network.for_each([&](std::string const& array, auto const& view) {
    auto const [rows, columns] = Impl::shape_in_file(view);
    std::string const header =
        array + " " + std::to_string(rows) + " " + std::to_string(columns);
    reader.next("\"" + header + "\"");
    if (fields.size() != 3 || fields[0] != array ||
        fields[1] != std::to_string(rows) ||
        fields[2] != std::to_string(columns)) {
      reader.fail("expected \"" + header + "\", found \"" + reader.text() +
                  "\"");
    }
    for (std::size_t row = 0; row < rows; ++row) {
      auto const expected = std::to_string(columns) + " numbers, row " +
                            std::to_string(row + 1) + " of " +
                            std::to_string(rows) + " of " + array;
      reader.next(expected);
      reader.require(columns, expected);
      for (std::size_t column = 0; column < columns; ++column) {
        view.data()[row * columns + column] =
            reader.template number<float>(column, "a finite number");
      }
    }
  });
  while (reader.next()) {
    if (!fields.empty()) {
      reader.fail("\"" + std::string(fields[0]) +
                  "\" is too much: expected the end of the file");
    }
  }
  return network;
}

/// \brief The same from a file. \throws WeightsError  Also if it can't be
/// opened.
inline Network<Kokkos::HostSpace> read_network(std::string const& path) {
  std::ifstream input(path);
  if (!input) {
    throw WeightsError(path +
                       ": can't be opened; give the path of a file of weights "
                       "that can be read");
  }
  return read_network(input, path);
}

/// \brief Writes what read_network reads; it reads the same bits.
/// Errors are those of the stream. Threads: any, on different outputs.
inline void write_network(std::ostream& output,
                          Network<Kokkos::HostSpace> const& network) {
  output << "digits-weights 1\n";
  network.for_each([&](std::string const& array, auto const& view) {
    auto const [rows, columns] = Impl::shape_in_file(view);
    output << array << ' ' << rows << ' ' << columns << '\n';
    for (std::size_t i = 0; i < rows * columns; ++i) {
      std::array<char, 32> digits{};  // the shortest that give the same float
      auto const end =
          std::to_chars(digits.begin(), digits.end(), view.data()[i]).ptr;
      output << std::string_view(digits.begin(), end)
             << ((i + 1) % columns == 0 ? '\n' : ' ');
    }
  });
}

}  // namespace KokkosArena::workloads

#endif
