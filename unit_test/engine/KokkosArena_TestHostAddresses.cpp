// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_TestBytes.hpp>
#include <KokkosArena_TestRandom.hpp>
#include <engine/KokkosArena_HostAddresses.hpp>
#include <engine/KokkosArena_Pages.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace KokkosArena::Impl;
using KokkosArenaTest::all_are;
using KokkosArenaTest::Random;
using KokkosArenaTest::unlimited;

constexpr std::size_t GiB = std::size_t(1) << 30;

/// A run that goes back.
class TakenRun {
 public:
  explicit TakenRun(std::size_t bytes) : m_run(take_run(bytes)) {}
  ~TakenRun() {
    if (m_run.bytes > 0) give_back_run(m_run);
  }
  TakenRun(TakenRun const&)            = delete;
  TakenRun& operator=(TakenRun const&) = delete;

  AddressRun const& get() const { return m_run; }
  std::uintptr_t begin() const { return m_run.begin; }
  std::uintptr_t end() const { return m_run.begin + m_run.bytes; }
  unsigned char* data() const {
    return reinterpret_cast<unsigned char*>(m_run.begin);
  }
  /// \return Whether so many bytes are usable then.
  bool resize(std::size_t bytes, bool huge_pages = false) {
    if (bytes > m_usable) {
      if (!extend_run(m_run, m_usable, bytes, huge_pages)) return false;
    } else {
      shrink_run(m_run, bytes, m_usable);
    }
    m_usable = bytes;
    return true;
  }

 private:
  AddressRun m_run;
  std::size_t m_usable = 0;
};

/// Never looked into.
Core* owner(std::uintptr_t number) {
  return reinterpret_cast<Core*>(number * 64);
}

TEST(host_addresses, runs_are_disjoint_and_large_enough) {
  std::map<std::uintptr_t, std::uintptr_t> taken;
  std::vector<std::unique_ptr<TakenRun>> runs;
  for (std::size_t const bytes :
       {std::size_t(0), std::size_t(1), GiB, GiB + 1, 3 * GiB}) {
    runs.push_back(std::make_unique<TakenRun>(bytes));
    auto const& run = *runs.back();
    ASSERT_GE(run.get().bytes, std::max<std::size_t>(bytes, 1));
    EXPECT_EQ(run.begin() % (std::size_t(2) << 20), 0u);
    taken[run.begin()] = run.end();
  }
  std::uintptr_t behind = 0;
  for (auto const& [begin, end] : taken) {
    EXPECT_GE(begin, behind);
    behind = end;
  }
}

TEST(host_addresses, unbounded_run_is_a_share_of_which_there_are_several) {
  TakenRun const first(unlimited), second(unlimited);
  EXPECT_GE(first.get().bytes, GiB);
  EXPECT_EQ(second.get().bytes, first.get().bytes);
  EXPECT_NE(second.begin(), first.begin());
}

TEST(host_addresses, run_that_was_given_back_is_taken_again_and_zero) {
  std::uintptr_t begin = 0;
  {
    TakenRun run(GiB);
    begin = run.begin();
    ASSERT_TRUE(run.resize(run_page_bytes));
    std::memset(run.data(), 0xab, run_page_bytes);
  }
  TakenRun run(GiB);
  EXPECT_EQ(run.begin(), begin);
  ASSERT_TRUE(run.resize(2 * run_page_bytes));
  EXPECT_TRUE(all_are(run.data(), 2 * run_page_bytes, 0));
}

TEST(host_addresses, have_the_owner_that_was_set_throughout_the_run) {
  TakenRun const first(2 * GiB), second(GiB);
  auto const at = [](std::uintptr_t address) {
    return owner_of(reinterpret_cast<void const*>(address));
  };
  EXPECT_EQ(at(first.begin()), nullptr);
  set_owner(first.get(), owner(1));
  set_owner(second.get(), owner(2));
  EXPECT_EQ(at(first.begin()), owner(1));
  EXPECT_EQ(at(first.begin() + GiB), owner(1));
  EXPECT_EQ(at(first.end() - 1), owner(1));
  EXPECT_EQ(at(second.begin()), owner(2));
  EXPECT_EQ(at(second.end() - 1), owner(2));
  set_owner(first.get(), nullptr);
  EXPECT_EQ(at(first.begin()), nullptr);
  EXPECT_EQ(at(second.begin()), owner(2));
}

TEST(host_addresses, outside_all_runs_have_no_owner) {
  TakenRun const run(GiB);
  set_owner(run.get(), owner(1));
  int local = 0;
  EXPECT_EQ(owner_of(nullptr), nullptr);
  EXPECT_EQ(owner_of(&local), nullptr);
  EXPECT_EQ(owner_of(reinterpret_cast<void const*>(~std::uintptr_t(0))),
            nullptr);
  EXPECT_EQ(owner_of(reinterpret_cast<void const*>(run.end())), nullptr);
}

