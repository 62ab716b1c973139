# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The report as one page of HTML that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import plots
from guard import Check
from results import Benchmark, Run, Suite, Summary

# The first of these that a question has is what its others are compared to.
BASELINES = ("preallocated", "HostSpace", "malloc", "plain", "ScopedSpace", "std_pmr_monotonic",
             "arena_without_reset")

# The same done in another way, where the baseline is.
ASKED_AS = {"handle": "View_uninitialized"}

PROGRAMS = {
    "allocate": "Temporaries of one thread",
    "contention": "Several threads",
    "reduction": "Reduction with temporaries",
    "workloads": "Workloads",
    "reset": "Beginnings, resets and scopes",
    "memory": "Memory",
    "checked": "Checked arenas",
    "adoption": "HostSpace adopted",
    "steady": "Steady state",
    "kernels": "Kokkos Kernels",
    "instructions": "Instructions",
    "device": "Device memory",
}

# Of the context, by the label on the page.
ABOUT = (
    ("Processor", "processor"), ("Processors", "processors"), ("Device", "device"),
    ("Huge pages", "transparent_huge_pages"), ("Compiler", "compiler"), ("Kokkos", "kokkos"),
    ("Kokkos' configuration", "kokkos_configuration"), ("Back end", "backend"),
    ("Its threads", "threads"), ("malloc", "malloc"),
)

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;
  max-width: 62rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
