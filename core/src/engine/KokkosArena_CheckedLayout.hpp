// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_CHECKEDLAYOUT_HPP
#define KOKKOSARENA_ENGINE_CHECKEDLAYOUT_HPP

#include <engine/KokkosArena_Block.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace KokkosArena::Impl {

/// \brief Where the parts of an allocation lie: what is in front of the data,
/// the data, and the guard page, if each has one. Only arithmetic.
class CheckedLayout {
 public:
  /// \param[in] guard_bytes  Of the page that can't be accessed, a power of
  /// two; 0: there is none.
  CheckedLayout(std::size_t front, std::size_t data_bytes,
                std::size_t alignment, std::size_t guard_bytes) noexcept
      : m_alignment(std::max(alignment, granule)),
        m_front(align_up(front, m_alignment)),
        // One at least, so that each has an address of its own.
        m_size(std::max<std::size_t>(data_bytes, 1)),
        m_guard_bytes(guard_bytes),
        // What is guarded ends where a page that can't be accessed begins.
        m_bytes(guard_bytes > 0
                    ? align_up(m_front + m_size + m_alignment, guard_bytes) +
                          guard_bytes
                    : align_up(m_front + m_size, granule)) {}

  /// Whether its bytes can be counted; if not, nothing else is to be asked.
  bool is_possible() const noexcept {
    constexpr std::size_t most = std::numeric_limits<std::ptrdiff_t>::max() / 4;
    return m_front <= most && m_alignment <= most && m_size <= most;
  }

  std::size_t bytes() const noexcept { return m_bytes; }
  /// Of its beginning.
  std::size_t alignment() const noexcept {
    return std::max(m_alignment, m_guard_bytes);
  }
  std::uintptr_t data(std::uintptr_t begin) const noexcept {
    return m_guard_bytes > 0
               ? align_down(guard(begin, m_bytes, m_guard_bytes) - m_size,
                            m_alignment)
               : begin + m_front;
  }

  /// \return Where the guard page of so many bytes begins.
  static std::uintptr_t guard(std::uintptr_t begin, std::size_t bytes,
                              std::size_t guard_bytes) noexcept {
    return begin + bytes - guard_bytes;
  }

 private:
  std::size_t m_alignment;
  std::size_t m_front;
  std::size_t m_size;
  std::size_t m_guard_bytes;
  std::size_t m_bytes;
};

}  // namespace KokkosArena::Impl

#endif
