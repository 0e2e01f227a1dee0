"""A collection gives, feature by feature, what single bags give."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hybridhash.data import Bags, make_batch
from hybridhash.embeddings import EmbeddingBag, EmbeddingCollection, RowEncoder, build_collection
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.optim import SGD
from hybridhash.spec import GroupSpec, TableSpec
from hybridhash.tables import Blueprint, KeyIndex
from hybridhash.vocabulary import Vocabulary

FEATURES = ("user", "item", "tags", "site")
HEADS = {"a": Vocabulary(np.array([3, 1, 2])), "b": Vocabulary(np.array([7, 8]))}
TABLE_A, TABLE_B = TableSpec(3, 13, 4, 2, "concat"), TableSpec(2, 5, 6, 2)
BLUEPRINTS = {"a": Blueprint(TABLE_A, HEADS["a"]), "b": Blueprint(TABLE_B, HEADS["b"])}
GROUPINGS = {
    "joint": (GroupSpec(FEATURES, TABLE_A, "a"),),
    "in another order": (GroupSpec(("tags", "site", "user", "item"), TABLE_A, "a"),),
    "per feature": tuple(
        GroupSpec((name,), table, dictionary, mode)
        for name, table, dictionary, mode in zip(
            FEATURES, [TABLE_A, TABLE_B] * 2, "abab", ["sum", "mean", "max", "sum"], strict=True
        )
    ),
    "mixed": (GroupSpec(("tags", "user"), TABLE_A, "a", "sum"), GroupSpec(("item",), TABLE_B, "b")),
    "apart in one table": (
        GroupSpec(("user", "tags"), TABLE_A, "a"),
        GroupSpec(("site", "item"), TABLE_B, "b"),
    ),
}
B = 4
TAG_OFFSETS = np.array([0, 2, 2, 5, 6])
KEYS = {
    "user": np.array([1, 2, 3, 50]),
    "item": np.array([7, 8, 7, 9]),
    "tags": np.array([1, 60, 61, 2, 1, 7]),
    "site": np.array([-1, 1, -1, 8]),
}


def batch(num_rows: int = B) -> tuple[Tensor, Tensor]:
    """The first rows, in the layout of `hybridhash.data.Batch`."""
    bags = [
        Bags(KEYS[name][: TAG_OFFSETS[num_rows]], TAG_OFFSETS[: num_rows + 1])
        if name == "tags"
        else Bags(KEYS[name][:num_rows])
        for name in FEATURES
    ]
    made = make_batch(bags)
    return torch.from_numpy(made.keys), torch.from_numpy(made.offsets)


@pytest.mark.parametrize("groups", GROUPINGS.values(), ids=GROUPINGS)
def test_the_vectors_are_those_of_single_bags(groups: tuple[GroupSpec, ...]) -> None:
    """Each feature's keys alone through the bag of its table; gradients are sparse where that can be."""
    collection = build_collection(FEATURES, groups, BLUEPRINTS, init_std=1.0)
    keys, offsets = batch()
    expected = []
    for group, bag in zip(groups, collection.bags, strict=True):
        for name in group.features:
            own_offsets = TAG_OFFSETS if name == "tags" else np.arange(B + 1)
            expected.append(bag(torch.from_numpy(KEYS[name]), torch.from_numpy(own_offsets)))
    vectors = collection(collection.encode(keys, offsets))
    wanted = torch.cat(expected, dim=1)
    assert vectors.shape == (B, sum(len(group.features) * group.table.dim for group in groups))
    torch.testing.assert_close(vectors, wanted)
    parameters = list(collection.parameters())
    found = torch.autograd.grad(vectors.square().sum(), parameters)
    needed = torch.autograd.grad(wanted.square().sum(), parameters)
    modes = [group.mode for group in groups for _ in ("head", "tail")]
    for mode, mine, theirs in zip(modes, found, needed, strict=True):
        assert mine.is_sparse == (mode != "max")
        torch.testing.assert_close(mine.to_dense(), theirs.to_dense())


@pytest.mark.parametrize("groups", GROUPINGS.values(), ids=GROUPINGS)
@pytest.mark.parametrize("num_rows", [0, 1])
def test_few_rows(groups: tuple[GroupSpec, ...], num_rows: int) -> None:
    collection = build_collection(FEATURES, groups, BLUEPRINTS)
    whole = collection(collection.encode(*batch()))
    keys, offsets = batch(num_rows) if num_rows else (torch.empty(0, dtype=torch.int64), torch.tensor([0]))
    torch.testing.assert_close(collection(collection.encode(keys, offsets)), whole[:num_rows])


def test_one_feature() -> None:
    collection = build_collection(("user",), (GroupSpec(("user",), TABLE_A, "a"),), BLUEPRINTS)
    keys = torch.tensor([1, 50])
    vectors = collection(collection.encode(keys, torch.tensor([0, 1, 2])))
    assert torch.equal(vectors, collection.bags[0].dense_equivalent(keys))


def test_equal_encoders_are_shared_and_others_are_not() -> None:
    encoders: dict[Any, RowEncoder] = {}
    deep = build_collection(FEATURES, GROUPINGS["mixed"], BLUEPRINTS, encoders=encoders)
    assert len(encoders) == 2
    companions = tuple(replace(group, table=group.table.companion()) for group in GROUPINGS["mixed"])
    wide = build_collection(FEATURES, companions, BLUEPRINTS, encoders=encoders)
    assert len(encoders) == 2
    assert wide.shares_rows_with(deep)
    assert deep.shares_rows_with(wide)
    assert not build_collection(FEATURES, companions, BLUEPRINTS).shares_rows_with(deep)
    build_collection(
        FEATURES, (GroupSpec(("user",), replace(TABLE_A, seed=1), "a"),), BLUEPRINTS, encoders=encoders
    )
    build_collection(
        FEATURES, (GroupSpec(("user",), replace(TABLE_A, num_buckets=9), "a"),), BLUEPRINTS, encoders=encoders
    )
    assert len(encoders) == 4


