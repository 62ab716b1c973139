// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Before all others: it compiles alone.
#include <KokkosArena_MatrixMarket.hpp>

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <utility>

namespace {

using namespace KokkosArena::workloads;

CoordinateMatrix read(std::string const& text) {
  std::istringstream input(text);
  return read_matrix_market(input, "m.mtx");
}

std::map<std::pair<int, int>, double> entries_of(std::string const& text) {
  std::map<std::pair<int, int>, double> result;
  for (auto const& e : read(text).entries) result[{e.row, e.column}] += e.value;
  return result;
}
using Entries = std::map<std::pair<int, int>, double>;

std::string const real = "%%MatrixMarket matrix coordinate real general\n";
std::string const symmetric =
    "%%MatrixMarket matrix coordinate real symmetric\n";

TEST(matrix_market, general_matrix_is_read) {
  auto const text = real +
                    "% a comment\n%\n\n2 3 4\n1 1 1.5\n2 3 -2e-3\n"
                    " 1\t2 +4 \r\n1 2 .5\n\n";
  EXPECT_EQ(read(text).rows, 2);
  EXPECT_EQ(read(text).columns, 3);
  EXPECT_EQ(read(text).entries.size(), 4u);
  EXPECT_EQ(entries_of(text),
            (Entries{{{0, 0}, 1.5}, {{1, 2}, -2e-3}, {{0, 1}, 4.5}}));
}

TEST(matrix_market, capitals_and_a_missing_last_line_end_do_not_matter) {
  EXPECT_EQ(entries_of("%%MatrixMarket MATRIX Coordinate Real General\n"
                       "1 1 1\n1 1 2"),
            (Entries{{{0, 0}, 2}}));
}

TEST(matrix_market, symmetry_is_expanded) {
  EXPECT_EQ(entries_of(symmetric + "2 2 2\n1 1 5\n2 1 7\n"),
            (Entries{{{0, 0}, 5}, {{1, 0}, 7}, {{0, 1}, 7}}));
  EXPECT_EQ(entries_of("%%MatrixMarket matrix coordinate integer "
                       "skew-symmetric\n2 2 1\n2 1 7\n"),
            (Entries{{{1, 0}, 7}, {{0, 1}, -7}}));
}

TEST(matrix_market, pattern_is_of_ones) {
  EXPECT_EQ(entries_of("%%MatrixMarket matrix coordinate pattern symmetric\n"
                       "2 2 2\n1 1\n2 1\n"),
            (Entries{{{0, 0}, 1}, {{1, 0}, 1}, {{0, 1}, 1}}));
}

TEST(matrix_market, matrix_without_entries_is_read) {
  EXPECT_EQ(read(real + "3 2 0\n").rows, 3);
  EXPECT_EQ(read(real + "0 0 0\n").rows, 0);
}

/// What is said of the text, after the file's name.
std::string error_of(std::string const& text) {
  try {
    read(text);
  } catch (MatrixMarketError const& error) {
    std::string const what = error.what();
    EXPECT_EQ(what.substr(0, 6), "m.mtx:");
    return what.substr(6);
  }
  return "nothing";
}

TEST(matrix_market, bad_banner_is_an_error) {
  std::string const banner =
      "the banner \"%%MatrixMarket matrix coordinate <real, integer or "
      "pattern> <general, symmetric or skew-symmetric>\"";
  EXPECT_EQ(error_of(""), "1: the file ends, expected " + banner);
  for (std::string const text : {"\n", "3 3 1\n", "%MatrixMarket matrix\n"}) {
    EXPECT_EQ(error_of(text),
              "1: not a Matrix Market file: expected " + banner);
  }
  EXPECT_EQ(error_of("%%MatrixMarket matrix coordinate real\n1 1 0\n"),
            "1: expected " + banner + ", found only 4 of 5 fields");
  EXPECT_EQ(
      error_of("%%MatrixMarket matrix coordinate real general x\n1 1 0\n"),
      "1: \"x\" is too much: expected " + banner);
}

TEST(matrix_market, what_is_not_supported_is_an_error) {
  auto const error = [](std::string const& words) {
    return error_of("%%MatrixMarket " + words + "\n1 1 0\n");
  };
  EXPECT_EQ(error("vector coordinate real general"),
            "1: \"vector\" is not supported: expected \"matrix\"");
  EXPECT_EQ(error("matrix array real general"),
            "1: \"array\" is not supported: expected \"coordinate\", a sparse "
            "matrix");
  EXPECT_EQ(error("matrix coordinate complex general"),
            "1: \"complex\" is not supported: expected \"real\", \"integer\" "
            "or \"pattern\"");
  EXPECT_EQ(error("matrix coordinate real hermitian"),
            "1: \"hermitian\" is not supported: expected \"general\", "
            "\"symmetric\" or \"skew-symmetric\"");
  EXPECT_EQ(error("matrix coordinate pattern skew-symmetric"),
            "1: \"skew-symmetric\" is not supported: expected \"general\" or "
            "\"symmetric\", since a pattern has no signs");
}

TEST(matrix_market, bad_size_line_is_an_error) {
  std::string const size = "the size line: rows, columns, entries";
  EXPECT_EQ(error_of(real + "% only this\n"),
            "3: the file ends, expected " + size);
  EXPECT_EQ(error_of(real + "2 2\n"),
            "2: expected " + size + ", found only 2 of 3 fields");
  EXPECT_EQ(error_of(real + "2 2 1 1\n"),
            "2: \"1\" is too much: expected " + size);
  EXPECT_EQ(error_of(real + "2.0 2 1\n"), "2: \"2.0\" is not a number of rows");
  EXPECT_EQ(error_of(real + "2 x 1\n"), "2: \"x\" is not a number of columns");
  EXPECT_EQ(error_of(real + "2 2 -\n"), "2: \"-\" is not a number of entries");
  EXPECT_EQ(error_of(real + "2 -2 0\n"),
            "2: a size is negative: expected rows, columns, entries");
  EXPECT_EQ(error_of(real + "2147483648 2 0\n"),
            "2: \"2147483648\" is out of range, expected a number of rows");
  EXPECT_EQ(error_of(symmetric + "2 3 0\n"),
            "2: the banner says that the matrix is symmetric, but it has 2 "
            "rows and 3 columns: expected as many rows as columns");
}

TEST(matrix_market, bad_entry_is_an_error) {
  auto const error = [](std::string const& line) {
    return error_of(real + "2 3 2\n1 1 1\n" + line + "\n");
  };
  EXPECT_EQ(error("1 2"),
            "4: expected row, column, value, found only 2 of 3 fields");
  EXPECT_EQ(error("1 2 3 4"),
            "4: \"4\" is too much: expected row, column, value");
  EXPECT_EQ(error("1 2 3 % why"),
            "4: \"%\" is too much: expected row, column, value");
  EXPECT_EQ(error("% why"),
            "4: expected row, column, value, found only 2 of 3 fields");
  EXPECT_EQ(error("0 1 1"), "4: there is no row 0: expected 1 to 2");
  EXPECT_EQ(error("3 1 1"), "4: there is no row 3: expected 1 to 2");
  EXPECT_EQ(error("1 4 1"), "4: there is no column 4: expected 1 to 3");
  EXPECT_EQ(error("1 -1 1"), "4: there is no column -1: expected 1 to 3");
  EXPECT_EQ(error("a 1 1"), "4: \"a\" is not a row");
  EXPECT_EQ(error("1 1.5 1"), "4: \"1.5\" is not a column");
  EXPECT_EQ(error("1 99999999999 1"),
            "4: \"99999999999\" is out of range, expected a column");
  for (std::string const value : {"x", "1x", "nan", "inf", "1,5", "+-1", "+"}) {
    EXPECT_EQ(error("1 1 " + value),
              "4: \"" + value + "\" is not a finite number");
  }
  EXPECT_EQ(error("1 1 1e999"),
            "4: \"1e999\" is out of range, expected a finite number");
  EXPECT_EQ(error_of("%%MatrixMarket matrix coordinate integer general\n"
                     "1 1 1\n1 1 1.5\n"),
            "3: \"1.5\" is not an integer");
  EXPECT_EQ(error_of("%%MatrixMarket matrix coordinate pattern general\n"
                     "1 1 1\n1 1 1\n"),
            "3: \"1\" is too much: expected row, column");
}

TEST(matrix_market, entries_against_the_symmetry_are_an_error) {
  EXPECT_EQ(error_of(symmetric + "2 2 1\n1 2 1\n"),
            "3: the entry is above the diagonal: expected only those of the "
            "lower triangle, since the banner says that the matrix is "
            "symmetric");
  EXPECT_EQ(error_of("%%MatrixMarket matrix coordinate real skew-symmetric\n"
                     "2 2 1\n1 1 1\n"),
            "3: the entry is on the diagonal: expected only those below, since "
            "that of a skew-symmetric matrix is zero");
}

TEST(matrix_market, too_few_and_too_many_entries_are_an_error) {
  EXPECT_EQ(error_of(real + "2 2 2\n1 1 1\n"),
            "4: the file ends after 1 of 2 entries: expected row, column, "
            "value");
  EXPECT_EQ(error_of(real + "2 2 1\n1 1 1\n2 2 1\n"),
            "4: \"2 2 1\" is too much: the size line says that there are 1 "
            "entries");
}

TEST(matrix_market, more_entries_than_there_is_memory_for_are_an_error) {
  EXPECT_EQ(error_of(real + "2 2 9000000000000000000\n"),
            "3: the file ends after 0 of 9000000000000000000 entries: expected "
            "row, column, value");
}

TEST(matrix_market, a_file_that_is_not_there_is_an_error) {
  try {
    read_matrix_market(std::string("nowhere/m.mtx"));
    FAIL();
  } catch (MatrixMarketError const& error) {
    EXPECT_EQ(std::string(error.what()),
              "nowhere/m.mtx: can't be opened; give the path of a Matrix "
              "Market file that can be read");
  }
}

}  // namespace
