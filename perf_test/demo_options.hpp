// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PERF_DEMO_OPTIONS_HPP
#define KOKKOSARENA_PERF_DEMO_OPTIONS_HPP

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace KokkosArena::Perf {

/// \brief What the user asked for.
struct DemoOptions {
  std::vector<std::string> workloads;  ///< All are in this build.
  std::vector<std::size_t> sizes;      ///< None: the workloads' own.
  std::string matrix;                  ///< File to read, or none.
  int samples = 0;                     ///< Timed samples for each row.
  std::string json;                    ///< File to write, or none.
  bool is_short = false;
  bool help     = false;
};

/// \brief The command line makes no sense; says what would.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// \brief Reads the command line; what is Kokkos' is left alone.
/// \throws UsageError  An unknown option or a senseless value.
DemoOptions parse_demo_options(int argc, char const* const* argv);

char const* demo_help();

}  // namespace KokkosArena::Perf

#endif
