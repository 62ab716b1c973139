// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <KokkosArena.hpp>
#include <Kokkos_Core.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks.hpp"
#include "machine.hpp"

#ifdef KOKKOSARENA_PERF_HAS_KERNELS
#include <KokkosArena_Digits.hpp>

#include "demo_kernels.hpp"
#endif

/// \file
/// Resident memory of this process over the time of a workload: in an arena, or
/// in HostSpace with whatever malloc the process has.

namespace KokkosArena::Perf {

namespace {

using clock_type = std::chrono::steady_clock;

/// \return Bytes that are in memory and of no file, exactly: the sum over all
/// mappings.
std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/smaps_rollup");
  std::uint64_t kilobytes = 0;
  for (std::string word; file >> word;) {
    if (word != "Anonymous:" && word != "Pss_Shmem:") continue;
    std::uint64_t part = 0;
    file >> part;
    kilobytes += part;
  }
  if (kilobytes == 0) {
    throw std::runtime_error(
        "this system doesn't say how much memory is resident "
        "(/proc/self/smaps_rollup)");
  }
  return kilobytes * 1024;
}

/// What was in memory, and what Views there were, at one point in time.
struct Sample {
  double seconds;
  std::uint64_t live_bytes;
  std::uint64_t resident_bytes;
};

/// \brief From its beginning on, learns of all Views by Kokkos Tools, and looks
/// at what is resident before the first is dropped after others were made. What
/// was resident at its beginning doesn't count.
class Profile {
 public:
  Profile()                          = default;
  Profile(Profile const&)            = delete;
  Profile& operator=(Profile const&) = delete;
  ~Profile() {
    Kokkos::Tools::Experimental::set_allocate_data_callback(nullptr);
    Kokkos::Tools::Experimental::set_deallocate_data_callback(nullptr);
  }

  void begin() {
    namespace Tools = Kokkos::Tools::Experimental;
    s_profile       = this;
    // What is taken later would lie in malloc's way.
    m_samples.reserve(1000);
    m_before = resident_bytes();
    m_start  = clock_type::now();
    sample();
    Tools::set_allocate_data_callback(
        [](Kokkos::Tools::SpaceHandle, char const* label, void const*,
           std::uint64_t bytes) { s_profile->note(label, bytes); });
    Tools::set_deallocate_data_callback(
        [](Kokkos::Tools::SpaceHandle, char const* label, void const*,
           std::uint64_t bytes) { s_profile->note_end(label, bytes); });
  }
  void end_cycle() {
    sample();
    if (m_first_cycle == 0) m_first_cycle = m_samples.size();
  }
  std::vector<Sample> const& samples() const { return m_samples; }
  /// How many of the samples are of the first cycle.
  std::size_t first_cycle() const { return m_first_cycle; }

 private:
  /// Arenas report their blocks as well.
  static bool is_view(std::string_view label) {
    return label != "KokkosArena::block";
  }
  void note(char const* label, std::uint64_t bytes) {
    if (!is_view(label)) return;
    m_live += bytes;
    m_rises = true;
  }
  void note_end(char const* label, std::uint64_t bytes) {
    if (!is_view(label)) return;
    if (m_rises) sample();
    m_rises = false;
    m_live -= bytes;
  }
  void sample() {
    std::chrono::duration<double> const time = clock_type::now() - m_start;
    auto const resident                      = resident_bytes();
    m_samples.push_back(
        {time.count(), m_live, resident - std::min(resident, m_before)});
  }

  // Kokkos calls plain functions.
  static inline Profile* s_profile = nullptr;

