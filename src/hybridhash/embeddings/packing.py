"""Packing trained bags by their specs: rows are rounded, shared rows found, and tiers left out that are not shipped."""

from collections.abc import Mapping

from hybridhash.embeddings.bag import EmbeddingBag
from hybridhash.embeddings.base import BaseEmbeddingBag
from hybridhash.embeddings.collection import EmbeddingCollection
from hybridhash.embeddings.encoder import RowEncoder
from hybridhash.embeddings.packed import PackedEmbeddingBag
from hybridhash.errors import InvalidTypeError
from hybridhash.packing import Sensitivity
from hybridhash.tables import ShippedTable, pack_tables


def pack(bag: EmbeddingBag, sensitivity: Sensitivity | None = None) -> ShippedTable:
    """Return the table that is shipped: packed as the spec of the bag says, and readable without torch.

    A bag without a plan (`HybridEmbeddingBag` and the other methods) ships its float32 rows as they are.

    Args:
        bag: The trained bag; it stays as it is.
        sensitivity: How much the loss depends on the rows, from `hybridhash.measure_sensitivity`. With it, the rows
            that keys share are chosen by what they do to the predictions, which loses several times less.

    Returns:
        The table; ``save`` writes it, and `hybridhash.load` reads it.

    Raises:
        InvalidTypeError: ``bag`` is no trained bag.
        InvalidValueError: A row is not finite.

    Example:
        >>> import numpy as np
        >>> from hybridhash import Vocabulary
        >>> from hybridhash.spec import TableSpec, Tier
        >>> from hybridhash.tables import Blueprint
        >>> blueprint = Blueprint(TableSpec(2, 5, 4, tiers=(Tier(2, 8),)), Vocabulary(np.array([7, 9])))
        >>> table = pack(EmbeddingBag(blueprint))
        >>> table.vectors(np.array([7, 9, 1])).shape
        (3, 4)
    """
    return pack_bags([bag], sensitivity)[0]


def pack_bags(bags: list[EmbeddingBag], sensitivity: Sensitivity | None = None) -> list[ShippedTable]:
    """Pack bags with one encoder, such as vectors and the wide weights beside them.

    Args:
        bags: The trained bags, which have the same encoder.
        sensitivity: The sensitivity, as in `pack`; its widths are those of the bags together.

    Returns:
        One table for each; they share one index, so that a key has one code for all of them.

    Raises:
        InvalidTypeError: A bag is no trained bag.
        InvalidValueError: A row is not finite.
    """
    for bag in bags:
        if not isinstance(bag, EmbeddingBag):
            reason = (
                "it is packed already"
                if isinstance(bag, PackedEmbeddingBag | ShippedTable)
                else "it has no blueprint"
            )
            raise InvalidTypeError(
                f"bag: expected a hybridhash.EmbeddingBag, got {type(bag).__name__}: {reason}"
            )
    index = bags[0].encoder.key_index()
    return pack_tables(bags[0].blueprint, index, [bag.trained_rows() for bag in bags], sensitivity)


def pack_collections(
    collections: list[EmbeddingCollection],
    sensitivities: Mapping[str, Sensitivity] | None = None,
) -> list[EmbeddingCollection]:
    """Pack collections that may share rows.

    Bags with one encoder (deep and wide) get one encoder again.

    Args:
        collections: Trained; they stay as they are.
        sensitivities: How much the loss depends on the rows, by dictionary name; see `pack`.

    Returns:
        One for each, with `PackedEmbeddingBag` where the spec asks for packed rows, and with the same bag elsewhere.

    Raises:
        InvalidTypeError: A table is packed already.
    """
    by_encoder: dict[RowEncoder, list[BaseEmbeddingBag]] = {}
    names: dict[RowEncoder, str] = {}
    for collection in collections:
        for group, bag in collection.tables:
            by_encoder.setdefault(bag.encoder, []).append(bag)
            names[bag.encoder] = group.dictionary
    packed: dict[BaseEmbeddingBag, BaseEmbeddingBag] = {}
    for encoder, bags in by_encoder.items():
        if any(bag.spec.is_packed for bag in bags):
            packed |= _packed(bags, (sensitivities or {}).get(names[encoder]))
        else:
            packed |= {bag: bag for bag in bags}
    return [
        EmbeddingCollection(
            collection.features, collection.groups, [packed[bag] for _, bag in collection.tables]
        )
        for collection in collections
    ]


def _packed(
    bags: list[BaseEmbeddingBag], sensitivity: Sensitivity | None
) -> dict[BaseEmbeddingBag, BaseEmbeddingBag]:
    tables = pack_bags(bags, sensitivity)  # type: ignore[arg-type]  # which refuses others in words
    encoder = RowEncoder(tables[0].index)
    packed: dict[BaseEmbeddingBag, BaseEmbeddingBag] = {
        bag: PackedEmbeddingBag(
            table,
            encoder=encoder,
            mode=bag.mode,
            include_last_offset=bag.include_last_offset,
            padding_key=bag.padding_key,
            engine=bag.engine,
        )
        for bag, table in zip(bags, tables, strict=True)
    }
    for bag, shipped in packed.items():
        shipped._watch = bag._watch  # a bag that has read known keys needs no warning once it is packed
    return packed
