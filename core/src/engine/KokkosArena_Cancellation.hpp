// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CANCELLATION_HPP
#define KOKKOSARENA_ENGINE_CANCELLATION_HPP

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace KokkosArena::Impl {

/// \brief While it exists, the thread isn't cancelled (pthread_cancel).
///
/// Whatever reads or writes a file may be where a thread ends that was
/// cancelled; by an exception, so that below a noexcept function or a
/// destructor the program ends, and a file written in part is as good as none.
/// So all that the library writes, it writes with this. A request that comes
/// meanwhile is left to the program's own next call of that kind.
class CancellationOff {
 public:
#if (defined(__unix__) || defined(__APPLE__)) && !defined(__ANDROID__)
  CancellationOff() noexcept {
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &m_previous);
  }
  ~CancellationOff() { pthread_setcancelstate(m_previous, &m_previous); }

 private:
  int m_previous = 0;

 public:
#else
  CancellationOff() noexcept {}
  ~CancellationOff() {}
#endif
  CancellationOff(CancellationOff const&)            = delete;
  CancellationOff& operator=(CancellationOff const&) = delete;
};

}  // namespace KokkosArena::Impl

#endif
