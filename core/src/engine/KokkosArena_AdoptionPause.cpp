// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "KokkosArena_AdoptionPause.hpp"

namespace KokkosArena::Impl {

namespace {

constinit thread_local int t_pauses = 0;

}  // namespace

AdoptionPause::AdoptionPause() noexcept { ++t_pauses; }
AdoptionPause::~AdoptionPause() { --t_pauses; }
bool AdoptionPause::is_on() noexcept { return t_pauses > 0; }

}  // namespace KokkosArena::Impl
