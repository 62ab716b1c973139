// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <benchmark/benchmark.h>
#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <new>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "benchmarks.hpp"
#include "peers.hpp"

/// \file
/// What memory costs when threads share one allocator. Time and CPU are those
/// of one thread for one allocation: they stay the same with the number of
/// threads where threads don't disturb each other. To be compared by the CPU
/// time where there are fewer idle processors than threads.

namespace KokkosArena::Perf {

namespace {

constexpr std::size_t block_bytes = 64;

/// Threads take so many blocks between two resets: enough for the reading of
/// clocks to cost nothing, and more than a thread's chunk holds twice.
constexpr std::size_t batch_blocks = 10'000;

/// The limit: nothing is shared.
class ArenaForEachThread {
 public:
  explicit ArenaForEachThread(Demand const& demand)
      : m_arenas(static_cast<std::size_t>(demand.threads)) {}
  void* allocate(std::size_t bytes, int thread) {
    return m_arenas[static_cast<std::size_t>(thread)].allocate(bytes);
  }
  void reset() {
    for (auto& arena : m_arenas) arena.reset();
  }

 private:
  std::vector<Arena<Kokkos::HostSpace, Unsynchronized>> m_arenas;
};

class AtomicBump {
 public:
  explicit AtomicBump(Demand const& demand) : m_buffer(demand.total_bytes()) {}
  void* allocate(std::size_t bytes, int) {
    return m_buffer.at(m_used.fetch_add(bytes, std::memory_order_relaxed));
  }
  // relaxed: threads are ordered by the barriers around it.
  void reset() { m_used.store(0, std::memory_order_relaxed); }

 private:
  Buffer m_buffer;
  alignas(64) std::atomic<std::size_t> m_used{0};
};

template <class Mutex>
class LockedBump {
 public:
  explicit LockedBump(Demand const& demand) : m_buffer(demand.total_bytes()) {}
  void* allocate(std::size_t bytes, int) {
    std::lock_guard const guard(m_mutex);
    return m_buffer.at(std::exchange(m_used, m_used + bytes));
  }
  void reset() { m_used = 0; }

 private:
  Buffer m_buffer;
  alignas(64) Mutex m_mutex;
  std::size_t m_used = 0;
};

/// \brief Lets threads go within nanoseconds of each other. One that sleeps
/// would be awake only after the others have allocated all they want.
class SpinBarrier {
 public:
  explicit SpinBarrier(int threads) : m_threads(threads) {}
  void wait() {
    // Who reads the round below can't be overtaken: it is needed to end it.
    auto const round = m_round.load(std::memory_order_relaxed);
    if (m_arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == m_threads) {
      m_arrived.store(0, std::memory_order_relaxed);
      m_round.store(round + 1, std::memory_order_release);
      return;
    }
    for (int spins = 0; m_round.load(std::memory_order_acquire) == round;
         ++spins) {
      // There may be fewer processors than threads.
      if (spins >= 1000) {
        std::this_thread::yield();
        spins = 0;
      }
    }
  }

 private:
  int const m_threads;
  alignas(64) std::atomic<int> m_arrived{0};
  alignas(64) std::atomic<int> m_round{0};
};

using Clock = std::chrono::steady_clock;

/// When a thread was at its batch.
struct alignas(64) Interval {
  Clock::time_point begin;
  Clock::time_point end;
};

/// \return Of the time from the first begin to the last end, the part when all
/// were running.
double common_part(std::vector<Interval> const& intervals) {
  auto first_begin = intervals.front().begin, last_begin = first_begin;
  auto first_end = intervals.front().end, last_end = first_end;
  for (auto const& interval : intervals) {
    first_begin = std::min(first_begin, interval.begin);
    last_begin  = std::max(last_begin, interval.begin);
    first_end   = std::min(first_end, interval.end);
    last_end    = std::max(last_end, interval.end);
  }
  std::chrono::duration<double> const together = first_end - last_begin;
  std::chrono::duration<double> const all      = last_end - first_begin;
  return all.count() > 0 ? std::max(0., together / all) : 0;
}

/// What the threads of one run share.
template <class Allocator>
struct Shared {
  explicit Shared(int threads)
      : allocator(
            {.bytes = block_bytes, .blocks = batch_blocks, .threads = threads}),
        barrier(threads),
        intervals(static_cast<std::size_t>(threads)) {}

