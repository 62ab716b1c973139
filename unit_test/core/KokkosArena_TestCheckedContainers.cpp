// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random programs over DualView, DynRankView and Views of Views in checked
// memory, each access held against a model that knows what is valid: none that
// is stale goes unnoticed, and there is no false alarm.
// KOKKOS_ARENA_TEST_SEED gives other programs, KOKKOS_ARENA_TEST_OPERATIONS
// longer ones.
#include <KokkosArena_TestConfig.hpp>
#include <KokkosArena_TestSeed.hpp>

#include <Kokkos_DualView.hpp>
#include <Kokkos_DynRankView.hpp>

#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaMark;
using KokkosArena::ArenaScope;
using KokkosArena::InvalidViewAccess;

using Exec   = Kokkos::DefaultHostExecutionSpace;
using Space  = KokkosArena::CheckedSpace<Host>;
using Vector = Kokkos::View<double*, Space>;

#if defined(__linux__)
/// Turns a fault into a result; for what Kokkos does by address.
sigjmp_buf at_fault;
class FaultsAreCaught {
 public:
  FaultsAreCaught() {
    struct sigaction action{};
    action.sa_flags   = SA_NODEFER;
    action.sa_handler = [](int) { siglongjmp(at_fault, 1); };
    sigaction(SIGSEGV, &action, &m_previous);
  }
  FaultsAreCaught(FaultsAreCaught const&)            = delete;
  FaultsAreCaught& operator=(FaultsAreCaught const&) = delete;
  ~FaultsAreCaught() { sigaction(SIGSEGV, &m_previous, nullptr); }

 private:
  struct sigaction m_previous{};
};
#endif

/// Each has a way to be made and one to be read, which says whether its value
/// is there; it throws or faults if it is stale.
struct Dual {
  using type = Kokkos::DualView<double*, Kokkos::Device<Exec, Space>>;
  static constexpr bool faults = false;
  static type make(std::size_t n, double value) {
    type dual("dual", n);
    Kokkos::deep_copy(dual.view_host(), value);
    dual.modify_host();
    dual.sync_device();
    return dual;
  }
  static bool has(type const& dual, std::size_t i, double value) {
    return dual.view_host()(i) == value && dual.view_device()(i) == value;
  }
};

struct Dynamic {
  using type                   = Kokkos::DynRankView<double, Space>;
  static constexpr bool faults = true;
  static type make(std::size_t n, double value) {
    type dynamic("dynamic", n, 2);
    for (std::size_t i = 0; i < n; ++i) dynamic(i, 1) = value;
    return dynamic;
  }
  static bool has(type const& dynamic, std::size_t i, double value) {
    return dynamic(i, 1) == value;
  }
};

/// In HostSpace, only the Views in it are stale. In checked memory, they end
/// when that is dropped.
template <class OuterSpace>
struct ViewOfViews {
  using type                   = Kokkos::View<Vector*, OuterSpace>;
  static constexpr bool faults = false;
  static type make(std::size_t n, double value) {
    type outer(Kokkos::view_alloc("outer", Kokkos::SequentialHostInit), n);
    for (std::size_t i = 0; i < n; ++i) {
      outer(i)    = Vector("inner", 3);
      outer(i)(2) = value;
    }
    return outer;
  }
  static bool has(type const& outer, std::size_t i, double value) {
    return outer(i)(2) == value;
  }
};
using HostViewOfViews    = ViewOfViews<Host>;
using CheckedViewOfViews = ViewOfViews<Space>;

template <class Kind>
class Program {
 public:
  explicit Program(std::uint64_t seed) : m_random(seed) {}

  /// \return Accesses that went wrong.
  std::size_t run(std::uint64_t operations) {
    std::size_t wrong = 0;
    for (std::uint64_t i = 0; i < operations; ++i) wrong += !step();
    return wrong;
  }
  std::size_t stale_accesses() const { return m_stale; }

 private:
  struct Object {
    typename Kind::type value;
    std::size_t n;
    double content;
    std::uint64_t number;
    bool valid;
  };

  bool step() {
    auto const what = m_random.below(100);
    if (what < 12) {
      make();
    } else if (what < 15 && !m_objects.empty()) {
      m_objects.push_back(any());
    } else if (what < 17 && !m_objects.empty()) {
      any() = any();
    } else if (what < 18) {
      m_marks.emplace_back(m_arena.mark(), m_number);
    } else if (what < 19 && !m_marks.empty()) {
      rewind();
    } else if (what < 20) {
      reset();
    } else if (!m_objects.empty()) {
      return access(any());
    }
    while (m_objects.size() > 40) {
      m_objects.erase(
          m_objects.begin() +
          static_cast<std::ptrdiff_t>(m_random.below(m_objects.size())));
    }
    return true;
  }
  Object& any() { return m_objects[m_random.below(m_objects.size())]; }

  void make() {
    ArenaScope const scope(m_arena);
    auto const n = 1 + m_random.below(m_random.below(20) == 0 ? 2000 : 20);
    auto const content = static_cast<double>(++m_number);
    m_objects.push_back({Kind::make(n, content), n, content, m_number, true});
  }
  void rewind() {
    auto const [mark, number] = m_marks[m_random.below(m_marks.size())];
    m_arena.rewind(mark);
    for (auto& object : m_objects) {
      object.valid = object.valid && object.number <= number;
    }
  }
  void reset() {
    m_arena.reset();
    for (auto& object : m_objects) object.valid = false;
  }

  /// \return Whether it is as it should be.
  bool access(Object const& object) {
    auto const i = m_random.below(object.n);
    m_stale += !object.valid;
    if constexpr (Kind::faults) {
#if defined(__linux__)
      FaultsAreCaught const caught;
      if (sigsetjmp(at_fault, 1) != 0) return !object.valid;
#endif
      return Kind::has(object.value, i, object.content) && object.valid;
    } else {
      try {
        return Kind::has(object.value, i, object.content) && object.valid;
      } catch (InvalidViewAccess const&) {
        return !object.valid;
      }
    }
  }

  Arena<Host> m_arena{KokkosArena::ArenaOptions{.huge_pages = false}};
  Random m_random;
  std::uint64_t m_number = 0;
  std::vector<std::pair<ArenaMark, std::uint64_t>> m_marks;
  std::vector<Object> m_objects;
  std::size_t m_stale = 0;
};

template <class Kind>
struct checked_containers : ::testing::Test {};
using Kinds =
    ::testing::Types<Dual, Dynamic, HostViewOfViews, CheckedViewOfViews>;
struct KindName {
  template <class Kind>
  static std::string GetName(int) {
    return std::is_same_v<Kind, Dual>              ? "dual_view"
           : std::is_same_v<Kind, Dynamic>         ? "dyn_rank_view"
           : std::is_same_v<Kind, HostViewOfViews> ? "host_view_of_views"
                                                   : "checked_view_of_views";
  }
};
TYPED_TEST_SUITE(checked_containers, Kinds, KindName);

TYPED_TEST(checked_containers, every_stale_access_is_found_and_no_other) {
  if (TypeParam::faults && is_sanitized) {
    GTEST_SKIP() << "a sanitizer wants the faults";
  }
  auto const operations =
      from_environment("KOKKOS_ARENA_TEST_OPERATIONS", 20'000);
  std::cout << "seed " << seed() << '\n';
  Program<TypeParam> program(seed());
  EXPECT_EQ(program.run(operations), 0u);
  EXPECT_GT(program.stale_accesses(), operations / 10);
}

}  // namespace
