// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What happens where the system refuses what checked memory asks for: memory
// that is somebody else's stays as it is, and what was promised is refused with
// a message, or kept.
#include <KokkosArena_TestChild.hpp>
#include <KokkosArena_TestConfig.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#if defined(__linux__)

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::Arena;
using KokkosArena::ArenaExhausted;
using KokkosArena::ArenaOptions;
using KokkosArena::ArenaScope;
using KokkosArena::make_view;

using Bytes = Kokkos::View<char*, KokkosArena::CheckedSpace<Host>>;

/// Memory of somebody else, all of whose bytes are the same.
class Foreign {
 public:
  /// Anywhere, or in a hole at the address. Shared, so that no limit on private
  /// memory counts it.
  explicit Foreign(std::size_t bytes, void* hole = nullptr) : m_bytes(bytes) {
    void* const got = mmap(
        hole, bytes, PROT_READ | PROT_WRITE,
        MAP_SHARED | MAP_ANONYMOUS | (hole ? MAP_FIXED_NOREPLACE : 0), -1, 0);
    if (got == MAP_FAILED) return;
    m_data = static_cast<unsigned char*>(got);
    std::memset(m_data, value, bytes);
  }
  Foreign(Foreign&& other) noexcept
      : m_data(std::exchange(other.m_data, nullptr)), m_bytes(other.m_bytes) {}
  ~Foreign() {
    if (m_data) munmap(m_data, m_bytes);
  }
  bool exists() const { return m_data != nullptr; }
  /// \return Whether all bytes are what they were.
  bool is_whole() const {
    // Each is as the one before it.
    return m_data == nullptr ||
           (m_data[0] == value &&
            std::memcmp(m_data, m_data + 1, m_bytes - 1) == 0);
  }

 private:
  static constexpr unsigned char value = 0xa5;
  unsigned char* m_data                = nullptr;
  std::size_t m_bytes;
};

// The program's own mremap() and mprotect() come before those of libc.

enum class Moves { as_usual, fail_and_leave_a_hole, fail_at_once };
Moves moves = Moves::as_usual;
/// Who has taken the holes.
std::vector<Foreign>* in_holes = nullptr;

/// What mprotect() fails with.
int protect_error = 0;

}  // namespace