  Allocator allocator;
  SpinBarrier barrier;
  std::vector<Interval> intervals;

  // Google Benchmark calls these before it starts the threads and when they
  // have ended.
  static inline std::unique_ptr<Shared> instance;
  static void set_up(benchmark::State const& state) {
    instance = std::make_unique<Shared>(state.threads());
  }
  static void tear_down(benchmark::State const&) { instance.reset(); }
};

/// The blocks that one thread holds.
template <class Allocator>
class Blocks {
 public:
  Blocks(Shared<Allocator>& shared, int thread, std::size_t count)
      : m_shared(shared), m_thread(thread), m_blocks(count) {}

  void allocate() {
    for (auto& kept : m_blocks) {
      auto* block = m_shared.allocator.allocate(block_bytes, m_thread);
      benchmark::DoNotOptimize(block);
      kept = block;
    }
  }

  /// Newest first; or a reset, for all threads, by one of them.
  void give_back() {
    if constexpr (FreesBlocks<Allocator>) {
      for (auto block = m_blocks.rbegin(); block != m_blocks.rend(); ++block) {
        m_shared.allocator.deallocate(*block, block_bytes);
      }
    } else if (m_thread == 0) {
      m_shared.allocator.reset();
    }
  }

  /// \brief Whether no two blocks overlap, whoever holds them. Called by all
  /// threads.
  bool are_distinct() {
    std::array<std::uint64_t, block_bytes / sizeof(std::uint64_t)> pattern;
    auto const make_pattern = [&](std::size_t i) {
      auto const thread = static_cast<std::uint64_t>(m_thread) + 1;
      pattern.fill(thread << 32 | i);
    };
    for (std::size_t i = 0; i < m_blocks.size(); ++i) {
      make_pattern(i);
      std::memcpy(m_blocks[i], pattern.data(), block_bytes);
    }
    m_shared.barrier.wait();
    bool all = true;
    for (std::size_t i = 0; i < m_blocks.size(); ++i) {
      make_pattern(i);
      all = all && !std::memcmp(m_blocks[i], pattern.data(), block_bytes);
    }
    m_shared.barrier.wait();
    return all;
  }

 private:
  Shared<Allocator>& m_shared;
  int m_thread;
  std::vector<void*> m_blocks;
};

constexpr char const* overlap = "blocks of a batch overlap";

/// \brief Allocation alone. All threads take a batch at the same time; that it
/// is given back, or that one of them resets when all have theirs, is not
/// timed.
template <class Allocator>
void allocate(benchmark::State& state) {
  auto& shared = *Shared<Allocator>::instance;
  auto& mine = shared.intervals[static_cast<std::size_t>(state.thread_index())];
  Blocks<Allocator> blocks(shared, state.thread_index(), batch_blocks);

  // The first batch takes memory from the system.
  blocks.allocate();
  bool const distinct = blocks.are_distinct();
  blocks.give_back();
  shared.barrier.wait();

  double together = 0;
  double batches  = 0;
  while (state.KeepRunningBatch(batch_blocks)) {
    mine.begin = Clock::now();
    blocks.allocate();
    mine.end = Clock::now();
    state.PauseTiming();
    shared.barrier.wait();
    blocks.give_back();
    if (state.thread_index() == 0) {
      together += common_part(shared.intervals);
      ++batches;
    }
    shared.barrier.wait();
    state.ResumeTiming();
  }
  // How far the threads were in each other's way: near 0 they took turns.
  if (state.thread_index() == 0)
    state.counters["together"] = together / batches;
  // Not earlier: the others would wait for this thread.
  if (!distinct) state.SkipWithError(overlap);
}

/// \brief Each thread takes 64 blocks and gives them back, newest first, as
/// often as it can: the time of both, for each block.
template <class Allocator>
  requires FreesBlocks<Allocator>
void allocate_and_free(benchmark::State& state) {
  constexpr std::size_t count = 64;
  auto& shared                = *Shared<Allocator>::instance;
  Blocks<Allocator> blocks(shared, state.thread_index(), count);

  blocks.allocate();
  bool const distinct = blocks.are_distinct();
  blocks.give_back();

  while (state.KeepRunningBatch(count)) {
    blocks.allocate();
    blocks.give_back();
  }
  if (!distinct) state.SkipWithError(overlap);
}

// Temporaries of 64 doubles that are written and read. Each kind says what a
// thread has to hold while it uses some, and how to use one.

constexpr std::size_t temporary_size = 64;

/// \brief The same code for all, which isn't inlined where compilers might
/// see more or less of what surrounds it.
/// \return The sum of what was written, or -1 for null.
[[gnu::noinline]] double fill_and_sum(double* data, double first) {
  if (!data) return -1;
  for (std::size_t i = 0; i < temporary_size; ++i) {
    data[i] = first + static_cast<double>(i);
  }
  benchmark::DoNotOptimize(data);
  benchmark::ClobberMemory();
  // A single sum would have each addition wait for the one before.
  std::array<double, 8> sums{};
  for (std::size_t i = 0; i < temporary_size; i += sums.size()) {
    for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += data[i + j];
  }
  return std::accumulate(sums.begin(), sums.end(), 0.);
}

/// Exact, since all are small integers.
double expected_sum(double first) {
  constexpr auto n = static_cast<double>(temporary_size);
  return n * first + n * (n - 1) / 2;
}

struct NoScope {
  NoScope() {}  // so that one which is only held counts as used
};

struct FromHostSpace {
  NoScope enter() { return {}; }
  double use(double first) const {
    auto const tmp = similar(model);
    return fill_and_sum(tmp.data(), first);
  }
  bool is_right() const { return true; }
  void next_cycle() {}

