import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.data import Columns, Label
from hybridhash.data.columns import COMPARISONS, cross_parts
from hybridhash.errors import InvalidValueError


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("clicked", Label("clicked")),
        ("rating>=8", Label("rating", ">=", 8.0)),
        (" my rating < -1.5e1 ", Label(" my rating", "<", -15.0)),
        (' "a>=b " != 2', Label("a>=b ", "!=", 2.0)),
        ('"a""b"', Label('a"b')),
        ("a.b!=0", Label("a.b", "!=", 0.0)),
    ],
)
def test_a_label_is_parsed(text: str, label: Label) -> None:
    assert Label.parse(text) == label


@given(
    st.text(st.characters(codec="utf-8"), min_size=1),
    st.sampled_from(COMPARISONS),
    st.integers(-(10**6), 10**6),
)
def test_a_label_survives_its_text(column: str, sign: str, threshold: int) -> None:
    label = Label(column, sign, threshold / 8)
    assert Label.parse(str(label)) == label


@pytest.mark.parametrize(
    "text", ["", "  ", ">=8", "rating>=", "rating>=x", "rating>=nan", "rating>=inf", "a=>3"]
)
def test_a_label_without_a_meaning_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="label"):
        Label.parse(text)


def test_an_unknown_comparison_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="comparison"):
        Label("a", "=>", 1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "at least one feature"),
        ({"categorical": ("a", "a")}, "more than once"),
        ({"categorical": ("a",), "numeric": ("a",)}, "more than once"),
        ({"categorical": ("a",), "label": Label("a")}, "is the label"),
        ({"categorical": ("a",), "weight": "a"}, "is the weight"),
        ({"categorical": ("a",), "list_separator": ""}, "list_separator"),
        ({"categorical": ("a",), "lists": ("b",), "crosses": ("a*b",)}, "got 'b'"),
    ],
)
def test_columns_that_make_no_schema_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Columns(**options)  # type: ignore[arg-type]


def test_the_parts_of_a_cross() -> None:
    assert cross_parts("a * b", ("a", "b", "c")) == ("a", "b")
    for wrong in ("a", "a*a", "a*"):
        with pytest.raises(InvalidValueError):
            cross_parts(wrong, ("a", "b"))
