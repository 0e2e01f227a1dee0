"""The compiled way from rows to keys has the keys of the definition, and its errors."""

import pickle
from collections import OrderedDict, UserDict, defaultdict
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridhash.data import Batch, Discretiser, Feature, Schema, encode_batch
from hybridhash.data.encode_native import ValueEncoder
from hybridhash.errors import HybridHashError

SCHEMA = Schema(
    (
        Feature("id", "categorical", "int"),
        Feature("word", "categorical", "string"),
        Feature("number", "numeric", "float"),
        Feature("ids", "list", "int"),
        Feature("words", "list", "string"),
        Feature("word*id*number", "cross", "key", ("word", "id", "number")),
    ),
    seed=11,
    list_separator="||",
)
DISCRETISER = Discretiser({"number": np.array([-1.5, 0.0, 3.0, 1e300])})
ENCODER = ValueEncoder(SCHEMA, DISCRETISER)


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Text(str):
    """Says something else than it is, as enumerations do."""

    def __str__(self) -> str:
        return "?"


int64s = st.integers(-(2**63) - 1, 2**64) | st.sampled_from([0, -(2**63), 2**63 - 1, 2**63, 2**64 - 1])
decimals = int64s.map(str) | st.sampled_from(["-0", "007", "+7", " 7", "7.0", "", "-", "9" * 30, "٣"])
texts = st.text(max_size=40) | st.sampled_from(["ß", "東京", "x" * 33, "\ud800", "a\0b"])
nothing = st.sampled_from([None, float("nan"), pd.NA, pd.NaT, np.float32("nan")])
ODD_IDS = [True, np.True_, np.int8(-3), np.uint64(2**64 - 1), np.str_("7"), b"7", b"\xff", Level.HIGH]
ODD_WORDS = [Colour.RED, Text("a"), object, {"a": 1}, [1]]
ODD_NUMBERS = [1.5, np.float32(2), Decimal("0.1"), 10**400, float("inf"), 1j, np.array(5)]
odd = st.sampled_from([*ODD_IDS, *ODD_WORDS, *ODD_NUMBERS])
floats = st.floats() | st.sampled_from([-1.5, 0.0, -0.0, 3.0, 1e300])
ids = int64s | decimals | nothing | odd
words = texts | int64s | nothing | odd
lists_of = {
    "ids": st.lists(ids, max_size=4),
    "words": st.lists(words, max_size=4),
}
lists = {
    name: values
    | values.map(tuple)
    | nothing
    | st.lists(decimals, max_size=3).map("||".join)
    | st.lists(st.integers(-5, 5), max_size=3).map(np.array)
    | st.sampled_from(["", "||", "1||", 7, b"ab", {"a": 1}, {3}, np.array([[1, 2]]), pd.Series([3, 4])])
    for name, values in lists_of.items()
}
rows = st.fixed_dictionaries(
    {
        "id": ids,
        "word": words,
        "number": floats | nothing | int64s | odd,
        "ids": lists["ids"],
        "words": lists["words"],
    }
)
likely_rows = st.fixed_dictionaries(
    {
        "id": st.integers(-(2**63), 2**64 - 1) | st.none() | st.integers(0, 50).map(str),
        "word": st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
        | st.none()
        | st.integers(-5, 5),
        "number": st.floats(allow_infinity=False) | st.none() | st.integers(-5, 5) | st.booleans(),
        "ids": st.lists(st.integers(-5, 5) | st.none()) | st.none() | st.just("4||||5"),
        "words": st.lists(st.text("aß|", max_size=3) | st.none()) | st.none() | st.text("a|", max_size=9),
    }
)


def outcome(encode: Any, given_rows: Any) -> Any:
    try:
        batch = encode(given_rows)
    except HybridHashError as error:
        return type(error), str(error)
    assert batch.keys.dtype == batch.offsets.dtype == np.int64
    return batch.keys.tolist(), batch.offsets.tolist(), batch.num_rows


