"""The compiled form equals `reference` bit for bit, and refuses what it cannot read."""

import ctypes
import mmap
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridhash import _native
from hybridhash.errors import DataError
from hybridhash.hashing import native, reference
from hybridhash.hashing.text import ByteStrings, from_python

salts = st.sampled_from([0, 1, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1)
# Lengths around the words and stripes of XXH64, many strings of each so that blocks are full.
WIDTHS = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 23, 24, 31, 32, 33, 40, 63, 64, 65, 71, 72, 100]
RANDOM = np.random.default_rng(11)


def lengths_below(longest: int, count: int) -> Any:
    return RANDOM.integers(0, longest + 1, size=count)


def same(found: Any, expected: Any) -> None:
    assert found.dtype == expected.dtype == np.int64
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i8", ">i4", ">u8"])
@pytest.mark.parametrize("step", [1, -3])
def test_integers(dtype: str, step: int) -> None:
    words = RANDOM.integers(-(2**63), 2**63 - 1, size=1001)
    values = words.astype(dtype)[::step]
    before = values.copy()
    for salt in (0, 2**64 - 1, 12345):
        same(native.integer_keys(values, salt), reference.integer_keys(values, salt))
    assert (values == before).all()


def test_integers_that_may_not_be_written() -> None:
    for values in (np.arange(10), np.arange(0), np.arange(10, dtype=np.int8)):
        values.flags.writeable = False
        same(native.integer_keys(values, 3), reference.integer_keys(values, 3))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=70), max_size=40), salts)
def test_slices(values: list[bytes], salt: int) -> None:
    strings = from_python(values)
    found = native.byte_string_keys(strings, salt)
    assert [int(key) % 2**64 for key in found] == [xxhash.xxh64_intdigest(value, salt) for value in values]


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 200])
def test_every_slice_of_a_buffer(size: int) -> None:
    """All starts and lengths, in random order, so that blocks mix short, long and last strings."""
    data = RANDOM.integers(0, 256, size=size, dtype=np.uint8)
    pairs = [
        (start, stop - start) for start in range(size + 1) for stop in range(start, min(size, start + 80) + 1)
    ]
    starts, lengths = RANDOM.permutation(np.array(pairs, dtype=np.int64)).T.copy()
    strings = ByteStrings(data, starts, lengths)
    same(native.byte_string_keys(strings, 5), reference.byte_string_keys(strings, 5))


@pytest.mark.parametrize("longest", WIDTHS)
@pytest.mark.parametrize("count", [0, 1, 7, 255, 256, 257, 1000])
def test_blocks_of_short_and_long_strings(longest: int, count: int) -> None:
    lengths = lengths_below(longest, count)
    starts = np.cumsum(lengths) - lengths
    data = RANDOM.integers(0, 256, size=int(lengths.sum()), dtype=np.uint8)
    strings = ByteStrings(data, starts, lengths)
    expected = reference.byte_string_keys(strings, 2**63)
    same(native.byte_string_keys(strings, 2**63), expected)
    for dtype in (np.int32, np.int64):
        keys = np.empty(count, dtype=np.int64)
        offsets = np.append(starts, lengths.sum()).astype(dtype)
        _native.hash_offsets(data, offsets, keys, 2**63, 2)
        same(keys, expected)


@settings(deadline=None)
@given(
    st.lists(st.none() | st.binary(max_size=40), max_size=30),
    st.sampled_from([pa.binary(), pa.large_binary()]),
    salts,
    st.data(),
)
def test_arrow_slices(values: list[bytes | None], kind: Any, salt: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(values)))
    array = pa.array(values, type=kind).slice(start)
    valid = ~np.array(array.is_null())
    found, expected = native.arrow_string_keys(array, salt), reference.arrow_string_keys(array, salt)
    same(found[valid], expected[valid])


@pytest.mark.parametrize("width", WIDTHS)
def test_numpy_bytes_of_every_width(width: int) -> None:
    for count in (0, 1, 2, 300):
        values = RANDOM.integers(0, 3, size=(count, width), dtype=np.uint8)  # zeros inside and at the end
        values[np.arange(width) >= lengths_below(width, count)[:, None]] = 0
        array = values.reshape(-1).view(f"S{width}")
        same(native.numpy_bytes_keys(array, 9), reference.numpy_bytes_keys(array, 9))
        same(native.numpy_bytes_keys(array[::-2], 9), reference.numpy_bytes_keys(array[::-2], 9))


POINTS = np.array(
    [0, 1, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF], dtype=np.uint32
)


