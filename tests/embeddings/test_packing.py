"""Trained rows are rounded, shared or left out as their spec says, and the bytes are the ledger's."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.testing import assert_close

from hybridhash.embeddings import (
    EmbeddingBag,
    EmbeddingCollection,
    PackedEmbeddingBag,
    RowEncoder,
    build_collection,
    pack,
    pack_collections,
)
from hybridhash.embeddings.base import BaseEmbeddingBag
from hybridhash.errors import InvalidTypeError
from hybridhash.hashing import (
    Fingerprints,
    Ribbon,
    find_fingerprints,
    find_in_ribbon,
    find_positions,
    hash_buckets,
    num_positions,
    place_fingerprints,
    place_keys,
)
from hybridhash.packing import PackedRows, pack_rows, unpack_integers, unpack_rows
from hybridhash.spec import GroupSpec, Ledger, TableSpec, Tier
from hybridhash.tables import WIDE_FACTOR, Blueprint
from hybridhash.vocabulary import Vocabulary

POOL = np.random.default_rng(1).permutation(
    np.unique(np.random.default_rng(0).integers(-(2**63), 2**63, 500))
)
PARTS = {"exact": slice(0, 20), "prints": slice(20, 50), "shared": slice(50, 110), "omitted": slice(110, 150)}
TIERS = (Tier(20, 8), Tier(30, 3, 0, Fingerprints(16)), Tier(60, 32, 9, Fingerprints(16)), Tier(40, 0))
SPEC = TableSpec(150, 5, 16, 2, "sum", seed=3, tiers=TIERS, tail_bits=2)
COUNTS = np.arange(1000, 850, -1)


def trained(spec: TableSpec = SPEC, counts: NDArray[np.int64] | None = COUNTS) -> list[EmbeddingCollection]:
    """A deep and a wide collection over one encoder, with rows of about 1."""
    counted = None if counts is None else counts[: spec.num_head]
    blueprints = {"all": Blueprint(spec, Vocabulary(POOL[: spec.num_head], counted))}
    encoders: dict[tuple[object, ...], RowEncoder] = {}
    generator = torch.Generator().manual_seed(0)
    return [
        build_collection(
            ("a", "b"),
            [GroupSpec(("a", "b"), table, "all")],
            blueprints,
            encoders=encoders,
            init_std=1.0,
            generator=generator,
        )
        for table in (spec, spec.companion())
    ]


def packed(collections: list[EmbeddingCollection]) -> list[EmbeddingCollection]:
    return pack_collections(collections)


def bag_of(collection: EmbeddingCollection) -> BaseEmbeddingBag:
    return collection.tables[0][1]


def rows_of(collection: EmbeddingCollection, place: int) -> NDArray[np.float32]:
    """Return the trained head rows of a tier."""
    bag = bag_of(collection)
    assert isinstance(bag, EmbeddingBag)
    first = sum(tier.num_positions for tier in bag.spec.tiers[:place])
    return bag.head.detach().numpy()[first : first + bag.spec.tiers[place].num_positions]


def positions(place: int, keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where keys stand in a tier, by the numpy definitions."""
    own = POOL[list(PARTS.values())[place]]
    if TIERS[place].key_bits == 64:
        return find_positions(keys, place_keys(own))
    bits = TIERS[place].key_bits
    return find_fingerprints(keys, place_fingerprints(own, bits), bits)


def vectors(collection: EmbeddingCollection, keys: NDArray[np.int64]) -> NDArray[np.float32]:
    return bag_of(collection).dense_equivalent(torch.from_numpy(keys)).detach().numpy()


def shipped_rows(collection: EmbeddingCollection, place: int) -> NDArray[np.float32]:
    bag = bag_of(collection)
    assert isinstance(bag, PackedEmbeddingBag)
    slab = bag.slabs[place]
    return unpack_rows(
        PackedRows(slab.codes.numpy(), slab.scales.numpy(), slab.bits, slab.width, slab.num_rows)
    )


@pytest.mark.parametrize(("name", "place"), [("exact", 0), ("prints", 1)])
def test_keys_with_a_row_of_their_own_read_it_rounded(name: str, place: int) -> None:
    collections = trained()
    keys = POOL[PARTS[name]]
    for before, after, bits in zip(collections, packed(collections), (TIERS[place].bits, 8), strict=True):
        expected = unpack_rows(pack_rows(rows_of(before, place), bits), positions(place, keys))
        np.testing.assert_array_equal(vectors(after, keys), expected)


