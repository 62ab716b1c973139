# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a suite of benchmarks has measured, from the files that it wrote.

    suite = load(Path("perf_report"))
    for benchmark in suite.benchmarks(): print(benchmark.name, benchmark.time.median)

Times are in seconds. Google Benchmark's own aggregates are ignored.
"""

from __future__ import annotations

import json
import math
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}

# Members of an entry that aren't counters.
STANDARD_MEMBERS = {
    "family_index", "per_family_instance_index", "repetitions", "repetition_index",
    "threads", "iterations", "real_time", "cpu_time",
}

# Components of a name that say how it was measured, and not what.
MODES = re.compile(
    r"real_time|manual_time|process_time|(iterations|repeats|min_time|min_warmup_time):.*")
NUMBER = re.compile(r"(?:\w+:)?(\d+)")
THREADS = re.compile(r"threads:(\d+)")


class ResultsError(Exception):
    """Results that can't be used: what, where, and what to do."""


@dataclass(frozen=True)
class Summary:
    """The values of all repetitions."""

    values: tuple[float, ...]

    @property
    def count(self) -> int:
        return len(self.values)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The first and the third one; of a single value, that value twice."""
        if self.count < 2:
            return self.values[0], self.values[0]
        first, _, third = statistics.quantiles(self.values, n=4, method="inclusive")
        return first, third

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    @property
    def spread(self) -> float:
        """The distance of the quartiles, relative to the median."""
        first, third = self.quartiles
        return (third - first) / abs(self.median) if self.median else 0.0


@dataclass(frozen=True)
class Name:
    """A benchmark's name in parts: `question/allocator/argument` or
    `question/argument/allocator`, where numbers are always arguments."""

    question: str
    allocator: str = ""
    arguments: tuple[str, ...] = ()
    threads: int | None = None

    @property
    def argument(self) -> str:
        """All but question and allocator, as "256, 2 threads"."""
        parts = list(self.arguments)
        if self.threads is not None:
            parts.append("1 thread" if self.threads == 1 else f"{self.threads} threads")
        return ", ".join(parts)

    @property
    def n(self) -> int | None:
        """The last argument, if it is a number."""
        match = NUMBER.fullmatch(self.arguments[-1]) if self.arguments else None
        return int(match[1]) if match else None


def parse_name(text: str) -> Name:
    """Takes apart a name as Google Benchmark writes it."""
    threads = None
    parts = []
    for part in text.split("/"):
        if match := THREADS.fullmatch(part):
            threads = int(match[1])
        elif not MODES.fullmatch(part):
            parts.append(part)
    question, *rest = parts or [text]
    end = len(rest)
    while end > 1 and NUMBER.fullmatch(rest[end - 1]):
        end -= 1
    if not rest:
        return Name(question, threads=threads)
    if NUMBER.fullmatch(rest[end - 1]):
        return Name(question, "", tuple(rest), threads)
    return Name(question, rest[end - 1], tuple(rest[: end - 1] + rest[end:]), threads)


@dataclass
class Benchmark:
    """One benchmark in one run."""

    name: str
    run: str
    parts: Name
    allocator: str  # with the malloc, where that isn't the suite's usual one
    time: Summary | None
    cpu_time: Summary | None
    counters: dict[str, Summary]
    counted_threads: int  # those that Google Benchmark itself started

    @property
    def program(self) -> str:
        """"allocate" of the run "allocate_100000_tcmalloc"."""
        return self.run.split("_")[0]


@dataclass
class Run:
    """One file of raw/, and what wrote it."""

    name: str
    file: Path
    context: dict
    benchmarks: list[Benchmark] = field(default_factory=list)

    @property
    def malloc(self) -> str:
        return str(self.context.get("malloc", ""))


@dataclass
class Series:
    """Memory over time."""

    name: str
    file: Path
    context: dict
    seconds: list[float]
    live_bytes: list[float]
    resident_bytes: list[float]


@dataclass(frozen=True)
class Failure:
    """A run or a benchmark that gave no result, or a wrong one."""

    run: str
    benchmark: str
    message: str

    def __str__(self) -> str:
        where = f"{self.run}: {self.benchmark}" if self.benchmark else self.run
        return f"{where}: {self.message}"


@dataclass
class Suite:
    """All of a directory."""

    raw: Path
    about: dict
    runs: list[Run] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    skipped: list[Failure] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        return self.raw.parent

    @property
    def absent(self) -> list[tuple[str, str]]:
        """Peers that weren't measured, and why."""
        return [(str(a.get("peer", "?")), str(a.get("why", "?")))
                for a in self.about.get("absent", [])]

    @property
    def programs(self) -> set[str]:
        """Of which there are results, or should be: "allocate", "device"."""
        names = [str(run.get("name", "")) for run in self.about.get("runs", [])]
        names += [one.file.stem for one in (*self.runs, *self.series)]
        return {name.split("_")[0] for name in names}

    @property
    def malloc(self) -> str:
        """The usual one: a run with another is called `<program>_<malloc>`, so
        the shortest name is no such run."""
        names = [run for run in self.runs if run.malloc]
        return min(names, key=lambda run: (len(run.name), run.name)).malloc if names else ""

    @property
    def context(self) -> dict:
        """Of a run with the usual malloc."""
        usual = [run.context for run in self.runs if run.malloc and run.malloc == self.malloc]
        return usual[0] if usual else (self.runs[0].context if self.runs else {})

    def benchmarks(self) -> Iterator[Benchmark]:
        for run in self.runs:
            yield from run.benchmarks


