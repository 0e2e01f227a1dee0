"""A packed bag: both engines, what it says of itself, what it refuses. Its contract is in tests/contracts."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from hybridhash.embeddings import EmbeddingBag, PackedEmbeddingBag, RowEncoder, pack
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import Fingerprints
from hybridhash.kernels import cpu, engine_names
from hybridhash.kernels.reference import Mode, Rows
from hybridhash.packing import PackedRows, pack_integers, pack_rows
from hybridhash.spec import TableSpec, Tier
from hybridhash.tables import Blueprint, KeyIndex, ShippedTable
from hybridhash.vocabulary import Vocabulary

POOL = np.random.default_rng(0).permutation(4000)
TIERS = (Tier(300, 8, 0, Fingerprints(16)), Tier(600, 4, 50, Fingerprints(10)), Tier(500, 0))
SPEC = TableSpec(1400, 90, 24, 3, "concat", seed=5, tiers=TIERS, tail_bits=3)
KEYS = torch.from_numpy(np.random.default_rng(1).choice(POOL, 9000))
OFFSETS = torch.from_numpy(np.sort(np.random.default_rng(2).integers(0, 9000, 700)))
OFFSETS[0] = 0


def index_of(spec: TableSpec) -> KeyIndex:
    trained = KeyIndex.in_training(Blueprint(spec, Vocabulary(POOL[: spec.num_head])))
    shipped = [
        (one, tier) for one, tier in zip(trained.dictionaries, spec.head_tiers, strict=True) if tier.bits
    ]
    codes = [
        pack_integers(np.arange(tier.num_positions, dtype=np.uint32) % 50, tier.code_bits)
        if tier.num_codes
        else np.empty(0, dtype=np.uint8)
        for _, tier in shipped
    ]
    return KeyIndex.shipped(spec, [one.places for one, _ in shipped], codes)


def rows_of(spec: TableSpec) -> list[PackedRows]:
    generator = np.random.default_rng(3)
    shapes = [(tier.num_rows, spec.dim, tier.bits) for tier in spec.head_tiers if tier.bits]
    shapes.append((spec.num_buckets, spec.bucket_dim, spec.tail_bits))
    return [
        pack_rows(generator.normal(size=(rows, width)).astype(np.float32), bits)
        for rows, width, bits in shapes
    ]


def bag(spec: TableSpec = SPEC, **options: Any) -> PackedEmbeddingBag:
    return PackedEmbeddingBag(ShippedTable(spec, index_of(spec), rows_of(spec)), **options)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("combine", ["sum", "mean", "concat"])
@pytest.mark.parametrize("padding", [None, int(POOL[3]), int(POOL[3999])])
def test_the_engines_agree(mode: Mode, combine: Any, padding: int | None) -> None:
    """Bags of many keys: of the head, with codes, omitted and new."""
    spec = TableSpec(1400, 90, 24, 3, combine, seed=5, tiers=TIERS, tail_bits=3)
    fast, slow = (bag(spec, mode=mode, padding_key=padding, engine=name) for name in ("cpu", "reference"))
    assert (fast.engine_in_use().name, slow.engine_in_use().name) == ("cpu", "reference")
    assert isinstance(slow.lookup(KEYS), Rows)
    assert_close(fast(KEYS, OFFSETS), slow(KEYS, OFFSETS))
    assert torch.equal(fast(KEYS, OFFSETS, rows=fast.encode(KEYS)), fast(KEYS, OFFSETS))
    assert torch.equal(fast.dense_equivalent(KEYS), slow.dense_equivalent(KEYS))


def test_the_padding_key_has_no_vector() -> None:
    padded = bag(padding_key=int(POOL[3]))
    assert not padded.dense_equivalent(torch.tensor([int(POOL[3])])).any()
    assert bag().dense_equivalent(torch.tensor([int(POOL[3])])).any()


def test_a_state_holds_all_that_is_shipped_and_nothing_is_trained() -> None:
    source, other = bag(mode="sum"), bag(mode="sum")
    for slab in other.slabs:
        slab.codes.zero_()
    assert not torch.equal(other(KEYS, OFFSETS), source(KEYS, OFFSETS))
    other.load_state_dict(source.state_dict())
    assert torch.equal(other(KEYS, OFFSETS), source(KEYS, OFFSETS))
    assert not list(source.parameters())
    assert not source(KEYS, OFFSETS).requires_grad


def test_what_it_says_of_itself() -> None:
    found = bag()
    assert found.dtype == torch.float32
    assert "rows=336 of 8 bits, 50 of 4 bits, 90 of 3 bits, dim=24, mode='mean'" in repr(found)


@pytest.mark.parametrize(
    ("place", "changes"),
    [(0, {"num_rows": 335}), (1, {"num_rows": 51}), (1, {"width": 23}), (0, {"bits": 4}), (2, {"bits": 2})],
)
def test_rows_of_another_table_are_refused(place: int, changes: dict[str, int]) -> None:
    rows = rows_of(SPEC)
    wanted = {
        "num_rows": rows[place].num_rows,
        "width": rows[place].width,
        "bits": rows[place].bits,
    } | changes
    rows[place] = pack_rows(np.ones((wanted["num_rows"], wanted["width"]), dtype=np.float32), wanted["bits"])
    with pytest.raises(InvalidValueError, match=r"rows: expected \(rows, width, bits\) \[\(336, 24, 8\)"):
        ShippedTable(SPEC, index_of(SPEC), rows)


def test_rows_of_a_tier_that_is_not_shipped_are_refused() -> None:
    rows = rows_of(SPEC)
    for head in (rows[:1], [*rows[:2], rows[1]]):
        with pytest.raises(InvalidValueError, match=r"rows: expected \(rows, width, bits\)"):
            ShippedTable(SPEC, index_of(SPEC), [*head, rows[2]])


def test_an_encoder_of_another_table_is_refused() -> None:
    tiers = (TIERS[0], Tier(600, 4, 51, Fingerprints(10)), TIERS[2])
    other = TableSpec(1400, 90, 24, 3, "concat", seed=5, tiers=tiers)
    with pytest.raises(InvalidValueError, match="encoder: expected one of TableSpec"):
        PackedEmbeddingBag(bag().shipped(), encoder=RowEncoder(index_of(other)))
    with pytest.raises(InvalidValueError, match="index: expected that of TableSpec"):
        ShippedTable(SPEC, index_of(other), rows_of(SPEC))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "median"}, "mode: expected one of sum, mean, max, got 'median'"),
        ({"engine": "gpu"}, f"engine: expected one of {', '.join(engine_names())}, got 'gpu'"),
        ({"padding_key": 2**63}, "padding_key: expected an int64 key, got 9223372036854775808"),
        ({"padding_key": -(2**63) - 1}, "padding_key: expected an int64 key"),
    ],
)
def test_options_that_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        bag(**options)


def test_more_hashes_than_the_kernels_take() -> None:
    spec = TableSpec(0, 9, 8, cpu.MAX_HASHES + 1, "sum", tail_bits=4)
    assert bag(spec).engine_in_use().name == "reference"
    with pytest.raises(InvalidValueError, match="engine 'cpu': expected at most 16 hashes, got 17"):
        bag(spec, engine="cpu")(KEYS, OFFSETS)
    last = TableSpec(0, 9, 8, cpu.MAX_HASHES, "sum", tail_bits=4)
    assert bag(last).engine_in_use().name == "cpu"


def test_a_lookup_of_another_bag_is_refused() -> None:
    mine = bag()
    others = [
        bag(),
        PackedEmbeddingBag(mine.shipped(), encoder=mine.encoder, padding_key=5),
    ]
    for other in others:
        with pytest.raises(
            InvalidValueError, match="rows: expected the lookup of a bag with the same encoder"
        ):
            mine(KEYS, OFFSETS, rows=other.lookup(KEYS))


@pytest.mark.parametrize("engine", ["cpu", "reference"])
def test_input_that_is_refused(engine: Any) -> None:
    found = bag(mode="sum", engine=engine)
    with pytest.raises(InvalidTypeError, match=r"keys: expected int64 or int32, got torch.int16"):
        found(KEYS.short(), OFFSETS)
    with pytest.raises(InvalidTypeError, match=r"expected torch.float32, as the rows are, got torch.float64"):
        found(KEYS, OFFSETS, torch.ones(9000).double())
    with pytest.raises(InvalidValueError, match="offsets: expected to begin at 0, got 1"):
        found(KEYS, OFFSETS + 1)
    with pytest.raises(InvalidValueError, match="offsets: expected to rise"):
        found(KEYS, torch.tensor([0, 5, 3]))
    with pytest.raises(InvalidValueError, match="keys: expected 1-D"):
        found.dense_equivalent(KEYS[None])


def test_both_engines_read_a_table_trained_in_tiers_as_it_was() -> None:
    """Floats of 32 bits and no codes: the packed bag is the trained one."""
    tiers = (Tier(300, 32, 0, Fingerprints(16)), Tier(600))
    spec = TableSpec(900, 90, 24, 2, "sum", tiers=tiers)
    trained = EmbeddingBag(Blueprint(spec, Vocabulary(POOL[:900])), init_std=1.0)
    for engine in ("cpu", "reference"):
        found = PackedEmbeddingBag(pack(trained), engine=engine)
        assert_close(found(KEYS, OFFSETS), trained(KEYS, OFFSETS).detach())


def test_the_module_and_the_table_without_torch_are_one() -> None:
    found = bag(mode="sum")
    again = PackedEmbeddingBag(found.shipped(), mode="sum")
    assert torch.equal(again(KEYS, OFFSETS), found(KEYS, OFFSETS))
    bounds = np.append(OFFSETS.numpy(), KEYS.numel())
    np.testing.assert_array_equal(
        found.shipped().pool(KEYS.numpy(), bounds, mode="sum"), found(KEYS, OFFSETS).numpy()
    )
