// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A library for LD_PRELOAD and KOKKOS_TOOLS_LIBS: it replaces the operator new
// that Kokkos takes host memory from, and listens to Kokkos' events, so that a
// program has an adoption that knows nothing of it. It links no Kokkos.

#include "../KokkosArena_ArenaOptions.hpp"
#include "../KokkosArena_Statistics.hpp"
#include "../engine/KokkosArena_Adoption.hpp"
#include "../engine/KokkosArena_NeverDestroyed.hpp"
#include "../engine/KokkosArena_ThreadCachedCore.hpp"
#include "../engine/KokkosArena_Upstream.hpp"
#include "KokkosArena_AdoptedRegions.hpp"
#include "KokkosArena_NextTool.hpp"
#include "KokkosArena_PreloadMessage.hpp"
#include "KokkosArena_PreloadSettings.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <sstream>
#include <string>

#include <dlfcn.h>
#include <pthread.h>

namespace KokkosArena::Impl {

namespace {

using Arena = SynchronizedCore<ThreadCached>;

/// What there is for the program as long as it runs, and after.
class Preload {
 public:
  static Preload& instance() noexcept {
    static NeverDestroyed<Preload> const instance;
    return instance.get();
  }

  Preload() : m_settings(read_preload_settings()) {
    if (!m_settings.adopts()) return;
    ArenaOptions options;
    options.label = "kokkos-arena";
    m_arena =
        new Arena(std::move(options), std::make_unique<HostUpstream>(true));
    m_adoption = {.core            = m_arena,
                  .threshold_bytes = m_settings.threshold,
                  .name            = "HostSpace"};
    m_regions =
        std::make_unique<AdoptedRegions>(m_adoption, m_settings.regions);
    // relaxed: no other thread is there yet.
    m_is_active.store(true, std::memory_order_relaxed);
  }

  /// In this process, and until the end.
  bool is_active() const noexcept {
    // relaxed: changed only while there is one thread.
    return m_is_active.load(std::memory_order_relaxed);
  }
  AdoptedRegions& regions() noexcept { return *m_regions; }
  NextTool& next() noexcept { return m_next; }

  void begin_kokkos() {
    m_has_begun = true;
    if (!m_settings.next_tool.empty())
      m_next.load(m_settings.next_tool.c_str());
    if (is_active()) m_regions->begin_everywhere();
  }
  bool has_next() const noexcept { return !m_settings.next_tool.empty(); }

  void begin_cycle_if(char const* name) {
    if (m_settings.cycle.empty() || m_settings.cycle != name) return;
    m_arena->reset();
    m_arena->counts().note_cycle();
  }

  /// \brief Of a View in host memory, while something adopts: the operator must
  /// have been asked for it. Not of one alone, which may be of another arena.
  void check_effect() noexcept {
    // relaxed, all: counts for a message.
    if (adoption_requests() > 0) {
      m_has_effect.store(true, std::memory_order_relaxed);
    } else if (m_without_effect.fetch_add(1, std::memory_order_relaxed) == 99 &&
               !m_has_effect.load(std::memory_order_relaxed)) {
      tell_no_effect();
    }
  }

  void end_in_child() noexcept {
    m_is_active.store(false, std::memory_order_relaxed);
    AdoptedRegions::forget_in_child();
  }

  void end() {
    if (!is_active()) return;
    if (!m_has_begun) {
      tell(
          "nothing was adopted: no Kokkos was initialised in this process, or "
          "it doesn't load tools (another --kokkos-tools-libs, or a Kokkos "
          "without libdl). A program that this one starts is adopted with "
          "--children");
      return;
    }
    // relaxed: see above.
    auto const without = m_without_effect.load(std::memory_order_relaxed);
    if (without > 0 && without < 100 &&
        !m_has_effect.load(std::memory_order_relaxed)) {
      tell_no_effect();
    }
    for (auto const& pattern : m_regions->unmatched_patterns()) {
      tell("no region of the name \"%s\" was entered%s", pattern.c_str(),
           names_of_regions().c_str());
    }
    if (!m_settings.cycle.empty() && m_arena->statistics().resets == 0) {
      tell("no region or kernel of the name \"%s\" began: no cycle ended",
           m_settings.cycle.c_str());
    }
    if (m_settings.statistics) {
      std::ostringstream text;
      text << m_arena->statistics();
      tell("%s", text.str().c_str());
    }
  }

 private:
  std::string names_of_regions() const {
    auto const names = m_regions->region_names();
    if (names.empty()) return "; the program has none";
    std::string text = "; there were ";
    for (auto const& name : names) {
      text += (&name == names.data() ? "\"" : ", \"") + name + '"';
    }
    return text;
  }

