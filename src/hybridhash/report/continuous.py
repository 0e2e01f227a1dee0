"""What continuous training leaves to read: a table, two figures, one page."""

import math
import os
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from rich.table import Table
from rich.text import Text

from hybridhash.files import write_text
from hybridhash.report.document import Grid, html_figure, html_page, html_table
from hybridhash.report.ends import name_ends
from hybridhash.report.formatting import (
    UNKNOWN,
    format_bytes,
    format_count,
    format_number,
    format_share,
    format_spread,
)
from hybridhash.report.style import INK, WIDTH_IN, colours, house_style, inline_svg
from hybridhash.results import Continuous, Difference, Interval, StreamedMethod, Windows

HOW_MEASURED: Final = (
    "Each window is predicted before it is learned. RCE is relative to the mean label of the window itself; a "
    "method's figure is the mean over the windows, with the standard deviation of that mean over the seeds. "
    "Differences pair equal seeds, which saw the same rows in the same order; in brackets and as bands their 95 % t "
    "interval over the seeds: initial values, order of rows and hash functions vary in it, the rows do not."
)

_HEIGHT_IN: Final = 3.2


def continuous_grid(results: Windows) -> Grid:
    """Return one line per method: its size, its mean RCE, and its difference from the first.

    Args:
        results: The run.
    """
    differences = {difference.name: difference for difference in results.differences}
    reference = results.methods[0].name
    body = []
    for method in results.methods:
        difference = differences.get(method.name)
        body.append(
            [
                method.name,
                format_bytes(method.embedding_bytes),
                format_share(method.share_of_baseline),
                "diverged" if method.diverged else format_spread(method.rce_mean, method.rce_std, 3),
                format_interval(difference),
                _windows_above(difference),
                format_number(method.settings.learning_rate, 3),
                format_count(method.settings.epochs),
            ]
        )
    head = ["method", "embeddings", "of baseline", "RCE %", f"minus {reference}", "windows above"]
    return Grid([*head, "rate", "passes"], body)


def format_interval(difference: Difference | Interval | None) -> str:
    """Return a mean difference with its interval, such as ``"+0.120 [+0.080, +0.160]"``."""
    if difference is None or difference.mean is None:
        return UNKNOWN
    text = f"{difference.mean:+.3f}"
    if difference.low is None:
        return text
    return f"{text} [{difference.low:+.3f}, {difference.high:+.3f}]"


def continuous_table(results: Windows) -> Table:
    """Return the lines of `continuous_grid` for a terminal.

    Args:
        results: The run.
    """
    grid = continuous_grid(results)
    missing = _num_missing(results)
    caption = [
        f"mean over {len(results.windows) - missing} windows of {results.window}, {results.seeds} seeds"
    ]
    caption += [_missing_note(missing)] if missing else []
    caption += _reasons(results)
    table = Table(caption=Text("\n".join(caption)), caption_justify="left")
    for index, title in enumerate(grid.head):
        table.add_column(title, justify="right" if index else "left", no_wrap=index > 0, overflow="fold")
    for cells in grid.body:
        table.add_row(*map(Text, cells))
    return table


def window_figure(results: Windows) -> Figure:
    """Draw the RCE of each method by window: the mean over the seeds, and a band of one standard deviation.

    Args:
        results: The run.

    Returns:
        One panel; a window without an RCE is a gap.
    """
    methods = [method for method in results.methods if method.rce and not method.diverged]
    palette = colours([method.name for method in results.methods])
    with house_style():
        figure, axes = _panel(results, "RCE of the window (%)")
        for method in methods:
            values = np.array(method.rce, dtype=np.float64)
            spread = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1])
            _draw(axes, values.mean(axis=0), spread, palette[method.name])
        curves = {method.name: _by_window(method) for method in methods}
        name_ends(axes, curves, palette, x=len(results.windows))
    return figure


def difference_figure(results: Windows) -> Figure:
    """Draw each method's RCE minus the first one's by window, with the paired intervals.

    Args:
        results: The run.

    Returns:
        One panel with a line at 0; a window without an RCE is a gap, and so is all of a method that diverged.
    """
    reference = results.methods[0].name
    palette = colours([method.name for method in results.methods])
    with house_style():
        figure, axes = _panel(results, f"RCE minus that of {reference} (points)")
        axes.plot([0.5, len(results.windows) + 0.5], [0, 0], color=INK, linewidth=0.8)
        names = {}
        for difference in results.differences:
            if difference.windows is None:
                continue
            mean, low, high = (
                np.array(
                    [math.nan if one is None else getattr(one, end) for one in difference.windows],
                    dtype=np.float64,
                )
                for end in ("mean", "low", "high")
            )
            half = np.zeros_like(mean) if np.isnan(low).all() else (high - low) / 2
            _draw(axes, mean, half, palette[difference.name])
            means = [None if one is None else one.mean for one in difference.windows]
            names[f"{difference.name}\n{format_interval(difference)}"] = means
        shades = {name: palette[name.partition("\n")[0]] for name in names}
        name_ends(axes, names, shades, x=len(results.windows))
    return figure


