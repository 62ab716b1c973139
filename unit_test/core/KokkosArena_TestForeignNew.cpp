// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gtest/gtest.h>
#include <KokkosArena_HostSpaceAdoption.hpp>

#include <Kokkos_Core.hpp>

#include <stdexcept>
#include <string>

// In a program with operators of its own: see KokkosArena_ForeignNew.cpp.

namespace {

TEST(foreign_new, makes_an_adoption_throw_that_would_have_no_effect) {
  KokkosArena::Arena<Kokkos::HostSpace> arena(
      KokkosArena::ArenaOptions{.label = "useless"});
  EXPECT_FALSE(KokkosArena::HostSpaceAdoption::is_in_effect());
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      KokkosArena::HostSpaceAdoption const adoption(arena);
      FAIL() << "nothing was thrown";
    } catch (std::logic_error const& e) {
      std::string const message = e.what();
      EXPECT_NE(message.find("\"useless\""), message.npos) << message;
      EXPECT_NE(message.find("would have no effect"), message.npos) << message;
      // The program's own file.
      EXPECT_NE(message.find("core_adoption_foreign_new and not the one of"),
                message.npos)
          << message;
    }
  }
  Kokkos::View<double*, Kokkos::HostSpace> const view("view", 10000);
  EXPECT_EQ(arena.statistics().total_allocations, 0u);
}

}  // namespace
