// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_Trace.hpp"

#include "KokkosArena_Cancellation.hpp"
#include "KokkosArena_Fork.hpp"
#include "KokkosArena_NeverDestroyed.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#endif

namespace KokkosArena::Impl {

namespace {

/// Buffered events, at most; and for how long, if others follow.
constexpr std::size_t most_buffered = std::size_t(64) << 10;
constexpr std::int64_t most_delay   = 100'000'000;  // nanoseconds

constexpr std::string_view end_of_array = "\n]\n";

std::uint64_t process_id() noexcept {
#if defined(__unix__) || defined(__APPLE__)
  return static_cast<std::uint64_t>(getpid());
#else
  return 1;
#endif
}

/// \return The system's number of the thread, or one of our own.
std::uint64_t thread_id() noexcept {
#if defined(__linux__)
  thread_local auto const id =
      static_cast<std::uint64_t>(::syscall(SYS_gettid));
  return id;
#else
  static std::atomic<std::uint64_t> last{0};
  thread_local auto const id = ++last;
  return id;
#endif
}

std::string program_name() {
#if defined(__GLIBC__)
  return program_invocation_short_name;
#else
  return "program";
#endif
}

void add_number(std::string& text, std::uint64_t number, int base = 10) {
  char digits[24];
  auto const end =
      std::to_chars(digits, digits + sizeof(digits), number, base).ptr;
  text.append(digits, end);
}

/// \return How many bytes at the front are one character of UTF-8; 0: none is.
std::size_t utf8_length(std::string_view text) noexcept {
  auto const at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  auto const continues = [&](std::size_t i) {
    return (at(i) & 0xc0u) == 0x80u;
  };
  auto const first = at(0);
  if (first < 0x80) return 1;
  // Not in more bytes than it needs, no surrogates, nothing past U+10FFFF.
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xe0 && at(1) < 0xa0) return 0;
    if (first == 0xed && at(1) > 0x9f) return 0;
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xf0 && at(1) < 0x90) return 0;
    if (first == 0xf4 && at(1) > 0x8f) return 0;
    return 4;
  }
  return 0;
}

/// \brief Appends a string of JSON.
void add_string(std::string& text, std::string_view value) {
  text += '"';
  while (!value.empty()) {
    auto const length = utf8_length(value);
    auto const c      = static_cast<unsigned char>(value[0]);
    if (length == 0) {
      text += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      text += '\\';
      text += value[0];
    } else if (c < 0x20 || c == 0x7f) {
      constexpr char const* digits = "0123456789abcdef";
      text += "\\u00";
      text += digits[c >> 4];
      text += digits[c & 15];
    } else {
      text.append(value.substr(0, length));
    }
    value.remove_prefix(std::max<std::size_t>(length, 1));
  }
  text += '"';
}

}  // namespace

/// \brief A file that is open while an arena uses it. It is never destroyed, so
/// that a later arena goes on where an earlier one has ended.
class TraceFile {
 public:
  explicit TraceFile(std::string path)
      : m_path(std::move(path)), m_pid(process_id()) {}

  /// \brief Opens the file for one arena more.
  /// \return A name that no other arena of the file has now.
  /// \throws std::runtime_error  What failed, and why.
  std::string enter(std::string const& label) {
    // A child process has its parent's buffer: it writes nothing.
    if (!is_own()) return label;
    std::lock_guard const guard(m_mutex);
    std::string name = label;
    for (int i = 2; m_names.contains(name); ++i) {
      name = label + " (" + std::to_string(i) + ")";
    }
    m_names.insert(name);
    try {
      CancellationOff const off;
      if (!m_file && !m_stopped) open();
      if (!m_file) {  // it was said why
        ++m_users;
        return name;
      }
      if (m_all_names.insert(name).second) {
        std::string all;
        for (auto const& each : m_all_names) {
          all += (all.empty() ? "arenas: " : ", ") + each;
        }
        add_metadata("process_labels", "labels", all);
      }
      if (!flush()) fail("written");
    } catch (...) {
      m_names.erase(name);
      if (m_users == 0) close();
      throw;
    }
    ++m_users;
    return name;
  }

  void leave(std::string const& name) noexcept {
    if (!is_own()) return;
    std::lock_guard const guard(m_mutex);
    m_names.erase(name);
    if (--m_users == 0) finish();
  }

