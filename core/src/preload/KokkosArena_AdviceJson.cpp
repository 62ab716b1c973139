// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_AdviceReport.hpp"

#include <engine/KokkosArena_JsonText.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string_view>

namespace KokkosArena::Impl {

namespace {

class Writer {
 public:
  explicit Writer(Advice const& advice) : m_advice(advice) {}

  std::string_view text() {
    m_json.begin_object();
    verdict();
    machine();
    program();
    list("regions", m_advice.record.regions.size(),
         [&](std::size_t i) { region(i); });
    list("labels", m_advice.record.labels.size(),
         [&](std::size_t i) { label(m_advice.record.labels[i]); });
    list("other_spaces", m_advice.record.other_spaces.size(),
         [&](std::size_t i) { label(m_advice.record.other_spaces[i]); });
    timeline();
    m_json.end_object();
    return m_json.text();
  }

 private:
  void number(std::string_view name, std::uint64_t value) {
    m_json.name(name);
    m_json.number(value);
  }
  void real(std::string_view name, double value) {
    m_json.name(name);
    m_json.thousandths(
        static_cast<std::uint64_t>(std::llround(1000 * std::max(value, 0.0))));
  }
  void string(std::string_view name, std::string_view value) {
    m_json.name(name);
    m_json.string(value);
  }
  template <class Item>
  void list(std::string_view name, std::size_t size, Item const& item) {
    m_json.name(name);
    m_json.begin_array();
    for (std::size_t i = 0; i < size; ++i) {
      m_json.begin_line();
      item(i);
    }
    m_json.end_array();
  }

  void verdict() {
    auto const& verdict = m_advice.verdict;
    m_json.name("verdict");
    m_json.begin_object();
    string("result", verdict.is_worth_it ? "gain" : "no gain");
    real("gain_percent", 100 * verdict.gain);
    string("sentence", verdict.sentence);
    list("adopt", verdict.adopt.size(),
         [&](std::size_t i) { m_json.string(verdict.adopt[i]); });
    string("command", verdict.command);
    string("malloc_sentence", verdict.malloc_sentence);
    string("malloc_command", verdict.malloc_command);
    m_json.end_object();
  }
  void machine() {
    auto const& costs = m_advice.record.costs;
    m_json.name("machine");
    m_json.begin_object();
    real("fault_ns", costs.fault_ns);
    real("fault_bytes", costs.fault_bytes);
    real("mapping_ns", costs.mapping_ns);
    number("threads", m_advice.record.threads);
    m_json.end_object();
  }
  void program() {
    auto const& record = m_advice.record;
    m_json.name("program");
    m_json.begin_object();
    number("ns", record.total_ns);
    number("waiting_ns", record.waiting_ns);
    number("faults", record.faults);
    number("alive_at_end", record.alive_at_end);
    number("unknown_ends", record.unknown_ends);
    number("missed_ends", record.missed_ends);
    number("other_sizes", record.other_sizes);
    number("unbalanced_pops", record.unbalanced_pops);
    number("unbalanced_pushes", record.unbalanced_pushes);
    number("merged_regions", record.merged_regions);
    number("merged_labels", record.merged_labels);
    number("lost_events", record.lost_events);
    m_json.end_object();
  }
  void sums(AllocationSums const& sums) {
    number("allocations", sums.allocations);
    number("bytes", sums.bytes);
    number("died", sums.died);
    number("dead_bytes", sums.dead_bytes);
    number("died_in_entry", sums.died_in_entry);
    number("lifetimes_ns", sums.lifetimes_ns);
    number("longest_ns", sums.longest_ns);
  }
  void live(LiveBytes const& live) {
    number("most_live_bytes", live.most);
    number("arena_bytes", live.arena_most);
  }
  void region(std::size_t i) {
    auto const& recorded = m_advice.record.regions[i];
    auto const& region   = m_advice.regions[i];
    m_json.begin_object();
    string("path", region.path);
    string("name", recorded.name);
    number("parent", recorded.parent);
    number("depth", recorded.depth);
    number("entries", recorded.entries);
    sums(region.sums);
    live(recorded.live);
    number("ns", region.ns);
    number("faults", region.faults);
    number("host_faults", region.host_faults);
    number("host_system_ns", region.system_ns);
    real("first_faults", region.first_faults);
    real("repeated_faults", region.repeated_faults);
    real("saved_ns", region.saved_ns);
    real("gain_percent", 100 * region.gain);
    number("fences", region.fences);
    number("end_fences", region.end_fences);
    number("kernels", region.kernels);
    m_json.name("own");
    m_json.begin_object();
    sums(recorded.own);
    number("ns", recorded.own_ns);
    m_json.end_object();
    m_json.end_object();
  }
  void label(RecordedLabel const& label) {
    m_json.begin_object();
    string("name", label.name);
    sums(label.sums);
    live(label.live);
    m_json.end_object();
  }
  void timeline() {
    auto const& record = m_advice.record;
    m_json.name("live");
    m_json.begin_object();
    list("series", record.series.size(), [&](std::size_t i) {
      m_json.string(m_advice.regions[record.series[i]].path);
    });
    list("samples", record.samples.size(), [&](std::size_t i) {
      auto const& sample = record.samples[i];
      m_json.begin_object();
      number("ns", sample.ns);
      list("bytes", record.series.size(),
           [&](std::size_t k) { m_json.number(sample.live[k]); });
      m_json.end_object();
    });
    m_json.end_object();
  }

  Advice const& m_advice;
  JsonText m_json;
};

}  // namespace

void write_json(std::ostream& out, Advice const& advice) {
  Writer writer(advice);
  out << writer.text() << '\n';
}

}  // namespace KokkosArena::Impl
