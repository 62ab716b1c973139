// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_MATRIXMARKET_HPP
#define KOKKOSARENA_MATRIXMARKET_HPP

#include <KokkosArena_CoordinateMatrix.hpp>
#include <KokkosArena_LineReader.hpp>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <fstream>
#include <istream>
#include <stdexcept>
#include <string>
#include <utility>

namespace KokkosArena::workloads {

/// \brief A Matrix Market file can't be read; the message names the file, the
/// line, what is wrong and what was expected.
struct MatrixMarketError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

namespace Impl {

/// Reads one file, from its first line to its last.
class MatrixMarketReader {
 public:
  MatrixMarketReader(std::istream& input, std::string const& name)
      : m_lines(input, name) {}

  CoordinateMatrix read() {
    read_banner();
    read_size();
    for (long long i = 0; i < m_count; ++i) read_entry(i);
    while (m_lines.next()) {
      if (!m_lines.fields().empty()) {
        m_lines.fail("\"" + m_lines.text() +
                     "\" is too much: the size line says that there are " +
                     std::to_string(m_count) + " entries");
      }
    }
    return std::move(m_matrix);
  }

 private:
  /// %%MatrixMarket matrix coordinate real general
  void read_banner() {
    static std::string const banner =
        "the banner \"%%MatrixMarket matrix coordinate <real, integer or "
        "pattern> <general, symmetric or skew-symmetric>\"";
    m_lines.next(banner);
    auto const& fields = m_lines.fields();
    if (fields.empty() || fields[0] != "%%MatrixMarket") {
      m_lines.fail("not a Matrix Market file: expected " + banner);
    }
    m_lines.require(5, banner);
    // The words may be written in capitals.
    auto const word = [&](std::size_t i) {
      std::string result(fields[i]);
      std::transform(
          result.begin(), result.end(), result.begin(),
          [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      return result;
    };
    auto const refuse = [&](std::size_t i, std::string const& expected) {
      m_lines.fail("\"" + std::string(fields[i]) +
                   "\" is not supported: expected " + expected);
    };
    if (word(1) != "matrix") refuse(1, "\"matrix\"");
    if (word(2) != "coordinate") {
      refuse(2, "\"coordinate\", a sparse matrix");
    }
    auto const kind = word(3);
    if (kind != "real" && kind != "integer" && kind != "pattern") {
      refuse(3, "\"real\", \"integer\" or \"pattern\"");
    }
    m_is_pattern        = kind == "pattern";
    m_is_integer        = kind == "integer";
    auto const symmetry = word(4);
    m_is_symmetric      = symmetry == "symmetric";
    m_is_skew           = symmetry == "skew-symmetric";
    if (symmetry != "general" && !m_is_symmetric && !m_is_skew) {
      refuse(4, "\"general\", \"symmetric\" or \"skew-symmetric\"");
    }
    if (m_is_pattern && m_is_skew) {
      refuse(4, "\"general\" or \"symmetric\", since a pattern has no signs");
    }
  }

  /// Rows, columns, entries; comments come before.
  void read_size() {
    std::string const expected = "the size line: rows, columns, entries";
    do {
      m_lines.next(expected);
    } while (m_lines.fields().empty() || m_lines.fields()[0][0] == '%');
    m_lines.require(3, expected);
    m_matrix.rows    = m_lines.number<int>(0, "a number of rows");
    m_matrix.columns = m_lines.number<int>(1, "a number of columns");
    m_count          = m_lines.number<long long>(2, "a number of entries");
    if (m_matrix.rows < 0 || m_matrix.columns < 0 || m_count < 0) {
      m_lines.fail("a size is negative: expected rows, columns, entries");
    }
    if ((m_is_symmetric || m_is_skew) && m_matrix.rows != m_matrix.columns) {
      m_lines.fail("the banner says that the matrix is symmetric, but it has " +
                   std::to_string(m_matrix.rows) + " rows and " +
                   std::to_string(m_matrix.columns) +
                   " columns: expected as many rows as columns");
    }
  }

  /// Row, column and, but for a pattern, value.
  void read_entry(long long i) {
    std::string const expected =
        m_is_pattern ? "row, column" : "row, column, value";
    do {
      if (!m_lines.next()) {
        m_lines.fail("the file ends after " + std::to_string(i) + " of " +
                     std::to_string(m_count) + " entries: expected " +
                     expected);
      }
    } while (m_lines.fields().empty());
    m_lines.require(m_is_pattern ? 2 : 3, expected);
    int const row    = index(0, "row", m_matrix.rows);
    int const column = index(1, "column", m_matrix.columns);
    double const value =
        m_is_pattern ? 1
        : m_is_integer
            ? static_cast<double>(m_lines.number<long long>(2, "an integer"))
            : m_lines.number<double>(2, "a finite number");
    m_matrix.entries.push_back({row, column, value});
    if (!m_is_symmetric && !m_is_skew) return;
    if (column > row) {
      m_lines.fail(
          "the entry is above the diagonal: expected only those of "
          "the lower triangle, since the banner says that the matrix "
          "is symmetric");
    }
    if (m_is_skew && column == row) {
      m_lines.fail(
          "the entry is on the diagonal: expected only those below, "
          "since that of a skew-symmetric matrix is zero");
    }
    if (column != row) {
      m_matrix.entries.push_back({column, row, m_is_skew ? -value : value});
    }
  }

  /// \return From 0, where the file counts from 1.
  int index(std::size_t field, std::string const& what, int count) const {
    int const result = m_lines.number<int>(field, "a " + what);
    if (result < 1 || result > count) {
      m_lines.fail("there is no " + what + " " + std::to_string(result) +
                   ": expected 1 to " + std::to_string(count));
    }
    return result - 1;
  }

  LineReader<MatrixMarketError> m_lines;
  CoordinateMatrix m_matrix;
  long long m_count   = 0;
  bool m_is_pattern   = false;
  bool m_is_integer   = false;
  bool m_is_symmetric = false;
  bool m_is_skew      = false;
};

}  // namespace Impl

/// \brief Reads a sparse matrix in the Matrix Market format: real, integer or
/// pattern; general, symmetric or skew-symmetric.
/// \param[in] name  For messages.
/// \return All entries, those that symmetry implies included; those of a
/// pattern are 1. Entries at the same place stay apart, and are summed later.
/// \throws MatrixMarketError  Any line that isn't as the format says.
/// Cost: 16 bytes of heap memory an entry. Threads: any, on different inputs.
/// \see https://math.nist.gov/MatrixMarket/formats.html
inline CoordinateMatrix read_matrix_market(std::istream& input,
                                           std::string const& name) {
  return Impl::MatrixMarketReader(input, name).read();
}

/// \brief The same from a file. \throws MatrixMarketError  Also if it can't be
/// opened.
inline CoordinateMatrix read_matrix_market(std::string const& path) {
  std::ifstream input(path);
  if (!input) {
    throw MatrixMarketError(
        path +
        ": can't be opened; give the path of a Matrix Market file that can be "
        "read");
  }
  return read_matrix_market(input, path);
}

}  // namespace KokkosArena::workloads

#endif
