// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random operations on an arena, each held against a model that knows what is
// alive and nothing else. KOKKOS_ARENA_TEST_SEED gives other operations.

#include <KokkosArena_TestConfig.hpp>
#include <KokkosArena_TestSeed.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace KokkosArenaTest;

constexpr int operations_per_configuration = 100'000;
/// Each in an arena of its own, so that the first cycles get their share.
constexpr int operations_per_arena = 2'000;

constexpr std::size_t bounded_bytes = std::size_t(512) << 10;
/// Checked Views share theirs with nobody.
constexpr std::size_t fixed_bytes = std::size_t(is_checked ? 128 : 256) << 10;
constexpr std::size_t most_alive  = 80;

/// What a View takes beside its data: at least Kokkos' header; record, header
/// and rounding together are less than this.
constexpr std::size_t header_bytes  = 128;
constexpr std::size_t most_overhead = 512;

constexpr auto unbounded = std::numeric_limits<std::size_t>::max();

enum class Kind { growing, bounded, fixed };

template <class Sync, Kind K>
struct ModelConfig {
  using arena_type                     = KokkosArena::Arena<Host, Sync>;
  using sync_policy                    = Sync;
  static constexpr Kind kind           = K;
  static constexpr std::size_t maximum = K == Kind::growing   ? unbounded
                                         : K == Kind::bounded ? bounded_bytes
                                                              : fixed_bytes;
  static KokkosArena::ArenaOptions options() {
    KokkosArena::ArenaOptions result;
    result.label         = "tested arena";
    result.maximum_bytes = maximum;
    if (K == Kind::fixed) result.initial_bytes = maximum;
    return result;
  }
};

struct ModelConfigName {
  template <class C>
  static std::string GetName(int) {
    constexpr std::array names{"_growing", "_bounded", "_fixed"};
    return name_of<typename C::sync_policy>() +
           names[static_cast<std::size_t>(C::kind)];
  }
};

/// An element with more alignment than an arena gives by itself.
struct alignas(256) Wide {
  unsigned char bytes[256];
};

/// One share of a View, whatever its type.
struct Share {
  Share()                        = default;
  Share(Share const&)            = delete;
  Share& operator=(Share const&) = delete;
  virtual ~Share()               = default;
  /// \param[in] as_base  In the base space.
  virtual std::unique_ptr<Share> copy(bool as_base) const = 0;
  virtual long use_count() const                          = 0;
  /// Only CheckedSpace knows; there have to be elements.
  virtual bool is_known_as_invalid() const = 0;
};

template <class ViewType>
struct ShareOf final : Share {
  explicit ShareOf(ViewType v) : view(std::move(v)) {}
  std::unique_ptr<Share> copy(bool as_base) const override {
    if (as_base) {
      using base_view = KokkosArena::rebind_view_t<ViewType, Host>;
      return std::make_unique<ShareOf<base_view>>(base_view(view));
    }
    return std::make_unique<ShareOf>(view);
  }
  long use_count() const override { return view.use_count(); }
  bool is_known_as_invalid() const override {
    if constexpr (std::is_same_v<typename ViewType::memory_space, Host>) {
      return true;
    } else {
      try {
        if constexpr (ViewType::rank() == 1) {
          (void)view(0);
        } else {
          (void)view(0, 0);
        }
      } catch (KokkosArena::InvalidViewAccess const&) {
        return true;
      }
      return false;
    }
  }
  ViewType view;
};

/// Bytes that are somebody's, with a pattern of their own.
struct Data {
  unsigned char* address;
  std::size_t bytes;
  std::uint64_t pattern;

