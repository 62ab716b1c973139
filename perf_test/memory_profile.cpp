// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "machine.hpp"

/// \file
/// Resident memory of this process over the time of a chain of ten layers, each
/// of which has two temporaries of its own and an output that outlives its
/// input: in an arena, or in HostSpace with whatever malloc the process has.

namespace {

using clock_type = std::chrono::steady_clock;

constexpr int layers = 10;
constexpr int cycles = 6;

/// Doubles of each layer's output: 0.4 to 8 MB, up and down.
std::size_t size_of(int layer) {
  constexpr std::size_t sizes[layers] = {1000000, 400000, 800000, 200000,
                                         900000,  50000,  600000, 1000000,
                                         300000,  700000};
  return sizes[layer];
}

/// \return Bytes that are in memory, exactly: the sum over all mappings.
std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/smaps_rollup");
  for (std::string word; file >> word;) {
    if (word != "Rss:") continue;
    std::uint64_t kilobytes = 0;
    file >> kilobytes;
    return kilobytes * 1024;
  }
  return 0;
}

/// What was in memory, and what Views there were, at one point in time.
struct Sample {
  double seconds;
  std::uint64_t live_bytes;
  std::uint64_t resident_bytes;
};

class Profile {
 public:
  /// \param[in] before  Resident bytes that don't count.
  explicit Profile(std::uint64_t before) : m_before(before) {}
  void more(std::size_t elements) { m_live += elements * sizeof(double); }
  void less(std::size_t elements) { m_live -= elements * sizeof(double); }
  void sample() {
    std::chrono::duration<double> const time = clock_type::now() - m_start;
    auto const resident                      = resident_bytes();
    m_samples.push_back(
        {time.count(), m_live, resident - std::min(resident, m_before)});
  }
  std::vector<Sample> const& samples() const { return m_samples; }

 private:
  std::uint64_t m_before;
  clock_type::time_point m_start = clock_type::now();
  std::uint64_t m_live           = 0;
  std::vector<Sample> m_samples;
};

template <class Space>
using View = Kokkos::View<double*, Space>;

/// \brief A View that the profile knows of as long as it lives.
template <class Space>
class Known {
 public:
  Known(Profile& profile, std::size_t n)
      : m_profile(profile),
        m_view(Kokkos::view_alloc("layer", Kokkos::WithoutInitializing), n) {
    m_profile.more(n);
  }
  Known(Known const&)            = delete;
  Known& operator=(Known const&) = delete;
  ~Known() { m_profile.less(m_view.extent(0)); }
  View<Space> const& view() const { return m_view; }
  void exchange(Known& other) { std::swap(m_view, other.m_view); }

 private:
  Profile& m_profile;
  View<Space> m_view;
};

template <class V>
void apply(V const& in, V const& out) {
  auto const last = in.extent(0) - 1;
  Kokkos::parallel_for(
      "layer",
      Kokkos::RangePolicy<typename V::execution_space>(0, out.extent(0)),
      [=](std::size_t i) { out(i) = in(std::min(i, last)) + 1; });
}

/// \return Whether the last output is right.
template <class Space>
bool chain(Profile& profile) {
  Known<Space> in(profile, size_of(0));
  Kokkos::deep_copy(in.view(), 0.);
  for (int layer = 0; layer < layers; ++layer) {
    auto const n = size_of(layer);
    Known<Space> const product(profile, n);
    apply(in.view(), product.view());
    Known<Space> const biased(profile, n);
    apply(product.view(), biased.view());
    Known<Space> out(profile, n);
    apply(biased.view(), out.view());
    profile.sample();
    in.exchange(out);
  }
  return in.view()(0) == 3 * layers;
}

bool run_in_host_space(Profile& profile) {
  bool right = true;
  for (int cycle = 0; cycle < cycles; ++cycle) {
    right = chain<Kokkos::HostSpace>(profile) && right;
    profile.sample();
  }
  return right;
}

