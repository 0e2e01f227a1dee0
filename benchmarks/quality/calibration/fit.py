"""The constants of `hybridhash.theory.loss` from what was measured."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from hybridhash.theory import NORMAL_ERROR

Row = Mapping[str, Any]

_HALVES: Final = 2.0 ** (np.arange(0, 25) / 4)  # counts to try: 1 to 64
_NOISE: Final = 0.02  # RCE; what differs by chance between two models that are equally good


def half_learned(rows: Iterable[Row]) -> float:
    """Return the count after which half of an effect is learned, as it fits the bands best.

    The loss of a band is modelled as its reads, times ``n / (n + h)``, times a factor of the feature. Each feature
    of each set says how much better or worse each h fits; features that lose nothing say nothing.

    Args:
        rows: Of kind ``band``, seeds averaged or not.

    Returns:
        h, the median over sets of the best of each.
    """
    errors: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(_HALVES.size))
    for (of_set, _), band in by(rows, "set", "feature").items():
        count, reads, loss = (np.array([row[name] for row in band]) for name in ("count", "reads", "loss"))
        for place, half in enumerate(_HALVES):
            shape = reads * count / (count + half)
            # The factor with the least squared error, where a band's error grows with its size.
            scale = 1 / (_NOISE + 0.2 * np.abs(loss))
            factor = max(
                float((scale * shape) @ (scale * loss)) / float((scale * shape) @ (scale * shape)), 0.0
            )
            errors[of_set][place] += float(((scale * (loss - factor * shape)) ** 2).sum())
    return float(np.median([_HALVES[error.argmin()] for error in errors.values() if np.ptp(error) > 0]))


def unshared_directions(rows: Iterable[Row]) -> float:
    """Return the share of rounding noise that moves the prediction, fitted to 2 bits.

    Args:
        rows: Of kind ``rounding``.

    Returns:
        The median over sets of the mean loss by the quantiser's error.
    """
    ratios = [
        np.mean([row["share"] / NORMAL_ERROR[row["bits"]] for row in of_set if row["bits"] == 2])
        for of_set in by(rows, "set").values()
    ]
    return float(np.median(ratios))


def coding_curve(rows: Iterable[Row]) -> tuple[float, float]:
    """Return a and b of ``a * 2**(-b * code_bits)``, fitted to the shares that codes lose.

    Args:
        rows: Of kind ``coding``.

    Returns:
        a, b: a line through the logarithms of the mean shares over sets, heads and seeds.
    """
    means = {
        bits: np.mean([row["share"] for row in of_bits]) for (bits,), of_bits in by(rows, "code_bits").items()
    }
    code_bits = np.array(sorted(means))
    logs = np.log2([max(float(means[bits]), 1e-3) for bits in code_bits.tolist()])
    slope, intercept = np.polyfit(code_bits, logs, 1)
    return float(2.0**intercept), float(-slope)


def by(rows: Iterable[Row], *names: str) -> dict[tuple[Any, ...], Sequence[Row]]:
    """Return the rows by the values of these fields."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return dict(groups)
