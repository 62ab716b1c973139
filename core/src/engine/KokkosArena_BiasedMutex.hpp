// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_BIASEDMUTEX_HPP
#define KOKKOSARENA_ENGINE_BIASEDMUTEX_HPP

#include <atomic>
#include <thread>

namespace KokkosArena::Impl {

/// \return Whether the system has heavy_fence(): Linux with membarrier(2).
bool has_heavy_fence() noexcept;

/// \brief After it, each thread of the process has run a full fence since it
/// began. \pre has_heavy_fence(). Cost: a system call, and an interruption of
/// each running thread.
void heavy_fence() noexcept;

/// \brief A lock that belongs to one thread, which takes it without a locked
/// instruction. The others take it rarely, one at a time, and at the cost of
/// an interruption of all threads.
///
/// It is Dekker's algorithm: each side says that it wants in, and then looks
/// whether the other does. Between the two there has to be a full fence, on
/// both sides. The owner's is the heavy_fence() that the other side runs: the
/// owner passes it either after it has said that it wants in, which the other
/// side then sees, or before, and then its look finds the other's request.
/// (Asymmetric fences: Goldblatt, P1202.)
class BiasedMutex {
 public:
  /// \pre On the owner's thread.
  /// \return Whether the owner has it. If not, somebody has asked for the
  /// owner's attention: see there.
  bool try_lock() noexcept {
    // relaxed: ordered before the load below by the heavy fence, and here only
    // against the compiler.
    m_busy.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    // acquire pairs with the release in set(): what others did to the data is
    // seen.
    if (m_attention.load(std::memory_order_acquire) == 0) [[likely]]
      return true;
    unlock();
    return false;
  }
  /// release pairs with the acquire in wait(): who waits sees all that the
  /// owner has done to the data.
  void unlock() noexcept { m_busy.store(false, std::memory_order_release); }

  // The other side. All of it, and attend(), under one ordinary lock that the
  // owner takes too when try_lock() fails.

  /// \brief try_lock() fails from now on, until attend().
  void ask_for_attention() noexcept { set(m_attention_value | asked); }
  /// \brief The owner has done what it was asked for.
  void attend() noexcept { set(m_attention_value & ~asked); }

  /// \brief Asks the owner to stay out; wait() before using the data, and run
  /// one heavy_fence() between the two, for any number of locks.
  void revoke() noexcept { set(m_attention_value | revoked); }
  void wait() const noexcept {
    for (int spins = 0; m_busy.load(std::memory_order_acquire); ++spins) {
      // It may have lost its core.
      if (spins >= 64) std::this_thread::yield();
    }
  }
  void resume() noexcept { set(m_attention_value & ~revoked); }

 private:
  static constexpr unsigned asked   = 1;
  static constexpr unsigned revoked = 2;

  void set(unsigned value) noexcept {
    m_attention_value = value;
    m_attention.store(value, std::memory_order_release);
  }

  std::atomic<bool> m_busy{false};
  std::atomic<unsigned> m_attention{0};
  unsigned m_attention_value = 0;  ///< The same, for those with the lock.
};

}  // namespace KokkosArena::Impl

#endif
