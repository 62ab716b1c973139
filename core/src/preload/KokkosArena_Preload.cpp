// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A library for LD_PRELOAD and KOKKOS_TOOLS_LIBS: it replaces the operator new
// that Kokkos takes host memory from, and listens to Kokkos' events, so that a
// program has an adoption that knows nothing of it. It links no Kokkos.

#include "../engine/KokkosArena_NeverDestroyed.hpp"
#include "KokkosArena_Listener.hpp"
#include "KokkosArena_NextTool.hpp"
#include "KokkosArena_PreloadMessage.hpp"
#include "KokkosArena_PreloadSettings.hpp"
#include "KokkosArena_PreloadedAdoption.hpp"
#include "KokkosArena_PreloadedAdvice.hpp"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include <pthread.h>

namespace KokkosArena::Impl {

namespace {

/// What there is for the program as long as it runs, and after.
class Preload {
 public:
  static Preload& instance() noexcept {
    static NeverDestroyed<Preload> const instance;
    return instance.get();
  }

  Preload() : m_settings(read_preload_settings()) {}

  /// Kokkos has been initialised.
  void begin() {
    if (m_has_begun) return;
    m_has_begun = true;
    if (!m_settings.next_tool.empty()) {
      m_has_next = m_next.load(m_settings.next_tool.c_str());
    }
    if (m_settings.adopts()) {
      m_listener = std::make_unique<PreloadedAdoption>(m_settings);
    } else if (m_settings.advises) {
      m_listener = std::make_unique<PreloadedAdvice>(m_settings);
    }
    // release: who hears the first event may be another thread.
    m_is_listening.store(m_listener != nullptr, std::memory_order_release);
  }
  void end() {
    // relaxed, here and below: no thread waits to see it, and those that are in
    // the listener have its locks.
    m_is_listening.store(false, std::memory_order_relaxed);
    if (m_listener) {
      m_listener->end();
    } else if (!m_has_begun && !m_is_child &&
               (m_settings.adopts() || m_settings.advises) &&
               !m_settings.reaches_children) {
      tell(
          "nothing was done: no Kokkos was initialised in this process, or it "
          "doesn't load tools (another --kokkos-tools-libs, or a Kokkos "
          "without libdl). What this program starts is reached with "
          "--children");
    }
  }
  /// Before Kokkos has begun, a child may still be asked for.
  void end_in_child() noexcept {
    m_is_child = true;
    if (!m_has_begun && m_settings.reaches_children) return;
    m_settings.regions.clear();
    m_settings.advises = false;
    m_is_listening.store(false, std::memory_order_relaxed);
    // What there is stays, since it may be in use, and nobody will end it.
    if (auto* const listener = m_listener.release()) listener->end_in_child();
  }

  bool has_next() const noexcept { return m_has_next; }
  NextTool const& next() const noexcept { return m_next; }

  /// \brief Calls f(listener), if there is one.
  template <class F>
  void listen(F const& f) noexcept {
    if (!NextTool::is_called() &&
        m_is_listening.load(std::memory_order_acquire)) {
      f(*m_listener);
    }
  }

 private:
  PreloadSettings m_settings;
  std::unique_ptr<Listener> m_listener;
  NextTool m_next;
  bool m_has_begun = false;
  bool m_has_next  = false;
  bool m_is_child  = false;
  std::atomic<bool> m_is_listening{false};
};

[[gnu::constructor]] void begin() {
  remember_stderr();
  Preload::instance();
  std::at_quick_exit([] { Preload::instance().end(); });
  pthread_atfork(nullptr, nullptr, [] { Preload::instance().end_in_child(); });
}

[[gnu::destructor]] void end() { Preload::instance().end(); }

template <class F>
void listen(F const& f) noexcept {
  Preload::instance().listen(f);
}

// For what is told of a kernel by the C interface.

template <class Next>
void begin_kernel(Next const& next, char const* name, std::uint32_t device,
                  std::uint64_t* kernel) {
  listen([&](Listener& listener) { listener.begin_kernel(name); });
  next(name, device, kernel);
}
template <class Next>
void end_kernel(Next const& next, std::uint64_t kernel) {
  next(kernel);
  listen([](Listener& listener) { listener.end_kernel(); });
}

NextTool const& next() noexcept { return Preload::instance().next(); }

}  // namespace

}  // namespace KokkosArena::Impl

using KokkosArena::Impl::begin_kernel;
using KokkosArena::Impl::end_kernel;
using KokkosArena::Impl::listen;
using KokkosArena::Impl::Listener;
using KokkosArena::Impl::next;
using KokkosArena::Impl::Preload;
using Space = KokkosArena_SpaceHandle;

