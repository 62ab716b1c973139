// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "demo_report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iomanip>
#include <limits>
#include <ostream>
#include <sstream>

namespace KokkosArena::Perf {

namespace {

/// Three significant digits and a unit, the largest that leaves a 1 in front.
std::string with_unit(double value, std::vector<std::string> const& units,
                      double step) {
  std::size_t unit = 0;
  // From here on three digits would round up to the next unit.
  while (value >= 0.9995 * step && unit + 1 < units.size()) {
    value /= step;
    ++unit;
  }
  int const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value << ' ' << units[unit];
  return out.str();
}

std::string time_text(double seconds) {
  return with_unit(seconds * 1e9, {"ns", "us", "ms", "s"}, 1000);
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  return with_unit(static_cast<double>(bytes) / 1000, {"kB", "MB", "GB", "TB"},
                   1000);
}

std::string faults_text(double faults) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(faults > 0 && faults < 10 ? 1 : 0)
      << faults;
  return out.str();
}

std::string speedup_text(double speedup) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(2) << speedup << 'x';
  return out.str();
}

std::string agreement_text(double difference) {
  if (difference == 0) return "same bits";
  std::ostringstream out;
  out << std::scientific << std::setprecision(1) << difference << " off";
  return out.str();
}

std::string quoted(std::string const& text) {
  std::string out = "\"";
  for (char const c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out + '"';
}

void write_machine(std::ostream& out, Machine const& machine) {
  out << "  \"kokkos\": " << quoted(machine.kokkos)
      << ",\n  \"backend\": " << quoted(machine.backend)
      << ",\n  \"threads\": " << machine.threads
      << ",\n  \"malloc\": " << quoted(machine.malloc)
      << ",\n  \"compiler\": " << quoted(machine.compiler)
      << ",\n  \"processor\": " << quoted(machine.processor)
      << ",\n  \"processors\": " << machine.processors
      << ",\n  \"load_average\": " << machine.load
      << ",\n  \"transparent_huge_pages\": " << quoted(machine.huge_pages)
      << ",\n";
}

void write_row(std::ostream& out, TableReport const& report, Row const& row) {
  out << "    {\"workload\": " << quoted(report.workload);
  if (report.matrix.empty()) {
    out << ", \"n\": " << report.n;
  } else {
    out << ", \"matrix\": " << quoted(report.matrix);
  }
  out << ", \"space\": " << quoted(row.space)
      << ", \"samples\": " << report.samples
      << ", \"calls_per_sample\": " << report.calls_per_sample
      << ", \"median_seconds\": " << row.seconds
      << ", \"fastest_seconds\": " << row.fastest_seconds
      << ", \"times_as_fast_as_host_space\": " << row.speedup
      << ", \"temporaries_bytes\": " << row.temporaries_bytes
      << ", \"upstream_allocations_per_call\": " << row.allocations_per_call
      << ", \"upstream_bytes_per_call\": " << row.upstream_bytes
      << ", \"upstream_allocations_before\": " << row.warm_up_allocations
      << ", \"peak_bytes\": " << row.peak_bytes
      << ", \"page_faults_per_call\": " << row.page_faults_per_call
      << ", \"largest_difference\": " << row.largest_difference << "}";
}

}  // namespace

void print_machine(std::ostream& out, Machine const& machine) {
  out << "Kokkos " << machine.kokkos << ", " << machine.backend << ", "
      << machine.threads << (machine.threads == 1 ? " thread" : " threads")
      << "; malloc: " << machine.malloc << "; " << machine.compiler << "; "
      << machine.processors << " x " << machine.processor
      << "; huge pages: " << machine.huge_pages << '\n';
  if (is_busy(machine)) {
    out << "This machine is busy (load " << std::lround(machine.load)
        << "), which distorts times, those with several threads most.\n";
  }
}

void print_table(std::ostream& out, TableReport const& report) {
  auto const line = [&](auto const&... cells) {
    static constexpr int widths[] = {-18, 10, 9, 13, 10, 10, 10, 8, 12};
    int column                    = 0;
    auto const cell               = [&](std::string const& text) {
      auto const width = widths[column++];
      out << (width < 0 ? std::left : std::right) << std::setw(std::abs(width))
          << text;
    };
    (cell(cells), ...);
    out << '\n';
  };
  out << '\n' << report.workload << ": " << report.description << '\n';
  if (report.matrix.empty()) {
    out << "n = " << report.n;
  } else {
    out << report.matrix;
  }
  out << " (" << report.samples << " samples of " << report.calls_per_sample
      << (report.calls_per_sample == 1 ? " call" : " calls") << " for each)\n";
  line("", "time of", "times as", "temporaries", "upstream,", "in a call",
       "peak", "page", "");
  line("space", "a call", "fast", "in a call", "number", "bytes", "bytes",
       "faults", "result");
  for (auto const& row : report.rows) {
    line(row.space, time_text(row.seconds), speedup_text(row.speedup),
         bytes_text(row.temporaries_bytes),
         std::to_string(row.allocations_per_call),
         bytes_text(row.upstream_bytes), bytes_text(row.peak_bytes),
         faults_text(row.page_faults_per_call),
         agreement_text(row.largest_difference));
  }
  out << std::flush;
}

void write_json(std::ostream& out, Machine const& machine,
                std::vector<TableReport> const& reports) {
  out << std::setprecision(std::numeric_limits<double>::max_digits10) << "{\n";
  write_machine(out, machine);
  out << "  \"results\": [\n";
  char const* separator = "";
  for (auto const& report : reports) {
    for (auto const& row : report.rows) {
      out << separator;
      write_row(out, report, row);
      separator = ",\n";
    }
  }
  out << "\n  ]\n}\n" << std::flush;
}

}  // namespace KokkosArena::Perf
