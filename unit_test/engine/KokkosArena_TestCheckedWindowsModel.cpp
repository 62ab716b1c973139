// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random programs over the host's checked memory, of several stores at once,
// held against a model: Views that are valid keep what is in them and can be
// accessed, those that were dropped can't. Now and then the system or the heap
// has no memory. KOKKOS_ARENA_TEST_SEED gives other programs,
// KOKKOS_ARENA_TEST_OPERATIONS longer ones.
#include "KokkosArena_TestCore.hpp"

#include <KokkosArena_CountingNew.hpp>
#include <KokkosArena_Error.hpp>
#include <KokkosArena_TestRandom.hpp>
#include <KokkosArena_TestSeed.hpp>
#include <engine/KokkosArena_CheckedAddresses.hpp>
#include <engine/KokkosArena_CheckedStore.hpp>
#include <engine/KokkosArena_HostCheckedMemory.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <memory>
#include <new>
#include <thread>
#include <utility>
#include <vector>

namespace {

using KokkosArena::ArenaExhausted;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaStatistics;
using KokkosArena::Revoke;
using KokkosArena::Impl::checked_addresses;
using KokkosArena::Impl::CheckedAllocation;
using KokkosArena::Impl::CheckedPage;
using KokkosArena::Impl::CheckedStore;
using KokkosArena::Impl::HostCheckedMemory;
using KokkosArena::Impl::ViewExtents;
using namespace KokkosArenaTest;

constexpr std::size_t kib = 1024;

/// The host's, which fails now and then.
class Host final : public HostCheckedMemory {
 public:
  void fail_once() noexcept { m_fails = true; }
  bool lend(std::uintptr_t begin, std::size_t bytes,
            bool huge_pages) noexcept override {
    return !std::exchange(m_fails, false) &&
           HostCheckedMemory::lend(begin, bytes, huge_pages);
  }
  bool move(std::uintptr_t from, std::uintptr_t to,
            std::size_t bytes) noexcept override {
    return !std::exchange(m_fails, false) &&
           HostCheckedMemory::move(from, to, bytes);
  }

 private:
  bool m_fails = false;
};

/// As an access finds it.
bool is_dropped(void const* address) {
  return KokkosArena::Impl::may_be_dropped(address) &&
         *KokkosArena::Impl::page_of(address) == CheckedPage::dropped;
}

/// Whether addresses last for all of a test, so that none comes again: what
/// was dropped is known as long as nobody else has got its addresses.
bool addresses_last(std::ptrdiff_t bytes = std::ptrdiff_t(1) << 40) {
  return checked_addresses.end - checked_addresses.begin >= bytes;
}

struct TestView {
  CheckedAllocation* allocation;
  unsigned char pattern;
  std::uint64_t frame;
  std::uint64_t epoch;
  bool dropped = false;

  unsigned char* data() const {
    return static_cast<unsigned char*>(allocation->data);
  }
  std::size_t bytes() const { return allocation->data_bytes; }
  /// What is looked at, of large ones.
  std::size_t end_bytes() const {
    return std::min<std::size_t>(bytes(), 2 * kib);
  }

  void fill() const {
    std::memset(data(), pattern, end_bytes());
    std::memset(data() + bytes() - end_bytes(), pattern, end_bytes());
  }
  void expect_valid() const {
    EXPECT_FALSE(is_dropped(data()));
    EXPECT_FALSE(is_dropped(data() + bytes() - 1));
    auto const is_kept = [&](unsigned char const* begin) {
      return std::all_of(begin, begin + end_bytes(),
                         [&](unsigned char c) { return c == pattern; });
    };
    EXPECT_TRUE(is_kept(data()));
    EXPECT_TRUE(is_kept(data() + bytes() - end_bytes()));
  }
  void expect_dropped() const {
    EXPECT_TRUE(is_dropped(data()));
    EXPECT_TRUE(is_dropped(data() + bytes() - 1));
  }
};

/// A store, and what is known of its Views.
class ModelledStore {
 public:
  ModelledStore(Host& memory, Random& random, ArenaOptions const& options)
      : m_memory(memory),
        m_random(random),
        m_maximum_bytes(options.maximum_bytes),
        m_core(make_core(options)),
        m_store(m_core->checked_store(&memory)) {}
  ModelledStore(ModelledStore const&)            = delete;
  ModelledStore& operator=(ModelledStore const&) = delete;

  /// The arena's end, and then that of its Views.
  ~ModelledStore() {
    m_core.reset();
    drop([](TestView const&) { return true; });
    while (!m_views.empty()) give_back(m_views.size() - 1);
  }

  void operate() {
    auto const what = m_random.below(1000);
    if (what < 450) return allocate();
    if (what < 650) return give_back_any();
    if (what < 790) return begin_frame();
    if (what < 930) return end_frame();
    if (what < 950) return mark();
    if (what < 965) return rewind();
    if (what < 995) return reset();
    release();
  }

