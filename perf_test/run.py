#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs all benchmarks, with progress, and has the report written.

Each run is a process of its own, which writes a file to OUTPUT/raw. A process
for each large size: glibc's malloc adapts itself to the largest block that was
freed so far. What depends on malloc is run again with each replacement that
there is, and with glibc's own malloc told to keep its memory. On a device, one
for each part, since what fails there takes the process with it.

OUTPUT/raw/suite.json says what was run, and which peers were absent. With
--device, OUTPUT/results.json has all results in one.

Exit status: 0, 1 where a run has failed, 2 for bad input, 77 where none could
run for lack of a device.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Nothing is given back to the system, and no block has a mapping of its own.
TUNED_GLIBC = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
    "MALLOC_TOP_PAD_": str(64 << 20),
}

LARGE = (100000, 1000000, 8000000)

# How a name ends that has no argument, or a small one.
SMALL_END = "(/(16|256|4096))?(/real_time(/threads:[0-9]+)?)?$"
ONLY_MALLOC = ".*/(HostSpace|malloc)"

# The benchmarks of each part of BenchmarkDevice.
DEVICE_PARTS = {
    "steady_state": "^device_steady_state/",
    "handles": "^View_in_kernel/",
    "reductions": "^(basic_reduction|two_instances)/",
    "views": "^(View_(un)?initialized|arena_of_one_View)/",
    "checked": "^(triad|triad_of_older|reset)/",
}

# Of MemoryProfile.
MEMORY_WORKLOADS = ("chain", "digits", "survivors_1", "survivors_10", "survivors_1000")

# What a program exits with that found no device, or was built without what it
# is asked for.
NO_DEVICE = 77
TIMED_OUT = 124


@dataclass
class Run:
    """One process."""

    name: str
    program: str
    filter: str = "."
    repetitions: int = 9
    seconds: float = 0.02  # of each repetition of each benchmark, at least
    environment: dict[str, str] = field(default_factory=dict)
    arguments: list[str] | None = None  # instead of Google Benchmark's


def runs_under_one_malloc(suffix: str, environment: dict[str, str]) -> list[Run]:
    """The runs of which malloc is a part: all of their benchmarks without an
    environment, and with one those of which malloc is a part, too."""
    only = ONLY_MALLOC if environment else ".*"
    # Google Benchmark takes what doesn't match if the filter begins with "-".
    small = (f"^({only}){SMALL_END}" if environment
             else f"-/({'|'.join(map(str, LARGE))})(/real_time)?$")
    runs = [Run(f"allocate{suffix}", "BenchmarkAllocate", small, environment=environment)]
    for n in LARGE:
        runs.append(Run(f"allocate_{n}{suffix}", "BenchmarkAllocate",
                        f"^({only})/{n}(/real_time)?$", repetitions=5, environment=environment))
    runs.append(Run(f"contention{suffix}", "BenchmarkContention", f"^({only})/",
                    repetitions=7, environment=environment))
    for n in (256, *LARGE):
        runs.append(Run(f"reduction_{n}{suffix}", "BenchmarkReduction", f"^({only})/{n}(/|$)",
                        environment=environment))
    runs.append(Run(f"workloads{suffix}", "BenchmarkWorkloads", f"^({only})/",
                    repetitions=5, environment=environment))
    return runs


def adoption_runs() -> list[Run]:
    # Once a process has adopted something, it looks each address up.
    before = "memory/not_adopted/"
    return [Run("adoption", "BenchmarkAdoption", f"-^{before}", repetitions=7),
            Run("adoption_before_any", "BenchmarkAdoption", f"^{before}", repetitions=7)]


def memory_runs(where: str, suffix: str = "",
                environment: dict[str, str] | None = None) -> list[Run]:
    return [Run(f"memory_{workload}_{where}{suffix}", "MemoryProfile",
                arguments=[workload, where], environment=environment or {})
            for workload in MEMORY_WORKLOADS]


def device_runs() -> list[Run]:
    return [Run(f"device_{part}", "BenchmarkDevice", pattern, repetitions=5)
            for part, pattern in DEVICE_PARTS.items()]


