"""Choose learning rate and passes: a grid with one seed, then a run-off of the two best rates with more seeds."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Final

from hybridhash.errors import DivergedError

GRID_SEED: Final = 0
RUNOFF_SEEDS: Final = (1, 2)
"""Seeds of the run-off, beside that of the grid: one seed moves the validation RCE by as much as the next rate does."""

Curve = tuple[float, ...]
"""RCE on the validation slice after each pass; one or more."""

Train = Callable[[float, int], Curve]
"""Trains with a learning rate and a seed; raises `hybridhash.errors.DivergedError` where that diverges."""

_FINALISTS: Final = 2


@dataclass(frozen=True)
class Tuned:
    """What the validation slice chose.

    Attributes:
        learning_rate: The best of those asked for.
        epochs: Passes after which its validation RCE was best.
        validation_rce: The RCE of that choice; after a run-off its mean over the seeds; NaN when there was nothing to
            choose.
    """

    learning_rate: float
    epochs: int
    validation_rce: float

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, for JSON, which has null and no NaN."""
        return asdict(self) | {
            "validation_rce": None if math.isnan(self.validation_rce) else self.validation_rce
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Tuned":
        """Build what `as_dict` described."""
        rce = fields["validation_rce"]
        return cls(fields["learning_rate"], fields["epochs"], math.nan if rce is None else rce)


@dataclass(frozen=True)
class Tuning:
    """All curves that were trained for a choice.

    Attributes:
        tuned: The choice.
        curves: The curves by learning rate, those that never diverged: one curve of the grid, and for the rates of
            the run-off one more for each of its seeds.
    """

    tuned: Tuned
    curves: Mapping[float, tuple[Curve, ...]]


def search_grid(rates: Sequence[float], train: Train) -> Tuning:
    """Train each learning rate with seed 0 and take the best.

    Args:
        rates: The grid.
        train: Makes one training run.

    Returns:
        The choice; of equal ones the rate that is named first, after the fewest passes.

    Raises:
        DivergedError: Training diverged at every learning rate.
    """
    curves: dict[float, tuple[Curve, ...]] = {}
    for rate in dict.fromkeys(rates):
        try:
            curves[rate] = (train(rate, GRID_SEED),)
        except DivergedError:
            continue
    return Tuning(_best(rates, curves), curves)


def search_with_runoff(rates: Sequence[float], train: Train) -> Tuning:
    """Search the grid, then train the two best rates with `RUNOFF_SEEDS` too and take the best mean of the seeds.

    A rate that diverges with any seed is out. Where both rates of the run-off are, the best of the others is taken as
    the grid has it. Where the grid leaves no second rate there is no run-off.

    Args:
        rates: The grid.
        train: Makes one training run.

    Returns:
        The choice, as `choose` makes it.

    Raises:
        DivergedError: Training diverged at every learning rate.
    """
    grid = search_grid(rates, train).curves
    best = finalists(grid)
    if len(best) < _FINALISTS:
        return Tuning(_best(rates, grid), grid)
    curves = dict(grid)
    for rate in best:
        try:
            curves[rate] += tuple(train(rate, seed) for seed in RUNOFF_SEEDS)
        except DivergedError:
            del curves[rate]
    decided = {rate: curves[rate] for rate in best if rate in curves}
    return Tuning(_best(rates, decided or curves), curves)


def finalists(grid: Mapping[float, tuple[Curve, ...]]) -> tuple[float, ...]:
    """Return the two rates whose best RCE is highest, the best first; of equal ones the first of the grid.

    Args:
        grid: The curve of each rate that did not diverge.

    Returns:
        Fewer where there are fewer.
    """
    return tuple(sorted(grid, key=lambda rate: -max(grid[rate][0]))[:_FINALISTS])


def choose(curves: Mapping[float, tuple[Curve, ...]]) -> Tuned:
    """Return the learning rate and number of passes with the best mean RCE.

    Args:
        curves: One curve for each seed, by learning rate. Passes that some seed of a rate has not made are not
            compared.

    Returns:
        The choice; of equal ones the first rate, after the fewest passes.
    """
    means = [
        Tuned(rate, passes, fmean(rces))
        for rate, of_seeds in curves.items()
        # Not strict: a seed that ran out of patience has a shorter curve.
        for passes, rces in enumerate(zip(*of_seeds, strict=False), start=1)
    ]
    return max(means, key=lambda tuned: tuned.validation_rce)


def _best(rates: Sequence[float], curves: Mapping[float, tuple[Curve, ...]]) -> Tuned:
    if not curves:
        raise DivergedError(
            f"training diverged at every learning rate of {list(rates)}; expected smaller ones"
        )
    return choose(curves)
