from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from hybridhash.data.values import conform, numbers, split_lists
from hybridhash.errors import DataError
from hybridhash.hashing import hash_keys, null_key

INT_FORMS = [
    [7, -1, 0],
    np.array([7, -1, 0], dtype=np.int8),
    np.array([7, -1, 0], dtype=object),
    pa.array([7, -1, 0]),
    pa.chunked_array([[7], [-1, 0]]),
    pl.Series([7, -1, 0]),
    ["7", "-1", "0"],
    [b"7", "-1", 0],
    np.array(["7", "-1", "0"]),
    np.array([b"7", b"-1", b"0"]),
    pa.array(["7", "-1", "0"]),
    pa.array(["7", "-1", "0"]).dictionary_encode(),
]


@pytest.mark.parametrize("values", INT_FORMS, ids=lambda v: f"{type(v).__module__}.{getattr(v, 'dtype', '')}")
def test_integers_and_their_text_are_one_value_to_a_schema(values: object) -> None:
    assert hash_keys(conform(values, "int", "f"), "f").tolist() == hash_keys([7, -1, 0], "f").tolist()
    assert (
        hash_keys(conform(values, "string", "f"), "f").tolist() == hash_keys(["7", "-1", "0"], "f").tolist()
    )


@pytest.mark.parametrize("values", [[True, False], np.array([True, False]), pa.array([True, False])])
def test_booleans_are_integers_and_no_text(values: object) -> None:
    """Which text stood for them is not known: 'True', 'true', '1' and 't' are written by one program or another."""
    assert hash_keys(conform(values, "int", "f"), "f").tolist() == hash_keys([1, 0], "f").tolist()
    with pytest.raises(DataError, match="column 'f', row 1: expected text as in the training data, got True"):
        conform(values, "string", "f")


def test_the_text_of_booleans_is_read_where_the_training_data_had_integers() -> None:
    texts = ["True", "false", "TRUE", "1"]
    for values in (texts, np.array(texts), pa.array(texts)):
        assert conform(values, "int", "f").values == [1, 0, 1, 1]


def test_nulls_stay_nulls() -> None:
    for values in ([None, 3], np.array([float("nan"), "3"], dtype=object), pa.array([None, "3"])):
        assert hash_keys(conform(values, "int", "f"), "f").tolist() == hash_keys([None, 3], "f").tolist()


@pytest.mark.parametrize("text", ["07", "+7", " 7", "7 ", "-0", "7.0", "x", "", "1e3", "1_0", str(1 << 64)])
def test_text_that_is_no_decimal_integer_is_refused(text: str) -> None:
    for values in (["1", text], np.array(["1", text]), pa.array(["1", text])):
        with pytest.raises(DataError, match="column 'f', row 12: expected an integer"):
            conform(values, "int", "f", first_row=10)


def test_the_largest_integers_pass() -> None:
    assert conform([str((1 << 64) - 1), str(-(1 << 63))], "int", "f").values == [(1 << 64) - 1, -(1 << 63)]
    with pytest.raises(DataError, match="64-bit"):
        conform([str(-(1 << 63) - 1)], "int", "f")


def test_floats_are_not_ids() -> None:
    for values in ([1.5], np.array([1.5]), pa.array([1.5])):
        with pytest.raises(DataError, match="numeric"):
            conform(values, "string", "f")
    with pytest.raises(DataError, match="row 2"):
        conform(["a", ["b"]], "string", "f")
    with pytest.raises(DataError, match="row 1"):
        conform([1.5], "int", "f")


@pytest.mark.parametrize(
    "values",
    [
        [1, None, float("nan")],
        [Decimal(1), pd.NA, np.float32("nan")],
        np.array([1, None, float("nan")], dtype=object),
        np.array([1, np.nan, np.nan], dtype=np.float16),
        np.ma.array([1, 7, 7], mask=[False, True, True]),
        pa.array([1.0, None, float("nan")]),
        pa.chunked_array([[1.0], [None, float("nan")]]),
        pa.array([1, None, None]).dictionary_encode(),
        pa.array([Decimal("1.0"), None, None]),
        pl.Series([1.0, None, float("nan")]),
        pd.Series([1, None, None]),
        pd.Series([1, None, None], dtype="Float64"),
        pd.Series([1, None, None], dtype="Int64"),
        pd.Series([True, None, None], dtype="boolean"),
        pd.Series([1, None, None], dtype="double[pyarrow]"),
        pd.Series([1, None, None], dtype="category"),
        torch.tensor([1.0, float("nan"), float("nan")]),
    ],
    ids=lambda values: f"{type(values).__module__} {getattr(values, 'dtype', '')}",
)
def test_numbers_are_float64_and_every_hole_is_nan(values: object) -> None:
    np.testing.assert_array_equal(numbers(values, "f"), np.array([1.0, np.nan, np.nan]))


@pytest.mark.parametrize(
    "values",
    [
        [None, None],
        pa.nulls(2),
        pd.Series([None, None]),
        pd.Series([None, None], dtype="category"),
        pl.Series([None] * 2),
    ],
    ids=lambda values: type(values).__module__,
)
def test_a_column_of_nulls_is_one_of_every_kind(values: object) -> None:
    assert np.isnan(numbers(values, "f")).tolist() == [True, True]
    assert hash_keys(conform(values, "int", "f"), "f").tolist() == [null_key("f")] * 2
    lists = split_lists(values, "|", "f")
    assert lists.lengths.tolist() == [0, 0]
    assert lists.is_null is not None
    assert lists.is_null.tolist() == [True, True]


