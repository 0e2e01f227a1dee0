import json

import pytest

from hybridhash.data import Feature, Schema
from hybridhash.errors import DataError, FileFormatError, InvalidValueError

SCHEMA = Schema(
    (
        Feature("user", "categorical", "int"),
        Feature("price", "numeric", "float"),
        Feature("tags", "list", "string"),
        Feature("user*price", "cross", "key", ("user", "price")),
    ),
    seed=7,
    list_separator=";",
)


def test_a_schema_survives_json_and_knows_its_columns() -> None:
    assert Schema.from_json(SCHEMA.to_json()) == SCHEMA
    assert SCHEMA.columns == ("user", "price", "tags")
    assert SCHEMA.names == ("user", "price", "tags", "user*price")
    assert [feature.name for feature in SCHEMA.of_kind("numeric", "cross")] == ["price", "user*price"]
    with pytest.raises(DataError, match="did you mean 'user'"):
        SCHEMA.feature("usr")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": 2}', '{"version": 1}', '{"version": 1, "features": [{"name": "a"}]}'],
)
def test_what_is_no_schema_is_refused(text: str) -> None:
    with pytest.raises(FileFormatError):
        Schema.from_json(text)


def test_a_schema_of_a_newer_version_is_refused_by_name() -> None:
    body = json.loads(SCHEMA.to_json()) | {"version": 2}
    with pytest.raises(FileFormatError, match="version 1, got 2"):
        Schema.from_json(json.dumps(body))


@pytest.mark.parametrize(
    "features",
    [
        (),
        (Feature("a", "categorical", "int"), Feature("a", "categorical", "int")),
        (Feature("a", "list", "int"), Feature("b", "categorical", "int")),
        (Feature("a", "categorical", "int"), Feature("a*b", "cross", "key", ("a", "b"))),
    ],
)
def test_a_schema_holds_its_order(features: tuple[Feature, ...]) -> None:
    with pytest.raises(InvalidValueError):
        Schema(features)


@pytest.mark.parametrize(
    ("kind", "dtype", "parts"),
    [
        ("categorical", "float", ()),
        ("numeric", "int", ()),
        ("other", "int", ()),
        ("cross", "key", ("a",)),
        ("list", "int", ("a", "b")),
    ],
)
def test_a_feature_holds_its_type(kind: str, dtype: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(InvalidValueError):
        Feature("f", kind, dtype, parts)  # type: ignore[arg-type]
