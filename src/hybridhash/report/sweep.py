"""What a sweep leaves to read: a table, a figure, one page."""

import os
from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from rich.table import Table
from rich.text import Text

from hybridhash.files import write_text
from hybridhash.report.document import Grid, html_figure, html_page, html_table
from hybridhash.report.formatting import (
    UNKNOWN,
    format_bytes,
    format_count,
    format_number,
    format_share,
    format_spread,
)
from hybridhash.report.style import MUTED, WIDTH_IN, colours, house_style, inline_svg, ticks_apart
from hybridhash.report.table import DIVERGED
from hybridhash.results import Figures, Sweep

_HEIGHT_IN: Final = 2.9
_LABELS: Final = {"head": "one hash", "tail": "several hashes", "hashed": "hashed, same bytes"}
_WHAT_COUNTS: Final = (
    "Sizes are those of exported files. 'size' is the whole file as a share of the baseline's: rows, dictionary of "
    "the head's keys, wide weights, dense layers, discretiser and header. 'embeddings' is the part that exists "
    "because of the embeddings. 'hashed' is regular hashing at the embedding bytes of the row."
)


def sweep_grid(sweep: Sweep) -> Grid:
    """Return the rows of a sweep as text, in the order of the procedure.

    Args:
        sweep: The run.

    Returns:
        One line per row: its size, its RCE, and the RCE of regular hashing at the same bytes; 'diverged' stands for
        the RCE of what left the finite numbers.
    """
    has_groups = any(row.gauc_mean is not None for row in sweep.rows)
    head = ["row", "embeddings", "size", "RCE %", "hashed RCE %", "validation RCE", "AUC"]
    head += ["GAUC", "NDCG@10"] if has_groups else []
    body = []
    for row in sweep.rows:
        cells = [
            row.title,
            format_bytes(row.embedding_bytes),
            format_share(row.file_share),
            _rce(row),
            UNKNOWN if row.hashed is None else _rce(row.hashed),
            format_number(row.settings.validation_rce, 2),
            format_number(row.auc_mean, 4),
        ]
        if has_groups:
            cells += [format_number(row.gauc_mean, 4), format_number(row.ndcg_mean, 4)]
        rate = row.settings.learning_rate
        cells += [UNKNOWN if rate is None else f"{rate:g}", format_count(row.train_steps_per_s)]
        body.append(cells)
    return Grid([*head, "rate", "steps/s"], body, sweep.best_head)


def sweep_table(sweep: Sweep) -> Table:
    """Return a sweep for the terminal, the best head marked, with the reasons of what diverged.

    Args:
        sweep: The run.
    """
    grid = sweep_grid(sweep)
    reasons = [f"{title}: {reason}" for title, reason in sweep.reasons]
    # Text, not str: a reason may hold brackets and must not be read as markup.
    caption = Text("\n".join(["bold: best head on the validation slice", *reasons]))
    table = Table(caption=caption, caption_justify="left")
    for index, title in enumerate(grid.head):
        table.add_column(title, justify="right" if index else "left", no_wrap=index > 0, overflow="fold")
    for cells in grid.body:
        table.add_row(*map(Text, cells), style="bold" if cells[0] == grid.strong else None)
    return table


def sweep_figure(sweep: Sweep) -> Figure:
    """Draw RCE against the head's keys, and against the exported size; bars are one standard deviation.

    Args:
        sweep: The run.

    Returns:
        Two panels of one vertical scale, one above the other, with the baseline's mean and deviation as a band. What
        diverged is a cross at the edge of its panel.
    """
    with house_style():
        figure = Figure(figsize=(WIDTH_IN, 2 * _HEIGHT_IN), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharey=True)
        palette = colours(list(_LABELS.values()))
        heads = [row for row in sweep.rows if row.stage == "head"]
        tails = [row for row in sweep.rows if row.stage == "tail"]
        _draw(upper, [row.settings.num_head for row in heads], heads, "head", palette)
        shares = [100 * row.share_of_baseline for row in tails]
        _draw(lower, shares, tails, "tail", palette)
        best = [row for row in heads if row.title == sweep.best_head]
        twins = [row.hashed for row in (*tails, *best) if row.hashed is not None]
        twins.sort(key=lambda row: row.share_of_baseline)
        twin_shares = [100 * row.share_of_baseline for row in twins]
        _draw(lower, twin_shares, twins, "hashed", palette)
        for axes in (upper, lower):
            _draw_baseline(axes, sweep.rows[-1])
            axes.set_ylabel("RCE (%), higher is better")
            if axes.get_legend_handles_labels()[0]:
                axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, borderaxespad=0)
        upper.set_xlabel("keys with rows of their own; all others: one hash, 1/2 of the baseline's rows")
        upper.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        upper.locator_params(axis="x", nbins=5)
        lower.set_xscale("log", base=2)
        ticks = ticks_apart([*shares, *twin_shares])
        lower.set_xticks(ticks, [f"{tick:.3g}" for tick in ticks])
        lower.set_xticks([], minor=True)
        lower.set_xlabel("embedding bytes with the best head, % of the baseline's (log scale)")
    return figure


