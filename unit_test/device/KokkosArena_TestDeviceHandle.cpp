// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Views that kernels on a GPU take by a handle.
#include <KokkosArena_TestDevice.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::ArenaExhausted;
using KokkosArena::ArenaFrame;
using KokkosArena::ArenaScope;
using KokkosArena::make_view;

/// \brief Who takes a View, and of what size: by the thread's number.
enum class Asking {
  all_alike,       ///< Every thread, one size.
  all_different,   ///< Every thread, a size of its own.
  alike_in_warps,  ///< Every thread, one size for all of a warp.
  some_lanes,      ///< Some threads of a warp, sizes of their own.
  some_alike,      ///< Some threads of a warp, one of two sizes.
  one_lane,        ///< One thread of a warp.
  nested_branches  ///< Every thread, at one of five places in the code.
};

/// \return Elements that the thread asks for; 0: it doesn't ask.
KOKKOS_INLINE_FUNCTION std::size_t wanted(Asking asking, std::uint64_t seed,
                                          std::int64_t thread) {
  auto const t    = static_cast<std::uint64_t>(thread);
  auto const mine = mixed(seed, t);
  auto const warp = mixed(seed + 1, t / 32);
  switch (asking) {
    case Asking::all_alike:
      return 24;
    case Asking::all_different:
      return 1 + mine % 64;
    case Asking::alike_in_warps:
      return 1 + warp % 64;
    case Asking::some_lanes:
      return mine % 3 == 0 ? 1 + (mine >> 8) % 64 : 0;
    case Asking::some_alike:
      return mine % 3 == 0 ? 0 : (mine >> 8) % 2 ? 48 : 17;
    case Asking::one_lane:
      return t % 32 == warp % 32 ? 1 + (mine >> 8) % 64 : 0;
    case Asking::nested_branches:
      return 1 + mine % 64;
  }
  return 0;
}

using Element = std::uint64_t;

/// \return Bytes that so many threads ask for, each rounded up to 64.
std::size_t bytes_wanted(Asking asking, std::uint64_t seed,
                         std::size_t threads) {
  std::size_t sum = 0;
  for (std::size_t t = 0; t < threads; ++t) {
    auto const n = wanted(asking, seed, static_cast<std::int64_t>(t));
    sum += (n * sizeof(Element) + 63) / 64 * 64;
  }
  return sum;
}

/// What each thread has got.
struct Taken {
  explicit Taken(std::size_t threads)
      : data("data", threads), extent("extent", threads) {}
  Kokkos::View<std::uintptr_t*, Kokkos::Device<Backend, DeviceSpace>> data;
  Kokkos::View<std::uint32_t*, Kokkos::Device<Backend, DeviceSpace>> extent;
};

template <class Handle>
KOKKOS_FUNCTION auto take(Handle const& handle, Asking asking,
                          std::int64_t thread, std::size_t n) {
  if (asking == Asking::nested_branches) {
    // Places that the threads of a warp come to apart from each other.
    switch (thread % 5) {
      case 0:
        return handle.template view<Element*>(n);
      case 1:
        if (thread % 2) return handle.template view<Element*>(n);
        break;
      case 2:
        for (std::int64_t k = 0; k < thread % 7; ++k) {
          if (k == 3) return handle.template view<Element*>(n);
        }
        break;
      default:
        break;
    }
  }
  return handle.template view<Element*>(n);
}

/// \brief Each thread takes a View and fills it with what only it writes.
template <class Handle>
void take_and_write(Backend const& instance, Handle const& handle,
                    Asking asking, std::uint64_t seed, Taken const& taken,
                    ErrorCount const& errors) {
  auto const data   = taken.data;
  auto const extent = taken.extent;
  Kokkos::parallel_for(
      "take_and_write", range(instance, data.extent(0)),
      KOKKOS_LAMBDA(std::int64_t t) {
        auto const n = wanted(asking, seed, t);
        data(t)      = 0;
        extent(t)    = static_cast<std::uint32_t>(n);
        if (n == 0) return;
        auto const view = take(handle, asking, t, n);
        if (!view.data()) {
          if (view.extent(0) != 0) errors.add();
          return;
        }
        if (view.extent(0) != n) errors.add();
        data(t) = reinterpret_cast<std::uintptr_t>(view.data());
        for (std::size_t i = 0; i < n; ++i) {
          view(i) = mixed(static_cast<std::uint64_t>(t), i);
        }
      });
}