  std::uint64_t word(std::size_t i) const {
    return (pattern + i) * 0x9e3779b97f4a7c15u;
  }
  void write() const {
    for (std::size_t i = 0; i < bytes; i += 8) {
      auto const w = word(i);
      std::memcpy(address + i, &w, std::min<std::size_t>(8, bytes - i));
    }
  }
  bool intact() const {
    bool same = true;
    for (std::size_t i = 0; i < bytes; i += 8) {
      auto const w = word(i);
      same         = same && std::memcmp(address + i, &w,
                                         std::min<std::size_t>(8, bytes - i)) == 0;
    }
    return same;
  }
  bool all_zero() const {
    return std::all_of(address, address + bytes,
                       [](unsigned char b) { return b == 0; });
  }
};

struct TrackedView {
  std::vector<std::unique_ptr<Share>> shares;
  Data data;
  std::uint64_t arena_bytes;  ///< By which it raised live_bytes.
  std::uint64_t time;         ///< Of its allocation.
  /// What it had in CheckedSpace has been dropped.
  bool is_invalid = false;
};

struct Raw {
  Data data;
  std::uint64_t time;  ///< Of its allocation.
};

struct Mark {
  KokkosArena::ArenaMark mark;
  std::uint64_t time;
};

/// What a refusal leaves as it was. Not the blocks: empty ones that are too
/// small go back before the arena gives up.
auto lasting(KokkosArena::ArenaStatistics s) {
  s.capacity_bytes = s.blocks = 0;
  return figures(s);
}

/// An arena, what is alive in it, and what its figures have to be.
template <class C>
class Model {
 public:
  using arena_type = typename C::arena_type;

  explicit Model(std::uint64_t seed)
      : m_random(seed), m_arena(std::make_unique<arena_type>(C::options())) {
    m_last = m_arena->statistics();
  }

  void run(int operations) {
    for (m_operation = 0; m_operation < operations; ++m_operation) {
      step();
      check_statistics();
      if (::testing::Test::HasFailure()) return;
    }
    end();
  }

  int operation() const { return m_operation; }
  std::size_t exhausted() const { return m_exhausted; }
  std::size_t survivors() const { return m_survivors; }

 private:
  // ---- the operations

  void step() {
    auto const choice = m_random.below(1000);
    if (choice < 260) {
      make_view();
    } else if (choice < 460) {
      drop_view();
    } else if (choice < 520) {
      copy_view();
    } else if (choice < 570) {
      drop_share();
    } else if (choice < 750) {
      allocate();
    } else if (choice < 870) {
      deallocate();
    } else if (choice < 910) {
      take_mark();
    } else if (choice < 940) {
      rewind();
    } else if (choice < 955) {
      reset();
    } else if (choice < 960) {
      release();
    } else if (choice < 970) {
      frame();
    } else if (choice < 985) {
      ask_for_too_much();
    } else if (choice < 995) {
      misuse();
    } else {
      check_all_data();
    }
  }

  /// Mostly small, now and then large enough for a block of its own.
  std::size_t random_bytes() {
    switch (m_random.below(20)) {
      case 0:
        return 0;
      case 1:
        return m_random.below(std::size_t(100) << 10);
      case 2:
      case 3:
      case 4:
        return m_random.below(std::size_t(16) << 10);
      default:
        return m_random.below(2048);
    }
  }

  template <class F>
  void in_scope(F const& f) {
    KokkosArena::ArenaScope const scope(*m_arena);
    f();
  }

  void make_view() {
    if (m_views.size() >= most_alive) return drop_view();
    auto const bytes  = random_bytes();
    auto const before = m_arena->statistics();
    in_scope([&] {
      try {
        switch (m_random.below(5)) {
          case 0: {
            using View = Kokkos::View<unsigned char*, Scoped>;
            add_view(
                View(Kokkos::view_alloc("bytes", Kokkos::WithoutInitializing),
                     bytes),
                64);
            break;
          }
          case 1: {
            using View = Kokkos::View<std::uint64_t**, Scoped>;
            add_view(
                View(Kokkos::view_alloc("words", Kokkos::WithoutInitializing),
                     bytes / 24, 3),
                64);
            break;
          }
          case 2: {
            using View = Kokkos::View<std::uint64_t*, Scoped>;
            add_view(View("zeros", bytes / 8), 64);
            EXPECT_TRUE(m_zeros_were_zero);
            break;
          }
          case 3: {
            using View = Kokkos::View<unsigned char*, Scoped>;
            add_view(KokkosArena::make_view<View>("made", bytes), 64);
            break;
          }
          default: {
            using View = Kokkos::View<Wide*, Scoped>;
            add_view(KokkosArena::make_view<View>("wide", bytes / sizeof(Wide)),
                     alignof(Wide));
          }
        }
      } catch (KokkosArena::ArenaExhausted const&) {
        check_view_exhaustion(before, bytes);
      } catch (std::exception const& e) {
        // View's own constructor may give the error another type.
        check_view_exhaustion(before, bytes);
        EXPECT_NE(std::string(e.what()).find("tested arena"), std::string::npos)
            << e.what();
      }
    });
  }

