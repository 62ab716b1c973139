// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gtest/gtest.h>
#include <KokkosArena_HostSpaceAdoption.hpp>

#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>

// The program's own operators, which win over those of KokkosArena::adopt in a
// shared library.

void* operator new(std::size_t bytes, std::align_val_t alignment,
                   std::nothrow_t const&) noexcept {
  auto const multiple = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(multiple, (bytes / multiple + 1) * multiple);
}
void operator delete(void* address, std::align_val_t) noexcept {
  std::free(address);
}
void operator delete(void* address, std::align_val_t,
                     std::nothrow_t const&) noexcept {
  std::free(address);
}

namespace {

TEST(foreign_new, makes_an_adoption_throw_that_would_have_no_effect) {
  KokkosArena::Arena<Kokkos::HostSpace> arena(
      KokkosArena::ArenaOptions{.label = "useless"});
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      KokkosArena::HostSpaceAdoption const adoption(arena);
      FAIL() << "nothing was thrown";
    } catch (std::logic_error const& e) {
      std::string const message = e.what();
      EXPECT_NE(message.find("\"useless\""), message.npos) << message;
      EXPECT_NE(message.find("would have no effect"), message.npos) << message;
    }
  }
  Kokkos::View<double*, Kokkos::HostSpace> const view("view", 10000);
  EXPECT_EQ(arena.statistics().total_allocations, 0u);
}

}  // namespace
