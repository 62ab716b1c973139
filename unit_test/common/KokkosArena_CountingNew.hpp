// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_COUNTINGNEW_HPP
#define KOKKOSARENA_COUNTINGNEW_HPP

#include <cstdint>

namespace KokkosArenaTest {

/// \brief Calls of the global operator new and delete, in all their forms,
/// since the program began. Only in programs that list
/// KokkosArena_CountingNew.cpp, which replaces them.
struct HeapCalls {
  std::uint64_t allocations   = 0;
  std::uint64_t deallocations = 0;
};

HeapCalls heap_calls() noexcept;

/// \brief Until it ends, every operator new of this thread fails, or only one.
/// Don't nest.
class HeapFailure {
 public:
  HeapFailure() noexcept;
  /// Only the one after so many others.
  explicit HeapFailure(std::uint64_t others) noexcept;
  /// \return Whether that one has come.
  static bool has_happened() noexcept;
  HeapFailure(HeapFailure const&)            = delete;
  HeapFailure& operator=(HeapFailure const&) = delete;
  ~HeapFailure();
};

}  // namespace KokkosArenaTest

#endif