@pytest.mark.parametrize("width", [*WIDTHS, 300, 9000])
@pytest.mark.parametrize("kinds", [3, len(POINTS)])
@pytest.mark.parametrize("order", "<>")
def test_numpy_text_of_every_width(width: int, kinds: int, order: str) -> None:
    """ASCII alone, and all lengths of UTF-8 together; wider than the scratch of a block too."""
    for count in (0, 1, 300 if width <= 100 else 5):
        points = POINTS[RANDOM.integers(0, kinds, size=(count, width))]
        points[np.arange(width) >= lengths_below(width, count)[:, None]] = 0
        array = points.reshape(-1).view(f"U{width}").astype(f"{order}U{width}")
        same(native.numpy_text_keys(array, 9), reference.numpy_text_keys(array, 9))
        same(native.numpy_text_keys(array[::-2], 9), reference.numpy_text_keys(array[::-2], 9))


def test_ascii_blocks_beside_others() -> None:
    values = [f"id{index}" for index in range(1000)]
    values[700] = "naïve"
    for array in (np.array(values), np.array(["\x80"] * 3), np.array(["\x7f", "a"])):
        same(native.numpy_text_keys(array, 1), reference.numpy_text_keys(array, 1))


def test_arrays_of_width_zero() -> None:
    fields = np.zeros(2, dtype=[("bytes", "S0"), ("text", "U0"), ("number", "i4")])
    empty = [xxhash.xxh64_intdigest(b"", 0) - 2**64] * 2
    assert native.numpy_bytes_keys(fields["bytes"], 0).tolist() == empty
    assert native.numpy_text_keys(fields["text"], 0).tolist() == empty


@pytest.mark.parametrize("point", [0xD800, 0xDFFF])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_first_lone_surrogate_is_named(point: int, threads: int) -> None:
    points = np.full(100_000, ord("a"), dtype=np.uint32)
    keys = np.empty(50_000, dtype=np.int64)
    assert _native.hash_fixed_text(points, 2, keys, 0, threads) == 0
    points[1001], points[90_000] = point, 0xD900
    assert _native.hash_fixed_text(points, 2, keys, 0, threads) == point
    with pytest.raises(DataError, match=f"lone surrogate U\\+{point:04X}"):
        native.numpy_text_keys(points.view("U2"), 0)


def test_threads_do_not_show() -> None:
    count = 200_003
    lengths = lengths_below(40, count)
    starts = np.cumsum(lengths) - lengths
    data = RANDOM.integers(1, 128, size=int(lengths.sum()) + 6 * count, dtype=np.uint8)
    offsets = np.append(starts, lengths.sum())
    calls: list[Callable[[Any, int], Any]] = [
        lambda keys, threads: _native.hash_integers(starts, keys, 7, threads),
        lambda keys, threads: _native.hash_slices(data, starts, lengths, keys, 7, threads),
        lambda keys, threads: _native.hash_offsets(data, offsets, keys, 7, threads),
        lambda keys, threads: _native.hash_fixed_bytes(data[: 6 * count], 6, keys, 7, threads),
        lambda keys, threads: _native.hash_fixed_text(data[: 6 * count].astype("u4"), 6, keys, 7, threads),
    ]
    for call in calls:
        one, three = np.zeros(count, dtype=np.int64), np.ones(count, dtype=np.int64)
        call(one, 1)
        call(three, 3)
        same(three, one)


@pytest.fixture
def guarded() -> Any:
    """Memory whose last byte stands before a page that kills the process when it is read."""
    if sys.platform != "linux":
        pytest.skip("needs mprotect")
    page = mmap.PAGESIZE
    memory = mmap.mmap(-1, 2 * page)
    array = np.frombuffer(memory, dtype=np.uint8)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    assert libc.mprotect(array.ctypes.data + page, page, 0) == 0, os.strerror(ctypes.get_errno())
    array[:page] = RANDOM.integers(1, 128, size=page)
    yield array[:page]
    assert libc.mprotect(array.ctypes.data + page, page, mmap.PROT_READ | mmap.PROT_WRITE) == 0


@pytest.mark.parametrize("width", range(1, 72))
def test_nothing_past_the_end_is_read(guarded: Any, width: int) -> None:
    for count in (1, 2, 40):
        data = guarded[guarded.size - count * width :]
        array = data.view(f"S{width}")
        expected = reference.numpy_bytes_keys(array, 4)
        same(native.numpy_bytes_keys(array, 4), expected)
        keys = np.empty(count, dtype=np.int64)
        _native.hash_offsets(data, np.arange(count + 1) * width, keys, 4, 1)
        same(keys, expected)


@pytest.mark.parametrize("width", [1, 2, 7, 8, 31, 32, 70])
@pytest.mark.parametrize("other", ["", "é"])
def test_no_code_point_past_the_end_is_read(guarded: Any, width: int, other: str) -> None:
    for count in (1, 3):
        array = guarded[guarded.size - 4 * count * width :].view(f"U{width}")
        array[:] = "abcdefgh" * 10
        array[0] = other
        same(native.numpy_text_keys(array, 4), reference.numpy_text_keys(array, 4))


FAR = 2**63 - 1


