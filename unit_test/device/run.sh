#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# All that takes a GPU, in one command; `run.sh --help` says more.
set -uo pipefail

usage() {
  cat <<'END'
usage: unit_test/device/run.sh [OUTPUT_DIR]

Builds what takes a GPU, runs its tests and benchmarks and the tests once more
under compute-sanitizer where there is one. It goes on after a step that failed,
and takes less than 6 minutes on 16 cores.

  OUTPUT_DIR   build/device_report if not given. It gets index.html and
               results.json, of the benchmarks; tests.xml, of the tests; and
               logs/, of each step.

  Kokkos_ROOT          the installation of Kokkos
  CMAKE_CXX_COMPILER   its bin/nvcc_wrapper if not given
  CMAKE_PREFIX_PATH    where GoogleTest and Google Benchmark are
  KOKKOS_ARENA_DEVICE_PATIENCE   how many times as long each step may take, for
                       machines with fewer cores; 1 if not given

Exit code: 0 all was well; 1 a step failed, or a figure is out of its bound;
77 all was well, but there is no device, so that nothing was run; 2 usage.
END
}

case ${1-} in
  -h | --help) usage && exit 0 ;;
  -*) usage >&2 && exit 2 ;;
esac
if (($# > 1)); then
  usage >&2
  exit 2
fi

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || exit 2
# Relative to where the user is.
output=$(realpath -m "${1:-$repository/build/device_report}")
build=$repository/build/device${KOKKOS_ARENA_BUILD_SUFFIX:-}
patience=${KOKKOS_ARENA_DEVICE_PATIENCE:-1}
if [[ ! $patience =~ ^[1-9][0-9]*$ ]]; then
  echo "run.sh: KOKKOS_ARENA_DEVICE_PATIENCE is a whole number, not $patience" >&2
  exit 2
fi
readonly all_limit=$((345 * patience))
cores=$(nproc)
# Most of a test's time is the start of its process, but the device is one.
jobs=$((cores > 16 ? 8 : (cores + 1) / 2))
rm -rf "$output/logs" "$output/raw" "$output"/{index.html,results.json,tests.xml}
mkdir -p "$output/logs" || exit 2
cd "$repository" || exit 2

# Tools that aren't always on the path.
PATH=$PATH:/usr/local/cuda/bin:/usr/local/cuda/compute-sanitizer
kokkos=${Kokkos_ROOT:-}
compiler=${CMAKE_CXX_COMPILER:-}
if [[ -z $compiler ]]; then
  compiler=$kokkos/bin/nvcc_wrapper
  if [[ -z $kokkos || ! -x $compiler ]]; then
    echo "run.sh: set Kokkos_ROOT to an installation of Kokkos, with bin/nvcc_wrapper in it, or" \
      "CMAKE_CXX_COMPILER to its compiler" >&2
    exit 2
  fi
fi
# Where no driver is installed, the toolkit's stand-in lets programs begin, which
# then say that there is no device.
if ! ldconfig -p | grep -qF libcuda.so.1; then
  for stub in /usr/local/cuda/lib64/stubs /usr/local/cuda/lib/stubs; do
    [[ -e $stub/libcuda.so ]] || continue
    ln -sfn "$stub/libcuda.so" "$output/logs/libcuda.so.1"
    export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$output/logs
    break
  done
fi

# Steps

failed=()
skipped=()
seconds=()

record() { # NAME OUTCOME SECONDS
  seconds+=("$(printf '%-12s %4d s  %s' "$1" "$3" "$2")")
  printf '    %s after %d s\n' "$2" "$3"
}

# step NAME LIMIT CMD...: runs CMD, with its output in logs/NAME.log, for LIMIT
# seconds at most and no longer than all steps may take together. Exit code 77:
# there is no device for it.
step() {
  local name=$1 limit=$(($2 * patience)) start=$SECONDS log=$output/logs/$1.log status=0
  shift 2
  printf '=== %s (at %d s): %s\n' "$name" "$SECONDS" "$*"
  if ((limit > all_limit - SECONDS)); then limit=$((all_limit - SECONDS)); fi
  if ((limit < 1)); then
    failed+=("$name")
    record "$name" "not begun, for lack of time" 0
    return 1
  fi
  timeout --kill-after=5 "$limit" "$@" >"$log" 2>&1 </dev/null || status=$?
  case $status in
    0) record "$name" ok $((SECONDS - start)) ;;
    77)
      skipped+=("$name")
      record "$name" "skipped: $(grep -m 1 'no device' "$log" || echo 'no device')" \
        $((SECONDS - start))
      ;;
    *)
      failed+=("$name")
      tail -n 30 "$log" | sed 's/^/    | /'
      if ((status == 124 || status == 137)); then
        record "$name" "FAILED: ended after its limit of $limit s" $((SECONDS - start))
      else
        record "$name" "FAILED: exit code $status" $((SECONDS - start))
      fi
      ;;
  esac
  return "$status"
}