  /// \brief Has f() append events, with the functions below.
  template <class F>
  void write(F const& f) noexcept {
    if (!is_own()) return;
    std::lock_guard const guard(m_mutex);
    if (!m_file) return;
    auto size = m_buffer.size();
    try {
      name_thread();
      size = m_buffer.size();
      f();
    } catch (std::bad_alloc const&) {
      m_buffer.resize(size);
    }
    if (m_buffer.size() > most_buffered || m_now > m_flushed_at + most_delay) {
      flush_or_stop();
    }
  }

  void begin_event(char phase, std::string_view category,
                   std::string_view name) {
    m_now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::steady_clock::now().time_since_epoch())
                .count();
    auto const now = static_cast<std::uint64_t>(m_now);
    begin_any(phase, name);
    m_buffer += ",\"cat\":";
    add_string(m_buffer, category);
    m_buffer += ",\"ts\":";
    add_number(m_buffer, now / 1000);
    auto const fraction = now % 1000;
    m_buffer += '.';
    m_buffer += static_cast<char>('0' + fraction / 100);
    m_buffer += static_cast<char>('0' + fraction / 10 % 10);
    m_buffer += static_cast<char>('0' + fraction % 10);
  }
  void add_id(std::uint64_t id) {
    m_buffer += ",\"id\":\"0x";
    add_number(m_buffer, id, 16);
    m_buffer += '"';
  }
  void add_thread_scope() { m_buffer += ",\"s\":\"t\""; }
  void begin_arguments() {
    m_buffer += ",\"args\":{";
    m_first_argument = true;
  }
  void argument(std::string_view name, std::uint64_t value) {
    begin_argument(name);
    add_number(m_buffer, value);
  }
  void argument(std::string_view name, std::string_view value) {
    begin_argument(name);
    add_string(m_buffer, value);
  }
  void address_argument(std::uintptr_t address) {
    begin_argument("address");
    m_buffer += "\"0x";
    add_number(m_buffer, address, 16);
    m_buffer += '"';
  }
  void end_event() { m_buffer += "}}"; }

  std::uint64_t next_id() noexcept { return ++m_last_id; }

  void flush_if_possible() noexcept {
    if (!is_own() || !m_mutex.try_lock()) return;
    std::lock_guard const guard(m_mutex, std::adopt_lock);
    if (m_file) flush_or_stop();
  }
  /// The process ends.
  void end() noexcept {
    if (!is_own()) return;
    std::lock_guard const guard(m_mutex);
    if (m_file) finish();
  }

 private:
  bool is_own() const noexcept { return m_pid == process_id(); }

  [[noreturn]] void fail(char const* what) const {
    throw std::runtime_error("the trace file \"" + m_path + "\" can't be " +
                             what + ": " + std::strerror(m_error));
  }

  void open() {
    m_buffer.clear();
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
    m_threads.clear();
    m_all_names.clear();
    m_file = std::fopen(m_path.c_str(), "wbe");
    if (!m_file) {
      m_error = errno;
      fail("opened");
    }
    // The buffer is ours, which a child process must not write as well.
    std::setvbuf(m_file, nullptr, _IONBF, 0);
    m_buffer.reserve(most_buffered + most_buffered / 4);
    add_metadata("process_name", "name", program_name());
  }

  void begin_any(char phase, std::string_view name) {
    m_buffer += m_length == 0 && m_buffer.empty() ? "[\n" : ",\n";
    m_buffer += "{\"ph\":\"";
    m_buffer += phase;
    m_buffer += "\",\"name\":";
    add_string(m_buffer, name);
    m_buffer += ",\"pid\":";
    add_number(m_buffer, m_pid);
    m_buffer += ",\"tid\":";
    add_number(m_buffer, thread_id());
  }
  void add_metadata(std::string_view name, std::string_view argument_name,
                    std::string_view value) {
    begin_any('M', name);
    begin_arguments();
    argument(argument_name, value);
    end_event();
  }
  void begin_argument(std::string_view name) {
    if (!m_first_argument) m_buffer += ',';
    m_first_argument = false;
    add_string(m_buffer, name);
    m_buffer += ':';
  }
  void name_thread() {
    auto const id = thread_id();
    if (!m_threads.insert(id).second) return;
    add_metadata("thread_name", "name",
                 id == m_pid ? "main thread"
                             : "thread " + std::to_string(m_threads.size()));
  }

  bool flush() noexcept {
    m_flushed_at = m_now;
    if (m_buffer.empty()) return true;
    CancellationOff const off;
    errno = 0;
    if (std::fwrite(m_buffer.data(), 1, m_buffer.size(), m_file) !=
        m_buffer.size()) {
      m_error = errno;
      return false;
    }
    m_length += static_cast<long>(m_buffer.size());
    m_buffer.clear();
    return true;
  }
  void flush_or_stop() noexcept {
    if (!flush()) stop();
  }
  void stop() noexcept {
    CancellationOff const off;
    std::fprintf(stderr,
                 "KokkosArena: the trace file \"%s\" can't be written: %s; "
                 "what follows is not traced\n",
                 m_path.c_str(), std::strerror(m_error));
    m_stopped = true;
    close();
  }
  void close() noexcept {
    CancellationOff const off;
    if (m_file) std::fclose(m_file);
    m_file = nullptr;
    m_buffer.clear();
  }
  void finish() noexcept {
    if (!m_file) return;
    if (!flush()) {
      stop();
      return;
    }
    CancellationOff const off;
    bool const written =
        std::fwrite(end_of_array.data(), 1, end_of_array.size(), m_file) ==
        end_of_array.size();
    if (!written) {
      m_error = errno;
      stop();
      return;
    }
    close();
  }

  std::string const m_path;
  std::uint64_t const m_pid;
  std::mutex m_mutex;
  ForkLock<std::mutex> m_fork_lock{ForkRank::file, m_mutex};
  std::FILE* m_file = nullptr;
  int m_error       = 0;
  long m_length     = 0;  ///< Written, without the end of the array.
  int m_users       = 0;
  bool m_stopped    = false;  ///< What was written is not to be overwritten.
  std::string m_buffer;       ///< Whole events.
  bool m_first_argument     = true;
  std::int64_t m_now        = 0;
  std::int64_t m_flushed_at = 0;
  std::uint64_t m_last_id   = 0;
  std::set<std::uint64_t> m_threads;  ///< That have a name.
  std::set<std::string> m_names;      ///< Of the arenas that use it.
  std::set<std::string> m_all_names;
};

