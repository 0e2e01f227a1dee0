"""Every form of strings becomes the bytes that Python's own encoder gives."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import DataError
from hybridhash.hashing.text import (
    ByteStrings,
    from_arrow,
    from_numpy_bytes,
    from_numpy_text,
    from_python,
)

texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=12)


def unpack(strings: ByteStrings) -> list[bytes]:
    assert strings.starts.dtype == strings.lengths.dtype == np.int64
    pairs = zip(strings.starts, strings.lengths, strict=True)
    return [strings.data[start : start + length].tobytes() for start, length in pairs]


@given(texts)
def test_python_text(values: list[str]) -> None:
    assert unpack(from_python(values)) == [value.encode() for value in values]


@given(st.lists(st.binary(max_size=12), max_size=12))
def test_python_bytes(values: list[bytes]) -> None:
    assert unpack(from_python(values)) == values


@given(texts, st.sampled_from("<>"))
def test_numpy_text_of_either_byte_order(values: list[str], order: str) -> None:
    # numpy itself drops zero characters at the end.
    array = np.array(values, dtype=f"{order}U12")
    assert unpack(from_numpy_text(array)) == [value.rstrip("\0").encode() for value in values]


@pytest.mark.parametrize(
    "value", ["\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"]
)
def test_the_ends_of_each_utf8_length(value: str) -> None:
    array = np.array(["", value, f"a{value}b", value * 3])
    assert unpack(from_numpy_text(array)) == [text.encode() for text in array.tolist()]


@given(st.lists(st.binary(max_size=12), max_size=12))
def test_numpy_bytes(values: list[bytes]) -> None:
    array = np.array(values, dtype="S12")
    assert unpack(from_numpy_bytes(array)) == [value.rstrip(b"\0") for value in values]


def test_arrays_of_width_zero() -> None:
    # Only as a field does numpy keep this width.
    fields = np.zeros(2, dtype=[("bytes", "S0"), ("text", "U0"), ("number", "i4")])
    assert fields["bytes"].itemsize == fields["text"].itemsize == 0
    assert unpack(from_numpy_bytes(fields["bytes"])) == [b"", b""]
    assert unpack(from_numpy_text(fields["text"])) == [b"", b""]


def test_views_with_a_stride() -> None:
    array = np.array(["a", "b", "cc", "d"])
    assert unpack(from_numpy_text(array[::2])) == [b"a", b"cc"]
    assert unpack(from_numpy_bytes(array.astype("S")[::-2])) == [b"d", b"b"]


@given(texts, st.sampled_from([pa.string(), pa.large_string()]), st.data())
def test_arrow_slices(values: list[str], kind: pa.DataType, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(values)))
    stop = data.draw(st.integers(start, len(values)))
    array = pa.array(values, type=kind).slice(start, stop - start)
    assert unpack(from_arrow(array)) == [value.encode() for value in values[start:stop]]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_arrow_bytes(kind: pa.DataType) -> None:
    assert unpack(from_arrow(pa.array([b"\xff\x00", b"", b"a"], type=kind))) == [b"\xff\x00", b"", b"a"]


def test_a_lone_surrogate_is_refused_wherever_it_comes_from() -> None:
    message = r"lone surrogate U\+D83D; decode the source again"
    with pytest.raises(DataError, match=message):
        from_python(["fine", "cut \ud83d"])
    with pytest.raises(DataError, match=message):
        from_numpy_text(np.array(["fine", "cut \ud83d"]))
