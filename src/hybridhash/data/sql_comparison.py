"""SQL that compares a column with a number in the precision of the column."""

import math
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Final

import numpy as np

INTEGERS: Final = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
)
HALF: Final = "HALF"  # what a source calls 16-bit floats, which DuckDB reads as FLOAT
_LARGE: Final = {"HUGEINT", "UHUGEINT"}
_DECIMAL: Final = re.compile(r"DECIMAL\(\d+,(\d+)\)")
_EXACT_DIGITS: Final = 38  # of DuckDB's DECIMAL
_EXACT_FLOAT: Final = 1 << 53  # up to here each integer is a float64
_OPPOSITE: Final = {">=": ROUND_CEILING, "<": ROUND_CEILING, ">": ROUND_FLOOR, "<=": ROUND_FLOOR}


def decimal_scale(sql_type: str) -> int | None:
    """Return the digits behind the point of an exact number type, 0 for integers; None for other types."""
    if sql_type in INTEGERS or sql_type in _LARGE:
        return 0
    match = _DECIMAL.fullmatch(sql_type)
    return int(match[1]) if match else None


def compare_sql(raw: str, sql_type: str, sign: str, number: float) -> str:
    """Return SQL that compares a column with a number, in the precision that the column has.

    A 32-bit or 16-bit float is compared with the number rounded to as many bits, so that 0.7 in such a column equals
    0.7, as in numpy, Polars and DuckDB. Integers and decimals are compared exactly. Text is compared as float64, and
    exactly where both sides are integers beyond 2**53.

    Args:
        raw: The quoted column.
        sql_type: DuckDB's type of it, or `HALF`.
        sign: One of ``>= <= = != > <``.
        number: A finite float, or an integer.
    """
    scale = decimal_scale(sql_type)
    if scale is not None:
        return _compare_exactly(raw, scale, sign, number)
    if sql_type == HALF:
        with np.errstate(over="ignore"):
            return f"{raw} {sign} {_float_sql(float(np.float16(number)))}"
    if sql_type == "FLOAT":
        with np.errstate(over="ignore"):
            return f"{raw} {sign} CAST({_float_sql(float(np.float32(number)))} AS FLOAT)"
    as_float = f"TRY_CAST({raw} AS DOUBLE) {sign} {_float_sql(float(number))}"
    if sql_type != "VARCHAR" or abs(number) < _EXACT_FLOAT or number != int(number):
        return as_float
    integer = f"TRY_CAST({raw} AS HUGEINT)"
    exact = _compare_exactly(integer, 0, sign, number)
    return f"CASE WHEN CAST({integer} AS VARCHAR) = {raw} THEN {exact} ELSE {as_float} END"


def _compare_exactly(raw: str, scale: int, sign: str, number: float) -> str:
    """Compare decimals: the other side is rounded to their digits, in the direction that keeps the answer."""
    exact = Decimal(number) if isinstance(number, int) else Decimal(repr(number))
    unit = Decimal(1).scaleb(-scale)
    if abs(exact) >= Decimal(10) ** (_EXACT_DIGITS - scale):  # beyond every value of the column
        return "TRUE" if sign == "!=" or ((sign[0] == "<") == (exact > 0) and sign != "=") else "FALSE"
    context = Context(prec=400)
    if sign in ("=", "!="):
        if exact != exact.quantize(unit, ROUND_FLOOR, context):
            return "TRUE" if sign == "!=" else "FALSE"
        rounded = exact
    else:
        rounded = exact.quantize(unit, _OPPOSITE[sign], context)
    return f"{raw} {sign} CAST('{rounded:f}' AS DECIMAL({_EXACT_DIGITS},{scale}))"


def _float_sql(number: float) -> str:
    text = repr(number) if math.isfinite(number) else ("-inf" if number < 0 else "inf")
    return f"CAST('{text}' AS DOUBLE)"
