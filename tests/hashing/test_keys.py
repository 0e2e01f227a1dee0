"""One value has one key, whatever container it comes in."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import DataError, InvalidTypeError, InvalidValueError
from hybridhash.hashing import cross_keys, feature_salt, hash_keys, native, null_key, reference

F = "user_id"
int64s = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.fixture(scope="module", params=[native, reference], ids=["native", "reference"], autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test of this file runs on both forms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hybridhash.hashing.keys.native", request.param)
        yield


def keys(values: Any) -> list[int]:
    found = hash_keys(values, feature=F)
    assert found.dtype == np.int64
    return [int(key) for key in found]


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i8", ">u4", ">i2"])
def test_integers_of_every_width(dtype: str) -> None:
    info = np.iinfo(dtype)
    values = [0, 1, 7, int(info.max), int(info.min)]
    array = np.array(values, dtype=dtype)
    assert keys(array) == keys(values)
    assert keys(array[::-2]) == keys(values[::-2])
    assert keys(list(array)) == keys(values)
    assert keys(array.astype(object)) == keys(values)


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_arrow_integers_of_every_width(kind: str) -> None:
    info = np.iinfo(kind)
    values = [0, 1, 7, int(info.max), int(info.min), None]
    array = pa.array(values, type=kind)
    assert keys(array) == keys(values)
    assert keys(array.slice(2)) == keys(values[2:])
    assert keys(array.slice(0, 3)) == keys(values[:3])
    assert keys(pl.Series(values, dtype=getattr(pl, kind.replace("int", "Int").replace("uI", "UI")))) == keys(
        values
    )


def test_booleans_are_zero_and_one() -> None:
    expected = keys([0, 1, 1])
    assert keys([False, True, True]) == expected
    assert keys([0, True, np.True_]) == expected
    assert keys(np.array([False, True, True])) == expected
    assert keys(pa.array([False, True, True])) == expected
    assert keys(pl.Series([False, True, True])) == expected
    assert keys(pa.array([False, None, True])) == keys([0, None, 1])


def test_the_upper_half_of_uint64_is_the_negative_integers() -> None:
    assert keys(np.array([2**63, 2**64 - 1], dtype=np.uint64)) == keys([-(2**63), -1])
    assert keys([2**63, 2**64 - 1]) == keys([-(2**63), -1])
    assert keys(pa.array([2**63, None], type=pa.uint64())) == keys([-(2**63), None])


def test_an_array_of_the_callers_is_left_as_it_was() -> None:
    for dtype in (np.int64, np.uint64):
        array = np.arange(5, dtype=dtype)
        hash_keys(array, F)
        assert array.tolist() == [0, 1, 2, 3, 4]


STRINGS = ["", "a", "naïve", "東京 🐍", "x" * 50, "7"]


@pytest.mark.parametrize(
    "convert",
    [
        lambda values: tuple(values),
        lambda values: iter(values),
        lambda values: [value.encode() for value in values],
        lambda values: [np.str_(value) for value in values],
        lambda values: [np.bytes_(value.encode()) for value in values],
        lambda values: np.array(values),
        lambda values: np.array(values, dtype=">U60"),
        lambda values: np.array([value.encode() for value in values]),
        lambda values: np.array(values, dtype=object),
        lambda values: np.array(values, dtype=np.dtypes.StringDType()),
        lambda values: np.repeat(np.array(values), 2)[::2],
        lambda values: pa.array(values, type=pa.string()),
        lambda values: pa.array(values, type=pa.large_string()),
        lambda values: pa.array(values, type=pa.string_view()),
        lambda values: pa.array([value.encode() for value in values], type=pa.binary()),
        lambda values: pa.array([value.encode() for value in values], type=pa.large_binary()),
        lambda values: pa.array([value.encode() for value in values], type=pa.binary_view()),
        lambda values: pa.array(values).dictionary_encode(),
        lambda values: pa.chunked_array([values[:2], [], values[2:]]),
        lambda values: pa.chunked_array([values[:2], values[2:]]).dictionary_encode(),
        lambda values: pa.array(["cut", *values, "off"]).slice(1, len(values)),
        lambda values: pa.array(["cut", *values, "off"]).dictionary_encode().slice(1, len(values)),
        lambda values: pl.Series(values),
        lambda values: pl.Series(values, dtype=pl.Categorical),
        lambda values: pl.Series([value.encode() for value in values]),
    ],
)
def test_every_form_of_strings(convert: Any) -> None:
    assert keys(convert(STRINGS)) == keys(STRINGS)


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, np.float32("nan")])
@pytest.mark.parametrize("values", [["a", "", "b"], [b"a", b"", b"b"], [1, 0, -1]])
def test_nothing_has_a_key_of_its_own(values: list[Any], missing: object) -> None:
    holed = [missing, values[0], values[1], missing, values[2]]
    expected = [null_key(F), *keys(values[:2]), null_key(F), *keys(values[2:])]
    assert keys(holed) == expected
    array = np.empty(5, dtype=object)
    array[:] = holed
    assert keys(array) == expected


class NAType:
    """As pandas.NA: it has no truth value."""

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")


class Series:
    """As a pandas Series: all that is asked of it is to_numpy()."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def to_numpy(self) -> Any:
        array = np.empty(len(self.values), dtype=object)
        array[:] = self.values
        return array


