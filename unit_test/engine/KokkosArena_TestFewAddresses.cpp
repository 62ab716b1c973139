// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the system has no addresses for runs, or few. The environment is read
// once, so that each test is a child process of one that takes none.
#include <KokkosArena_TestChild.hpp>
#include <KokkosArena_TestRandom.hpp>
#include <engine/KokkosArena_HostAddresses.hpp>
#include <engine/KokkosArena_Upstream.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <string>

namespace {

using namespace KokkosArena::Impl;
using KokkosArenaTest::code_in_child;
using KokkosArenaTest::unlimited;

constexpr std::size_t GiB = std::size_t(1) << 30;

/// \return The code of a child in which f() runs.
template <class F>
int code_with_address_bytes(std::string const& bytes, F const& f) {
  return code_in_child([&] {
    setenv("KOKKOS_ARENA_ADDRESS_BYTES", bytes.c_str(), 1);
    return f();
  });
}

TEST(few_addresses, no_run_is_to_be_had_of_none) {
  auto const in_child = [] {
    if (take_run(1).bytes != 0) return 1;
    if (take_run(unlimited).bytes != 0) return 2;
    int local = 0;
    return owner_of(&local) || owner_of(nullptr) ? 3 : 0;
  };
  EXPECT_EQ(code_with_address_bytes("0", in_child), 0);
}

TEST(few_addresses, host_upstream_gives_pages_where_there_is_no_run) {
  auto const in_child = [] {
    HostUpstream upstream(true);
    if (upstream.begin_run(100, 1000).bytes != 0) return 1;
    constexpr std::size_t bytes = GiB / 64;
    auto* const pages = static_cast<unsigned char*>(upstream.allocate(bytes));
    pages[0]          = 1;
    pages[bytes - 1]  = 2;
    upstream.deallocate(pages, bytes);
    return 0;
  };
  EXPECT_EQ(code_with_address_bytes("0", in_child), 0);
}

TEST(few_addresses, last_run_is_the_last_until_it_is_given_back) {
  auto const in_child = [] {
    auto const first = take_run(GiB);
    // A share of so few is one part of them.
    auto const second = take_run(unlimited);
    if (first.bytes != GiB) return 1;
    if (second.bytes != GiB) return 2;
    if (take_run(1).bytes != 0) return 3;
    give_back_run(first);
    // None that is whole.
    if (take_run(2 * GiB).bytes != 0) return 4;
    return take_run(1).begin == first.begin ? 0 : 5;
  };
  EXPECT_EQ(code_with_address_bytes(std::to_string(2 * GiB), in_child), 0);
}

TEST(few_addresses, less_than_one_run_needs_are_none) {
  auto const in_child = [] { return take_run(1).bytes == 0 ? 0 : 1; };
  EXPECT_EQ(code_with_address_bytes("1000000", in_child), 0);
}

TEST(few_addresses, number_that_is_none_is_said_and_not_used) {
  for (std::string const text : {"much", "-1", "10 MiB"}) {
    auto const in_child = [&] {
      ::testing::internal::CaptureStderr();
      bool const some = take_run(1).bytes > 0;
      auto const said = ::testing::internal::GetCapturedStderr();
      if (!some) return 1;
      return said.find('"' + text + '"') != said.npos ? 0 : 2;
    };
    EXPECT_EQ(code_with_address_bytes(text, in_child), 0) << text;
  }
}

}  // namespace