@pytest.mark.parametrize(
    "offsets", [[0, 5], [-1, 4], [3, 2], [5, 5], [0, FAR], [FAR, -FAR - 1], [-FAR - 1, FAR]]
)
def test_offsets_outside_the_buffer_are_refused(offsets: list[int]) -> None:
    data, keys = np.zeros(4, dtype=np.uint8), np.empty(1, dtype=np.int64)
    _native.hash_offsets(data, np.array([4, 4]), keys, 0, 1)
    with pytest.raises(ValueError, match="offsets: expected numbers that do not fall, from 0 to the bytes"):
        _native.hash_offsets(data, np.array(offsets), keys, 0, 1)
    if max(map(abs, offsets)) < 10:
        with pytest.raises(ValueError, match="offsets: expected numbers that do not fall"):
            _native.hash_offsets(data, np.array(offsets, dtype=np.int32), keys, 0, 1)


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, 5), (5, 0), (-1, 1), (0, -1), (4, 1), (FAR, 1), (1, FAR), (FAR, FAR), (-FAR - 1, 0), (0, -FAR - 1)],
)
def test_slices_outside_the_buffer_are_refused(start: int, length: int) -> None:
    data = np.zeros(4, dtype=np.uint8)
    keys, many = np.empty(1, dtype=np.int64), np.empty(50_000, dtype=np.int64)
    _native.hash_slices(data, np.array([4]), np.array([0]), keys, 0, 1)
    with pytest.raises(ValueError, match="starts and lengths: expected strings that lie within data"):
        _native.hash_slices(data, np.array([start]), np.array([length]), keys, 0, 1)
    starts, lengths = np.zeros_like(many), np.zeros_like(many)
    starts[49_000], lengths[49_000] = start, length
    with pytest.raises(ValueError, match="starts and lengths: expected strings that lie within data"):
        _native.hash_slices(data, starts, lengths, many, 0, 2)


def test_lengths_that_do_not_agree_are_refused() -> None:
    data, keys, two = np.zeros(4, dtype=np.uint8), np.empty(2, dtype=np.int64), np.zeros(2, dtype=np.int64)
    three = np.zeros(3, dtype=np.int64)
    for starts, lengths in ((two, three), (three, two)):
        with pytest.raises(ValueError, match="expected one of each per key"):
            _native.hash_slices(data, starts, lengths, keys, 0, 1)
    for offsets in (two, np.zeros(4, dtype=np.int64), np.zeros(0, dtype=np.int64)):
        with pytest.raises(ValueError, match="offsets: expected one more than the keys"):
            _native.hash_offsets(data, offsets, keys, 0, 1)
    with pytest.raises(ValueError, match="keys: expected the length of values"):
        _native.hash_integers(three, keys, 0, 1)
    for call, array in ((_native.hash_fixed_bytes, data), (_native.hash_fixed_text, data.astype("u4"))):
        for width in (1, 3, 4, 2**63):
            with pytest.raises(ValueError, match="data: expected width elements a key"):
                call(array, width, keys, 0, 1)
        with pytest.raises(ValueError, match="width: expected 1 or more"):
            call(array, 0, keys, 0, 1)


def test_other_arrays_are_refused_and_never_converted() -> None:
    """Into a converted copy the keys would be lost."""
    data, keys, two = np.zeros(4, dtype=np.uint8), np.empty(2, dtype=np.int64), np.zeros(2, dtype=np.int64)
    frozen = np.empty(2, dtype=np.int64)
    frozen.flags.writeable = False
    for out in (
        keys.astype(np.int32),
        np.empty(4, dtype=np.int64)[::2],
        np.empty((2, 1), dtype=np.int64),
        frozen,
    ):
        with pytest.raises(TypeError, match="incompatible function arguments"):
            _native.hash_slices(data, two, two, out, 0, 1)
        with pytest.raises(TypeError, match="incompatible function arguments"):
            _native.hash_integers(two, out, 0, 1)
    with pytest.raises(TypeError, match="incompatible function arguments"):
        _native.hash_slices(data, two.astype(np.int32), two, keys, 0, 1)
    for seed in (-1, 2**64):
        with pytest.raises(TypeError, match="incompatible function arguments"):
            _native.hash_integers(two, keys, seed, 1)


def test_a_damaged_arrow_array_is_refused() -> None:
    offsets = pa.py_buffer(np.array([0, 9, 2], dtype=np.int32))
    array = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"ab"))
    with pytest.raises(DataError, match=r"Arrow string array: expected offsets .* within the 2 bytes"):
        native.arrow_string_keys(array, 0)


def test_few_values_take_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(3)), raising=False)
    assert [native.num_threads(count) for count in (0, 65_535, 65_536)] == [1, 1, 3]
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    assert native.num_threads(10**6) == 4
    monkeypatch.delattr(os, "sched_getaffinity")
    for cores, expected in ((2, 2), (None, 1), (9, 4)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert native.num_threads(10**6) == expected
