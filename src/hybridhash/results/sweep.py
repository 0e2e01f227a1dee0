"""``sweep.json``: the procedure of the paper's table 3."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from hybridhash.results.figures import Figures
from hybridhash.results.record import Record


@dataclass(frozen=True, kw_only=True)
class SweepRow(Figures):
    """One row of the procedure.

    Attributes:
        stage: Which part of it.
        title: What people read.
        tail: Rows of the tail as a share of the baseline's, as typed.
        hashed: Regular hashing at the bytes of the row; None where it was not trained.
        file_share: The exported file as a share of the baseline's; None where either diverged.
    """

    stage: Literal["head", "tail", "baseline"]
    title: str
    tail: str
    hashed: Figures | None
    file_share: float | None


@dataclass(frozen=True, kw_only=True)
class Sweep(Record):
    """What ``hybridhash sweep`` leaves.

    Attributes:
        baseline_bytes: Embedding bytes of the baseline.
        baseline_rows: Its rows.
        seeds: How often each row was trained.
        best_head: Title of the head that the validation slice chose.
        rows: The rows of the table in the order of the procedure; the last one is the baseline.
    """

    FORMAT: ClassVar[str] = "hybridhash-sweep/1"

    baseline_bytes: int
    baseline_rows: int
    seeds: int
    best_head: str
    rows: tuple[SweepRow, ...]

    @property
    def reasons(self) -> tuple[tuple[str, str], ...]:
        """Title and reason of each row, or of hashing beside it, that diverged."""
        named = [
            (title, figures)
            for row in self.rows
            for title, figures in ((row.title, row), (f"{row.title}, hashed", row.hashed))
        ]
        return tuple(
            (title, reason) for title, figures in named if figures is not None for reason in figures.diverged
        )
