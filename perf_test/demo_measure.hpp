// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_DEMO_MEASURE_HPP
#define KOKKOSARENA_PERF_DEMO_MEASURE_HPP

#include "demo_report.hpp"
#include "demo_workload.hpp"

namespace KokkosArena::Perf {

/// \brief Lets the contestants do the work in turn.
/// \param[in] workload  Its arenas are used.
/// \param[in] samples   Timed ones of each.
/// \return A row for each, in their order; the caller says the size.
/// \throws std::runtime_error  A result differs by more than the tolerance.
TableReport measure(Workload const& workload, int samples);

}  // namespace KokkosArena::Perf

#endif
