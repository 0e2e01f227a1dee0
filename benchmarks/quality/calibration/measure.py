"""What is lost by leaving keys out, by rounding rows and by sharing them, on a validation slice."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from benchmarks.quality.calibration.full_table import FullTable, Tables
from hybridhash.packing import Sensitivity, cluster_rows, pack_rows, unpack_rows
from hybridhash.tables import WIDE_FACTOR
from hybridhash.vocabulary import recurrence

BANDS: Final = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, 64))
BITS: Final = (2, 3)  # the loss by more is lost in noise
CODE_BITS: Final = (1, 2, 3, 4, 5)
HEADS: Final = (0.05, 0.2)  # shares of the keys that keep their rows while the others share
_FEWEST_KEYS: Final = 200  # of a feature and a band
_FEWEST_READS: Final = 100

Measured = dict[str, Any]


def bands(full: FullTable) -> Iterator[Measured]:
    """Yield what leaving out the keys of one count and feature loses, and how often they come and were to come.

    Yields:
        ``feature``, ``count`` (mean), ``keys``, ``expected`` and ``came`` (occurrences per key in as many rows as were
        trained on, by the estimate and by the slice), ``reads`` (in the slice, per row of it) and ``loss`` (RCE).
    """
    counts, slice_counts = full.counts, full.validation_counts()
    expected = recurrence(counts)
    for feature, name in enumerate(counts.feature_names):
        mine = counts.feature == feature
        theirs = slice_counts.feature == feature
        came = dict(
            zip(slice_counts.keys[theirs].tolist(), slice_counts.counts[theirs].tolist(), strict=True)
        )
        for low, high in BANDS:
            chosen = mine & (counts.counts >= low) & (counts.counts <= high)
            keys = counts.keys[chosen]
            reads = sum(came.get(key, 0) for key in keys.tolist())
            if keys.size < _FEWEST_KEYS or reads < _FEWEST_READS:
                continue
            yield {
                "kind": "band",
                "feature": name,
                "count": float(counts.counts[chosen].mean()),
                "keys": int(keys.size),
                "expected": float(expected[chosen].mean()),
                "came": reads * full.growth / keys.size,
                "reads": reads * full.growth / counts.num_rows,
                "loss": full.without(np.isin(full.keys, keys)),
            }


def unseen(full: FullTable) -> Measured:
    """Return the share of the slice's occurrences that are of new keys, and the share that came once."""
    counts, slice_counts = full.counts, full.validation_counts()
    new = ~np.isin(slice_counts.keys, full.keys)
    return {
        "kind": "unseen",
        "expected": float((counts.counts == 1).sum() / counts.counts.sum()),
        "came": float(slice_counts.counts[new].sum() / slice_counts.counts.sum()),
    }


def rounding(full: FullTable) -> Iterator[Measured]:
    """Yield what rounding every row loses, as a share of what leaving every key out loses."""
    everything = full.without(np.ones(full.keys.size, dtype=np.bool_))
    for bits in BITS:
        rounded = [unpack_rows(pack_rows(table, bits)) for table in full.tables]
        yield {"kind": "rounding", "bits": bits, "share": full.with_rows(rounded) / everything}


def coding(full: FullTable) -> Iterator[Measured]:
    """Yield what sharing rows by codes loses, as a share of what leaving the same keys out loses."""
    sensitivity = full.sensitivity()
    for share in HEADS:
        first = int(share * full.keys.size)
        omitted = full.without(np.arange(full.keys.size) >= first)
        counts = full.counts.top(full.keys.size).counts
        assert counts is not None
        for code_bits in CODE_BITS:
            weights = counts[first:].astype(np.float64)
            shared = _shared(full, first, 1 << code_bits, weights, sensitivity)
            near = _shared(full, first, 1 << code_bits, weights, _alike(full, sensitivity))
            yield {
                "kind": "coding",
                "head": share,
                "code_bits": code_bits,
                "omitted": omitted,
                "share": full.with_rows(shared) / omitted,
                "near": full.with_rows(near) / omitted,
            }


def directions(full: FullTable) -> Iterator[Measured]:
    """Yield for each feature which part of what the model hears of its rows lies in one direction of them."""
    for name, metric in zip(full.counts.feature_names, full.sensitivity().metrics, strict=True):
        yield {
            "kind": "direction",
            "feature": name,
            "share": float(np.linalg.eigvalsh(metric)[-1] / np.trace(metric)),
        }


def _alike(full: FullTable, sensitivity: Sensitivity) -> Sensitivity:
    """Return the sensitivity of a model that hears all floats of all rows alike, but a wide weight fourfold."""
    heard = np.ones(sensitivity.metrics.shape[1])
    if len(full.tables) > 1:
        heard[-1] = WIDE_FACTOR**2
    return Sensitivity(np.zeros_like(sensitivity.groups), np.diag(heard)[None])


def _shared(
    full: FullTable, first: int, num_codes: int, weights: np.ndarray, sensitivity: Sensitivity
) -> Tables:
    """Return the tables with shared rows from a rank on."""
    rows = np.concatenate(full.tables, axis=1)
    of_these = Sensitivity(sensitivity.groups[first:], sensitivity.metrics)
    centres, codes = cluster_rows(rows[first:], num_codes, weights, of_these)
    bounds = np.cumsum([table.shape[1] for table in full.tables])[:-1]
    parts = np.split(centres[codes], bounds, axis=1)
    return [np.concatenate([table[:first], part]) for table, part in zip(full.tables, parts, strict=True)]
