// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Error.hpp"

#include <Kokkos_Core.hpp>

namespace KokkosArena::Impl {

void abort(std::string const& message) {
  Kokkos::abort(("KokkosArena: " + message).c_str());
}

}  // namespace KokkosArena::Impl
