"""The comparison as a table for the terminal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rich.table import Table
from rich.text import Text

from hybridhash.report.formatting import (
    format_bytes,
    format_count,
    format_number,
    format_share,
    format_spread,
)
from hybridhash.results import ComparedMethod, Comparison

BEST_MARK: Final = "★"
DIVERGED: Final = "diverged"
BEST_NOTE: Final = f"{BEST_MARK} highest mean RCE of the compressed methods"
SPEED_NOTE: Final = "steps/s: unpaired, each method at its own time; what else the machine did is in it"


@dataclass(frozen=True)
class Column:
    """One column of the comparison.

    Attributes:
        title: Its heading.
        cell: A method to what stands in its row.
    """

    title: str
    cell: Callable[[ComparedMethod], str]


COLUMNS: Final = (
    Column("method", lambda method: method.name),
    Column(
        "RCE %",
        lambda method: DIVERGED if method.diverged else format_spread(method.rce_mean, method.spread),
    ),
    Column("embeddings", lambda method: format_bytes(method.embedding_bytes)),
    Column("of baseline", lambda method: format_share(method.share_of_baseline)),
    Column("AUC", lambda method: format_number(method.auc_mean, 4)),
    Column("log loss", lambda method: format_number(method.log_loss_mean, 4)),
    Column("trained rows", lambda method: format_count(method.rows)),
)

GROUP_COLUMNS: Final = (
    Column("GAUC", lambda method: format_number(method.gauc_mean, 4)),
    Column("NDCG@10", lambda method: format_number(method.ndcg_mean, 4)),
)


SPEED_COLUMNS: Final = (Column("steps/s", lambda method: format_number(method.train_steps_per_s, 0)),)


def columns_of(comparison: Comparison) -> tuple[Column, ...]:
    """Return the columns of bytes and quality: those of quality within groups only where it was measured."""
    has_groups = any(method.gauc_mean is not None for method in comparison.methods)
    return (*COLUMNS, *GROUP_COLUMNS) if has_groups else COLUMNS


def marked_best(comparison: Comparison) -> str | None:
    """Return the name of the compressed method to mark, or None where there are not two to choose from."""
    ranked = comparison.best_compressed()
    return ranked[0].name if len(ranked) > 1 else None


def comparison_table(comparison: Comparison) -> Table:
    """Return the comparison for a terminal of 100 columns.

    Args:
        comparison: The run.

    Returns:
        A rich table: one row per method, the best compressed one marked.
    """
    columns = (*columns_of(comparison), *SPEED_COLUMNS)
    best = marked_best(comparison)
    diverged = [f"{method.name}: {reason}" for method in comparison.methods for reason in method.diverged]
    caption = "\n".join([*([BEST_NOTE] if best else []), SPEED_NOTE, *diverged])
    table = Table(caption=Text(caption), caption_justify="left")
    for index, column in enumerate(columns):
        table.add_column(
            _on_lines(column.title), justify="right" if index else "left", no_wrap=index > 0, overflow="fold"
        )
    for method in comparison.methods:
        is_best = method.name == best
        # Text, not str: a name is data and must not be read as markup.
        cells = [Text(column.cell(method)) for column in columns]
        if is_best:
            cells[0].append(f" {BEST_MARK}")
        table.add_row(*cells, style="bold" if is_best else None)
    return table


def _on_lines(title: str) -> str:
    """Put the words of a long heading below each other."""
    return "\n".join(title.split()) if len(title) > 8 else title
