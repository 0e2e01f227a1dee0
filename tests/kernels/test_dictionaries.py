"""Keys to rows through several dictionaries: the definition, the compiled kernels and the numpy definitions agree."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

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
from hybridhash.kernels import cpu, reference
from hybridhash.kernels.cpu.lookup import encode_op
from hybridhash.kernels.reference import Dictionary
from hybridhash.packing import pack_integers, unpack_integers

NO_ROW = 2**31 - 1
int64s = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63)])


class Part(NamedTuple):
    """A dictionary to be made: its keys, and how they are known."""

    keys: list[int]
    key_bits: int
    num_codes: int
    ribbon: bool = False


def made(part: Part, seed: int = 0) -> Dictionary:
    keys = np.array(part.keys, dtype=np.int64)
    if part.ribbon:
        bits = (part.num_codes - 1).bit_length()
        of_keys = np.random.default_rng(seed).integers(0, part.num_codes, keys.size).astype(np.uint32)
        words = torch.from_numpy(build_ribbon(keys, of_keys, bits, part.key_bits))
        return Dictionary(
            words, part.key_bits, torch.empty(0, dtype=torch.uint8), bits, part.num_codes if keys.size else 0
        )
    places = place_keys(keys) if part.key_bits == 64 else place_fingerprints(keys, part.key_bits)
    positions = num_positions(keys.size)
    num_codes = min(part.num_codes, positions)
    bits = max((num_codes - 1).bit_length(), 1) if num_codes else 0
    codes = np.random.default_rng(seed).integers(0, max(num_codes, 1), positions).astype(np.uint32)
    packed = pack_integers(codes, bits) if num_codes else np.empty(0, dtype=np.uint8)
    return Dictionary(
        torch.from_numpy(places), part.key_bits, torch.from_numpy(packed), bits, num_codes or positions
    )


def head_rows(keys: np.ndarray, dictionaries: list[Dictionary]) -> list[int]:
    """One key and one dictionary after the other, by the numpy definitions; -1 for keys of the tail."""
    columns, first_row = [], 0
    for part in dictionaries:
        places = part.places.numpy()
        if part.is_ribbon:
            codes = find_in_ribbon(keys, places, part.code_bits, part.key_bits).tolist()
            # Who was not put in may read a code beyond the rows.
            columns.append([first_row + min(code, part.num_rows - 1) if code >= 0 else -1 for code in codes])
            first_row += part.num_rows
            continue
        if part.key_bits == 64:
            positions = find_positions(keys, places)
        else:
            positions = find_fingerprints(keys, places, part.key_bits)
        column = []
        for position in positions.tolist():
            if position >= 0 and part.code_bits:
                position = int(unpack_integers(part.codes.numpy(), part.code_bits, np.array(position)))
            column.append(first_row + position if position >= 0 else -1)
        columns.append(column)
        first_row += part.num_rows
    return [next((row for row in rows if row >= 0), -1) for rows in zip(*columns, strict=True)] or [-1] * len(
        keys
    )


def check(
    keys: np.ndarray, dictionaries: list[Dictionary], num_buckets: int, num_hashes: int, padding: int | None
) -> None:
    salts = np.array(bucket_salts(num_hashes, 3), dtype=np.uint64).view(np.int64)
    asked = torch.from_numpy(keys)
    expected = np.array(head_rows(keys, dictionaries), dtype=np.int64)
    buckets = hash_buckets(keys, num_buckets, num_hashes, 3)
    counted, in_head = np.array([key != padding for key in keys.tolist()], dtype=bool), expected >= 0
    rows = reference.encode(asked, dictionaries, num_buckets, torch.from_numpy(salts), padding)
    np.testing.assert_array_equal(rows.in_head.numpy(), in_head)
    np.testing.assert_array_equal(rows.in_tail.numpy(), counted & ~in_head)
    np.testing.assert_array_equal(rows.head.numpy(), expected[in_head])
    np.testing.assert_array_equal(rows.tail.numpy(), buckets[counted & ~in_head])
    found = cpu.encode(asked, dictionaries, num_buckets, salts.tolist(), padding).numpy()
    wanted = np.where(in_head[:, None], expected[:, None], ~buckets)
    np.testing.assert_array_equal(found[counted], wanted[counted])
    assert (found[~counted, 0] == NO_ROW).all()


parts = st.builds(
    Part,
    st.lists(int64s, max_size=12, unique=True),
    st.sampled_from([64, 4, 5, 8, 12, 16, 20, 31, 32]),
    st.sampled_from([0, 0, 1, 2, 5, 300]),
    st.just(False),
) | st.builds(
    Part,
    st.lists(int64s, max_size=12, unique=True),
    st.sampled_from([0, 1, 7, 23]),
    st.sampled_from([2, 5, 300]),
    st.just(True),
)


@settings(deadline=None)
@given(
    st.lists(parts, max_size=8),
    st.lists(int64s, max_size=20),
    st.sampled_from([1, 7, 2**31]),
    st.integers(1, 9),
    st.integers(0, 2**32),
)
def test_the_first_dictionary_that_has_a_key_as_in_the_definition(
    tiers: list[Part], others: list[int], num_buckets: int, num_hashes: int, seed: int
) -> None:
    pool = np.array(others + [key for tier in tiers for key in tier.keys], dtype=np.int64)
    keys = np.random.default_rng(seed).choice(pool, 2 * pool.size) if pool.size else pool
    padding = int(keys[0]) if keys.size and seed % 2 else None
    check(keys, [made(tier, seed) for tier in tiers], num_buckets, num_hashes, padding)


@pytest.mark.parametrize(("num_hashes", "more_codes"), [(1, 0), (2, 1), (3, 2)])
@pytest.mark.parametrize(
    ("bits", "num_codes"),
    [
        ((64,), 0), ((16,), 3), ((8,), 1000), ((11,), 0), ((64, 16), 3), ((16, 64), 1000), ((8, 4, 27), 0),
        ((16, 16, 16, 64, 8, 8, 9, 32), 3),
    ],
)  # fmt: skip
def test_many_keys_as_in_the_definition(
    bits: tuple[int, ...], num_codes: int, num_hashes: int, more_codes: int
) -> None:
    """Blocks of keys that are in no, one or several dictionaries; one dictionary in three has no keys."""
    kinds = (0, 3, 1000)
    num_codes = kinds[(kinds.index(num_codes) + more_codes) % 3]
    generator = np.random.default_rng(0)
    pool = np.unique(generator.integers(-(2**63), 2**63, 4000))
    tiers = [
        Part(generator.choice(pool, 0 if place % 3 == 2 else 900, replace=False).tolist(), each, num_codes)
        for place, each in enumerate(bits)
    ]
    check(generator.choice(pool, 9000), [made(tier) for tier in tiers], 99, num_hashes, int(pool[0]))


@pytest.mark.parametrize("num_hashes", [1, 2, 3])
@pytest.mark.parametrize(("num_codes", "check_bits"), [(2, 0), (9, 3), (200, 8), (60_000, 16)])
def test_ribbons_of_many_keys_as_in_the_definition(num_codes: int, check_bits: int, num_hashes: int) -> None:
    """First, between other dictionaries, and last."""
    generator = np.random.default_rng(0)
    pool = np.unique(generator.integers(-(2**63), 2**63, 4000))
    for places in ((0,), (1,), (2,), (0, 2)):
        tiers = [
            Part(generator.choice(pool, 900, replace=False).tolist(), check_bits, num_codes, ribbon=True)
            if place in places
            else Part(generator.choice(pool, 900, replace=False).tolist(), 16, 0)
            for place in range(3)
        ]
        check(generator.choice(pool, 5000), [made(tier) for tier in tiers], 99, num_hashes, int(pool[0]))


def test_codes_beyond_the_rows_read_the_last_by_definition() -> None:
    whole = made(Part([1, 2, 3], 64, 7))
    dictionary = whole._replace(num_rows=2)
    rows = cpu.encode(torch.tensor([1, 2, 3]), [dictionary], 5, [1])
    codes = [head_rows(np.array([key]), [whole])[0] for key in (1, 2, 3)]
    assert rows[:, 0].tolist() == [min(code, 1) for code in codes]
    found = reference.encode(torch.tensor([1, 2, 3]), [dictionary], 5, torch.tensor([1])).head
    assert found.tolist() == rows[:, 0].tolist()


def test_arrays_with_gaps() -> None:
    dictionary = made(Part(list(range(50)), 16, 9))
    spread = dictionary._replace(
        places=dictionary.places.repeat_interleave(2)[::2], codes=dictionary.codes.repeat_interleave(2)[::2]
    )
    keys = torch.arange(80)
    assert torch.equal(cpu.encode(keys, [spread], 5, [1]), cpu.encode(keys, [dictionary], 5, [1]))


def test_more_dictionaries_than_the_kernels_take_are_refused() -> None:
    many = [made(Part([1], 64, 0))] * (cpu.MAX_DICTIONARIES + 1)
    with pytest.raises(ValueError, match="dictionaries: expected at most 8"):
        cpu.encode(torch.arange(3), many, 5, [1])


def flat(dictionaries: list[Dictionary]) -> list[list[Tensor] | list[int]]:
    return [list(column) for column in zip(*dictionaries, strict=True)][:5]  # all but the kind


def test_the_operator_is_one_that_torch_can_trace() -> None:
    dictionaries = [
        made(Part([1, 2], 64, 0)),
        made(Part([], 8, 0)),
        made(Part([3, 4, 5], 16, 2)),
        made(Part([5, 6], 3, 4, ribbon=True)),
    ]
    torch.library.opcheck(encode_op, (torch.arange(9), *flat(dictionaries), 9, [1, 2], None))


class LargestTensor(TorchDispatchMode):
    """Notes the number of elements of the largest tensor that an operator computes; views are none."""

    def __init__(self) -> None:
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = op(*args, **(kwargs or {}))
        if isinstance(out, Tensor) and not op.is_view:
            self.numel = max(self.numel, out.numel())
        return out


@pytest.mark.parametrize(
    "part",
    [Part([], 64, 0), Part([], 8, 0), Part([], 12, 300), Part([], 8, 256, ribbon=True)],
    ids=["exact", "8 bits", "12 bits with codes", "ribbon"],
)
def test_the_definition_reads_no_more_of_a_dictionary_than_the_places_of_the_keys(part: Part) -> None:
    dictionary = made(part._replace(keys=list(range(10_000))))
    salts = torch.zeros(1, dtype=torch.int64)
    with LargestTensor() as largest:
        reference.encode(torch.arange(10), [dictionary], 5, salts)
    assert 0 < largest.numel <= 10 * 16
