"""The compiled bags of packed rows against the definition, and wrong calls that raise."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from hybridhash import _native
from hybridhash.errors import InvalidValueError
from hybridhash.hashing import place_keys
from hybridhash.kernels import cpu
from hybridhash.kernels.cpu.packed import packed_pool_op
from hybridhash.kernels.reference import Combine, Dictionary, Mode
from hybridhash.packing import ROW_BITS

from ..conftest import NO_CODES, Table, slab_of

DIMS = [1, 2, 8, 16, 17, 24, 32, 64, 128, 200]


def assert_both_ways(table: Table, mode: Mode, weights: Tensor | None = None) -> None:
    """Rows that are given and rows found on the way, relative to the sums of the sizes of what is added."""
    expected = table.by_definition(mode, weights)
    found = table.pooled(table.lookup().rows(), mode, weights)
    assert found.dtype == torch.float32
    # Sums of some hundred float32 in different orders: below the bound of 2 * keys * hashes * 2**-24.
    allowed = 1e-5 * table.sizes(mode, None if weights is None else weights.abs())
    assert ((found - expected).abs() <= allowed).all()
    lookup = table.lookup()
    assert torch.equal(table.pooled(lookup, mode, weights), found)
    assert torch.equal(lookup.rows(), table.lookup().rows())


COMBINES: list[tuple[int, Combine]] = [
    (1, "sum"), (2, "sum"), (3, "mean"), (1, "concat"), (2, "concat"), (4, "concat"), (8, "concat"), (5, "concat"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("dim", "num_hashes", "combine", "bits"),
    [
        (dim, *combine, bits)
        for (d, dim), (c, combine), (b, bits) in itertools.product(
            *map(enumerate, (DIMS, COMBINES, ROW_BITS))
        )
        if dim == 32 or (d + c + b) % len(ROW_BITS) == 0  # every pair of two of them, and all with dim 32
    ],
)
def test_bags_are_those_of_the_definition(dim: int, num_hashes: int, combine: Combine, bits: int) -> None:
    if combine == "concat" and dim % num_hashes:
        dim *= num_hashes
    lengths = (3, 0, 1, 20, 0, 700, 2, 513, 512) if dim == 32 else (3, 0, 1, 20, 0, 270, 2)
    table = Table(dim, (bits, bits), num_hashes, combine, lengths=lengths)
    assert_both_ways(table, "sum")
    assert_both_ways(table, "sum", table.weights())
    if dim in (16, 17, 32, 64, 128):  # those that have code of their own, and one of the others
        assert_both_ways(table, "mean")
        assert_both_ways(table, "max")


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("bits", [(2,), (32,), (8, 4, 2), (32, 8, 4, 3, 2, 2, 4, 8, 4)])
@pytest.mark.parametrize("padding", [None, 7, 8])
def test_a_head_in_parts_is_that_of_the_definition(
    bits: tuple[int, ...], mode: Mode, padding: int | None
) -> None:
    assert_both_ways(Table(32, bits, padding=padding), mode)
    assert_both_ways(Table(24, bits, 3, "concat", padding=padding), mode)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_any_number_of_threads_and_any_neighbours_give_the_same_bits_as_the_definition_of_a_bag(
    mode: Mode,
) -> None:
    table = Table(32, (4, 2, 8), lengths=(20,) * 2000 + (3000,))
    pooled = []
    for num_threads in (1, 2, 3):
        torch.set_num_threads(num_threads)
        pooled.append(table.pooled(table.lookup(), mode))
    assert torch.equal(pooled[0], pooled[1])
    assert torch.equal(pooled[0], pooled[2])
    table.keys, table.offsets = table.keys[-3000:], torch.tensor([0, 3000])
    assert torch.equal(table.pooled(table.lookup(), mode), pooled[0][-1:])


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize(("num_hashes", "combine"), [(2, "sum"), (8, "concat"), (3, "mean")])
def test_rows_that_nobody_keeps_give_the_same(num_hashes: int, combine: Combine, mode: Mode) -> None:
    table = Table(32, (4, 2, 8), num_hashes, combine, padding=7)
    lookup, kept = table.lookup(kept=False), table.lookup()
    assert torch.equal(table.pooled(lookup, mode), table.pooled(kept, mode))
    assert lookup.found is None
    assert torch.equal(kept.rows(), lookup.rows())


def test_weights_without_bounds_as_in_the_definition() -> None:
    table = Table(16, (4, 4), lengths=(2, 2))
    weights = torch.tensor([1.0, torch.nan, torch.inf, 1.0])
    found = table.pooled(table.lookup(), "sum", weights)
    assert_close(found, table.by_definition("sum", weights), equal_nan=True)


@pytest.mark.parametrize("lengths", [(), (0,), (0, 0, 0)])
def test_no_keys_are_zeros_as_in_the_definition(lengths: tuple[int, ...]) -> None:
    table = Table(32, (4, 4), lengths=lengths)
    assert torch.equal(table.pooled(table.lookup(), "sum"), torch.zeros(len(lengths), 32))
    assert torch.equal(table.by_definition("max"), torch.zeros(len(lengths), 32))


def test_a_lookup_in_other_buckets_is_refused() -> None:
    table = Table(16, (4, 4))
    lookup = cpu.Lookup(table.keys, table.dictionaries, 7, table.salts)
    with pytest.raises(InvalidValueError, match="expected a lookup in 40 buckets, got one in 7"):
        table.pooled(lookup, "sum")


@pytest.mark.parametrize("combine", ["sum", "concat"])
def test_the_operator_is_one_that_torch_can_trace(combine: Combine) -> None:
    table = Table(16, (4, 32, 2), 2, combine, lengths=(3, 0, 2))
    slabs = [list(column) for column in zip(*table.head, table.tail, strict=True)]
    rows = table.lookup().rows()
    for mode, weights in ((0, table.weights()), (1, None), (2, None)):
        index = ("sum", "mean", "concat").index(combine)
        torch.library.opcheck(packed_pool_op, (*slabs, rows, table.offsets, weights, index, mode))


def valid() -> dict[str, Any]:
    """A right call of the kernel, each of whose arguments a test replaces."""
    return {
        "head": [slab_of(5, 4, 4)],
        "tail": slab_of(3, 4, 2),
        "rows": torch.tensor([[4, 0], [~2, ~0]], dtype=torch.int32),
        "offsets": torch.tensor([0, 1, 2]),
        "weights": None,
        "combine": 0,
        "mode": 0,
        "out": torch.empty(2, 4),
        "num_threads": 1,
    }


FLOATS = slab_of(5, 4, 32)


@pytest.mark.parametrize(
    "change",
    [
        {"head": None},
        {"head": [slab_of(4, 4, 4)]},
        {"head": [slab_of(5, 8, 4)]},
        {"head": [slab_of(1, 4, 4)] * 9},
        {"head": [slab_of(5, 4, 4)._replace(bits=5)]},
        {"head": [slab_of(5, 4, 4)._replace(bits=0)]},
        {"head": [slab_of(5, 4, 2)._replace(bits=1, codes=torch.zeros(3 + 7, dtype=torch.uint8))]},
        {"head": [slab_of(5, 4, 4)._replace(bits=8)]},
        {"head": [slab_of(5, 4, 4)._replace(bits=3)]},
        {"head": [slab_of(5, 4, 4)._replace(num_rows=6)]},
        {"head": [slab_of(5, 4, 4)._replace(num_rows=-1)]},
        {"head": [slab_of(5, 4, 4)._replace(num_rows=2**40)]},
        {"head": [slab_of(5, 4, 4)._replace(width=0)]},
        {"head": [slab_of(5, 4, 4)._replace(width=2**21)]},
        {"head": [slab_of(5, 4, 4)._replace(scales=NO_CODES)]},
        {"head": [slab_of(5, 4, 4)._replace(codes=torch.zeros(17, dtype=torch.int8))]},
        {"head": [slab_of(5, 4, 4)._replace(codes=torch.zeros(1, 17, dtype=torch.uint8))]},
        {"head": [FLOATS._replace(codes=FLOATS.codes.double())]},
        {"head": [FLOATS._replace(codes=FLOATS.codes[:4])]},
        {"head": [FLOATS._replace(scales=torch.zeros(4, dtype=torch.uint8))]},
        {"tail": slab_of(2, 4, 2)},
        {"tail": slab_of(3, 2, 2)},
        {"tail": slab_of(0, 4, 2)},
        {"rows": torch.tensor([[5, 0], [-1, -1]], dtype=torch.int32)},
        {"rows": torch.tensor([[0, 0], [-1, ~3]], dtype=torch.int32)},
        {"rows": torch.tensor([[0, 0], [-1, 2]], dtype=torch.int32)},
        {"rows": torch.tensor([[0, 0]], dtype=torch.int32)},
        {"rows": torch.zeros(2, 2).long()},
        {"rows": torch.zeros(2, 17, dtype=torch.int32)},
        {"offsets": torch.tensor([0, 1])},
        {"offsets": torch.tensor([0, 3, 2])},
        {"offsets": torch.tensor([0, 1, 3])},
        {"offsets": torch.zeros(0).long()},
        {"weights": torch.zeros(3)},
        {"weights": torch.zeros(2), "mode": 1},
        {"combine": 2},
        {"combine": 3},
        {"mode": -1},
        {"out": torch.empty(2, 5)},
        {"out": torch.empty(1, 4)},
        {"out": torch.empty(2, 4).double()},
        {"num_threads": 0},
    ],
)  # fmt: skip
def test_wrong_calls_raise(change: dict[str, Any]) -> None:
    _native.packed_forward(*valid().values())
    with pytest.raises((ValueError, TypeError)):
        _native.packed_forward(*(valid() | change).values())


@pytest.mark.parametrize(
    "change",
    [
        {"dictionaries": [Dictionary(torch.from_numpy(place_keys(np.arange(3))), 64, NO_CODES, 0, 24)]},
        {"rows": torch.empty(2, 1, dtype=torch.int32)},
        {"rows": torch.empty(1, 2, dtype=torch.int32)},
        {"salts": []},
        {"out": torch.empty(3, 4)},
        {"num_threads": 0},
    ],
)
def test_wrong_calls_with_keys_raise(change: dict[str, Any]) -> None:
    call = {"keys": torch.arange(2), "dictionaries": [], "salts": [1, 2], "padding": None} | {
        name: valid()[name]
        for name in ("head", "tail", "offsets", "weights", "combine", "mode", "rows", "out", "num_threads")
    }
    _native.packed_encode_and_pool(*call.values())
    with pytest.raises((ValueError, TypeError)):
        _native.packed_encode_and_pool(*(call | change).values())
