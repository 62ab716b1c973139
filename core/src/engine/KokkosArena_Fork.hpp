// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_FORK_HPP
#define KOKKOSARENA_ENGINE_FORK_HPP

/// \file
/// What makes arenas usable in a child process that fork() has made, as malloc
/// makes the heap: while the process is copied, no thread is in the middle of a
/// change. All locks of the library are taken before, and let go after, in both
/// processes.

namespace KokkosArena::Impl {

/// In the order in which a fork takes them: who has one may wait for those that
/// come after it, never the other way round, but for stores, whose elements may
/// be anything.
enum class ForkRank { making, store, core, registry, file };

/// \brief Something with a lock, which a fork has to take. Private by
/// inheritance; what derives from it calls join() once it is whole and leave()
/// before it is less than that.
///
/// A lock that isn't to be had for a while is no deadlock: a fork lets all go
/// then, and begins again.
class ForkParticipant {
 public:
  /// \brief Takes the lock, if it is free, and waits until the data is whole.
  virtual bool try_enter() noexcept = 0;
  /// \brief Lets the lock go, on the thread that has called fork().
  virtual void leave_in_parent() noexcept = 0;
  /// \brief The same in the child, in which that thread is the only one.
  virtual void leave_in_child() noexcept = 0;

  ForkParticipant(ForkParticipant const&)            = delete;
  ForkParticipant& operator=(ForkParticipant const&) = delete;

 protected:
  explicit ForkParticipant(ForkRank rank) noexcept : m_rank(rank) {}
  ~ForkParticipant() = default;
  void join() noexcept;
  void leave() noexcept;

 private:
  struct List;
  class Handlers;
  static List s_list;

  ForkRank m_rank;
  ForkParticipant* m_next      = nullptr;
  ForkParticipant** m_previous = nullptr;  ///< What points to this.
};

/// \brief Of a mutex that needs nothing else. It doesn't end before the
/// program.
template <class Mutex>
class ForkLock final : private ForkParticipant {
 public:
  ForkLock(ForkRank rank, Mutex& mutex) noexcept
      : ForkParticipant(rank), m_mutex(mutex) {
    join();
  }

 private:
  bool try_enter() noexcept override { return m_mutex.try_lock(); }
  void leave_in_parent() noexcept override { m_mutex.unlock(); }
  void leave_in_child() noexcept override { m_mutex.unlock(); }

  Mutex& m_mutex;
};

}  // namespace KokkosArena::Impl

#endif