def test_pandas_missing_values() -> None:
    assert keys(Series([NAType(), "a", float("nan"), None])) == keys([None, "a", None, None])


def test_numpy_strings_with_missing_values() -> None:
    for missing in (None, np.nan):
        array = np.array(["a", missing, "b"], dtype=np.dtypes.StringDType(na_object=missing))
        assert keys(array) == keys(["a", None, "b"])


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["a", None, "b"]),
        pa.array(["a", None, "b"], type=pa.large_string()),
        pa.array(["a", None, "b"], type=pa.string_view()),
        pa.array([b"a", None, b"b"]),
        pa.array(["a", None, "b"]).dictionary_encode(),
        pa.array(["a", None, "b"]).dictionary_encode(null_encoding="encode"),
        pa.chunked_array([["a", None], ["b"]]),
        pa.array(["x", "a", None, "b", None]).slice(1, 3),
        pl.Series(["a", None, "b"]),
        pl.Series(["a", None, "b"], dtype=pl.Categorical),
    ],
)
def test_arrow_nulls(array: Any) -> None:
    assert keys(array) == keys(["a", None, "b"])


def test_bytes_under_a_null_do_not_matter() -> None:
    valid = pa.py_buffer(b"\x05")
    offsets = pa.py_buffer(np.array([0, 1, 3, 4], dtype=np.int32))
    array = pa.StringArray.from_buffers(3, offsets, pa.py_buffer(b"aXXb"), valid)
    assert keys(array) == keys(["a", None, "b"])


def test_all_missing() -> None:
    expected = [null_key(F)] * 2
    forms: list[Any] = [[None, None], pa.nulls(2), pa.nulls(2, pa.int64()), pa.nulls(2, pa.string())]
    forms += [pa.array([None, None], pa.dictionary(pa.int8(), pa.string())), pl.Series([None, None])]
    for form in forms:
        assert keys(form) == expected


def test_nothing_at_all() -> None:
    forms: list[Any] = [
        [],
        np.array([], dtype=np.int32),
        np.array([], dtype="U3"),
        np.array([], dtype=object),
    ]
    forms += [
        pa.array([], pa.string()),
        pa.array([], pa.int8()),
        pa.chunked_array([], pa.string()),
        pl.Series([]),
    ]
    for form in forms:
        assert keys(form) == []


@given(st.lists(int64s, unique=True, min_size=2, max_size=50), st.integers(0, 2**64 - 1))
def test_distinct_integers_have_distinct_keys(values: list[int], seed: int) -> None:
    assert len(set(hash_keys(values, F, seed).tolist())) == len(values)


def test_a_million_integers_have_a_million_keys() -> None:
    found = np.sort(hash_keys(np.arange(-500_000, 500_000), F))
    assert (found[1:] != found[:-1]).all()


@given(st.lists(texts, max_size=10))
def test_the_place_in_the_array_does_not_matter(values: list[str]) -> None:
    one_by_one = [key for value in values for key in keys([value])]
    assert (
        keys(values)
        == keys(np.array(values, dtype=object))
        == keys(pa.array(values, pa.string()))
        == one_by_one
    )


@given(st.lists(st.none() | texts, max_size=10), st.data())
def test_arrow_slices_with_nulls(values: list[str | None], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(values)))
    array = pa.array(values, pa.string())
    assert keys(array.slice(start)) == keys(values[start:])
    assert keys(array.dictionary_encode().slice(start)) == keys(values[start:])


