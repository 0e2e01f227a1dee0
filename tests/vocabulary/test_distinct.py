"""Every engine finds the same distinct values, whatever the type of a column."""

from decimal import Decimal

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridhash.errors import DataError, InvalidTypeError
from hybridhash.hashing import hash_keys, null_key
from hybridhash.vocabulary import Counts, count, count_keys

from .conftest import ENGINES, INT64


@settings(max_examples=10, deadline=None)
@given(
    users=st.lists(st.integers(-3, 3) | st.sampled_from([INT64.min, INT64.max]), max_size=20), data=st.data()
)
def test_keyed_columns_are_taken_as_they_are(users: list[int], data: st.DataObject) -> None:
    seen = data.draw(
        st.lists(st.lists(st.integers(-2, 2), max_size=3), min_size=len(users), max_size=len(users))
    )
    table = pa.table({"user": pa.array(users, pa.int64()), "seen": pa.array(seen, pa.list_(pa.int64()))})
    flat = np.array([key for row in seen for key in row], dtype=np.int64)
    arrays = {"user": np.array(users, dtype=np.int64), "seen": flat}
    expected = count_keys(arrays, num_rows=len(users), seed=5)
    for name, engine in ENGINES.items():
        assert count(engine(table), ["user"], lists=["seen"], seed=5, keyed=True) == expected, name


@pytest.mark.parametrize("engine", ENGINES)
def test_a_null_list_and_a_null_element_are_null_and_an_empty_list_is_nothing(engine: str) -> None:
    table = pa.table({"tags": pa.array([["x", None], [], None, ["x"]], pa.list_(pa.string()))})
    counts = count(ENGINES[engine](table), [], lists=["tags"])
    assert counts.num_rows == 4
    assert counts == Counts(
        [int(hash_keys(["x"], "tags")[0]), null_key("tags")], [2, 2], [0, 0], ("tags",), 4
    )


def test_dictionary_columns_count_as_their_values() -> None:
    plain = pa.array(["x", None, "y", "x"])
    expected = count(pa.table({"a": plain}), ["a"])
    encoded = pa.table({"a": plain.dictionary_encode()})
    for name, engine in ENGINES.items():
        assert count(engine(encoded), ["a"]) == expected, name
    assert count(pl.DataFrame({"a": ["x", None, "y", "x"]}, schema={"a": pl.Categorical}), ["a"]) == expected


@pytest.mark.parametrize("engine", ENGINES)
def test_large_and_decimal_integers_are_integers(engine: str) -> None:
    ids = [7, 2**63, 2**64 - 1, None]
    expected = count(pa.table({"a": pa.array(ids, pa.uint64())}), ["a"])
    assert np.isin(hash_keys(ids, "a"), expected.keys).all()
    decimals = pa.array([item and Decimal(item) for item in ids], pa.decimal128(38, 0))
    assert count(ENGINES[engine](pa.table({"a": decimals})), ["a"]) == expected
    lists = pa.table({"a": pa.array([decimals.to_pylist()], pa.list_(pa.decimal128(38, 0)))})
    assert count(ENGINES[engine](lists), [], lists=["a"]).counts.tolist() == [1] * 4


@pytest.mark.parametrize("engine", ENGINES)
def test_lists_and_single_values_are_told_apart(engine: str) -> None:
    source = ENGINES[engine](pa.table({"user": [1], "tags": [["x"]]}))
    with pytest.raises(
        DataError, match=r"column 'tags': expected one value a row, got .*; name it under lists"
    ):
        count(source, ["tags"])
    with pytest.raises(DataError, match="column 'user': expected a list, got BIGINT; name it under features"):
        count(source, [], lists=["user"])


@pytest.mark.parametrize("engine", ENGINES)
def test_floats_have_no_keys(engine: str) -> None:
    with pytest.raises(
        InvalidTypeError,
        match=r"column 'price': expected integers, .* got DOUBLE; cast ids to integers or text",
    ):
        count(ENGINES[engine](pa.table({"price": [1.5]})), ["price"])


@pytest.mark.parametrize("engine", ENGINES)
def test_keyed_columns_must_be_int64_without_nulls(engine: str) -> None:
    table = pa.table({"a": pa.array([1, None]), "b": pa.array([1, 2], pa.int32()), "c": [["x"], []]})
    source = ENGINES[engine](table)
    with pytest.raises(DataError, match="column 'a': expected int64 keys, got nulls"):
        count(source, ["a"], keyed=True)
    with pytest.raises(InvalidTypeError, match="column 'b': expected int64 keys, got INTEGER"):
        count(source, ["b"], keyed=True)
    with pytest.raises(InvalidTypeError, match="column 'c': expected int64 keys, got VARCHAR"):
        count(source, [], lists=["c"], keyed=True)
