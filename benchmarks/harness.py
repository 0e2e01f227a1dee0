"""How a figure comes about: compared cases take turns, and what is reported is a median with its spread."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

MIN_REPEATS: Final = 7


@dataclass(frozen=True)
class Plan:
    """How often each case of a group runs.

    Attributes:
        num_repeats: Timed turns of each case.
        num_steps: Steps in a turn, each on another batch; one more, untimed, opens every turn.
        num_warm_up: Steps of each case before the first turn.
    """

    num_repeats: int
    num_steps: int
    num_warm_up: int


@dataclass(frozen=True)
class Case:
    """One thing to time.

    Attributes:
        name: What the table calls it.
        step: Does step i; the cases of a group see the same batches in the same order.
        num_items: Keys or samples that one step handles.
        num_bytes: What one step cannot avoid to move, None where it is not counted.
        every: Do one of so many steps, for a case that is slower by orders of magnitude.
    """

    name: str
    step: Callable[[int], object]
    num_items: int
    num_bytes: int | None = None
    every: int = 1


@dataclass(frozen=True)
class Row:
    """What one case took.

    Attributes:
        group: The comparison that the case is part of.
        case: Its name.
        times_ms: Milliseconds per step in each turn; turn r of all cases of a group is one round.
        num_items: Keys or samples per step.
        num_bytes: Bytes per step, None where they are not counted.
        setting: Sizes of the group.
    """

    group: str
    case: str
    times_ms: tuple[float, ...]
    num_items: int
    num_bytes: int | None = None
    setting: dict[str, Any] = field(default_factory=dict)

    @property
    def median_ms(self) -> float:
        """The middle turn."""
        return statistics.median(self.times_ms)

    @property
    def items_per_s(self) -> float:
        """Items per second at the median."""
        return self.num_items / self.median_ms * 1e3

    @property
    def gigabytes_per_s(self) -> float | None:
        """Counted bytes per second at the median, in units of 10^9."""
        return None if self.num_bytes is None else self.num_bytes / self.median_ms / 1e6

    def as_dict(self) -> dict[str, Any]:
        """Return the fields and the figures made from them, for JSON."""
        return {**asdict(self), "median_ms": self.median_ms, "items_per_s": self.items_per_s}


def measure(group: str, cases: Sequence[Case], plan: Plan, setting: dict[str, Any]) -> list[Row]:
    """Time the cases of a group in turns, so that drift of the machine meets all alike.

    Args:
        group: What is compared.
        cases: The compared things.
        plan: How often they run.
        setting: Sizes, kept with the rows.

    Returns:
        A row per case.
    """
    counts = [max(plan.num_steps // case.every, 1) for case in cases]
    for case in cases:
        for index in range(max(plan.num_warm_up // case.every, 1)):
            case.step(index)
    times: list[list[float]] = [[] for _ in cases]
    gc.collect()
    gc.disable()
    try:
        for _ in range(plan.num_repeats):
            for case, count, taken in zip(cases, counts, times, strict=True):
                case.step(count)
                start = time.perf_counter()
                for index in range(count):
                    case.step(index)
                taken.append((time.perf_counter() - start) * 1e3 / count)
    finally:
        gc.enable()
    return [
        Row(group, case.name, tuple(taken), case.num_items, case.num_bytes, setting)
        for case, taken in zip(cases, times, strict=True)
    ]


def speed_ratio(row: Row, than: Row) -> tuple[float, float, float]:
    """Return how many times faster a case is than another of its group.

    Args:
        row: The case.
        than: What it is compared with.

    Returns:
        The median of the rounds' ratios, the least and the greatest.
    """
    ratios = [other / own for own, other in zip(row.times_ms, than.times_ms, strict=True)]
    return statistics.median(ratios), min(ratios), max(ratios)