inline void check_taken(Backend const& instance, Taken const& taken,
                        ErrorCount const& errors) {
  auto const data   = taken.data;
  auto const extent = taken.extent;
  Kokkos::parallel_for(
      "check_taken", range(instance, data.extent(0)),
      KOKKOS_LAMBDA(std::int64_t t) {
        auto const* const elements = reinterpret_cast<Element const*>(data(t));
        if (!elements) return;
        for (std::size_t i = 0; i < extent(t); ++i) {
          if (elements[i] != mixed(static_cast<std::uint64_t>(t), i)) {
            errors.add();
          }
        }
      });
}

/// What the host finds in it.
struct Ranges {
  struct Range {
    std::uintptr_t begin, end;
  };
  std::vector<Range> taken;  ///< By address.
  std::size_t asked  = 0;
  std::size_t failed = 0;
  std::size_t bytes  = 0;  ///< Of all taken, each rounded up to 64.

  std::size_t span() const {
    return taken.empty() ? 0 : taken.back().end - taken.front().begin;
  }
};

/// Waits. \return The ranges, after the test that they are apart and aligned.
Ranges ranges(Taken const& taken) {
  Kokkos::fence();
  auto const data =
      Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), taken.data);
  auto const extent =
      Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), taken.extent);
  Ranges result;
  std::size_t misaligned = 0;
  for (std::size_t t = 0; t < data.extent(0); ++t) {
    if (extent(t) == 0) continue;
    ++result.asked;
    if (data(t) == 0) {
      ++result.failed;
      continue;
    }
    auto const bytes = extent(t) * sizeof(Element);
    misaligned += data(t) % 64 != 0;
    result.taken.push_back({data(t), data(t) + bytes});
    result.bytes += (bytes + 63) / 64 * 64;
  }
  EXPECT_EQ(misaligned, 0u);
  std::sort(result.taken.begin(), result.taken.end(),
            [](auto const& a, auto const& b) { return a.begin < b.begin; });
  std::size_t overlaps = 0;
  for (std::size_t i = 1; i < result.taken.size(); ++i) {
    overlaps += result.taken[i].begin < result.taken[i - 1].end;
  }
  EXPECT_EQ(overlaps, 0u);
  return result;
}

template <class M>
struct device_handle : ::testing::Test {
  using memory = M;
  using Handle = typename M::arena_type::handle_type;
  static_assert(std::is_trivially_copyable_v<Handle>);
  static_assert(
      std::is_same_v<typename Handle::template view_type<double**>,
                     Kokkos::View<double**, typename M::base_device,
                                  Kokkos::MemoryTraits<Kokkos::Unmanaged>>>);

  std::uint64_t failures() const {
    return m_arena.statistics().failed_handle_allocations;
  }

  Backend m_instance = new_instance();
  typename M::arena_type m_arena{m_instance, M::options("with handles")};
  ErrorCount m_errors;
};
TYPED_TEST_SUITE(device_handle, AllMemory, MemoryName);