extern "C" {

// ------------------------------------------------- what the library listens to

void kokkosp_init_library(int sequence, std::uint64_t version,
                          std::uint32_t devices, KokkosArena_DeviceInfo* info) {
  Preload::instance().begin();
  next().init_library(sequence, version, devices, info);
}

void kokkosp_request_tool_settings(std::uint32_t count,
                                   KokkosArena_ToolSettings* settings) {
  // Otherwise there would be a fence before each event, which is Kokkos' choice
  // for a tool that doesn't say.
  if (!Preload::instance().has_next() && count > 0) {
    settings->requires_global_fencing = false;
  }
  next().request_tool_settings(count, settings);
}

void kokkosp_push_profile_region(char const* name) {
  listen([&](Listener& listener) { listener.push_region(name); });
  next().push_profile_region(name);
}

void kokkosp_pop_profile_region() {
  next().pop_profile_region();
  listen([](Listener& listener) { listener.pop_region(); });
}

void kokkosp_allocate_data(Space space, char const* label, void const* address,
                           std::uint64_t bytes) {
  listen([&](Listener& listener) {
    listener.allocated(space.name, label, address, bytes);
  });
  next().allocate_data(space, label, address, bytes);
}
void kokkosp_deallocate_data(Space space, char const* label,
                             void const* address, std::uint64_t bytes) {
  listen([&](Listener& listener) { listener.deallocated(address, bytes); });
  next().deallocate_data(space, label, address, bytes);
}
void kokkosp_begin_fence(char const* name, std::uint32_t device,
                         std::uint64_t* fence) {
  listen([&](Listener& listener) { listener.fence(name); });
  next().begin_fence(name, device, fence);
}

void kokkosp_begin_parallel_for(char const* name, std::uint32_t device,
                                std::uint64_t* kernel) {
  begin_kernel(next().begin_parallel_for, name, device, kernel);
}
void kokkosp_begin_parallel_reduce(char const* name, std::uint32_t device,
                                   std::uint64_t* kernel) {
  begin_kernel(next().begin_parallel_reduce, name, device, kernel);
}
void kokkosp_begin_parallel_scan(char const* name, std::uint32_t device,
                                 std::uint64_t* kernel) {
  begin_kernel(next().begin_parallel_scan, name, device, kernel);
}
void kokkosp_end_parallel_for(std::uint64_t kernel) {
  end_kernel(next().end_parallel_for, kernel);
}
void kokkosp_end_parallel_reduce(std::uint64_t kernel) {
  end_kernel(next().end_parallel_reduce, kernel);
}
void kokkosp_end_parallel_scan(std::uint64_t kernel) {
  end_kernel(next().end_parallel_scan, kernel);
}

// ------------------------------------------------------- what it only hands on

void kokkosp_finalize_library() { next().finalize_library(); }
void kokkosp_parse_args(int count, char** arguments) {
  next().parse_args(count, arguments);
}
void kokkosp_print_help(char* program) { next().print_help(program); }
void kokkosp_provide_tool_programming_interface(
    std::uint32_t count, KokkosArena_ToolActions actions) {
  next().provide_tool_programming_interface(count, actions);
}
void kokkosp_begin_deep_copy(Space to, char const* to_label,
                             void const* to_address, Space from,
                             char const* from_label, void const* from_address,
                             std::uint64_t bytes) {
  next().begin_deep_copy(to, to_label, to_address, from, from_label,
                         from_address, bytes);
}
void kokkosp_end_deep_copy() { next().end_deep_copy(); }
void kokkosp_end_fence(std::uint64_t fence) { next().end_fence(fence); }
void kokkosp_create_profile_section(char const* name, std::uint32_t* section) {
  next().create_profile_section(name, section);
}
void kokkosp_start_profile_section(std::uint32_t section) {
  next().start_profile_section(section);
}
void kokkosp_stop_profile_section(std::uint32_t section) {
  next().stop_profile_section(section);
}
void kokkosp_destroy_profile_section(std::uint32_t section) {
  next().destroy_profile_section(section);
}
void kokkosp_profile_event(char const* name) { next().profile_event(name); }
void kokkosp_dual_view_sync(char const* name, void const* address,
                            bool is_device) {
  next().dual_view_sync(name, address, is_device);
}
void kokkosp_dual_view_modify(char const* name, void const* address,
                              bool is_device) {
  next().dual_view_modify(name, address, is_device);
}
void kokkosp_declare_metadata(char const* key, char const* value) {
  next().declare_metadata(key, value);
}
}
