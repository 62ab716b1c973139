// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_SYNCHRONIZEDCORE_HPP
#define KOKKOSARENA_ENGINE_SYNCHRONIZEDCORE_HPP

#include <KokkosArena_SyncPolicy.hpp>
#include <engine/KokkosArena_Core.hpp>
#include <engine/KokkosArena_Fork.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace KokkosArena::Impl {

/// The core under a sync policy with a lock; for ThreadCached see
/// KokkosArena_ThreadCachedCore.hpp.
template <class Sync>
class SynchronizedCore final : public Core, private ForkParticipant {
 public:
  SynchronizedCore(ArenaOptions options, std::unique_ptr<Upstream> upstream)
      : Core(std::move(options), std::move(upstream)),
        ForkParticipant(ForkRank::core) {
    ForkParticipant::join();
    if constexpr (requires { m_mutex.protect(label()); }) {
      m_mutex.protect(label());
    }
  }

  void* allocate(std::size_t bytes, std::size_t alignment) {
    Guard const guard(m_mutex);
    return take_untracked(bytes, alignment);
  }
  void deallocate(void* address) {
    Guard const guard(m_mutex);
    give_back_untracked(address);
  }
  void* allocate_tracked(std::size_t bytes, std::size_t alignment,
                         char const* view_label) override {
    Guard const guard(m_mutex);
    return take_tracked(bytes, alignment, view_label);
  }
  void deallocate_tracked(void* address, std::size_t bytes) noexcept override {
    bool last;
    {
      Guard const guard(m_mutex);
      last = give_back_tracked(address, bytes);
    }
    if (last) delete this;
  }
  void reset() {
    Guard const guard(m_mutex);
    count_reset();
    record_cycle();
    drop_all(true);
  }
  void release() {
    Guard const guard(m_mutex);
    record_cycle();
    drop_all(false);
  }
  ArenaMark mark() override {
    Guard const guard(m_mutex);
    return end_epoch();
  }
  void rewind(ArenaMark mark) override {
    Guard const guard(m_mutex);
    rewind_to(mark);
  }
  ArenaStatistics statistics() {
    ArenaStatistics s;
    {
      Guard const guard(m_mutex);
      s           = read_statistics();
      s.survivors = named_survivors();
    }
    s.label = label();
    return s;
  }
  std::vector<EscapedView> survivors() {
    Guard const guard(m_mutex);
    return named_survivors();
  }
  /// The Arena's end. Views that are alive keep the core.
  void end() noexcept {
    bool last;
    {
      Guard const guard(m_mutex);
      last = end_arena();
    }
    if (last) delete this;
  }

 private:
  using Guard = std::lock_guard<typename Sync::mutex_type>;

  ~SynchronizedCore() override { ForkParticipant::leave(); }

  // Without a lock, it is for the program to see to it that no thread is using
  // the arena.
  static constexpr bool has_lock =
      requires(typename Sync::mutex_type& mutex) { mutex.try_lock(); };
  bool try_enter() noexcept override {
    if constexpr (has_lock) return m_mutex.try_lock();
    return true;
  }
  void leave_in_parent() noexcept override {
    if constexpr (has_lock) m_mutex.unlock();
  }
  void leave_in_child() noexcept override {
    leave_in_parent();
    forget_scopes_of_other_threads();
  }

  [[no_unique_address]] typename Sync::mutex_type m_mutex;
};

}  // namespace KokkosArena::Impl

#endif
