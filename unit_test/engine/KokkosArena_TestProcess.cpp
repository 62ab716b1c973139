// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_TestChild.hpp>
#include <KokkosArena_TestEnvironment.hpp>
#include <engine/KokkosArena_Process.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <thread>

namespace {

using namespace KokkosArena::Impl;

TEST(process, number_of_a_child_is_its_own) {
  auto const own = process_id();
  EXPECT_EQ(own, static_cast<std::uint64_t>(getpid()));
  EXPECT_EQ(KokkosArenaTest::code_in_child(
                [&] { return process_id() != own ? 0 : 1; }),
            0);
}

TEST(process, threads_have_numbers_of_their_own) {
  auto const own = thread_id();
#if defined(__linux__)
  EXPECT_EQ(own, process_id());
#endif
  EXPECT_EQ(thread_id(), own);
  std::uint64_t other = own, again = own;
  std::thread([&] {
    other = thread_id();
    again = thread_id();
  }).join();
  EXPECT_NE(other, own);
  EXPECT_EQ(other, again);
}

TEST(process, rank_is_what_the_launcher_says) {
  EXPECT_EQ(process_rank(), "");
  EXPECT_EQ(expanded_file_name("a.%r.json"), "a.0.json");
  using KokkosArenaTest::Environment;
  Environment const slurm("SLURM_PROCID", "5");
  EXPECT_EQ(process_rank(), "5");
  Environment const open_mpi("OMPI_COMM_WORLD_RANK", "12");
  EXPECT_EQ(process_rank(), "12");
  EXPECT_EQ(expanded_file_name("%r.%p.%r"),
            "12." + std::to_string(process_id()) + ".12");
  EXPECT_EQ(expanded_file_name("plain%"), "plain%");
}

#if defined(__GLIBC__)
TEST(process, program_has_a_name_without_a_directory) {
  EXPECT_EQ(program_name(), "engine_process");
}
#endif

}  // namespace
