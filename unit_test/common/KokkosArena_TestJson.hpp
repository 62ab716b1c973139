// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTJSON_HPP
#define KOKKOSARENA_TESTJSON_HPP

#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace KokkosArenaTest {

/// A value of JSON, of which a trace has objects, strings and numbers.
struct Json {
  std::map<std::string, Json> members;
  std::vector<Json> items;
  std::string text;
  double number = 0;

  Json const& operator[](std::string const& name) const {
    static Json const none;
    auto const found = members.find(name);
    return found == members.end() ? none : found->second;
  }
};

/// Throws where the text isn't JSON.
class JsonParser {
 public:
  explicit JsonParser(std::string text) : m_text(std::move(text)) {}
  Json parse() {
    auto result = value();
    blanks();
    if (m_at != m_text.size()) fail();
    return result;
  }

 private:
  [[noreturn]] void fail() const {
    throw std::runtime_error("not JSON at byte " + std::to_string(m_at));
  }
  void blanks() {
    while (m_at < m_text.size() &&
           (m_text[m_at] == ' ' || m_text[m_at] == '\n'))
      ++m_at;
  }
  char next() {
    if (m_at >= m_text.size()) fail();
    return m_text[m_at++];
  }
  bool take(char c) {
    blanks();
    if (m_at >= m_text.size() || m_text[m_at] != c) return false;
    ++m_at;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail();
  }
  Json value() {
    Json result;
    if (take('[')) {
      if (take(']')) return result;
      do result.items.push_back(value());
      while (take(','));
      expect(']');
    } else if (take('{')) {
      if (take('}')) return result;
      do {
        auto name = string();
        expect(':');
        if (!result.members.emplace(std::move(name), value()).second) fail();
      } while (take(','));
      expect('}');
    } else if (m_at < m_text.size() && m_text[m_at] == '"') {
      result.text = string();
    } else {
      std::size_t length = 0;
      result.number      = std::stod(m_text.substr(m_at, 40), &length);
      m_at += length;
    }
    return result;
  }
  std::string string() {
    expect('"');
    std::string result;
    for (char c = next(); c != '"'; c = next()) {
      if (static_cast<unsigned char>(c) < 0x20) fail();
      if (c != '\\') {
        result += c;
        continue;
      }
      c = next();
      if (c == 'u') {
        std::string digits;
        for (int i = 0; i < 4; ++i) digits += next();
        auto const code = std::stoul(digits, nullptr, 16);
        if (code < 0x80) {
          result += static_cast<char>(code);
        } else {
          result += '?';
        }
      } else if (c == '"' || c == '\\') {
        result += c;
      } else {
        fail();
      }
    }
    return result;
  }

  std::string m_text;
  std::size_t m_at = 0;
};

}  // namespace KokkosArenaTest

#endif
