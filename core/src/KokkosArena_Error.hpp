// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ERROR_HPP
#define KOKKOSARENA_ERROR_HPP

#include <new>
#include <stdexcept>
#include <string>

namespace KokkosArena {

/// \brief An arena can't give the bytes asked for; it is left as it was. The
/// message names the View, the arena, the bytes asked for, used and available,
/// and the remedy. Its copies don't throw.
///
/// A fallback that is to work for HostSpace Views as well has to catch
/// std::exception, or also std::runtime_error, which is what Kokkos throws
/// where HostSpace has no memory: what derives from both could no longer be
/// caught as std::exception.
class ArenaExhausted : public std::bad_alloc {
 public:
  explicit ArenaExhausted(std::string const& message) : m_message(message) {}
  char const* what() const noexcept override;

 private:
  std::runtime_error
      m_message;  // copies without throwing, as an exception has to
};

/// \brief An element of a View was accessed after its arena had dropped the
/// View's memory. The message names the View, its extents, the arena, the
/// cycles in which it was made and dropped, and where the program did that.
/// Nothing was read or written.
class InvalidViewAccess : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  char const* what() const noexcept override;
};

namespace Impl {

/// Writes the message to stderr and ends the program by std::abort().
[[noreturn]] void abort(std::string const& message);

}  // namespace Impl

}  // namespace KokkosArena

#endif
