// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Doesn't compile: what adapt can't take is told, and not copied in silence.
#include <KokkosArena.hpp>

#include <optional>
#include <vector>

namespace {

using Space = KokkosArena::ScopedSpace<Kokkos::HostSpace>;
using View  = Kokkos::View<double*, Kokkos::HostSpace>;

struct NotATemplate {
  View view;
};
template <class MemorySpace>
class WithPrivateMembers {
  Kokkos::View<double*, MemorySpace> m_view;
};

}  // namespace

void refused() {
  (void)KokkosArena::adapt<Space>(NotATemplate());
  (void)KokkosArena::adapt<Space>(WithPrivateMembers<Kokkos::HostSpace>());
  (void)KokkosArena::adapt<Space>(std::vector<std::optional<View>>());
}
