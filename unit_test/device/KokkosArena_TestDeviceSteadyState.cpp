// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a cycle of temporaries on a GPU doesn't do once the arena has its size:
// no fence, no allocation, no call of the runtime that waits.
#include <KokkosArena_CountingNew.hpp>
#include <KokkosArena_RuntimeCalls.hpp>
#include <KokkosArena_TestDevice.hpp>
#include <KokkosArena_TestTools.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace {

using namespace KokkosArenaTest;
using KokkosArena::ArenaFrame;
using KokkosArena::ArenaScope;
using KokkosArena::make_view;
using KokkosArena::similar;

constexpr int warm_up       = 20;
constexpr std::size_t n     = 10'000;
constexpr char const* block = "KokkosArena::block";

/// That are counted.
auto const cycles = static_cast<std::uint64_t>(repetitions(1000));

template <class M>
using Numbers = ArenaView<double*, M>;
template <class M>
using Number = ArenaView<double, M>;

// No label here and below has more than 15 characters, for which there is room
// without heap memory.

template <class V>
void set_each(Backend const& instance, V const& a, double value) {
  Kokkos::parallel_for(
      "set_each", range(instance, a.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i) { a(i) = value + static_cast<double>(i); });
}
template <class V>
void combine(Backend const& instance, V const& a, V const& b, V const& c) {
  Kokkos::parallel_for(
      "combine", range(instance, a.extent(0)), KOKKOS_LAMBDA(std::int64_t i) {
        b(i) += a(i);
        c(i) = 2 * b(i);
      });
}
template <class V, class S>
void sum_into(Backend const& instance, V const& a, S const& sum) {
  Kokkos::parallel_reduce(
      "sum_into", range(instance, a.extent(0)),
      KOKKOS_LAMBDA(std::int64_t i, double& s) { s += a(i); }, sum);
}
template <class S>
void check_sum(Backend const& instance, S const& sum,
               ErrorCount const& errors) {
  Kokkos::parallel_for(
      "check_sum", range(instance, 1), KOKKOS_LAMBDA(std::int64_t) {
        auto const count = static_cast<double>(n);
        if (sum() != 2 * (count + count * (count - 1) / 2)) errors.add();
      });
}

/// The same kernels, wherever their Views come from. b is zero before.
template <class V, class S>
void run_kernels(Backend const& instance, V const& a, V const& b, V const& c,
                 S const& sum, ErrorCount const& errors) {
  set_each(instance, a, 1.0);
  combine(instance, a, b, c);
  sum_into(instance, c, sum);
  check_sum(instance, sum, errors);
}

template <class M, class A>
void run_cycle(A& arena, ErrorCount const& errors) {
  {
    ArenaScope const scope(arena);
    Numbers<M> const a(Kokkos::view_alloc("a", Kokkos::WithoutInitializing), n);
    Numbers<M> const b("b", n);
    auto const c   = similar(a);
    auto const sum = make_view<Number<M>>("sum");
    run_kernels(arena.instance(), a, b, c, sum, errors);
    {
      auto const d = similar(a, n / 2);
      set_each(arena.instance(), d, 2.0);
    }
    Numbers<M> const e("e", n / 2);
    combine(arena.instance(), e, e, e);
  }
  arena.reset();
}

/// \brief After what has been grown and merged in the first cycles: all that
/// was given back then goes upstream now, and not when calls are counted.
template <class A>
void settle(A& arena) {
  arena.instance().fence();
  arena.reset();
}

/// What gives or takes memory of the device.
std::uint64_t allocations(RuntimeCalls const& calls) {
  return calls("cudaMalloc", "cudaMallocAsync", "cudaMallocManaged",
               "cudaMallocHost", "cudaHostAlloc", "cudaFree", "cudaFreeAsync",
               "cudaFreeHost");
}
/// What may make the host wait.
std::uint64_t waits(RuntimeCalls const& calls) {
  return calls("cudaDeviceSynchronize", "cudaStreamSynchronize",
               "cudaEventSynchronize", "cudaMemcpy", "cudaMemset");
}
std::uint64_t stream_operations(RuntimeCalls const& calls) {
  return calls("cudaMemcpyAsync", "cudaMemsetAsync", "cudaEventRecord",
               "cudaStreamWaitEvent", "cudaEventCreateWithFlags");
}

