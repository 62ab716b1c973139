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

template <class Number>
bool parse(std::string_view text, Number& number) noexcept {
  auto const* const end = text.data() + text.size();
  auto const result     = std::from_chars(text.data(), end, number);
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

bool PreloadSettings::everywhere() const noexcept {
  return std::find(regions.begin(), regions.end(), "*") != regions.end();
}

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
  auto const statistics = variable("KOKKOS_ARENA_STATS");
  settings.statistics   = !statistics.empty() && statistics != "0";
  return settings;
}

}  // namespace KokkosArena::Impl