TYPED_TEST(device_handle, gives_disjoint_views_to_a_million_threads) {
  // The host's own memory is slow to reach: fewer, there.
  constexpr std::size_t threads = TypeParam::is_pinned ? 100'000 : 1'000'000;
  Taken const taken(threads);
  auto const bytes  = bytes_wanted(Asking::all_different, 1, threads);
  auto const handle = this->m_arena.handle(bytes);
  take_and_write(this->m_instance, handle, Asking::all_different, 1, taken,
                 this->m_errors);
  check_taken(this->m_instance, taken, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
  auto const all = ranges(taken);
  EXPECT_EQ(all.asked, threads);
  EXPECT_EQ(all.failed, 0u);
  // One after the other, without gaps, to the region's end.
  EXPECT_EQ(all.bytes, bytes);
  EXPECT_LE(all.span(), bytes);
  EXPECT_EQ(this->failures(), 0u);
}

TYPED_TEST(device_handle, serves_warps_whose_threads_ask_apart) {
  constexpr std::size_t threads = 100'000;
  Taken const taken(threads);
  std::uint64_t seed = 1;
  for (auto const asking :
       {Asking::all_alike, Asking::all_different, Asking::alike_in_warps,
        Asking::some_lanes, Asking::some_alike, Asking::one_lane,
        Asking::nested_branches}) {
    SCOPED_TRACE(static_cast<int>(asking));
    for (int round = 0; round < 3; ++round) {
      auto const bytes  = bytes_wanted(asking, ++seed, threads);
      auto const handle = this->m_arena.handle(bytes);
      take_and_write(this->m_instance, handle, asking, seed, taken,
                     this->m_errors);
      check_taken(this->m_instance, taken, this->m_errors);
      auto const all = ranges(taken);
      EXPECT_GT(all.asked, threads / 64);
      EXPECT_EQ(all.failed, 0u);
      EXPECT_LE(all.span(), bytes);
      EXPECT_EQ(this->m_errors.read(), 0u);
      this->m_arena.reset();
    }
  }
  EXPECT_EQ(this->failures(), 0u);
}

TYPED_TEST(device_handle, full_region_gives_null_views_and_counts_them) {
  constexpr std::size_t threads = TypeParam::is_pinned ? 20'000 : 50'000;
  constexpr std::size_t bytes   = MiB;
  Taken const taken(threads);
  std::uint64_t failed = 0;
  std::uint64_t seed   = 50;
  for (auto const asking :
       {Asking::all_alike, Asking::all_different, Asking::alike_in_warps,
        Asking::some_lanes, Asking::some_alike, Asking::one_lane,
        Asking::nested_branches}) {
    SCOPED_TRACE(static_cast<int>(asking));
    auto const handle = this->m_arena.handle(bytes);
    // Next to it: what must stay as it is.
    auto* const neighbour = this->m_arena.allocate(64 * KiB);
    fill_bytes(this->m_instance, neighbour, 64 * KiB, 0x5a);
    take_and_write(this->m_instance, handle, asking, ++seed, taken,
                   this->m_errors);
    check_taken(this->m_instance, taken, this->m_errors);
    check_bytes(this->m_instance, neighbour, 64 * KiB, 0x5a, this->m_errors);
    auto const all = ranges(taken);
    EXPECT_EQ(all.failed, all.asked - all.taken.size());
    EXPECT_LE(all.bytes, bytes);
    EXPECT_LE(all.span(), bytes);
    if (asking != Asking::one_lane) {
      EXPECT_GT(all.failed, 0u);
      // What one warp asks for at most may not have fitted as a whole.
      EXPECT_GE(all.bytes + 64 * 64 * sizeof(Element), bytes);
    }
    failed += all.failed;
    EXPECT_EQ(this->failures(), failed);
    // All later ones fail too, or get what is left.
    take_and_write(this->m_instance, handle, Asking::all_alike, ++seed, taken,
                   this->m_errors);
    auto const later = ranges(taken);
    EXPECT_LE(all.bytes + later.bytes, bytes);
    failed += later.failed;
    EXPECT_EQ(this->failures(), failed);
    EXPECT_EQ(this->m_errors.read(), 0u);
    this->m_arena.reset();
  }
  // The next region is as good as new.
  auto const handle = this->m_arena.handle(threads * 192);
  take_and_write(this->m_instance, handle, Asking::all_alike, 1, taken,
                 this->m_errors);
  check_taken(this->m_instance, taken, this->m_errors);
  EXPECT_EQ(ranges(taken).failed, 0u);
  EXPECT_EQ(this->failures(), failed);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_handle, region_can_be_filled_to_its_last_byte) {
  constexpr std::size_t threads = 10'000;
  Taken const taken(threads);
  auto const handle = this->m_arena.handle(threads * 192);
  take_and_write(this->m_instance, handle, Asking::all_alike, 1, taken,
                 this->m_errors);
  auto const all = ranges(taken);
  EXPECT_EQ(all.failed, 0u);
  EXPECT_EQ(all.span(), threads * 192);
  take_and_write(this->m_instance, handle, Asking::all_alike, 1, taken,
                 this->m_errors);
  EXPECT_EQ(ranges(taken).failed, threads);
  EXPECT_EQ(this->failures(), threads);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

/// Each thread from the one or the other, whatever its neighbours do.
template <class Handle>
void take_from_two(Backend const& instance, Handle const& even,
                   Handle const& odd, Taken const& taken) {
  auto const data   = taken.data;
  auto const extent = taken.extent;
  Kokkos::parallel_for(
      "take_from_two", range(instance, data.extent(0)),
      KOKKOS_LAMBDA(std::int64_t t) {
        Handle const handle = t % 2 ? odd : even;
        auto const view     = handle.template view<Element*>(8);
        extent(t)           = 8;
        data(t)             = reinterpret_cast<std::uintptr_t>(view.data());
        for (std::size_t i = 0; view.data() && i < 8; ++i) {
          view(i) = mixed(static_cast<std::uint64_t>(t), i);
        }
      });
}

TYPED_TEST(device_handle, threads_of_a_warp_may_use_different_handles) {
  constexpr std::size_t threads = 10'000;
  constexpr std::size_t bytes   = threads / 2 * 64;
  Taken const taken(threads);
  auto const even = this->m_arena.handle(bytes);
  auto const odd  = this->m_arena.handle(bytes);
  take_from_two(this->m_instance, even, odd, taken);
  check_taken(this->m_instance, taken, this->m_errors);
  auto const all = ranges(taken);
  EXPECT_EQ(all.failed, 0u);
  EXPECT_EQ(this->m_errors.read(), 0u);
  // Half of them from each region.
  auto const data =
      Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), taken.data);
  for (std::size_t parity : {0u, 1u}) {
    std::uintptr_t first = ~std::uintptr_t(0);
    std::uintptr_t last  = 0;
    for (std::size_t t = parity; t < threads; t += 2) {
      first = std::min(first, data(t));
      last  = std::max(last, data(t));
    }
    EXPECT_EQ(last + 64 - first, bytes) << parity;
  }
}

