// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_PreloadedAdoption.hpp"

#include "../KokkosArena_ArenaOptions.hpp"
#include "../KokkosArena_Statistics.hpp"
#include "../engine/KokkosArena_Upstream.hpp"
#include "KokkosArena_OneLine.hpp"
#include "KokkosArena_PreloadMessage.hpp"

#include <cstring>
#include <memory>
#include <sstream>

namespace KokkosArena::Impl {

namespace {

SynchronizedCore<ThreadCached>& make_arena() {
  ArenaOptions options;
  options.label = "kokkos-arena";
  return *new SynchronizedCore<ThreadCached>(
      std::move(options), std::make_unique<HostUpstream>(true));
}

/// So many Views without effect aren't those of another arena alone.
constexpr std::uint64_t enough_to_tell = 100;

void tell_no_effect() {
  auto const other = other_operator();
  if (other.find("/libstdc++.") != other.npos ||
      other.find("/libc++.") != other.npos) {
    tell(
        "nothing is adopted, since LD_PRELOAD had no effect: it doesn't name "
        "this library, or the system ignores it (a setuid program, a path "
        "with a space)");
  } else if (!other.empty()) {
    tell(
        "nothing is adopted, since the operator new of %s comes before this "
        "library's; leave it out, or let this library be loaded first",
        other.c_str());
  } else {
    tell(
        "nothing is adopted, since Kokkos calls an operator new that can't be "
        "replaced from outside: the C++ library is linked statically with "
        "hidden symbols (-static-libstdc++, --exclude-libs)");
  }
}

}  // namespace

PreloadedAdoption::PreloadedAdoption(PreloadSettings const& settings)
    : m_settings(settings),
      m_arena(make_arena()),
      m_adoption{.core            = &m_arena,
                 .threshold_bytes = settings.threshold,
                 .name            = "HostSpace"},
      m_regions(m_adoption, settings.regions) {}

void PreloadedAdoption::end_in_child() noexcept {
  AdoptedRegions::forget_in_child();
}

void PreloadedAdoption::push_region(char const* name) {
  begin_cycle_if(name);
  m_regions.push_region(name);
}

void PreloadedAdoption::begin_kernel(char const* name) {
  begin_cycle_if(name);
  m_regions.begin_kernel();
}

void PreloadedAdoption::begin_cycle_if(char const* name) {
  if (m_settings.cycle.empty() || m_settings.cycle != name) return;
  m_arena.reset();
  m_arena.counts().note_cycle();
}

/// While something adopts, the operator must have been asked for what Kokkos
/// has got.
void PreloadedAdoption::allocated(char const* space, char const*, void const*,
                                  std::uint64_t) {
  if (m_has_effect.load(std::memory_order_relaxed) ||
      !AdoptedRegions::holds() || std::strcmp(space, "Host") != 0) {
    return;
  }
  if (adoption_requests() > 0) {
    m_has_effect.store(true, std::memory_order_relaxed);
  } else if (m_without_effect.fetch_add(1, std::memory_order_relaxed) + 1 ==
             enough_to_tell) {
    tell_no_effect();
  }
}

void PreloadedAdoption::end() {
  tell_what_had_no_effect();
  if (m_settings.statistics) {
    std::ostringstream text;
    text << m_arena.statistics();
    tell("%s", text.str().c_str());
  }
}

void PreloadedAdoption::tell_what_had_no_effect() {
  auto const without = m_without_effect.load(std::memory_order_relaxed);
  if (without > 0 && without < enough_to_tell &&
      !m_has_effect.load(std::memory_order_relaxed)) {
    tell_no_effect();
  }
  for (auto const& pattern : m_regions.unmatched_patterns()) {
    tell("no region of the name \"%s\" was entered%s", pattern.c_str(),
         names_of_regions().c_str());
  }
  if (!m_settings.cycle.empty() && m_arena.statistics().resets == 0) {
    tell("no region or kernel of the name \"%s\" began: no cycle ended",
         m_settings.cycle.c_str());
  }
}

std::string PreloadedAdoption::names_of_regions() const {
  auto const names = m_regions.region_names();
  if (names.empty()) return "; the program has none";
  std::string text = "; there were ";
  for (auto const& name : names) {
    text += (&name == names.data() ? "\"" : ", \"") + name + '"';
  }
  return one_line(text, ' ');
}

}  // namespace KokkosArena::Impl
