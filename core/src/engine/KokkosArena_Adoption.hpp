// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_ADOPTION_HPP
#define KOKKOSARENA_ENGINE_ADOPTION_HPP

#include <cstddef>
#include <cstdint>
#include <string>

/// \file
/// Which arena serves the operator new that Views of plain host memory come
/// from. KokkosArena_AdoptionOperators.cpp replaces it, and is in no library
/// but those that are made for that.

namespace KokkosArena::Impl {

class Core;

/// What the operators do with a request.
struct Adoption {
  Core* core;                   ///< Null: all is left to malloc.
  std::size_t threshold_bytes;  ///< Smaller ones are left to malloc.
  char const* name;             ///< Of what is adopted, in messages and traces.
};

/// \return What holds for the calling thread, of its own or of all, or null.
Adoption const* current_adoption() noexcept;
/// \return What it has of its own, or null.
Adoption const* thread_adoption() noexcept;
/// \param[in] adoption  Stays as it is as long as it holds, or null.
void set_thread_adoption(Adoption const* adoption) noexcept;

/// \brief Says what holds for each thread that has nothing of its own.
/// Threads: any; for other threads at some later time.
void set_process_adoption(Adoption const* adoption) noexcept;

/// \return How often this thread has been asked for memory while something
/// held for it: grows, if the operators are the ones that are called.
std::uint32_t adoption_requests() noexcept;

/// \return The file of the program or library whose operator new the loader
/// finds before the one of this copy; empty if it finds none, so that who calls
/// another must have it inside, or hidden.
std::string other_operator();

}  // namespace KokkosArena::Impl

#endif
