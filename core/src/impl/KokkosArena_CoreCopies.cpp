// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CoreCopies.hpp"

#include "../engine/KokkosArena_Cancellation.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>

#if defined(__linux__) && defined(__LP64__)

#include <elf.h>
#include <link.h>

// Copies can't see each other's symbols, or they would be one. But each has a
// note in its file, which the system's loader has mapped, and that says where
// the copy's state is.

extern "C" {

/// Of this copy alone.
[[gnu::visibility(
    "hidden")]] extern constinit std::atomic<int> kokkosarena_copy_is_in_use;
constinit std::atomic<int> kokkosarena_copy_is_in_use{0};

/// Of the copy whose functions are called here: another's, if the loader has
/// bound them to that (-rdynamic).
[[gnu::visibility("default"),
  gnu::weak]] extern std::atomic<int>* kokkosarena_copy_that_is_called;
std::atomic<int>* kokkosarena_copy_that_is_called = &kokkosarena_copy_is_in_use;
}

asm(R"(
  .pushsection .note.KokkosArena, "a", %note
  .balign 4
  .long 12
  .long 8
  .long 1
  .asciz "KokkosArena"
1:
  .quad kokkosarena_copy_is_in_use - 1b
  .popsection
)");

namespace KokkosArena::Impl {

namespace {

constexpr char note_name[] = "KokkosArena";

/// \return Whether the note is of a copy that is in use.
bool is_in_use(ElfW(Nhdr) const& note, char const* description) noexcept {
  std::int64_t distance = 0;
  if (note.n_descsz != sizeof(distance)) return false;
  std::memcpy(&distance, description, sizeof(distance));
  auto const address = reinterpret_cast<std::intptr_t>(description) + distance;
  // relaxed: loading a library orders it with all that looks for it.
  return reinterpret_cast<std::atomic<int> const*>(address)->load(
             std::memory_order_relaxed) != 0;
}

int count_in_notes(char const* begin, std::size_t bytes) noexcept {
  constexpr auto whole = [](std::size_t n) { return (n + 3) / 4 * 4; };
  int count            = 0;
  while (bytes >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, begin, sizeof(note));
    auto const all = sizeof(note) + whole(note.n_namesz) + whole(note.n_descsz);
    if (all > bytes) break;
    if (note.n_namesz == sizeof(note_name) &&
        std::memcmp(begin + sizeof(note), note_name, sizeof(note_name)) == 0) {
      count += is_in_use(note, begin + sizeof(note) + whole(note.n_namesz));
    }
    begin += all;
    bytes -= all;
  }
  return count;
}

int count_in_library(dl_phdr_info* library, std::size_t, void* count) {
  for (int i = 0; i < library->dlpi_phnum; ++i) {
    auto const& header = library->dlpi_phdr[i];
    // Notes of another alignment are not ours.
    if (header.p_type != PT_NOTE || header.p_align > 4) continue;
    *static_cast<int*>(count) += count_in_notes(
        reinterpret_cast<char const*>(library->dlpi_addr + header.p_vaddr),
        header.p_memsz);
  }
  return 0;
}

}  // namespace

int note_core_copy() noexcept {
  // relaxed: see above.
  kokkosarena_copy_that_is_called->store(1, std::memory_order_relaxed);
  bool const is_called =
      kokkosarena_copy_that_is_called == &kokkosarena_copy_is_in_use;
  int count = 0;
  dl_iterate_phdr(count_in_library, &count);
  if (is_called && count == 2) {
    CancellationOff const off;
    std::fputs(
        "KokkosArena: the program and a library that it has loaded have each a "
        "copy of KokkosArena, and scopes of one don't hold for Views of the "
        "other; link both with the shared library (KokkosArena::core_shared), "
        "or the program with -rdynamic\n",
        stderr);
  }
  return count;
}

}  // namespace KokkosArena::Impl

#else

int KokkosArena::Impl::note_core_copy() noexcept { return 1; }

#endif