leave_out() { # NAME WHY
  printf '=== %s\n' "$1"
  record "$1" "left out: $2" 0
}

# Tests that are all skipped have found no device; CTest's exit code is 0 then.
run_tests() {
  local log=$output/logs/ctest.log
  ctest --test-dir "$build" --label-regex '^device$' --no-tests=error --parallel "$jobs" \
    --timeout $((60 * patience)) --output-on-failure --output-junit "$output/tests.xml" 2>&1 |
    tee "$log"
  local status=${PIPESTATUS[0]}
  if ((status == 0)) && grep -q '\*\*\*Skipped' "$log" && ! grep -qE ' Passed +[0-9.]+ sec' "$log"; then
    echo "no device: every test was skipped"
    return 77
  fi
  return "$status"
}

# sanitize TOOL PROGRAM FILTER
sanitize() {
  KOKKOS_ARENA_TEST_DEVICE_REPETITIONS=50 "$sanitizer" --tool "$1" --error-exitcode 9 \
    "$build/unit_test/device/$2" --gtest_filter="$3"
}
export -f run_tests sanitize
export build output patience jobs

step configure 40 cmake --fresh --preset device -D CMAKE_CXX_COMPILER="$compiler" \
  -D KokkosArena_ENABLE_TESTS=ON -D KokkosArena_ENABLE_PERF_TESTS=ON
# What compiles is run, also where something else doesn't.
step build 180 cmake --build "$build" --parallel "$cores" \
  --target device_tests KokkosArena_BenchmarkDevice -- -k 0
step tests 130 bash -c run_tests
step benchmarks 110 python3 perf_test/run.py --device --limit $((50 * patience)) \
  --programs "$build/perf_test" --output "$output"

sanitizer=$(command -v compute-sanitizer)
export sanitizer
if [[ -n $sanitizer ]]; then
  order='device_order/device.default*:device_order/*ordered.default*:device_*/device.untracked*'
  step memcheck_handle 30 bash -c 'sanitize "$@"' - memcheck device_handle 'device_handle/device.*'
  step memcheck_order 30 bash -c 'sanitize "$@"' - memcheck device_order "$order"
  step racecheck 30 bash -c 'sanitize "$@"' - racecheck device_handle \
    'device_handle/device.team*:device_handle/device.*warp*'
else
  leave_out sanitizers "compute-sanitizer is not installed"
fi

if [[ -e $output/results.json ]]; then
  step figures 10 python3 perf_test/guard.py "$output"
else
  leave_out figures "nothing was measured"
fi

# Summary

heading() { printf '\n--- %s\n' "$1"; }

printf '\n=== summary\n'
heading device
python3 - "$output/results.json" 2>/dev/null <<'END' || nvidia-smi -L 2>/dev/null || echo none
import json, sys
print(json.load(open(sys.argv[1]))["context"]["device"])
END
heading tests
sed -n '/tests passed,/,$p' "$output/logs/tests.log" 2>/dev/null |
  grep -vE '\(Skipped\)$|^$' | head -n 60 || echo "none were run"
heading "figures to reach"
cat "$output/logs/figures.log" 2>/dev/null || echo "nothing was measured"
heading "steps"
printf '%s\n' "${seconds[@]}" "all          $(printf '%4d' "$SECONDS") s"
heading "results"
find "$output" -maxdepth 1 -type f | sort

if ((${#failed[@]} > 0)); then
  printf '\nFAILED: %s\n' "${failed[*]}"
  exit 1
fi
if ((${#skipped[@]} > 0)); then
  printf '\nno device: nothing was run (%s)\n' "${skipped[*]}"
  exit 77
fi
printf '\nall is well\n'
