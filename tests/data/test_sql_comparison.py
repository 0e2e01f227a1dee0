"""Comparisons against numpy and exact fractions."""

import operator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridhash.data.sql_comparison import HALF, compare_sql, decimal_scale

SIGNS = {
    ">=": operator.ge,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


def compared(value: str, sql_type: str, sign: str, number: float) -> Any:
    raw = "FLOAT" if sql_type == HALF else sql_type
    comparison = compare_sql("x", sql_type, sign, number)
    [[answer]] = duckdb.sql(f"SELECT {comparison} FROM (SELECT CAST('{value}' AS {raw}) AS x)").fetchall()
    return answer


@settings(max_examples=40, deadline=None)
@given(tenths=st.integers(-30, 30), other=st.integers(-30, 30), sign=st.sampled_from(sorted(SIGNS)))
@pytest.mark.parametrize(
    ("sql_type", "dtype"), [("FLOAT", np.float32), (HALF, np.float16), ("DOUBLE", np.float64)]
)
def test_floats_are_compared_as_numpy_does(
    sql_type: str, dtype: Any, tenths: int, other: int, sign: str
) -> None:
    value = dtype(tenths / 10)
    expected = SIGNS[sign](np.array([value]), other / 10)[0]  # a Python number takes the type of the array
    assert compared(repr(float(value)), sql_type, sign, other / 10) == expected


@settings(max_examples=100, deadline=None)
@given(
    value=st.integers(-(2**63), 2**63 - 1) | st.integers(2**53 - 3, 2**53 + 3) | st.integers(-3, 3),
    near=st.sampled_from([-1, 0, 1]),
    half=st.booleans(),
    sign=st.sampled_from(sorted(SIGNS)),
)
def test_integers_are_compared_exactly(value: int, near: int, half: bool, sign: str) -> None:
    number: float = value + near + 0.5 if half and abs(value) < 2**50 else value + near
    expected = SIGNS[sign](Fraction(value), Fraction(number))
    assert compared(str(value), "BIGINT", sign, number) == expected
    assert compared(str(value), "VARCHAR", sign, number) == expected


@pytest.mark.parametrize("sign", sorted(SIGNS))
@pytest.mark.parametrize("number", [0.7, 0.705, 0.71, -0.7, 1e30, -1e300])
@pytest.mark.parametrize("value", ["0.70", "0.71", "-0.70", "0.00"])
def test_decimals_are_compared_exactly(value: str, number: float, sign: str) -> None:
    expected = SIGNS[sign](Decimal(value), Decimal(repr(number)))
    assert compared(value, "DECIMAL(10,2)", sign, number) == expected


def test_text_that_is_no_integer_is_compared_as_a_float() -> None:
    assert compared("9007199254740993.5", "VARCHAR", ">=", 9007199254740993) is True
    assert compared("0.7", "VARCHAR", ">=", 0.7) is True
    assert compared("x", "VARCHAR", ">=", 0.7) is None


def test_the_digits_of_exact_types() -> None:
    types = ["BIGINT", "HUGEINT", "DECIMAL(18,3)", "DECIMAL(38,0)", "DOUBLE", "VARCHAR", "BIGINT[]"]
    assert [decimal_scale(name) for name in types] == [0, 0, 3, 0, None, None, None]
