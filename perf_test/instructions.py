#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Counts the instructions of each operation of KokkosArena_Instructions.

Each is run under callgrind with two counts; the difference of the totals, over
that of the counts, is what the operation costs. Written as Google Benchmark's
files are, with the counter "instructions".
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Multiples of a batch, so that both end with a whole one.
FEW, MANY = 64, 1088


class CountError(Exception):
    """A count that could not be had: what failed, and what it has printed."""


def total(callgrind_file: str) -> int:
    """The instructions of a whole run, from what callgrind has written."""
    match = re.search(r"^(?:summary|totals): (\d+)", callgrind_file, re.MULTILINE)
    if not match:
        raise CountError("callgrind's file has no total")
    return int(match.group(1))


def count(valgrind: str, program: Path, operation: str, times: int) -> int:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "callgrind.out"
        command = [valgrind, "--tool=callgrind", f"--callgrind-out-file={file}",
                   str(program), operation, str(times)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_PROC_BIND": "false"}
        result = subprocess.run(command, env=environment, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False)
        if result.returncode != 0:
            raise CountError(f"{' '.join(command)}: exit status {result.returncode}\n"
                             f"{result.stdout}")
        return total(file.read_text())


def instructions(valgrind: str, program: Path, operation: str) -> float:
    """Of one such operation."""
    few, many = (count(valgrind, program, operation, times) for times in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def entry(operation: str, figure: float) -> dict:
    name = f"instructions/{operation}"
    return {"name": name, "run_name": name, "run_type": "iteration", "repetitions": 1,
            "repetition_index": 0, "threads": 1, "instructions": figure}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--valgrind", default="valgrind")
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        version = subprocess.run([arguments.valgrind, "--version"], capture_output=True,
                                 text=True, check=True).stdout.strip()
        listed = subprocess.run([arguments.program, "--list"], capture_output=True, text=True,
                                check=True).stdout.split()
        with ThreadPoolExecutor(max_workers=2) as pool:
            figures = list(pool.map(
                lambda operation: instructions(arguments.valgrind, arguments.program, operation),
                listed))
    except (CountError, OSError, subprocess.CalledProcessError) as error:
        print(f"instructions.py: {error}", file=sys.stderr)
        return 1
    arguments.output.write_text(json.dumps({
        "context": {"valgrind": version, "run": "instructions"},
        "benchmarks": [entry(operation, figure)
                       for operation, figure in zip(listed, figures)],
    }, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