def load(path: Path) -> Suite:
    """Reads perf_report/ or perf_report/raw/.

    Raises ResultsError where a file is missing or can't be understood. Runs
    and benchmarks that failed are in the suite's `failures` instead.
    """
    raw = _raw_directory(Path(path))
    suite = Suite(raw, _read(raw / "suite.json"))
    said = {str(run.get("name")): run for run in suite.about.get("runs", [])}
    for name, run in said.items():
        if run.get("exit", 0) != 0:
            suite.failures.append(Failure(name, "", f"ended with exit status {run['exit']}"))
        elif not (raw / f"{name}.json").exists():
            suite.failures.append(Failure(name, "", f"wrote no {raw / f'{name}.json'}; "
                                          f"run perf_test/run.py again"))
    for file in sorted(raw.glob("*.json")):
        if file.name != "suite.json":
            _load_file(suite, file, failed=said.get(file.stem, {}).get("exit", 0) != 0)
    if not suite.runs and not suite.series and not suite.failures:
        raise ResultsError(f"{raw}: no results beside suite.json; run perf_test/run.py")
    _name_other_mallocs(suite)
    return suite


def _raw_directory(path: Path) -> Path:
    if not path.is_dir():
        raise ResultsError(f"{path}: no such directory; perf_test/run.py makes one")
    for raw in (path / "raw", path):
        if (raw / "suite.json").is_file():
            # "." has neither a name nor a parent of its own.
            return raw if raw.name not in ("", "..") else raw.resolve()
    raise ResultsError(f"{path}: neither raw/suite.json nor suite.json is in there; "
                       f"give a directory that perf_test/run.py has filled")


def _read(file: Path) -> dict:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(f"{file}: can't be read: {error}") from error
    except json.JSONDecodeError as error:
        raise ResultsError(f"{file}, line {error.lineno}: broken JSON ({error.msg}); the run that "
                           f"wrote it may have been interrupted: run it again") from error
    if not isinstance(data, dict):
        raise ResultsError(f"{file}: an object was expected, not {type(data).__name__}")
    return data


