"""Make the tables that are shipped from trained rows: round them, find the rows that keys share, leave tiers out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash.packing import Sensitivity, cluster_rows, pack_integers, pack_rows
from hybridhash.spec import TableSpec, Tier
from hybridhash.tables.arrays import at_cache_line
from hybridhash.tables.blueprint import Blueprint
from hybridhash.tables.index import KeyIndex, no_codes
from hybridhash.tables.shipped import ShippedTable

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]

WIDE_FACTOR: Final = 4.0
"""Weight of a wide weight's error against that of a float of a row, where both share a code: the one moves the logit
itself, the other an input of the hidden layers. Of 1, 2 and 4 the best on the validation slices of three data sets."""


@dataclass(frozen=True, eq=False)
class TrainedRows:
    """The rows of a trained table.

    Attributes:
        spec: The table.
        head: float32[positions, D].
        tail: float32[M, bucket_dim].
    """

    spec: TableSpec
    head: Floats
    tail: Floats


def pack_tables(
    blueprint: Blueprint,
    index: KeyIndex,
    trained: Sequence[TrainedRows],
    sensitivity: Sensitivity | None = None,
) -> list[ShippedTable]:
    """Pack tables that share their keys, such as vectors and the wide weights beside them.

    A key has one code for all of them.

    Args:
        blueprint: The keys; where the vocabulary has counts, frequent keys count more for the rows that keys share.
        index: The index that the tables were trained with.
        trained: The rows of each table.
        sensitivity: How much the loss depends on the rows of these keys; the rows that keys share are then found by
            what they do to the predictions, and not by how near they are to the trained ones.

    Returns:
        One table for each.

    Raises:
        InvalidValueError: Rows that are not finite, or a sensitivity of other widths.
    """
    occupants = index.head_rows(blueprint.vocabulary.keys)
    of_position = None
    num_positions = trained[0].head.shape[0]
    if sensitivity is not None:
        of_position = _of_positions(sensitivity, occupants, num_positions)
    weights = _weights(blueprint, occupants, num_positions)
    rows: list[list[Floats]] = [[] for _ in trained]
    places: list[Array] = []
    codes: list[Array] = []
    first = first_key = 0
    for number, tier in enumerate(index.spec.head_tiers):
        part = slice(first, first + tier.num_positions)
        keys = slice(first_key, first_key + tier.num_keys)
        first, first_key = part.stop, keys.stop
        if not tier.is_shipped:
            continue
        slabs, weights_of_tier = [table.head[part] for table in trained], weights[part]
        groups = None if of_position is None else of_position.groups[part]
        own, coded = at_cache_line(index.dictionaries[number].places, copy=True), no_codes()
        if tier.dictionary != index.dictionaries[number].kind and not tier.dictionary.holds_codes:
            own, move = _put_anew(tier, blueprint.keys_of_tier(number), occupants[keys] - part.start)
            slabs, weights_of_tier = [move(slab) for slab in slabs], move(weights_of_tier)
            groups = None if groups is None else move(groups)
        if tier.num_codes and tier.num_rows:
            mine = None if groups is None or of_position is None else Sensitivity(groups, of_position.metrics)
            slabs, codes_of_tier = _shared(slabs, tier, weights_of_tier, mine)
            if tier.dictionary.holds_codes:
                own = _coded(
                    codes_of_tier, tier, blueprint.keys_of_tier(number), occupants[keys] - part.start
                )
            else:
                coded = pack_integers(codes_of_tier, tier.code_bits)
        elif tier.dictionary.holds_codes:
            own = tier.dictionary.build(
                np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint32), tier.code_bits
            )
        places.append(own)
        codes.append(coded)
        for table_rows, slab in zip(rows, slabs, strict=True):
            table_rows.append(slab)
    shipped = KeyIndex.shipped(index.spec, places, codes)
    return [
        ShippedTable(
            table.spec,
            shipped,
            [
                *(
                    pack_rows(slab, tier.bits)
                    for slab, tier in zip(
                        table_rows, (tier for tier in table.spec.head_tiers if tier.is_shipped), strict=True
                    )
                ),
                pack_rows(table.tail, table.spec.tail_bits),
            ],
            feature_names=blueprint.feature_names,
            key_seed=blueprint.vocabulary.seed,
        )
        for table, table_rows in zip(trained, rows, strict=True)
    ]


def _weights(blueprint: Blueprint, occupants: Int64s, num_positions: int) -> npt.NDArray[np.float64]:
    """Return how often the keys of each position were counted; 1 each where that is not known."""
    counts = blueprint.vocabulary.counts
    weights = np.zeros(num_positions)
    np.add.at(
        weights, occupants, np.ones(blueprint.num_keys) if counts is None else counts.astype(np.float64)
    )
    return weights


def _of_positions(sensitivity: Sensitivity, occupants: Int64s, num_positions: int) -> Sensitivity:
    """Return the sensitivity of the head rows; of keys that share one, the most important decides."""
    groups = np.zeros(num_positions, dtype=np.int64)
    groups[occupants[::-1]] = sensitivity.groups[::-1]
    return Sensitivity(groups, sensitivity.metrics)


def _shared(
    slabs: list[Floats], tier: Tier, weights: npt.NDArray[np.float64], sensitivity: Sensitivity | None
) -> tuple[list[Floats], npt.NDArray[np.uint32]]:
    """Return the rows that the keys of a tier share, table by table, and the code of each position."""
    if sensitivity is None:
        shared, codes = _near(slabs, tier, weights)
    else:
        rows = np.concatenate(slabs, axis=1)
        centres, codes = cluster_rows(rows, tier.num_rows, weights, sensitivity)
        shared = np.split(centres, np.cumsum([slab.shape[1] for slab in slabs])[:-1], axis=1)
    return shared, codes.astype(np.uint32)


def _near(slabs: list[Floats], tier: Tier, weights: npt.NDArray[np.float64]) -> tuple[list[Floats], Int64s]:
    """Return rows that are near those of the keys, table by table, and the codes."""
    factors = [WIDE_FACTOR if slab.shape[1] == 1 and len(slabs) > 1 else 1.0 for slab in slabs]
    scaled = [slab * np.float32(factor) for slab, factor in zip(slabs, factors, strict=True)]
    centres, codes = cluster_rows(np.concatenate(scaled, axis=1), tier.num_rows, weights)
    bounds = np.cumsum([slab.shape[1] for slab in slabs])[:-1]
    parts = np.split(centres, bounds, axis=1)
    return [part / np.float32(factor) for part, factor in zip(parts, factors, strict=True)], codes


def _put_anew(tier: Tier, keys: Int64s, positions: Int64s) -> tuple[Array, Callable[[Array], Array]]:
    """Put the keys of a tier into the dictionary that is shipped.

    Args:
        tier: The tier, trained with a dictionary of another kind.
        keys: Its keys.
        positions: The positions of the keys in training; those outside of the tier are of keys that an earlier tier
            takes.

    Returns:
        The dictionary, and what moves an array from the positions of training to those of the dictionary.
    """
    places = tier.dictionary.build(keys)
    own = (positions >= 0) & (positions < tier.num_positions)
    shipped = tier.dictionary.find(keys, places)[own]

    def move(array: Array) -> Array:
        moved: Array = np.zeros((tier.shipped_positions, *array.shape[1:]), dtype=array.dtype)
        moved[shipped] = array[positions[own]]
        return moved

    return places, move


def _coded(codes: npt.NDArray[np.uint32], tier: Tier, keys: Int64s, positions: Int64s) -> Array:
    """Return a dictionary that holds the code of each key.

    A key that an earlier tier takes for one of its own is never asked for here, and stands nowhere in this tier.
    """
    own = (positions >= 0) & (positions < codes.size)
    of_keys = np.where(own, codes[np.where(own, positions, 0)], 0).astype(np.uint32)
    return tier.dictionary.build(keys, of_keys, tier.code_bits)
