// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_ThreadEnd.hpp"

namespace KokkosArena::Impl {

namespace {

/// Without a destructor, so that it can be read to the very end.
constinit thread_local bool t_is_ending = false;

struct Watch {
  bool is_watching = true;
  Watch()          = default;
  ~Watch() { t_is_ending = true; }
};

}  // namespace

void watch_thread_end() noexcept {
  thread_local Watch watch;
  watch.is_watching = true;
}

bool thread_is_ending() noexcept { return t_is_ending; }

}  // namespace KokkosArena::Impl
