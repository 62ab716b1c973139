// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_ReadableNumbers.hpp"

#include <cstddef>
#include <cstdio>

namespace KokkosArena::Impl {

namespace {

std::string three_digits(double value, char const* unit) {
  char text[64];
  auto const decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  std::snprintf(text, sizeof(text), "%.*f %s", decimals, value, unit);
  return text;
}

}  // namespace

std::string readable_bytes(double bytes) {
  if (bytes < 1024) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.0f B", bytes);
    return text;
  }
  constexpr char const* units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit              = 0;
  for (bytes /= 1024; bytes >= 1023.5 && unit < 4; ++unit) bytes /= 1024;
  return three_digits(bytes, units[unit]);
}

std::string readable_time(double nanoseconds) {
  if (nanoseconds == 0) return "0 s";
  constexpr char const* units[] = {"ns", "us", "ms", "s"};
  std::size_t unit              = 0;
  for (; nanoseconds >= 999.5 && unit < 3; ++unit) nanoseconds /= 1000;
  return three_digits(nanoseconds, units[unit]);
}

std::string readable_count(double count) {
  char digits[64];
  std::snprintf(digits, sizeof(digits), "%.0f", count < 0 ? 0 : count);
  std::string const all = digits;
  std::string result;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0 && (all.size() - i) % 3 == 0) result += ',';
    result += all[i];
  }
  return result;
}

std::string readable_percent(double part) {
  char text[32];
  std::snprintf(text, sizeof(text), part < 0.0995 ? "%.1f %%" : "%.0f %%",
                100 * part);
  return text;
}

}  // namespace KokkosArena::Impl
