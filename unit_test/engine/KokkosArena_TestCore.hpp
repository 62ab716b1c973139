// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTCORE_HPP
#define KOKKOSARENA_TESTCORE_HPP

#include <KokkosArena_ArenaOptions.hpp>
#include <KokkosArena_SyncPolicy.hpp>
#include <engine/KokkosArena_CheckedStore.hpp>
#include <engine/KokkosArena_Core.hpp>

#include <memory>
#include <utility>

namespace KokkosArenaTest {

using LockedCore = KokkosArena::Impl::SynchronizedCore<KokkosArena::Locked>;

/// What an Arena does at its end.
struct CoreEnd {
  void operator()(LockedCore* core) const noexcept {
    if (auto* const store = core->existing_checked_store()) store->end();
    core->end();
  }
};
using TestCore = std::unique_ptr<LockedCore, CoreEnd>;

inline TestCore make_core(KokkosArena::ArenaOptions options = {}) {
  return TestCore(
      new LockedCore(std::move(options),
                     std::make_unique<KokkosArena::Impl::HostUpstream>(false)));
}

}  // namespace KokkosArenaTest

#endif
