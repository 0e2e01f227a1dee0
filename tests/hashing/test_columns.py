"""A column of any library is the values that it holds; a hole in it is a null, however the library writes it."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from hybridhash.errors import InvalidTypeError
from hybridhash.hashing import hash_keys

IDS = [7, None, -1, 2**40]
LARGE_IDS = [2**63, None, 2**64 - 1]
WORDS = ["a", None, "", "ß"]
FLAGS = [True, None, False]
NULLS = [None, None]

COLUMNS = [
    (IDS, pd.Series(IDS, dtype="Int64")),
    (IDS, pd.Index(IDS, dtype="Int64")),
    (IDS, pd.array(IDS, dtype="Int64")),
    (IDS, pd.Series(IDS, dtype="int64[pyarrow]")),
    (IDS, pd.Series(IDS, dtype="Int64").astype("category")),
    (IDS, pd.Series(IDS, dtype="int64[pyarrow]").astype("category")),
    (IDS, pd.Series(IDS, dtype=object)),
    (IDS, np.ma.array([7, 0, -1, 2**40], mask=[False, True, False, False])),
    (IDS, np.ma.array([7, 0, -1, 2**40], mask=[False, True, False, False], dtype=object)),
    ([3, None], pd.Series([3, None], dtype="category")),
    (LARGE_IDS, pd.Series(LARGE_IDS, dtype="UInt64")),
    (LARGE_IDS, pd.Series(LARGE_IDS, dtype="uint64[pyarrow]")),
    (LARGE_IDS, pd.Series(LARGE_IDS, dtype="UInt64").astype("category")),
    (LARGE_IDS, pl.Series(LARGE_IDS, dtype=pl.UInt64)),
    (WORDS, pd.Series(WORDS, dtype="str")),
    (WORDS, pd.Series(WORDS, dtype="string[python]")),
    (WORDS, pd.Series(WORDS, dtype="string[pyarrow]")),
    (WORDS, pd.Series(WORDS, dtype=pd.ArrowDtype(pa.string_view()))),
    (WORDS, pd.Series(WORDS, dtype=object)),
    (WORDS, pd.Series(WORDS, dtype="category")),
    (WORDS, pd.Series(WORDS, dtype="string[python]").astype("category")),
    (WORDS, pd.Index(WORDS, dtype="category")),
    (WORDS, np.ma.array(["a", "?", "", "ß"], mask=[False, True, False, False])),
    (WORDS, pl.Series(WORDS, dtype=pl.Categorical)),
    (WORDS, pl.Series(WORDS, dtype=pl.Enum(["ß", "", "a"]))),
    (FLAGS, pd.Series(FLAGS, dtype="boolean")),
    (FLAGS, pd.Series(FLAGS, dtype="bool[pyarrow]")),
    (FLAGS, pd.Series(FLAGS, dtype="category")),
    (NULLS, pd.Series(NULLS, dtype="Int64")),
    (NULLS, pd.Series(NULLS, dtype="category")),
    (NULLS, pd.Series([pd.NA, pd.NaT], dtype=object)),
    ([], pd.Series([], dtype="Int64")),
    ([], pd.Series([], dtype="category")),
    ([0, 1], pd.Series(pd.arrays.SparseArray([0, 1]))),
]


def name_of(value: Any) -> str | None:
    if isinstance(value, list):
        return None
    return f"{type(value).__module__.partition('.')[0]} {type(value).__name__} {value.dtype}"


@pytest.mark.parametrize(("values", "column"), COLUMNS, ids=name_of)
def test_a_column_with_holes_has_the_keys_of_the_list_with_none(values: list[Any], column: Any) -> None:
    assert hash_keys(column, "f").tolist() == hash_keys(values, "f").tolist()


@pytest.mark.parametrize(
    "array",
    [
        torch.tensor([[1, 2, 3], [4, 5, 6]]),
        torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=torch.int32)[:, ::2],
        torch.tensor([True, False]),
        torch.empty((2, 0), dtype=torch.int64),
        np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1),
        np.array([["a", "ß"], ["", "b"]]),
        np.array([["a", None], ["", "b"]], dtype=object),
        np.array([["a", "ß"], ["", "b"]], dtype=np.dtypes.StringDType()),
        np.ma.array([[1, 2], [3, 4]]),
    ],
    ids=name_of,
)
def test_the_keys_of_an_array_have_its_shape(array: Any) -> None:
    """A tensor of ids, and a batch of histories, among others."""
    keys = hash_keys(array, "f")
    assert keys.shape == tuple(array.shape)
    assert keys.reshape(-1).tolist() == hash_keys(np.asarray(array).reshape(-1).tolist(), "f").tolist()


@pytest.mark.parametrize(
    "values",
    [
        pa.table({"f": [1]}),
        pa.record_batch({"f": [1]}),
        pd.DataFrame({"f": [1]}),
        pl.DataFrame({"f": [1]}),
        pl.LazyFrame({"f": [1]}),
        {"f": [1]},
    ],
    ids=lambda values: type(values).__name__,
)
def test_a_table_in_place_of_a_column_is_refused(values: Any) -> None:
    with pytest.raises(InvalidTypeError, match=r"feature 'f': expected one column .* pass the column alone"):
        hash_keys(values, "f")


@pytest.mark.parametrize(
    "value",
    [7, "abc", b"abc", np.int64(7), np.array(7), torch.tensor(7), pa.scalar(7), None],
    ids=lambda value: type(value).__name__,
)
def test_one_value_in_place_of_a_column_is_refused(value: Any) -> None:
    with pytest.raises(
        InvalidTypeError, match=r"feature 'f': expected a sequence .* put a single value in a list"
    ):
        hash_keys(value, "f")


def test_a_tensor_that_numpy_cannot_read_is_refused() -> None:
    with pytest.raises(
        InvalidTypeError, match="expected values that numpy reads, got a Tensor: Got unsupported"
    ):
        hash_keys(torch.tensor([1.0], dtype=torch.bfloat16), "f")


def test_floats_that_pandas_made_of_integers_are_refused_with_a_way_out() -> None:
    with pytest.raises(InvalidTypeError, match=r"got float64; .* keep their type as Int64"):
        hash_keys(pd.Series([1, None]), "f")
