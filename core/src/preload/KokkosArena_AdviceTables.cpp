// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_AdviceTables.hpp"

#include "KokkosArena_ReadableNumbers.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

namespace KokkosArena::Impl {

namespace {

double real(std::uint64_t value) { return static_cast<double>(value); }

std::string part_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "-" : readable_percent(real(part) / real(whole));
}

std::string mean_life(AllocationSums const& sums) {
  return sums.died == 0
             ? "-"
             : readable_time(real(sums.lifetimes_ns) / real(sums.died));
}

/// \return The numbers of those with most bytes, in falling order.
template <class Bytes>
std::vector<std::size_t> largest(std::size_t count, std::size_t most,
                                 Bytes const& bytes) {
  std::vector<std::size_t> result(count);
  std::iota(result.begin(), result.end(), std::size_t(0));
  std::stable_sort(result.begin(), result.end(),
                   [&](auto a, auto b) { return bytes(a) > bytes(b); });
  result.resize(std::min(count, most));
  return result;
}

/// \return The numbers of the regions, each one before those in it and these
/// before the next.
std::vector<std::size_t> in_tree_order(
    std::vector<RecordedRegion> const& regions) {
  std::vector<std::vector<std::size_t>> children(regions.size());
  for (auto i = regions.size(); i-- > 1;) {
    children[regions[i].parent].push_back(i);
  }
  std::vector<std::size_t> result;
  std::vector<std::size_t> open = {0};
  while (!open.empty()) {
    auto const region = open.back();
    open.pop_back();
    result.push_back(region);
    open.insert(open.end(), children[region].begin(), children[region].end());
  }
  return result;
}

AdviceTable region_table(Advice const& advice, std::size_t most_rows) {
  AdviceTable result;
  result.title = "Regions";
  result.note =
      "Each with the regions in it. \"Died\": before the region was left "
      "again. \"Again\": page faults for memory that Views had had before. "
      "\"Ends\": fences at the ends of Views.";
  result.headings     = {"gain",   "time",      "entries", "Views",     "bytes",
                         "died",   "mean life", "longest", "most live", "arena",
                         "faults", "again",     "fences",  "ends",      "region"};
  auto const& regions = advice.record.regions;
  auto const kept     = largest(regions.size(), most_rows, [&](auto i) {
    return advice.regions[i].sums.bytes;
  });
  for (auto const i : in_tree_order(regions)) {
    auto const& region = advice.regions[i];
    if (std::find(kept.begin(), kept.end(), i) == kept.end()) {
      ++result.left_out;
      continue;
    }
    auto const& recorded = regions[i];
    result.rows.push_back(
        {readable_percent(region.gain), readable_time(real(region.ns)),
         readable_count(real(recorded.entries)),
         readable_count(real(region.sums.allocations)),
         readable_bytes(real(region.sums.bytes)),
         part_of(region.sums.died_in_entry, region.sums.allocations),
         mean_life(region.sums), readable_time(real(region.sums.longest_ns)),
         readable_bytes(real(recorded.live.most)),
         readable_bytes(real(recorded.live.arena_most)),
         readable_count(real(region.faults)),
         readable_count(region.repeated_faults),
         readable_count(real(region.fences)),
         readable_count(real(region.end_fences)),
         i == 0 ? "(whole program)" : recorded.name});
    result.depths.push_back(recorded.depth);
  }
  return result;
}

AdviceTable label_table(Advice const& advice, std::size_t most_rows) {
  AdviceTable result;
  result.title       = "Labels of Views";
  result.headings    = {"Views",   "bytes",     "died",  "mean life",
                        "longest", "most live", "arena", "label"};
  auto const& labels = advice.record.labels;
  auto const kept    = largest(labels.size(), most_rows,
                               [&](auto i) { return labels[i].sums.bytes; });
  for (auto const i : kept) {
    auto const& label = labels[i];
    result.rows.push_back(
        {readable_count(real(label.sums.allocations)),
         readable_bytes(real(label.sums.bytes)),
         part_of(label.sums.died_in_entry, label.sums.allocations),
         mean_life(label.sums), readable_time(real(label.sums.longest_ns)),
         readable_bytes(real(label.live.most)),
         readable_bytes(real(label.live.arena_most)), label.name});
    result.depths.push_back(0);
  }
  result.left_out = labels.size() - kept.size();
  return result;
}

void add_oddities(std::vector<std::string>& facts,
                  AllocationRecord const& record) {
  auto const add = [&](std::uint64_t count, char const* what) {
    if (count > 0) facts.push_back(readable_count(real(count)) + what);
  };
  add(record.unknown_ends,
      " ends of memory that was made before the program was watched.");
  add(record.missed_ends,
      " ends were not reported; they were noticed when the address was used "
      "again.");
  add(record.other_sizes, " ends were reported with another size.");
  add(record.unbalanced_pops, " regions were left that had not been entered.");
  add(record.unbalanced_pushes, " regions were entered and never left.");
  add(record.merged_regions,
      " entries of regions were counted for the region that they are in: too "
      "many names, or too deep.");
  add(record.merged_labels,
      " Views were counted as (others): too many labels.");
  add(record.lost_events, " events were lost for want of memory.");
}

}  // namespace

std::vector<AdviceTable> advice_tables(Advice const& advice,
                                       std::size_t most_rows) {
  return {region_table(advice, most_rows), label_table(advice, most_rows)};
}

std::vector<std::string> advice_facts(Advice const& advice) {
  auto const& record          = advice.record;
  auto const& program         = advice.regions[0];
  auto const& sums            = program.sums;
  std::uint64_t in_own_region = 0;
  for (auto const& region : record.regions) {
    in_own_region += region.own.died_in_entry;
  }
  std::vector<std::string> facts;
  facts.push_back("Watched for " + readable_time(real(record.total_ns)) + ": " +
                  readable_count(real(sums.allocations)) + " Views with " +
                  readable_bytes(real(sums.bytes)) + " together and " +
                  readable_bytes(real(record.regions[0].live.most)) +
                  " at once; " + readable_count(real(in_own_region)) +
                  " of them died in the region that had made them.");
  facts.push_back("Page faults: " + readable_count(real(record.faults)) +
                  ", of which " + readable_count(program.repeated_faults) +
                  " for memory that Views had had before. One costs " +
                  readable_time(record.costs.fault_ns) + " here for " +
                  readable_bytes(record.costs.fault_bytes) + ", a mapping " +
                  readable_time(record.costs.mapping_ns) + ".");
  facts.push_back("Fences: " + readable_count(real(program.fences)) +
                  ", of which " + readable_count(real(program.end_fences)) +
                  " at the ends of Views. Adopted Views fence as before; those "
                  "of ScopedSpace don't.");
  for (auto const& space : record.other_spaces) {
    facts.push_back(readable_count(real(space.sums.allocations)) +
                    " allocations with " +
                    readable_bytes(real(space.sums.bytes)) + " in the space " +
                    space.name + ", which can't be adopted.");
  }
  add_oddities(facts, record);
  return facts;
}

}  // namespace KokkosArena::Impl
