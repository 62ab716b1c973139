// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_TraceFile.hpp"

#include "KokkosArena_Cancellation.hpp"
#include "KokkosArena_Process.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace KokkosArena::Impl {

namespace {

/// Buffered events, at most; and for how long, if others follow.
constexpr std::size_t most_buffered = std::size_t(64) << 10;
constexpr std::int64_t most_delay   = 100'000'000;  // nanoseconds

constexpr auto end_of_array = TraceEvents::end_of_array;

}  // namespace

TraceFile::TraceFile(std::string path)
    : m_path(std::move(path)), m_pid(process_id()), m_events(m_pid) {}

std::string TraceFile::enter(std::string const& label) {
  if (!is_own()) return label;
  std::lock_guard const guard(m_mutex);
  std::string name = label;
  for (int i = 2; m_names.contains(name); ++i) {
    name = label + " (" + std::to_string(i) + ")";
  }
  m_names.insert(name);
  auto const size = m_events.size();
  bool is_new     = false;
  try {
    CancellationOff const off;
    if (!m_file && !m_stopped) open();
    if (!m_file) {  // it was said why
      ++m_users;
      return name;
    }
    is_new = m_all_names.insert(name).second;
    if (is_new) {
      std::string all;
      for (auto const& each : m_all_names) {
        all += (all.empty() ? "arenas: " : ", ") + each;
      }
      m_events.metadata("process_labels", "labels", all);
    }
    if (!flush()) fail("written");
  } catch (...) {
    m_names.erase(name);
    if (is_new) m_all_names.erase(name);
    m_events.cut(size);
    if (m_users == 0) close();
    throw;
  }
  ++m_users;
  return name;
}

void TraceFile::leave(std::string const& name) noexcept {
  if (!is_own()) return;
  std::lock_guard const guard(m_mutex);
  m_names.erase(name);
  if (--m_users == 0) finish();
}

void TraceFile::flush_if_possible() noexcept {
  if (!is_own() || !m_mutex.try_lock()) return;
  std::lock_guard const guard(m_mutex, std::adopt_lock);
  if (m_file) flush_or_stop();
}

void TraceFile::end() noexcept {
  if (!is_own()) return;
  std::lock_guard const guard(m_mutex);
  finish();
}

bool TraceFile::is_own() const noexcept { return m_pid == process_id(); }

void TraceFile::fail(char const* what) const {
  throw std::runtime_error("the trace file \"" + m_path + "\" can't be " +
                           what + ": " + std::strerror(m_error));
}

void TraceFile::open() {
  // Where it has ended, unless somebody else has changed or removed it.
  if (m_length > 0) m_file = std::fopen(m_path.c_str(), "r+be");
  if (m_file) {
    auto const whole = m_length + static_cast<long>(end_of_array.size());
    if (std::fseek(m_file, 0, SEEK_END) == 0 && std::ftell(m_file) == whole &&
        std::fseek(m_file, m_length, SEEK_SET) == 0) {
      std::setvbuf(m_file, nullptr, _IONBF, 0);
      return;
    }
    close();
  }
  m_length = 0;
  m_all_names.clear();
  m_file = std::fopen(m_path.c_str(), "wbe");
  if (!m_file) {
    m_error = errno;
    fail("opened");
  }
  // The buffer is ours, which a child process must not write as well.
  std::setvbuf(m_file, nullptr, _IONBF, 0);
  m_events.reserve(most_buffered + most_buffered / 4);
  m_events.begin_array();
  m_events.metadata("process_name", "name", program_name());
}

bool TraceFile::flush() noexcept {
  m_flushed_at     = m_events.now();
  auto const& text = m_events.text();
  if (text.empty()) return true;
  CancellationOff const off;
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), m_file) != text.size()) {
    m_error = errno;
    return false;
  }
  m_length += static_cast<long>(text.size());
  m_events.clear();
  return true;
}

void TraceFile::flush_if_due() noexcept {
  if (m_events.size() > most_buffered ||
      m_events.now() > m_flushed_at + most_delay) {
    flush_or_stop();
  }
}

void TraceFile::flush_or_stop() noexcept {
  if (!flush()) stop();
}

void TraceFile::stop() noexcept {
  CancellationOff const off;
  std::fprintf(stderr,
               "KokkosArena: the trace file \"%s\" can't be written: %s; "
               "what follows is not traced\n",
               m_path.c_str(), std::strerror(m_error));
  m_stopped = true;
  close();
}

void TraceFile::close() noexcept {
  CancellationOff const off;
  if (m_file) std::fclose(m_file);
  m_file = nullptr;
  m_events.clear();
}

void TraceFile::finish() noexcept {
  if (!m_file) return;
  if (!flush()) {
    stop();
    return;
  }
  CancellationOff const off;
  bool const written = std::fwrite(end_of_array.data(), 1, end_of_array.size(),
                                   m_file) == end_of_array.size();
  if (!written) {
    m_error = errno;
    stop();
    return;
  }
  close();
}

}  // namespace KokkosArena::Impl
