// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_SYNCPOLICY_HPP
#define KOKKOSARENA_SYNCPOLICY_HPP

#include <KokkosArena_Error.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <type_traits>

namespace KokkosArena {

/// \brief Sync policy: one thread at a time uses the arena and the Views from
/// it. It may be handed from thread to thread, if the program orders what they
/// do. Otherwise the behaviour is undefined; where the library is built with
/// the CMake option \c KokkosArena_ENABLE_DEBUG, two threads that enter the
/// arena at once abort the program with the arena's label.
struct Unsynchronized {
#if defined(KOKKOSARENA_ENABLE_DEBUG)
  /// A BasicLockable that must not be locked twice.
  class mutex_type {
   public:
    /// \param[in] label  The arena's, for the message; kept by reference.
    void protect(std::string const& label) noexcept { m_label = &label; }
    void lock() {
      // relaxed, both: a thread that the arena was handed to sees what the one
      // before it stored, and the others are the error.
      if (m_locked.exchange(true, std::memory_order_relaxed)) {
        Impl::abort(
            "arena \"" + *m_label +
            "\" is Unsynchronized, and was entered while another call on it "
            "was running; let one thread at a time use it, make it "
            "Locked or ThreadCached, or give each thread an arena of its own");
      }
    }
    void unlock() noexcept { m_locked.store(false, std::memory_order_relaxed); }

   private:
    std::atomic<bool> m_locked{false};
    std::string const* m_label = nullptr;
  };
#else
  /// A BasicLockable that does nothing.
  struct mutex_type {
    void lock() noexcept {}
    void unlock() noexcept {}
  };
#endif
};

/// \brief Sync policy: any thread may allocate, free and read statistics; one
/// lock, held for the few instructions of a bump; longer only where a block is
/// taken or given back.
struct Locked {
  /// A BasicLockable that spins, since it is held for nanoseconds, and yields
  /// after a while, since its holder may have lost its core.
  class mutex_type {
   public:
    void lock() noexcept {
      // acquire pairs with the release of unlock(): what the last holder wrote
      // is seen. The first exchange is all that an uncontended lock costs.
      while (m_locked.exchange(true, std::memory_order_acquire)) {
        for (int spins = 0;
             // relaxed: only a hint; the exchange above is what synchronises.
             m_locked.load(std::memory_order_relaxed); ++spins) {
          if (spins >= 64) {
            std::this_thread::yield();
            spins = 0;
          }
        }
      }
    }
    bool try_lock() noexcept {
      // acquire as above.
      return !m_locked.exchange(true, std::memory_order_acquire);
    }
    void unlock() noexcept { m_locked.store(false, std::memory_order_release); }

   private:
    std::atomic<bool> m_locked{false};
  };
};

/// \brief Sync policy, the default: any thread may do anything, as with Locked;
/// and each thread bumps in a chunk of its own, without a lock and without an
/// instruction that others could slow down.
///
/// A chunk is a piece of the arena's block, of 256 KiB at most and an eighth of
/// the block's room. Requests of more than 8 KiB, or for which there is no room
/// for a chunk, are served under the lock. What another thread gives back is
/// used again when the chunk's owner needs room. Chunks are called in when the
/// arena would have to grow or to refuse, by \c release and by \c statistics;
/// the one of the caller also by \c reset. That takes chunks from other threads
/// with a system call that interrupts them for a moment (Linux: membarrier);
/// where the system has none, all is served under the lock. So does a raw
/// \c Arena::deallocate on another thread than the one that allocated.
struct ThreadCached {
  using mutex_type = Locked::mutex_type;
};

/// One of the three: \c Locked, \c ThreadCached, \c Unsynchronized.
template <class T>
concept SyncPolicy =
    std::is_same_v<T, Locked> || std::is_same_v<T, ThreadCached> ||
    std::is_same_v<T, Unsynchronized>;

}  // namespace KokkosArena

#endif
