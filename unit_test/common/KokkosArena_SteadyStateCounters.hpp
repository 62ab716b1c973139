// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_STEADYSTATECOUNTERS_HPP
#define KOKKOSARENA_STEADYSTATECOUNTERS_HPP

#include <cstddef>
#include <functional>
#include <optional>

/// \file
/// What a cycle of temporaries must not do once an arena has its size, as
/// exact counts. Tests and benchmarks share it.

namespace KokkosArenaTest {

/// \brief Counts the fences that Kokkos reports while it lives. One at a time.
class FenceCounter {
 public:
  FenceCounter();
  ~FenceCounter();
  FenceCounter(FenceCounter const&)            = delete;
  FenceCounter& operator=(FenceCounter const&) = delete;
  std::size_t count() const;
};

/// \return Minor and major page faults of this thread while \c f ran, or
/// nothing where the system doesn't tell.
std::optional<long> page_faults(std::function<void()> const& f);

/// \brief Runs \c f in a child process.
/// \return How many system calls it makes there, or nothing where the system
/// doesn't let a process trace its child.
/// \pre \c f starts no parallel region: the child has one thread only.
std::optional<long> system_calls(std::function<void()> const& f);

}  // namespace KokkosArenaTest

#endif
