// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_PreloadSettings.hpp"

#include "../engine/KokkosArena_Process.hpp"
#include "KokkosArena_PreloadMessage.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace KokkosArena::Impl {

namespace {

std::string_view variable(char const* name) noexcept {
  auto const* const text = std::getenv(name);
  return text ? text : "";
}

bool is_on(char const* name) noexcept {
  auto const value = variable(name);
  return !value.empty() && value != "0";
}

/// Whole, since the program may go to another folder.
std::string file(char const* name) {
  auto const text = variable(name);
  if (text.empty()) return {};
  std::error_code error;
  auto const path  = expanded_file_name(std::string(text));
  auto const whole = std::filesystem::absolute(path, error);
  return error ? path : whole.string();
}

template <class Number>
bool parse(std::string_view text, Number& number) noexcept {
  auto const* const begin = text.data();
  auto const* const end   = begin + text.size();
  auto const result       = std::from_chars(begin, end, number);
  return result.ec == std::errc() && result.ptr == end;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    auto const end = std::min(text.find(';'), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace

PreloadSettings read_preload_settings() {
  PreloadSettings settings;
  // Whoever is in the chain of tools has to hand events on in any process.
  settings.next_tool = variable("KOKKOS_ARENA_NEXT_TOOL");
  if (auto const text = variable("KOKKOS_ARENA_PROCESS"); !text.empty()) {
    std::uint64_t process = 0;
    if (!parse(text, process)) {
      tell(
          "KOKKOS_ARENA_PROCESS is \"%s\", which is no number of a process; "
          "it is ignored",
          std::string(text).c_str());
    } else if (process != process_id()) {
      return settings;
    }
  }
  settings.reaches_children = variable("KOKKOS_ARENA_PROCESS").empty();
  auto const regions        = variable("KOKKOS_ARENA_ADOPT");
  settings.regions          = split(regions);
  if (!regions.empty() && settings.regions.empty()) {
    tell(
        "KOKKOS_ARENA_ADOPT is \"%s\", which names no region: nothing is "
        "adopted",
        std::string(regions).c_str());
  }
  settings.cycle = variable("KOKKOS_ARENA_ADOPT_CYCLE");
  if (auto const text = variable("KOKKOS_ARENA_ADOPT_THRESHOLD");
      !text.empty() && !parse(text, settings.threshold)) {
    tell(
        "KOKKOS_ARENA_ADOPT_THRESHOLD is \"%s\", which is no number of bytes; "
        "it is %zu instead",
        std::string(text).c_str(), settings.threshold);
  }
  settings.statistics = is_on("KOKKOS_ARENA_STATS");
  settings.advises    = is_on("KOKKOS_ARENA_ADVISE");
  settings.json       = file("KOKKOS_ARENA_ADVISE_JSON");
  settings.html       = file("KOKKOS_ARENA_ADVISE_HTML");
  settings.program    = variable("KOKKOS_ARENA_PROGRAM");
  return settings;
}

}  // namespace KokkosArena::Impl
