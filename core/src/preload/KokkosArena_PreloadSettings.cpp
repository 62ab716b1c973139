// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_PreloadSettings.hpp"

#include "../engine/KokkosArena_Process.hpp"
#include "KokkosArena_PreloadMessage.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
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
  settings.regions = split(variable("KOKKOS_ARENA_ADOPT"));
  settings.cycle   = variable("KOKKOS_ARENA_ADOPT_CYCLE");
  if (auto const text = variable("KOKKOS_ARENA_ADOPT_THRESHOLD");
      !text.empty() && !parse(text, settings.threshold)) {
    tell(
        "KOKKOS_ARENA_ADOPT_THRESHOLD is \"%s\", which is no number of bytes; "
        "it is %zu instead",
        std::string(text).c_str(), settings.threshold);
  }
  settings.statistics = is_on("KOKKOS_ARENA_STATS");
  settings.advises    = is_on("KOKKOS_ARENA_ADVISE");
  settings.json =
      expanded_file_name(std::string(variable("KOKKOS_ARENA_ADVISE_JSON")));
  settings.html =
      expanded_file_name(std::string(variable("KOKKOS_ARENA_ADVISE_HTML")));
  settings.program = variable("KOKKOS_ARENA_PROGRAM");
  return settings;
}

}  // namespace KokkosArena::Impl
