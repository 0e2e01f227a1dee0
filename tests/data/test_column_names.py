"""Names of columns as they are typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.data.column_names import find_name, quoted, split_crosses, split_names, unquoted
from hybridhash.errors import InvalidValueError

NAMES = st.text('ab ,*"=>\n', min_size=1, max_size=5)


@given(st.lists(NAMES, min_size=1, max_size=4))
def test_quoted_names_come_back(names: list[str]) -> None:
    assert list(split_names(",".join(map(quoted, names)))) == names


@given(st.lists(st.lists(NAMES, min_size=1, max_size=3), min_size=1, max_size=3))
def test_quoted_crosses_come_back(crosses: list[list[str]]) -> None:
    text = ",".join("*".join(quoted(name, ",*") for name in cross) for cross in crosses)
    assert [list(split_names(cross, "*")) for cross in split_crosses(text)] == crosses


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ("",)),
        ("a,b", ("a", "b")),
        (" a, b ,", (" a", " b ", "")),
        (' "a" ,"b,c"', ("a", "b,c")),
        ('5" screen,b', ('5" screen', "b")),
        ('"say ""hi"""', ('say "hi"',)),
        ('""', ("",)),
    ],
)
def test_names_in_a_line(text: str, names: tuple[str, ...]) -> None:
    """What stands in quotes is what `csv.reader` makes of it; other spaces and quotes are a part of the name."""
    assert split_names(text) == names


@pytest.mark.parametrize("text", ['"', '"a', '"a"b', '"a""', 'a,"b'])
def test_a_quote_that_does_not_close_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="double quotes"):
        split_names(text)


def test_a_name_without_quotes_is_itself() -> None:
    assert unquoted(" a ") == " a "


def test_a_name_is_found_with_its_spaces_before_without_them() -> None:
    assert find_name(" a", ("a", " a")) == " a"
    assert find_name(" a", ("a", "b")) == "a"
    assert find_name(" c", ("a", "b")) == " c"
