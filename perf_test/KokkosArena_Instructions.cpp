// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <system_error>

#include "peers.hpp"

/// \file
/// Does an operation so often, in a steady state. The difference of two runs
/// with different counts, as counted by valgrind's callgrind, is what the
/// operation costs in instructions: the same each time.

namespace KokkosArena::Perf {

namespace {

using Count = std::uint64_t;
/// Does it so often; all else is done before.
using Operation = std::function<void(Count)>;

template <class Space>
using View   = Kokkos::View<double*, Space>;
using Scoped = ScopedSpace<Kokkos::HostSpace>;

/// So that no compiler leaves out what makes it.
void use(void const* pointer) {
  [[maybe_unused]] static void const* volatile sink;
  sink = pointer;
}

constexpr std::size_t batch     = 64;
constexpr std::size_t raw_bytes = 64;

template <class Sync>
using HostArenaOf = Arena<Kokkos::HostSpace, Sync>;

/// \brief Calls cycle(n), which does n operations and then starts again, for
/// one batch after the other.
template <class Cycle>
void in_batches(Count count, Cycle const& cycle) {
  for (int warm_up = 0; warm_up < 4; ++warm_up) cycle(batch);
  for (; count > batch; count -= batch) cycle(batch);
  cycle(count);
}

/// \brief Small allocations with a reset for each batch of them, which counts
/// as a part of each.
template <class Allocator>
void raw_allocate(Count count) {
  Allocator allocator({.bytes = raw_bytes, .blocks = batch});
  in_batches(count, [&](std::size_t allocations) {
    for (std::size_t i = 0; i < allocations; ++i) {
      use(allocator.allocate(raw_bytes));
    }
    allocator.reset();
  });
}

template <class Sync>
void allocate_and_free(Count count) {
  HostArenaOf<Sync> arena;
  for (Count i = 0; i < count + 4; ++i) {
    auto* const memory = arena.allocate(raw_bytes);
    use(memory);
    arena.deallocate(memory);
  }
}

template <class Sync>
void handle_views(Count count) {
  HostArenaOf<Sync> arena;
  auto const handle = arena.handle();
  in_batches(count, [&](std::size_t views) {
    for (std::size_t i = 0; i < views; ++i) {
      use(handle.template view<double*>(16).data());
    }
    arena.reset();
  });
}

template <class Space>
void construct_views(Count count) {
  for (Count i = 0; i < count + 4; ++i) {
    use(View<Space>(Kokkos::view_alloc("tmp", Kokkos::WithoutInitializing), 16)
            .data());
  }
}

template <class Sync>
void views(Count count) {
  HostArenaOf<Sync> arena;
  ArenaScope const scope(arena);
  construct_views<Scoped>(count);
}

template <class Sync>
void similar_views(Count count) {
  HostArenaOf<Sync> arena;
  ArenaScope const scope(arena);
  View<Scoped> const model("model", 256);
  for (Count i = 0; i < count + 4; ++i) use(similar(model).data());
}

template <class Sync>
void made_views(Count count) {
  HostArenaOf<Sync> arena;
  ArenaScope const scope(arena);
  for (Count i = 0; i < count + 4; ++i) {
    use(make_view<View<Scoped>>("tmp", 256).data());
  }
}

template <class Scope, class Sync>
void entries(Count count) {
  HostArenaOf<Sync> arena;
  for (Count i = 0; i < count + 4; ++i) {
    Scope const scope(arena);
    use(&scope);
  }
}

template <class Sync>
void add(std::map<std::string, Operation>& all, std::string const& sync) {
  all["raw_allocate/" + sync]      = raw_allocate<SharedArena<Sync>>;
  all["allocate_and_free/" + sync] = allocate_and_free<Sync>;
  all["handle/" + sync]            = handle_views<Sync>;
  all["View/" + sync]              = views<Sync>;
  all["similar/" + sync]           = similar_views<Sync>;
  all["make_view/" + sync]         = made_views<Sync>;
  all["scope_entry/" + sync]       = entries<ArenaScope, Sync>;
  all["frame_entry/" + sync]       = entries<ArenaFrame, Sync>;
}

std::map<std::string, Operation> operations() {
  std::map<std::string, Operation> all;
  add<ThreadCached>(all, "ThreadCached");
  add<Locked>(all, "Locked");
  add<Unsynchronized>(all, "Unsynchronized");
  all["View/HostSpace"]                 = construct_views<Kokkos::HostSpace>;
  all["raw_allocate/std_pmr_monotonic"] = raw_allocate<PmrMonotonic>;
  return all;
}

/// \return Whether threads have chunks of their own here: two small blocks are
/// neighbours then, though a large one was taken in between.
bool has_chunks() {
  Arena<Kokkos::HostSpace, ThreadCached> arena(std::size_t(1) << 20);
  auto const address = [&](std::size_t bytes) {
    return reinterpret_cast<std::uintptr_t>(arena.allocate(bytes));
  };
  auto const first = address(64);
  address(std::size_t(16) << 10);
  return address(64) == first + 64;
}

int usage(std::string const& complaint) {
  std::cerr << "KokkosArena_Instructions: " << complaint
            << "\nusage: KokkosArena_Instructions OPERATION COUNT\n"
               "       KokkosArena_Instructions --list\n";
  return 2;
}

int run(int argc, char* argv[]) {
  auto const all = operations();
  if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
    for (auto const& [name, operation] : all) std::cout << name << '\n';
    return 0;
  }
  if (argc != 3) return usage("an operation and a count are needed");
  auto const found = all.find(argv[1]);
  if (found == all.end()) {
    return usage("unknown operation \"" + std::string(argv[1]) +
                 "\"; --list shows all");
  }
  Count count      = 0;
  auto const* last = argv[2] + std::strlen(argv[2]);
  auto const ended = std::from_chars(argv[2], last, count);
  if (ended.ec != std::errc() || ended.ptr != last || count == 0) {
    return usage("the count has to be a number from 1 on, not \"" +
                 std::string(argv[2]) + "\"");
  }
  if (!has_chunks()) {
    std::cerr << "KokkosArena_Instructions: threads have no chunks here "
                 "(membarrier(2) is missing), so that ThreadCached's own path "
                 "would not be what is counted\n";
    return 1;
  }
  found->second(count);
  return 0;
}

}  // namespace

}  // namespace KokkosArena::Perf

int main(int argc, char* argv[]) {
  Kokkos::ScopeGuard const guard(argc, argv);
  return KokkosArena::Perf::run(argc, argv);
}