  Kokkos::View<double*, Kokkos::HostSpace> model{"tmp", temporary_size};
};

template <class Sync>
struct FromArena {
  ArenaScope enter() { return ArenaScope(arena); }
  double use(double first) const {
    auto const tmp = similar(model);
    return fill_and_sum(tmp.data(), first);
  }
  /// Whether all came from the arena and are gone.
  bool is_right() const {
    auto const statistics = arena.statistics();
    return statistics.total_allocations > 0 &&
           statistics.live_allocations == 0 &&
           statistics.unscoped_worker_allocations == 0;
  }
  void next_cycle() {}

  Arena<Kokkos::HostSpace, Sync> arena;
  Kokkos::View<double*, ScopedSpace<Kokkos::HostSpace>> model{"tmp",
                                                              temporary_size};
};

/// Unmanaged: they take their room until the next reset.
template <class Sync>
struct FromHandle {
  using arena_type                  = Arena<Kokkos::HostSpace, Sync>;
  static constexpr std::size_t most = std::size_t(8) << 20;

  NoScope enter() { return {}; }
  double use(double first) const {
    auto const tmp = handle.template view<double*>(temporary_size);
    return fill_and_sum(tmp.data(), first);
  }
  bool is_right() const { return true; }
  void next_cycle() { arena.reset(); }

  arena_type arena{most};
  decltype(std::declval<arena_type&>().handle()) handle = arena.handle();
};

struct FromMalloc {
  NoScope enter() { return {}; }
  double use(double first) const {
    auto* const data =
        static_cast<double*>(std::malloc(temporary_size * sizeof(double)));
    double const sum = fill_and_sum(data, first);
    std::free(data);
    return sum;
  }
  bool is_right() const { return true; }
  void next_cycle() {}
};

/// The limit: each thread has its memory beforehand.
struct FromWorkspace {
  NoScope enter() { return {}; }
  double use(double first) const {
    alignas(64) static thread_local std::array<double, temporary_size> data;
    return fill_and_sum(data.data(), first);
  }
  bool is_right() const { return true; }
  void next_cycle() {}
};

constexpr char const* wrong_sum   = "wrong sum of a temporary";
constexpr char const* wrong_place = "not all came from the arena";

/// \brief Threads of the program's own make and drop temporaries, outside of
/// kernels.
template <class From>
struct TemporaryByThreads {
  explicit TemporaryByThreads(int) {}
  From from;

