// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_DEMO_WORKLOAD_HPP
#define KOKKOSARENA_PERF_DEMO_WORKLOAD_HPP

#include <KokkosArena.hpp>
#include <KokkosArena_CoordinateMatrix.hpp>
#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace KokkosArena::Perf {

using HostArena = Arena<Kokkos::HostSpace>;

/// \brief What a call of a workload comes to, for comparisons.
using Result = std::vector<double>;

/// \brief One of the ways to do the work: where its temporaries come from.
struct Contestant {
  std::string name;
  /// Does it once, resets included, and appends what comes out.
  std::function<void(Result&)> call;
  /// Appends what lies where the call has left it; not timed. May be null.
  std::function<void(Result&)> collect = nullptr;
  /// What the temporaries come from, or null.
  std::shared_ptr<HostArena> arena = nullptr;
  /// HostSpace memory comes from the arena if a request has so many bytes.
  std::size_t adopted_from = std::numeric_limits<std::size_t>::max();
  /// Of the temporaries in a call that Kokkos Tools don't see.
  std::uint64_t unseen_bytes = 0;
  /// How many of these are from the heap.
  std::uint64_t unseen_allocations = 0;
};

/// \brief The work, done in all ways.
struct Workload {
  std::string name;         ///< As --workload has it.
  std::string description;  ///< What a call does; ends without a full stop.
  /// What the first gives is expected of the others.
  std::vector<Contestant> contestants;
  std::optional<Result> expected = std::nullopt;  ///< If known beforehand.
  double tolerance = 0;  ///< Largest difference from what is expected.
};

/// \brief What the user said of the work.
struct WorkloadInput {
  std::size_t n = 0;  ///< Its size; what that means says the catalogue.
  /// Instead of a size, or null.
  workloads::CoordinateMatrix const* matrix = nullptr;
};

/// \brief A workload that --workload can name.
struct WorkloadKind {
  std::string name;
  std::string n_means;                     ///< For messages.
  std::size_t most_n;                      ///< That makes sense.
  double bytes_per_n;                      ///< Of memory that a run needs.
  int power;                               ///< These grow with this power of n.
  std::vector<std::size_t> default_sizes;  ///< Without --n.
  std::vector<std::size_t> short_sizes;    ///< The same with --short.
  bool takes_matrix;
  Workload (*make)(WorkloadInput const&);  ///< Null: not in this build.
};

/// \brief All that there are.
std::vector<WorkloadKind> const& workload_kinds();

Workload make_reduction(WorkloadInput const& input);
Workload make_digits(WorkloadInput const& input);
Workload make_elements(WorkloadInput const& input);
Workload make_galerkin(WorkloadInput const& input);
Workload make_krylov(WorkloadInput const& input);

}  // namespace KokkosArena::Perf

#endif
