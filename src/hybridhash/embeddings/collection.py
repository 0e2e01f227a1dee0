"""`EmbeddingCollection`: the embeddings of all features, from one joint table or one for each group."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from hybridhash.embeddings.bag import EmbeddingBag
from hybridhash.embeddings.base import BaseEmbeddingBag, KeyRows
from hybridhash.embeddings.encoder import RowEncoder
from hybridhash.embeddings.inputs import as_int64, as_keys
from hybridhash.errors import InvalidValueError
from hybridhash.optim import FusedOptimizer
from hybridhash.spec import GroupSpec, row_numbering
from hybridhash.tables import Blueprint, KeyIndex

Encoders = dict[tuple[object, ...], RowEncoder]


class GroupInput(NamedTuple):
    """What the bag of one group reads.

    Attributes:
        keys: int64[number of ids of the group], feature-major.
        offsets: int64[features of the group * B + 1].
        rows: The keys' rows.
    """

    keys: Tensor
    offsets: Tensor
    rows: KeyRows


class EmbeddingCollection(nn.Module):
    """The vectors of all features it serves, side by side.

    Args:
        features: All features of a batch, in schema order.
        groups: Which of them share which table.
        bags: The embedding bag of each group, with ``include_last_offset``.

    Raises:
        InvalidValueError: No groups, not one bag per group, a group that names a feature which the batch
            does not have, or a bag that does not fit its group.
    """

    def __init__(
        self, features: Sequence[str], groups: Sequence[GroupSpec], bags: Sequence[BaseEmbeddingBag]
    ) -> None:
        super().__init__()
        if not groups or len(bags) != len(groups):
            raise InvalidValueError(
                f"bags: expected one for each of one group or more, got {len(bags)} bags for {len(groups)} groups"
            )
        places = {name: place for place, name in enumerate(features)}
        for group, bag in zip(groups, bags, strict=True):
            unknown = [name for name in group.features if name not in places]
            if unknown:
                raise InvalidValueError(f"features: expected names among {list(places)}, got {unknown}")
            if not bag.include_last_offset or bag.spec != group.table or bag.mode != group.mode:
                raise InvalidValueError(
                    f"bag of {group.features}: expected {group.table} with mode {group.mode!r} and "
                    f"include_last_offset, got {bag.spec} with mode {bag.mode!r} and "
                    f"include_last_offset={bag.include_last_offset}"
                )
        self.features = tuple(features)
        self.groups = tuple(groups)
        self.bags = nn.ModuleList(bags)
        self._places = [[places[name] for name in group.features] for group in groups]

    @property
    def tables(self) -> list[tuple[GroupSpec, BaseEmbeddingBag]]:
        """The groups, each with its bag."""
        return [
            (group, cast(BaseEmbeddingBag, bag)) for group, bag in zip(self.groups, self.bags, strict=True)
        ]

    def shares_rows_with(self, other: "EmbeddingCollection") -> bool:
        """Whether both read the same rows of the same features, so that keys need encoding once."""
        return (
            self.features == other.features
            and [group.features for group in self.groups] == [group.features for group in other.groups]
            and all(
                mine.encoder is theirs.encoder
                and mine.padding_key == theirs.padding_key
                and mine.engine_in_use() is theirs.engine_in_use()
                for (_, mine), (_, theirs) in zip(self.tables, other.tables, strict=True)
            )
        )

    def encode(self, keys: Tensor, offsets: Tensor) -> list[GroupInput]:
        """Prepare the rows of a batch, which the compiled engine finds when the first bag reads them.

        Args:
            keys: int64[number of ids], feature-major over ``features``.
            offsets: int64[F * B + 1].

        Returns:
            The input of each group.

        Raises:
            InvalidTypeError: Keys or offsets are not int64.
            InvalidValueError: They are not 1-D, or the offsets are not of F features of the same B rows.
        """
        keys, offsets = as_keys(keys), as_int64("offsets", offsets)
        num_features = len(self.features)
        if offsets.dim() != 1 or offsets.numel() % num_features != 1 % num_features:
            raise InvalidValueError(
                f"offsets: expected int64[F * B + 1] for F = {num_features} features, got shape "
                f"{tuple(offsets.shape)}"
            )
        inputs = []
        for places, (_, bag) in zip(self._places, self.tables, strict=True):
            group_keys, group_offsets = _select(keys, offsets, places, num_features)
            inputs.append(GroupInput(group_keys, group_offsets, bag.lookup(group_keys)))
        return inputs

    def forward(self, inputs: Sequence[GroupInput]) -> Tensor:
        """Embed a batch.

        Args:
            inputs: The inputs from `encode`.

        Returns:
            float[B, sum of the features' dims], feature after feature in the order of the groups.
        """
        vectors = []
        for (group, bag), (keys, offsets, rows) in zip(self.tables, inputs, strict=True):
            pooled = bag(keys, offsets, rows=rows)
            by_feature = pooled.unflatten(0, (len(group.features), -1))
            vectors.append(by_feature.transpose(0, 1).flatten(1))
        return torch.cat(vectors, dim=1)


def build_collection(
    features: Sequence[str],
    groups: Sequence[GroupSpec],
    blueprints: Mapping[str, Blueprint],
    *,
    encoders: Encoders | None = None,
    optimizer: FusedOptimizer | None = None,
    init_std: float = 0.01,
    generator: torch.Generator | None = None,
) -> EmbeddingCollection:
    """Build the module of the groups of a model; nowhere else is a spec turned into a module.

    Args:
        features: All features of a batch, in schema order.
        groups: Which of them share which table.
        blueprints: The blueprints by dictionary name; the keys of a group are those of the blueprint of its dictionary.
        encoders: Encoders made before, by what they are; equal ones are shared and new ones added.
        optimizer: Moves the rows inside the backward pass; None gives sparse gradients to torch
            (dense ones under mode ``max``).
        init_std: The standard deviation, as in `EmbeddingBag`.
        generator: Source of the initial values.

    Returns:
        The collection.

    Raises:
        InvalidValueError: A group names a dictionary without a blueprint, one of another size than its
            table's head, or a feature that the batch does not have.
    """
    known: Encoders = {} if encoders is None else encoders
    bags = []
    for group in groups:
        table = group.table
        if group.dictionary not in blueprints:
            raise InvalidValueError(
                f"blueprints: expected one named {group.dictionary!r}, got {sorted(blueprints)}"
            )
        blueprint = replace(blueprints[group.dictionary], spec=table)
        identity = (
            group.dictionary,
            row_numbering(table.head_tiers),
            table.num_buckets,
            table.num_hashes,
            table.seed,
        )
        if identity not in known:
            known[identity] = RowEncoder(KeyIndex.in_training(blueprint))
        bags.append(
            EmbeddingBag(
                blueprint,
                encoder=known[identity],
                mode=group.mode,
                include_last_offset=True,
                sparse=optimizer is None and group.mode != "max",
                optimizer=optimizer,
                init_std=init_std,
                generator=generator,
            )
        )
    return EmbeddingCollection(features, groups, bags)


def _select(keys: Tensor, offsets: Tensor, places: list[int], num_features: int) -> tuple[Tensor, Tensor]:
    """Cut the features at ``places`` out of a feature-major batch."""
    if places == list(range(num_features)):
        return keys, offsets
    num_rows = (offsets.numel() - 1) // num_features
    bounds = offsets[:: max(num_rows, 1)].tolist() if num_rows else [0] * (num_features + 1)
    parts = [keys[bounds[place] : bounds[place + 1]] for place in places]
    lengths = offsets.diff().view(num_features, num_rows)[places].flatten()
    return torch.cat(parts), torch.nn.functional.pad(lengths.cumsum(0), (1, 0))
