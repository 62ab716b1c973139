// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_NEVERDESTROYED_HPP
#define KOKKOSARENA_ENGINE_NEVERDESTROYED_HPP

#include <cstddef>
#include <new>
#include <utility>

namespace KokkosArena::Impl {

/// \brief For statics that Views which end late may need: it doesn't end before
/// the process, and unlike one that is made by new it can't fail for want of
/// heap memory.
template <class T>
class NeverDestroyed {
 public:
  template <class... Args>
  explicit NeverDestroyed(Args&&... args) noexcept
      : m_object(::new (m_storage) T(std::forward<Args>(args)...)) {}
  NeverDestroyed(NeverDestroyed const&)            = delete;
  NeverDestroyed& operator=(NeverDestroyed const&) = delete;

  T& get() const noexcept { return *m_object; }

 private:
  alignas(T) std::byte m_storage[sizeof(T)];
  T* m_object;
};

}  // namespace KokkosArena::Impl

#endif