/// Whether calls of Kokkos itself are counted.
bool counts_calls() {
  static bool const result = [] {
    RuntimeCalls const calls;
    {
      Kokkos::View<double*, InDevice::base_device> const view("view", 100);
    }
    return calls("cudaMalloc", "cudaMallocAsync") > 0;
  }();
  return result;
}
constexpr char const* not_counted =
    "calls of the runtime aren't counted here: Kokkos is a shared library, or "
    "its backend isn't Cuda";

// Controls: what is counted is counted.

TEST(device_steady_state_controls, a_plain_view_allocates_frees_and_waits) {
  if (!counts_calls()) GTEST_SKIP() << not_counted;
  RuntimeCalls const calls;
  ToolsObserver const tools;
  for (int i = 0; i < 10; ++i) {
    Kokkos::View<double*, InDevice::base_device> const view("plain", n);
  }
  EXPECT_EQ(tools.events_labelled("plain").size(), 20u);
  EXPECT_GE(tools.fences().size(), 10u);
  EXPECT_GE(calls("cudaMalloc", "cudaMallocAsync"), 10u) << calls.list();
  EXPECT_GE(calls("cudaFree", "cudaFreeAsync"), 10u) << calls.list();
  EXPECT_GE(calls("cudaDeviceSynchronize", "cudaStreamSynchronize"), 10u)
      << calls.list();
  EXPECT_GE(calls("cudaMemsetAsync"), 10u) << calls.list();
}

TEST(device_steady_state_controls, managed_and_pinned_views_are_counted) {
  if (!counts_calls()) GTEST_SKIP() << not_counted;
  RuntimeCalls const calls;
  {
    Kokkos::View<double*, UvmSpace> const view("uvm", n);
  }
  EXPECT_EQ(calls("cudaMallocManaged"), 1u) << calls.list();
  {
    Kokkos::View<double*, PinnedSpace> const view("pinned", n);
  }
  EXPECT_EQ(calls("cudaHostAlloc", "cudaMallocHost"), 1u) << calls.list();
  Kokkos::fence();
  EXPECT_GE(calls("cudaDeviceSynchronize", "cudaStreamSynchronize"), 1u);
}

TEST(device_steady_state_controls,
     heap_memory_and_a_growing_arena_are_counted) {
  auto const before = heap_calls().allocations;
  ::operator delete(::operator new(100));
  EXPECT_EQ(heap_calls().allocations, before + 1);
  InDevice::arena_type arena(Backend(), labelled("growing"));
  ToolsObserver const tools;
  static_cast<void>(arena.allocate(n));
  EXPECT_EQ(tools.events_labelled(block).size(), 1u);
}

// The cycle.

template <class M>
struct device_steady_state : ::testing::Test {
  using arena = typename M::arena_type;
  void TearDown() override { EXPECT_EQ(m_errors.read(), 0u); }

  Backend m_instance = new_instance();
  ErrorCount m_errors;
};
TYPED_TEST_SUITE(device_steady_state, AllMemory, MemoryName);

TYPED_TEST(device_steady_state, asks_for_nothing_upstream) {
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("steady"));
  for (int i = 0; i < warm_up; ++i) {
    run_cycle<TypeParam>(arena, this->m_errors);
  }
  settle(arena);
  auto const before = arena.statistics();
  RuntimeCalls const calls;
  ToolsObserver const tools;
  for (std::uint64_t i = 0; i < cycles; ++i) {
    run_cycle<TypeParam>(arena, this->m_errors);
  }
  EXPECT_EQ(allocations(calls), 0u) << calls.list();
  EXPECT_EQ(tools.events_labelled(block).size(), 0u);
  auto const after = arena.statistics();
  EXPECT_EQ(after.upstream_allocations, before.upstream_allocations);
  EXPECT_EQ(after.total_allocations, before.total_allocations + 6 * cycles);
}

