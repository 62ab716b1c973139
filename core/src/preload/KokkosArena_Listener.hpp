// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_LISTENER_HPP
#define KOKKOSARENA_PRELOAD_LISTENER_HPP

#include <cstdint>

namespace KokkosArena::Impl {

/// \brief What hears Kokkos' events, once that has been initialised: the way in
/// which the preloaded library has been asked for. Threads: any, each for its
/// own regions and kernels.
class Listener {
 public:
  Listener()                           = default;
  Listener(Listener const&)            = delete;
  Listener& operator=(Listener const&) = delete;
  virtual ~Listener()                  = default;

  /// The program ends by exit() or quick_exit().
  virtual void end() = 0;
  /// This is a child process, with one thread, and nothing is heard any more.
  virtual void end_in_child() noexcept = 0;

  virtual void push_region(char const* name)                         = 0;
  virtual void pop_region()                                          = 0;
  virtual void begin_kernel(char const* name)                        = 0;
  virtual void end_kernel()                                          = 0;
  virtual void allocated(char const* space, char const* label,
                         void const* address, std::uint64_t bytes)   = 0;
  virtual void deallocated(void const* address, std::uint64_t bytes) = 0;
  virtual void fence(char const* name)                               = 0;
};

}  // namespace KokkosArena::Impl

#endif
