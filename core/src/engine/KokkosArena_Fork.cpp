// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Fork.hpp"

#include "KokkosArena_Cancellation.hpp"

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <thread>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace KokkosArena::Impl {

namespace {

using Clock = std::chrono::steady_clock;

/// For one lock, before all are let go: who has it may wait for another of
/// them, or for the list's.
constexpr auto patience = std::chrono::milliseconds(20);
/// For all. Somebody may have called fork() with a lock held, from a callback;
/// that has to go on as well, and as before there were these handlers.
constexpr auto most_patience = std::chrono::seconds(10);
constexpr auto pause         = std::chrono::milliseconds(1);

}  // namespace

struct ForkParticipant::List {
  static constexpr std::size_t ranks =
      static_cast<std::size_t>(ForkRank::file) + 1;

  std::mutex mutex;  // of all that follows
  ForkParticipant* first[ranks]{};

  void join(ForkParticipant& p) noexcept {
    std::lock_guard const guard(mutex);
    auto& head   = first[static_cast<std::size_t>(p.m_rank)];
    p.m_next     = head;
    p.m_previous = &head;
    if (head) head->m_previous = &p.m_next;
    head = &p;
  }
  void leave(ForkParticipant& p) noexcept {
    std::lock_guard const guard(mutex);
    *p.m_previous = p.m_next;
    if (p.m_next) p.m_next->m_previous = p.m_previous;
  }

  /// \brief Takes the list's lock and all others, or none.
  bool try_enter_all() noexcept {
    mutex.lock();
    for (auto* head : first) {
      for (auto* p = head; p; p = p->m_next) {
        if (enter(*p)) continue;
        for_all_up_to(p, [](ForkParticipant& q) { q.leave_in_parent(); });
        mutex.unlock();
        return false;
      }
    }
    return true;
  }
  /// \brief Calls f(participant) for those that come before \c end.
  template <class F>
  void for_all_up_to(ForkParticipant const* end, F const& f) noexcept {
    for (auto* head : first) {
      for (auto* p = head; p; p = p->m_next) {
        if (p == end) return;
        f(*p);
      }
    }
  }

 private:
  static bool enter(ForkParticipant& p) noexcept {
    if (p.try_enter()) return true;
    auto const end = Clock::now() + patience;
    do {
      std::this_thread::yield();
      if (p.try_enter()) return true;
    } while (Clock::now() < end);
    return false;
  }
};

constinit ForkParticipant::List ForkParticipant::s_list;

namespace {

/// Of the thread that forks, which runs all three handlers.
constinit thread_local bool t_has_all = false;

}  // namespace

class ForkParticipant::Handlers {
 public:
  static bool install() noexcept {
#if defined(__unix__) || defined(__APPLE__)
    return pthread_atfork(&prepare, &go_on_in_parent, &go_on_in_child) == 0;
#else
    return false;
#endif
  }

 private:
  static void prepare() noexcept {
    CancellationOff const off;
    auto const end = Clock::now() + most_patience;
    while (!(t_has_all = s_list.try_enter_all())) {
      if (Clock::now() > end) {
        std::fputs(
            "KokkosArena: a lock that is never let go keeps a fork waiting; it "
            "goes on, but the child must not use arenas\n",
            stderr);
        return;
      }
      // Others get the list's lock, for which they may have been waiting.
      std::this_thread::sleep_for(pause);
    }
  }
  static void go_on_in_parent() noexcept {
    if (!t_has_all) return;
    s_list.for_all_up_to(nullptr,
                         [](ForkParticipant& p) { p.leave_in_parent(); });
    t_has_all = false;
    s_list.mutex.unlock();
  }
  static void go_on_in_child() noexcept {
    if (!t_has_all) return;
    s_list.for_all_up_to(nullptr,
                         [](ForkParticipant& p) { p.leave_in_child(); });
    t_has_all = false;
    s_list.mutex.unlock();
  }

  /// When the library is loaded, so that no thread is in the middle of it.
  static bool const s_are_installed;
};

bool const ForkParticipant::Handlers::s_are_installed = install();

void ForkParticipant::join() noexcept { s_list.join(*this); }
void ForkParticipant::leave() noexcept { s_list.leave(*this); }

}  // namespace KokkosArena::Impl
