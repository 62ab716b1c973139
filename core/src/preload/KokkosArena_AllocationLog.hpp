// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_ALLOCATIONLOG_HPP
#define KOKKOSARENA_PRELOAD_ALLOCATIONLOG_HPP

#include "KokkosArena_Advice.hpp"
#include "KokkosArena_AllocationRecord.hpp"
#include "KokkosArena_LiveAllocations.hpp"
#include "KokkosArena_LiveTimeline.hpp"
#include "KokkosArena_LogSources.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace KokkosArena::Impl {

/// \brief Counts what a program allocates, by region and by label, and what
/// that costs it.
///
/// Page faults are read where a region begins or ends, but not more often than
/// each 100 us: those of short regions are counted in the one where a thread is
/// when it is asked. The thread that makes
/// the log, which is the one that starts kernels, has those of the whole
/// process counted for its region: in a parallel program most first touches
/// happen on workers, which are in no region. Other threads have their own
/// counted for theirs, and these are taken off again, so that each fault is
/// counted once.
///
/// Memory: regions and labels beyond some thousand names are counted with
/// others; the rest grows with the allocations that are alive at once.
///
/// Threads: any, for all but the constructor and finish(). One lock, held for
/// tens of ns, since deaths need what their maker's thread is in now. After a
/// fork the child's copy does nothing. Without heap memory an event is counted
/// as lost. Cost: two readings of the clock and some 60 ns for an allocation
/// and its end; up to four system calls for a region, if they aren't as short
/// as that.
class AllocationLog {
 public:
  static constexpr std::size_t most_regions = 4096;
  static constexpr std::size_t most_depth   = 64;
  static constexpr std::size_t most_frames  = 1024;  ///< Of a thread.
  static constexpr std::size_t most_labels  = 16384;
  static constexpr std::size_t most_spaces  = 64;

  /// \brief Measures the machine, and begins.
  /// \throws std::bad_alloc
  explicit AllocationLog() : AllocationLog(LogSources()) {}
  explicit AllocationLog(LogSources const& sources);
  AllocationLog(AllocationLog const&)            = delete;
  AllocationLog& operator=(AllocationLog const&) = delete;

  /// \brief The calling thread enters a region.
  void push_region(char const* name) noexcept;
  /// \brief It leaves the last one that it entered, if it is in one.
  void pop_region() noexcept;

  /// \brief A kernel begins.
  void kernel() noexcept;

  /// \brief Memory of a space has got an owner.
  void allocated(char const* space, char const* label, void const* address,
                 std::uint64_t bytes) noexcept;
  /// \brief Nothing but a count happens if nobody said that it was allocated.
  void deallocated(void const* address, std::uint64_t bytes) noexcept;

  void fence(char const* name) noexcept;

  /// \return Whether this is the process that made the log.
  bool is_own() const noexcept;

  /// \brief Ends the regions that are still open on the thread that made the
  /// log. What comes later isn't counted.
  /// \pre is_own(), and it hasn't been called before.
  /// \throws std::bad_alloc
  AllocationRecord finish_record();
  /// \brief The same, and what it means. \param[in] program  How the program is
  /// called in the commands that are proposed.
  Advice finish(std::string_view program = default_program) {
    return advise(finish_record(), program);
  }

 private:
  struct Usage {
    ThreadUsage thread;
    std::uint64_t process = 0;  ///< Faults; for the log's maker alone.
  };
  struct Frame {
    std::size_t region;
    std::uint64_t entry;
  };
  /// Of a thread that lives, or of the last one that had its slot.
  struct Thread {
    std::uint64_t owner = 0;
    std::uint64_t entry = 0;  ///< The last one, of all owners.
    std::vector<Frame> frames;
    std::uint64_t more_frames = 0;  ///< That are not kept.
    // When it last entered or left a region:
    std::uint64_t border_ns = 0;
    Usage border;
    std::uint64_t border_of_others = 0;

    std::size_t region() const noexcept {
      return frames.empty() ? 0 : frames.back().region;
    }
  };
  struct Children {
    std::map<std::string, std::size_t, std::less<>> regions;
    std::uint8_t series = 0;
    bool has_own_series = false;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Names =
      std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>>;

  template <class F>
  void change(F const& f) noexcept;
  Thread& this_thread(std::size_t slot);
  Usage read_usage() const noexcept;
  std::size_t child_of(std::size_t parent, std::string_view name);
  std::size_t number_of(Names& names, std::vector<RecordedLabel>& entries,
                        std::size_t most, std::string_view name);
  std::uint8_t series_of(std::size_t region, std::uint64_t bytes);
  std::optional<Usage> usage_if_due(std::uint64_t now) const noexcept;
  void settle(Thread& thread, std::uint64_t now,
              std::optional<Usage> const& usage) noexcept;
  void settle_usage(Thread& thread, Usage usage) noexcept;
  void end(LiveAllocation const& allocation, std::uint64_t now) noexcept;
  std::size_t region_since(LiveAllocation const& allocation) const noexcept;

  LogSources const m_sources;
  std::uint64_t const m_forks;
  std::uint64_t const m_driver;  ///< The thread that made the log.
  mutable std::mutex m_mutex;
  bool m_has_ended = false;
  AllocationRecord m_record;
  std::uint64_t m_begin_ns;
  std::uint64_t m_begin_faults;
  std::uint64_t m_begin_waiting;
  std::uint64_t m_faults_of_others = 0;  ///< Counted for other threads.
  std::vector<Children> m_children;      ///< By region.
  Names m_labels;
  Names m_spaces;
  std::vector<std::unique_ptr<Thread>> m_threads;  ///< By slot.
  LiveAllocations m_live;
  LiveTimeline m_timeline;
};

}  // namespace KokkosArena::Impl

#endif
