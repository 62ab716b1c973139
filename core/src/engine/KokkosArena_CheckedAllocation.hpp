// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDALLOCATION_HPP
#define KOKKOSARENA_ENGINE_CHECKEDALLOCATION_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace KokkosArena::Impl {

class CheckedStore;
struct CheckedPiece;

/// The extents of a View that is about to be made.
struct ViewExtents {
  static constexpr unsigned unknown = ~0u;
  unsigned rank                     = unknown;
  std::array<std::size_t, 8> extent{};
};

/// \brief What is known of one piece of checked memory, and room for the record
/// of its View: outside of the memory, since a View that has escaped goes on
/// counting its copies there.
struct CheckedAllocation {
  static constexpr std::size_t record_bytes = 192;

  CheckedStore* store    = nullptr;
  CheckedPiece* piece    = nullptr;
  std::uintptr_t begin   = 0;
  std::size_t bytes      = 0;  ///< From begin on, with what is around the data.
  void* data             = nullptr;
  std::size_t data_bytes = 0;
  bool alive             = false;
  bool elements_have_ended = false;
  bool owns                = false;  ///< Its elements have something to end.
  std::string label;
  ViewExtents extents;
  /// Of the record, if there is one.
  int (*use_count)(void const* record) = nullptr;
  void (*end_elements)(void* record)   = nullptr;
  void (*end_record)(void* record)     = nullptr;
  alignas(std::max_align_t) std::byte record[record_bytes]{};
};

}  // namespace KokkosArena::Impl

#endif