  void expect_agreement() {
    ArenaStatistics s;
    m_store.add_to(s);
    std::size_t bytes   = 0;
    std::uint64_t valid = 0;
    for (auto const& view : m_views) {
      if (view.dropped) continue;
      bytes += view.allocation->bytes;
      ++valid;
    }
    EXPECT_EQ(s.live_bytes, bytes);
    EXPECT_EQ(s.live_allocations, valid);
    EXPECT_GE(s.used_bytes, s.live_bytes);
    EXPECT_GE(s.capacity_bytes, s.used_bytes);
    EXPECT_LE(s.used_bytes, m_maximum_bytes);
    EXPECT_LE(s.free_bytes, s.capacity_bytes);
    EXPECT_LE(s.largest_free_bytes, s.free_bytes);
    EXPECT_GE(s.peak_bytes, s.used_bytes);
    EXPECT_EQ(s.capacity_bytes == 0, s.blocks == 0);
  }

 private:
  void allocate() {
    // Otherwise most end with their cycle.
    if (m_views.size() > (addresses_last() ? 200 : 50)) return give_back_any();
    constexpr std::size_t sizes[] = {64,        64,        1000,      5 * kib,
                                     5 * kib,   20 * kib,  40 * kib,  100 * kib,
                                     300 * kib, 700 * kib, 2100 * kib};
    constexpr std::size_t alignments[] = {
        64, 64, 64, 64, 4 * kib, 64 * kib, 512 * kib, 4096 * kib};
    // Where addresses are few, what moves at once mustn't need all of them.
    std::size_t const most_sizes = addresses_last() ? 11 : 9;
    // Beyond that of windows, what is left out may exceed the maximum.
    std::size_t const most_alignments =
        addresses_last() && m_maximum_bytes == unlimited ? 8 : 6;
    auto const bytes =
        1 +
        m_random.below(sizes[m_random.below(m_random.below(most_sizes) + 1)]);
    auto const alignment =
        alignments[m_random.below(m_random.below(most_alignments) + 1)];
    ViewExtents extents;
    // That of raw memory isn't known.
    if (m_random.below(5) != 0) extents.rank = 1;
    auto const frame =
        m_frames.empty() ? 0 : m_frames[m_random.below(m_frames.size())];
    auto const failure       = m_random.below(50);
    CheckedAllocation* found = nullptr;
    auto const make          = [&] {
      found = m_store.allocate(128, bytes, alignment, "v", extents, frame);
    };
    try {
      if (failure == 0) m_memory.fail_once();
      // What has no note then counts as used, beyond a maximum.
      if (failure == 1 && m_maximum_bytes == unlimited) {
        HeapFailure const no_heap(m_random.below(8));
        make();
      } else if (failure == 2 && m_maximum_bytes == unlimited) {
        HeapFailure const no_heap;
        make();
      } else {
        make();
      }
    } catch (ArenaExhausted const&) {
      return;
    } catch (std::bad_alloc const&) {
      EXPECT_TRUE(failure == 1 || failure == 2);
      return;
    }
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(found->data) % alignment, 0u);
    TestView const made{.allocation = found,
                        .pattern    = static_cast<unsigned char>(m_random()),
                        .frame      = frame,
                        .epoch      = m_core->current_epoch()};
    EXPECT_FALSE(is_dropped(made.data()));
    EXPECT_FALSE(is_dropped(made.data() + bytes - 1));
    made.fill();
    m_views.push_back(made);
  }

  void give_back_any() {
    if (m_views.empty()) return;
    give_back(m_random.below(m_views.size()));
  }
  void give_back(std::size_t i) {
    auto const view = m_views[i];
    expect_state(view);
    if (!view.dropped || addresses_last()) {
      EXPECT_EQ(m_store.find(view.data(), view.dropped), view.allocation);
    }
    CheckedStore::give_back(view.allocation);
    m_views[i] = m_views.back();
    m_views.pop_back();
  }

  void begin_frame() {
    if (m_frames.size() < 30) m_frames.push_back(m_core->mark().epoch());
  }
  void end_frame() {
    if (m_frames.empty()) return;
    // Most often the innermost; threads may have others.
    auto const i     = m_random.below(4) == 0 ? m_random.below(m_frames.size())
                                              : m_frames.size() - 1;
    auto const frame = m_frames[i];
    m_frames.erase(m_frames.begin() + static_cast<std::ptrdiff_t>(i));
    m_store.end_frame(frame, {});
    drop([&](TestView const& view) { return view.frame == frame; });
  }

  void mark() {
    m_marks.push_back(m_core->mark().epoch());
    m_store.count_mark();
  }
  void rewind() {
    if (m_marks.empty()) return;
    m_marks.resize(1 + m_random.below(m_marks.size()));
    auto const mark = m_marks.back();
    m_store.rewind(mark, {});
    drop([&](TestView const& view) { return view.epoch > mark; });
  }

