#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Turns a bare Debian sid into the place where KokkosArena is built and tested.
# Both `with-kokkos` (in a directory of its own) and the Containerfile (in an
# image) run it, as root and inside that Debian:
#
#   recipe.sh openmp   Kokkos 5.2 with OpenMP, Kokkos Kernels as headers only
#   recipe.sh serial   Kokkos 5.0 with Serial, Kokkos Kernels as a library over OpenBLAS
#
# It is not for a machine that is used for anything else.
set -eu

unset APT_CONFIG TMPDIR # of the host, where mmdebstrap sets them
kind=$1
export DEBIAN_FRONTEND=noninteractive

# libomp-dev: the omp.h that clang-tidy reads; the compiler is g++ and has its own.
tools='g++ cmake ninja-build libgtest-dev libbenchmark-dev
       clang-format clang-tidy libomp-dev ccache git valgrind python3'

# The benchmarks run with these in place of glibc's malloc as well, and their
# report is drawn by matplotlib.
benchmarks='libjemalloc2 libmimalloc3 libtcmalloc-minimal4t64 python3-matplotlib'

slim() {
  # Nobody reads manuals here, and a root that is half written is thrown away,
  # so dpkg need not wait for the disk either.
  cat >/etc/dpkg/dpkg.cfg.d/kokkos-arena <<'EOF'
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/man/*
force-unsafe-io
EOF
  cat >/etc/apt/apt.conf.d/90kokkos-arena <<'EOF'
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
EOF
}

# experimental comes from the mirror that sid comes from. Nothing is taken from
# it unasked: its own Release file gives it the lowest priority.
add_experimental() {
  if [ -e /etc/apt/sources.list.d/debian.sources ]; then
    sed -i 's/^Suites:.*/Suites: sid experimental/' /etc/apt/sources.list.d/debian.sources
  else
    sed -n 's/ \(sid\|unstable\) / experimental /p' /etc/apt/sources.list \
      >/etc/apt/sources.list.d/experimental.list
  fi
  apt-get update
}

# The package's CMake files demand two libraries that it does not ship. They
# hold no object file in a build from source either.
mend_kokkos() {
  for lib in kokkosalgorithms kokkossimd; do
    [ -e "$libdir/lib$lib.a" ] || ar qc "$libdir/lib$lib.a"
  done
}

# Debian's Kokkos Kernels is instantiated for Serial and its package would bring
# a second Kokkos along. Its headers alone do for OpenMP, where every kernel is
# then instantiated by the program that calls it.
add_kernel_headers() {
  prefix=/opt/kokkos-kernels
  work=$(mktemp -d)
  (
    cd "$work"
    apt-get download -t experimental libtrilinos-kokkos-kernels-dev
    dpkg -x ./libtrilinos-kokkos-kernels-dev_*.deb .
  )
  mkdir -p "$prefix" "$libdir/cmake/KokkosKernels"
  mv "$work/usr/include/trilinos" "$prefix/include"
  rm -r "$work"

  # Some of the headers include these by a name in quotes, so that no include
  # directory can come before their own: they are changed where they stand.
  for header in "$prefix"/include/generated_specializations_hpp/*; do
    : >"$header"
  done
  config=$prefix/include/KokkosKernels_config.h
  sed -i -e 's/^#define \(KOKKOSKERNELS_INST_EXECSPACE_\)SERIAL$/#define \1OPENMP/' \
    -e '/^#define KOKKOSKERNELS_ENABLE_\(TPL_BLAS\|TPL_LAPACK\|SUPERNODAL_SPTRSV\)$/d' "$config"
  grep -q '^#define KOKKOSKERNELS_INST_EXECSPACE_OPENMP$' "$config"

  part() { sed -n "s/^#define KOKKOSKERNELS_VERSION_$1 \([0-9]*\)$/\1/p" "$config"; }
  version=$(part MAJOR).$(part MINOR).$(part PATCH)
  cat >"$libdir/cmake/KokkosKernels/KokkosKernelsConfig.cmake" <<EOF
include(CMakeFindDependencyMacro)
find_dependency(Kokkos)
if(NOT TARGET Kokkos::kokkoskernels)
  add_library(Kokkos::kokkoskernels INTERFACE IMPORTED)
  target_include_directories(Kokkos::kokkoskernels INTERFACE $prefix/include)
  target_link_libraries(Kokkos::kokkoskernels INTERFACE Kokkos::kokkos)
endif()
EOF
  cat >"$libdir/cmake/KokkosKernels/KokkosKernelsConfigVersion.cmake" <<EOF
set(PACKAGE_VERSION $version)
if(PACKAGE_VERSION VERSION_GREATER_EQUAL PACKAGE_FIND_VERSION
   AND "\${PACKAGE_FIND_VERSION_MAJOR}" MATCHES "^(${version%%.*})?\$")
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  if(PACKAGE_VERSION VERSION_EQUAL PACKAGE_FIND_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
EOF
}

slim
add_experimental
# shellcheck disable=SC2086  # the list is meant to fall apart into words
case $kind in
  openmp)
    apt-get install -y $tools libkokkos-dev $benchmarks
    libdir=/usr/lib/$(gcc -print-multiarch)
    mend_kokkos
    add_kernel_headers
    ;;
  serial)
    apt-get install -y $tools
    apt-get install -y -t experimental \
      libtrilinos-kokkos-dev libtrilinos-kokkos-kernels-dev libopenblas-dev
    ;;
  *)
    echo "recipe.sh: openmp or serial, not '$kind'" >&2
    exit 2
    ;;
esac

apt-get clean
rm -rf /var/lib/apt/lists/*
# How with-kokkos knows that it is there already.
echo "$kind" >/etc/kokkos-arena-root