def definition(given_rows: Any) -> Batch:
    return encode_batch(given_rows, SCHEMA, DISCRETISER)


def columns_of(given_rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in given_rows] for name in SCHEMA.columns}


@settings(deadline=None, max_examples=300)
@given(st.lists(rows, max_size=2))
def test_any_objects_have_the_keys_or_the_error_of_the_definition(given_rows: list[dict[str, Any]]) -> None:
    assert outcome(ENCODER.encode, given_rows) == outcome(definition, given_rows)
    columns = columns_of(given_rows)
    assert outcome(ENCODER.encode, columns) == outcome(definition, columns)


@settings(deadline=None)
@given(st.lists(likely_rows, max_size=5))
def test_common_rows_never_reach_the_definition(given_rows: list[dict[str, Any]]) -> None:
    expected = outcome(definition, given_rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr("hybridhash.data.encode_native.encode_feature")
        assert outcome(ENCODER.encode, given_rows) == expected
        assert outcome(ENCODER.encode, tuple(given_rows)) == expected
        assert outcome(ENCODER.encode, columns_of(given_rows)) == expected
        if len(given_rows) == 1:
            assert outcome(ENCODER.encode, given_rows[0]) == expected


@settings(deadline=None)
@given(rows, st.lists(likely_rows, max_size=3), st.sets(st.sampled_from(SCHEMA.columns)))
def test_what_all_rows_share_is_given_once(
    one: dict[str, Any], others: list[dict[str, Any]], shared: set[str]
) -> None:
    mapping = {name: one[name] if name in shared else values for name, values in columns_of(others).items()}
    assert outcome(ENCODER.encode, mapping) == outcome(definition, mapping)


ROW = {"id": 1, "word": "a", "number": 0.5, "ids": [2], "words": "a||b"}


@pytest.mark.parametrize(
    "given_rows",
    [
        [OrderedDict(ROW), defaultdict(list, ROW), UserDict(ROW)],
        [ROW, {"id": 1}],
        [ROW, defaultdict(list, {"id": 1})],
        [{**ROW, "other": object()}],
        [ROW, None],
        [ROW, [1]],
        7,
        ROW,
        {**ROW, "ids": [[1, 2], [3]]},
        {name: value for name, value in ROW.items() if name != "words"},
        pd.DataFrame([ROW, ROW]),
        pd.DataFrame([ROW, {**ROW, "word": 7, "id": "x"}]),
        [],
        {name: [] for name in ROW},
    ],
)
def test_other_forms_of_rows(given_rows: Any) -> None:
    assert outcome(ENCODER.encode, given_rows) == outcome(definition, given_rows)


def test_an_error_leaves_no_trace() -> None:
    expected = outcome(ENCODER.encode, [ROW])
    assert outcome(ENCODER.encode, [{**ROW, "id": "x"}])[0] is not None
    assert outcome(ENCODER.encode, [ROW]) == expected


def test_the_names_of_features_may_be_any_text() -> None:
    """Names made at run time are not the objects that the encoder holds."""
    for name in ("ß", "a b", "x" * 300):
        schema = Schema((Feature(name, "categorical", "string"),))
        found = ValueEncoder(schema, Discretiser({})).encode([{"".join(name): "v"}])
        assert found.keys.tolist() == encode_batch({name: ["v"]}, schema, Discretiser({})).keys.tolist()


def test_an_encoder_can_be_pickled() -> None:
    again = pickle.loads(pickle.dumps(ENCODER))
    assert outcome(again.encode, [ROW]) == outcome(ENCODER.encode, [ROW])


def test_threads_share_an_encoder() -> None:
    many = [
        {**ROW, "id": index, "number": Decimal(index)} for index in range(300)
    ]  # with the definition's help
    expected = outcome(definition, many)
    with ThreadPoolExecutor(4) as pool:
        assert all(
            found == expected for found in pool.map(lambda _: outcome(ENCODER.encode, many), range(20))
        )
