// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tool of Kokkos that writes down what it hears.
#include <cstdint>
#include <cstdio>

namespace {
std::uint64_t next_kernel = 100;
}

struct Space {
  char name[64];
};

extern "C" {
void kokkosp_init_library(int, std::uint64_t version, std::uint32_t, void*) {
  std::fprintf(stderr, "tool: init %d\n", version > 20000000);
}
void kokkosp_finalize_library() { std::fprintf(stderr, "tool: finalize\n"); }
void kokkosp_push_profile_region(char const* name) {
  std::fprintf(stderr, "tool: push %s\n", name);
}
void kokkosp_pop_profile_region() { std::fprintf(stderr, "tool: pop\n"); }
void kokkosp_allocate_data(Space space, char const* label, void const*,
                           std::uint64_t bytes) {
  std::fprintf(stderr, "tool: allocate %s %s %d\n", space.name, label,
               static_cast<int>(bytes));
}
void kokkosp_deallocate_data(Space space, char const* label, void const*,
                             std::uint64_t bytes) {
  std::fprintf(stderr, "tool: deallocate %s %s %d\n", space.name, label,
               static_cast<int>(bytes));
}
void kokkosp_begin_parallel_reduce(char const* name, std::uint32_t,
                                   std::uint64_t* kernel) {
  *kernel = next_kernel++;
  std::fprintf(stderr, "tool: begin %s\n", name);
}
void kokkosp_end_parallel_reduce(std::uint64_t kernel) {
  std::fprintf(stderr, "tool: end %d\n", static_cast<int>(kernel));
}
}
