// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gtest/gtest.h>
#include <Kokkos_Core.hpp>

#include <cstdlib>

int main(int argc, char* argv[]) {
  ::testing::InitGoogleTest(&argc, argv);
  // The suites want to see more than tools do, unless one says otherwise.
  setenv("KOKKOS_ARENA_TOOLS", "spaces", 0);
  Kokkos::ScopeGuard const guard(argc, argv);
  return RUN_ALL_TESTS();
}