def test_a_key_with_a_code_reads_the_nearest_of_the_shared_rows() -> None:
    """By brute force in float64, over the deep row and the wide weight side by side; the weight counts more."""
    collections = trained()
    after = packed(collections)
    keys = POOL[PARTS["shared"]]
    at = positions(2, keys)
    assert WIDE_FACTOR == 4
    rows = np.concatenate([rows_of(collections[0], 2)[at], 4 * rows_of(collections[1], 2)[at]], axis=1)
    shared = [shipped_rows(collection, 2) for collection in after]
    assert [each.shape for each in shared] == [(9, 16), (9, 1)]
    centres = np.concatenate([shared[0], 4 * shared[1]], axis=1)
    distances = ((rows[:, None].astype(np.float64) - centres) ** 2).sum(axis=2)
    nearest = distances.argmin(axis=1)
    assert len(set(nearest.tolist())) > 4
    for collection, each in zip(after, shared, strict=True):
        np.testing.assert_array_equal(vectors(collection, keys), each[nearest])
    codes = bag_of(after[0]).encoder
    assert codes is bag_of(after[1]).encoder
    np.testing.assert_array_equal(unpack_integers(codes.dictionaries[2].codes.numpy(), 4, at), nearest)


def test_a_ribbon_holds_the_codes_of_its_keys() -> None:
    """The same rows and codes as behind exact keys; a key that was not put in reads some row one time in eight."""
    exact = (Tier(20, 8), Tier(90, 32, 9), Tier(40, 0))
    ribbon = (Tier(20, 8), Tier(90, 32, 9, Ribbon(3)), Tier(40, 0))
    by_places, by_ribbon = (packed(trained(replace(SPEC, tiers=tiers))) for tiers in (exact, ribbon))
    for one, other in zip(by_places, by_ribbon, strict=True):
        np.testing.assert_array_equal(shipped_rows(one, 1), shipped_rows(other, 1))
        np.testing.assert_array_equal(vectors(one, POOL[:110]), vectors(other, POOL[:110]))
        strangers = POOL[110:]
        differ = (vectors(one, strangers) != vectors(other, strangers)).any(axis=1)
        codes = find_in_ribbon(strangers, bag_of(other).encoder.dictionaries[1].places.numpy(), 4, 3)
        np.testing.assert_array_equal(differ, codes >= 0)
        rows = shipped_rows(other, 1)[np.minimum(codes[codes >= 0], 8)]
        np.testing.assert_array_equal(vectors(other, strangers[codes >= 0]), rows)
        assert 20 < differ.sum() < 80  # of 390, 49 are expected


def test_a_key_that_an_earlier_tier_takes_does_not_disturb_a_ribbon() -> None:
    """A fingerprint of four bits takes about every other key for one of its own."""
    tiers = (Tier(100, 8, 0, Fingerprints(4)), Tier(50, 32, 6, Ribbon(3)))
    collections = trained(replace(SPEC, tiers=tiers))
    [deep, _] = packed(collections)
    keys = POOL[100:150]
    taken = find_fingerprints(keys, place_fingerprints(POOL[:100], 4), 4)
    assert 5 < (taken >= 0).sum() < 45
    expected = unpack_rows(
        pack_rows(rows_of_all(collections[0], Tier(100).num_positions), 8), np.maximum(taken, 0)
    )
    np.testing.assert_array_equal(vectors(deep, keys[taken >= 0]), expected[taken >= 0])
    shared = {tuple(row) for row in shipped_rows(deep, 1).tolist()}
    assert {tuple(row) for row in vectors(deep, keys[taken < 0]).tolist()} <= shared


def rows_of_all(collection: EmbeddingCollection, count: int) -> NDArray[np.float32]:
    """Return the first trained head rows."""
    bag = bag_of(collection)
    assert isinstance(bag, EmbeddingBag)
    return bag.head.detach().numpy()[:count]


def test_frequent_keys_pull_the_shared_rows() -> None:
    """A key that outweighs all others of its row is the row."""
    collections = trained()
    keys = POOL[PARTS["shared"]]
    counts = COUNTS.copy()
    counts[57] = 10**9
    own = rows_of(collections[0], 2)[positions(2, keys[7:8])]
    assert_close(vectors(packed(trained(counts=counts))[0], keys[7:8]), own, rtol=0, atol=1e-4)
    for others in (COUNTS, None):
        assert np.abs(vectors(packed(trained(counts=others))[0], keys[7:8]) - own).max() > 0.1


def test_keys_that_are_not_shipped_read_the_tail() -> None:
    collections = trained()
    after = packed(collections)
    keys = POOL[PARTS["omitted"]]
    strangers = (positions(1, keys) < 0) & (positions(2, keys) < 0)
    assert strangers.sum() >= 39
    for before, collection, bits in zip(collections, after, (2, 4), strict=True):
        trained_bag = bag_of(before)
        assert isinstance(trained_bag, EmbeddingBag)
        tail = unpack_rows(pack_rows(trained_bag.tail.detach().numpy(), bits))
        expected = tail[hash_buckets(keys, 5, 2, 3)].sum(axis=1)
        assert_close(vectors(collection, keys)[strangers], expected[strangers])


