// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_NextTool.hpp"

#include "KokkosArena_PreloadMessage.hpp"

#include <dlfcn.h>

namespace KokkosArena::Impl {

bool NextTool::load(char const* library) {
  void* const handle = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
  if (!handle) {
    tell("the tool %s can't be loaded, and is left out: %s", library,
         dlerror());
    return false;
  }
  static constinit char own = 0;
  Dl_info tool{}, here{};
  if (auto* const init = dlsym(handle, "kokkosp_init_library");
      init && dladdr(init, &tool) != 0 && dladdr(&own, &here) != 0 &&
      tool.dli_fbase == here.dli_fbase) {
    return false;  // The command has been used twice.
  }
#define KOKKOSARENA_FIND(name) name.set(dlsym(handle, "kokkosp_" #name))
  KOKKOSARENA_FIND(init_library);
  KOKKOSARENA_FIND(finalize_library);
  KOKKOSARENA_FIND(parse_args);
  KOKKOSARENA_FIND(print_help);
  KOKKOSARENA_FIND(provide_tool_programming_interface);
  KOKKOSARENA_FIND(request_tool_settings);
  KOKKOSARENA_FIND(begin_parallel_for);
  KOKKOSARENA_FIND(begin_parallel_reduce);
  KOKKOSARENA_FIND(begin_parallel_scan);
  KOKKOSARENA_FIND(end_parallel_for);
  KOKKOSARENA_FIND(end_parallel_reduce);
  KOKKOSARENA_FIND(end_parallel_scan);
  KOKKOSARENA_FIND(begin_fence);
  KOKKOSARENA_FIND(end_fence);
  KOKKOSARENA_FIND(push_profile_region);
  KOKKOSARENA_FIND(pop_profile_region);
  KOKKOSARENA_FIND(allocate_data);
  KOKKOSARENA_FIND(deallocate_data);
  KOKKOSARENA_FIND(begin_deep_copy);
  KOKKOSARENA_FIND(end_deep_copy);
  KOKKOSARENA_FIND(create_profile_section);
  KOKKOSARENA_FIND(start_profile_section);
  KOKKOSARENA_FIND(stop_profile_section);
  KOKKOSARENA_FIND(destroy_profile_section);
  KOKKOSARENA_FIND(profile_event);
  KOKKOSARENA_FIND(dual_view_sync);
  KOKKOSARENA_FIND(dual_view_modify);
  KOKKOSARENA_FIND(declare_metadata);
#undef KOKKOSARENA_FIND
  return true;
}

}  // namespace KokkosArena::Impl
