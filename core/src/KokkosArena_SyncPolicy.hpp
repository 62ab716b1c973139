// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_SYNCPOLICY_HPP
#define KOKKOSARENA_SYNCPOLICY_HPP

#include <KokkosArena_Error.hpp>

#include <atomic>
#include <string>
#include <thread>

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
    void unlock() noexcept { m_locked.store(false, std::memory_order_release); }

   private:
    std::atomic<bool> m_locked{false};
  };
};

/// \brief Sync policy: as Locked, and small requests come from a chunk that
/// the calling thread has for itself, without a lock.
struct ThreadCached {
  using mutex_type = Locked::mutex_type;
};

}  // namespace KokkosArena

#endif