def test_deep_and_wide_look_keys_up_once() -> None:
    deep, wide = packed(trained())
    assert wide.shares_rows_with(deep)
    keys, offsets = torch.from_numpy(POOL), torch.arange(501)
    inputs = deep.encode(keys, offsets)
    assert torch.equal(wide(inputs), wide(wide.encode(keys, offsets)))


def test_the_bytes_of_the_buffers_are_the_ledgers() -> None:
    for collection, is_deep in zip(packed(trained()), (True, False), strict=True):
        bag = bag_of(collection)
        assert not list(bag.parameters())
        sizes = {name: value.nbytes for name, value in bag.state_dict().items() if "_extra_state" not in name}

        def of(start: str, sizes: dict[str, int] = sizes) -> int:
            return sum(size for name, size in sizes.items() if name.startswith(start))

        rows = [sizes[f"rows_{place}"] for place in range(4)]
        found = Ledger(
            head_rows=sum(rows[:3]),
            tail_rows=rows[3],
            scales=of("scales_"),
            dictionary=of("encoder.dictionary"),
            codes=of("encoder.codes"),
        )
        assert found == bag.spec.ledger()
        assert found.total_bytes == sum(sizes.values())
        # 56 positions share 9 rows of 16 floats; the 40 keys that are left out weigh nothing.
        assert rows[2] == 9 * (16 if is_deep else 1) * 4


def test_the_trained_collections_stay_as_they_are() -> None:
    collections = trained()
    before = [parameter.detach().clone() for each in collections for parameter in each.parameters()]
    packed(collections)
    after = [parameter for each in collections for parameter in each.parameters()]
    assert len(after) == 4
    assert all(map(torch.equal, before, after))


def test_a_packed_row_is_no_view_of_a_trained_one() -> None:
    collections = trained(TableSpec(20, 5, 16, tiers=(Tier(20, 32, 0, Fingerprints(16)),), tail_bits=8))
    [deep, _] = packed(collections)
    keys = POOL[:20]
    before = vectors(deep, keys)
    with torch.no_grad():
        for parameter in collections[0].parameters():
            parameter.zero_()
    np.testing.assert_array_equal(vectors(deep, keys), before)
    assert before.any()


def test_tables_that_are_shipped_as_trained_keep_their_bags() -> None:
    plain = TableSpec(20, 5, 16, 2, "concat", tiers=(Tier(20, 32, 0, Fingerprints(16)),))
    collections = trained(plain)
    assert [bag_of(each) for each in packed(collections)] == [bag_of(each) for each in collections]


def test_a_packed_bag_has_the_options_of_the_trained_one() -> None:
    for engine in ("cpu", "reference"):
        bag = EmbeddingBag(
            Blueprint(SPEC, Vocabulary(POOL[:150])),
            mode="max",
            include_last_offset=True,
            padding_key=int(POOL[0]),
            engine=engine,
        )
        collection = EmbeddingCollection(("a",), [GroupSpec(("a",), SPEC, "all", "max")], [bag])
        found = bag_of(packed([collection])[0])
        assert (found.mode, found.include_last_offset) == ("max", True)
        assert (found.padding_key, found.engine) == (int(POOL[0]), engine)


def test_a_tier_without_keys() -> None:
    spec = TableSpec(20, 5, 16, tiers=(Tier(0, 8, 4, Fingerprints(16)), Tier(20, 8)), tail_bits=8)
    [deep, _] = packed(trained(spec, None))
    assert num_positions(0) == 0
    expected = unpack_rows(
        pack_rows(rows_of(trained(spec)[0], 1), 8), find_positions(POOL[:20], place_keys(POOL[:20]))
    )
    np.testing.assert_array_equal(vectors(deep, POOL[:20]), expected)


def test_what_is_packed_already_is_refused_in_words() -> None:
    bag = EmbeddingBag(Blueprint(SPEC, Vocabulary(POOL[:150])))
    table = pack(bag)
    for packed_already in (table, PackedEmbeddingBag(table)):
        with pytest.raises(
            InvalidTypeError, match=r"expected a hybridhash.EmbeddingBag, got .*: it is packed already"
        ):
            pack(packed_already)  # type: ignore[arg-type]
    with pytest.raises(InvalidTypeError, match="it has no blueprint"):
        pack(torch.nn.EmbeddingBag(3, 4))  # type: ignore[arg-type]
