# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The report's plots as SVG, drawn by matplotlib.

Equal results give equal bytes: no dates, and identifiers from a fixed salt.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from results import Benchmark, Series, Suite, Summary, short_malloc

try:
    import matplotlib
    if matplotlib.__version_info__ < (3, 7):  # has legends outside of axes
        raise ImportError("matplotlib is too old")
    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker
except ImportError:
    matplotlib = None

WIDTH = 7.2  # inches
LOOPS_N = 256

# After Okabe and Ito, without their yellow, which white swallows; then
# two more that differ in lightness. Markers differ too, for those who see or
# print no colours.
COLOURS = ("#0072B2", "#D55E00", "#007A5A", "#B3558C", "#000000", "#B07A00", "#3A9BD9", "#6E6E6E",
           "#7A3E00", "#5B4BB7")
MARKERS = "os^Dv*PX<>"

RC = {
    "font.size": 9, "axes.titlesize": 10, "legend.fontsize": 8.5, "axes.grid": True,
    "grid.color": "#dddddd", "axes.axisbelow": True, "axes.edgecolor": "#555555",
    "axes.spines.top": False, "axes.spines.right": False, "lines.linewidth": 1.5,
    "svg.fonttype": "path", "figure.facecolor": "white",
}


class Missing(Exception):
    """What a plot would show wasn't measured."""


@dataclass(frozen=True)
class Plot:
    """One plot, or why there is none."""

    name: str
    title: str
    caption: str
    svg: str = ""
    missing: str = ""


@dataclass
class Line:
    """Values of one contestant, by n or by the number of threads."""

    label: str
    points: dict[int, Summary] = field(default_factory=dict)


def available() -> bool:
    """Whether matplotlib is there."""
    return matplotlib is not None


def draw_all(suite: Suite) -> list[Plot]:
    """All plots of what was run, in the order of the page. Without matplotlib: none."""
    if not available():
        return []
    programs = suite.programs
    chosen = () if programs == {"device"} else PLOTS
    chosen += DEVICE_PLOTS if "device" in programs else ()
    return [_draw(suite, *plot) for plot in chosen]


def _draw(suite: Suite, name: str, title: str, caption: str,
          figure_of: Callable[[Suite], object]) -> Plot:
    with matplotlib.rc_context({**RC, "svg.hashsalt": f"KokkosArena {name}"}):
        try:
            figure = figure_of(suite)
        except Missing as reason:
            return Plot(name, title, caption, missing=str(reason))
        svg = _svg(figure, name)
        pyplot.close(figure)
    return Plot(name, title, caption, svg)


