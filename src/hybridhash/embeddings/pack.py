"""Pack trained tables as their specs say: round rows, find shared rows, leave out what is not shipped."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hybridhash.embeddings.bag import KeyEmbeddingBag
from hybridhash.embeddings.base import BaseEmbeddingBag
from hybridhash.embeddings.collection import EmbeddingCollection
from hybridhash.embeddings.encoder import CodedRowEncoder, RowEncoder
from hybridhash.embeddings.packed import PackedEmbeddingBag
from hybridhash.kernels import cpu
from hybridhash.packing import Sensitivity, cluster_rows, pack_integers, pack_rows
from hybridhash.spec import NOT_SHIPPED, Tier
from hybridhash.vocabulary import Vocabulary

Floats = npt.NDArray[np.float32]

WIDE_FACTOR: Final = 4.0
"""Weight of a wide weight's error against that of a float of a row, where both share a code: the one moves the logit
itself, the other an input of the hidden layers. Of 1, 2 and 4 the best on the validation slices of three data sets."""


def pack_collections(
    collections: list[EmbeddingCollection],
    vocabularies: Mapping[str, Vocabulary],
    sensitivities: Mapping[str, Sensitivity] | None = None,
) -> list[EmbeddingCollection]:
    """Pack collections that may share rows.

    Bags with one encoder (deep and wide) get one encoder again, so that a key has one code for both.

    Args:
        collections: Trained; they stay as they are.
        vocabularies: The head keys by dictionary name; where they have counts, frequent keys count more for the rows
            that keys share.
        sensitivities: How the model listens to the rows of these keys, by dictionary name; rows to share are then found
            by what they do to predictions, and not by how near they are.

    Returns:
        One for each, with `PackedEmbeddingBag` where the spec asks for packed rows, and with the same bag elsewhere.
    """
    by_encoder: dict[RowEncoder, list[KeyEmbeddingBag]] = {}
    names: dict[RowEncoder, str] = {}
    for collection in collections:
        for group, bag in collection.tables:
            assert isinstance(bag, KeyEmbeddingBag)
            by_encoder.setdefault(bag.encoder, []).append(bag)
            names[bag.encoder] = group.dictionary
    packed: dict[BaseEmbeddingBag, BaseEmbeddingBag] = {}
    for encoder, bags in by_encoder.items():
        if any(bag.spec.is_packed for bag in bags):
            name = names[encoder]
            packed |= _pack(encoder, bags, vocabularies[name], (sensitivities or {}).get(name))
        else:
            packed |= {bag: bag for bag in bags}
    return [
        EmbeddingCollection(
            collection.features, collection.groups, [packed[bag] for _, bag in collection.tables]
        )
        for collection in collections
    ]


def _pack(
    encoder: RowEncoder,
    bags: list[KeyEmbeddingBag],
    vocabulary: Vocabulary,
    sensitivity: Sensitivity | None,
) -> dict[BaseEmbeddingBag, BaseEmbeddingBag]:
    heads = [_array(bag.head) for bag in bags]
    occupants = _occupants(encoder, vocabulary)
    counts = np.ones(len(vocabulary)) if vocabulary.counts is None else vocabulary.counts.astype(np.float64)
    weights = np.zeros(len(heads[0]))
    np.add.at(weights, occupants, counts)
    listening = None if sensitivity is None else _of_positions(sensitivity, occupants, weights.size)
    rows: list[list[Floats]] = [[] for _ in bags]
    codes: list[Tensor | None] = []
    first = first_key = 0
    for tier in encoder.tiers:
        part = slice(first, first + tier.num_positions)
        keys = slice(first_key, first_key + tier.num_keys)
        first, first_key = part.stop, keys.stop
        slabs = [head[part] for head in heads]
        of_tier = None
        if tier.num_codes and tier.num_rows:
            mine = None if listening is None else Sensitivity(listening.groups[part], listening.metrics)
            slabs, of_position = _shared(slabs, tier, weights[part], mine)
            of_tier = _written(of_position, tier, vocabulary.keys[keys], occupants[keys] - part.start)
        codes.append(of_tier)
        for place, slab in enumerate(slabs):
            rows[place].append(slab)
    coded = CodedRowEncoder(encoder, codes)
    found: dict[BaseEmbeddingBag, BaseEmbeddingBag] = {}
    for bag, of_bag in zip(bags, rows, strict=True):
        tiers = zip(bag.spec.head_tiers, of_bag, strict=True)
        found[bag] = PackedEmbeddingBag(
            bag.spec,
            coded,
            [pack_rows(slab, tier.bits) for tier, slab in tiers if tier.bits != NOT_SHIPPED],
            pack_rows(_array(bag.tail), bag.spec.tail_bits),
            mode=bag.mode,
            include_last_offset=bag.include_last_offset,
            padding_key=bag.padding_key,
            engine=bag.engine,
        )
    return found


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


def _written(
    codes: npt.NDArray[np.uint32],
    tier: Tier,
    keys: npt.NDArray[np.int64],
    positions: npt.NDArray[np.int64],
) -> Tensor:
    """Return the codes as the tier's dictionary wants them: one per position, or a ribbon of those of the keys."""
    if not tier.dictionary.holds_codes:
        return cpu.from_numpy(pack_integers(codes, tier.code_bits))
    # A key that an earlier tier takes for one of its own is never asked for here, and stands nowhere in this one.
    own = (positions >= 0) & (positions < codes.size)
    of_keys = np.where(own, codes[np.where(own, positions, 0)], 0).astype(np.uint32)
    return cpu.from_numpy(tier.dictionary.build(keys, of_keys, tier.code_bits))


def _near(
    slabs: list[Floats], tier: Tier, weights: npt.NDArray[np.float64]
) -> tuple[list[Floats], npt.NDArray[np.int64]]:
    """Return rows that are near those of the keys, table by table, and the codes."""
    factors = [WIDE_FACTOR if slab.shape[1] == 1 and len(slabs) > 1 else 1.0 for slab in slabs]
    scaled = [slab * np.float32(factor) for slab, factor in zip(slabs, factors, strict=True)]
    centres, codes = cluster_rows(np.concatenate(scaled, axis=1), tier.num_rows, weights)
    bounds = np.cumsum([slab.shape[1] for slab in slabs])[:-1]
    parts = np.split(centres, bounds, axis=1)
    return [part / np.float32(factor) for part, factor in zip(parts, factors, strict=True)], codes


def _occupants(encoder: RowEncoder, vocabulary: Vocabulary) -> npt.NDArray[np.int64]:
    """Return the head row of each key."""
    rows = encoder(torch.from_numpy(vocabulary.keys.copy()))
    found: npt.NDArray[np.int64] = rows.head.numpy()
    return found


def _of_positions(
    sensitivity: Sensitivity, occupants: npt.NDArray[np.int64], num_positions: int
) -> Sensitivity:
    """Return the sensitivity of the head rows; of keys that share one, the most important has its say."""
    groups = np.zeros(num_positions, dtype=np.int64)
    groups[occupants[::-1]] = sensitivity.groups[::-1]
    return Sensitivity(groups, sensitivity.metrics)


def _array(rows: Tensor) -> Floats:
    array: Floats = rows.detach().cpu().float().numpy()
    return array