def write_sweep_report(sweep: Sweep, path: str | os.PathLike[str]) -> None:
    """Write the page of a sweep, whole or not at all; same input, same page.

    Args:
        sweep: The run.
        path: The path of the page; a file that is there is replaced.
        FileAccessError: The file cannot be written there.
    """
    data = sweep.data
    seeds = f"{sweep.seeds} seed{'s' if sweep.seeds != 1 else ''}"
    caption = f"Mean and standard deviation over {seeds}, measured on the test span. {_WHAT_COUNTS}"
    svg = inline_svg(sweep_figure(sweep), "sweep", "RCE against head keys and against embedding bytes")
    facts = Grid(
        ["data", "value"],
        [
            ["source", data.source],
            ["train rows", format_count(data.train_rows + data.validation_rows)],
            ["test rows", format_count(data.test_rows)],
            ["distinct keys", format_count(data.keys)],
            ["rows of the baseline", format_count(sweep.baseline_rows)],
            ["embedding bytes of the baseline", format_bytes(sweep.baseline_bytes)],
            ["best reachable RCE", format_number(data.best_reachable_rce, 2)],
        ],
    )
    reasons = [list(found) for found in sweep.reasons]
    best = f"On the validation slice of the training span the best head is: {sweep.best_head}."
    parts = [
        html_table(sweep_grid(sweep), f"{caption} {best}"),
        html_figure(
            svg, "Marks are means over the seeds, bars one standard deviation; the band is the baseline's."
        ),
        html_table(facts, "The data."),
        html_table(Grid(["to run it again"], [[sweep.command]]), ""),
    ]
    if reasons:
        parts.insert(1, html_table(Grid(["row", "why it diverged"], reasons), ""))
    footer = f"Made by hybridhash {sweep.version} on {sweep.created}; {sweep.machine.text}."
    write_text(path, html_page("hybridhash sweep", data.source, "".join(parts), footer))


def _rce(figures: Figures) -> str:
    return DIVERGED if figures.diverged else format_spread(figures.rce_mean, figures.spread)


def _draw(
    axes: Axes, x: Sequence[float], rows: Sequence[Figures], kind: str, palette: Mapping[str, str]
) -> None:
    label = _LABELS[kind]
    placed = list(zip(x, rows, strict=True))
    _draw_diverged(axes, [place for place, row in placed if row.diverged], kind, palette)
    known = [(place, row.rce_mean, row.rce_std) for place, row in placed if row.rce_mean is not None]
    if not known:
        return
    places, means, spreads = zip(*known, strict=True)
    axes.errorbar(
        places,
        means,
        yerr=spreads,
        color=palette[label],
        marker="o",
        markersize=4,
        linewidth=1.3,
        capsize=3,
        label=label,
    )


def _draw_diverged(axes: Axes, x: Sequence[float], kind: str, palette: Mapping[str, str]) -> None:
    """Mark what has no RCE: of regular hashing at the upper edge, of all else at the lower one."""
    edge, inwards, align = (1, -6, "top") if kind == "hashed" else (0, 6, "bottom")
    colour, transform = palette[_LABELS[kind]], axes.get_xaxis_transform()
    for place in x:
        axes.plot([place], [edge], "x", color=colour, transform=transform, clip_on=False)
        axes.annotate(
            DIVERGED,
            (place, edge),
            xycoords=transform,
            xytext=(0, inwards),
            textcoords="offset points",
            rotation=90,
            ha="center",
            va=align,
            color=colour,
        )


def _draw_baseline(axes: Axes, baseline: Figures) -> None:
    if baseline.rce_mean is None or baseline.rce_std is None:
        axes.annotate(
            f"baseline {DIVERGED}",
            (0.5, 1),
            xycoords="axes fraction",
            xytext=(0, -3),
            textcoords="offset points",
            ha="center",
            va="top",
        )
        return
    mean, spread = baseline.rce_mean, baseline.rce_std
    axes.axhspan(mean - spread, mean + spread, color=MUTED, alpha=0.18, linewidth=0)
    axes.axhline(mean, color=MUTED, linewidth=1)
    axes.annotate(
        "baseline",
        (1, mean),
        xycoords=("axes fraction", "data"),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        annotation_clip=False,
    )