def _svg(figure, name: str) -> str:
    """Without what refers to elsewhere, and with identifiers of its own, so
    that several fit in one page."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = svg.replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def for_page(plot: Plot) -> str:
    """The SVG as a part of HTML, which needs no name spaces."""
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", plot.svg).replace("xlink:href", "href")
    return svg.replace("<svg", f'<svg role="img" aria-label="{plot.title}"', 1)


# What is plotted

def _measured(suite: Suite, program: str, question: str) -> Iterable[Benchmark]:
    for benchmark in suite.benchmarks():
        if (benchmark.program == program and benchmark.parts.question == question
                and benchmark.time is not None and benchmark.time.median > 0):
            yield benchmark


def _label(suite: Suite, benchmark: Benchmark) -> str:
    """HostSpace and malloc with the malloc below, the others by their name."""
    plain, _, malloc = benchmark.allocator.partition(", ")
    if plain not in ("HostSpace", "malloc"):
        return plain.replace("_", " ")
    if not malloc and not suite.malloc:
        return plain
    return f"{plain} ({malloc or short_malloc(suite.malloc)})"


def _ordered(lines: dict[str, Line]) -> list[Line]:
    """What Kokkos and the C library do comes last, so that arenas look alike in all plots."""
    return sorted(lines.values(), key=lambda line: line.label.startswith(("HostSpace", "malloc")))


def _collect(lines: dict[str, Line], label: str, x: int | None, values: Summary) -> None:
    if x is not None:
        lines.setdefault(label, Line(label)).points[x] = values


def _scaled(values: Summary, factor: float) -> Summary:
    return Summary(tuple(value * factor for value in values.values))


# Question, allocator and label of what isn't HostSpace.
MADE = (
    ("View_uninitialized", "arena_ThreadCached", "arena, constructor"),
    ("similar", "arena_ThreadCached", "arena, similar()"),
    ("handle", "arena_ThreadCached", "arena, handle"),
    ("unmanaged", "std_pmr_monotonic", "std::pmr monotonic, unmanaged"),
    ("unmanaged", "Kokkos_MemoryPool", "Kokkos::MemoryPool, unmanaged"),
    ("unmanaged", "Umpire_QuickPool", "Umpire QuickPool, unmanaged"),
)
WRITTEN = (("View_initialized", "arena_ThreadCached", "arena, constructor"),)

# Label by allocator, in device memory.
ON_DEVICE = {
    "arena": "arena, constructor",
    "arena_similar": "arena, similar()",
    "RMM_pool": "RMM's pool, unmanaged",
    "Umpire_QuickPool": "Umpire QuickPool, unmanaged",
    "stream_ordered": "stream-ordered allocator, unmanaged",
    "stream_ordered_trimmed": "stream-ordered, default pool, unmanaged",
    "plain": "plain space",
}


def _temporaries(suite: Suite, host: str, others: tuple) -> list[Line]:
    lines: dict[str, Line] = {}
    for question, allocator, label in others:
        for benchmark in _measured(suite, "allocate", question):
            if benchmark.allocator == allocator:
                _collect(lines, label, benchmark.parts.n, _scaled(benchmark.time, 1e9))
    for benchmark in _measured(suite, "allocate", host):
        if benchmark.parts.allocator == "HostSpace":
            _collect(lines, _label(suite, benchmark), benchmark.parts.n,
                     _scaled(benchmark.time, 1e9))
    return _ordered(lines)


def _temporaries_on_device(suite: Suite, question: str) -> list[Line]:
    lines: dict[str, Line] = {}
    for allocator, label in ON_DEVICE.items():
        for benchmark in _measured(suite, "device", question):
            if benchmark.allocator == allocator:
                _collect(lines, label, benchmark.parts.n, _scaled(benchmark.time, 1e9))
    return list(lines.values())


def throughput(benchmark: Benchmark, processors: int | None) -> Summary:
    """Million allocations a second by all threads.

    Never more than the processors can have done by their own time: threads
    that wait for a processor don't count as running, so that real time alone
    claims too much where there are more threads than processors.
    """
    threads = benchmark.counted_threads
    values = [threads / time for time in benchmark.time.values if time > 0]
    if processors and benchmark.cpu_time and "each" not in benchmark.counters:
        most = [processors / time if time > 0 else float("inf")
                for time in benchmark.cpu_time.values]
        values = [min(pair) for pair in zip(values, most)]
    return Summary(tuple(value * 1e-6 for value in values))


def processors_of(suite: Suite) -> int | None:
    """How many there are, as far as is known."""
    for key in ("processors", "num_cpus"):
        try:
            return int(suite.context[key])
        except (KeyError, TypeError, ValueError):
            pass
    return None


def _throughputs(suite: Suite) -> list[Line]:
    lines: dict[str, Line] = {}
    for benchmark in _measured(suite, "contention", "allocate"):
        if benchmark.parts.threads is not None:
            _collect(lines, _label(suite, benchmark), benchmark.parts.threads,
                     throughput(benchmark, processors_of(suite)))
    return _ordered(lines)


def _reductions(suite: Suite, question: str, program: str = "reduction") -> list[Line]:
    """Times over that of what was allocated beforehand, that itself among them."""
    found = list(_measured(suite, program, question))
    base = {b.parts.n: b.time.median for b in found if b.allocator == "preallocated"}
    lines: dict[str, Line] = {}
    for benchmark in found:
        if benchmark.parts.n in base:
            _collect(lines, _label(suite, benchmark), benchmark.parts.n,
                     _scaled(benchmark.time, 1 / base[benchmark.parts.n]))
    return _ordered(lines)


# How

def _style(number: int) -> dict:
    """After the last colour, the first one again, dashed and with another marker."""
    round_, place = divmod(number, len(COLOURS))
    marker = MARKERS[(place + round_) % len(MARKERS)]
    return {"color": COLOURS[place], "marker": marker, "markersize": 8 if marker == "*" else 6,
            "linestyle": "--" if round_ else "-"}


def _styles(*panels: list[Line]) -> dict[str, dict]:
    """The same one for the same contestant in all panels."""
    labels = dict.fromkeys(line.label for lines in panels for line in lines)
    return {label: _style(number) for number, label in enumerate(labels)}


def _plot_line(axes, line: Line, style: dict) -> None:
    xs = sorted(line.points)
    medians = [line.points[x].median for x in xs]
    axes.plot(xs, medians, label=line.label, markeredgecolor="white", markeredgewidth=0.5, **style)
    # Not vlines(): its limits are wrong on logarithmic axes.
    for x in xs:
        axes.plot([x, x], line.points[x].quartiles, color=style["color"], linewidth=3, alpha=0.45,
                  solid_capstyle="butt")


def _legend_below(figure, panels: Iterable, columns: int = 2) -> None:
    handles = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels()):
            handles.setdefault(label, handle)
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=columns,
                  frameon=False)


def _figure(height: float, rows: int = 1, **options):
    figure, panels = pyplot.subplots(rows, 1, figsize=(WIDTH, height), layout="constrained",
                                     squeeze=False, **options)
    return figure, list(panels[:, 0])


def _plain_numbers(axis) -> None:
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:,.10g}"))


def _logarithmic(axis, subs: tuple[float, ...] = (1, 2, 5)) -> None:
    """With readable ticks, however few or many decades there are."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(ticker.LogLocator(subs=subs if high < 300 * low else (1,), numticks=30))
    axis.set_minor_locator(ticker.NullLocator())
    _plain_numbers(axis)


