// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Advice.hpp"

#include "KokkosArena_OneLine.hpp"
#include "KokkosArena_ReadableNumbers.hpp"

#include <algorithm>
#include <utility>

namespace KokkosArena::Impl {

namespace {

/// A region that gives less isn't named.
constexpr double least_gain_of_region = 0.01;
/// Regions are named in place of the one that they are in if they give so much
/// of its gain.
constexpr double enough_of_gain          = 0.9;
constexpr std::size_t most_named_regions = 4;

double real(std::uint64_t value) { return static_cast<double>(value); }

/// Sums of each region and of those in it.
std::vector<RegionAdvice> sum_up(AllocationRecord const& record) {
  auto const& regions = record.regions;
  std::vector<RegionAdvice> result(regions.size());
  // Meanwhile, a fault that was counted too early may make one negative.
  std::vector<std::int64_t> faults(regions.size());
  std::vector<std::uint64_t> within(regions.size());
  for (std::size_t i = 0; i < regions.size(); ++i) {
    auto const& region = regions[i];
    auto& sum          = result[i];
    sum.path           = i == 0 || region.parent == 0
                             ? region.name
                             : result[region.parent].path + "/" + region.name;
    sum.sums           = region.own;
    sum.ns             = region.own_ns;
    sum.host_faults    = region.own_host_faults;
    sum.system_ns      = region.own_system_ns;
    sum.fences         = region.fences;
    sum.end_fences     = region.end_fences;
    sum.kernels        = region.kernels;
    faults[i]          = region.own_faults;
    within[i]          = region.died_within;
  }
  for (auto i = regions.size(); i-- > 0;) {
    auto& sum = result[i];
    sum.faults =
        static_cast<std::uint64_t>(std::max<std::int64_t>(faults[i], 0));
    // Who died within an entry of a region in it did so within one of its own.
    sum.sums.died_in_entry = within[i];
    if (i == 0) break;
    auto const parent = regions[i].parent;
    auto& all         = result[parent];
    all.sums += sum.sums;
    all.ns += sum.ns;
    all.host_faults += sum.host_faults;
    all.system_ns += sum.system_ns;
    all.fences += sum.fences;
    all.end_fences += sum.end_fences;
    all.kernels += sum.kernels;
    faults[parent] += faults[i];
    within[parent] += within[i];
  }
  return result;
}

/// \return How many faults at the same time delay the program as much as one
/// after the other.
double delays_of(RegionAdvice const& region, unsigned threads) {
  // 0 if workers fault only while the host thread does so as well, 1 if it has
  // nothing else to do. With Kokkos' OpenMP the host thread alone fills Views
  // with zeros, and both have been measured for those that all threads write.
  constexpr double waiting = 0.25;
  auto const all           = real(region.faults);
  auto const host          = std::min(real(region.host_faults), all);
  auto const workers       = std::max(threads, 2u) - 1;
  auto const result        = host + waiting * (all - host) / workers;
  return std::max(result, all / std::max(threads, 1u));
}

/// Of the whole program: the system may count its time in ticks, which are too
/// few in a region.
double fault_ns_of(RegionAdvice const& program, MachineCosts const& costs) {
  if (program.host_faults == 0) return costs.fault_ns;
  return std::clamp(real(program.system_ns) / real(program.host_faults),
                    costs.fault_ns, 2 * costs.fault_ns);
}

void estimate(RegionAdvice& region, LiveBytes const& live,
              AllocationRecord const& record, double fault_ns) {
  auto const& costs = record.costs;
  auto const page   = std::max(costs.fault_bytes, 1.0);
  auto const faults = real(region.faults);
  auto const of_views =
      std::min(faults, real(region.sums.adopted_bytes) / page);
  region.first_faults    = std::min(of_views, real(live.arena_most) / page);
  region.repeated_faults = of_views - region.first_faults;
  auto const delays =
      faults > 0 ? delays_of(region, record.threads) / faults : 0;
  region.saved_ns = region.repeated_faults * delays * fault_ns +
                    real(region.sums.large) * costs.mapping_ns;
  auto const total = real(record.total_ns - record.waiting_ns);
  region.gain      = total > 0 ? std::min(region.saved_ns / total, 1.0) : 0;
}

/// The regions that are worth naming, each of them or one that it is in, but
/// not both.
class Choice {
 public:
  Choice(AllocationRecord const& record,
         std::vector<RegionAdvice> const& regions)
      : m_regions(regions), m_children(regions.size()) {
    for (std::size_t i = 1; i < regions.size(); ++i) {
      m_children[record.regions[i].parent].push_back(i);
    }
  }