  void reset() {
    if (m_random.below(20) == 0) m_memory.fail_once();
    m_store.reset({});
    drop([](TestView const&) { return true; });
    m_marks.clear();
  }
  void release() {
    m_store.release({});
    drop([](TestView const&) { return true; });
    m_marks.clear();
    ArenaStatistics s;
    m_store.add_to(s);
    EXPECT_EQ(s.capacity_bytes, 0u);
    EXPECT_EQ(s.used_bytes, 0u);
    EXPECT_EQ(s.blocks, 0u);
  }

  static void expect_state(TestView const& view) {
    if (!view.dropped) {
      view.expect_valid();
    } else if (addresses_last()) {
      view.expect_dropped();
    }
  }
  /// What the store has dropped just now.
  template <class Predicate>
  void drop(Predicate const& is_among) {
    for (auto& view : m_views) {
      if (view.dropped) continue;
      view.dropped = is_among(view);
      expect_state(view);
    }
  }

  Host& m_memory;
  Random& m_random;
  std::size_t m_maximum_bytes;
  TestCore<> m_core;
  CheckedStore& m_store;
  std::vector<TestView> m_views;
  std::vector<std::uint64_t> m_frames;
  std::vector<std::uint64_t> m_marks;
};

ArenaOptions random_options(Random& random) {
  constexpr std::size_t most[] = {unlimited, unlimited, 20 * kib, 4096 * kib};
  constexpr std::size_t initial[] = {0, 0, 10 * kib, 1024 * kib};
  ArenaOptions result;
  result.maximum_bytes = most[random.below(4)];
  result.initial_bytes =
      std::min(initial[random.below(4)], result.maximum_bytes);
  result.huge_pages  = random.below(2) == 0;
  result.guard_pages = random.below(8) == 0;
  if (random.below(4) == 0) result.revoke = Revoke::at_once;
  return result;
}

TEST(checked_windows_model, agrees_with_stores_in_random_programs) {
  auto const seed_used = seed();
  auto const operations =
      from_environment("KOKKOS_ARENA_TEST_OPERATIONS", 50'000);
  std::cout << "KOKKOS_ARENA_TEST_SEED=" << seed_used << '\n';
  ASSERT_TRUE(KokkosArena::Impl::reserve_checked_addresses());
  static Host memory;
  Random random(seed_used);
  std::vector<std::unique_ptr<ModelledStore>> stores(3);
  for (std::uint64_t i = 0; i < operations && !HasFailure(); ++i) {
    auto& store = stores[random.below(stores.size())];
    if (!store || random.below(3000) == 0) {
      store.reset();
      store = std::make_unique<ModelledStore>(memory, random,
                                              random_options(random));
    }
    store->operate();
    if (random.below(8) == 0) store->expect_agreement();
    if (HasFailure()) std::cout << "operation " << i << '\n';
  }
}

/// Each has frames within frames in one store: what they drop lies between what
/// others have, and what is found valid without a look at the table changes.
TEST(checked_windows_model, frames_of_threads_drop_what_is_theirs) {
  static Host memory;
  ASSERT_TRUE(KokkosArena::Impl::reserve_checked_addresses());
  auto core          = make_core();
  auto& store        = core->checked_store(&memory);
  auto const program = [&](std::uint64_t thread) {
    Random random(seed() + thread);
    struct Frame {
      std::uint64_t id;
      std::vector<TestView> views;
    };
    std::vector<Frame> frames;
    for (int i = 0; i < 2000; ++i) {
      auto const what = random.below(10);
      if (frames.empty() || (what < 3 && frames.size() < 8)) {
        frames.push_back({core->mark().epoch(), {}});
      } else if (what < 6) {
        auto const frame = std::move(frames.back());
        frames.pop_back();
        for (auto const& view : frame.views) view.expect_valid();
        store.end_frame(frame.id, {});
        for (auto const& view : frame.views) {
          if (addresses_last(std::ptrdiff_t(1) << 30)) view.expect_dropped();
          CheckedStore::give_back(view.allocation);
        }
      } else {
        auto& frame = frames.back();
        TestView const made{.allocation = store.allocate(
                                128, 1 + random.below(10 * kib), 64, "v",
                                {.rank = 1, .extent = {}}, frame.id),
                            .pattern = static_cast<unsigned char>(random()),
                            .frame   = frame.id,
                            .epoch   = 0};
        made.fill();
        frame.views.push_back(made);
        for (auto const& f : frames) {
          for (auto const& view : f.views) view.expect_valid();
        }
      }
    }
    for (auto const& frame : frames) {
      for (auto const& view : frame.views) {
        view.expect_valid();
        CheckedStore::give_back(view.allocation);
      }
      store.end_frame(frame.id, {});
    }
  };
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 4; ++i) threads.emplace_back(program, i);
  for (auto& thread : threads) thread.join();
  store.release({});
  ArenaStatistics s;
  store.add_to(s);
  EXPECT_EQ(s.live_allocations, 0u);
  EXPECT_EQ(s.capacity_bytes, 0u);
}

}  // namespace
