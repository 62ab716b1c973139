// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena_ChildProcess.hpp>

#include <gtest/gtest.h>
#include <Kokkos_Core.hpp>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace {

/// What CTest takes for a test that couldn't run here.
constexpr int skipped = 77;

/// \return Why there is no device, or nothing if there is one. Asked before
/// Kokkos is initialised, which would abort.
std::string why_no_device() {
#if defined(KOKKOS_ENABLE_CUDA)
  int count          = 0;
  auto const outcome = cudaGetDeviceCount(&count);
  if (outcome != cudaSuccess) return cudaGetErrorString(outcome);
  return count > 0 ? "" : "Cuda sees none";
#elif defined(KOKKOS_ENABLE_HIP)
  int count          = 0;
  auto const outcome = hipGetDeviceCount(&count);
  if (outcome != hipSuccess) return hipGetErrorString(outcome);
  return count > 0 ? "" : "HIP sees none";
#elif defined(KOKKOS_ENABLE_SYCL)
  auto const devices = sycl::device::get_devices(sycl::info::device_type::gpu);
  return devices.empty() ? "SYCL sees no GPU" : "";
#endif
}

}  // namespace

int main(int argc, char* argv[]) {
  ::testing::InitGoogleTest(&argc, argv);
  // CTest asks for the names where it is to run nothing, too.
  if (::testing::GTEST_FLAG(list_tests)) return RUN_ALL_TESTS();
#if defined(KOKKOS_ENABLE_CUDA)
  // To load a kernel later, Cuda may wait for those that run.
  setenv("CUDA_MODULE_LOADING", "EAGER", 0);
#endif
  auto const why = why_no_device();
  if (!why.empty()) {
    std::cout << "no device: " << why << std::endl;
    return skipped;
  }
  Kokkos::ScopeGuard const guard(argc, argv);
  constexpr std::string_view child = KokkosArenaTest::child_option;
  for (int i = 1; i < argc; ++i) {
    std::string_view const argument = argv[i];
    if (argument.starts_with(child)) {
      return KokkosArenaTest::be_child(argument.substr(child.size()));
    }
  }
  return RUN_ALL_TESTS();
}