namespace {

struct Registry {
  std::mutex mutex;
  ForkLock<std::mutex> fork_lock{ForkRank::registry, mutex};
  std::map<std::string, std::unique_ptr<TraceFile>> files;
};

void end_traces() noexcept;

/// Views may die after the statics of this library.
Registry& registry() noexcept {
  static NeverDestroyed<Registry> const instance;
  [[maybe_unused]] static int const registered = std::atexit(&end_traces);
  return instance.get();
}

void end_traces() noexcept {
  auto& all = registry();
  std::unique_lock const guard(all.mutex, std::try_to_lock);
  if (!guard) return;
  for (auto const& [key, file] : all.files) file->end();
}

TraceFile& file_at(std::string const& path) {
  std::error_code error;
  auto const canonical = std::filesystem::weakly_canonical(path, error);
  auto const key       = error ? path : canonical.string();
  auto& all            = registry();
  std::lock_guard const guard(all.mutex);
  auto& file = all.files[key];
  // Not as it was spelled: the current directory may change.
  if (!file) file = std::make_unique<TraceFile>(key);
  return *file;
}

/// With the process' number for each %p.
std::string expanded(std::string path) {
  auto const pid = std::to_string(process_id());
  for (auto at = path.find("%p"); at != path.npos;
       at      = path.find("%p", at + pid.size())) {
    path.replace(at, 2, pid);
  }
  return path;
}

}  // namespace

void flush_traces() noexcept {
  auto& all = registry();
  std::unique_lock const guard(all.mutex, std::try_to_lock);
  if (!guard) return;
  for (auto const& [key, file] : all.files) file->flush_if_possible();
}

/// One arena that uses the file.
struct ArenaTrace::User {
  User(TraceFile& used, std::string const& label)
      : file(used), name(used.enter(label)) {}
  User(User const&)            = delete;
  User& operator=(User const&) = delete;
  ~User() { file.leave(name); }

  TraceFile& file;
  std::string name;
};

