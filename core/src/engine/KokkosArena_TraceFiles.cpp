// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_TraceFiles.hpp"

#include "KokkosArena_NeverDestroyed.hpp"
#include "KokkosArena_Process.hpp"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace KokkosArena::Impl {

namespace {

void end_traces() noexcept { TraceFiles::of_process().end(); }

}  // namespace

TraceFiles& TraceFiles::of_process() noexcept {
  static NeverDestroyed<TraceFiles> const instance;
  [[maybe_unused]] static int const registered = std::atexit(&end_traces);
  return instance.get();
}

TraceFile& TraceFiles::at(std::string path) {
  path = expanded_file_name(std::move(path));
  std::error_code error;
  auto const canonical = std::filesystem::weakly_canonical(path, error);
  auto const key       = error ? path : canonical.string();
  std::lock_guard const guard(m_mutex);
  auto& file = m_files[key];
  // Not as it was spelled: the current directory may change.
  if (!file) file = std::make_unique<TraceFile>(key);
  return *file;
}

void TraceFiles::flush() noexcept {
  std::unique_lock const guard(m_mutex, std::try_to_lock);
  if (!guard) return;
  for (auto const& [key, file] : m_files) file->flush_if_possible();
}

void TraceFiles::end() noexcept {
  std::unique_lock const guard(m_mutex, std::try_to_lock);
  if (!guard) return;
  for (auto const& [key, file] : m_files) file->end();
}

void flush_traces() noexcept { TraceFiles::of_process().flush(); }

}  // namespace KokkosArena::Impl