template <class M>
struct device_steady_state_unfenced : device_steady_state<M> {
  /// No fence, no wait, no allocation, no event. \return Of the memset kind.
  template <class A>
  std::uint64_t expect_quiet(A& arena) {
    for (int i = 0; i < warm_up; ++i) run_cycle<M>(arena, this->m_errors);
    settle(arena);
    RuntimeCalls const calls;
    ToolsObserver const tools;
    for (std::uint64_t i = 0; i < cycles; ++i)
      run_cycle<M>(arena, this->m_errors);
    EXPECT_EQ(allocations(calls), 0u) << calls.list();
    EXPECT_EQ(waits(calls), 0u) << calls.list();
    EXPECT_EQ(calls("cudaEventRecord", "cudaStreamWaitEvent",
                    "cudaEventCreateWithFlags", "cudaMemcpyAsync"),
              0u)
        << calls.list();
    EXPECT_EQ(tools.fences().size(), 0u)
        << (tools.fences().empty() ? "" : tools.fences().front());
    EXPECT_EQ(tools.events_labelled(block).size(), 0u);
    return calls("cudaMemsetAsync");
  }
};
TYPED_TEST_SUITE(device_steady_state_unfenced, DeviceMemory, MemoryName);

TYPED_TEST(device_steady_state_unfenced, waits_for_nothing) {
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("steady"));
  auto const memsets = this->expect_quiet(arena);
  // One for each of the two initialised Views.
  if (counts_calls()) {
    EXPECT_EQ(memsets, 2 * cycles);
  }
}

TYPED_TEST(device_steady_state_unfenced, fixed_arena_waits_for_nothing) {
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("fixed", 4 * MiB));
  this->expect_quiet(arena);
}

TYPED_TEST(device_steady_state_unfenced, default_instance_waits_for_nothing) {
  typename TestFixture::arena arena(Backend(), TypeParam::options("default"));
  this->expect_quiet(arena);
}

TYPED_TEST(device_steady_state_unfenced, every_sync_policy_waits_for_nothing) {
  typename TypeParam::template arena_of<KokkosArena::Unsynchronized> one(
      this->m_instance, TypeParam::options("unsynchronized"));
  this->expect_quiet(one);
  typename TypeParam::template arena_of<KokkosArena::Locked> two(
      this->m_instance, TypeParam::options("locked"));
  this->expect_quiet(two);
}

TYPED_TEST(device_steady_state_unfenced, survivors_change_nothing) {
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("survived"));
  std::optional<Numbers<TypeParam>> survivor;
  {
    ArenaScope const scope(arena);
    survivor.emplace("survivor", n);
  }
  this->expect_quiet(arena);
  survivor.reset();
}

// Views alone.

template <class M, class A>
void make_bare_views(A& arena) {
  ArenaScope const scope(arena);
  Numbers<M> const a(Kokkos::view_alloc("a", Kokkos::WithoutInitializing), n);
  auto const b = make_view<Numbers<M>>("b", n);
  auto const c = similar(a);
  auto const d = similar<float>(c, 10, 20);
}

TYPED_TEST(device_steady_state_unfenced,
           bare_views_give_the_device_nothing_to_do) {
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("bare"));
  for (int i = 0; i < warm_up; ++i) {
    make_bare_views<TypeParam>(arena);
    arena.reset();
  }
  settle(arena);
  RuntimeCalls const calls;
  std::optional<ToolsObserver> tools(std::in_place);
  for (std::uint64_t i = 0; i < cycles; ++i) {
    make_bare_views<TypeParam>(arena);
    arena.reset();
  }
  EXPECT_EQ(tools->events_labelled(block).size(), 0u);
  EXPECT_EQ(allocations(calls) + waits(calls) + stream_operations(calls), 0u)
      << calls.list();
  EXPECT_EQ(tools->fences().size(), 0u);
  tools.reset();
  auto const heap = heap_calls().allocations;
  for (std::uint64_t i = 0; i < cycles; ++i) {
    make_bare_views<TypeParam>(arena);
    arena.reset();
  }
  EXPECT_EQ(heap_calls().allocations - heap, 0u);
}

