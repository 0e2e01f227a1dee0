"""Rows in any container; what stands alone in a mapping is the value of all rows."""

from collections import OrderedDict, defaultdict
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from hybridhash.data import Feature, Schema
from hybridhash.data.frame import as_frame
from hybridhash.errors import DataError, InvalidTypeError

SCHEMA = Schema(
    (
        Feature("user", "categorical", "int"),
        Feature("price", "numeric", "float"),
        Feature("seen", "list", "string"),
    )
)
ROW = {"user": 7, "price": 1.5, "seen": ["a", "b"]}


def columns_of(rows: Any, schema: Schema = SCHEMA) -> dict[str, list[Any]]:
    """Return all columns as lists, with what is shared written out."""
    frame = as_frame(rows, schema)
    columns = {name: list(frame.columns[name]) for name in frame.columns}
    return {
        name: values * frame.num_rows if name in frame.shared else values for name, values in columns.items()
    }


@pytest.mark.parametrize(
    "rows",
    [
        [ROW, ROW],
        (ROW, OrderedDict(ROW)),
        [{**ROW, "other": object()}, {**ROW, 5: 5}],
        {name: [value, value] for name, value in ROW.items()},
        {"user": np.array([7, 7]), "price": (1.5, 1.5), "seen": [["a", "b"], ["a", "b"]]},
        {"user": 7, "price": [1.5, 1.5], "seen": [["a", "b"], ["a", "b"]]},
        {"user": np.int64(7), "price": torch.tensor(1.5), "seen": [["a", "b"]] * 2},
        {"user": pa.scalar(7), "price": np.array(1.5), "seen": [["a", "b"]] * 2},
    ],
)
def test_two_equal_rows_in_many_forms(rows: Any) -> None:
    assert columns_of(rows) == {"user": [7, 7], "price": [1.5, 1.5], "seen": [["a", "b"]] * 2}


def test_frames_are_read_by_column() -> None:
    columns = {"user": [7, 8], "price": [1.5, 2.5], "seen": ["a", "b"]}
    structured = np.array(
        [(7, 1.5, "a"), (8, 2.5, "b")], dtype=[("user", int), ("price", float), ("seen", "U1")]
    )
    for frame in (
        pd.DataFrame({**columns, 5: 5}),
        pl.DataFrame(columns),
        pl.LazyFrame(columns),
        structured,
        structured.view(np.recarray),
    ):
        assert columns_of(frame) == columns
    for table in (pa.table(columns), pa.record_batch(columns)):
        assert {name: pa.array(values).to_pylist() for name, values in columns_of(table).items()} == columns


def test_a_mapping_of_values_is_one_row() -> None:
    for seen in (["a", "b"], ("a", "b"), "a|b", [], None, np.array(["a", "b"])):
        frame = as_frame({**ROW, "seen": seen}, SCHEMA)
        assert (frame.num_rows, frame.columns["user"], frame.columns["price"]) == (1, [7], [1.5])
        [value] = frame.columns["seen"]
        assert value is seen
    assert columns_of({"user": None, "price": pd.NA, "seen": "a"}) == {
        "user": [None],
        "price": [pd.NA],
        "seen": ["a"],
    }


@pytest.mark.parametrize(
    "seen", [[5, 6], (5, 6), np.array([5, 6]), torch.tensor([5, 6]), {5, 6}, [5, None], []]
)
def test_one_list_of_ids_beside_a_column_is_that_of_all_rows(seen: Any) -> None:
    frame = as_frame({"user": [1, 2, 3], "price": 1.5, "seen": seen}, SCHEMA)
    assert frame.num_rows == 3
    assert frame.shared == {"price", "seen"}
    assert frame.columns["seen"][0] is seen


def test_a_sequence_of_texts_beside_a_column_could_be_both() -> None:
    """Three texts are as many as the rows, or the history of one user."""
    for seen in (["a", "b", "c"], np.array(["a", "b", "c"]), ["a", "b"]):
        with pytest.raises(
            DataError, match=r"column 'seen': .* may be one list or the texts of the rows; join them"
        ):
            as_frame({"user": [1, 2, 3], "price": 1.5, "seen": seen}, SCHEMA)
    assert columns_of({"user": [1, 2], "price": 1.5, "seen": "a|b"})["seen"] == ["a|b", "a|b"]
    assert columns_of({"user": [1, 2], "price": [1, 2], "seen": ["a", "b"]})["seen"] == ["a", "b"]


def test_texts_are_never_sequences_of_letters() -> None:
    schema = Schema((Feature("user", "categorical", "string"), Feature("ad", "categorical", "string")))
    assert columns_of({"user": "u07", "ad": "a03"}, schema) == {"user": ["u07"], "ad": ["a03"]}
    assert columns_of({"user": b"u07", "ad": ["x", "y"]}, schema) == {"user": [b"u07"] * 2, "ad": ["x", "y"]}


def test_no_rows() -> None:
    assert as_frame([], SCHEMA).num_rows == 0
    assert as_frame({"user": 7, "price": [], "seen": []}, SCHEMA).num_rows == 0
    assert as_frame(pd.DataFrame({"user": [], "price": [], "seen": []}), SCHEMA).num_rows == 0


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ([ROW, {"usr": 7, "price": 1.5, "seen": []}], "row 2"),
        ([ROW, defaultdict(int, {"usr": 7, "price": 1.5})], "row 2"),
        ({"usr": [7], "price": [1.5], "seen": [[]]}, "rows"),
        (pd.DataFrame({"usr": [7], 3: [5]}), "rows"),
        (pa.table({"usr": [7]}), "rows"),
    ],
)
def test_a_missing_value_is_named_with_its_row(rows: Any, place: str) -> None:
    with pytest.raises(DataError, match=f"{place}: expected a column 'user', .*; did you mean 'usr'?"):
        as_frame(rows, SCHEMA)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(DataError, match=r"one length, got {'user': 2, 'price': 1}"):
        as_frame({"user": [1, 2], "price": [1.5], "seen": None}, SCHEMA)


@pytest.mark.parametrize("rows", [7, "abc", [1, 2], [ROW, 3], pd.Series([1]), np.zeros((2, 2)), None])
def test_other_forms_are_refused(rows: Any) -> None:
    with pytest.raises(InvalidTypeError, match="rows: expected columns by name"):
        as_frame(rows, SCHEMA)
