"""The compiled packed table on numpy arrays: rows and vectors by numpy's own look-ups, and wrong calls that raise."""

import gc
import itertools
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest

from hybridhash import _native
from hybridhash.hashing import (
    bucket_salts,
    build_ribbon,
    find_fingerprints,
    find_in_ribbon,
    find_positions,
    hash_buckets,
    num_positions,
    place_fingerprints,
    place_keys,
)
from hybridhash.packing import PackedRows, pack_integers, pack_rows, unpack_integers, unpack_rows

Array = npt.NDArray[Any]

NUM_BUCKETS: Final = 50
SUM, MEAN, CONCAT = range(3)
BAG_SUM, BAG_MEAN, BAG_MAX = range(3)
PADDING: Final = 99
NO_ROW: Final = 2**31 - 1
NO_CODES: Final = np.empty(0, dtype=np.uint8)


def frozen(array: Array) -> Array:
    """Return a copy that nobody can write to, as arrays on mapped files are."""
    copy = array.copy()
    copy.setflags(write=False)
    return copy


def packed(num_rows: int, width: int, bits: int, seed: int) -> PackedRows:
    rows = np.random.default_rng(seed).normal(size=(num_rows, width))
    return pack_rows(rows.astype(np.float32), bits)


class Case:
    """Exact keys, fingerprints with codes and a ribbon, a third of the keys in each and as many in the tail."""

    def __init__(self, dim: int = 16, num_hashes: int = 2, combine: int = SUM) -> None:
        generator = np.random.default_rng(dim + num_hashes)
        known = generator.integers(-(2**63), 2**63, 600)
        exact, coded, ribboned = np.split(known, 3)
        codes = generator.integers(0, 30, num_positions(coded.size)).astype(np.uint32)
        ribbon_codes = generator.integers(0, 20, ribboned.size).astype(np.uint32)
        self.exact, self.marked = place_keys(exact), place_fingerprints(coded, 16)
        self.codes, self.ribbon = pack_integers(codes, 5), build_ribbon(ribboned, ribbon_codes, 5, 12)
        self.num_hashes, self.combine = num_hashes, combine
        self.head = [
            packed(num_positions(exact.size), dim, 4, 0),
            packed(30, dim, 32, 1),
            packed(20, dim, 8, 2),
        ]
        self.tail = packed(NUM_BUCKETS, dim // num_hashes if combine == CONCAT else dim, 2, 3)
        self.keys = generator.choice(np.concatenate([known, generator.integers(0, 2**63, 200)]), 3000)
        self.keys[::50] = PADDING

    def arguments(self) -> dict[str, Any]:
        head = [
            (frozen(p.codes), frozen(p.scales), p.bits, p.num_rows, p.width) for p in (*self.head, self.tail)
        ]
        return {
            "dictionaries": [
                (frozen(self.exact), 64, NO_CODES, 0, self.head[0].num_rows),
                (frozen(self.marked), 16, frozen(self.codes), 5, 30),
                (frozen(self.ribbon), 12, NO_CODES, 5, 20),
            ],
            "salts": bucket_salts(self.num_hashes, 7),
            "head": head[:-1],
            "tail": head[-1],
            "combine": self.combine,
        }

    def table(self) -> Any:
        return _native.Table(*self.arguments().values())

    def rows(self) -> Array:
        """Ask the dictionaries one after another, with numpy."""
        rows = ~hash_buckets(self.keys, NUM_BUCKETS, self.num_hashes, 7).astype(np.int32)
        in_exact = find_positions(self.keys, self.exact)
        in_marked, in_ribbon = (
            find_fingerprints(self.keys, self.marked, 16),
            find_in_ribbon(self.keys, self.ribbon, 5, 12),
        )
        first = self.head[0].num_rows
        for found, row in (
            (in_ribbon >= 0, first + 30 + np.minimum(in_ribbon, 19)),
            (in_marked >= 0, first + unpack_integers(self.codes, 5, np.maximum(in_marked, 0))),
            (in_exact >= 0, in_exact),
        ):
            rows[found] = row[found, None]
        rows[self.keys == PADDING, 0] = NO_ROW
        return rows

    def vectors(self) -> Array:
        head = np.concatenate([unpack_rows(part, np.arange(part.num_rows)) for part in self.head])
        tail = unpack_rows(self.tail, np.arange(NUM_BUCKETS))
        vectors = []
        for row in self.rows():
            if row[0] >= 0:
                vectors.append(head[row[0]] if row[0] != NO_ROW else np.zeros(head.shape[1], np.float32))
            elif self.combine == CONCAT:
                vectors.append(tail[~row].reshape(-1))
            else:
                vectors.append(tail[~row].sum(0) if self.combine == SUM else tail[~row].mean(0))
        return np.stack(vectors)


CASES: Final = [(16, 2, SUM), (32, 4, CONCAT), (8, 3, MEAN), (64, 1, SUM), (24, 2, CONCAT)]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_rows_and_vectors_are_those_of_numpy(case: tuple[int, int, int], threads: int) -> None:
    of = Case(*case)
    table, expected = of.table(), of.rows()
    assert 0 < (expected[:, 0] < 0).sum() < of.keys.size  # head and tail among them
    gc.collect()  # the table alone holds its arrays now
    rows = np.empty(expected.shape, np.int32)
    table.rows(of.keys, PADDING, rows, threads)
    counted = of.keys != PADDING
    np.testing.assert_array_equal(rows[counted], expected[counted])
    assert (rows[~counted, 0] == NO_ROW).all()
    vectors = np.full((of.keys.size, table.dim), np.nan, np.float32)
    table.vectors(of.keys, PADDING, vectors, threads)
    np.testing.assert_allclose(vectors, of.vectors(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", [BAG_SUM, BAG_MEAN, BAG_MAX])
@pytest.mark.parametrize("case", CASES[:3])
def test_bags_are_those_of_a_loop_over_vectors(case: tuple[int, int, int], mode: int) -> None:
    of = Case(*case)
    table, vectors, counted = of.table(), of.vectors(), of.keys != PADDING
    offsets = np.array([0, 0, 1, 3, 700, 700, 3000])
    weights = np.linspace(-1, 2, of.keys.size, dtype=np.float32) if mode == BAG_SUM else None
    expected = np.zeros((offsets.size - 1, table.dim), np.float32)
    for bag, (first, last) in enumerate(itertools.pairwise(offsets)):
        here = np.arange(first, last)[counted[first:last]]
        if here.size:
            scaled = vectors[here] if weights is None else vectors[here] * weights[here, None]
            expected[bag] = (scaled.sum(0), scaled.mean(0), scaled.max(0))[mode]
    pooled, pooled_rows = np.full_like(expected, np.nan), np.full_like(expected, np.nan)
    table.pool(of.keys, PADDING, offsets, weights, mode, pooled, 2)
    table.pool_rows(of.rows(), offsets, weights, mode, pooled_rows, 1)
    np.testing.assert_allclose(pooled, expected, rtol=1e-4, atol=1e-3)  # sums of up to 2,300 vectors
    np.testing.assert_array_equal(pooled, pooled_rows)


def test_a_key_has_the_same_bits_alone_and_among_others() -> None:
    of = Case()
    table = of.table()
    many, one = np.empty((of.keys.size, 16), np.float32), np.empty((1, 16), np.float32)
    table.vectors(of.keys, None, many, 2)
    for place in (0, 1, 2047, 2048, 2999):
        table.vectors(of.keys[place : place + 1], None, one, 1)
        np.testing.assert_array_equal(one[0], many[place])
    table.vectors(of.keys[:0], None, many[:0], 1)


@pytest.mark.parametrize(
    "change",
    [
        {"dictionaries": [(np.arange(17), 64, NO_CODES, 0, 999)]},
        {"dictionaries": [(place_keys(np.arange(300)), 64, NO_CODES, 0, num_positions(300))], "head": []},
        {"salts": []},
        {"combine": 3},
        {"combine": CONCAT},
        {"tail": (NO_CODES, NO_CODES, 4, 0, 16)},
        {"tail": (np.zeros((5, 16)), NO_CODES, 32, 5, 16)},
        {"head": [(np.zeros((900, 8), np.float32), NO_CODES, 32, 900, 8)]},
    ],
)
def test_tables_whose_parts_do_not_fit_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        _native.Table(*(Case().arguments() | change).values())


KEYS: Final = np.arange(3)
ROWS: Final = np.zeros((3, 2), np.int32)
OFFSETS: Final = np.arange(4)
OUT: Final = np.empty((3, 16), np.float32)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("rows", (KEYS.astype(np.int32), None, ROWS, 1)),
        ("rows", (KEYS, None, ROWS[:2], 1)),
        ("rows", (KEYS, None, np.zeros((3, 3), np.int32), 1)),
        ("rows", (KEYS, None, frozen(ROWS), 1)),
        ("rows", (KEYS, None, ROWS, 0)),
        ("vectors", (KEYS, None, OUT[:2], 1)),
        ("vectors", (KEYS, None, OUT[:, :8], 1)),
        ("vectors", (KEYS, None, OUT.astype(np.float64), 1)),
        ("vectors", (KEYS, None, OUT, 0)),
        ("pool", (KEYS, None, OFFSETS + 1, None, BAG_SUM, OUT, 1)),
        ("pool", (KEYS, None, np.array([0, 2, 1, 3]), None, BAG_SUM, OUT, 1)),
        ("pool", (KEYS, None, OFFSETS, None, 3, OUT, 1)),
        ("pool", (KEYS, None, OFFSETS, None, -1, OUT, 1)),
        ("pool", (KEYS, None, OFFSETS, np.ones(3, np.float32), BAG_MEAN, OUT, 1)),
        ("pool", (KEYS, None, OFFSETS, np.ones(2, np.float32), BAG_SUM, OUT, 1)),
        ("pool", (KEYS, None, OFFSETS, None, BAG_SUM, OUT[:2], 1)),
        ("pool", (KEYS, None, OFFSETS, None, BAG_SUM, OUT, 0)),
        ("pool_rows", (ROWS[:, :1].copy(), OFFSETS, None, BAG_SUM, OUT, 1)),
        ("pool_rows", (ROWS + 10_000, OFFSETS, None, BAG_SUM, OUT, 1)),
        ("pool_rows", (ROWS - 1 - NUM_BUCKETS, OFFSETS, None, BAG_SUM, OUT, 1)),
        ("pool_rows", (ROWS, OFFSETS, None, BAG_SUM, OUT[:2], 1)),
        ("pool_rows", (ROWS, OFFSETS, None, BAG_SUM, OUT, 0)),
    ],
)  # fmt: skip
def test_wrong_calls_raise(method: str, arguments: tuple[Any, ...]) -> None:
    table = Case().table()
    table.rows(KEYS, None, ROWS, 1)
    table.vectors(KEYS, None, OUT, 1)
    table.pool(KEYS, None, OFFSETS, None, BAG_SUM, OUT, 1)
    table.pool_rows(ROWS, OFFSETS, None, BAG_SUM, OUT, 1)
    with pytest.raises((ValueError, TypeError)):
        getattr(table, method)(*arguments)
