"""Runs of equal values in sorted arrays."""

from typing import Any

import numpy as np
import numpy.typing as npt

from hybridhash.vocabulary.checks import Int64s


def run_starts(*columns: npt.NDArray[Any]) -> Int64s:
    """Return where each run of equal rows begins.

    Args:
        columns: Arrays [N] of one length, sorted together so that equal rows are neighbours.

    Returns:
        int64[num_runs], ascending; the first is 0 unless N is 0.
    """
    is_first = np.zeros(columns[0].size, dtype=np.bool_)
    is_first[:1] = True
    for column in columns:
        is_first[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(is_first)