  template <class ViewType>
  void add_view(ViewType view, std::size_t alignment) {
    auto const s = m_arena->statistics();
    Data const data{reinterpret_cast<unsigned char*>(view.data()),
                    view.size() * sizeof(typename ViewType::value_type),
                    m_random()};
    EXPECT_EQ(address_of(data.address) % alignment, 0u);
    EXPECT_EQ(view.use_count(), 1);
    if (view.label() == "zeros") m_zeros_were_zero = data.all_zero();
    auto const taken = s.live_bytes - m_live_bytes;
    EXPECT_GE(taken, data.bytes + header_bytes);
    EXPECT_LE(taken, data.bytes + most_overhead + alignment);
    m_live_bytes += taken;
    ++m_total;
    if (data.bytes > 0) occupy(data, data.bytes);
    data.write();
    TrackedView tracked;
    tracked.shares.push_back(
        std::make_unique<ShareOf<ViewType>>(std::move(view)));
    tracked.data        = data;
    tracked.arena_bytes = taken;
    tracked.time        = ++m_time;
    m_views.push_back(std::move(tracked));
  }

  void drop_view() {
    if (m_views.empty()) return;
    // The newest as often as any other: temporaries die like that.
    drop_view_at(m_random.below(2) ? m_views.size() - 1
                                   : m_random.below(m_views.size()));
  }

  void drop_view_at(std::size_t i) {
    auto& view = m_views[i];
    if (!view.is_invalid) {
      EXPECT_TRUE(view.data.intact());
      forget_bytes_of(view);
    }
    m_views.erase(m_views.begin() + static_cast<std::ptrdiff_t>(i));
  }

  void copy_view() {
    if (m_views.empty()) return;
    auto& view = m_views[m_random.below(m_views.size())];
    view.shares.push_back(view.shares.front()->copy(m_random.below(2) == 0));
    EXPECT_EQ(view.shares.front()->use_count(),
              static_cast<long>(view.shares.size()));
  }

  void drop_share() {
    if (m_views.empty()) return;
    auto const i = m_random.below(m_views.size());
    auto& shares = m_views[i].shares;
    if (shares.size() == 1) return drop_view_at(i);
    // Always the oldest: the last share may be one in the base space.
    shares.erase(shares.begin());
  }

  void allocate() {
    if (m_raws.size() >= most_alive) return deallocate();
    auto const bytes     = random_bytes();
    auto const alignment = std::size_t(1)
                           << (m_random.below(4) ? m_random.below(7)
                                                 : m_random.below(14));
    auto const before = m_arena->statistics();
    try {
      auto* const address =
          static_cast<unsigned char*>(m_arena->allocate(bytes, alignment));
      ASSERT_NE(address, nullptr);
      EXPECT_EQ(address_of(address) % std::max<std::size_t>(alignment, 64), 0u);
      Data const data{address, bytes, m_random()};
      occupy(data, std::max<std::size_t>(bytes, 1));
      data.write();
      m_raws.push_back({data, ++m_time});
      ++m_total;
    } catch (KokkosArena::ArenaExhausted const&) {
      check_exhaustion(before, bytes + 64 + 2 * alignment);
    }
  }

