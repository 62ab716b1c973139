// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_NEXTTOOL_HPP
#define KOKKOSARENA_PRELOAD_NEXTTOOL_HPP

#include <cstddef>
#include <cstdint>
#include <utility>

/// \file
/// The C interface of Kokkos Tools, as far as it is needed to be one and to
/// hand everything on to another, as Kokkos 4.0 to 5.2 have it in their
/// Profiling_C_Interface.h.

extern "C" {

struct KokkosArena_DeviceInfo {
  std::size_t device;
};
struct KokkosArena_SpaceHandle {
  char name[64];
};
struct KokkosArena_ToolActions {
  void (*actions[32])();
};
struct KokkosArena_ToolSettings {
  bool requires_global_fencing;
  bool padding[255];
};
}

namespace KokkosArena::Impl {

/// A tool that calls its own functions by their names calls those of the
/// preloaded library, which come first.
inline constinit thread_local bool t_next_tool_is_called = false;

/// A function of the next tool, which may have none of that name.
template <class... Parameters>
class NextFunction {
 public:
  void set(void* address) noexcept {
    m_function = reinterpret_cast<void (*)(Parameters...)>(address);
  }
  explicit operator bool() const noexcept { return m_function; }
  void operator()(Parameters... arguments) const {
    if (!m_function) return;
    auto const outer = std::exchange(t_next_tool_is_called, true);
    m_function(arguments...);
    t_next_tool_is_called = outer;
  }

 private:
  void (*m_function)(Parameters...) = nullptr;
};

/// \brief The tool to which all events are handed on.
struct NextTool {
  using Space = KokkosArena_SpaceHandle;

  NextFunction<int, std::uint64_t, std::uint32_t, KokkosArena_DeviceInfo*>
      init_library;
  NextFunction<> finalize_library;
  NextFunction<int, char**> parse_args;
  NextFunction<char*> print_help;
  NextFunction<std::uint32_t, KokkosArena_ToolActions>
      provide_tool_programming_interface;
  NextFunction<std::uint32_t, KokkosArena_ToolSettings*> request_tool_settings;
  using Begin = NextFunction<char const*, std::uint32_t, std::uint64_t*>;
  using End   = NextFunction<std::uint64_t>;
  Begin begin_parallel_for, begin_parallel_reduce, begin_parallel_scan;
  End end_parallel_for, end_parallel_reduce, end_parallel_scan;
  Begin begin_fence;
  End end_fence;
  NextFunction<char const*> push_profile_region;
  NextFunction<> pop_profile_region;
  NextFunction<Space, char const*, void const*, std::uint64_t> allocate_data,
      deallocate_data;
  NextFunction<Space, char const*, void const*, Space, char const*, void const*,
               std::uint64_t>
      begin_deep_copy;
  NextFunction<> end_deep_copy;
  NextFunction<char const*, std::uint32_t*> create_profile_section;
  NextFunction<std::uint32_t> start_profile_section, stop_profile_section,
      destroy_profile_section;
  NextFunction<char const*> profile_event;
  NextFunction<char const*, void const*, bool> dual_view_sync, dual_view_modify;
  NextFunction<char const*, char const*> declare_metadata;

  /// \return Whether the calling thread is in the next tool.
  static bool is_called() noexcept { return t_next_tool_is_called; }

  /// \brief Loads the library.
  /// \return Whether that was possible; if not, the reason is on stderr.
  bool load(char const* library);
};

}  // namespace KokkosArena::Impl

#endif
