// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_THREADEND_HPP
#define KOKKOSARENA_ENGINE_THREADEND_HPP

/// \file
/// Whether a thread is ending. std::exit() ends the thread-local objects of its
/// caller before anything else (C++20, [support.start.term]/9), so that whoever
/// ends later on that thread does so since the program ends.

namespace KokkosArena::Impl {

/// \brief Has the calling thread's end noticed. Cost: a test, but for the first
/// call on a thread.
void watch_thread_end() noexcept;

/// \return Whether the calling thread is ending, or the program by its exit().
/// False on a thread that has never been watched.
bool thread_is_ending() noexcept;

}  // namespace KokkosArena::Impl

#endif