/// Bytes of any alignment, as the host can look at them.
template <class Handle>
void take_aligned(Backend const& instance, Handle const& handle,
                  Taken const& taken) {
  auto const data   = taken.data;
  auto const extent = taken.extent;
  Kokkos::parallel_for(
      "take_aligned", range(instance, data.extent(0)),
      KOKKOS_LAMBDA(std::int64_t t) {
        auto const alignment = std::size_t(1) << (t % 21);
        auto* const memory   = handle.allocate(sizeof(Element), alignment);
        extent(t)            = 1;
        data(t)              = reinterpret_cast<std::uintptr_t>(memory);
        if (memory) {
          *static_cast<Element*>(memory) =
              mixed(static_cast<std::uint64_t>(t), 0);
        }
      });
}

template <class Handle>
void take_misaligned(Backend const& instance, Handle const& handle,
                     ErrorCount const& errors) {
  Kokkos::parallel_for(
      "take_misaligned", range(instance, 100), KOKKOS_LAMBDA(std::int64_t t) {
        // No power of two.
        auto const alignment = static_cast<std::size_t>(t % 2 ? 0 : 48);
        if (handle.allocate(8, alignment)) errors.add();
      });
}

TYPED_TEST(device_handle, allocate_aligns_up_to_a_mebibyte) {
  constexpr std::size_t threads = 21 * 8;
  Taken const taken(threads);
  auto const handle = this->m_arena.handle(64 * MiB);
  take_aligned(this->m_instance, handle, taken);
  check_taken(this->m_instance, taken, this->m_errors);
  EXPECT_EQ(ranges(taken).failed, 0u);
  EXPECT_EQ(this->m_errors.read(), 0u);
  auto const data =
      Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), taken.data);
  for (std::size_t t = 0; t < threads; ++t) {
    EXPECT_EQ(data(t) % (std::size_t(1) << (t % 21)), 0u) << t;
  }
  take_misaligned(this->m_instance, handle, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
  EXPECT_EQ(this->failures(), 100u);
}

// All kinds of Views, each by one thread of its own.

struct alignas(256) Wide {
  float numbers[64];
};

template <class ViewType>
KOKKOS_FUNCTION bool is_usable(ViewType const& view, std::size_t size,
                               std::size_t alignment) {
  auto const address = reinterpret_cast<std::uintptr_t>(view.data());
  if (address == 0 || address % alignment != 0 || view.size() != size) {
    return false;
  }
  auto* const bytes = reinterpret_cast<unsigned char*>(view.data());
  auto const n      = size * sizeof(typename ViewType::value_type);
  for (std::size_t i = 0; i < n; ++i) bytes[i] = 0x5a;
  for (std::size_t i = 0; i < n; ++i) {
    if (bytes[i] != 0x5a) return false;
  }
  return true;
}

