from fractions import Fraction

import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.experiments.amounts import parse_amount


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("80000", 80_000),
        ("80_000", 80_000),
        (" 2% ", Fraction(1, 50)),
        ("2.5%", Fraction(1, 40)),
        ("100%", Fraction(1)),
        ("1/8", Fraction(1, 8)),
        ("2^-5", Fraction(1, 32)),
    ],
)
def test_reads_counts_and_shares(text: str, number: int | Fraction) -> None:
    found = parse_amount("--top-k", text)
    assert (found.number, type(found.number)) == (number, type(number))


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "3/2", "1/0", "-5", "0.5", "many", "2^3"])
def test_refuses_what_is_no_amount(text: str) -> None:
    with pytest.raises(InvalidValueError, match="--buckets: expected a count such as 80000, or a share"):
        parse_amount("--buckets", text)


def test_a_share_is_of_each_table_and_a_count_of_all() -> None:
    assert parse_amount("--top-k", "1/3").of(100, 1000) == 33
    assert parse_amount("--top-k", "500").of(100, 1000) == 50
    # A share that is exact stays exact: 29 % of 100 is 29.
    assert parse_amount("--top-k", "29%").of(100, 100) == 29
