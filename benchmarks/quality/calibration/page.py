"""The record of a calibration, for people."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from benchmarks.quality.calibration.fit import by, coding_curve, half_learned, unshared_directions
from hybridhash.theory import (
    CODING,
    CODING_SLOPE,
    HALF_LEARNED,
    NORMAL_ERROR,
    UNSHARED_DIRECTIONS,
    coding_loss,
)

Row = Mapping[str, Any]

_INTRODUCTION: Final = """# What the planner's constants were measured from

Made by `make bench-quality OF=calibration`. A model with one row per key is trained for one pass on the training span
without its validation slice; then rows are left out, rounded or shared, and the slice is predicted again.
RCE is in per cent, means over seeds; "share" is the loss as a share of what leaving the same keys out loses. Rows of
the tests play no part.
"""


def page(rows: Sequence[Row]) -> str:
    """Return Markdown of all that was measured, and of what follows from it.

    Args:
        rows: As `benchmarks.quality.calibration.measure` yields them, with ``set``, ``title`` and ``seed``.
    """
    return "\n".join(
        [_INTRODUCTION, *_constants(rows), *_bands(rows), *_unseen(rows), *_shares(rows), *_directions(rows)]
    )


def _constants(rows: Sequence[Row]) -> list[str]:
    start, slope = coding_curve(_of("coding", rows))
    half, noise = half_learned(_of("band", rows)), unshared_directions(_of("rounding", rows))
    return [
        "## The constants\n",
        "| constant | measured | in `hybridhash.theory.loss` |",
        "| --- | ---: | ---: |",
        f"| count after which half of an effect is learned | {half:.2g} | {HALF_LEARNED:g} |",
        f"| share of rounding noise that moves the prediction | {noise:.2g} | {UNSHARED_DIRECTIONS:g} |",
        f"| loss by codes of c bits | {start:.2g} x 2^(-{slope:.2g} c) | {CODING:g} x 2^(-{CODING_SLOPE:g} c) |\n",
    ]


def _bands(rows: Sequence[Row]) -> list[str]:
    lines = [
        "## Keys of one count left out\n",
        "Occurrences per key in as many rows as were trained on: by the estimate (Good and Turing), and as they came. "
        "The loss is that of leaving the keys out, and per thousandth of a read per row.\n",
        "| set | feature | count | keys | expected | came | loss of RCE | per 0.001 reads a row |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for (title, feature, count), band in by(_of("band", rows), "title", "feature", "count").items():
        mean = {name: _mean(band, name) for name in ("keys", "expected", "came", "reads", "loss")}
        lines.append(
            f"| {title} | {feature} | {count:.3g} | {mean['keys']:,.0f} | {mean['expected']:.2f} | "
            f"{mean['came']:.2f} | {mean['loss']:+.3f} | {mean['loss'] / mean['reads'] / 1000:+.4f} |"
        )
    return [*lines, ""]


def _unseen(rows: Sequence[Row]) -> list[str]:
    lines = [
        "## Reads of new keys\n",
        "As a share of all reads: expected (keys that came once), and in the slice.\n",
        "| set | expected | came |",
        "| --- | ---: | ---: |",
    ]
    for (title,), of_set in by(_of("unseen", rows), "title").items():
        lines.append(f"| {title} | {_mean(of_set, 'expected'):.3f} | {_mean(of_set, 'came'):.3f} |")
    return [*lines, ""]


def _shares(rows: Sequence[Row]) -> list[str]:
    lines = [
        "## Rows rounded, and rows shared\n",
        "Keys behind the first 5 or 20 % share rows by a code; last, what the nearest rows would lose.\n",
        "| set | what | share | the formula | nearest rows |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for (title, bits), found in by(_of("rounding", rows), "title", "bits").items():
        formula = UNSHARED_DIRECTIONS * NORMAL_ERROR[bits]
        lines.append(
            f"| {title} | all rows at {bits} bits | {_mean(found, 'share'):+.4f} | {formula:.4f} | |"
        )
    for (title, head, bits), found in by(_of("coding", rows), "title", "head", "code_bits").items():
        what = f"codes of {bits} bits behind {head:.0%}"
        lines.append(
            f"| {title} | {what} | {_mean(found, 'share'):+.4f} | {coding_loss(bits):.4f} | "
            f"{_mean(found, 'near'):+.4f} |"
        )
    return [*lines, ""]


def _directions(rows: Sequence[Row]) -> list[str]:
    lines = [
        "## What the model hears of a row\n",
        "The part of the second moment of the logit's gradient, by row and wide weight, that lies in one direction.\n",
        "| set | feature | in one direction |",
        "| --- | --- | ---: |",
    ]
    for (title, feature), found in by(_of("direction", rows), "title", "feature").items():
        lines.append(f"| {title} | {feature} | {_mean(found, 'share'):.3f} |")
    return [*lines, ""]


def _of(kind: str, rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["kind"] == kind]


def _mean(rows: Sequence[Row], name: str) -> float:
    return float(np.mean([row[name] for row in rows]))
