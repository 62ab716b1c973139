// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_JsonText.hpp"

#include <algorithm>
#include <charconv>

namespace KokkosArena::Impl {

namespace {

/// \return How many bytes at the front are one character of UTF-8; 0: none is.
std::size_t utf8_length(std::string_view text) noexcept {
  auto const at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  auto const continues = [&](std::size_t i) {
    return (at(i) & 0xc0u) == 0x80u;
  };
  auto const first = at(0);
  if (first < 0x80) return 1;
  // Not in more bytes than it needs, no surrogates, nothing past U+10FFFF.
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xe0 && at(1) < 0xa0) return 0;
    if (first == 0xed && at(1) > 0x9f) return 0;
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xf0 && at(1) < 0x90) return 0;
    if (first == 0xf4 && at(1) > 0x8f) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

// A value never ends as an array or an object begins.

void JsonText::begin_line() {
  if (m_text.empty() || m_text.back() != '[') m_text += ',';
  m_text += '\n';
}

void JsonText::name(std::string_view name) {
  if (m_text.back() != '{') m_text += ',';
  string(name);
  m_text += ':';
}

void JsonText::string(std::string_view value) {
  m_text += '"';
  while (!value.empty()) {
    auto const length = utf8_length(value);
    auto const c      = static_cast<unsigned char>(value[0]);
    if (length == 0) {
      m_text += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      m_text += '\\';
      m_text += value[0];
    } else if (c < 0x20 || c == 0x7f) {
      constexpr char const* hex = "0123456789abcdef";
      m_text += "\\u00";
      m_text += hex[c >> 4];
      m_text += hex[c & 15];
    } else {
      m_text.append(value.substr(0, length));
    }
    value.remove_prefix(std::max<std::size_t>(length, 1));
  }
  m_text += '"';
}

void JsonText::number(std::uint64_t value) { digits(value, 10); }

void JsonText::thousandths(std::uint64_t value) {
  digits(value / 1000, 10);
  m_text += '.';
  for (std::uint64_t unit = 100; unit > 0; unit /= 10) {
    m_text += static_cast<char>('0' + value / unit % 10);
  }
}

void JsonText::hexadecimal(std::uint64_t value) {
  m_text += "\"0x";
  digits(value, 16);
  m_text += '"';
}

void JsonText::digits(std::uint64_t value, int base) {
  char text[24];
  auto const end = std::to_chars(text, text + sizeof(text), value, base).ptr;
  m_text.append(text, end);
}

}  // namespace KokkosArena::Impl