  void deallocate() {
    if (m_raws.empty()) return;
    auto const i =
        m_random.below(2) ? m_raws.size() - 1 : m_random.below(m_raws.size());
    auto const raw = m_raws[i];
    EXPECT_TRUE(raw.data.intact());
    m_arena->deallocate(raw.data.address);
    m_occupied.erase(address_of(raw.data.address));
    m_raws.erase(m_raws.begin() + static_cast<std::ptrdiff_t>(i));
  }

  void take_mark() {
    if (m_marks.size() >= 8) m_marks.erase(m_marks.begin());
    m_marks.push_back({m_arena->mark(), m_time});
  }

  void rewind() {
    if (m_marks.empty()) return;
    auto const& mark = m_marks[m_random.below(m_marks.size())];
    m_arena->rewind(mark.mark);
    drop_raws_after(mark.time);
    drop_checked_after(mark.time);
  }

  void reset() {
    if (!is_checked) m_escaped += m_views.size();
    m_survivors += m_views.size();
    ++m_resets;
    m_arena->reset();
    drop_raws_after(0);
    drop_checked_after(0);
  }

  void release() {
    // Every other time of nothing, so that all has to go.
    if (m_random.below(2)) {
      while (!m_views.empty()) drop_view_at(m_views.size() - 1);
    }
    m_arena->release();
    drop_raws_after(0);
    drop_checked_after(0);
    auto const s = m_arena->statistics();
    if (is_checked || m_views.empty()) {
      EXPECT_EQ(s.capacity_bytes, 0u);
      EXPECT_EQ(s.retired_bytes, 0u);
      EXPECT_EQ(s.used_bytes, 0u);
    }
    EXPECT_EQ(s.used_bytes + s.retired_bytes > 0, s.live_bytes > 0);
  }

  void frame() {
    auto const time = m_time;
    {
      KokkosArena::ArenaFrame const frame(*m_arena);
      for (int i = 0; i < 3; ++i) allocate();
      for (int i = 0; i < 3; ++i) make_view();
      if (m_random.below(2)) drop_view();
    }
    drop_raws_after(time);
    drop_checked_after(time);
  }

  void ask_for_too_much() {
    auto const bytes  = C::maximum == unbounded || m_random.below(2)
                            ? std::size_t(1) << 62
                            : C::maximum + 1;
    auto const before = lasting(m_arena->statistics());
    if (m_random.below(2)) {
      EXPECT_THROW((void)m_arena->allocate(bytes), KokkosArena::ArenaExhausted);
    } else {
      using View = Kokkos::View<char*, Scoped>;
      KokkosArena::ArenaScope const scope(*m_arena);
      EXPECT_THROW((void)KokkosArena::make_view<View>("too much", bytes),
                   KokkosArena::ArenaExhausted);
    }
    EXPECT_EQ(lasting(m_arena->statistics()), before);
  }

  void misuse() {
    auto const before = lasting(m_arena->statistics());
    EXPECT_THROW((void)m_arena->allocate(8, 48), std::invalid_argument);
    EXPECT_THROW(m_arena->deallocate(this), std::invalid_argument);
    m_arena->deallocate(nullptr);
    if (!m_views.empty()) {
      // One without elements may point to where another allocation begins.
      auto const& data = m_views[m_random.below(m_views.size())].data;
      if (data.bytes > 0) {
        EXPECT_THROW(m_arena->deallocate(data.address), std::invalid_argument);
      }
    }
    EXPECT_EQ(lasting(m_arena->statistics()), before);
  }

  /// Half of the time Views outlive their arena.
  void end() {
    check_all_data();
    bool const with_views = m_random.below(2) == 0;
    if (!with_views) {
      while (!m_views.empty()) drop_view_at(m_views.size() - 1);
      check_statistics();
    }
    drop_raws_after(0);
    m_arena.reset();
    drop_checked_after(0);
    while (!m_views.empty()) {
      check_all_data();
      drop_view();
    }
    EXPECT_EQ(m_live_bytes, 0u);
    EXPECT_TRUE(m_occupied.empty());
  }

