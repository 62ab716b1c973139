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
  std::uint64_t temporaries_bytes    = 0;  ///< Made in a call.
  std::uint64_t warm_up_allocations  = 0;  ///< Upstream, until steady.
  std::uint64_t allocations_per_call = 0;  ///< Upstream, once steady.
  double page_faults_per_call        = 0;  ///< The median.
  double speedup                     = 0;  ///< HostSpace is 1.
};

/// \brief The lines for one size of the input.
struct SizeReport {
  std::size_t n        = 0;
  int samples          = 0;
  int calls_per_sample = 0;
  std::vector<Row> rows;
};

void print_machine(std::ostream& out, Machine const& machine);

/// \brief An aligned table, at most 100 columns wide.
void print_table(std::ostream& out, SizeReport const& report);

void write_json(std::ostream& out, Machine const& machine,
                std::vector<SizeReport> const& reports);

}  // namespace KokkosArena::Perf

#endif
