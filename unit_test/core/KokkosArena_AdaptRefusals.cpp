// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Doesn't compile: what adapt can't take is told, and not copied in silence.
#include <KokkosArena.hpp>

#include <memory>
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

template <class MemorySpace>
struct WithMemberThatCannotBecome {
  std::shared_ptr<Kokkos::View<double*, MemorySpace>> view;
};

}  // namespace

void refused() {
  (void)KokkosArena::adapt<Space>(NotATemplate());
  (void)KokkosArena::adapt<Space>(WithPrivateMembers<Kokkos::HostSpace>());
  (void)KokkosArena::adapt<Space>(std::vector<std::optional<View>>());
  (void)KokkosArena::adapt<Space>(
      WithMemberThatCannotBecome<Kokkos::HostSpace>());
}