  std::uint64_t m_before = 0;
  clock_type::time_point m_start;
  std::uint64_t m_live = 0;
  bool m_rises         = false;
  std::vector<Sample> m_samples;
  std::size_t m_first_cycle = 0;
};

template <class Where>
using View = Kokkos::View<double*, typename Where::memory_space>;

template <class Where>
View<Where> make(std::size_t n) {
  return View<Where>(
      Kokkos::view_alloc("temporary", Kokkos::WithoutInitializing), n);
}

/// \brief One whose pages all hold its size.
template <class Where>
View<Where> written(std::size_t n) {
  auto const view = make<Where>(n);
  for (std::size_t i = 0; i < n; i += 512) view(i) = static_cast<double>(n);
  return view;
}
template <class V>
bool is_as_written(V const& view) {
  for (std::size_t i = 0; i < view.size(); i += 512) {
    if (view(i) != static_cast<double>(view.size())) return false;
  }
  return true;
}

/// Null: not in this build.
using Workload = void (*)(Profile&);

/// \brief Calls \c cycle so often. \throws std::runtime_error  If it says that
/// something was wrong.
template <class Where, class Cycle>
void run(Profile& profile, Where& where, int cycles, Cycle const& cycle) {
  profile.begin();
  for (int i = 0; i < cycles; ++i) {
    if (!cycle()) throw std::runtime_error("wrong result");
    where.next_cycle();
    profile.end_cycle();
  }
}

template <class V>
void apply(V const& in, V const& out) {
  auto const last = in.extent(0) - 1;
  Kokkos::parallel_for(
      "layer",
      Kokkos::RangePolicy<typename V::execution_space>(0, out.extent(0)),
      [=](std::size_t i) { out(i) = in(std::min(i, last)) + 1; });
}

/// \brief Ten layers, of which each has two temporaries of its own and an
/// output that outlives its input.
template <class Where>
void chain(Profile& profile) {
  // 0.4 to 8 MB, up and down.
  constexpr std::size_t sizes[] = {1000000, 400000, 800000,  200000, 900000,
                                   50000,   600000, 1000000, 300000, 700000};
  Where where;
  run(profile, where, 6, [&] {
    auto in = make<Where>(sizes[0]);
    Kokkos::deep_copy(in, 0.);
    for (auto const size : sizes) {
      auto const product = make<Where>(size);
      apply(in, product);
      auto const biased = make<Where>(size);
      apply(product, biased);
      auto const out = make<Where>(size);
      apply(biased, out);
      in = out;
    }
    return in(0) == 3. * std::size(sizes);
  });
}

/// \brief Ten temporaries of 4 MB in each cycle, beside Views of 8 to 800 KB
/// that outlive it: \c Count in all, a tenth of which, as chance has it, is
/// replaced.
template <class Where, std::size_t Count>
void survivors(Profile& profile) {
  std::mt19937 generator(Count);
  auto const random_size = [&] {
    auto const part = static_cast<double>(generator()) /
                      static_cast<double>(std::mt19937::max());
    return static_cast<std::size_t>(1e3 * std::pow(100, part));
  };
  Where where;
  std::vector<View<Where>> kept(Count);
  run(profile, where, 100, [&] {
    auto const replaced =
        kept[0].data() ? std::max<std::size_t>(Count / 10, 1) : Count;
    std::vector<View<Where>> made;
    std::vector<View<Where>> temporaries;
    for (std::size_t i = 0; i < std::max<std::size_t>(replaced, 10); ++i) {
      if (i < 10) temporaries.push_back(written<Where>(500'000));
      if (i < replaced) made.push_back(written<Where>(random_size()));
    }
    bool right = true;
    for (std::size_t i = 0; i < replaced; ++i) {
      auto& old = kept[replaced == Count ? i : generator() % Count];
      right &= is_as_written(old);
      old = made[i];
    }
    return right;
  });
}

#ifdef KOKKOSARENA_PERF_HAS_KERNELS
/// \brief A batch of the demo's workload of that name.
template <class Where>
void digits(Profile& profile) {
  using space        = typename Where::memory_space;
  auto const network = adapt<space>(workloads::random_network(1));
  auto const images =
      adapt<space>(workloads::random_images(workloads::digit_batch, 2));
  std::vector<float> first;
  Where where;
  run(profile, where, 6, [&] {
    auto const out = network(workloads::batch(images, 0), kernels_for<space>());
    std::vector<float> const result(out.data(), out.data() + out.size());
    if (first.empty()) first = result;
    return result == first;
  });
}
#else
template <class Where>
constexpr Workload digits = nullptr;
#endif

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

double ratio(std::uint64_t of, std::uint64_t to) {
  return static_cast<double>(of) / static_cast<double>(to);
}

/// The most of each.
struct Peaks {
  std::uint64_t live     = 0;
  std::uint64_t resident = 0;
  explicit Peaks(std::span<Sample const> samples) {
    for (auto const& sample : samples) {
      live     = std::max(live, sample.live_bytes);
      resident = std::max(resident, sample.resident_bytes);
    }
  }
};

void write_peaks(std::ostream& out, std::string const& cycles,
                 Peaks const& peaks) {
  auto const counter = [&](std::string const& name, auto value) {
    out << ", \"" << cycles << name << "\": " << value;
  };
  counter("_peak_live_bytes", peaks.live);
  counter("_peak_resident_bytes", peaks.resident);
  counter("_resident_over_live", ratio(peaks.resident, peaks.live));
}

void write(std::ostream& out, std::string const& workload,
           std::string const& where, Profile const& profile) {
  auto const machine = this_machine();
  std::span const samples(profile.samples());
  auto const name = "resident/" + workload + "/" + where;
  out.precision(9);
  out << "{\"context\": {\"kokkos\": \"" << machine.kokkos
      << "\", \"malloc\": \"" << machine.malloc << "\", \"compiler\": \""
      << machine.compiler << "\", \"processor\": \"" << machine.processor
      << "\", \"transparent_huge_pages\": \"" << machine.huge_pages
      << "\"},\n\"benchmarks\": [{\"name\": \"" << name
      << "\", \"run_name\": \"" << name
      << "\", \"run_type\": \"iteration\", \"repetition_index\": 0";
  auto const first  = samples.first(profile.first_cycle());
  auto const later  = samples.subspan(first.size());
  auto const middle = later.size() / 2;
  write_peaks(out, "first_cycle", Peaks(first));
  write_peaks(out, "later_cycles", Peaks(later));
  // Of the second half of these over the first.
  out << ", \"later_growth\": "
      << ratio(Peaks(later.subspan(middle)).resident,
               Peaks(later.first(middle)).resident);
  out << "}]";
  // What the plot shows.
  if (workload == "chain") {
    out << ",\n\"series\": {\"name\": \"" << where << "\", \"seconds\": ";
    write_list(out, profile.samples(), &Sample::seconds);
    out << ", \"live_bytes\": ";
    write_list(out, profile.samples(), &Sample::live_bytes);
    out << ", \"resident_bytes\": ";
    write_list(out, profile.samples(), &Sample::resident_bytes);
    out << '}';
  }
  out << "}\n";
}

template <class Where>
std::map<std::string, Workload> workloads_in() {
  return {{"chain", chain<Where>},
          {"survivors_1", survivors<Where, 1>},
          {"survivors_10", survivors<Where, 10>},
          {"survivors_1000", survivors<Where, 1000>},
          {"digits", digits<Where>}};
}

int usage() {
  std::cerr
      << "usage: KokkosArena_MemoryProfile WORKLOAD arena|HostSpace FILE\n"
         "Writes the resident memory of a workload to FILE, as JSON. There "
         "are";
  for (auto const& [name, run] : workloads_in<InHostSpace>()) {
    std::cerr << ' ' << name;
  }
  std::cerr << ".\n";
  return 2;
}

int run_and_write(std::string const& workload, std::string const& where,
                  std::string const& path) {
  auto const all   = where == "arena" ? workloads_in<InArena<ThreadCached>>()
                                      : workloads_in<InHostSpace>();
  auto const found = all.find(workload);
  if (found == all.end() || (where != "arena" && where != "HostSpace")) {
    return usage();
  }
  if (!found->second) {
    std::cout << workload << " is not in this build\n";
    return 77;  // What run.py takes for: not here.
  }
  std::ofstream file(path);
  if (!file) throw std::runtime_error("can't write " + path);
  Profile profile;
  found->second(profile);
  write(file, workload, where, profile);
  return file.flush() ? 0 : 1;
}

}  // namespace

}  // namespace KokkosArena::Perf

int main(int argc, char* argv[]) {
  Kokkos::ScopeGuard const guard(argc, argv);
  using namespace KokkosArena::Perf;
  if (argc != 4) return usage();
  try {
    return run_and_write(argv[1], argv[2], argv[3]);
  } catch (std::exception const& error) {
    std::cerr << "KokkosArena_MemoryProfile: " << error.what() << '\n';
    return 1;
  }
}