extern "C" void* mremap(void* from, std::size_t old_bytes,
                        std::size_t new_bytes, int flags, ...) noexcept {
  std::va_list arguments;
  va_start(arguments, flags);
  auto* const to = va_arg(arguments, void*);
  va_end(arguments);
  if ((flags & MREMAP_FIXED) != 0 && moves != Moves::as_usual) {
    if (moves == Moves::fail_and_leave_a_hole) {
      munmap(to, new_bytes);
      if (in_holes) in_holes->emplace_back(new_bytes, to);
    }
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return reinterpret_cast<void*>(
      syscall(SYS_mremap, from, old_bytes, new_bytes, flags, to));
}

extern "C" int mprotect(void* address, std::size_t bytes, int access) noexcept {
  if (protect_error != 0) {
    errno = protect_error;
    return -1;
  }
  return static_cast<int>(syscall(SYS_mprotect, address, bytes, access));
}

namespace {

constexpr std::size_t window = std::size_t(16) << 20;

/// \brief Makes a View of most of a window, and writes all of it.
/// \return Whether there was memory.
bool use_window(Arena<Host>& arena) {
  ArenaScope const scope(arena);
  try {
    auto const view = make_view<Bytes>("of a window", window - 65536);
    std::memset(view.data(), 0xff, view.extent(0));
    return true;
  } catch (ArenaExhausted const&) {
    return false;
  }
}

bool are_whole(std::vector<Foreign> const& all) {
  return std::all_of(all.begin(), all.end(),
                     [](Foreign const& one) { return one.is_whole(); });
}

/// Private memory that can be written, as RLIMIT_DATA counts it.
std::size_t data_bytes() {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    std::size_t kibibytes = 0;
    if (word == "VmData:" && file >> kibibytes) return kibibytes << 10;
  }
  return 0;
}

void limit_data(std::size_t bytes) {
  rlimit limit{};
  getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = bytes;
  setrlimit(RLIMIT_DATA, &limit);
}

// --------------------------------------------------- memory of somebody else

// RLIMIT_DATA counts a window twice while it moves.
TEST(pages, of_others_are_left_alone_where_a_limit_lets_no_window_move) {
  auto const code = code_in_child([] {
    std::vector<Foreign> others;
    others.reserve(100);
    Arena<Host> arena(ArenaOptions{.label = "limited"});
    if (!use_window(arena)) return 1;
    limit_data(data_bytes() + window / 2);
    // Whether it does count, of pages of our own.
    auto* const from = mmap(nullptr, 2 * window, PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    auto* const to   = static_cast<char*>(from) + window;
    if (mprotect(from, 4096, PROT_READ | PROT_WRITE) != 0) return child_skips;
    limit_data(data_bytes());
    if (mremap(from, 4096, 4096,
               MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
               to) != MAP_FAILED) {
      return child_skips;
    }
    limit_data(data_bytes() + window / 2);
    for (int cycle = 0; cycle < 6; ++cycle) {
      arena.reset();
      // Whoever maps something now gets a hole, if there is one.
      others.emplace_back(window);
      others.emplace_back(window / 4);
      if (!use_window(arena)) return 2;
    }
    return are_whole(others) ? 0 : 3;
  });
  if (code == child_skips) GTEST_SKIP() << "the system moves pages past limits";
  EXPECT_EQ(code, 0);
}

TEST(pages, of_others_who_have_got_the_hole_of_a_failed_move_are_left_alone) {
  EXPECT_EQ(code_in_child([] {
              std::vector<Foreign> others;
              others.reserve(100);
              in_holes = &others;
              Arena<Host> arena(ArenaOptions{.label = "robbed"});
              if (!use_window(arena)) return 1;
              for (int cycle = 0; cycle < 6; ++cycle) {
                moves = Moves::fail_and_leave_a_hole;
                arena.reset();
                moves = Moves::as_usual;
                if (!use_window(arena)) return 2;
              }
              if (others.empty() || !others[0].exists()) return 3;
              return are_whole(others) ? 0 : 4;
            }),
            0);
}

TEST(pages, hole_of_a_failed_move_is_reserved_again) {
  EXPECT_EQ(code_in_child([] {
              Arena<Host> arena(ArenaOptions{.label = "with holes"});
              std::vector<Foreign> others;
              others.reserve(100);
              for (int cycle = 0; cycle < 6; ++cycle) {
                if (!use_window(arena)) return 1;
                moves = Moves::fail_and_leave_a_hole;
                arena.reset();
                moves = Moves::as_usual;
                others.emplace_back(window);
              }
              return are_whole(others) ? 0 : 2;
            }),
            0);
}

// Which leaves it open whether there is a hole, so that addresses are lost; but
// not all of them.
TEST(pages, moves_that_always_fail_do_not_use_up_the_addresses) {
  EXPECT_EQ(code_in_child([] {
              moves = Moves::fail_at_once;
              Arena<Host> arena(ArenaOptions{.label = "resident"});
              for (int cycle = 0; cycle < 40; ++cycle) {
                if (!use_window(arena)) return 1;
                arena.reset();
              }
              return 0;
            }),
            0);
}

TEST(pages, can_be_lent_where_a_filter_refuses_mprotect) {
  EXPECT_EQ(code_in_child([] {
              protect_error = EPERM;
              Arena<Host> arena(ArenaOptions{.label = "filtered"});
              for (int cycle = 0; cycle < 3; ++cycle) {
                if (!use_window(arena)) return 1;
                arena.reset();
              }
              return 0;
            }),
            0);
}

TEST(pages, that_cannot_be_lent_are_an_exception_and_the_next_view_works) {
  Arena<Host> arena(ArenaOptions{.label = "refused"});
  auto const before = figures(arena.statistics());
  protect_error     = ENOMEM;
  EXPECT_FALSE(use_window(arena));
  protect_error = 0;
  EXPECT_EQ(figures(arena.statistics()), before);
  EXPECT_TRUE(use_window(arena));
}

// ----------------------------------------------------------------- guard pages

ArenaOptions guarded() {
  return ArenaOptions{.label = "guarded", .guard_pages = true};
}

/// \return What the exception of a View in the arena says; empty: there is
/// none.
std::string refusal(Arena<Host>& arena, std::size_t bytes,
                    std::vector<Bytes>* views = nullptr) {
  ArenaScope const scope(arena);
  try {
    auto const view = make_view<Bytes>("walled", bytes);
    if (views) views->push_back(view);
    return "";
  } catch (ArenaExhausted const& e) {
    return e.what();
  }
}

bool says_what_to_do(std::string const& message) {
  for (auto const* part : {"arena \"guarded\"", "View \"walled\"",
                           "vm.max_map_count", "guard_pages off"}) {
    if (message.find(part) == message.npos) return false;
  }
  return true;
}

TEST(guard_pages, that_cannot_be_had_are_an_exception) {
  Arena<Host> arena(guarded());
  for (int const error : {EPERM, ENOMEM}) {
    std::vector<Bytes> views;
    auto const first = figures(arena.statistics());
    // With a window of its own, and without.
    for (int i = 0; i < 3; ++i) {
      auto const before = figures(arena.statistics());
      protect_error     = error;
      auto const said   = refusal(arena, 100);
      protect_error     = 0;
      EXPECT_TRUE(says_what_to_do(said)) << said;
      EXPECT_EQ(figures(arena.statistics()), before);
      EXPECT_EQ(refusal(arena, 100, &views), "");
    }
    for (auto const& view : views) std::memset(view.data(), 1, 100);
    views.clear();
    arena.release();
    EXPECT_EQ(arena.statistics().live_allocations, std::get<5>(first));
  }
}

/// The process has all mappings that it may have, but for a few.
class ManyMappings {
 public:
  ManyMappings() {
    std::ifstream("/proc/sys/vm/max_map_count") >> m_most;
    if (m_most == 0 || m_most > 300'000) return;
    m_bytes = m_most * page;
    m_data  = static_cast<char*>(
        mmap(nullptr, m_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    std::size_t i = 1;
    while (i < m_most && protect(i, PROT_READ)) i += 2;
    m_full = i < m_most;
    for (int k = 0; k < 200 && i > 2; ++k) protect(i -= 2, PROT_NONE);
  }
  ManyMappings(ManyMappings const&)            = delete;
  ManyMappings& operator=(ManyMappings const&) = delete;
  ~ManyMappings() {
    if (m_data) munmap(m_data, m_bytes);
  }
  bool are_all() const { return m_full; }

 private:
  static constexpr std::size_t page = 4096;
  bool protect(std::size_t i, int access) {
    return mprotect(m_data + i * page, page, access) == 0;
  }
  std::size_t m_most  = 0;
  std::size_t m_bytes = 0;
  char* m_data        = nullptr;
  bool m_full         = false;
};

TEST(guard_pages, are_an_exception_when_there_are_too_many_mappings) {
  if (is_thread_sanitized) {
    GTEST_SKIP() << "ThreadSanitizer ends a program that has no more mappings";
  }
  auto const code = code_in_child([] {
    Arena<Host> arena(guarded());
    std::vector<Bytes> views;
    views.reserve(2000);
    {
      ManyMappings const mappings;
      if (!mappings.are_all()) return child_skips;
      std::string said;
      while (said.empty() && views.size() < 2000) {
        said = refusal(arena, 100, &views);
      }
      if (!says_what_to_do(said)) {
        std::fprintf(stderr, "after %zu Views: %s\n", views.size(),
                     said.c_str());
        return 1;
      }
      if (arena.statistics().live_allocations != views.size()) return 2;
    }
    if (!refusal(arena, 100, &views).empty()) return 3;
    for (auto const& view : views) std::memset(view.data(), 1, 100);
    return 0;
  });
  if (code == child_skips) GTEST_SKIP() << "a process may have any mappings";
  EXPECT_EQ(code, 0);
}

TEST(guard_pages, that_cannot_be_opened_again_are_given_to_nobody) {
  EXPECT_EQ(code_in_child([] {
              Arena<Host> arena(guarded());
              std::vector<Bytes> views;
              for (int i = 0; i < 8; ++i) {
                if (!refusal(arena, 100, &views).empty()) return 1;
              }
              protect_error = ENOMEM;
              views.erase(views.begin() + 2, views.begin() + 5);
              views.pop_back();
              protect_error = 0;
              for (int i = 0; i < 20; ++i) {
                for (auto const bytes : {100u, 5000u, 9000u, 20000u}) {
                  if (!refusal(arena, bytes, &views).empty()) return 2;
                  std::memset(views.back().data(), i, bytes);
                }
              }
              views.clear();
              arena.reset();
              if (!refusal(arena, 200'000, &views).empty()) return 3;
              std::memset(views.back().data(), 1, 200'000);
              return 0;
            }),
            0);
}

}  // namespace

#endif
