// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_JSONTEXT_HPP
#define KOKKOSARENA_ENGINE_JSONTEXT_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace KokkosArena::Impl {

/// \brief A text of JSON that is appended to. The commas are its own business;
/// that what is begun ends, and that a name precedes each value, the caller's.
///
/// \throws std::bad_alloc  All that appends; the text may have a part of it
/// then: see cut(). Threads: one at a time.
class JsonText {
 public:
  void begin_array() { m_text += '['; }
  /// \brief What follows is an item of the array, in a line of its own. The
  /// text may have been cleared meanwhile, but not before the first of them.
  void begin_line();
  /// Not appended: who writes to a file may go on before it.
  static constexpr std::string_view end_of_array = "\n]\n";
  /// \brief Of one that is part of something else.
  void end_array() { m_text += ']'; }

  void begin_object() { m_text += '{'; }
  void end_object() { m_text += '}'; }
  /// \brief Of the member of the object that follows.
  void name(std::string_view name);

  /// \brief Each byte that isn't part of a character of UTF-8 becomes a
  /// replacement character, so that any bytes make a string.
  void string(std::string_view value);
  void number(std::uint64_t value);
  /// \brief A number with three decimals.
  void thousandths(std::uint64_t value);
  /// \brief A string, since JSON has no such numbers.
  void hexadecimal(std::uint64_t value);

  std::string const& text() const noexcept { return m_text; }
  std::size_t size() const noexcept { return m_text.size(); }
  /// \brief Drops what lies behind the first \c size bytes.
  void cut(std::size_t size) noexcept { m_text.resize(size); }
  void clear() noexcept { m_text.clear(); }
  void reserve(std::size_t bytes) { m_text.reserve(bytes); }

 private:
  void digits(std::uint64_t value, int base);

  std::string m_text;
};

}  // namespace KokkosArena::Impl

#endif
