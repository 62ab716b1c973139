// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_LivePicture.hpp"

#include "KokkosArena_OneLine.hpp"
#include "KokkosArena_ReadableNumbers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace KokkosArena::Impl {

namespace {

// In units of the picture; whole numbers alone, whose text doesn't depend on
// the program's locale.
constexpr std::size_t columns = 900;
constexpr std::size_t height  = 300;
constexpr std::size_t left    = 90;
constexpr std::size_t top     = 10;
constexpr std::size_t bottom  = 30;

constexpr std::array<char const*, most_series> colours = {
    "#9aa0a6", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9",
    "#d55e00", "#b8a800", "#6a3d9a", "#8c564b", "#1b7837", "#c51b7d",
    "#35978f", "#7f7f00", "#4575b4", "#a50026"};

/// Of each column the moment with most, or what is left of an earlier one.
std::vector<LiveBySeries> column_levels(AllocationRecord const& record) {
  std::vector<LiveBySeries> result(columns);
  auto const total = std::max<std::uint64_t>(record.total_ns, 1);
  LiveSample level;
  std::size_t next = 0;
  for (std::size_t column = 0; column < columns; ++column) {
    // Without a product that might not fit.
    auto const end =
        static_cast<double>(column + 1) / columns * static_cast<double>(total);
    auto most          = level;
    auto const is_last = column + 1 == columns;
    while (next < record.samples.size() &&
           (is_last || static_cast<double>(record.samples[next].ns) < end)) {
      level = record.samples[next++];
      if (level.total > most.total) most = level;
    }
    result[column] = most.live;
  }
  return result;
}

void append(std::string& text, char letter, std::uint64_t value) {
  text += letter;
  text += std::to_string(value);
}

/// What lies between two rows of heights.
std::string area(std::vector<std::uint64_t> const& lower,
                 std::vector<std::uint64_t> const& upper) {
  std::string path;
  append(path, 'M', left);
  append(path, ' ', upper[0]);
  for (std::size_t i = 0; i < columns; ++i) {
    if (i > 0 && upper[i] == upper[i - 1]) continue;
    append(path, 'H', left + i);
    append(path, 'V', upper[i]);
  }
  append(path, 'H', left + columns);
  append(path, 'V', lower[columns - 1]);
  for (auto i = columns - 1; i-- > 0;) {
    if (lower[i] == lower[i + 1]) continue;
    append(path, 'H', left + i + 1);
    append(path, 'V', lower[i]);
  }
  append(path, 'H', left);
  return path + "Z";
}

std::string label(std::size_t x, std::size_t y, char const* anchor,
                  std::string const& text) {
  return "<text x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) +
         "\" text-anchor=\"" + anchor + "\">" + html_text(text) + "</text>\n";
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string result;
  for (char const c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        if (is_control(c)) {
          result += "&#xfffd;";
        } else {
          result += c;
        }
    }
  }
  return result;
}

std::string live_picture(Advice const& advice) {
  auto const& record = advice.record;
  auto const levels  = column_levels(record);
  std::uint64_t most = 1;
  for (auto const& level : levels) {
    std::uint64_t sum = 0;
    for (auto const bytes : level) sum += bytes;
    most = std::max(most, sum);
  }
  auto const y_of = [&](std::uint64_t bytes) {
    auto const part = static_cast<double>(bytes) / static_cast<double>(most);
    return top + height -
           static_cast<std::uint64_t>(
               std::lround(part * static_cast<double>(height)));
  };

  std::string areas;
  std::string legend;
  std::vector<std::uint64_t> sums(columns);
  std::vector<std::uint64_t> lower(columns, top + height);
  for (std::size_t series = 0; series < record.series.size(); ++series) {
    bool is_there = false;
    auto upper    = lower;
    for (std::size_t i = 0; i < columns; ++i) {
      sums[i] += levels[i][series];
      upper[i] = y_of(sums[i]);
      is_there = is_there || levels[i][series] > 0;
    }
    if (!is_there) continue;
    auto const name = html_text(advice.regions[record.series[series]].path);
    areas += "<path fill=\"" + std::string(colours[series]) + "\" d=\"" +
             area(lower, upper) + "\"><title>" + name + "</title></path>\n";
    legend += "<li><span style=\"background:" + std::string(colours[series]) +
              "\"></span>" + name + "</li>\n";
    lower = upper;
  }
  if (areas.empty()) return "<p>Nothing was alive at any time.</p>\n";

  constexpr auto width = left + columns + 20;
  std::string result   = "<svg viewBox=\"0 0 " + std::to_string(width) + " " +
                       std::to_string(top + height + bottom) +
                       "\" role=\"img\" aria-label=\"Bytes of Views that are "
                       "alive over time\">\n" +
                       areas;
  for (std::size_t i = 0; i <= 2; ++i) {
    auto const part = static_cast<double>(i) / 2;
    auto const y    = top + height - i * height / 2;
    result += label(left - 8, y + 5, "end",
                    readable_bytes(part * static_cast<double>(most)));
    result += label(left + i * columns / 2, top + height + 20, "middle",
                    readable_time(part * static_cast<double>(record.total_ns)));
    result += "<path class=\"line\" d=\"M" + std::to_string(left) + " " +
              std::to_string(y) + "h" + std::to_string(columns) + "\"/>\n";
  }
  return result + "</svg>\n<ul class=\"legend\">\n" + legend + "</ul>\n";
}

}  // namespace KokkosArena::Impl
