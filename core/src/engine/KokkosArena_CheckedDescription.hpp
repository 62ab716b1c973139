// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDDESCRIPTION_HPP
#define KOKKOSARENA_ENGINE_CHECKEDDESCRIPTION_HPP

#include <cstddef>
#include <string>

namespace KokkosArena::Impl {

class CheckedMemory;
struct CheckedPiece;

// What is said of an access to an invalid address. No heap memory is taken: it
// may be in a signal handler. What doesn't fit is left out.

/// \pre The address is in the piece's window, or null: somewhere in it.
void describe_access(CheckedPiece const& piece, std::string const& arena,
                     void const* address, char* text,
                     std::size_t size) noexcept;

/// \brief For an address of which nothing is known any more.
void describe_forgotten_access(void const* address, char* text,
                               std::size_t size) noexcept;

/// \brief Tells the memory what is known of a piece that was dropped: of its
/// first Views, those that are alive first, and of the rest.
void describe_all(CheckedPiece const& piece, std::string const& arena,
                  CheckedMemory& memory) noexcept;

}  // namespace KokkosArena::Impl

#endif