template <class ViewType>
KOKKOS_FUNCTION bool is_null(ViewType const& view) {
  bool empty = true;
  for (std::size_t r = 0; r < ViewType::rank_dynamic; ++r) {
    empty = empty && view.extent(r) == 0;
  }
  return !view.data() && empty;
}

template <class Handle>
void take_all_kinds(Backend const& instance, Handle const& handle,
                    ErrorCount const& errors) {
  Kokkos::parallel_for(
      "take_all_kinds", range(instance, 64), KOKKOS_LAMBDA(std::int64_t t) {
        bool good = true;
        switch (t % 8) {
          case 0:
            good = is_usable(handle.template view<double>(), 1, 64);
            break;
          case 1:
            good = is_usable(handle.template view<char**>(7, 3), 21, 64);
            break;
          case 2:
            good = is_usable(handle.template view<int* [3]>(4), 12, 64);
            break;
          case 3:
            good = is_usable(handle.template view<float[4][5]>(), 20, 64);
            break;
          case 4:
            good = is_usable(handle.template view<Wide*>(3), 3, 256);
            break;
          case 5:
            good = is_usable(
                handle.template view<short********>(2, 1, 3, 1, 2, 1, 2, 1), 24,
                64);
            break;
          case 6:
            good = is_usable(handle.template view<Kokkos::complex<double>*>(5),
                             5, 64);
            break;
          default: {
            auto const none = handle.template view<double*>(0);
            good            = none.data() && none.extent(0) == 0;
          }
        }
        if (!good) errors.add();
      });
}

template <class Handle>
void take_too_much(Backend const& instance, Handle const& handle,
                   ErrorCount const& errors) {
  Kokkos::parallel_for(
      "take_too_much", range(instance, 64), KOKKOS_LAMBDA(std::int64_t t) {
        auto const most = ~std::size_t(0);
        auto const b33  = std::size_t(1) << 33;
        bool good       = true;
        switch (t % 4) {
          case 0:
            good = is_null(handle.template view<double*>(most / 8 + 2));
            break;
          case 1:
            good = is_null(handle.template view<char**>(b33, b33));
            break;
          case 2:
            good = is_null(handle.template view<double* [3]>(most / 16));
            break;
          default:
            good = handle.allocate(most - 100, 4096) == nullptr;
        }
        if (!good) errors.add();
      });
}

TYPED_TEST(device_handle, view_has_the_rank_extents_and_alignment_asked_for) {
  auto const handle = this->m_arena.handle(MiB);
  take_all_kinds(this->m_instance, handle, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
  EXPECT_EQ(this->failures(), 0u);
}

TYPED_TEST(device_handle, sizes_that_overflow_give_null_views) {
  auto const handle = this->m_arena.handle(MiB);
  take_too_much(this->m_instance, handle, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
  EXPECT_EQ(this->failures(), 64u);
  take_all_kinds(this->m_instance, handle, this->m_errors);
  EXPECT_EQ(this->m_errors.read(), 0u);
  EXPECT_EQ(this->failures(), 64u);
}

// One View a team.

template <class Handle>
void teams_take_one_each(Backend const& instance, Handle const& handle,
                         int teams, std::size_t n, Taken const& taken,
                         ErrorCount const& errors) {
  using Team        = Kokkos::TeamPolicy<Backend>;
  auto const data   = taken.data;
  auto const extent = taken.extent;
  using View        = typename Handle::template view_type<Element*>;
  Kokkos::parallel_for(
      "teams_take_one_each", Team(instance, teams, 128),
      KOKKOS_LAMBDA(typename Team::member_type const& team) {
        auto const t = static_cast<std::uint64_t>(team.league_rank());
        View view;
        Kokkos::single(
            Kokkos::PerTeam(team),
            [&](View& one) { one = handle.template view<Element*>(n); }, view);
        if (view.extent(0) != n) errors.add();
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, view.extent(0)),
                             [&](std::size_t i) { view(i) = mixed(t, i); });
        team.team_barrier();
        // Written by one thread, read by another.
        Kokkos::parallel_for(Kokkos::TeamThreadRange(team, view.extent(0)),
                             [&](std::size_t i) {
                               auto const other = view.extent(0) - 1 - i;
                               if (view(other) != mixed(t, other)) errors.add();
                             });
        Kokkos::single(Kokkos::PerTeam(team), [&] {
          data(t)   = reinterpret_cast<std::uintptr_t>(view.data());
          extent(t) = static_cast<std::uint32_t>(view.extent(0));
        });
      });
}

