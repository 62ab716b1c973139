// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_HostRecords.hpp"

#include <new>

namespace KokkosArena::Impl {

namespace {

/// Of each piece that is kept; a record has about 200 bytes.
constexpr std::size_t piece_bytes = 256;
/// A thread keeps no more than these; one that only drops Views would keep all.
constexpr unsigned most_pieces = 256;

struct Piece {
  Piece* next;
};

// Neither has a destructor, so that Views may end in those of others.
constinit thread_local Piece* t_pieces      = nullptr;
constinit thread_local unsigned t_count     = 0;
constinit thread_local bool t_keeps_no_more = false;

/// Gives the pieces to the heap when the thread ends.
struct Keeper {
  Keeper() = default;
  ~Keeper() {
    t_keeps_no_more = true;
    while (t_pieces) {
      auto* const piece = t_pieces;
      t_pieces          = piece->next;
      ::operator delete(piece);
    }
  }
};

}  // namespace

void* take_record_memory(std::size_t bytes) {
  if (bytes > piece_bytes) return ::operator new(bytes);
  if (!t_pieces) return ::operator new(piece_bytes);
  auto* const piece = t_pieces;
  t_pieces          = piece->next;
  --t_count;
  return piece;
}

void give_back_record_memory(void* memory, std::size_t bytes) noexcept {
  if (bytes > piece_bytes || t_keeps_no_more || t_count == most_pieces) {
    ::operator delete(memory);
    return;
  }
  thread_local Keeper const keeper;
  t_pieces = ::new (memory) Piece{t_pieces};
  ++t_count;
}

}  // namespace KokkosArena::Impl
