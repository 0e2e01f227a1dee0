"""How often keys will come back, from how often they came: Good and Turing's estimate."""

from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidTypeError, InvalidValueError

Floats = npt.NDArray[np.float64]

_FEWEST: Final = 100
"""Keys of one count from which a ratio of their numbers is read: it is then known to about a seventh."""


def expected_recurrence(counts: npt.ArrayLike) -> Floats:
    """Return how often each key is expected in as much coming traffic as was counted.

    A key that came ``n`` times is expected ``(n + 1) N[n + 1] / N[n]`` times, where ``N[n]`` keys came ``n`` times:
    keys with many others of the same count and few of the next one were lucky. Values of a column that come again and
    again keep about their counts, while pairs of values that came once hardly ever return.

    Where fewer than a hundred keys have a count, it is shifted as the nearest count that more keys have. An
    estimate never falls while counts rise, and it is at least ``(n - 1) / 2``: a column where every value came exactly
    twenty times, by somebody's choice and not by chance, has no key of twenty-one.

    Args:
        counts: int[N], occurrences of the keys of one feature, each 1 or more, in any order.

    Returns:
        float64[N], above 0.

    Raises:
        InvalidTypeError: Counts that are not integers.
        InvalidValueError: A count below 1, or counts that are not 1-D.

    Source: Good, "The population frequencies of species and the estimation of population parameters", Biometrika,
    1953; smoothed where it is noisy, in the spirit of Gale and Sampson, "Good-Turing frequency estimation without
    tears", 1995.

    Example:
        >>> expected_recurrence([1] * 800 + [2] * 200 + [3] * 100)[[0, 800]].tolist()
        [0.5, 1.5]
    """
    array = np.asarray(counts)
    if array.ndim != 1:
        raise InvalidValueError(f"counts: expected 1-D, got {array.ndim}-D")
    if not array.size:
        return np.empty(0)
    if array.dtype.kind not in "iu":
        raise InvalidTypeError(f"counts: expected integers, got {array.dtype}")
    if array.min() < 1:
        raise InvalidValueError(f"counts: expected 1 or more for every key, got {array.min()}")
    values, place, keys = np.unique(array, return_inverse=True, return_counts=True)
    values = values.astype(np.float64)
    found: Floats = _of_values(values, keys)[place]
    return found


def _of_values(values: Floats, keys: npt.NDArray[np.int64]) -> Floats:
    """Return the estimate for each count, rising, that so many keys have."""
    is_next = np.append(values[1:] == values[:-1] + 1, False)
    following = np.where(is_next, np.append(keys[1:], 0), 0)
    least = (values - 1) / 2
    estimate = values.copy()
    known = np.flatnonzero(keys >= _FEWEST)
    if known.size:
        shift = np.maximum((values + 1) * following / keys, least)[known] - values[known]
        middles = (values[known][1:] + values[known][:-1]) / 2
        estimate = np.maximum(values + shift[np.searchsorted(middles, values)], least)
    # A key that was seen can come again, if not often.
    rising: Floats = np.maximum.accumulate(np.maximum(estimate, 1.0 / (keys[0] + 1)))
    return rising
