import math
from typing import Any

import pytest

from hybridhash.data.synthetic.settings import (
    StreamCategorical,
    StreamColumns,
    StreamInteraction,
    StreamList,
    StreamNumeric,
    StreamSettings,
)
from hybridhash.errors import InvalidValueError

USER = StreamCategorical("user", num_ids=10, exponent=1.0, strength=1.0)
AD = StreamCategorical("ad", num_ids=10, exponent=1.0, strength=1.0)
PRICE = StreamNumeric("price", median=1.0, shape=1.0, strength=1.0)
TAGS = StreamList("tags", num_ids=10, exponent=1.0, strength=1.0)


def test_columns_say_what_is_what() -> None:
    settings = StreamSettings(1, 1, categorical=(USER, AD), numeric=(PRICE,), lists=(TAGS,))
    assert settings.columns() == StreamColumns(
        "ts", "clicked", ("user", "ad"), ("price",), ("tags",), "probability"
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_rows", 0),
        ("num_rows", 2**40 + 1),
        ("duration_s", 0),
        ("duration_s", 2**40 + 1),
        ("positive_rate", 0.0),
        ("positive_rate", 1.0),
        ("positive_rate", math.nan),
        ("start_s", 2**40 + 1),
        ("seed", -1),
        ("seed", 2**64),
    ],
)
def test_a_setting_out_of_range_is_named(field: str, value: float) -> None:
    wanted: dict[str, Any] = {"num_rows": 1, "duration_s": 1, "categorical": (USER,), field: value}
    with pytest.raises(InvalidValueError, match=f"{field}: expected"):
        StreamSettings(**wanted)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_ids", 0),
        ("num_ids", 2**31 + 1),
        ("exponent", -0.01),
        ("exponent", 8.01),
        ("exponent", math.nan),
        ("strength", -0.01),
        ("strength", math.inf),
        ("lifetime_s", 0.0),
        ("lifetime_s", math.nan),
        ("null_share", -0.01),
        ("null_share", 1.0),
    ],
)
def test_a_categorical_setting_out_of_range_is_named(field: str, value: float) -> None:
    wanted: dict[str, Any] = {"name": "user", "num_ids": 10, "exponent": 1.0, "strength": 1.0, field: value}
    with pytest.raises(InvalidValueError, match=rf"feature 'user': {field}: expected"):
        StreamCategorical(**wanted)


@pytest.mark.parametrize("max_length", [0, 257])
def test_a_list_length_out_of_range_is_named(max_length: int) -> None:
    with pytest.raises(InvalidValueError, match="feature 'tags': max_length: expected"):
        StreamList("tags", num_ids=10, exponent=1.0, strength=1.0, max_length=max_length)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("median", 0.0),
        ("median", math.inf),
        ("shape", 0.0),
        ("shape", math.nan),
        ("strength", -1.0),
        ("null_share", 1.0),
        ("nan_share", -0.1),
    ],
)
def test_a_numeric_setting_out_of_range_is_named(field: str, value: float) -> None:
    wanted: dict[str, Any] = {"name": "price", "median": 1.0, "shape": 1.0, "strength": 1.0, field: value}
    with pytest.raises(InvalidValueError, match=f"feature 'price': {field}: expected"):
        StreamNumeric(**wanted)


def test_null_and_nan_shares_leave_some_numbers() -> None:
    StreamNumeric("price", 1.0, 1.0, 1.0, null_share=0.5, nan_share=0.25)
    with pytest.raises(InvalidValueError, match=r"null_share \+ nan_share"):
        StreamNumeric("price", 1.0, 1.0, 1.0, null_share=0.5, nan_share=0.5)


@pytest.mark.parametrize("name", ["", "ts", "clicked", "probability"])
def test_a_reserved_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidValueError, match="name: expected"):
        StreamCategorical(name, num_ids=10, exponent=1.0, strength=1.0)
    with pytest.raises(InvalidValueError, match="name: expected"):
        StreamNumeric(name, median=1.0, shape=1.0, strength=1.0)


def test_two_features_of_one_name_are_refused() -> None:
    twin = StreamList("user", num_ids=10, exponent=1.0, strength=1.0)
    with pytest.raises(InvalidValueError, match="'user' more than once"):
        StreamSettings(1, 1, categorical=(USER,), lists=(twin,))


def test_a_stream_without_features_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="at least one feature"):
        StreamSettings(1, 1)


def test_an_interaction_is_between_two_categorical_features() -> None:
    with pytest.raises(InvalidValueError, match="'user' twice"):
        StreamInteraction("user", "user", 1.0)
    with pytest.raises(InvalidValueError, match="interaction: strength"):
        StreamInteraction("user", "ad", -1.0)
    with pytest.raises(InvalidValueError, match="got 'tags'"):
        StreamSettings(
            1, 1, categorical=(USER,), lists=(TAGS,), interaction=StreamInteraction("user", "tags", 1.0)
        )


def test_more_ids_than_a_text_id_can_hold_are_refused() -> None:
    # 2**20 ranks times 2**20 generations is 2**40, all that eight characters of five bits can name.
    def settings(num_ids: int) -> StreamSettings:
        site = StreamCategorical("site", num_ids, exponent=1.0, strength=1.0, lifetime_s=1.0, text=True)
        return StreamSettings(1, duration_s=2**20 - 2, categorical=(site,))

    settings(2**20)
    with pytest.raises(InvalidValueError, match=r"feature 'site'.*2\*\*40.*lifetime_s"):
        settings(2**20 + 1)
