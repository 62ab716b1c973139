// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_ArenaTrace.hpp"

#include "KokkosArena_Cancellation.hpp"
#include "KokkosArena_TraceEvents.hpp"
#include "KokkosArena_TraceFile.hpp"
#include "KokkosArena_TraceFiles.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace KokkosArena::Impl {

std::unique_ptr<ArenaTrace> ArenaTrace::open(std::string const& option,
                                             std::string const& label) {
  std::string path = option;
  if (path.empty()) {
    auto const* const text = std::getenv("KOKKOS_ARENA_TRACE");
    if (!text || !*text) return nullptr;
    path = text;
  }
  try {
    auto user =
        std::make_shared<TraceUser>(TraceFiles::of_process().at(path), label);
    auto name = "arena " + user->name();
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

ArenaTrace::ArenaTrace(std::shared_ptr<TraceUser> user,
                       std::string counter) noexcept
    : m_user(std::move(user)), m_counter(std::move(counter)) {}

std::unique_ptr<ArenaTrace> ArenaTrace::for_checked_memory() const {
  return std::unique_ptr<ArenaTrace>(
      new ArenaTrace(m_user, m_counter + ", checked memory"));
}

void ArenaTrace::begin(std::uintptr_t key, std::uintptr_t address,
                       std::size_t bytes, char const* label) noexcept {
  m_user->file().write([&](TraceEvents& events) {
    std::string name = !label ? "untracked" : *label ? label : "[unlabeled]";
    Entry entry{events.next_id(), bytes, address, label != nullptr,
                std::move(name)};
    events.begin('b', label ? "view" : "untracked", entry.label);
    events.id(entry.id);
    events.begin_arguments();
    events.argument("arena", m_user->name());
    events.argument("bytes", bytes);
    events.address_argument(address);
    events.end();
    // Last: if there is no memory for it, the event isn't written either.
    m_entries.insert_or_assign(key, std::move(entry));
  });
}

void ArenaTrace::end(std::uintptr_t key) noexcept {
  m_user->file().write([&](TraceEvents& events) {
    auto const found = m_entries.find(key);
    if (found == m_entries.end()) return;
    auto const entry = std::move(found->second);
    m_entries.erase(found);
    events.begin('e', entry.is_view ? "view" : "untracked", entry.label);
    events.id(entry.id);
    events.begin_arguments();
    events.argument("bytes", entry.bytes);
    events.end();
  });
}

void ArenaTrace::write_view(TraceEvents& events, char const* what,
                            Entry const& entry) const {
  events.begin('i', "arena", what);
  events.thread_scope();
  events.begin_arguments();
  events.argument("arena", m_user->name());
  events.argument("label", entry.label);
  events.argument("bytes", entry.bytes);
  events.address_argument(entry.address);
  events.end();
}

void ArenaTrace::escape(std::uintptr_t key) noexcept {
  m_user->file().write([&](TraceEvents& events) {
    auto const found = m_entries.find(key);
    if (found != m_entries.end()) write_view(events, "escape", found->second);
  });
}

void ArenaTrace::survivors(std::uintptr_t first, std::uintptr_t last) noexcept {
  m_user->file().write([&](TraceEvents& events) {
    for (auto entry = m_entries.lower_bound(first);
         entry != m_entries.end() && entry->first < last; ++entry) {
      if (entry->second.is_view) write_view(events, "survivor", entry->second);
    }
  });
}

void ArenaTrace::event(char const* what) noexcept { event(what, 0); }

void ArenaTrace::event(char const* what, std::size_t bytes) noexcept {
  m_user->file().write([&](TraceEvents& events) {
    events.begin('i', "arena", what);
    events.thread_scope();
    events.begin_arguments();
    events.argument("arena", m_user->name());
    if (bytes > 0) events.argument("bytes", bytes);
    events.end();
  });
}

void ArenaTrace::exhausted(std::size_t bytes, char const* label) noexcept {
  m_user->file().write([&](TraceEvents& events) {
    events.begin('i', "arena", "exhausted");
    events.thread_scope();
    events.begin_arguments();
    events.argument("arena", m_user->name());
    events.argument("label", label ? label : "untracked");
    events.argument("bytes", bytes);
    events.end();
  });
}

void ArenaTrace::levels(Levels const& levels) noexcept {
  m_user->file().write([&](TraceEvents& events) {
    if (levels == m_levels) return;
    m_levels = levels;
    events.begin('C', "arena", m_counter);
    events.begin_arguments();
    events.argument("used", levels.used);
    events.argument("live", levels.live);
    events.argument("capacity", levels.capacity);
    events.end();
  });
}

}  // namespace KokkosArena::Impl