def write_continuous_report(results: Continuous, path: str | os.PathLike[str]) -> None:
    """Write the page of a run of continuous training, whole or not at all; same input, same page.

    Args:
        results: The run.
        path: The path of the page; a file that is there is replaced.
        FileAccessError: The file cannot be written there.
    """
    data = results.data
    missing = _num_missing(results)
    notes = [*([_missing_note(missing)] if missing else []), *results.notes, *_reasons(results)]
    facts = Grid(
        ["data", "value"],
        [
            ["source", data.source],
            ["rows of the first span", format_count(data.train_rows + data.validation_rows)],
            ["distinct keys in it", format_count(data.keys)],
            ["rows behind it", format_count(data.test_rows)],
            ["windows", f"{len(results.windows)} of {results.window}"],
            ["embedding bytes of the baseline", format_bytes(results.budget.baseline_bytes)],
            ["best reachable RCE of all windows", format_number(data.best_reachable_rce, 2)],
        ],
    )
    parts = [
        html_table(
            continuous_grid(results),
            f"{results.seeds} seeds. {HOW_MEASURED}",
        ),
        html_table(Grid(["notes"], [[note] for note in notes]), "") if notes else "",
    ]
    if any(difference.mean is not None for difference in results.differences):
        svg = inline_svg(difference_figure(results), "differences", "Difference of RCE by window")
        parts.append(html_figure(svg, "Difference of RCE by window, with its interval."))
    if any(not method.diverged for method in results.methods):
        svg = inline_svg(window_figure(results), "windows", "RCE by window and method")
        parts.append(
            html_figure(svg, "RCE by window: means over the seeds, bands of one standard deviation.")
        )
    parts += [
        html_table(
            facts, "The data. Vocabulary, bins, learning rate and passes come from the first span alone."
        ),
        html_table(_window_grid(results), "The windows, mean over the seeds."),
        html_table(Grid(["to run it again"], [[results.command]]), ""),
    ]
    footer = f"Made by hybridhash {results.version} on {results.created}; {results.machine.text}."
    write_text(path, html_page("hybridhash continuous", data.source, "".join(parts), footer))


def _window_grid(results: Windows) -> Grid:
    columns = {method.name: _by_window(method) for method in results.methods if not method.diverged}
    differences = {
        f"{difference.name} minus {difference.reference}": difference.windows
        for difference in results.differences
        if difference.windows is not None
    }
    body = [
        [
            str(number + 1),
            format_count(window.rows),
            format_share(window.positives / window.rows) if window.rows else UNKNOWN,
            format_number(window.best_reachable_rce, 2),
            *(format_number(column[number], 3) for column in columns.values()),
            *(format_interval(intervals[number]) for intervals in differences.values()),
        ]
        for number, window in enumerate(results.windows)
    ]
    return Grid(["window", "rows", "mean label", "best reachable", *columns, *differences], body)


def _panel(results: Windows, y_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH_IN, _HEIGHT_IN), layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(f"window of {results.window} after the training span")
    axes.set_ylabel(y_label)
    axes.set_xlim(0.5, len(results.windows) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return figure, axes


def _draw(axes: Axes, middle: np.ndarray[Any, Any], half: np.ndarray[Any, Any], colour: str) -> None:
    x = np.arange(1, middle.size + 1)
    axes.plot(x, middle, color=colour, linewidth=1.4, marker="." if middle.size < 13 else None)
    axes.fill_between(x, middle - half, middle + half, color=colour, alpha=0.2, linewidth=0)


def _by_window(method: StreamedMethod) -> list[float | None]:
    """Return the mean over the seeds of each window; None where it has no RCE."""
    by_window = [[rce for rce in values if rce is not None] for values in zip(*method.rce, strict=True)]
    return [float(np.mean(known)) if len(known) == len(method.rce) else None for known in by_window]


def _num_missing(results: Windows) -> int:
    return sum(window is None for window in _by_window(results.methods[0]))


def _reasons(results: Windows) -> list[str]:
    return [f"{method.name}: {reason}" for method in results.methods for reason in method.diverged]


def _windows_above(difference: Difference | None) -> str:
    if difference is None or difference.mean is None:
        return UNKNOWN
    return f"{difference.windows_above} of {difference.windows_compared}"


def _missing_note(missing: int) -> str:
    return (
        f"{missing} window{'s have' if missing != 1 else ' has'} no RCE, since the rows there do not have both labels; "
        "left out of all means"
    )
