"""Arrays of keys: what is taken and what is refused."""

import numpy as np
import pytest

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.vocabulary.checks import as_int64

INT64 = np.iinfo(np.int64)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", ">i8"])
def test_integers_keep_their_value(dtype: str) -> None:
    array = np.array([0, 1, np.iinfo(dtype).max], dtype=dtype)
    taken = as_int64(array, "keys")
    assert taken.dtype == np.int64
    assert taken.tolist() == [0, 1, int(np.iinfo(dtype).max)]


def test_int64_is_not_copied() -> None:
    array = np.array([INT64.min, 0, INT64.max])
    assert as_int64(array, "keys") is array


def test_lists_are_taken_empty_too() -> None:
    assert as_int64([INT64.min, INT64.max], "keys").tolist() == [INT64.min, INT64.max]
    assert as_int64([], "keys").dtype == np.int64


@pytest.mark.parametrize(
    "values",
    [
        np.array([1], np.uint64),
        [INT64.max + 1],
        [INT64.min - 1],
        [1.0],
        np.empty(0),
        ["1"],
        [True],
        np.array([1], object),
        np.array([1], "m8[s]"),
    ],
)
def test_what_is_no_int64_is_refused(values: object) -> None:
    with pytest.raises(InvalidTypeError, match=r"ids: expected int64, got .*hash_keys"):
        as_int64(values, "ids")  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [np.int64(3), np.zeros((2, 1), np.int64), [[]]])
def test_what_is_not_1d_is_refused(values: object) -> None:
    with pytest.raises(InvalidValueError, match="ids: expected a 1-D array, got shape"):
        as_int64(values, "ids")  # type: ignore[arg-type]
