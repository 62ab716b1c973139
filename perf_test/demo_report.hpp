// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_DEMO_REPORT_HPP
#define KOKKOSARENA_PERF_DEMO_REPORT_HPP

#include "machine.hpp"

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace KokkosArena::Perf {

/// \brief One line of the table.
struct Row {
  std::string space;
  double seconds                     = 0;  ///< Of a call, the median.
  double fastest_seconds             = 0;  ///< Of the samples.
  double speedup                     = 0;  ///< The first row's is 1.
  std::uint64_t temporaries_bytes    = 0;  ///< Made in a call.
  std::uint64_t warm_up_allocations  = 0;  ///< Upstream, until steady.
  std::uint64_t allocations_per_call = 0;  ///< Upstream, once steady.
  std::uint64_t upstream_bytes       = 0;  ///< Of these.
  std::uint64_t peak_bytes           = 0;  ///< The most at once.
  double page_faults_per_call        = 0;  ///< The median.
  double largest_difference          = 0;  ///< From the result expected.
};

/// \brief The lines for one size of a workload.
struct TableReport {
  std::string workload;
  std::string description;
  std::size_t n = 0;   ///< 0 where a file says the size.
  std::string matrix;  ///< That file, or none.
  int samples          = 0;
  int calls_per_sample = 0;
  std::vector<Row> rows;
};

void print_machine(std::ostream& out, Machine const& machine);

/// \brief An aligned table, at most 100 columns wide.
void print_table(std::ostream& out, TableReport const& report);

void write_json(std::ostream& out, Machine const& machine,
                std::vector<TableReport> const& reports);

}  // namespace KokkosArena::Perf

#endif
