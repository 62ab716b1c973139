// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTTOOLS_HPP
#define KOKKOSARENA_TESTTOOLS_HPP

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace KokkosArenaTest {

/// What Kokkos tells a tool about memory and fences while this object exists,
/// from any thread; to be read when no other thread is at it.
class ToolsObserver {
 public:
  struct Event {
    bool is_allocation;
    std::string space;
    std::string label;
    void const* address;
    std::uint64_t bytes;
  };

  ToolsObserver() : m_outer(Kokkos::Tools::Experimental::get_callbacks()) {
    namespace Experimental = Kokkos::Tools::Experimental;
    s_current              = this;
    Experimental::set_allocate_data_callback(
        [](Kokkos_Profiling_SpaceHandle space, char const* label,
           void const* address, std::uint64_t bytes) {
          std::lock_guard const guard(s_current->m_mutex);
          s_current->m_events.push_back(
              {true, space.name, label, address, bytes});
        });
    Experimental::set_deallocate_data_callback(
        [](Kokkos_Profiling_SpaceHandle space, char const* label,
           void const* address, std::uint64_t bytes) {
          std::lock_guard const guard(s_current->m_mutex);
          s_current->m_events.push_back(
              {false, space.name, label, address, bytes});
        });
    Experimental::set_begin_fence_callback(
        [](char const* name, std::uint32_t, std::uint64_t*) {
          std::lock_guard const guard(s_current->m_mutex);
          s_current->m_fences.emplace_back(name);
        });
  }
  ~ToolsObserver() {
    Kokkos::Tools::Experimental::set_callbacks(m_outer);
    s_current = nullptr;
  }
  ToolsObserver(ToolsObserver const&)            = delete;
  ToolsObserver& operator=(ToolsObserver const&) = delete;

  std::vector<Event> const& events() const { return m_events; }
  std::vector<std::string> const& fences() const { return m_fences; }

  std::vector<Event> events_labelled(std::string const& label) const {
    std::vector<Event> result;
    for (auto const& event : m_events) {
      if (event.label == label) result.push_back(event);
    }
    return result;
  }

  /// Of allocations in the space that were not given back again.
  std::uint64_t live_bytes(std::string const& space) const {
    std::uint64_t sum = 0;
    for (auto const& event : m_events) {
      if (event.space != space) continue;
      sum += event.is_allocation ? event.bytes : -event.bytes;
    }
    return sum;
  }

  void forget() {
    m_events.clear();
    m_fences.clear();
  }

 private:
  static inline ToolsObserver* s_current = nullptr;

  Kokkos::Tools::Experimental::EventSet m_outer;
  std::mutex m_mutex;
  std::vector<Event> m_events;
  std::vector<std::string> m_fences;
};

}  // namespace KokkosArenaTest

#endif