bool run_in_arena(Profile& profile) {
  KokkosArena::Arena<Kokkos::HostSpace> arena;
  bool right = true;
  for (int cycle = 0; cycle < cycles; ++cycle) {
    KokkosArena::ArenaScope const scope(arena);
    right =
        chain<KokkosArena::ScopedSpace<Kokkos::HostSpace>>(profile) && right;
    arena.reset();
    profile.sample();
  }
  return right;
}

template <class Member>
void write_list(std::ostream& out, std::vector<Sample> const& samples,
                Member Sample::* member) {
  char const* separator = "[";
  for (auto const& sample : samples) {
    out << separator << sample.*member;
    separator = ", ";
  }
  out << ']';
}

void write(std::ostream& out, std::string const& where,
           std::vector<Sample> const& samples) {
  auto const machine = KokkosArena::Perf::this_machine();
  std::uint64_t live = 0, resident = 0, last_live = 0, last_resident = 0;
  auto const last_cycle = samples.size() - (layers + 1);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    live     = std::max(live, samples[i].live_bytes);
    resident = std::max(resident, samples[i].resident_bytes);
    if (i < last_cycle) continue;
    last_live     = std::max(last_live, samples[i].live_bytes);
    last_resident = std::max(last_resident, samples[i].resident_bytes);
  }
  out.precision(9);
  out << "{\"context\": {\"kokkos\": \"" << machine.kokkos
      << "\", \"malloc\": \"" << machine.malloc << "\", \"compiler\": \""
      << machine.compiler << "\", \"processor\": \"" << machine.processor
      << "\", \"transparent_huge_pages\": \"" << machine.huge_pages
      << "\"},\n\"benchmarks\": [{\"name\": \"resident/chain/" << where
      << "\", \"run_name\": \"resident/chain/" << where
      << "\", \"run_type\": \"iteration\", \"repetition_index\": 0, "
         "\"peak_live_bytes\": "
      << live << ", \"peak_resident_bytes\": " << resident
      << ", \"resident_over_live\": "
      << static_cast<double>(resident) / static_cast<double>(live)
      << ", \"last_cycle_resident_bytes\": " << last_resident
      << ", \"last_cycle_resident_over_live\": "
      << static_cast<double>(last_resident) / static_cast<double>(last_live)
      << "}],\n\"series\": {\"name\": \"" << where << "\", \"seconds\": ";
  write_list(out, samples, &Sample::seconds);
  out << ", \"live_bytes\": ";
  write_list(out, samples, &Sample::live_bytes);
  out << ", \"resident_bytes\": ";
  write_list(out, samples, &Sample::resident_bytes);
  out << "}}\n";
}

int usage() {
  std::cerr << "usage: KokkosArena_MemoryProfile arena|HostSpace FILE\n"
               "Writes the resident memory of a chain of layers to FILE, as "
               "JSON.\n";
  return 2;
}

}  // namespace

int main(int argc, char* argv[]) {
  Kokkos::ScopeGuard const guard(argc, argv);
  if (argc != 3) return usage();
  std::string const where = argv[1];
  if (where != "arena" && where != "HostSpace") return usage();
  std::ofstream file(argv[2]);
  if (!file) {
    std::cerr << "KokkosArena_MemoryProfile: can't write " << argv[2] << '\n';
    return 2;
  }
  auto const before = resident_bytes();
  if (before == 0) {
    std::cerr << "KokkosArena_MemoryProfile: this system doesn't say how much "
                 "memory is resident (/proc/self/smaps_rollup)\n";
    return 1;
  }
  Profile profile(before);
  profile.sample();
  bool const right =
      where == "arena" ? run_in_arena(profile) : run_in_host_space(profile);
  if (!right) {
    std::cerr << "KokkosArena_MemoryProfile: wrong result\n";
    return 1;
  }
  write(file, where, profile.samples());
  return file.flush() ? 0 : 1;
}
