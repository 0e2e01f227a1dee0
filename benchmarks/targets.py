"""What the figures are held against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks import bags, encode, wide_deep
from benchmarks.harness import Row, speed_ratio

Rows = Mapping[tuple[str, str], Row]


@dataclass(frozen=True)
class Outcome:
    """A target and what came out.

    Attributes:
        text: What was asked.
        wanted: The least figure that meets it.
        got: The figure.
        spread: Least and greatest over the rounds.
        unit: Of the figures.
    """

    text: str
    wanted: float
    got: float
    spread: tuple[float, float]
    unit: str

    @property
    def met(self) -> bool:
        """Whether the figure reaches what was asked."""
        return self.got >= self.wanted

    @property
    def noisy(self) -> bool:
        """Whether the rounds differ by more than a factor of 2: something else ran on the machine."""
        least, greatest = self.spread
        return greatest > 2 * least


@dataclass(frozen=True)
class Faster:
    """A case is at least so many times as fast as another of the same round.

    Attributes:
        group: The comparison.
        case: The one.
        than: The other.
        factor: How many times.
    """

    group: str
    case: str
    than: str
    factor: float

    def outcome(self, rows: Rows) -> Outcome | None:
        """Return what came out, None where it was not measured."""
        row, than = rows.get((self.group, self.case)), rows.get((self.group, self.than))
        if row is None or than is None:
            return None
        got, least, greatest = speed_ratio(row, than)
        text = f"{self.group}: {self.case} against {self.than}"
        return Outcome(text, self.factor, got, (least, greatest), "x")


@dataclass(frozen=True)
class Rate:
    """A case handles at least so many items a second.

    Attributes:
        group: The comparison.
        case: The case.
        millions_per_s: Items, in units of 10^6 a second.
    """

    group: str
    case: str
    millions_per_s: float

    def outcome(self, rows: Rows) -> Outcome | None:
        """Return what came out, None where it was not measured."""
        row = rows.get((self.group, self.case))
        if row is None:
            return None
        rates = [row.num_items / taken / 1e3 for taken in row.times_ms]
        text = f"{self.group}: {self.case}"
        return Outcome(text, self.millions_per_s, row.items_per_s / 1e6, (min(rates), max(rates)), "M/s")


def _training(group: str) -> list[Faster]:
    return [
        Faster(group, bags.HYBRID, bags.FBGEMM, 2.3),
        Faster(group, bags.HYBRID, bags.TORCH, 3.5),
        Faster(group, bags.HYBRID, bags.COMPOSED, 10.0),
        Faster(group, bags.FULL_ROWS, bags.FBGEMM, 1.0),
        Faster(group, bags.HASHED, bags.FBGEMM, 1.0),
        Faster(group, bags.FULL, bags.FBGEMM, 1.0),
        Faster(group, bags.DOUBLE, bags.FBGEMM, 1.0),
    ]


_BY_T: Final = "Training step, SGD, by T"

TARGETS: Final[Sequence[Faster | Rate]] = (
    *_training("Training step, SGD"),
    *_training("Training step, Adagrad"),
    Faster("Forward only", bags.HYBRID, bags.TORCH, 1.0),
    Rate("Keys to rows, K = 120,000", encode.OURS, 250.0),
    Rate("Values to keys", encode.STRINGS, 60.0),
    Rate("Building a dictionary", "K = 120,000", 20.0),
    Rate("Building a dictionary", "K = 4,000,000", 20.0),
    # Four million ids against a hundred million: no slower, give or take a tenth.
    Faster(_BY_T, f"{bags.HYBRID}, T = 100,000,000", f"{bags.HYBRID}, T = 4,000,000", 0.9),
)


def outcomes(rows: Sequence[Row]) -> list[Outcome]:
    """Hold the rows of one run against the targets.

    Args:
        rows: All rows of the run.

    Returns:
        An outcome per target whose cases were measured; for end-to-end speed, hybrid against each other
        model of its comparison.
    """
    by_name = {(row.group, row.case): row for row in rows}
    end_to_end = [
        Faster(row.group, wide_deep.HYBRID, row.case, 1.0)
        for row in rows
        if row.group.startswith("Wide & deep") and row.case != wide_deep.HYBRID
    ]
    found = [target.outcome(by_name) for target in (*TARGETS, *end_to_end)]
    return [outcome for outcome in found if outcome is not None]
