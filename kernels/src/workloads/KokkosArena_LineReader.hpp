// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_LINEREADER_HPP
#define KOKKOSARENA_LINEREADER_HPP

#include <charconv>
#include <cmath>
#include <cstddef>
#include <istream>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace KokkosArena::workloads {

/// \brief Reads a text file line by line; each error names the file, the line,
/// what is wrong and what was expected.
/// \tparam Error  What is thrown; made of a std::string.
template <class Error>
class LineReader {
 public:
  /// \param[in] input  Outlives this object.
  /// \param[in] name   Of the file, for messages.
  LineReader(std::istream& input, std::string name)
      : m_input(input), m_name(std::move(name)) {}

  /// \brief Goes to the next line. \return Whether there is one.
  bool next() {
    ++m_number;
    if (!std::getline(m_input, m_line)) {
      m_line.clear();
      m_fields.clear();
      return false;
    }
    m_fields.clear();
    std::string_view rest = m_line;
    constexpr auto blank  = " \t\r\v\f";
    for (auto begin = rest.find_first_not_of(blank);
         begin != std::string_view::npos;
         begin = rest.find_first_not_of(blank)) {
      rest.remove_prefix(begin);
      m_fields.push_back(rest.substr(0, rest.find_first_of(blank)));
      rest.remove_prefix(m_fields.back().size());
    }
    return true;
  }

  /// \brief The same, where there has to be one.
  void next(std::string const& expected) {
    if (!next()) fail("the file ends, expected " + expected);
  }

  /// What white space divides; valid until the next line.
  std::vector<std::string_view> const& fields() const { return m_fields; }
  std::string const& text() const { return m_line; }

  /// \param[in] count     How many fields the line has to have.
  /// \param[in] expected  What they are.
  void require(std::size_t count, std::string const& expected) const {
    if (m_fields.size() < count) {
      fail("expected " + expected + ", found only " +
           std::to_string(m_fields.size()) + " of " + std::to_string(count) +
           " fields");
    }
    if (m_fields.size() > count) {
      fail("\"" + std::string(m_fields[count]) + "\" is too much: expected " +
           expected);
    }
  }

  /// \param[in] i         The field.
  /// \param[in] expected  What it is.
  /// \return The field as a number, which is finite.
  template <class T>
  T number(std::size_t i, std::string const& expected) const {
    std::string_view digits = m_fields[i];
    // Which from_chars doesn't know.
    if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') {
      digits.remove_prefix(1);
    }
    T result{};
    auto const* const begin  = digits.data();
    auto const* const end    = begin + digits.size();
    auto const [stop, error] = std::from_chars(begin, end, result);
    auto const found         = "\"" + std::string(m_fields[i]) + "\"";
    if (error == std::errc::result_out_of_range && stop == end) {
      fail(found + " is out of range, expected " + expected);
    }
    bool good = error == std::errc() && stop == end;
    if constexpr (std::is_floating_point_v<T>) {
      good = good && std::isfinite(result);
    }
    if (!good) fail(found + " is not " + expected);
    return result;
  }

  [[noreturn]] void fail(std::string const& what) const {
    throw Error(m_name + ":" + std::to_string(m_number) + ": " + what);
  }

 private:
  std::istream& m_input;
  std::string m_name;
  std::string m_line;
  std::vector<std::string_view> m_fields;
  std::size_t m_number = 0;
};

}  // namespace KokkosArena::workloads

#endif