TEST(host_addresses, of_a_run_that_was_given_back_have_no_owner) {
  std::uintptr_t begin = 0;
  {
    TakenRun const run(GiB);
    begin = run.begin();
    set_owner(run.get(), owner(1));
  }
  EXPECT_EQ(owner_of(reinterpret_cast<void const*>(begin)), nullptr);
}

TEST(host_addresses, keep_their_contents_while_the_run_grows) {
  for (bool const huge_pages : {false, true}) {
    TakenRun run(GiB);
    std::size_t before = 0;
    for (std::size_t const pages : {1, 3, 100, 200}) {
      auto const bytes = pages * run_page_bytes;
      ASSERT_TRUE(run.resize(bytes, huge_pages));
      EXPECT_TRUE(all_are(run.data(), before, 0xab));
      EXPECT_TRUE(all_are(run.data() + before, bytes - before, 0));
      std::memset(run.data(), 0xab, bytes);
      before = bytes;
    }
  }
}

TEST(host_addresses, that_were_given_up_are_zero_when_they_come_again) {
  TakenRun run(GiB);
  ASSERT_TRUE(run.resize(8 * run_page_bytes));
  std::memset(run.data(), 0xab, 8 * run_page_bytes);
  run.resize(3 * run_page_bytes);
  EXPECT_TRUE(all_are(run.data(), 3 * run_page_bytes, 0xab));
  ASSERT_TRUE(run.resize(8 * run_page_bytes));
  EXPECT_TRUE(all_are(run.data(), 3 * run_page_bytes, 0xab));
#if defined(__linux__)  // where pages can be forgotten
  EXPECT_TRUE(all_are(run.data() + 3 * run_page_bytes, 5 * run_page_bytes, 0));
#endif
}

#if defined(__linux__)
/// \return The flags of the mapping that the address is in, as the system
/// writes them.
std::string flags_of_mapping(std::uintptr_t address) {
  std::ifstream maps("/proc/self/smaps");
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end   = 0;
    if (std::sscanf(line.c_str(), "%zx-%zx ", &begin, &end) == 2) {
      found = begin <= address && address < end;
    } else if (found && line.rfind("VmFlags:", 0) == 0) {
      return line;
    }
  }
  return {};
}

TEST(host_addresses, run_that_was_given_back_has_no_advice_about_huge_pages) {
  constexpr std::size_t large = 64 * run_page_bytes;
  std::uintptr_t begin        = 0;
  {
    TakenRun run(GiB);
    begin = run.begin();
    ASSERT_TRUE(run.resize(large, true));
    run.resize(run_page_bytes);
  }
  TakenRun run(GiB);
  ASSERT_EQ(run.begin(), begin);
  ASSERT_TRUE(run.resize(large, false));
  for (auto const at : {std::size_t(0), large - 1}) {
    auto const flags = flags_of_mapping(run.begin() + at);
    ASSERT_NE(flags, "");
    EXPECT_EQ(flags.find(" hg"), std::string::npos) << flags;
  }
}

TEST(host_addresses, discarded_pages_are_zero_and_their_neighbours_as_before) {
  TakenRun run(GiB);
  ASSERT_TRUE(run.resize(run_page_bytes));
  std::memset(run.data(), 0xab, run_page_bytes);
  auto const page = page_bytes();
  // From within the first page to within the fourth.
  discard_pages(run.begin() + 1, run.begin() + 4 * page - 1);
  EXPECT_TRUE(all_are(run.data(), page, 0xab));
  EXPECT_TRUE(all_are(run.data() + page, 2 * page, 0));
  EXPECT_TRUE(all_are(run.data() + 3 * page, run_page_bytes - 3 * page, 0xab));
  // Less than a page.
  discard_pages(run.begin() + 1, run.begin() + page - 1);
  EXPECT_TRUE(all_are(run.data(), page, 0xab));
}
#endif

TEST(host_addresses, of_threads_are_their_own) {
  constexpr int threads = 4;
  std::vector<std::thread> team;
  for (int t = 0; t < threads; ++t) {
    team.emplace_back([t] {
      auto const me = owner(static_cast<std::uintptr_t>(t) + 1);
      Random random(static_cast<std::uint64_t>(t) + 1);
      for (int i = 0; i < 200; ++i) {
        TakenRun run(random.below(3) * GiB);
        ASSERT_GT(run.get().bytes, 0u);
        set_owner(run.get(), me);
        ASSERT_TRUE(run.resize(run_page_bytes));
        ASSERT_EQ(run.data()[0], 0);
        run.data()[0] = static_cast<unsigned char>(t + 1);
        EXPECT_EQ(owner_of(run.data()), me);
        EXPECT_EQ(run.data()[0], t + 1);
      }
    });
  }
  for (auto& thread : team) thread.join();
}

}  // namespace
