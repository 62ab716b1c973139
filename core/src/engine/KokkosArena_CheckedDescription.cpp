// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_CheckedDescription.hpp"

#include "KokkosArena_CheckedMemory.hpp"
#include "KokkosArena_CheckedPiece.hpp"

#include <cstdarg>
#include <cstdint>
#include <cstdio>

namespace KokkosArena::Impl {

namespace {

/// Text of limited size, made without heap memory.
class Text {
 public:
  Text(char* text, std::size_t size) noexcept : m_text(text), m_size(size) {}
  [[gnu::format(printf, 2, 3)]] void add(char const* format, ...) noexcept {
    if (m_used >= m_size) return;
    std::va_list arguments;
    va_start(arguments, format);
    auto const more =
        std::vsnprintf(m_text + m_used, m_size - m_used, format, arguments);
    va_end(arguments);
    if (more > 0) m_used += static_cast<std::size_t>(more);
  }

 private:
  char* m_text;
  std::size_t m_size;
  std::size_t m_used = 0;
};

void add_view(Text& out, CheckedAllocation const& a) noexcept {
  out.add("View \"%s\" (", a.label.c_str());
  if (a.extents.rank != ViewExtents::unknown) {
    for (unsigned r = 0; r < a.extents.rank; ++r) {
      out.add("%s%zu", r ? " x " : "", a.extents.extent[r]);
    }
    out.add(a.extents.rank ? ", " : "a scalar, ");
  }
  out.add("%zu bytes)", a.data_bytes);
}

}  // namespace

void describe_access(CheckedPiece const& piece, std::string const& arena,
                     void const* address, char* text,
                     std::size_t size) noexcept {
  auto const at           = reinterpret_cast<std::uintptr_t>(address);
  auto const* const found = piece.ledger.last_up_to(at);
  Text out(text, size);
  if (!found) {
    out.add("memory");
  } else {
    if (!piece.dropped && at >= reinterpret_cast<std::uintptr_t>(found->data) +
                                    found->data_bytes) {
      out.add("an address behind the end of ");
    }
    add_view(out, *found);
  }
  out.add(" of arena \"%s\" was accessed", arena.c_str());
  if (!piece.dropped) return;
  out.add(" after %s", piece.drop.operation);
  if (piece.drop.where.line() != 0) {
    out.add(" at %s:%u", piece.drop.where.file_name(),
            static_cast<unsigned>(piece.drop.where.line()));
  }
  out.add(
      " had dropped it: it was made in cycle %llu and dropped in cycle "
      "%llu. Use it before that, or copy what has to outlive it into memory "
      "of its own",
      static_cast<unsigned long long>(piece.cycle),
      static_cast<unsigned long long>(piece.dropped_cycle));
}

void describe_forgotten_access(void const* address, char* text,
                               std::size_t size) noexcept {
  Text(text, size)
      .add(
          "address %p, in which an arena has had a CheckedSpace View, was "
          "accessed "
          "after the View had been dropped, too long ago to know which it was",
          address);
}

void describe_all(CheckedPiece const& piece, std::string const& arena,
                  CheckedMemory& memory) noexcept {
  constexpr unsigned most_named = 64;
  char text[512];
  describe_access(piece, arena, nullptr, text, sizeof(text));
  memory.describe(piece.section.begin, piece.section.end(), text);
  unsigned named = 0;
  for (bool const alive : {true, false}) {
    for (auto const* a : piece.ledger) {
      if (a->alive != alive) continue;
      if (++named > most_named) return;
      describe_access(piece, arena, a->data, text, sizeof(text));
      memory.describe(a->begin, a->begin + a->bytes, text);
    }
  }
}

}  // namespace KokkosArena::Impl
