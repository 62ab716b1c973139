// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDSTORE_HPP
#define KOKKOSARENA_ENGINE_CHECKEDSTORE_HPP

#include <KokkosArena_EscapePolicy.hpp>
#include <KokkosArena_GrowthPolicy.hpp>
#include <KokkosArena_Statistics.hpp>
#include <engine/KokkosArena_ArenaTrace.hpp>
#include <engine/KokkosArena_Block.hpp>
#include <engine/KokkosArena_CheckedAddresses.hpp>
#include <engine/KokkosArena_Fork.hpp>

#include <array>
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

/// What has made memory invalid.
struct CheckedDrop {
  char const* operation;       ///< As in "reset()".
  std::source_location where;  ///< Line 0: unknown.
};

/// Addresses with pages behind them.
struct CheckedWindow {
  std::uintptr_t begin = 0;
  std::size_t bytes    = 0;
};

/// \brief A window, and what has been made in it by one frame between two
/// marks, so that a frame or a rewind drops whole windows.
struct CheckedPiece {
  CheckedWindow window;  ///< Empty if the memory is the arena's own.
  Block block{granule, 0};
  std::uint64_t frame = 0;  ///< The one that it is of; 0: none.
  std::uint64_t marks = 0;  ///< How many there had been.
  std::uint64_t epoch = 0;  ///< Of the arena, when its first View was made.
  std::uint64_t cycle = 0;
  std::size_t live    = 0;
  /// By address, without overlaps; also those that were given back, until their
  /// bytes are used again.
  std::vector<CheckedAllocation*> ledger;

  bool dropped                = false;
  std::uint64_t dropped_cycle = 0;
  std::uint64_t drop_number   = 0;  ///< Of the store's drops.
  CheckedDrop drop{};
};

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

  // Of an address, only one store has what isn't dropped, but others may have
  // had it before the addresses came round: they are asked for what is dropped
  // later.

  /// \brief Writes what is known of an invalid address. \return Whether
  /// anything is. No heap memory is taken.
  bool describe(void const* address, bool dropped, char* text,
                std::size_t size) noexcept;
  /// \return The live allocation with that address, or null.
  CheckedAllocation* find(void const* address, bool dropped) noexcept;

  ~CheckedStore();

 private:
  using Guard = std::lock_guard<std::recursive_mutex>;

  bool try_enter() noexcept override;
  void leave_in_parent() noexcept override;
  void leave_in_child() noexcept override;

  template <class Predicate>
  std::vector<EscapedView> drop_if(Predicate const& is_dropped,
                                   CheckedDrop const& drop,
                                   bool keep_windows) noexcept;
  void retire() noexcept;
  void report_only(std::vector<EscapedView> views,
                   CheckedDrop const& drop) noexcept;
  void report(std::vector<EscapedView> views, CheckedDrop const& drop,
              bool may_throw);
  void start_cycle(CheckedDrop const& drop, bool keep_windows);
  std::uintptr_t take(std::size_t bytes, std::size_t alignment,
                      char const* label, std::uint64_t frame,
                      CheckedPiece*& piece);
  CheckedPiece& new_piece(std::uint64_t frame);
  struct Pieces {
    std::size_t count;
    std::size_t most;
    std::uint64_t acquired;
  };
  void give_back_fresh_piece(Pieces const& before) noexcept;
  CheckedWindow acquire(std::size_t needed, std::size_t held,
                        std::string& failure);
  bool renew(CheckedWindow& window) noexcept;
  void release(CheckedWindow const& window) noexcept;
  CheckedAllocation& enter(CheckedPiece& piece, std::uintptr_t begin,
                           std::size_t bytes);
  void trace_levels() noexcept;
  void trim_history() noexcept;
  void note_peaks() noexcept;
  std::size_t used() const noexcept;
  std::size_t capacity() const noexcept;
  void describe(CheckedPiece const& piece, void const* address, char* text,
                std::size_t size) const noexcept;
  void describe_all(CheckedPiece const& piece) const noexcept;
  /// \param[in] failure  What the system lacked; empty: it wasn't asked.
  /// \param[in] remedy   Empty: the usual one.
  [[noreturn]] void exhausted(std::size_t bytes, char const* label,
                              std::string const& failure,
                              char const* remedy = "") const;

  Core& m_core;  ///< Valid while there is an Arena or memory of its own.
  std::string const m_label;
  std::size_t const m_maximum_bytes;
  EscapePolicy const m_policy;
  bool const m_guard_pages;
  bool const m_huge_pages;
  CheckedMemory* const m_memory;  ///< Null: the arena's own.
  std::unique_ptr<ArenaTrace> m_trace;
  bool const m_is_special;  ///< Each View has guard pages or is traced.
  GrowthPolicy m_growth;

  mutable std::recursive_mutex m_mutex;
  std::vector<std::unique_ptr<CheckedPiece>> m_pieces;
  std::vector<std::unique_ptr<CheckedPiece>> m_history;  ///< Oldest first.
  std::vector<std::unique_ptr<CheckedPiece>> m_free_pieces;
  std::vector<std::unique_ptr<CheckedAllocation>> m_allocations;
  std::vector<CheckedAllocation*> m_free_allocations;
  std::vector<CheckedWindow> m_spares;
  std::vector<EscapedView> m_escapes;

  std::uint64_t m_drops     = 0;  ///< Those that dropped anything.
  std::uint64_t m_marks     = 0;
  bool m_ended              = false;
  bool m_has_overflown      = false;  ///< One window was too small for a frame.
  std::size_t m_most_pieces = 0;      ///< At once, in this cycle.
  std::uint64_t m_live_allocations  = 0;  ///< Those dropped included.
  std::uint64_t m_valid_allocations = 0;
  std::uint64_t m_valid_bytes       = 0;
  std::uint64_t m_total_allocations = 0;
  std::uint64_t m_escaped           = 0;
  std::size_t m_cycle_peak          = 0;
  std::uint64_t m_peak              = 0;
  std::uint64_t m_peak_live         = 0;
  std::uint64_t m_acquired          = 0;
  std::uint64_t m_acquired_bytes    = 0;
};

/// \return The allocation of any store that is alive at the address, or null.
CheckedAllocation* find_checked_allocation(void const* address) noexcept;

/// \brief Writes what any store knows of an invalid address.
void describe_checked_address(void const* address, char* text,
                              std::size_t size) noexcept;

}  // namespace Impl

}  // namespace KokkosArena

#endif