def suite(mallocs: dict[str, str], have: set[str], short: bool) -> list[Run]:
    """All runs of the programs that there are.

    mallocs: path of each replacement that was found.
    """
    runs = runs_under_one_malloc("", {})
    runs += [
        Run("reset", "BenchmarkReset", seconds=0.01),
        Run("memory", "BenchmarkMemory", repetitions=3),
        Run("checked", "BenchmarkChecked", repetitions=7),
        *adoption_runs(),
        Run("steady_state", "BenchmarkSteadyState", repetitions=1),
        Run("kernels", "BenchmarkKernels", repetitions=5),
        *memory_runs("arena"),
        *device_runs(),
    ]
    environments = {"glibc_tuned": TUNED_GLIBC}
    for name, library in mallocs.items():
        environments[name] = {"LD_PRELOAD": library}
    runs += memory_runs("HostSpace")
    for name, environment in environments.items():
        runs += runs_under_one_malloc(f"_{name}", environment)
        runs += memory_runs("HostSpace", f"_{name}", environment)
    # The short form is for what is the same each time and for ratios that are
    # an order of magnitude.
    if short:
        runs = [run for run in runs
                if not any(run.name.endswith("_" + name) for name in environments)]
        for run in runs:
            run.repetitions = min(run.repetitions, 3)
            run.seconds = min(run.seconds, 0.005)
    return [run for run in runs if run.program in have]


def command_of(run: Run, programs: Path, file: Path, commit: str) -> list[str]:
    program = str(programs / f"KokkosArena_{run.program}")
    if run.arguments is not None:
        return [program, *run.arguments, str(file)]
    return [
        program,
        f"--benchmark_filter={run.filter}",
        f"--benchmark_repetitions={run.repetitions}",
        f"--benchmark_min_time={run.seconds}s",
        "--benchmark_enable_random_interleaving=true",
        "--benchmark_display_aggregates_only=true",
        "--benchmark_out_format=json",
        f"--benchmark_out={file}",
        f"--benchmark_context=commit={commit},run={run.name}",
    ]


def commit_of(source: Path) -> str:
    """As "1a2b3c4", with "-dirty" where files were changed since."""
    git = shutil.which("git")
    if not git:
        return "unknown"
    result = subprocess.run([git, "-C", str(source), "describe", "--always", "--dirty"],
                            capture_output=True, text=True, check=False)
    return result.stdout.strip() or "unknown"


