"""Counts of several shapes, and what the planner makes of them."""

import numpy as np

from hybridhash.planner import Forecast
from hybridhash.vocabulary import Counts


def zipf(num_keys: int, exponent: float, most: int = 100_000) -> np.ndarray:
    return np.maximum(most / np.arange(1, num_keys + 1) ** exponent, 1).astype(np.int64)


SHAPES = {
    "flat": np.full(20_000, 7),
    "extreme tail": zipf(30_000, 1.6),
    "zipf": zipf(30_000, 1.0),
    "all once": np.ones(10_000, dtype=np.int64),
    "few": zipf(40, 1.0),
}


def forecast_of(counts: np.ndarray, wide: bool = True) -> Forecast:
    """Return what one feature's keys will do."""
    feature = np.zeros(counts.size, dtype=np.int64)
    counted = Counts(np.arange(counts.size), counts, feature, ("user",), num_rows=int(counts.sum()))
    return Forecast.of(counted.outlook, 16, wide)


def row_bytes(counts: np.ndarray, wide: bool) -> int:
    return counts.size * 4 * (16 + wide)
