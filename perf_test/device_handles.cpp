// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cstddef>

#include "device_benchmarks.hpp"

/// \file
/// A temporary in each of a million threads of a kernel: 64 doubles in a row,
/// which the thread writes and reads again. Wherever they come from, a View of
/// the same type is over them, and the kernel's other work is the same. An
/// iteration is one kernel with its fence, and what each kernel needs anew: for
/// the handle, a reset of the arena and the handle itself.
///
/// What preallocated and the handle have is 512 MB. Scratch memory and what
/// device_malloc gives are used again within the kernel, by threads that come
/// later, so that they touch less.

namespace KokkosArena::Perf {

namespace {

constexpr std::size_t threads = 1'000'000;
constexpr std::size_t length  = 64;
constexpr std::size_t bytes   = length * sizeof(double);

/// \brief Writes the numbers from \c first on and reads them in the other
/// direction. \return Their sum. The length isn't known beforehand, so that no
/// compiler can keep them in registers.
KOKKOS_FUNCTION inline double write_and_sum(UnmanagedDeviceView const& view,
                                            double first) {
  auto const n = view.extent(0);
  for (std::size_t i = 0; i < n; ++i) {
    view(i) = first + static_cast<double>(i);
  }
  double sum = 0;
  for (std::size_t i = n; i > 0; --i) sum += view(i - 1);
  return sum;
}

/// Of thread \c t: different numbers in each, so that two that have the same
/// memory are found out.
KOKKOS_FUNCTION constexpr double expected_of(std::size_t t) {
  return static_cast<double>(length * t + length * (length - 1) / 2);
}

std::size_t count_wrong(DeviceView<> const& sums, std::size_t kernels) {
  std::size_t wrong = 0;
  Kokkos::parallel_reduce(
      "count_wrong", Kokkos::RangePolicy<Device>(0, threads),
      KOKKOS_LAMBDA(std::size_t t, std::size_t& partial) {
        // Whole numbers, which a double holds.
        partial += sums(t) != static_cast<double>(kernels) * expected_of(t);
      },
      wrong);
  return wrong;
}

/// \brief Measures kernels, which \c launch is to add the sum of each thread to
/// its element in.
template <class Launch>
void run(benchmark::State& state, Launch const& launch) {
  DeviceView<> const sums("sums", threads);
  std::size_t kernels = 0;
  auto const iterate  = [&] {
    launch(sums);
    wait_for_device();
    ++kernels;
  };
  for (int warm_up = 0; warm_up < 2; ++warm_up) iterate();
  for (auto _ : state) iterate();
  if (count_wrong(sums, kernels) != 0) {
    state.SkipWithError("a thread had no memory, or another's");
  }
}

// The kernels, and what they are launched with.

template <class Handle>
void launch_with_handle(Handle const& handle, std::size_t n,
                        DeviceView<> const& sums) {
  Kokkos::parallel_for(
      "handle", Kokkos::RangePolicy<Device>(0, threads),
      KOKKOS_LAMBDA(std::size_t t) {
        UnmanagedDeviceView const view = handle.template view<double*>(n);
        if (!view.data()) return;
        sums(t) += write_and_sum(view, static_cast<double>(t));
      });
}

void with_handle(benchmark::State& state) {
  Arena<Device> arena;
  run(state, [&](DeviceView<> const& sums) {
    arena.reset();
    launch_with_handle(arena.handle(threads * bytes), size_of(state), sums);
  });
}

void launch_with_slots(DeviceView<> const& slots, std::size_t n,
                       DeviceView<> const& sums) {
  Kokkos::parallel_for(
      "preallocated", Kokkos::RangePolicy<Device>(0, threads),
      KOKKOS_LAMBDA(std::size_t t) {
        UnmanagedDeviceView const view(slots.data() + t * n, n);
        sums(t) += write_and_sum(view, static_cast<double>(t));
      });
}

void with_slots(benchmark::State& state) {
  DeviceView<> const slots(
      Kokkos::view_alloc("slots", Kokkos::WithoutInitializing),
      threads * length);
  run(state, [&](DeviceView<> const& sums) {
    launch_with_slots(slots, size_of(state), sums);
  });
}

void launch_with_scratch(std::size_t n, DeviceView<> const& sums) {
  using policy_type       = Kokkos::TeamPolicy<Device>;
  using member_type       = policy_type::member_type;
  constexpr int team_size = 128;
  constexpr int teams = static_cast<int>((threads + team_size - 1) / team_size);
  Kokkos::parallel_for(
      "thread_scratch",
      policy_type(teams, team_size)
          .set_scratch_size(1, Kokkos::PerThread(static_cast<int>(bytes))),
      KOKKOS_LAMBDA(member_type const& team) {
        auto const t =
            static_cast<std::size_t>(team.league_rank()) * team_size +
            static_cast<std::size_t>(team.team_rank());
        if (t >= threads) return;
        UnmanagedDeviceView const view(
            static_cast<double*>(team.thread_scratch(1).get_shmem(
                static_cast<std::ptrdiff_t>(bytes))),
            n);
        if (!view.data()) return;
        sums(t) += write_and_sum(view, static_cast<double>(t));
      });
}

void with_scratch(benchmark::State& state) {
  run(state, [&](DeviceView<> const& sums) {
    launch_with_scratch(size_of(state), sums);
  });
}

#if defined(KOKKOSARENA_PERF_HAS_DEVICE_RUNTIME)

void launch_with_malloc(std::size_t n, DeviceView<> const& sums) {
  Kokkos::parallel_for(
      "device_malloc", Kokkos::RangePolicy<Device>(0, threads),
      KOKKOS_LAMBDA(std::size_t t) {
        auto* const data =
            static_cast<double*>(runtime::device_malloc(n * sizeof(double)));
        if (!data) return;
        sums(t) +=
            write_and_sum(UnmanagedDeviceView(data, n), static_cast<double>(t));
        runtime::device_free(data);
      });
}

void with_malloc(benchmark::State& state) {
  run(state, [&](DeviceView<> const& sums) {
    launch_with_malloc(size_of(state), sums);
  });
}

void without_heap(benchmark::State& state) {
  state.SkipWithError("the heap of malloc in kernels can't be set");
}

#endif

template <class Function>
void add(char const* name, Function const& function) {
  add_device_benchmark(name, function)
      ->Arg(length)
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

void register_device_handles() {
  add("View_in_kernel/arena_handle", with_handle);
  add("View_in_kernel/preallocated", with_slots);
  add("View_in_kernel/thread_scratch", with_scratch);
#if defined(KOKKOSARENA_PERF_HAS_DEVICE_RUNTIME)
  // As much again as all threads together ask for.
  bool const has_heap = runtime::set_device_heap(2 * threads * bytes);
  add("View_in_kernel/device_malloc", has_heap ? with_malloc : without_heap);
#endif
}

}  // namespace KokkosArena::Perf