def test_integers_beyond_what_a_float_holds_are_rounded() -> None:
    large = 2**53 + 1
    for values in ([large], np.array([large]), pa.array([large]), pa.array([large], pa.uint64())):
        assert numbers(values, "f").tolist() == [float(large)]


def test_what_is_not_a_finite_number_is_refused() -> None:
    with pytest.raises(DataError, match="row 5: expected a number, got 'x'"):
        numbers([1, "x"], "f", first_row=3)
    with pytest.raises(DataError, match="numbers"):
        numbers(np.array(["1"]), "f")
    with pytest.raises(DataError, match="Arrow string"):
        numbers(pa.array(["1"]), "f")
    with pytest.raises(DataError, match="row 4: expected a number"):
        numbers([10**400], "f", first_row=3)
    with pytest.raises(DataError, match=r"row 1: expected a number, got .*1j"):
        numbers([np.complex128(1j)], "f")
    for values in ([1.0, float("inf")], np.array([0, -np.inf]), pa.array([0, float("inf")])):
        with pytest.raises(DataError, match="row 5: expected a finite number"):
            numbers(values, "f", first_row=3)


LISTS = [
    ["a|b", None, "c"],
    [["a", "b"], None, ["c"]],
    [("a", "b"), float("nan"), np.array(["c"])],
    pa.array([["a", "b"], None, ["c"]]),
    pa.array([["x"], ["a", "b"], None, ["c"], ["y"]])[1:4],
    pa.chunked_array([[["a", "b"]], [None, ["c"]]]),
    pa.array([["a", "b"], None, ["c"]], pa.large_list(pa.string())),
    pa.array([["a", "b"], None, ["c"]], pa.list_view(pa.string())),
    pa.array(["a|b", "", "c"]),
    pa.array(["a|b", None, "c"]).dictionary_encode(),
    np.array(["a|b", "", "c"]),
    pl.Series([["a", "b"], None, ["c"]]),
    pd.Series([["a", "b"], None, ["c"]]),
    pd.Series(["a|b", None, "c"], dtype="string"),
    pd.Series([["a", "b"], None, ["c"]], dtype=pd.ArrowDtype(pa.list_(pa.string()))),
]


@pytest.mark.parametrize("values", LISTS, ids=lambda v: type(v).__module__)
def test_lists_in_every_container(values: object) -> None:
    lists = split_lists(values, "|", "f")
    assert [str(value) for value in lists.elements] == ["a", "b", "c"]
    assert lists.lengths.tolist() == [2, 0, 1]
    assert lists.is_null is not None
    assert lists.is_null.tolist() == [False, True, False]


@pytest.mark.parametrize(
    "values",
    [
        [[1, 2], [3, 4]],
        np.array([[1, 2], [3, 4]]),
        np.array([[1, 2], [3, 4]], dtype=object),
        np.array([[1, 9, 2], [3, 9, 4]])[:, ::2],
        torch.tensor([[1, 2], [3, 4]]),
        pa.array([[1, 2], [3, 4]], pa.list_(pa.int64(), 2)),
        pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int64, 2)),
    ],
    ids=lambda v: type(v).__module__,
)
def test_lists_of_one_length(values: object) -> None:
    lists = split_lists(values, "|", "f")
    assert hash_keys(lists.elements, "f").tolist() == hash_keys([1, 2, 3, 4], "f").tolist()
    assert (lists.lengths.tolist(), lists.is_null) == ([2, 2], None)


def test_a_null_among_lists_of_one_length_has_no_elements() -> None:
    lists = split_lists(pa.array([[1, 2], None, [3, None]], pa.list_(pa.int64(), 2)), "|", "f")
    assert lists.elements.to_pylist() == [1, 2, 3, None]
    assert lists.lengths.tolist() == [2, 0, 2]


def test_an_empty_list_is_not_a_null_and_an_empty_element_is() -> None:
    lists = split_lists([[], "a||b"], "|", "f")
    assert (lists.elements, lists.lengths.tolist(), lists.is_null) == (["a", None, "b"], [0, 3], None)
    lists = split_lists(pa.array([[], ["a"]]), "|", "f")
    assert (lists.elements.to_pylist(), lists.lengths.tolist(), lists.is_null) == (["a"], [0, 1], None)


def test_what_is_no_list_is_refused() -> None:
    for wrong in (5, b"a", {"a": 1}, np.array(5)):
        with pytest.raises(DataError, match="row 2: expected a list"):
            split_lists([["a"], wrong], "|", "f")


def test_arrays_of_too_many_dimensions_are_refused() -> None:
    wide, cube = np.zeros((3, 2), dtype=np.int64), np.zeros((3, 2, 2), dtype=np.int64)
    with pytest.raises(
        DataError, match=r"column 'f': expected one value a row, got an array of shape \(3, 2\)"
    ):
        conform(wide, "int", "f")
    with pytest.raises(DataError, match="expected one value a row"):
        numbers(wide, "f")
    with pytest.raises(DataError, match="expected one list of ids a row"):
        split_lists(cube, "|", "f")