def test_other_features_seeds_and_kinds_have_other_keys() -> None:
    found = [
        *keys([7]),
        *keys(["7"]),
        *hash_keys([7], "item").tolist(),
        *hash_keys([7], F, seed=1).tolist(),
        *hash_keys(["7"], "item").tolist(),
        *hash_keys(["7"], F, seed=1).tolist(),
        null_key(F),
        null_key("item"),
        null_key(F, seed=1),
        *keys([""]),
        *keys([0]),
    ]
    assert len(set(found)) == len(found)


def test_one_flipped_bit_of_a_string_flips_every_bit_of_its_key_half_the_time() -> None:
    """64 rates for each of 5 bits over 4,000 strings; within 5.5 standard deviations."""
    words = np.random.default_rng(3).integers(0, 2**63, size=4000)
    start = np.array([b"id-%019d" % word for word in words])
    for bit in range(5):
        flipped = start.copy()
        flipped.view(np.uint8).reshape(4000, -1)[:, 5] ^= 1 << bit
        change = hash_keys(start, F) ^ hash_keys(flipped, F)
        rates = np.unpackbits(change.view(np.uint8).reshape(-1, 8), axis=1).mean(axis=0)
        assert np.abs(rates - 0.5).max() < 5.5 * 0.5 / np.sqrt(4000)


def test_the_order_of_a_cross_matters() -> None:
    a, b = hash_keys([1, 2], "a"), hash_keys([3, 3], "b")
    found = [*cross_keys([a, b], "ab"), *cross_keys([b, a], "ab"), *cross_keys([a, b], "ba")]
    assert len(set(found)) == 6


def test_a_cross_of_a_slice_is_the_slice_of_the_cross() -> None:
    a, b = hash_keys(range(10), "a"), hash_keys(range(10), "b")
    whole = cross_keys([a, b], "ab")
    assert cross_keys([a[::3], b[::3]], "ab").tolist() == whole[::3].tolist()
    assert a.tolist() == hash_keys(range(10), "a").tolist()


def test_a_cross_wants_two_parts_of_one_shape() -> None:
    one, two = hash_keys([1], "a"), hash_keys([1, 2], "b")
    for parts in ([], [one], [one, two]):
        with pytest.raises(
            InvalidValueError, match="cross 'ab': expected two or more key arrays of one shape"
        ):
            cross_keys(parts, "ab")


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_outside_64_bits_is_refused(seed: int) -> None:
    for call in (lambda: hash_keys([1], F, seed), lambda: feature_salt(F, seed), lambda: null_key(F, seed)):
        with pytest.raises(InvalidValueError, match=r"seed: expected an integer in \[0, 2\*\*64\), got"):
            call()


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1])
def test_an_integer_outside_64_bits_is_refused(value: int) -> None:
    with pytest.raises(
        InvalidValueError, match=f"expected integers of 64 bits, got {value}; pass such ids as"
    ):
        hash_keys([0, value], F)


@pytest.mark.parametrize(
    ("values", "got"),
    [
        ([1.5], "float"),
        ([1.5, None], "float"),
        (np.array([1.5]), "float64"),
        (np.array([np.nan]), "float64"),
        (np.array(["2020-01-01"], dtype="M8[D]"), r"datetime64\[D\]"),
        (pa.array([1.5]), "Arrow double"),
        (pa.array([[1]]), "Arrow list"),
        ([(1,)], "tuple"),
        ([bytearray(b"a")], "bytearray"),
    ],
)
def test_other_kinds_of_values_are_refused(values: Any, got: str) -> None:
    with pytest.raises(InvalidTypeError, match=f"feature 'user_id': expected integers, .*, got {got}"):
        hash_keys(values, F)


@pytest.mark.parametrize(
    ("values", "got"),
    [([1, "a"], "int and str"), (["a", b"a"], "bytes and str"), ([1, 2.5], "float and int")],
)
def test_mixed_kinds_are_refused(values: list[Any], got: str) -> None:
    with pytest.raises(InvalidTypeError, match=f"expected values of one kind, got {got}"):
        hash_keys(values, F)


def test_text_that_utf8_cannot_encode_is_refused() -> None:
    with pytest.raises(DataError, match="lone surrogate"):
        hash_keys(["\udcff"], F)