  static inline std::unique_ptr<TemporaryByThreads> instance;
  static void set_up(benchmark::State const& state) {
    instance = std::make_unique<TemporaryByThreads>(state.threads());
  }
  static void tear_down(benchmark::State const&) { instance.reset(); }
  static void run(benchmark::State& state) {
    auto& from                        = instance->from;
    [[maybe_unused]] auto const scope = from.enter();
    double const first                = state.thread_index();
    double const expected             = expected_sum(first);
    bool right                        = true;
    for (auto _ : state) right &= from.use(first) == expected;
    if (!right) state.SkipWithError(wrong_sum);
  }
};

/// Of temporaries whose first elements were 0, 1, 2 ...
void check_sums(benchmark::State& state, std::vector<double> const& sums) {
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (sums[i] == expected_sum(static_cast<double>(i))) continue;
    state.SkipWithError(wrong_sum);
    return;
  }
}

/// Only some execution spaces have instances with a chosen number of threads.
template <class ExecutionSpace>
constexpr bool counts_threads = std::constructible_from<ExecutionSpace, int>;

template <class ExecutionSpace>
ExecutionSpace instance_with(int threads) {
  if constexpr (counts_threads<ExecutionSpace>) {
    return ExecutionSpace(threads);
  } else {
    return {};
  }
}

/// \return With as many threads as the argument says; nothing, which the state
/// is told, if there can't be so many.
std::optional<Kokkos::DefaultHostExecutionSpace> instance_for(
    benchmark::State& state) {
  auto const threads = static_cast<int>(state.range(0));
  auto instance = instance_with<Kokkos::DefaultHostExecutionSpace>(threads);
  if (instance.concurrency() == threads) return instance;
  state.SkipWithError("not so many threads");
  return {};
}

/// Threads read it in each iteration, from the stack of the one that launches
/// the kernel; that one writes next to it, but not in the same cache lines.
template <class From>
struct alignas(128) UseTemporary {
  double* sums;
  From const* from;
  void operator()(int i) const { sums[i] = from->use(i); }
};

/// \brief A temporary for each iteration of a kernel, on as many threads as
/// the argument says; the start of the kernel is a part of it.
template <class From>
void temporary_in_kernel(benchmark::State& state) {
  using execution_space = Kokkos::DefaultHostExecutionSpace;
  constexpr int count   = 4096;
  auto const instance   = instance_for(state);
  if (!instance) return;
  auto const threads                = instance->concurrency();
  auto const from                   = std::make_unique<From>();
  [[maybe_unused]] auto const scope = from->enter();
  std::vector<double> sums(count);
  UseTemporary<From> const functor{sums.data(), from.get()};
  while (state.KeepRunningBatch(count / threads)) {
    Kokkos::parallel_for(
        Kokkos::RangePolicy<execution_space>(*instance, 0, count), functor);
    instance->fence();
    from->next_cycle();
  }
  check_sums(state, sums);
  if (!from->is_right()) state.SkipWithError(wrong_place);
}

template <class ExecutionSpace>
using scratch_view =
    Kokkos::View<double*, typename ExecutionSpace::scratch_memory_space,
                 Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

/// \brief The same in the scratch memory of teams of one thread, a team for
/// each iteration.
void temporary_in_team_scratch(benchmark::State& state) {
  using execution_space = Kokkos::DefaultHostExecutionSpace;
  using policy_type     = Kokkos::TeamPolicy<execution_space>;
  using scratch         = scratch_view<execution_space>;
  constexpr int count   = 4096;
  auto const instance   = instance_for(state);
  if (!instance) return;
  auto const threads = instance->concurrency();
  std::vector<double> sums(count);
  auto const policy =
      policy_type(*instance, count, 1)
          .set_scratch_size(0, Kokkos::PerTeam(static_cast<int>(
                                   scratch::shmem_size(temporary_size))));
  while (state.KeepRunningBatch(count / threads)) {
    Kokkos::parallel_for(policy, [&sums](policy_type::member_type const& team) {
      scratch const tmp(team.team_scratch(0), temporary_size);
      auto const i                      = team.league_rank();
      sums[static_cast<std::size_t>(i)] = fill_and_sum(tmp.data(), i);
    });
    instance->fence();
  }
  check_sums(state, sums);
}

/// \brief For as many threads as there may be.
template <class Shared, class Function>
void add(std::string const& name, Function const& function) {
  benchmark::RegisterBenchmark(name, function)
      ->Setup(Shared::set_up)
      ->Teardown(Shared::tear_down)
      ->ThreadRange(1, 4)
      ->UseRealTime();
}

template <class Allocator>
void add_allocate(std::string const& name) {
  add<Shared<Allocator>>("allocate/" + name, allocate<Allocator>);
}

template <class Allocator>
void add_allocate_and_free(std::string const& name) {
  add<Shared<Allocator>>("allocate_and_free/" + name,
                         allocate_and_free<Allocator>);
}

template <class From>
void add_temporary_by_threads(std::string const& name) {
  add<TemporaryByThreads<From>>("temporary_by_threads/" + name,
                                TemporaryByThreads<From>::run);
}

void add_in_kernel(std::string const& name,
                   void (*function)(benchmark::State&)) {
  using execution_space = Kokkos::DefaultHostExecutionSpace;
  auto* const benchmark =
      benchmark::RegisterBenchmark("temporary_in_kernel/" + name, function);
  benchmark->ArgName("threads")->UseRealTime();
  if (counts_threads<execution_space>) {
    benchmark->RangeMultiplier(2)->Range(1, 4);
  } else {
    benchmark->Arg(execution_space().concurrency());
  }
}

template <class From>
void add_temporary_in_kernel(std::string const& name) {
  add_in_kernel(name, temporary_in_kernel<From>);
}

template <class Sync>
void add_temporary_from_handle(std::string const& name) {
  if constexpr (requires(Arena<Kokkos::HostSpace, Sync>& arena) {
                  arena.handle();
                }) {
    add_temporary_in_kernel<FromHandle<Sync>>(name);
  }
}

}  // namespace

