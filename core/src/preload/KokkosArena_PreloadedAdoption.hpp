// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef KOKKOSARENA_PRELOAD_PRELOADEDADOPTION_HPP
#define KOKKOSARENA_PRELOAD_PRELOADEDADOPTION_HPP

#include "KokkosArena_AdoptedRegions.hpp"
#include "KokkosArena_Listener.hpp"
#include "KokkosArena_PreloadSettings.hpp"

#include <engine/KokkosArena_Adoption.hpp>
#include <engine/KokkosArena_ThreadCachedCore.hpp>

#include <atomic>
#include <cstdint>
#include <string>

namespace KokkosArena::Impl {

/// \brief An arena for the host memory of a program that knows nothing of it.
class PreloadedAdoption final : public Listener {
 public:
  /// \param[in] settings  Stay as long as this.
  explicit PreloadedAdoption(PreloadSettings const& settings);

  void end() override;
  void end_in_child() noexcept override;
  void push_region(char const* name) override;
  void pop_region() override { m_regions.pop_region(); }
  void begin_kernel(char const* name) override;
  void end_kernel() override { m_regions.end_kernel(); }
  void allocated(char const* space, char const* label, void const* address,
                 std::uint64_t bytes) override;
  void deallocated(void const*, std::uint64_t) override {}
  void fence(char const*) override {}

 private:
  void begin_cycle_if(char const* name);
  void tell_what_had_no_effect();
  std::string names_of_regions() const;

  PreloadSettings const& m_settings;
  SynchronizedCore<ThreadCached>& m_arena;  ///< Ends with its last View.
  Adoption const m_adoption;
  AdoptedRegions m_regions;
  // relaxed, all: counts for messages.
  std::atomic<bool> m_has_effect{false};
  std::atomic<std::uint64_t> m_without_effect{0};
};

}  // namespace KokkosArena::Impl

#endif
