#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What kokkos-arena does for programs as they are.

Runs workloads of the demo alone, under kokkos-arena run and with an adoption
in their code, in turn, and prints the medians of the ratios.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys

WORKLOADS = [("reduction", 8000000), ("digits", 1000), ("galerkin", 24), ("krylov", 16)]


def seconds_a_call(command, threads):
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OMP_PROC_BIND="false")
    done = subprocess.run(command, env=environment, text=True, capture_output=True)
    found = re.match(r"(\S+) s a call, (\S+) page faults", done.stdout)
    if done.returncode != 0 or not found:
        sys.exit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return float(found[1]), float(found[2])


def ways_of(options, workload, n):
    def program(way):
        return [options.program, workload, str(n), way, str(options.seconds)]

    alone = program("HostSpace")
    return {
        "alone": alone,
        "run": [options.command, "run", "--", *alone],
        "by hand": program("adopted HostSpace"),
    }


def measure(options, workload, n, threads):
    ways = ways_of(options, workload, n)
    samples = {way: [] for way in ways}
    for _ in range(options.samples):
        for way, command in ways.items():
            samples[way].append(seconds_a_call(command, threads))
    return samples


def row(workload, n, threads, samples):
    def ratio(way, other):
        pairs = zip(samples[way], samples[other])
        return statistics.median(a[0] / b[0] for a, b in pairs)

    def median(way, what):
        return statistics.median(sample[what] for sample in samples[way])

    return (
        f"{workload:10} {n:8} {threads:7} {median('alone', 0) * 1e3:10.4f}"
        f" {median('alone', 1):9.1f} {median('run', 1):9.1f}"
        f" {ratio('run', 'alone'):9.3f} {ratio('run', 'by hand'):11.3f}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="as_it_is")
    parser.add_argument("--command", required=True, help="kokkos-arena")
    parser.add_argument("--samples", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--workload", action="append", help="NAME or NAME=N")
    parser.add_argument("--threads", type=int, action="append")
    options = parser.parse_args()
    workloads = WORKLOADS
    if options.workload:
        named = [w.partition("=") for w in options.workload]
        workloads = [(name, int(n) if n else dict(WORKLOADS)[name]) for name, _, n in named]
    print("workload          n threads  alone (ms)   faults  with run  run/alone  run/by hand")
    for workload, n in workloads:
        for threads in options.threads or [1, 2]:
            print(row(workload, n, threads, measure(options, workload, n, threads)), flush=True)


if __name__ == "__main__":
    main()