template <class M, class A>
void make_zeroed_views(A& arena) {
  ArenaScope const scope(arena);
  Numbers<M> const a("a", n);
  Number<M> const b("b");
}

TYPED_TEST(device_steady_state_unfenced, initialised_views_take_a_memset_each) {
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("zeroed"));
  for (int i = 0; i < warm_up; ++i) {
    make_zeroed_views<TypeParam>(arena);
    arena.reset();
  }
  settle(arena);
  RuntimeCalls const calls;
  auto const heap = heap_calls().allocations;
  for (std::uint64_t i = 0; i < cycles; ++i) {
    make_zeroed_views<TypeParam>(arena);
    arena.reset();
  }
  EXPECT_EQ(heap_calls().allocations - heap, 0u);
  EXPECT_EQ(allocations(calls) + waits(calls), 0u) << calls.list();
  if (counts_calls()) {
    EXPECT_EQ(stream_operations(calls), 2 * cycles) << calls.list();
    EXPECT_EQ(calls("cudaMemsetAsync"), 2 * cycles) << calls.list();
  }
}

TYPED_TEST(device_steady_state_unfenced, kernels_take_no_more_heap_memory) {
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("heap"));
  Numbers<TypeParam> const a("a", n);
  Numbers<TypeParam> const b("b", n);
  Numbers<TypeParam> const c("c", n);
  Number<TypeParam> const sum("sum");
  ErrorCount const ignored;  // b isn't zero again
  auto const on_these = [&] {
    auto const before = heap_calls().allocations;
    for (int i = 0; i < 100; ++i) {
      run_kernels(this->m_instance, a, b, c, sum, ignored);
      set_each(this->m_instance, c, 2.0);
      combine(this->m_instance, c, c, c);
    }
    return heap_calls().allocations - before;
  };
  auto const in_arena = [&] {
    auto const before = heap_calls().allocations;
    for (int i = 0; i < 100; ++i) run_cycle<TypeParam>(arena, this->m_errors);
    return heap_calls().allocations - before;
  };
  on_these();
  in_arena();
  settle(arena);
  EXPECT_EQ(in_arena(), on_these());
}

// Other ways to have memory.

TYPED_TEST(device_steady_state_unfenced,
           other_instances_are_awaited_by_the_device) {
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("two"));
  auto const other = new_instance();
  auto const cycle = [&] {
    {
      ArenaScope const scope(arena);
      Numbers<TypeParam> const a(Kokkos::view_alloc(other, "a"), n);
      Numbers<TypeParam> const b(Kokkos::view_alloc(other, "b"), n);
      auto const c   = similar(a);
      auto const sum = make_view<Number<TypeParam>>("sum");
      run_kernels(other, a, b, c, sum, this->m_errors);
    }
    arena.reset(other);
  };
  for (int i = 0; i < warm_up; ++i) cycle();
  other.fence();
  settle(arena);
  RuntimeCalls const calls;
  ToolsObserver const tools;
  for (std::uint64_t i = 0; i < cycles; ++i) cycle();
  EXPECT_EQ(tools.fences().size(), 0u);
  EXPECT_EQ(allocations(calls) + waits(calls), 0u) << calls.list();
  if (counts_calls()) {
    // By each initialisation, and by the reset.
    EXPECT_GE(calls("cudaStreamWaitEvent"), 2 * cycles) << calls.list();
  }
}

template <class Handle>
void take_by_handle(Backend const& instance, Handle const& handle,
                    ErrorCount const& errors) {
  Kokkos::parallel_for(
      "take_by_handle", range(instance, 1000), KOKKOS_LAMBDA(std::int64_t i) {
        auto const view = handle.template view<double*>(8);
        if (!view.data()) {
          errors.add();
          return;
        }
        view(0) = static_cast<double>(i);
        if (view(0) != static_cast<double>(i)) errors.add();
      });
}

