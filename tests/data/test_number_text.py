import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.data.number_text import number_text, parse_number


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70))
def test_no_digit_is_lost(number: float) -> None:
    assert parse_number(number_text(number)) == number


@pytest.mark.parametrize("text", ["nan", "inf", "x", "", "1e999"])
def test_only_finite_numbers_are_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"float|finite"):
        parse_number(text)
