// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDSTORE_HPP
#define KOKKOSARENA_ENGINE_CHECKEDSTORE_HPP

#include <KokkosArena_EscapePolicy.hpp>
#include <KokkosArena_Statistics.hpp>
#include <engine/KokkosArena_ArenaTrace.hpp>
#include <engine/KokkosArena_CheckedAllocation.hpp>
#include <engine/KokkosArena_CheckedCounts.hpp>
#include <engine/KokkosArena_CheckedDrop.hpp>
#include <engine/KokkosArena_CheckedEscapes.hpp>
#include <engine/KokkosArena_CheckedLayout.hpp>
#include <engine/KokkosArena_CheckedPieces.hpp>
#include <engine/KokkosArena_CheckedWindows.hpp>
#include <engine/KokkosArena_Fork.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <source_location>
#include <string>
#include <vector>

namespace KokkosArena {

struct ArenaOptions;

namespace Impl {

class Core;
class CheckedMemory;

/// \brief The checked memory of an arena, which moves to fresh addresses
/// whenever it is dropped, its pages with it; the old addresses fault.
///
/// For memory of which there is no CheckedMemory, the store only keeps the
/// ledger: the memory is the arena's own, as with ScopedSpace, and no access is
/// checked.
///
/// Threads: all functions are safe on any thread. The lock is recursive, since
/// elements that end may hold Views of the same store.
class CheckedStore final : private ForkParticipant {
 public:
  /// \brief A store that ends after the Arena and the last View.
  /// \param[in] memory  Null: it is the arena's own.
  static CheckedStore& make(Core& core, ArenaOptions const& options,
                            CheckedMemory* memory);
  /// For make().
  CheckedStore(Core& core, ArenaOptions const& options, CheckedMemory* memory);
  CheckedStore(CheckedStore const&)            = delete;
  CheckedStore& operator=(CheckedStore const&) = delete;

  /// \brief Memory with \c front bytes before the data.
  /// \param[in] frame  The caller's, that it ends with; 0: none.
  /// \throws ArenaExhausted
  CheckedAllocation* allocate(std::size_t front, std::size_t data_bytes,
                              std::size_t alignment, char const* label,
                              ViewExtents const& extents, std::uint64_t frame);
  /// \brief Says what is in the record, once it is made.
  void set_record(CheckedAllocation& allocation,
                  int (*use_count)(void const* record),
                  void (*end_record)(void* record),
                  void (*end_elements)(void* record), bool owns) noexcept;
  /// \brief Ends the record if there is one, with its elements unless they have
  /// ended, and gives the memory back. The store may be gone then.
  static void give_back(CheckedAllocation* allocation) noexcept;

  void count_mark() noexcept;
  void reset(std::source_location where);
  void release(std::source_location where);
  void rewind(std::uint64_t epoch, std::source_location where);
  void end_frame(std::uint64_t frame, std::source_location where) noexcept;
  /// The Arena's end.
  void end() noexcept;

  void add_to(ArenaStatistics& statistics) noexcept;
  std::vector<EscapedView> escapes() const;

  // For CheckedStores, which knows whom to ask about what is dropped.

  /// \brief Writes what is known of an invalid address. \return Whether
  /// anything is. No heap memory is taken.
  bool describe(void const* address, bool dropped, char* text,
                std::size_t size) noexcept;
  /// \return The live allocation with that address, or null.
  CheckedAllocation* find(void const* address, bool dropped) noexcept;

  ~CheckedStore();

 private:
  using Guard = std::lock_guard<std::recursive_mutex>;
  /// What an allocation asks for.
  struct Request {
    CheckedLayout const& layout;
    char const* label;
    std::uint64_t frame;
    bool may_share;  ///< A window, which faults later.
  };
  /// Memory for it.
  struct Place {
    CheckedPiece* piece;
    std::uintptr_t begin;
    bool piece_is_new;
  };

  bool try_enter() noexcept override;
  void leave_in_parent() noexcept override;
  void leave_in_child() noexcept override;

  Place take(Request const& request);
  Place take_from_core(Request const& request);
  Place take_from_windows(Request const& request);
  Place take_from_another_window(Request const& request, std::size_t held);
  bool exceeds_maximum(std::size_t bytes) const noexcept;
  std::uintptr_t allocate_in(CheckedPiece& piece,
                             CheckedLayout const& layout) noexcept;
  void undo_take(Place const& place, std::size_t bytes) noexcept;
  bool goes_on_in(CheckedPiece& piece, std::uint64_t frame) const noexcept;
  CheckedPiece& add_piece(std::uint64_t frame) noexcept;
  bool end_allocation(CheckedAllocation& allocation) noexcept;
  std::size_t reusable_bytes(CheckedAllocation const& ended) const noexcept;

  template <class Predicate>
  std::vector<EscapedView> drop_if(std::size_t first,
                                   Predicate const& is_dropped,
                                   CheckedDrop const& drop) noexcept;
  void drop_section(CheckedPiece const& piece) noexcept;
  void wait_for_kernels() noexcept;
  void note_escapes(CheckedPiece const& piece,
                    std::vector<EscapedView>& views) noexcept;
  void start_cycle(CheckedDrop const& drop, bool keep_windows);
  void retire() noexcept;
  void report(std::vector<EscapedView> views, CheckedDrop const& drop,
              bool may_throw);
  void report_only(std::vector<EscapedView> views,
                   CheckedDrop const& drop) noexcept;

  void trace_levels() noexcept;
  void note_peaks() noexcept { m_counts.note_peaks(m_pieces.used()); }
  /// \param[in] failure  What the system lacked; empty: it wasn't asked.
  /// \param[in] remedy   Empty: the usual one.
  [[noreturn]] void exhausted(std::size_t bytes, char const* label,
                              char const* failure = "",
                              char const* remedy  = "") const;

  Core& m_core;  ///< Valid while there is an Arena or memory of its own.
  std::string const m_label;
  std::size_t const m_maximum_bytes;
  std::unique_ptr<ArenaTrace> m_trace;
  bool const m_has_guard_pages;  ///< Each View, one.
  /// Null: the memory is the arena's own.
  std::unique_ptr<CheckedWindows> const m_windows;

  mutable std::recursive_mutex m_mutex;  ///< Of all that follows.
  CheckedPieces m_pieces;
  CheckedCounts m_counts;
  CheckedEscapes m_escapes;
  std::uint64_t m_marks = 0;
  bool m_ended          = false;
};

}  // namespace Impl

}  // namespace KokkosArena

#endif