TYPED_TEST(device_steady_state_unfenced, handles_and_frames_wait_for_nothing) {
  typename TestFixture::arena arena(this->m_instance,
                                    TypeParam::options("handles"));
  auto const cycle = [&] {
    {
      ArenaFrame const frame(arena);
      auto const handle = arena.handle(1000 * 64);
      take_by_handle(this->m_instance, handle, this->m_errors);
      ArenaFrame const inner(arena);
      Numbers<TypeParam> const a("a", n);
      set_each(this->m_instance, a, 1.0);
    }
    auto const mark = arena.mark();
    auto* const raw = static_cast<double*>(arena.allocate(n * sizeof(double)));
    set_each(this->m_instance,
             Kokkos::View<double*, typename TypeParam::base_device,
                          Kokkos::MemoryTraits<Kokkos::Unmanaged>>(raw, n),
             3.0);
    arena.rewind(mark);
    arena.reset();
  };
  for (int i = 0; i < warm_up; ++i) cycle();
  settle(arena);
  RuntimeCalls const calls;
  ToolsObserver const tools;
  for (std::uint64_t i = 0; i < cycles; ++i) cycle();
  EXPECT_EQ(tools.fences().size(), 0u);
  EXPECT_EQ(tools.events_labelled(block).size(), 0u);
  EXPECT_EQ(allocations(calls) + waits(calls), 0u) << calls.list();
}

// Where blocks come from.

template <class M>
struct device_upstream : device_steady_state<M> {};
TYPED_TEST_SUITE(device_upstream, DeviceMemory, MemoryName);

TYPED_TEST(device_upstream, blocks_come_and_go_by_the_calls_that_were_chosen) {
  if (!counts_calls()) GTEST_SKIP() << not_counted;
  constexpr bool in_order = TypeParam::is_stream_ordered;
  {
    // Whatever the kernels need for themselves.
    typename TestFixture::arena arena(this->m_instance,
                                      TypeParam::options("before"));
    run_cycle<TypeParam>(arena, this->m_errors);
    this->m_instance.fence();
  }
  RuntimeCalls const calls;
  ToolsObserver const tools;
  {
    typename TestFixture::arena arena(this->m_instance,
                                      TypeParam::options("blocks"));
    {
      ArenaScope const scope(arena);
      for (std::size_t size = 1000; size < 1'000'000; size *= 4) {
        Numbers<TypeParam> const view("view", size);
        set_each(this->m_instance, view, 1.0);
      }
    }
    EXPECT_GT(arena.statistics().upstream_allocations, 2u);
    EXPECT_EQ(arena.statistics().upstream_allocations,
              in_order ? calls("cudaMallocAsync") : calls("cudaMalloc"));
    EXPECT_EQ(tools.fences().size(), 0u);
    arena.release();
    EXPECT_EQ(arena.statistics().capacity_bytes, 0u);
    static_cast<void>(arena.allocate(MiB));
  }
  EXPECT_EQ(calls(in_order ? "cudaMalloc" : "cudaMallocAsync"), 0u);
  EXPECT_EQ(calls(in_order ? "cudaFree" : "cudaFreeAsync"), 0u);
  EXPECT_EQ(calls("cudaMalloc", "cudaMallocAsync"),
            calls("cudaFree", "cudaFreeAsync"))
      << calls.list();
  EXPECT_EQ(calls("cudaMallocManaged", "cudaMallocHost", "cudaHostAlloc"), 0u);
  // Tools see the same.
  EXPECT_EQ(
      tools.events_labelled(block).size(),
      calls("cudaMalloc", "cudaMallocAsync", "cudaFree", "cudaFreeAsync"));
}

TEST(device_upstream_of_host_memory, comes_by_the_calls_of_its_space) {
  if (!counts_calls()) GTEST_SKIP() << not_counted;
  RuntimeCalls const calls;
  {
    InUvm::arena_type arena(Backend(), InUvm::options("uvm", MiB));
    EXPECT_EQ(calls("cudaMallocManaged"), 1u);
    InPinned::arena_type other(Backend(), InPinned::options("pinned", MiB));
    EXPECT_EQ(calls("cudaHostAlloc", "cudaMallocHost"), 1u);
  }
  EXPECT_EQ(calls("cudaFree"), 1u);
  EXPECT_EQ(calls("cudaFreeHost"), 1u);
  EXPECT_EQ(calls("cudaMalloc", "cudaMallocAsync"), 0u) << calls.list();
}

}  // namespace