  // ---- the model

  /// Notes that the bytes are somebody's; nobody else may have them.
  void occupy(Data const& data, std::size_t bytes) {
    auto const begin = address_of(data.address);
    auto const end   = begin + bytes;
    auto const next  = m_occupied.lower_bound(begin);
    if (next != m_occupied.end()) {
      EXPECT_LE(end, next->first);
    }
    if (next != m_occupied.begin()) {
      EXPECT_LE(std::prev(next)->second, begin);
    }
    m_occupied[begin] = end;
  }

  void drop_raws_after(std::uint64_t time) {
    while (!m_raws.empty() && m_raws.back().time > time) {
      m_occupied.erase(address_of(m_raws.back().data.address));
      m_raws.pop_back();
    }
  }

  void forget_bytes_of(TrackedView const& view) {
    if (view.data.bytes > 0) m_occupied.erase(address_of(view.data.address));
    m_live_bytes -= view.arena_bytes;
  }

  /// What every View survives that isn't in CheckedSpace.
  void drop_checked_after(std::uint64_t time) {
    if (!is_checked) return;
    for (auto& view : m_views) {
      if (view.is_invalid || view.time <= time) continue;
      view.is_invalid = true;
      ++m_escaped;
      forget_bytes_of(view);
    }
  }

  std::size_t valid_views() const {
    return static_cast<std::size_t>(
        std::count_if(m_views.begin(), m_views.end(),
                      [](auto const& view) { return !view.is_invalid; }));
  }

  void check_view_exhaustion(KokkosArena::ArenaStatistics const& before,
                             std::size_t bytes) {
    auto const most = bytes + most_overhead + 2 * alignof(Wide);
    if (!is_checked) return check_exhaustion(before, most);
    // Checked memory is limited by what is used of it.
    ++m_exhausted;
    EXPECT_EQ(lasting(m_arena->statistics()), lasting(before));
    ASSERT_NE(C::maximum, unbounded);
    EXPECT_GT(before.used_bytes + most, C::maximum);
  }

  /// \param[in] most  That the allocation can have taken, whatever is in its
  ///                  way.
  void check_exhaustion(KokkosArena::ArenaStatistics const& before,
                        std::size_t most) {
    ++m_exhausted;
    EXPECT_EQ(lasting(m_arena->statistics()), lasting(before));
    // Room for one more block is room for the allocation.
    ASSERT_NE(C::maximum, unbounded);
    EXPECT_GT(before.capacity_bytes + before.retired_bytes + most, C::maximum);
    if (!is_checked) {
      EXPECT_GT(most, before.largest_free_bytes);
    }
  }

  void check_all_data() {
    for (auto const& view : m_views) {
      if (!view.is_invalid) {
        EXPECT_TRUE(view.data.intact());
      } else if (view.data.bytes > 0) {
        for (auto const& share : view.shares) {
          EXPECT_TRUE(share->is_known_as_invalid());
        }
      }
    }
    for (auto const& raw : m_raws) EXPECT_TRUE(raw.data.intact());
  }

