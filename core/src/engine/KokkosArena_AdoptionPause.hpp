// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_ADOPTIONPAUSE_HPP
#define KOKKOSARENA_ENGINE_ADOPTIONPAUSE_HPP

namespace KokkosArena::Impl {

/// \brief While it exists, nothing is adopted that this thread allocates. For
/// what an arena allocates upstream: its lock is held then, and a block within
/// another arena's block couldn't be told from it by address. They nest.
class AdoptionPause {
 public:
  AdoptionPause() noexcept;
  AdoptionPause(AdoptionPause const&)            = delete;
  AdoptionPause& operator=(AdoptionPause const&) = delete;
  ~AdoptionPause();

  /// \return Whether there is one on this thread.
  static bool is_on() noexcept;
};

}  // namespace KokkosArena::Impl

#endif
