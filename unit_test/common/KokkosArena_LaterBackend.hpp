// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_LATERBACKEND_HPP
#define KOKKOSARENA_LATERBACKEND_HPP

#include <KokkosArena.hpp>

#include <Kokkos_Core.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace KokkosArenaTest {

/// \brief Stands in for a device: "kernels" are functions that run later, on a
/// thread of the instance, in the order in which the instance got them. It can
/// be held, so that nothing runs until it is let go or somebody waits for it.
class Later {
  class Queue;

 public:
  using execution_space      = Later;
  using memory_space         = Kokkos::HostSpace;
  using device_type          = Kokkos::Device<Later, memory_space>;
  using array_layout         = Kokkos::LayoutRight;
  using size_type            = std::size_t;
  using scratch_memory_space = Kokkos::ScratchMemorySpace<Later>;

  /// The default instance; \c fresh() makes others.
  Later() : m_queue(default_queue()) {}
  static Later fresh();

  void submit(std::function<void()> kernel) const;
  void hold() const;
  void let_go() const;
  void fence(std::string const& = "") const;
  friend bool operator==(Later const& a, Later const& b) {
    return a.m_queue == b.m_queue;
  }
  static constexpr char const* name() { return "Later"; }
  int concurrency() const { return 1; }

  // Of all instances.
  static std::atomic<int>& fences() {
    static std::atomic<int> count{0};
    return count;
  }
  static std::atomic<int>& events() {
    static std::atomic<int> count{0};
    return count;
  }

  /// For the backend: a point in the queue.
  class Event {
   public:
    explicit Event(Later const& instance)
        : m_queue(instance.m_queue), m_state(std::make_shared<State>()) {
      ++events();
      instance.submit([state = m_state] { state->pass(); });
    }
    bool has_passed() const { return m_state->passed.load(); }
    void wait() const;
    /// The waiting instance's thread waits, and nobody else.
    void let_wait(Later const& instance) const {
      instance.submit([state = m_state] { state->wait(); });
    }

   private:
    struct State {
      void pass() {
        std::lock_guard const guard(mutex);
        passed = true;
        changed.notify_all();
      }
      void wait() {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return passed.load(); });
      }
      std::mutex mutex;
      std::condition_variable changed;
      std::atomic<bool> passed{false};
    };
    std::shared_ptr<Queue> m_queue;
    std::shared_ptr<State> m_state;
  };

 private:
  explicit Later(std::shared_ptr<Queue> queue) : m_queue(std::move(queue)) {}

  static std::shared_ptr<Queue> const& default_queue();

  std::shared_ptr<Queue> m_queue;
};

class Later::Queue {
 public:
  Queue() : m_thread([this] { run(); }) {}
  ~Queue() {
    set_held(false);
    {
      std::lock_guard const guard(m_mutex);
      m_ends = true;
      m_changed.notify_all();
    }
    m_thread.join();
  }
  void submit(std::function<void()> kernel) {
    std::lock_guard const guard(m_mutex);
    m_kernels.push_back(std::move(kernel));
    m_changed.notify_all();
  }
  void set_held(bool held) {
    std::lock_guard const guard(m_mutex);
    m_held = held;
    m_changed.notify_all();
  }
  void wait_until_idle() {
    std::unique_lock lock(m_mutex);
    m_held = false;
    m_changed.notify_all();
    m_changed.wait(lock, [&] { return m_kernels.empty() && !m_runs; });
  }

 private:
  void run() {
    std::unique_lock lock(m_mutex);
    for (;;) {
      m_changed.wait(lock,
                     [&] { return m_ends || (!m_held && !m_kernels.empty()); });
      if (m_kernels.empty()) return;
      auto const kernel = std::move(m_kernels.front());
      m_kernels.pop_front();
      m_runs = true;
      lock.unlock();
      kernel();
      lock.lock();
      m_runs = false;
      m_changed.notify_all();
    }
  }

  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<std::function<void()>> m_kernels;
  bool m_held = false;
  bool m_runs = false;
  bool m_ends = false;
  std::thread m_thread;  // last: it uses the others
};

inline Later Later::fresh() { return Later(std::make_shared<Queue>()); }
inline std::shared_ptr<Later::Queue> const& Later::default_queue() {
  static auto const queue = std::make_shared<Queue>();
  return queue;
}
inline void Later::submit(std::function<void()> kernel) const {
  m_queue->submit(std::move(kernel));
}
inline void Later::hold() const { m_queue->set_held(true); }
inline void Later::let_go() const { m_queue->set_held(false); }
inline void Later::fence(std::string const&) const {
  ++fences();
  m_queue->wait_until_idle();
}
inline void Later::Event::wait() const {
  m_queue->set_held(false);
  m_state->wait();
}

/// What an arena of the stand-in over some memory is named by.
template <class MemorySpace>
struct LaterOver {
  using execution_space = Later;
  using memory_space    = MemorySpace;
};

}  // namespace KokkosArenaTest

namespace KokkosArena::Impl {

template <>
struct AsyncBackend<KokkosArenaTest::Later> {
  using Later      = KokkosArenaTest::Later;
  using event_type = Later::Event;

  static event_type record(Later const& instance) {
    return event_type(instance);
  }
  static bool has_passed(event_type const& event) noexcept {
    return event.has_passed();
  }
  static void wait(event_type const& event) noexcept { event.wait(); }
  static void let_wait(Later const& instance, event_type const& event) {
    event.let_wait(instance);
  }
  template <class>
  static constexpr bool has_ordered_memory = false;
  template <class>
  static void zero(Later const& instance, void* address, std::size_t bytes) {
    instance.submit([=] { std::memset(address, 0, bytes); });
  }
  template <class>
  static void read(Later const& instance, void* destination, void const* source,
                   std::size_t bytes) {
    instance.submit([=] { std::memcpy(destination, source, bytes); });
    instance.fence("KokkosArena: before the host reads a copy");
  }
};

}  // namespace KokkosArena::Impl

#endif
