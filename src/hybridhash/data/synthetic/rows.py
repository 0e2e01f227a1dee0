"""The features of any rows of a synthetic stream, as numpy arrays."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hybridhash.data.synthetic.ids import Ints, generations, scatter, zipf_ranks
from hybridhash.data.synthetic.random import Floats, stream_salt, uniforms
from hybridhash.data.synthetic.settings import (
    StreamCategorical,
    StreamIds,
    StreamList,
    StreamNumeric,
    StreamSettings,
)
from hybridhash.hashing.mix import UInt64s

Bools = npt.NDArray[np.bool_]

NULL_ID: Final = (1 << 64) - 1  # no id has 64 bits


@dataclass(frozen=True)
class DrawnNumbers:
    """A numeric column.

    Attributes:
        values: float64[B], without the missing ones marked.
        quantiles: float64[B], the share of the distribution below each value.
        is_null: bool[B].
        is_nan: bool[B].
    """

    values: Floats
    quantiles: Floats
    is_null: Bools
    is_nan: Bools


@dataclass(frozen=True)
class DrawnLists:
    """A list column.

    Attributes:
        ids: uint64[L], all lists one behind the other.
        lengths: int64[B].
    """

    ids: UInt64s
    lengths: Ints


@dataclass(frozen=True)
class DrawnRows:
    """The features of B rows, by column name.

    Attributes:
        times_s: int64[B], seconds since 1970.
        ids: uint64[B] each, `NULL_ID` for a missing one.
        numbers: The numeric columns.
        lists: The list columns.
    """

    times_s: Ints
    ids: dict[str, UInt64s]
    numbers: dict[str, DrawnNumbers]
    lists: dict[str, DrawnLists]


def draw_rows(settings: StreamSettings, rows: Ints) -> DrawnRows:
    """Draw the features of the given rows; a row depends on the settings and its number alone.

    Args:
        settings: What the stream is made of.
        rows: int64[B], row numbers in [0, num_rows).

    Returns:
        The features of those rows.
    """
    elapsed_s = rows.astype(np.float64) * np.float64(settings.duration_s / settings.num_rows)
    seed = settings.seed
    return DrawnRows(
        times_s=settings.start_s + elapsed_s.astype(np.int64),
        ids={feature.name: _draw_ids(feature, rows, elapsed_s, seed) for feature in settings.categorical},
        numbers={feature.name: _draw_numbers(feature, rows, seed) for feature in settings.numeric},
        lists={feature.name: _draw_lists(feature, rows, elapsed_s, seed) for feature in settings.lists},
    )


def _occupants(feature: StreamIds, counters: Ints, elapsed_s: Floats, seed: int) -> UInt64s:
    """Draw one id per counter: a popularity rank, and who holds it at that time."""
    chances = uniforms(counters, stream_salt(seed, "rank", feature.name))
    codes = zipf_ranks(chances, feature.num_ids, feature.exponent)
    if np.isfinite(feature.lifetime_s):
        codes += feature.num_ids * generations(codes, elapsed_s, feature.lifetime_s)
    return scatter(codes.view(np.uint64), feature.id_bits, stream_salt(seed, "id", feature.name))


def _draw_ids(feature: StreamCategorical, rows: Ints, elapsed_s: Floats, seed: int) -> UInt64s:
    ids = _occupants(feature, rows, elapsed_s, seed)
    if feature.null_share:
        ids[uniforms(rows, stream_salt(seed, "null", feature.name)) < feature.null_share] = NULL_ID
    return ids


def _draw_lists(feature: StreamList, rows: Ints, elapsed_s: Floats, seed: int) -> DrawnLists:
    chances = uniforms(rows, stream_salt(seed, "length", feature.name))
    lengths = (chances * (feature.max_length + 1)).astype(np.int64)
    ends = np.cumsum(lengths)
    places = np.arange(ends[-1] if ends.size else 0) - np.repeat(ends - lengths, lengths)
    counters = np.repeat(rows * feature.max_length, lengths) + places
    return DrawnLists(_occupants(feature, counters, np.repeat(elapsed_s, lengths), seed), lengths)


def _draw_numbers(feature: StreamNumeric, rows: Ints, seed: int) -> DrawnNumbers:
    quantiles = uniforms(rows, stream_salt(seed, "number", feature.name))
    values = feature.median * np.exp(feature.shape * np.log(quantiles / (1 - quantiles)))
    missing = uniforms(rows, stream_salt(seed, "missing", feature.name))
    is_null = missing < feature.null_share
    is_nan = (missing < feature.null_share + feature.nan_share) & ~is_null
    return DrawnNumbers(values, quantiles, is_null, is_nan)