  void check_statistics() {
    auto const s = m_arena->statistics();
    EXPECT_EQ(s.live_allocations, valid_views());
    EXPECT_EQ(s.live_bytes, m_live_bytes);
    EXPECT_EQ(s.total_allocations, m_total);
    EXPECT_EQ(s.resets, m_resets);
    EXPECT_EQ(s.escaped_views, m_escaped);

    std::uint64_t raw_bytes = 0;
    for (auto const& raw : m_raws) {
      raw_bytes += std::max<std::size_t>(raw.data.bytes, 1);
    }
    EXPECT_GE(s.used_bytes, raw_bytes);
    EXPECT_GE(s.used_bytes + s.retired_bytes, s.live_bytes + raw_bytes);
    if (s.retired_blocks == 0) {
      EXPECT_GE(s.used_bytes, s.live_bytes + raw_bytes);
    }
    if (valid_views() == 0 && m_raws.empty()) {
      EXPECT_EQ(s.used_bytes, 0u);
    }
    EXPECT_LE(s.used_bytes, s.capacity_bytes);
    EXPECT_GE(s.peak_bytes, s.used_bytes);
    EXPECT_GE(s.peak_live_bytes, s.live_bytes);
    EXPECT_LE(s.retired_blocks, m_views.size());
    EXPECT_EQ(s.retired_blocks == 0, s.retired_bytes == 0);
    EXPECT_EQ(s.blocks == 0, s.capacity_bytes == 0);
    EXPECT_GE(s.upstream_bytes, s.capacity_bytes + s.retired_bytes);
    if (C::maximum != unbounded && is_checked) {
      EXPECT_LE(s.used_bytes, 2 * C::maximum);
    } else if (C::maximum != unbounded) {
      EXPECT_LE(s.capacity_bytes + s.retired_bytes, C::maximum);
    }
    EXPECT_GE(s.peak_bytes, m_last.peak_bytes);
    EXPECT_GE(s.peak_live_bytes, m_last.peak_live_bytes);
    EXPECT_GE(s.upstream_allocations, m_last.upstream_allocations);
    m_last = s;
  }

  Random m_random;
  std::unique_ptr<arena_type> m_arena;
  int m_operation = 0;

  std::vector<TrackedView> m_views;
  std::vector<Raw> m_raws;  ///< In the order of their time.
  std::vector<Mark> m_marks;
  std::map<std::uintptr_t, std::uintptr_t> m_occupied;
  std::uint64_t m_time       = 0;
  std::uint64_t m_live_bytes = 0;
  std::uint64_t m_total      = 0;
  std::uint64_t m_resets     = 0;
  std::uint64_t m_escaped    = 0;
  std::size_t m_exhausted    = 0;
  std::size_t m_survivors    = 0;
  bool m_zeros_were_zero     = true;
  KokkosArena::ArenaStatistics m_last;
};

template <class C>
class arena_model : public ::testing::Test {};

using ModelConfigs =
    ::testing::Types<ModelConfig<KokkosArena::Unsynchronized, Kind::growing>,
                     ModelConfig<KokkosArena::Unsynchronized, Kind::bounded>,
                     ModelConfig<KokkosArena::Unsynchronized, Kind::fixed>,
                     ModelConfig<KokkosArena::Locked, Kind::growing>,
                     ModelConfig<KokkosArena::Locked, Kind::bounded>,
                     ModelConfig<KokkosArena::Locked, Kind::fixed>,
                     ModelConfig<KokkosArena::ThreadCached, Kind::growing>,
                     ModelConfig<KokkosArena::ThreadCached, Kind::bounded>,
                     ModelConfig<KokkosArena::ThreadCached, Kind::fixed>>;
TYPED_TEST_SUITE(arena_model, ModelConfigs, ModelConfigName);

TYPED_TEST(arena_model, agrees_with_arena_after_random_operations) {
  auto const first_seed = seed();
  std::cout << "KOKKOS_ARENA_TEST_SEED=" << first_seed << '\n';
  Random seeds(first_seed);
  std::size_t exhausted = 0;
  std::size_t survivors = 0;
  for (int done = 0; done < operations_per_configuration;
       done += operations_per_arena) {
    Model<TypeParam> model(seeds());
    model.run(operations_per_arena);
    if (this->HasFailure()) {
      FAIL() << "in arena " << done / operations_per_arena << ", operation "
             << model.operation() << ", KOKKOS_ARENA_TEST_SEED=" << first_seed;
    }
    exhausted += model.exhausted();
    survivors += model.survivors();
  }
  // That the hard cases did happen.
  EXPECT_GT(survivors, 1000u);
  if (TypeParam::kind == Kind::fixed) {
    EXPECT_GT(exhausted, 100u);
  }
}

}  // namespace
