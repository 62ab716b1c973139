// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <ostream>

namespace KokkosArena {

namespace {

std::string size(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  // In whole numbers: a double has too few digits for the largest.
  auto const text = [&](int shift) {
    auto const unit   = std::uint64_t(1) << shift;
    auto const tenths = (bytes % unit * 10 + unit / 2) / unit;
    auto const whole  = bytes / unit + tenths / 10;
    return whole < 1024 || shift == 30
               ? std::to_string(whole) + '.' + std::to_string(tenths % 10)
               : std::string();
  };
  if (auto const kib = text(10); !kib.empty()) return kib + " KiB";
  if (auto const mib = text(20); !mib.empty()) return mib + " MiB";
  return text(30) + " GiB";
}

/// \return Empty if there is none. The plural has an s more.
std::string counted(std::uint64_t count, std::string const& one,
                    std::string const& what = "") {
  if (count == 0) return "";
  return std::to_string(count) + ' ' + one + (count == 1 ? "" : "s") + what;
}

std::string views(ArenaStatistics const& s) {
  if (s.live_allocations == 0 && s.peak_live_bytes == 0) return "";
  auto const peak = "peak " + size(s.peak_live_bytes) + ')';
  return s.live_allocations == 0
             ? "no View alive (" + peak
             : counted(s.live_allocations, "View",
                       " alive (" + size(s.live_bytes) + ", " + peak);
}

std::string fragmentation(ArenaStatistics const& s) {
  auto const percent = std::lround(100 * s.fragmentation());
  if (percent == 0) return "";
  return size(s.free_bytes) + " free, of which " + size(s.largest_free_bytes) +
         " in one piece (" + std::to_string(percent) + "% fragmented)";
}

std::string survivors(std::vector<EscapedView> const& views) {
  if (views.empty()) return "";
  constexpr std::size_t most_named = 5;
  std::string text                 = "alive at the last reset: ";
  for (std::size_t i = 0; i < std::min(views.size(), most_named); ++i) {
    text += (i ? ", \"" : "\"") + views[i].label + "\" (" +
            size(views[i].bytes) + ')';
  }
  if (views.size() > most_named) {
    text += " and " + std::to_string(views.size() - most_named) + " more";
  }
  return text;
}

/// Of an arena that has had cycles: one that wasn't used has nothing to say.
std::string nothing_drawn(ArenaStatistics const& s) {
  // A block without bytes is no arena's, but of figures that were put together.
  bool const is_of_arena = (s.blocks > 0) == (s.capacity_bytes > 0);
  if (s.resets == 0 || s.total_allocations > 0 || !is_of_arena) return "";
  return "nothing was drawn from it; KOKKOS_ARENA_ESCAPE_POLICY=collect shows "
         "what its scopes miss";
}

std::string base_space(ArenaStatistics const& s) {
  auto text        = counted(s.base_space_allocations, "allocation",
                             " of the base space in its scopes");
  char const* next = ": ";
  for (auto const& one : s.largest_base_space_allocations) {
    text += next + ('"' + one.label + "\" (" + std::to_string(one.count) +
                    ", " + size(one.bytes) + ')');
    next = ", ";
  }
  return text;
}

/// \brief Adds a line of those that aren't empty, if any is.
void add_line(std::string& text, std::initializer_list<std::string> parts) {
  auto const* separator = "\n  ";
  for (auto const& part : parts) {
    if (part.empty()) continue;
    text += separator + part;
    separator = ", ";
  }
}

}  // namespace

std::ostream& operator<<(std::ostream& out, ArenaStatistics const& s) {
  // As one string, which no flag or locale of the stream changes.
  auto text = "arena \"" + s.label + "\": " + size(s.used_bytes) + " of " +
              size(s.capacity_bytes) + " used, peak " + size(s.peak_bytes);
  add_line(text, {views(s), counted(s.total_allocations, "allocation"),
                  counted(s.resets, "reset")});
  add_line(text, {counted(s.blocks, "block"),
                  counted(s.upstream_allocations, "upstream allocation",
                          " (" + size(s.upstream_bytes) + ')')});
  add_line(text, {counted(s.retired_blocks, "retired block",
                          " (" + size(s.retired_bytes) +
                              "), kept for Views that are still alive")});
  add_line(text, {nothing_drawn(s)});
  add_line(text, {fragmentation(s)});
  add_line(text, {counted(s.escaped_views, "View", " alive at a reset")});
  add_line(text, {survivors(s.survivors)});
  add_line(text, {counted(s.unscoped_worker_allocations, "unscoped allocation",
                          " of workers")});
  add_line(text, {counted(s.failed_handle_allocations, "failed allocation",
                          " of handles")});
  add_line(text, {counted(s.failed_adoptions, "failed adoption")});
  add_line(text, {base_space(s)});
  out.width(0);
  return out << text;
}

}  // namespace KokkosArena