TYPED_TEST(device_handle, team_takes_one_view_for_all_its_threads) {
  constexpr int teams     = 2000;
  constexpr std::size_t n = 1000;
  Taken const taken(teams);
  for (int round = 0; round < 3; ++round) {
    auto const handle =
        this->m_arena.handle(teams * ((n * sizeof(Element) + 63) / 64 * 64));
    teams_take_one_each(this->m_instance, handle, teams, n, taken,
                        this->m_errors);
    check_taken(this->m_instance, taken, this->m_errors);
    auto const all = ranges(taken);
    EXPECT_EQ(all.asked, std::size_t(teams));
    EXPECT_EQ(all.failed, 0u);
    EXPECT_EQ(this->m_errors.read(), 0u);
    this->m_arena.reset();
  }
  EXPECT_EQ(this->failures(), 0u);
}

// The arena around it.

TYPED_TEST(device_handle, region_is_apart_from_views_and_dropped_by_a_reset) {
  constexpr std::size_t threads = 10'000;
  using View = Kokkos::View<std::uint64_t*, typename TypeParam::device>;
  Taken const taken(threads);
  std::optional<View> survivor;
  std::uint64_t warm = 0;
  for (std::uint64_t cycle = 0; cycle < 20; ++cycle) {
    {
      ArenaScope const scope(this->m_arena);
      View const before("before", 5000);
      auto const handle = this->m_arena.handle(threads * 512);
      View const after("after", 5000);
      write_pattern(this->m_instance, before, cycle);
      write_pattern(this->m_instance, after, cycle + 100);
      take_and_write(this->m_instance, handle, Asking::all_different, cycle,
                     taken, this->m_errors);
      check_taken(this->m_instance, taken, this->m_errors);
      check_pattern(this->m_instance, before, cycle, this->m_errors);
      check_pattern(this->m_instance, after, cycle + 100, this->m_errors);
      if (cycle == 0) survivor = after;
      if (cycle == 10) survivor.reset();
      if (survivor) {
        check_pattern(this->m_instance, *survivor, 100, this->m_errors);
      }
    }
    this->m_arena.reset();
    EXPECT_EQ(this->m_arena.statistics().live_allocations,
              cycle < 10 ? 1u : 0u);
    if (cycle == 15) warm = this->m_arena.statistics().upstream_allocations;
  }
  EXPECT_EQ(this->m_arena.statistics().upstream_allocations, warm);
  EXPECT_EQ(this->m_errors.read(), 0u);
  EXPECT_EQ(this->failures(), 0u);
}

TYPED_TEST(device_handle, region_is_dropped_with_its_frame) {
  constexpr std::size_t threads = 1000;
  Taken const taken(threads);
  typename TypeParam::arena_type arena(this->m_instance,
                                       TypeParam::options("fixed", MiB));
  for (std::uint64_t i = 0; i < 50; ++i) {
    ArenaFrame const frame(arena);
    auto const handle = arena.handle(threads * 512);
    take_and_write(this->m_instance, handle, Asking::all_different, i, taken,
                   this->m_errors);
    check_taken(this->m_instance, taken, this->m_errors);
  }
  EXPECT_EQ(arena.statistics().used_bytes, 0u);
  EXPECT_EQ(this->m_errors.read(), 0u);
  EXPECT_EQ(arena.statistics().failed_handle_allocations, 0u);
}