def test_rows_are_shared_only_if_all_that_finds_them_is() -> None:
    """Features, their order in the batch, their grouping, the padding key."""
    encoder = RowEncoder(KeyIndex.in_training(BLUEPRINTS["a"]))

    def made(
        features: tuple[str, ...], names: tuple[str, ...], padding: int | None = None
    ) -> EmbeddingCollection:
        bag = EmbeddingBag(
            BLUEPRINTS["a"], encoder=encoder, mode="mean", include_last_offset=True, padding_key=padding
        )
        return EmbeddingCollection(features, [GroupSpec(names, TABLE_A, "a")], [bag])

    one = made(("user", "item"), ("user", "item"))
    assert one.shares_rows_with(made(("user", "item"), ("user", "item")))
    assert not one.shares_rows_with(made(("item", "user"), ("user", "item")))
    assert not one.shares_rows_with(made(("user", "item"), ("item", "user")))
    assert not one.shares_rows_with(made(("user", "item"), ("user", "item"), padding=1))


def test_a_fused_optimizer_goes_to_every_bag() -> None:
    """And then no gradient is left for torch."""
    collection = build_collection(FEATURES, GROUPINGS["mixed"], BLUEPRINTS, optimizer=SGD(0.1), init_std=1.0)
    before = [parameter.clone() for parameter in collection.parameters()]
    collection(collection.encode(*batch())).sum().backward()
    assert not any(map(torch.equal, before, collection.parameters()))
    assert all(parameter.grad is None for parameter in collection.parameters())


def test_a_fused_optimizer_does_not_go_with_max() -> None:
    with pytest.raises(InvalidValueError, match=r"optimizer: expected mode 'sum' or 'mean'.*got mode 'max'"):
        build_collection(FEATURES, GROUPINGS["per feature"], BLUEPRINTS, optimizer=SGD(0.1))


def test_one_seed_gives_one_collection() -> None:
    def drawn(seed: int) -> list[Tensor]:
        generator = torch.Generator().manual_seed(seed)
        return list(
            build_collection(FEATURES, GROUPINGS["mixed"], BLUEPRINTS, generator=generator).parameters()
        )

    assert all(map(torch.equal, drawn(3), drawn(3)))
    assert not any(map(torch.equal, drawn(3), drawn(4)))


def test_the_std_of_the_initial_values_is_the_one_asked_for() -> None:
    table = TableSpec(0, 5000, 8)
    collection = build_collection(
        ("a",),
        (GroupSpec(("a",), table, "none"),),
        {"none": Blueprint(table, Vocabulary(np.array([], np.int64)))},
        init_std=0.5,
    )
    assert math.isclose(float(collection.bags[0].tail.detach().std()), 0.5, rel_tol=0.03)


def bag_of(table: TableSpec = TABLE_A, **options: Any) -> EmbeddingBag:
    options = {"mode": "mean", "include_last_offset": True} | options
    return EmbeddingBag(Blueprint(table, HEADS["a"]), **options)


@pytest.mark.parametrize(
    ("names", "bags", "message"),
    [
        (("user", "nobody"), [bag_of()], r"features: expected names among \['user', .*got \['nobody'\]"),
        (("user",), [bag_of(include_last_offset=False)], "include_last_offset=False"),
        (("user",), [bag_of(mode="sum")], "expected TableSpec.* with mode 'mean'.* got .* mode 'sum'"),
        (("user",), [bag_of(replace(TABLE_A, num_buckets=14))], "got TableSpec.*num_buckets=14"),
        (("user",), [], "bags: expected one for each of one group or more, got 0 bags for 1 groups"),
        (("user",), [bag_of(), bag_of()], "got 2 bags for 1 groups"),
    ],
)
def test_parts_that_do_not_fit(names: tuple[str, ...], bags: list[EmbeddingBag], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        EmbeddingCollection(FEATURES, [GroupSpec(names, TABLE_A, "a")], bags)


def test_a_collection_of_nothing() -> None:
    with pytest.raises(InvalidValueError, match="got 0 bags for 0 groups"):
        EmbeddingCollection(FEATURES, [], [])


def test_a_dictionary_without_a_vocabulary() -> None:
    with pytest.raises(InvalidValueError, match=r"blueprints: expected one named 'c', got \['a', 'b'\]"):
        build_collection(FEATURES, (GroupSpec(("user",), TABLE_A, "c"),), BLUEPRINTS)


@pytest.mark.parametrize("groups", GROUPINGS.values(), ids=GROUPINGS)
@pytest.mark.parametrize(
    "offsets", [torch.arange(0), torch.arange(4 * 2), torch.arange(4 * 2 + 2), torch.zeros(1, 5).long()]
)
def test_offsets_of_another_number_of_features(groups: tuple[GroupSpec, ...], offsets: Tensor) -> None:
    collection = build_collection(FEATURES, groups, BLUEPRINTS)
    with pytest.raises(InvalidValueError, match=r"offsets: expected int64\[F \* B \+ 1\] for F = 4 features"):
        collection.encode(torch.arange(8), offsets)


def test_offsets_of_another_type() -> None:
    collection = build_collection(FEATURES, GROUPINGS["joint"], BLUEPRINTS)
    with pytest.raises(InvalidTypeError, match=r"offsets: expected int64 or int32, got torch.int16"):
        collection.encode(torch.arange(8), torch.arange(9, dtype=torch.int16))
