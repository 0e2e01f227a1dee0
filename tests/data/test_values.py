import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from hybridhash.data.values import conform, numbers, split_lists
from hybridhash.errors import DataError
from hybridhash.hashing import hash_keys

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


def test_booleans_are_0_and_1() -> None:
    for values in ([True, False], np.array([True, False]), pa.array([True, False])):
        assert hash_keys(conform(values, "string", "f"), "f").tolist() == hash_keys(["1", "0"], "f").tolist()


def test_nulls_stay_nulls() -> None:
    for values in ([None, 3], np.array([float("nan"), "3"], dtype=object), pa.array([None, "3"])):
        assert hash_keys(conform(values, "int", "f"), "f").tolist() == hash_keys([None, 3], "f").tolist()


@pytest.mark.parametrize("text", ["07", "+7", " 7", "7 ", "-0", "7.0", "x", "", "1e3", "1_0", str(1 << 64)])
def test_text_that_is_no_decimal_integer_is_refused(text: str) -> None:
    for values in (["1", text], np.array(["1", text]), pa.array(["1", text])):
        with pytest.raises(DataError, match="column 'f', row 12: expected an integer"):
            conform(values, "int", "f", first_row=10)


def test_the_largest_integers_pass() -> None:
    assert conform([str((1 << 64) - 1), str(-(1 << 63))], "int", "f") == [(1 << 64) - 1, -(1 << 63)]
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
        np.array([1, None, float("nan")], dtype=object),
        pa.array([1.0, None, float("nan")]),
        pa.chunked_array([[1.0], [None, float("nan")]]),
        pl.Series([1.0, None, float("nan")]),
    ],
)
def test_numbers_keep_null_and_nan_apart(values: object) -> None:
    floats, is_null = numbers(values, "f")
    assert is_null is not None
    assert is_null.tolist() == [False, True, False]
    assert floats[0] == 1.0
    assert np.isnan(floats[2])


def test_numbers_without_nulls() -> None:
    for values in (np.array([1, 2], dtype=np.uint8), pa.array([1, 2])):
        floats, is_null = numbers(values, "f")
        assert floats.tolist() == [1.0, 2.0]
        assert is_null is None


def test_what_is_not_a_finite_number_is_refused() -> None:
    with pytest.raises(DataError, match="row 5: expected a number, got 'x'"):
        numbers([1, "x"], "f", first_row=3)
    with pytest.raises(DataError, match="numbers"):
        numbers(np.array(["1"]), "f")
    with pytest.raises(DataError, match="Arrow string"):
        numbers(pa.array(["1"]), "f")
    for values in ([1.0, float("inf")], np.array([0, -np.inf]), pa.array([0, float("inf")])):
        with pytest.raises(DataError, match="row 5: expected a finite number"):
            numbers(values, "f", first_row=3)


LISTS = [
    ["a|b", None, "c"],
    [["a", "b"], None, ["c"]],
    pa.array([["a", "b"], None, ["c"]]),
    pa.array([["x"], ["a", "b"], None, ["c"], ["y"]])[1:4],
    pa.chunked_array([[["a", "b"]], [None, ["c"]]]),
    pa.array([["a", "b"], None, ["c"]], pa.large_list(pa.string())),
    pa.array(["a|b", "", "c"]),
    np.array(["a|b", "", "c"]),
    pl.Series([["a", "b"], None, ["c"]]),
]


@pytest.mark.parametrize("values", LISTS, ids=lambda v: type(v).__module__)
def test_lists_in_every_container(values: object) -> None:
    flat, lengths, is_null = split_lists(values, "|", "f")
    assert [str(value) for value in flat] == ["a", "b", "c"]
    assert lengths.tolist() == [2, 0, 1]
    assert is_null is not None
    assert is_null.tolist() == [False, True, False]


def test_an_empty_list_is_not_a_null_and_an_empty_element_is() -> None:
    flat, lengths, is_null = split_lists([[], "a||b"], "|", "f")
    assert (flat, lengths.tolist(), is_null) == (["a", None, "b"], [0, 3], None)
    flat, lengths, is_null = split_lists(pa.array([[], ["a"]]), "|", "f")
    assert (flat.to_pylist(), lengths.tolist(), is_null) == (["a"], [0, 1], None)


def test_what_is_no_list_is_refused() -> None:
    for wrong in (5, b"a", {"a": 1}):
        with pytest.raises(DataError, match="row 2: expected a list"):
            split_lists([["a"], wrong], "|", "f")
