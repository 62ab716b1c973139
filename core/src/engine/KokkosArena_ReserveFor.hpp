// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_ENGINE_RESERVEFOR_HPP
#define KOKKOSARENA_ENGINE_RESERVEFOR_HPP

#include <cstddef>
#include <vector>

namespace KokkosArena::Impl {

/// \brief Makes room for so many, so that putting them in later takes no
/// memory. Cost: constant, amortised.
template <class T>
void reserve_for(std::vector<T>& vector, std::size_t size) {
  if (vector.capacity() < size) vector.reserve(2 * size);
}

}  // namespace KokkosArena::Impl

#endif