  static void tell_no_effect() noexcept {
    // What is called where nobody has hidden it.
    auto* const wins =
        dlsym(RTLD_DEFAULT, "_ZnwmSt11align_val_tRKSt9nothrow_t");
    Dl_info winner{}, own{};
    if (wins && dladdr(wins, &winner) && dladdr(&s_own, &own) &&
        winner.dli_fbase != own.dli_fbase) {
      tell(
          "nothing is adopted, since the operator new of %s comes before this "
          "library's; leave it out, or let this library be loaded first",
          winner.dli_fname);
    } else {
      tell(
          "nothing is adopted, since Kokkos calls an operator new that can't "
          "be "
          "replaced from outside: the C++ library is linked statically with "
          "hidden symbols (-static-libstdc++, --exclude-libs), or LD_PRELOAD "
          "was ignored (a setuid or static program)");
    }
  }

  static constinit char s_own;

  PreloadSettings m_settings;
  Arena* m_arena = nullptr;  ///< Not owned: Views outlive everything.
  Adoption m_adoption{};
  std::unique_ptr<AdoptedRegions> m_regions;
  NextTool m_next;
  bool m_has_begun = false;
  std::atomic<bool> m_is_active{false};
  std::atomic<bool> m_has_effect{false};
  std::atomic<std::uint64_t> m_without_effect{0};
};

constinit char Preload::s_own = 0;

[[gnu::constructor]] void begin() {
  Preload::instance();
  pthread_atfork(nullptr, nullptr, [] { Preload::instance().end_in_child(); });
}

[[gnu::destructor]] void end() { Preload::instance().end(); }

/// For what is told of a kernel by the C interface.
template <class Next>
void begin_kernel(Next const& next, char const* name, std::uint32_t device,
                  std::uint64_t* kernel) {
  auto& preload = Preload::instance();
  if (preload.is_active()) {
    preload.begin_cycle_if(name);
    preload.regions().begin_kernel();
  }
  next(name, device, kernel);
}
template <class Next>
void end_kernel(Next const& next, std::uint64_t kernel) {
  auto& preload = Preload::instance();
  next(kernel);
  if (preload.is_active()) preload.regions().end_kernel();
}

NextTool const& next() noexcept { return Preload::instance().next(); }

}  // namespace

}  // namespace KokkosArena::Impl

using KokkosArena::Impl::begin_kernel;
using KokkosArena::Impl::end_kernel;
using KokkosArena::Impl::next;
using KokkosArena::Impl::Preload;
using Space = KokkosArena_SpaceHandle;

extern "C" {

// ------------------------------------------------- what the library listens to

void kokkosp_init_library(int sequence, std::uint64_t version,
                          std::uint32_t devices, KokkosArena_DeviceInfo* info) {
  Preload::instance().begin_kokkos();
  next().init_library(sequence, version, devices, info);
}

void kokkosp_request_tool_settings(std::uint32_t count,
                                   KokkosArena_ToolSettings* settings) {
  // Otherwise there would be a fence before each event, which is Kokkos' choice
  // for a tool that doesn't say.
  auto& preload = Preload::instance();
  if (!preload.has_next()) {
    if (count > 0) settings->requires_global_fencing = false;
  }
  next().request_tool_settings(count, settings);
}

void kokkosp_push_profile_region(char const* name) {
  auto& preload = Preload::instance();
  if (preload.is_active()) {
    preload.begin_cycle_if(name);
    preload.regions().push_region(name);
  }
  next().push_profile_region(name);
}

void kokkosp_pop_profile_region() {
  next().pop_profile_region();
  auto& preload = Preload::instance();
  if (preload.is_active()) preload.regions().pop_region();
}

void kokkosp_allocate_data(Space space, char const* label, void const* address,
                           std::uint64_t bytes) {
  auto& preload = Preload::instance();
  if (preload.is_active() && KokkosArena::Impl::AdoptedRegions::holds() &&
      std::strcmp(space.name, "Host") == 0) {
    preload.check_effect();
  }
  next().allocate_data(space, label, address, bytes);
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
void kokkosp_deallocate_data(Space space, char const* label,
                             void const* address, std::uint64_t bytes) {
  next().deallocate_data(space, label, address, bytes);
}
void kokkosp_begin_deep_copy(Space to, char const* to_label,
                             void const* to_address, Space from,
                             char const* from_label, void const* from_address,
                             std::uint64_t bytes) {
  next().begin_deep_copy(to, to_label, to_address, from, from_label,
                         from_address, bytes);
}
void kokkosp_end_deep_copy() { next().end_deep_copy(); }
void kokkosp_begin_fence(char const* name, std::uint32_t device,
                         std::uint64_t* fence) {
  next().begin_fence(name, device, fence);
}
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