TYPED_TEST(device_handle, handle_without_bytes_takes_a_share_of_the_room) {
  typename TypeParam::arena_type arena(this->m_instance,
                                       TypeParam::options("fixed", 16 * MiB));
  auto const handle = arena.handle();
  auto const used   = arena.statistics().used_bytes;
  EXPECT_GE(used, 4 * MiB);
  EXPECT_LE(used, 12 * MiB);
  Taken const taken(10'000);
  take_and_write(this->m_instance, handle, Asking::all_alike, 1, taken,
                 this->m_errors);
  check_taken(this->m_instance, taken, this->m_errors);
  EXPECT_EQ(ranges(taken).failed, 0u);
  EXPECT_EQ(this->m_errors.read(), 0u);

  // Of an arena that has taken nothing yet, too.
  auto const other = this->m_arena.handle();
  take_and_write(this->m_instance, other, Asking::one_lane, 1, taken,
                 this->m_errors);
  check_taken(this->m_instance, taken, this->m_errors);
  EXPECT_EQ(ranges(taken).failed, 0u);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_handle, no_room_for_a_region_leaves_the_arena_as_it_was) {
  typename TypeParam::arena_type arena(this->m_instance,
                                       TypeParam::options("small one", MiB));
  auto const kept   = arena.handle(512 * KiB);
  auto const before = figures(arena.statistics());
  EXPECT_THROW(static_cast<void>(arena.handle(MiB)), ArenaExhausted);
  EXPECT_THROW(static_cast<void>(arena.handle(~std::size_t(0))),
               ArenaExhausted);
  EXPECT_EQ(figures(arena.statistics()), before);
  Taken const taken(1000);
  take_and_write(this->m_instance, kept, Asking::all_different, 1, taken,
                 this->m_errors);
  check_taken(this->m_instance, taken, this->m_errors);
  EXPECT_EQ(ranges(taken).failed, 0u);
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_handle, region_begins_in_the_order_of_the_instance) {
  // The memory of the region is written late by who had it before; its counter
  // must be zero all the same.
  Taken const taken(1000);
  for (int round = 0; round < 3; ++round) {
    keep_busy(this->m_instance, 20'000, this->m_errors);
    dirty_on_device(this->m_arena, 4 * MiB);
    auto const handle = this->m_arena.handle(1000 * 512);
    take_and_write(this->m_instance, handle, Asking::all_different, 1, taken,
                   this->m_errors);
    check_taken(this->m_instance, taken, this->m_errors);
    EXPECT_EQ(ranges(taken).failed, 0u);
    this->m_arena.reset();
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
}

TYPED_TEST(device_handle, other_instance_may_use_it_once_it_has_waited) {
  auto const other = new_instance();
  Taken const taken(1000);
  for (std::uint64_t round = 0; round < 20; ++round) {
    keep_busy(this->m_instance, 2'000, this->m_errors);
    auto const handle = this->m_arena.handle(1000 * 512);
    KokkosArena::wait_for(other, this->m_instance);
    take_and_write(other, handle, Asking::all_different, round, taken,
                   this->m_errors);
    check_taken(other, taken, this->m_errors);
    this->m_arena.reset(other);
  }
  EXPECT_EQ(this->m_errors.read(), 0u);
  EXPECT_EQ(this->failures(), 0u);
}

// What the host can reach, too.

TEST(device_handle_in_uvm, host_reads_what_kernels_have_written) {
  constexpr std::size_t threads = 10'000;
  auto const instance           = new_instance();
  InUvm::arena_type arena(instance, labelled("uvm"));
  ErrorCount errors;
  Taken const taken(threads);
  auto const handle = arena.handle(threads * 512);
  take_and_write(instance, handle, Asking::all_different, 3, taken, errors);
  EXPECT_EQ(errors.read(), 0u);
  auto const data =
      Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), taken.data);
  auto const extent =
      Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), taken.extent);
  for (std::size_t t = 0; t < threads; ++t) {
    auto const* const elements = reinterpret_cast<Element const*>(data(t));
    for (std::size_t i = 0; i < extent(t); ++i) {
      ASSERT_EQ(elements[i], mixed(t, i));
    }
  }
}

TEST(device_handle_in_uvm, host_takes_views_of_the_same_region) {
  auto const instance = new_instance();
  InUvm::arena_type arena(instance, labelled("uvm"));
  ErrorCount errors;
  auto const handle = arena.handle(MiB);
  instance.fence();
  auto const view = handle.view<std::uint64_t*>(1000);
  ASSERT_NE(view.data(), nullptr);
  fill_pattern(view, 5);
  Taken const taken(1000);
  take_and_write(instance, handle, Asking::all_different, 3, taken, errors);
  check_taken(instance, taken, errors);
  EXPECT_EQ(ranges(taken).failed, 0u);
  EXPECT_TRUE(has_pattern(view, 5));
  EXPECT_EQ(errors.read(), 0u);
  EXPECT_EQ(handle.view<char*>(2 * MiB).data(), nullptr);
  EXPECT_EQ(arena.statistics().failed_handle_allocations, 1u);
}

}  // namespace