def _ticks_at(axis, values: Iterable[int]) -> None:
    """Just where it was measured."""
    axis.set_ticks(sorted(set(values)))
    axis.set_minor_locator(ticker.NullLocator())
    _plain_numbers(axis)


def _xs(lines: Iterable[Line]) -> set[int]:
    return {x for line in lines for x in line.points}


def draw_temporaries(suite: Suite):
    """Nanoseconds for each temporary, against n."""
    return _draw_temporaries(_temporaries(suite, "View_uninitialized", MADE),
                             _temporaries(suite, "View_initialized", WRITTEN))


def draw_temporaries_on_device(suite: Suite):
    """The same in device memory."""
    return _draw_temporaries(_temporaries_on_device(suite, "View_uninitialized"),
                             _temporaries_on_device(suite, "View_initialized"))


def _draw_temporaries(made: list[Line], written: list[Line]):
    titled = [("Made and dropped", made), ("Made, written and dropped", written)]
    titled = [(title, lines) for title, lines in titled if lines]
    if not titled:
        raise Missing("neither View_uninitialized nor View_initialized was measured")
    styles = _styles(made, written)
    figure, panels = _figure(3.3 * len(titled) + 1.2, len(titled), sharex=True)
    for axes, (title, lines) in zip(panels, titled):
        axes.set(xscale="log", yscale="log", ylabel="ns per temporary", title=title)
        for line in lines:
            _plot_line(axes, line, styles[line.label])
        _logarithmic(axes.yaxis)
    panels[-1].set_xlabel("n (elements of double)")
    _ticks_at(panels[-1].xaxis, _xs(made + written))
    _legend_below(figure, panels)
    return figure


