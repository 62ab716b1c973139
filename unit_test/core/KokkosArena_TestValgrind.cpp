// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One mistake, named on the command line, that valgrind is to report; or none.
#include <KokkosArena.hpp>

#include <Kokkos_Core.hpp>

#include <cstdio>
#include <string>

namespace {

using Space = KokkosArena::ScopedSpace<Kokkos::HostSpace>;
using View  = Kokkos::View<double*, Space>;

View uninitialized(std::string const& label) {
  return View(Kokkos::view_alloc(label, Kokkos::WithoutInitializing), 100);
}

/// Made from what it reads, so that it can't be left out.
int tell(double const volatile* value) { return *value > 0 ? 1 : 0; }

template <class Sync>
int make(std::string const& mistake) {
  KokkosArena::Arena<Kokkos::HostSpace, Sync> arena;
  KokkosArena::ArenaScope const scope(arena);
  int result = 0;
  for (int cycle = 0; cycle < 3; ++cycle) {
    auto const first  = uninitialized("first");
    auto const second = KokkosArena::similar(first);
    Kokkos::deep_copy(first, 1.);
    Kokkos::deep_copy(second, first);
    auto* const raw = static_cast<double*>(arena.allocate(800));
    raw[99]         = second(99);
    result += tell(&raw[99]) + tell(&first(0));
    arena.reset();
  }
  if (mistake == "uninitialised") {
    auto const view = uninitialized("never written");
    result += tell(&view(50));
  } else if (mistake == "ended") {
    double const* data = nullptr;
    {
      View const view("ended", 100);
      data = view.data();
    }
    result += tell(data + 50);
  } else if (mistake == "overrun") {
    View const view("short", 104);
    View const next("next", 104);
    result += tell(view.data() + 104);
  } else if (mistake == "dropped") {
    auto* const raw = static_cast<double*>(arena.allocate(800));
    raw[0]          = 1;
    arena.reset();
    result += tell(raw);
  }
  return result;
}

}  // namespace

int main(int argc, char* argv[]) {
  Kokkos::ScopeGuard const guard(argc, argv);
  std::string const mistake = argc > 1 ? argv[1] : "none";
  int const result          = make<KokkosArena::ThreadCached>(mistake) +
                     make<KokkosArena::Unsynchronized>(mistake);
  std::printf("%d\n", result);
  return 0;
}