std::unique_ptr<ArenaTrace> ArenaTrace::open(std::string const& option,
                                             std::string const& label) {
  std::string path = option;
  if (path.empty()) {
    auto const* const text = std::getenv("KOKKOS_ARENA_TRACE");
    if (!text || !*text) return nullptr;
    path = text;
  }
  try {
    auto user = std::make_shared<User>(file_at(expanded(path)), label);
    auto name = "arena " + user->name;
    return std::unique_ptr<ArenaTrace>(
        new ArenaTrace(std::move(user), std::move(name)));
  } catch (std::runtime_error const& e) {
    auto const message =
        "KokkosArena: arena \"" + label + "\": " + e.what() +
        "; name a file in a directory that exists and can be written, or ";
    if (!option.empty()) {
      throw std::runtime_error(message + "leave ArenaOptions::trace out");
    }
    CancellationOff const off;
    std::fprintf(stderr, "%sunset KOKKOS_ARENA_TRACE; nothing is traced\n",
                 message.c_str());
    return nullptr;
  }
}

ArenaTrace::ArenaTrace(std::shared_ptr<User> user, std::string counter) noexcept
    : m_user(std::move(user)), m_counter(std::move(counter)) {}

std::unique_ptr<ArenaTrace> ArenaTrace::for_checked_memory() const {
  return std::unique_ptr<ArenaTrace>(
      new ArenaTrace(m_user, m_counter + ", checked memory"));
}

ArenaTrace::~ArenaTrace() = default;

void ArenaTrace::begin(std::uintptr_t key, std::uintptr_t address,
                       std::size_t bytes, char const* label) noexcept {
  auto& file = m_user->file;
  file.write([&] {
    std::string name = !label ? "untracked" : *label ? label : "[unlabeled]";
    Entry entry{file.next_id(), bytes, address, label != nullptr,
                std::move(name)};
    file.begin_event('b', label ? "view" : "untracked", entry.label);
    file.add_id(entry.id);
    file.begin_arguments();
    file.argument("arena", m_user->name);
    file.argument("bytes", bytes);
    file.address_argument(address);
    file.end_event();
    // Last: if there is no memory for it, the event isn't written either.
    m_entries.insert_or_assign(key, std::move(entry));
  });
}

void ArenaTrace::end(std::uintptr_t key) noexcept {
  auto& file = m_user->file;
  file.write([&] {
    auto const found = m_entries.find(key);
    if (found == m_entries.end()) return;
    auto const entry = std::move(found->second);
    m_entries.erase(found);
    file.begin_event('e', entry.is_view ? "view" : "untracked", entry.label);
    file.add_id(entry.id);
    file.begin_arguments();
    file.argument("bytes", entry.bytes);
    file.end_event();
  });
}

void ArenaTrace::write_escape(Entry const& entry) {
  auto& file = m_user->file;
  file.begin_event('i', "arena", "escape");
  file.add_thread_scope();
  file.begin_arguments();
  file.argument("arena", m_user->name);
  file.argument("label", entry.label);
  file.argument("bytes", entry.bytes);
  file.address_argument(entry.address);
  file.end_event();
}

void ArenaTrace::escape(std::uintptr_t key) noexcept {
  m_user->file.write([&] {
    auto const found = m_entries.find(key);
    if (found != m_entries.end()) write_escape(found->second);
  });
}

void ArenaTrace::escapes(std::uintptr_t first, std::uintptr_t last) noexcept {
  m_user->file.write([&] {
    for (auto entry = m_entries.lower_bound(first);
         entry != m_entries.end() && entry->first < last; ++entry) {
      if (entry->second.is_view) write_escape(entry->second);
    }
  });
}

void ArenaTrace::event(char const* what) noexcept { event(what, 0); }

void ArenaTrace::event(char const* what, std::size_t bytes) noexcept {
  auto& file = m_user->file;
  file.write([&] {
    file.begin_event('i', "arena", what);
    file.add_thread_scope();
    file.begin_arguments();
    file.argument("arena", m_user->name);
    if (bytes > 0) file.argument("bytes", bytes);
    file.end_event();
  });
}

void ArenaTrace::exhausted(std::size_t bytes, char const* label) noexcept {
  auto& file = m_user->file;
  file.write([&] {
    file.begin_event('i', "arena", "exhausted");
    file.add_thread_scope();
    file.begin_arguments();
    file.argument("arena", m_user->name);
    file.argument("label", label ? label : "untracked");
    file.argument("bytes", bytes);
    file.end_event();
  });
}

void ArenaTrace::levels(Levels const& levels) noexcept {
  auto& file = m_user->file;
  file.write([&] {
    if (levels == m_levels) return;
    m_levels = levels;
    file.begin_event('C', "arena", m_counter);
    file.begin_arguments();
    file.argument("used", levels.used);
    file.argument("live", levels.live);
    file.argument("capacity", levels.capacity);
    file.end_event();
  });
}

}  // namespace KokkosArena::Impl
