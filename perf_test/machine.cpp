// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "machine.hpp"

#include <dlfcn.h>
#include <sys/resource.h>
#include <unistd.h>
#include <Kokkos_Core.hpp>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <sstream>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "device_backend.hpp"

namespace KokkosArena::Perf {

namespace {

std::string kokkos_version() {
  std::ostringstream out;
  out << KOKKOS_VERSION / 10000 << '.' << KOKKOS_VERSION / 100 % 100 << '.'
      << KOKKOS_VERSION % 100;
  return out.str();
}

/// Without the date and the vendor's additions.
std::string first_word_after(std::string const& name,
                             std::string const& version) {
  return name + version.substr(0, version.find_first_of(" -"));
}

std::string compiler() {
#if defined(__NVCC__)
  return "nvcc " + std::to_string(__CUDACC_VER_MAJOR__) + "." +
         std::to_string(__CUDACC_VER_MINOR__) + " with " +
         first_word_after("GCC ", __VERSION__);
#elif defined(__clang__)
  return first_word_after("Clang ", __clang_version__);
#elif defined(__GNUC__)
  return first_word_after("GCC ", __VERSION__);
#else
  return "unknown compiler";
#endif
}

/// The C library's own, and the settings that make it another one.
std::string libc_malloc() {
#ifdef __GLIBC__
  std::string name = std::string("glibc ") + gnu_get_libc_version();
  for (auto const* const variable :
       {"GLIBC_TUNABLES", "MALLOC_TOP_PAD_", "MALLOC_TRIM_THRESHOLD_",
        "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_", "MALLOC_ARENA_MAX"}) {
    if (auto const* const value = std::getenv(variable)) {
      name += std::string(" ") + variable + "=" + value;
    }
  }
  return name;
#else
  return "the C library's";
#endif
}

/// \return The function of that name in the process, or null.
template <class Function>
Function* find_function(char const* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

std::string jemalloc_version() {
  auto* const mallctl =
      find_function<int(char const*, void*, std::size_t*, void*, std::size_t)>(
          "mallctl");
  char const* version = nullptr;
  std::size_t bytes   = sizeof version;
  if (mallctl("version", static_cast<void*>(&version), &bytes, nullptr, 0) != 0)
    return "";
  return version;
}

/// As "gperftools 2.18.1".
std::string tcmalloc_version() {
  return find_function<char const*(int*, int*, char const**)>("tc_version")(
      nullptr, nullptr, nullptr);
}

/// Replacements are known by a function that they alone have.
std::string malloc_name() {
  auto const is_there = [](char const* name) {
    return dlsym(RTLD_DEFAULT, name) != nullptr;
  };
  if (is_there("mallctl")) {
    return first_word_after("jemalloc ", jemalloc_version());
  }
  if (is_there("tc_version")) return "tcmalloc of " + tcmalloc_version();
  if (is_there("mi_version")) return "mimalloc";
  if (is_there("__asan_init")) return "AddressSanitizer's";
  return libc_malloc();
}

std::string processor() {
  std::string model = "unknown processor";
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    auto const colon = line.find(": ");
    if (line.starts_with("model name") && colon != line.npos) {
      model = line.substr(colon + 2);
      break;
    }
  }
  return model;
}

/// The file lists all modes and has the one that holds in brackets.
std::string huge_page_mode() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string line;
  std::getline(file, line);
  auto const open  = line.find('[');
  auto const close = line.find(']');
  if (open == line.npos || close == line.npos) return "unknown";
  return line.substr(open + 1, close - open - 1);
}

/// With the version of the kernel's own driver, where it says it.
std::string device() {
  auto name = device_name();
  std::ifstream file("/proc/driver/nvidia/version");
  std::string line;
  if (name != "none" && std::getline(file, line)) name += "; " + line;
  return name;
}

double memory_bytes() {
  auto const pages = static_cast<double>(sysconf(_SC_PHYS_PAGES));
  return pages > 0 ? pages * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

double load_average() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : 0;
}

}  // namespace

Machine this_machine() {
  Kokkos::DefaultHostExecutionSpace const space;
  return {.kokkos       = kokkos_version(),
          .backend      = space.name(),
          .threads      = space.concurrency(),
          .malloc       = malloc_name(),
          .compiler     = compiler(),
          .processor    = processor(),
          .huge_pages   = huge_page_mode(),
          .device       = device(),
          .processors   = sysconf(_SC_NPROCESSORS_ONLN),
          .memory_bytes = memory_bytes(),
          .load         = load_average()};
}

std::string why_no_device() { return why_backend_has_no_device(); }

bool is_busy(Machine const& machine) {
  // A build that has just ended has kept all processors busy.
  return machine.load > 1.5 * static_cast<double>(machine.processors);
}

long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

}  // namespace KokkosArena::Perf