def launch(command: list[str], environment: dict[str, str],
           limit: float | None) -> subprocess.CompletedProcess:
    """With both streams in one; the exit status of timeout(1) where that was too long."""
    try:
        return subprocess.run(command, env={**os.environ, **environment}, timeout=limit,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
    except subprocess.TimeoutExpired as expired:
        said = expired.stdout or ""
        said = said.decode(errors="replace") if isinstance(said, bytes) else said
        return subprocess.CompletedProcess(command, TIMED_OUT, f"{said}\nafter {limit:g} s\n")


def execute(run: Run, programs: Path, raw: Path, commit: str,
            limit: float | None) -> tuple[int, str]:
    """The exit status and what the program has printed, which is shown if that
    is neither 0 nor for lack of a device."""
    file = raw / f"{run.name}.json"
    result = launch(command_of(run, programs, file, commit), run.environment, limit)
    if result.returncode == 0 and run.arguments is None and file.stat().st_size == 0:
        result.returncode = 1
    if result.returncode == 0 and "LD_PRELOAD" in run.environment:
        # The loader only warns of what it can't load.
        malloc = json.loads(file.read_text())["context"]["malloc"]
        if malloc.startswith("glibc"):
            result.stdout += f"{run.environment['LD_PRELOAD']} did not replace {malloc}\n"
            result.returncode = 1
    if result.returncode not in (0, NO_DEVICE):
        print(result.stdout, f"{run.name}: exit status {result.returncode}",
              f"  {' '.join(command_of(run, programs, file, commit))}", sep="\n",
              file=sys.stderr, flush=True)
    return result.returncode, result.stdout


def count_instructions(programs: Path, raw: Path) -> int:
    valgrind = shutil.which("valgrind")
    return subprocess.run([sys.executable, str(HERE / "instructions.py"), "--valgrind",
                           str(valgrind), "--program",
                           str(programs / "KokkosArena_Instructions"), "--output",
                           str(raw / "instructions.json")], check=False).returncode


def context_of(file: Path) -> dict:
    """Of nothing where there are no such results."""
    try:
        return json.loads(file.read_text())["context"]
    except (OSError, ValueError, KeyError):
        return {}


def absent_device_peers(raw: Path) -> list[dict[str, str]]:
    contexts = [context_of(raw / f"{run.name}.json") for run in device_runs()]
    measured = [context for context in contexts if context]
    return [{"peer": peer, "why": "CMake did not find it"}
            for key, peer in (("rmm", "RMM (its pool of device memory)"),
                              ("umpire_device", "Umpire (QuickPool of device memory)"))
            if measured and measured[0].get(key) != "yes"]


def absent_peers(mallocs: dict[str, str], raw: Path) -> list[dict[str, str]]:
    absent = [{"peer": name, "why": "CMake found no library of that name"}
              for name, library in mallocs.items() if not library]
    if context_of(raw / "allocate.json").get("umpire") != "yes":
        absent.append({"peer": "Umpire (QuickPool, Monotonic)", "why": "CMake did not find it"})
    if not shutil.which("valgrind"):
        absent.append({"peer": "counts of instructions", "why": "valgrind is not installed"})
    return absent


def write_all_in_one(suite_of: dict, raw: Path, file: Path) -> None:
    """What the runs have measured, each benchmark with the name of its run."""
    context, benchmarks = {}, []
    for run in suite_of["runs"]:
        try:
            data = json.loads((raw / f"{run['name']}.json").read_text())
        except (OSError, ValueError):
            continue
        context = context or data.get("context", {})
        benchmarks += [{"run": run["name"], **one} for one in data.get("benchmarks", [])]
    file.write_text(json.dumps({"suite": suite_of, "context": context, "benchmarks": benchmarks},
                               indent=1) + "\n")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=Path, required=True, metavar="DIR",
                        help="where the benchmark programs are")
    parser.add_argument("--output", type=Path, default=Path("perf_report"), metavar="DIR",
                        help="where the report goes; its raw/ is made anew")
    parser.add_argument("--malloc", action="append", default=[], metavar="NAME=LIBRARY",
                        help="a replacement to preload; an empty LIBRARY is one that is absent")
    parser.add_argument("--only", action="append", metavar="RUN",
                        help="run these only, and keep the files of the others")
    parser.add_argument("--short", action="store_true",
                        help="few repetitions and one malloc: for what doesn't depend on time")
    parser.add_argument("--device", action="store_true",
                        help="what is measured on a device only")
    parser.add_argument("--limit", type=float, metavar="SECONDS",
                        help="of each run, which has failed then")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    raw = arguments.output / "raw"
    if not arguments.only:
        shutil.rmtree(raw, ignore_errors=True)
    raw.mkdir(parents=True, exist_ok=True)
    mallocs = {}
    for text in arguments.malloc:
        name, _, library = text.partition("=")
        mallocs[name] = "" if library.endswith("NOTFOUND") else library
    have = {path.name.removeprefix("KokkosArena_")
            for path in arguments.programs.glob("KokkosArena_*") if os.access(path, os.X_OK)}
    if ("BenchmarkDevice" if arguments.device else "BenchmarkAllocate") not in have:
        print(f"run.py: no benchmark programs in {arguments.programs}; build the target "
              "run_benchmarks, or name their directory by --programs", file=sys.stderr)
        return 2

    found = {name: library for name, library in mallocs.items() if library}
    runs = suite(found, have, arguments.short)
    if arguments.device:
        runs = [run for run in runs if run.program == "BenchmarkDevice"]
    if arguments.only:
        unknown = set(arguments.only) - {run.name for run in runs}
        if unknown:
            print(f"run.py: there is no run {', '.join(sorted(unknown))}; there are "
                  f"{', '.join(run.name for run in runs)}", file=sys.stderr)
            return 2
        runs = [run for run in runs if run.name in arguments.only]
    commit = commit_of(HERE)
    start = time.monotonic()
    done, absent = [], []
    for number, run in enumerate(runs, 1):
        begin = time.monotonic()
        print(f"[{number}/{len(runs)}] at {begin - start:3.0f} s: {run.name}", flush=True)
        status, said = execute(run, arguments.programs, raw, commit, arguments.limit)
        if status == NO_DEVICE:
            absent.append({"peer": run.name, "why": said.strip()})
            continue
        done.append({"name": run.name, "seconds": round(time.monotonic() - begin, 1),
                     "exit": status})
    if not done and absent:
        print(absent[0]["why"], file=sys.stderr)
        return NO_DEVICE
    if (not arguments.only and not arguments.device and "Instructions" in have
            and shutil.which("valgrind")):
        print(f"instructions, at {time.monotonic() - start:.0f} s", flush=True)
        begin = time.monotonic()
        done.append({"name": "instructions", "exit": count_instructions(arguments.programs, raw),
                     "seconds": round(time.monotonic() - begin, 1)})
    if not arguments.only:
        absent += [] if arguments.device else absent_peers(mallocs, raw)
        suite_of = {
            "commit": commit,
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "short": arguments.short,
            "seconds": round(time.monotonic() - start),
            "runs": done,
            "absent": absent + absent_device_peers(raw),
        }
        (raw / "suite.json").write_text(json.dumps(suite_of, indent=1) + "\n")
        if arguments.device:
            write_all_in_one(suite_of, raw, arguments.output / "results.json")
    status = subprocess.run([sys.executable, str(HERE / "report.py"), str(arguments.output)],
                            check=False).returncode
    failed = [entry["name"] for entry in done if entry["exit"] != 0]
    if failed:
        print(f"run.py: failed: {', '.join(failed)}", file=sys.stderr)
        return 1
    print(f"{len(done)} runs in {time.monotonic() - start:.0f} s: "
          f"{arguments.output / 'index.html'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
