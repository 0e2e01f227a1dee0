"""The frequency curve: how steeply counts fall with rank."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybridhash.vocabulary.checks import Int64s


@dataclass(frozen=True, eq=False)
class FrequencyCurve:
    """Points of the curve, ready for two logarithmic axes.

    Attributes:
        ranks: int64[P], ascending; the most frequent key has rank 1.
        counts: int64[P], the occurrences of the key of that rank.
        coverage: float64[P], the share of all occurrences that the keys up to that rank make up.
    """

    ranks: Int64s
    counts: Int64s
    coverage: npt.NDArray[np.float64]


def curve_of(counts: Int64s, num_points: int) -> FrequencyCurve:
    """Take points at ranks that are evenly spaced on a logarithmic axis, the first and the last included.

    Args:
        counts: int64[N], descending.
        num_points: The most points; equal ranks are given once.

    Returns:
        The curve; without points where N is 0.
    """
    if not counts.size:
        return FrequencyCurve(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))
    ranks = np.unique(np.rint(np.geomspace(1, counts.size, num_points)).astype(np.int64))
    running = np.cumsum(counts)
    return FrequencyCurve(ranks, counts[ranks - 1], running[ranks - 1] / running[-1])
