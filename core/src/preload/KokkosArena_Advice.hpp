// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_ADVICE_HPP
#define KOKKOSARENA_PRELOAD_ADVICE_HPP

#include "KokkosArena_AllocationRecord.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace KokkosArena::Impl {

/// \brief A region and those in it, and what an arena would save there.
struct RegionAdvice {
  std::string path;     ///< Names, with slashes between them.
  AllocationSums sums;  ///< With the regions in it; so are all of these.
  std::uint64_t ns     = 0;
  std::uint64_t faults = 0;
  // Of the threads that were in it:
  std::uint64_t host_faults = 0;
  std::uint64_t system_ns   = 0;
  std::uint64_t fences      = 0;
  std::uint64_t end_fences  = 0;
  std::uint64_t kernels     = 0;

  /// That an arena needs as well: of the most bytes at once.
  double first_faults = 0;
  /// That it doesn't: Views had that much memory before.
  double repeated_faults = 0;
  double saved_ns        = 0;  ///< Of time on the wall.
  double gain            = 0;  ///< As a part of the whole program's time.
};

struct Verdict {
  bool is_worth_it = false;
  double gain      = 0;  ///< As a part of the time; what is not worth it, too.
  /// Patterns of \c run's \c --adopt, or "*" alone.
  std::vector<std::string> adopt;
  std::string sentence;
  std::string command;  ///< To try; empty if it isn't worth it.
  /// A malloc that keeps its memory, where it does as well; or empty.
  std::string malloc_sentence;
  std::string malloc_command;
};

/// \brief An AllocationRecord and what follows from it.
struct Advice {
  AllocationRecord record;
  std::vector<RegionAdvice> regions;  ///< Those of the record.
  Verdict verdict;
};

inline constexpr std::string_view default_program = "./app args...";

/// What is less is within the noise of most programs.
inline constexpr double least_gain = 0.03;

/// \brief Estimates what an arena saves: the page faults beyond those of one
/// first touch, and the mappings of arrays that malloc never keeps. What Views
/// can't have caused isn't counted; nor is what malloc itself takes, since an
/// adopted allocation costs about as much.
///
/// Workers fault at the same time, so that not each of their faults is a delay:
/// taken are the host thread's, and a part of theirs, for which it waits. A
/// fault costs what was measured at the beginning; or up to twice as much, if
/// the host thread was in the system for so long, since others may be in its
/// way there.
Advice advise(AllocationRecord record,
              std::string_view program = default_program);

}  // namespace KokkosArena::Impl

#endif