void register_benchmarks() {
  add_allocate<SharedArena<Locked>>("arena_Locked");
  add_allocate<SharedArena<ThreadCached>>("arena_ThreadCached");
  add_allocate<ArenaForEachThread>("arena_for_each_thread");
  add_allocate<AtomicBump>("bump_atomic");
  add_allocate<LockedBump<std::mutex>>("bump_mutex");
  add_allocate<LockedBump<Locked::mutex_type>>("bump_spinlock");
  add_allocate<PmrSynchronizedPool>("std_pmr_synchronized_pool");
  add_allocate<Malloc>("malloc");

#ifdef KOKKOSARENA_PERF_HAS_UMPIRE
  add_allocate<UmpireQuickPool>("Umpire_QuickPool");
  add_allocate_and_free<UmpireQuickPool>("Umpire_QuickPool");
#endif

  // Where Kokkos has no backend with threads, its atomics aren't any.
  if (counts_threads<Kokkos::DefaultHostExecutionSpace>) {
    add_allocate<KokkosMemoryPool>("Kokkos_MemoryPool");
    add_allocate_and_free<KokkosMemoryPool>("Kokkos_MemoryPool");
  }

  // Those which can give single blocks back.
  add_allocate_and_free<SharedArenaOfBlocks<Locked>>("arena_Locked");
  add_allocate_and_free<SharedArenaOfBlocks<ThreadCached>>(
      "arena_ThreadCached");
  add_allocate_and_free<PmrSynchronizedPool>("std_pmr_synchronized_pool");
  add_allocate_and_free<Malloc>("malloc");

  add_temporary_by_threads<FromHostSpace>("HostSpace");
  add_temporary_by_threads<FromArena<Locked>>("arena_Locked");
  add_temporary_by_threads<FromArena<ThreadCached>>("arena_ThreadCached");
  add_temporary_by_threads<FromMalloc>("malloc");
  add_temporary_by_threads<FromWorkspace>("workspace");

  // Without HostSpace: a View that is dropped in a kernel waits for its end.
  add_temporary_in_kernel<FromArena<Locked>>("arena_Locked");
  add_temporary_in_kernel<FromArena<ThreadCached>>("arena_ThreadCached");
  add_temporary_from_handle<Locked>("handle_Locked");
  add_temporary_from_handle<ThreadCached>("handle_ThreadCached");
  add_temporary_in_kernel<FromMalloc>("malloc");
  add_temporary_in_kernel<FromWorkspace>("workspace");
  add_in_kernel("team_scratch", temporary_in_team_scratch);
}

}  // namespace KokkosArena::Perf