h1, h2, h3 { line-height: 1.25; }
h2 { margin-top: 2.5rem; border-bottom: 2px solid #0b5394; }
h3 { margin: 1.8rem 0 0.4rem; }
a { color: #0b5394; }
code { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: 0.15rem 1rem; }
dt { font-weight: 600; }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.failed { border: 3px solid #a40000; background: #fff0f0; padding: 0.2rem 1rem; }
.note { border-left: 4px solid #8a6100; background: #fff8e6; padding: 0.3rem 1rem; }
.wide { overflow-x: auto; }
figure { margin: 1.5rem 0; }
figure svg { width: 100%; min-width: 30rem; max-width: 46rem; height: auto; display: block; }
figcaption { max-width: 46rem; color: #333; }
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.6rem; text-align: left; border-bottom: 1px solid #ccc;
  vertical-align: top; }
thead th { background: #eef3f8; white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
tr.baseline td { background: #f3f3f3; }
td.bad { color: #a40000; font-weight: 700; }
td.good { color: #00622d; }
"""

READING = """
<p>Each time is the median of the repetitions; the quartiles beside it enclose the middle half of
them, and so do the thick bars in the plots. Where the quartiles of two figures overlap, this run
does not tell them apart. Narrow quartiles say that the repetitions agreed with one another, not
that another run would: frequency, temperature, neighbours and the placement of memory change
between runs, by more than they do within one.</p>
<p><strong>Ratios hold within one run only</strong>: times of this page and times of another page
are not to be divided by each other. <code>report.py --compare OLD NEW</code> says what differs
between two runs by more than the noise. What does not depend on the machine's mood is counted
instead, and listed with its bounds.</p>
"""


def page(suite: Suite, drawn: list[plots.Plot], checks: list[Check]) -> str:
    """All of it, as text."""
    parts = [_head(suite), _failures(suite, checks), _notes(suite), _contents(suite),
             "<h2>How to read this</h2>", READING, _plots(drawn), _checks(checks), _tables(suite),
             _raw(suite)]
    return "\n".join(part for part in parts if part) + "\n</body>\n</html>\n"


def broken(checks: Iterable[Check]) -> list[Check]:
    """Figures that were measured and are out of bounds."""
    return [check for check in checks if not check.holds and check.measured is not None]


def unmeasured(checks: Iterable[Check]) -> list[Check]:
    """Bounds of which nothing can be said."""
    return [check for check in checks if not check.holds and check.measured is None]


# The beginning

def _head(suite: Suite) -> str:
    about = [("Commit", suite.about.get("commit", "unknown")),
             ("Date", suite.about.get("date", "unknown"))]
    about += [(label, suite.context.get(key, "unknown")) for label, key in ABOUT]
    others = dict.fromkeys(run.malloc for run in suite.runs if run.malloc)
    others.pop(suite.malloc, None)
    about.append(("Other mallocs", "; ".join(others) or "none"))
    if "seconds" in suite.about:
        about.append(("Duration", f"{suite.about['seconds']:g} s"))
    rows = "\n".join(f"<dt>{escape(label)}</dt><dd>{escape(str(value))}</dd>"
                     for label, value in about)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>KokkosArena: benchmarks of {escape(str(suite.about.get("commit", "unknown")))}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>KokkosArena: benchmarks</h1>
<dl>
{rows}
</dl>"""


def _failures(suite: Suite, checks: list[Check]) -> str:
    items = [str(failure) for failure in suite.failures]
    items += [f"{check.figure}: {check.measured:.6g}, bound: {check.bound}"
              for check in broken(checks)]
    if not items:
        return ""
    return f'<section class="failed">\n<h2>Failures</h2>\n{_list(items)}\n</section>'


def _notes(suite: Suite) -> str:
    items = [f"{peer} is absent: {why}" for peer, why in suite.absent]
    items += [f"left out: {skipped}" for skipped in suite.skipped]
    if suite.about.get("short"):
        items.insert(0, "This was the short form: few repetitions, one malloc. Its times are "
                     "rough.")
    if suite.context.get("library_build_type") == "debug":
        items.append("Google Benchmark is a debug build, so that its own part is larger.")
    if suite.context.get("cpu_scaling_enabled"):
        items.append("The processors' frequency may change while it is measured.")
    if not items:
        return ""
    return f'<section class="note">\n<h2>Absent, and otherwise to be known</h2>\n{_list(items)}\n' \
           "</section>"


def _contents(suite: Suite) -> str:
    links = [("plots", "Plots"), ("bounds", "Figures with bounds")]
    links += [(f"of-{program}", PROGRAMS.get(program, program)) for program in _programs(suite)]
    links.append(("raw", "Raw results"))
    return "<nav>\n" + " ·\n".join(f'<a href="#{escape(where)}">{escape(title)}</a>'
                                   for where, title in links) + "\n</nav>"


def _programs(suite: Suite) -> list[str]:
    """In the order of the page."""
    known = list(PROGRAMS)
    found = dict.fromkeys(b.program for b in suite.benchmarks())
    return sorted(found, key=lambda program: known.index(program) if program in known
                  else len(known))


def _list(items: Iterable[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{escape(item)}</li>" for item in items) + "\n</ul>"


# Plots

def _plots(drawn: list[plots.Plot]) -> str:
    if not plots.available():
        return ('<h2 id="plots">Plots</h2>\n<p class="note">There are none: matplotlib '
                "is missing (in Debian: python3-matplotlib).</p>")
    return "\n".join(['<h2 id="plots">Plots</h2>', *map(_plot, drawn)])


def _plot(plot: plots.Plot) -> str:
    title = f"<h3>{escape(plot.title)}</h3>"
    if plot.missing:
        return f'{title}\n<p class="note">Left out: {escape(plot.missing)}.</p>'
    return (f'{title}\n<figure id="{plot.name}">\n'
            f'<div class="wide">\n{plots.for_page(plot)}</div>\n'
            f"<figcaption>{escape(plot.caption)} "
            f'<a href="{plot.name}.svg">As a file</a>.</figcaption>\n</figure>')


# Tables

def table(header: list[str], rows: list[str], numbers: set[int]) -> str:
    """Rows are HTML already; `numbers` are the columns to be aligned right."""
    cells = "".join(f'<th scope="col"{_number(i in numbers)}>{escape(text)}</th>'
                    for i, text in enumerate(header))
    body = "\n".join(rows)
    return (f'<div class="wide"><table>\n<thead><tr>{cells}</tr></thead>\n<tbody>\n{body}\n'
            "</tbody>\n</table></div>")


def _number(yes: bool) -> str:
    return ' class="number"' if yes else ""


def _cell(text: str, number: bool = False) -> str:
    return f"<td{_number(number)}>{escape(text)}</td>"


def _checks(checks: list[Check]) -> str:
    rows = []
    for check in checks:
        measured = "–" if check.measured is None else f"{check.measured:.6g}"
        kind = "good" if check.holds else "bad"
        verdict = "holds" if check.holds else "does not hold" if check.measured is not None \
            else "not measured"
        remark = f": {check.remark}" if check.remark else ""
        rows.append(f"<tr>{_cell(check.figure)}{_cell(measured, True)}{_cell(check.bound)}"
                    f'<td class="{kind}">{escape(verdict + remark)}</td></tr>')
    text = ("<p>These do not depend on the machine's mood, or are ratios of an order of magnitude, "
            "or of times on a device that nobody shares. A counter is the worst of all "
            "repetitions; a ratio is one of medians.</p>")
    if missing := len(unmeasured(checks)):
        text += f'\n<p class="note">{missing} of them could not be checked.</p>'
    return '<h2 id="bounds">Figures with bounds</h2>\n' + text + "\n" + \
        table(["Figure", "Measured", "Bound", ""], rows, {1})


def baseline_of(benchmark: Benchmark, all_of: dict[tuple, Benchmark]) -> Benchmark | None:
    """The one to compare to: the same question and argument, under the usual malloc."""
    parts = benchmark.parts
    for question in (parts.question, ASKED_AS.get(parts.question)):
        for allocator in BASELINES:
            key = (benchmark.program, question, parts.argument, allocator)
            if question and key in all_of:
                return all_of[key]
    return None


def by_key(suite: Suite) -> dict[tuple, Benchmark]:
    """Those with a time, for baseline_of()."""
    return {(b.program, b.parts.question, b.parts.argument, b.allocator): b
            for b in suite.benchmarks() if b.time is not None and b.time.median > 0}


def _tables(suite: Suite) -> str:
    groups: dict[str, dict[str, list[Benchmark]]] = {}
    for benchmark in suite.benchmarks():
        questions = groups.setdefault(benchmark.program, {})
        questions.setdefault(benchmark.parts.question, []).append(benchmark)
    all_of = by_key(suite)
    out = ["<h2>All benchmarks</h2>", "<p>By question. A ratio is that to the baseline, of the "
           "same question and argument, and a larger one is slower.</p>"]
    for program in _programs(suite):
        out.append(f'<h3 id="of-{escape(program)}">{escape(PROGRAMS.get(program, program))}</h3>')
        for question, benchmarks in groups[program].items():
            out.append(_question(question, benchmarks, all_of))
    return "\n".join(out)


def _question(question: str, benchmarks: list[Benchmark], all_of: dict) -> str:
    bases = {id(b): baseline_of(b, all_of) for b in benchmarks}
    names = dict.fromkeys(_full_name(question, base) for base in bases.values() if base)
    said = f"baseline: {', '.join(names)}" if names else "no baseline"
    order = list(dict.fromkeys(b.parts.argument for b in benchmarks))
    order.sort(key=lambda text: _natural(text))
    benchmarks = sorted(benchmarks, key=lambda b: order.index(b.parts.argument))
    rows = [_row(b, bases[id(b)]) for b in benchmarks]
    return (f"<h4><code>{escape(question)}</code> ({escape(said)})</h4>\n" +
            table(["Argument", "Allocator", "Median", "Quartiles", "Ratio", "Times", "Counters"],
                  rows, {2, 3, 4, 5}))


def _full_name(question: str, base: Benchmark) -> str:
    same = base.parts.question == question
    return base.allocator if same else f"{base.parts.question}/{base.allocator}"


def _natural(text: str) -> list:
    """So that 256 comes before 4096, and a kind before another."""
    return [(0, int(word), "") if word.isdigit() else (1, 0, word)
            for word in text.replace(",", "").split()]


def _row(benchmark: Benchmark, base: Benchmark | None) -> str:
    time = benchmark.time
    ratio = f"{time.median / base.time.median:.3g}" if time and base else "–"
    start = '<tr class="baseline">' if base is benchmark else "<tr>"
    cells = [_cell(benchmark.parts.argument or "–"), _cell(benchmark.allocator or "–"),
             _cell(seconds(time.median) if time else "–", True),
             _cell(_quartiles(time) if time else "–", True), _cell(ratio, True),
             _cell(str(time.count) if time else "–", True), _cell(_counters(benchmark))]
    return start + "".join(cells) + "</tr>"


def _quartiles(time: Summary) -> str:
    return "one value" if time.count < 2 else " … ".join(map(seconds, time.quartiles))


def seconds(value: float) -> str:
    """As "12.3 ns"."""
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if abs(value) >= factor:
            return f"{_digits(value / factor)} {unit}"
    return f"{_digits(value / 1e-9)} ns"


def _digits(value: float) -> str:
    """Three of them, and never an exponent."""
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def _counters(benchmark: Benchmark) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {values.median:.6g}"
                     for name, values in benchmark.counters.items() if name != "each")


# The end

def _raw(suite: Suite) -> str:
    return "\n".join(['<h2 id="raw">Raw results</h2>', "<p>As the programs have written them.</p>",
                      "<ul>", *(_raw_item(suite, name) for name in _files(suite)), "</ul>"])


def _files(suite: Suite) -> list[str]:
    runs: list[Run] = suite.runs
    return ["suite.json", *sorted({run.file.name for run in runs} |
                                  {series.file.name for series in suite.series})]


def _raw_item(suite: Suite, name: str) -> str:
    path = escape(f"{suite.raw.name}/{name}")
    return f'<li><a href="{path}">{path}</a></li>'
