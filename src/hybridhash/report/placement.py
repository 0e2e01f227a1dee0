"""Where marks and their names go on a figure so that they stay apart; all lengths in points."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_SIDE_BY_SIDE: Final = 10.0
_CLEARANCE: Final = 5.0
_LABEL_GAP: Final = 8.0


@dataclass(frozen=True)
class Mark:
    """A mark with a vertical bar through it.

    Attributes:
        x: Across.
        y: Upwards.
        low: The lower end of the bar.
        high: The upper end of the bar.
    """

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Place:
    """Where a mark and its name are drawn, from where the mark belongs.

    Attributes:
        shift: How far to the right the mark moves.
        label_x: How far to the right the near end of the name is.
        label_y: How far up the middle of the name is.
        to_left: Whether the name stands left of its mark.
    """

    shift: float
    label_x: float
    label_y: float
    to_left: bool


def place_marks(marks: Sequence[Mark], label_width: float, line_height: float) -> list[Place]:
    """Put marks whose bars would cover each other side by side, and every name beside its mark.

    A name stands to the right, or to the left where the next mark is nearer than ``label_width``.

    Args:
        marks: [N].
        label_width: Room for a name.
        line_height: The least distance of two names above each other.

    Returns:
        [N] places.
    """
    shifts, edges = [0.0] * len(marks), [(0.0, 0.0)] * len(marks)
    for group in _overlapping(marks):
        reach = _SIDE_BY_SIDE * (len(group) - 1) / 2
        for step, index in enumerate(sorted(group, key=lambda i: (marks[i].x, -marks[i].y))):
            shifts[index] = step * _SIDE_BY_SIDE - reach
            edges[index] = (-reach - _LABEL_GAP, reach + _LABEL_GAP)
    to_left = [
        any(_SIDE_BY_SIDE < other.x - mark.x < label_width + edge[1] for other in marks)
        for mark, edge in zip(marks, edges, strict=True)
    ]
    heights = [0.0] * len(marks)
    for side in (False, True):
        for cluster in _columns(marks, [i for i in range(len(marks)) if to_left[i] is side], label_width):
            at = [marks[index].y for index in cluster]
            for index, height in zip(cluster, spread_out(at, line_height), strict=True):
                heights[index] = height - marks[index].y
    return [
        Place(shift, edge[0] if left else edge[1], height, left)
        for shift, edge, height, left in zip(shifts, edges, heights, to_left, strict=True)
    ]


def spread_out(positions: Sequence[float], gap: float) -> list[float]:
    """Move positions as little as possible so that neighbours are at least ``gap`` apart.

    Least squares under the order of the positions: after subtracting i * gap from the i-th in order it
    is isotonic regression, done by pooling adjacent violators.

    Args:
        positions: [N], in any order.
        gap: In the same unit, 0 or more.

    Returns:
        [N] new positions, in the order of the input.
    """
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    pools: list[tuple[float, int]] = []
    for step, index in enumerate(order):
        mean, size = positions[index] - step * gap, 1
        while pools and pools[-1][0] > mean:
            last_mean, last_size = pools.pop()
            mean = (last_mean * last_size + mean * size) / (last_size + size)
            size += last_size
        pools.append((mean, size))
    shifted = [mean for mean, size in pools for _ in range(size)]
    moved = list(positions)
    for step, index in enumerate(order):
        moved[index] = shifted[step] + step * gap
    return moved


def _overlapping(marks: Sequence[Mark]) -> list[list[int]]:
    """Group marks at nearly the same x whose bars touch, directly or through others."""
    groups: list[list[int]] = []
    for index, mark in enumerate(marks):
        touching = [group for group in groups if any(_touch(mark, marks[other]) for other in group)]
        groups = [group for group in groups if group not in touching]
        groups.append([*(other for group in touching for other in group), index])
    return groups


def _touch(one: Mark, other: Mark) -> bool:
    near = abs(one.x - other.x) < _SIDE_BY_SIDE
    return (
        near
        and one.low - _CLEARANCE < other.high + _CLEARANCE
        and other.low - _CLEARANCE < one.high + _CLEARANCE
    )


def _columns(marks: Sequence[Mark], indices: list[int], width: float) -> list[list[int]]:
    """Group marks whose names could stand above each other."""
    columns: list[list[int]] = []
    for index in sorted(indices, key=lambda i: marks[i].x):
        if columns and marks[index].x - marks[columns[-1][-1]].x < width:
            columns[-1].append(index)
        else:
            columns.append([index])
    return columns
