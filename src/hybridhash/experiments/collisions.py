"""Predicted and measured collisions of the tables of a model."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hybridhash.hashing import measure_collisions
from hybridhash.planner import FeatureGroup
from hybridhash.results import Collisions, Shares
from hybridhash.spec import NOT_SHIPPED, ModelSpec, TableSpec
from hybridhash.theory import traffic_shares
from hybridhash.vocabulary import Counts

_NAMES = ("exclusive", "half_shared", "fully_shared")


def collision_shares(groups: Sequence[FeatureGroup], spec: ModelSpec) -> Collisions:
    """Say what share of the training traffic reads exclusive, half-shared and fully shared rows.

    A key that reads a shared row by its code counts as fully shared, and one whose tier is not shipped as a key of the
    tail.

    Args:
        groups: The features of each table and their keys.
        spec: The model that was laid out from them.

    Returns:
        Those that the counts predict, and those measured on the keys under the real hash functions, over the tables
        of the deep part, each weighted by its traffic.
    """
    predicted, measured = np.zeros(3), np.zeros(3)
    deep = [group for group in groups if group.part == "deep"]
    for group, table in zip(deep, (of_group.table for of_group in spec.deep), strict=True):
        keys, counts = _per_key(group.counts)
        if not counts.sum():
            continue
        order = np.lexsort((keys, -counts))
        keys, counts = keys[order], counts[order]
        own, coded = _who_reads_what(table, keys.size)
        for shares in (predicted, measured):
            shares[2] += counts[coded].sum()
        if not coded.all():
            expected = traffic_shares(
                counts[~coded], int(own.sum()), table.num_buckets, table.num_hashes, table.combine
            )
            predicted += counts[~coded].sum() * np.array([getattr(expected, name) for name in _NAMES])
        measured[0] += counts[own].sum()
        tail_keys, tail_counts = keys[~own & ~coded], counts[~own & ~coded]
        if tail_keys.size:
            found = measure_collisions(
                tail_keys, table.num_buckets, table.num_hashes, table.seed, tail_counts, table.combine
            )
            measured += tail_counts.sum() * np.array(
                [getattr(found, f"{name}_per_traffic") for name in _NAMES]
            )
    return Collisions(*(Shares(*(values / values.sum()).tolist()) for values in (predicted, measured)))


def _who_reads_what(table: TableSpec, num_keys: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which keys have a row of their own, and which have a code; bool[num_keys] by falling importance."""
    own, coded = np.zeros(num_keys, dtype=bool), np.zeros(num_keys, dtype=bool)
    first = 0
    for tier in table.head_tiers:
        part = slice(first, first + tier.num_keys)
        first += tier.num_keys
        if tier.bits != NOT_SHIPPED:
            (coded if tier.num_codes else own)[part] = True
    return own, coded


def _per_key(counts: Counts) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return distinct keys and their counts; a key of two features comes once."""
    keys, place = np.unique(counts.keys, return_inverse=True)
    return keys, np.bincount(place, weights=counts.counts, minlength=keys.size).astype(np.float64)