  std::vector<std::size_t> of(std::size_t region) const {
    auto const gain = m_regions[region].gain;
    if (gain < least_gain_of_region) return {};
    std::vector<std::size_t> inner;
    double inner_gain = 0;
    for (auto const child : m_children[region]) {
      for (auto const chosen : of(child)) {
        inner.push_back(chosen);
        inner_gain += m_regions[chosen].gain;
      }
    }
    // One region is simpler to name than several in it.
    auto const most = region == 0 ? most_named_regions : 1;
    if (!inner.empty() && inner.size() <= most &&
        inner_gain >= enough_of_gain * gain) {
      return inner;
    }
    return {region};
  }

 private:
  std::vector<RegionAdvice> const& m_regions;
  std::vector<std::vector<std::size_t>> m_children;
};

/// A word of the shell. Control characters become the pattern that matches
/// them, so that a command is one line.
std::string shell_word(std::string_view text) {
  std::string result = "'";
  for (char const c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      // A semicolon stands between regions.
      result += is_control(c) || c == ';' ? '?' : c;
    }
  }
  return result + "'";
}

std::string quoted_list(std::vector<std::string> const& names) {
  std::string result;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) result += i + 1 == names.size() ? " and " : ", ";
    result += "\"" + one_line(names[i], ' ') + "\"";
  }
  return result;
}

void propose_malloc(Verdict& verdict, RegionAdvice const& program,
                    MachineCosts const& costs, std::string_view app) {
  auto const large    = 2 * program.sums.large_bytes > program.sums.bytes;
  auto const mappings = real(program.sums.large) * costs.mapping_ns;
  if (!large && program.repeated_faults * costs.fault_ns <= mappings) return;
  verdict.malloc_sentence =
      "A malloc that keeps its memory would do about as well, since most of "
      "this is page faults";
  verdict.malloc_sentence +=
      large ? " of arrays above 32 MiB, which glibc gives back each time: "
            : ": ";
  verdict.malloc_sentence +=
      "glibc with the variable below, or LD_PRELOAD of tcmalloc or mimalloc; "
      "the program then keeps the most that it ever had.";
  verdict.malloc_command =
      "GLIBC_TUNABLES=glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold="
      "1099511627776 ";
  verdict.malloc_command += app;
}

Verdict judge(AllocationRecord const& record,
              std::vector<RegionAdvice> const& regions, std::string_view app) {
  Verdict result;
  auto const& program = regions[0];
  if (program.sums.allocations == 0) {
    result.sentence =
        "No gain to expect: the program made no View in the host's memory "
        "while it was watched.";
    return result;
  }
  std::vector<std::size_t> chosen = Choice(record, regions).of(0);
  for (auto const region : chosen) result.gain += regions[region].gain;
  result.gain = chosen.empty() ? program.gain : std::min(result.gain, 1.0);
  result.is_worth_it = result.gain >= least_gain;
  if (!result.is_worth_it) {
    result.sentence = "No gain to expect: an arena would save about " +
                      readable_percent(result.gain) + " of the time.";
    return result;
  }

  for (auto const region : chosen) {
    auto const& name = region == 0 ? "*" : record.regions[region].name;
    if (std::find(result.adopt.begin(), result.adopt.end(), name) ==
        result.adopt.end()) {
      result.adopt.push_back(name);
    }
  }
  result.sentence = "A gain of about " + readable_percent(result.gain) +
                    " of the time is to be expected";
  if (chosen[0] == 0) {
    result.sentence += regions.size() == 1
                           ? "; the program has no regions to choose from."
                           : ", most of it not in single regions.";
  } else {
    result.sentence +=
        result.adopt.size() == 1 ? " in the region " : " in the regions ";
    result.sentence += quoted_list(result.adopt) + ".";
  }
  result.command = "kokkos-arena run";
  for (auto const& name : result.adopt) {
    result.command += " --adopt " + shell_word(name);
  }
  result.command += " -- ";
  result.command += app;

  propose_malloc(result, program, record.costs, app);
  return result;
}

}  // namespace

Advice advise(AllocationRecord record, std::string_view program) {
  Advice result;
  result.regions      = sum_up(record);
  auto const fault_ns = fault_ns_of(result.regions[0], record.costs);
  for (std::size_t i = 0; i < result.regions.size(); ++i) {
    estimate(result.regions[i], record.regions[i].live, record, fault_ns);
  }
  result.verdict = judge(record, result.regions, program);
  result.record  = std::move(record);
  return result;
}

}  // namespace KokkosArena::Impl
