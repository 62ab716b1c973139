// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_TESTCORE_HPP
#define KOKKOSARENA_TESTCORE_HPP

#include <KokkosArena_ArenaOptions.hpp>
#include <KokkosArena_SyncPolicy.hpp>
#include <engine/KokkosArena_CheckedStore.hpp>
#include <engine/KokkosArena_SynchronizedCore.hpp>
#include <engine/KokkosArena_ThreadCachedCore.hpp>
#include <engine/KokkosArena_Upstream.hpp>

#include <memory>
#include <utility>

namespace KokkosArenaTest {

/// What an Arena does at its end.
struct CoreEnd {
  template <class Core>
  void operator()(Core* core) const noexcept {
    if (auto* const store = core->existing_checked_store()) store->end();
    core->end();
  }
};
template <class Sync = KokkosArena::Locked>
using TestCore =
    std::unique_ptr<KokkosArena::Impl::SynchronizedCore<Sync>, CoreEnd>;

template <class Sync = KokkosArena::Locked>
TestCore<Sync> make_core(
    KokkosArena::ArenaOptions options = {},
    std::unique_ptr<KokkosArena::Impl::Upstream> upstream =
        std::make_unique<KokkosArena::Impl::HostUpstream>(false)) {
  return TestCore<Sync>(new KokkosArena::Impl::SynchronizedCore<Sync>(
      std::move(options), std::move(upstream)));
}

}  // namespace KokkosArenaTest

#endif