def draw_throughput(suite: Suite):
    """Million allocations a second, against threads."""
    lines = _throughputs(suite)
    if not lines:
        raise Missing("allocate/*/threads:* wasn't measured")
    styles = _styles(lines)
    figure, (axes,) = _figure(4.2 + 0.2 * (len(lines) // 2))
    axes.set(xscale="log", yscale="log", xlabel="threads",
             ylabel="million allocations a second, all threads")
    for line in lines:
        _plot_line(axes, line, styles[line.label])
    counts = sorted(_xs(lines))
    _ticks_at(axes.xaxis, counts)
    _logarithmic(axes.yaxis)
    if (processors := processors_of(suite)) and counts[0] < processors < counts[-1]:
        axes.axvline(processors, color="#555555", linewidth=1, linestyle=":")
        axes.annotate(f"{processors} processors", (processors, 1),
                      xycoords=("data", "axes fraction"), xytext=(4, -2),
                      textcoords="offset points", va="bottom", fontsize=8)
    _legend_below(figure, [axes])
    return figure


def _split(lines: list[Line]) -> tuple[list[Line], Line | None]:
    """The baseline apart."""
    base = [line for line in lines if line.label == "preallocated"]
    return [line for line in lines if line.label != "preallocated"], base[0] if base else None


def draw_reduction(suite: Suite):
    """Time relative to preallocated temporaries, against n."""
    return _draw_reduction(_reductions(suite, "basic_reduction"))


def draw_reduction_on_device(suite: Suite):
    """The same on the device."""
    return _draw_reduction(_reductions(suite, "basic_reduction", "device"))


def _draw_reduction(all_lines: list[Line]):
    lines, base = _split(all_lines)
    if not lines or base is None:
        raise Missing("basic_reduction wasn't measured together with its preallocated")
    styles = _styles(lines)
    figure, (axes,) = _figure(4.4)
    axes.set(xscale="log", yscale="log", xlabel="n", ylabel="time / preallocated")
    for line in lines:
        _plot_line(axes, line, styles[line.label])
    xs = sorted(base.points)
    axes.fill_between(xs, *zip(*(base.points[x].quartiles for x in xs)), color="black", alpha=0.12,
                      linewidth=0)
    axes.axhline(1, color="black", linewidth=1.2, linestyle="--",
                 label="preallocated (grey: its quartiles)")
    _logarithmic(axes.yaxis, (1, 1.5, 2, 3, 5, 7))
    _ticks_at(axes.xaxis, _xs(lines))
    _legend_below(figure, [axes])
    return figure


def draw_loops(suite: Suite):
    """Time relative to preallocated temporaries, of loops without parallelism."""
    lines, base = _split([line for line in _reductions(suite, "plain_loops")
                          if LOOPS_N in line.points])
    if not lines or base is None:
        raise Missing(f"plain_loops/*/{LOOPS_N} wasn't measured together with its preallocated")
    figure, (axes,) = _figure(1.0 + 0.3 * len(lines))
    _draw_loops(axes, lines, _styles(lines))
    axes.axvspan(*base.points[LOOPS_N].quartiles, color="black", alpha=0.12, linewidth=0)
    return figure


def _draw_loops(axes, lines: list[Line], styles: dict[str, dict]) -> None:
    lines = sorted(lines, key=lambda line: -line.points[LOOPS_N].median)
    for row, line in enumerate(lines):
        values, style = line.points[LOOPS_N], styles[line.label]
        axes.plot([values.median], [row], markeredgecolor="white", markeredgewidth=0.5,
                  **{**style, "linestyle": "none"})
        axes.hlines(row, *values.quartiles, color=style["color"], linewidth=3, alpha=0.45)
        axes.annotate(f"{values.median:.2f}", (values.quartiles[1], row), xytext=(8, 0),
                      textcoords="offset points", va="center", fontsize=8)
    axes.axvline(1, color="black", linewidth=1.2, linestyle="--")
    axes.set_yticks(range(len(lines)), [line.label for line in lines])
    axes.set(xlabel="time / preallocated (dashed, grey: its quartiles)",
             ylim=(-0.6, len(lines) - 0.4))
    axes.margins(x=0.12)


def draw_memory(suite: Suite):
    """Resident and live memory, one panel for each place."""
    series = [one for one in suite.series if one.seconds]
    if not series:
        raise Missing("no memory_*.json has a series")
    series.sort(key=lambda one: (one.name != "arena", one.file.name))
    figure, panels = _figure(1.6 * len(series) + 0.9, len(series), sharex=True, sharey=True)
    for axes, one in zip(panels, series):
        axes.fill_between(one.seconds, [b / 2**20 for b in one.live_bytes], step="post",
                          color="#9CC9E8", linewidth=0, label="live")
        axes.plot(one.seconds, [b / 2**20 for b in one.resident_bytes], color="#B34700",
                  drawstyle="steps-post", label="resident")
        axes.set_title(_series_label(one), loc="left")
        axes.set_ylabel("MiB")
    panels[0].set_ylim(0, 1.08 / 2**20 * max(max(one.resident_bytes + one.live_bytes)
                                             for one in series) or 1)
    panels[-1].set_xlabel("seconds")
    _legend_below(figure, panels)
    return figure


def _series_label(series: Series) -> str:
    malloc = str(series.context.get("malloc", ""))
    return f"{series.name} ({short_malloc(malloc)})" if malloc and series.name != "arena" \
        else series.name


PLOTS = (
    ("temporaries", "Time of a temporary, by its size",
     "Nanoseconds to make and drop one temporary View of n doubles; both axes are logarithmic. "
     "HostSpace is what Kokkos does without an arena, under each malloc.", draw_temporaries),
    ("throughput", "Throughput by threads",
     "Million allocations a second of all threads together, from one shared allocator. Where "
     "there are more threads than processors, no more is shown than the processors' own time "
     "allows.", draw_throughput),
    ("reduction", "A reduction, relative to preallocated temporaries",
     "How much longer a reduction with temporaries takes than one whose temporaries all exist "
     "beforehand, by parallel kernels; 1.0 is as fast as that.", draw_reduction),
    ("plain_loops", f"The same by plain loops, n = {LOOPS_N}",
     "Without parallel kernels, so that little is left but the arithmetic and the temporaries.",
     draw_loops),
    ("memory", "Memory over time",
     "A chain of layers, run several times: what its Views hold (live) and what the process "
     "occupies beyond its beginning (resident). One panel for each place.", draw_memory),
)

DEVICE_PLOTS = (
    ("device_temporaries", "Time of a temporary in device memory, by its size",
     "Nanoseconds to make and drop one temporary View of n doubles, as the host sees it; both axes "
     "are logarithmic. What is written is zeroed by the device.", draw_temporaries_on_device),
    ("device_reduction", "A reduction on the device, relative to preallocated temporaries",
     "How much longer a reduction with temporaries takes than one whose temporaries all exist "
     "beforehand, on the device; 1.0 is as fast as that.", draw_reduction_on_device),
)