def _load_file(suite: Suite, file: Path, failed: bool) -> None:
    try:
        data = _read(file)
    except ResultsError:
        # That the run failed is known, and a broken file is to be expected then.
        if failed:
            return
        raise
    context = data.get("context", {})
    _check_commit(suite, file, context)
    try:
        if "series" in data:
            suite.series.append(_series(file, context, data["series"]))
        if "benchmarks" in data:
            suite.runs.append(_run(suite, file, context, data["benchmarks"]))
        elif "series" not in data:
            raise ResultsError(f'{file}: neither "benchmarks" nor "series" is in there')
    except (KeyError, TypeError, ValueError) as error:
        raise ResultsError(f"{file}: not what Google Benchmark writes "
                           f"({type(error).__name__}: {error}); run it again") from error


def _check_commit(suite: Suite, file: Path, context: dict) -> None:
    ours, theirs = suite.about.get("commit"), context.get("commit")
    if ours and theirs and ours != theirs:
        suite.failures.append(Failure(file.stem, "", f"is of commit {theirs}, the suite of {ours}; "
                                      f"remove {file} or run all again"))


def _series(file: Path, context: dict, data: dict) -> Series:
    columns = [[float(x) for x in data[key]] for key in ("seconds", "live_bytes", "resident_bytes")]
    if len({len(column) for column in columns}) != 1:
        raise ValueError("columns of different lengths")
    return Series(str(data["name"]), file, context, *columns)


def _run(suite: Suite, file: Path, context: dict, entries: list[dict]) -> Run:
    run = Run(file.stem, file, context)
    repetitions: dict[str, list[dict]] = {}
    for entry in entries:
        if entry.get("run_type", "iteration") != "iteration":
            continue
        name = entry.get("run_name", entry["name"])
        if entry.get("error_occurred"):
            failure = Failure(run.name, name, entry.get("error_message", "no message"))
            if failure not in suite.failures:
                suite.failures.append(failure)
        elif entry.get("skipped"):
            skip = Failure(run.name, name, entry.get("skip_message", "no message"))
            if skip not in suite.skipped:
                suite.skipped.append(skip)
        else:
            repetitions.setdefault(name, []).append(entry)
    # Random interleaving shuffles them.
    ordered = sorted(repetitions.items(), key=lambda item: (
        item[1][0].get("family_index", 0), item[1][0].get("per_family_instance_index", 0)))
    run.benchmarks = [_benchmark(run.name, name, group) for name, group in ordered]
    return run


def _benchmark(run: str, name: str, entries: list[dict]) -> Benchmark:
    parts = parse_name(name)
    counters = {}
    for key in dict.fromkeys(key for entry in entries for key in entry):
        values = tuple(float(e[key]) for e in entries if _is_counter(key, e.get(key)))
        if values:
            counters[key] = Summary(values)
    return Benchmark(name, run, parts, parts.allocator, _time(name, entries, counters),
                     _times("cpu_time", entries), counters,
                     max(int(e.get("threads", 1)) for e in entries))


def _is_counter(key: str, value: object) -> bool:
    return (key not in STANDARD_MEMBERS and isinstance(value, (int, float))
            and not isinstance(value, bool) and math.isfinite(value))


def _times(key: str, entries: list[dict]) -> Summary | None:
    values = tuple(float(e[key]) * SECONDS[e.get("time_unit", "ns")] for e in entries if key in e)
    return Summary(values) if values else None


def _time(name: str, entries: list[dict], counters: dict[str, Summary]) -> Summary | None:
    """The time that Google Benchmark itself goes by; `each` where an iteration
    is more than one of what is measured."""
    if "each" in counters:
        return counters["each"]
    real = re.search(r"/(real|manual)_time(/|$)", name)
    return _times("real_time" if real else "cpu_time", entries) or _times("real_time", entries)


def short_malloc(malloc: str) -> str:
    """As "tcmalloc" of "tcmalloc of gperftools 2.18.1"."""
    return ("tuned " if "=" in malloc else "") + malloc.split(" ")[0]


def _name_other_mallocs(suite: Suite) -> None:
    for run in suite.runs:
        if not run.malloc or run.malloc == suite.malloc:
            continue
        for benchmark in run.benchmarks:
            plain = benchmark.parts.allocator
            benchmark.allocator = f"{plain}, {short_malloc(run.malloc)}" if plain else plain
