#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What kokkos-arena does for programs as they are.

Runs workloads of the demo alone, under kokkos-arena run, with an adoption in
their code, and under kokkos-arena advise, in turn; prints medians of ratios,
and the gain that was predicted beside the one that there was.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

WORKLOADS = {
    "reduction": 8000000,
    "digits": 1000,
    "views": 600,
    "galerkin": 24,
    "krylov": 16,
}
HEADER = (
    "workload          n threads  alone (ms)    faults  with run"
    "  run/alone  run/by hand  advise/alone  gain  predicted"
)


def call(command, threads):
    """The time of a call in seconds, and its page faults."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OMP_PROC_BIND="false")
    done = subprocess.run(
        command, env=environment, text=True, capture_output=True, check=False
    )
    found = re.match(r"(\S+) s a call, (\S+) page faults", done.stdout)
    if done.returncode != 0 or not found:
        sys.exit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return float(found[1]), float(found[2])


def ways_of(options, workload, n, advice):
    def program(way):
        return [options.program, workload, str(n), way, str(options.seconds)]

    alone = program("HostSpace")
    return {
        "alone": alone,
        "run": [options.command, "run", "--", *alone],
        "by hand": program("adopted HostSpace"),
        "advise": [options.command, "advise", "--json", advice, "--", *alone],
    }


def predicted_gain(advice):
    """Of the time of the calls, as a part of 1."""
    with open(advice, encoding="utf-8") as file:
        regions = json.load(file)["regions"]
    calls = next(region for region in regions if region["path"] == "calls")
    return calls["saved_ns"] / calls["ns"]


def measure(options, workload, n, threads):
    with tempfile.TemporaryDirectory() as folder:
        advice = os.path.join(folder, "advice.json")
        ways = ways_of(options, workload, n, advice)
        samples = {way: [] for way in ways}
        predictions = []
        for _ in range(options.samples):
            for way, command in ways.items():
                samples[way].append(call(command, threads))
            predictions.append(predicted_gain(advice))
    return samples, statistics.median(predictions)


def row(workload, n, threads, samples, predicted):
    def ratio(way, other):
        pairs = zip(samples[way], samples[other])
        return statistics.median(a[0] / b[0] for a, b in pairs)

    def median(way, what):
        return statistics.median(sample[what] for sample in samples[way])

    return (
        f"{workload:10} {n:8} {threads:7} {median('alone', 0) * 1e3:11.6f}"
        f" {median('alone', 1):9.1f} {median('run', 1):9.1f}"
        f" {ratio('run', 'alone'):10.3f} {ratio('run', 'by hand'):12.3f}"
        f" {ratio('advise', 'alone'):13.3f}"
        f" {1 - ratio('run', 'alone'):4.0%} {predicted:10.0%}"
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
    print(HEADER)
    for workload in options.workload or WORKLOADS:
        name, _, n = workload.partition("=")
        n = int(n) if n else WORKLOADS[name]
        for threads in options.threads or [1, 2]:
            samples, predicted = measure(options, name, n, threads)
            print(row(name, n, threads, samples, predicted), flush=True)


if __name__ == "__main__":
    main()
