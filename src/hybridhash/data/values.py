"""Columns of values in many containers, converted to the type that the feature has in the schema."""

import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import DataError, InvalidTypeError
from hybridhash.hashing.columns import Column, as_column, is_arrow, is_missing

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]

_BOOLEANS: Final = {"false": 0, "true": 1}
_CANONICAL: Final = re.compile(r"0|-?[1-9][0-9]*")
_INT_MIN: Final = -(1 << 63)
_INT_END: Final = 1 << 64  # unsigned 64-bit ids are integers too
_ARROW_NUMBERS: Final = ("int", "uint", "float", "double", "halffloat", "bool", "decimal", "null")


@dataclass(frozen=True)
class Lists:
    """The lists of N rows.

    Attributes:
        elements: The elements of all lists, one list after another.
        lengths: int64[N], the number of elements of each list; 0 for a null.
        is_null: bool[N], where the list itself is null; None where no list is.
    """

    elements: Any
    lengths: Int64s
    is_null: Bools | None = None


def conform(values: Any, dtype: str, column: str, first_row: int = 0, rows: Int64s | None = None) -> Column:
    """Convert ids to the type of their feature, where nothing is lost by it.

    Args:
        values: [N] strings, integers or nulls, in any container that `hybridhash.hashing.hash_keys` takes.
        dtype: ``int`` or ``string``.
        column: The column's name, for errors.
        first_row: The row of the first value, for errors.
        rows: int64[N], the row that each value comes from when that is not its position.

    Returns:
        N values that `hash_keys` takes.

    Raises:
        DataError: A value that is neither a string nor an integer, or text that is not the decimal form
            of an integer given to an integer feature.
    """
    given = one_column(values, column)
    found = _convert_arrow(given, dtype) if is_arrow(given.values) else _convert_array(given, dtype)
    if found is not None:
        return found
    convert = _to_int if dtype == "int" else _to_string
    out: list[int | str | None] = []
    for index, value in enumerate(_objects(given)):
        try:
            out.append(None if is_missing(value) else convert(value))
        except (TypeError, ValueError) as error:
            row = first_row + 1 + (index if rows is None else int(rows[index]))
            raise DataError(f"column {column!r}, row {row}: {error}") from None
    return Column(out)


def numbers(values: Any, column: str, first_row: int = 0) -> Float64s:
    """Read a numeric column.

    NaN and null are the same: pandas writes NaN to a file as null, and most containers cannot tell them apart.

    Args:
        values: [N] numbers or nulls in any container.
        column: The column's name, for errors.
        first_row: The row of the first value, for errors.

    Returns:
        float64[N], NaN at nulls.

    Raises:
        DataError: Values that are not numbers, or an infinite one.
    """
    given = one_column(values, column)
    if is_arrow(given.values):
        floats = _arrow_floats(given.values, column)
    elif given.is_array:
        if given.values.dtype.kind not in "iubf":
            raise DataError(
                f"column {column!r}: expected numbers, got an array of {given.values.dtype}; cast it to a number"
            )
        floats = given.values.astype(np.float64)
        if given.is_null is not None:
            floats[given.is_null] = np.nan
    else:
        floats = _object_floats(given.values, column, first_row)
    infinite = np.flatnonzero(np.isinf(floats))
    if infinite.size:
        raise DataError(
            f"column {column!r}, row {first_row + int(infinite[0]) + 1}: expected a finite number, "
            f"NaN or null, got {floats[infinite[0]]}"
        )
    return floats


def split_lists(values: Any, separator: str, column: str, first_row: int = 0) -> Lists:
    """Read a list column.

    Args:
        values: [N] lists, texts with a separator, or nulls: Arrow lists, an array [N, L] of N lists of one length, or
            any container of lists or texts. An empty text is a null; an empty element of a text is a null of its own.
        separator: What stands between the elements of a text.
        column: The column's name, for errors.
        first_row: The row of the first value, for errors.

    Returns:
        The lists.

    Raises:
        DataError: A value that is neither a list nor text.
    """
    given = one_column(values, column, most_dimensions=2)
    if is_arrow(given.values) and str(given.values.type).startswith(
        ("list<", "large_list<", "fixed_size_list<")
    ):
        return _arrow_lists(given.values)
    if len(given.shape) == 2:
        lengths = np.full(given.shape[0], given.shape[1], dtype=np.int64)
        if given.is_list:
            return Lists(given.values, lengths)
        is_null = None if given.is_null is None else given.is_null.reshape(-1)
        return Lists(Column(given.values.reshape(-1), is_null), lengths)
    lists = _objects(given)
    flat: list[Any] = []
    lengths = np.zeros(len(lists), dtype=np.int64)
    nulls = np.zeros(len(lists), dtype=np.bool_)
    for index, value in enumerate(lists):
        if is_missing(value) or (isinstance(value, str) and not value):
            nulls[index] = True
            continue
        if isinstance(value, str):
            elements: list[Any] = [part or None for part in value.split(separator)]
        elif is_list(value):
            elements = list(value)
        else:
            raise DataError(
                f"column {column!r}, row {first_row + index + 1}: expected a list or text "
                f"with {separator!r}, got {value!r}"
            )
        flat.extend(elements)
        lengths[index] = len(elements)
    return Lists(flat, lengths, nulls if nulls.any() else None)


def one_column(values: Any, column: str, most_dimensions: int = 1) -> Column:
    """Read a column as a list, an array or an Arrow array.

    Args:
        values: [N] values in any container.
        column: The column's name, for errors.
        most_dimensions: The number of dimensions that an array may have.

    Raises:
        DataError: A table, one value alone, or an array of more dimensions.
    """
    try:
        given = as_column(values)
    except InvalidTypeError as error:
        raise DataError(f"column {column!r}: {error}") from None
    if len(given.shape) > most_dimensions:
        raise DataError(
            f"column {column!r}: expected {'one value' if most_dimensions == 1 else 'one list of ids'} a row, "
            f"got an array of shape {given.shape}"
        )
    return given


def is_list(value: object) -> bool:
    """Say whether a value of one row is a list: something to iterate over that is no text, mapping or single value."""
    if isinstance(value, str | bytes | Mapping):
        return False
    return isinstance(value, Iterable) and getattr(value, "ndim", 1) > 0


def _objects(column: Column) -> list[Any]:
    """Return the values as Python objects, nulls as None."""
    if column.is_list:
        return column.values  # type: ignore[no-any-return]
    if is_arrow(column.values):
        return column.values.to_pylist()  # type: ignore[no-any-return]
    objects = column.values.astype(object)  # a copy
    if column.is_null is not None:
        objects[column.is_null] = None
    return objects.tolist()  # type: ignore[no-any-return]


def _convert_arrow(column: Column, dtype: str) -> Column | None:
    """Convert at once; None for what must be converted value by value."""
    values = column.values
    kind = str(values.type.value_type if _is_dictionary(values) else values.type)
    if kind.startswith(("int", "uint")) or kind == "bool":
        if dtype == "int":
            return column
        return None if kind == "bool" else Column(_without_dictionary(values).cast("string"))
    is_text = kind in ("string", "large_string", "string_view")
    return column if kind == "null" or (is_text and dtype == "string") else None


def _convert_array(column: Column, dtype: str) -> Column | None:
    """Convert at once; None for what must be converted value by value."""
    values = column.values
    if not column.is_array or values.dtype.kind not in "iubUS":
        return None
    is_text = values.dtype.kind in "US"
    if is_text == (dtype == "string"):
        return column
    if not is_text:
        return None if values.dtype.kind == "b" else Column(values.astype(np.str_), column.is_null)
    parsed = _parse_array(values)
    return None if parsed is None else Column(parsed, column.is_null)


def _parse_array(texts: npt.NDArray[Any]) -> Int64s | None:
    """Parse decimal integers at once; None when a text is not the decimal form of its integer."""
    try:
        parsed = texts.astype(np.int64)
    except (ValueError, OverflowError):
        return None
    return parsed if (parsed.astype(texts.dtype.kind) == texts).all() else None


def _to_int(value: Any) -> int:
    if isinstance(value, bytes):
        value = value.decode()
    if not isinstance(value, str):
        return _index(value)
    if value.lower() in _BOOLEANS:  # as programs write into text what Parquet holds as booleans
        return _BOOLEANS[value.lower()]
    if not _CANONICAL.fullmatch(value) or not _INT_MIN <= int(value) < _INT_END:
        raise ValueError(
            f"expected an integer as in the training data, got {value!r}; text must be the decimal form of a "
            "64-bit integer, without leading zeros"
        )
    return int(value)


def _to_string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        raise TypeError(
            f"expected text as in the training data, got {value}; cast booleans to the text that stood there, "
            "such as 'True' or '1'"
        )
    return value.decode() if isinstance(value, bytes) else str(_index(value))


def _index(value: Any) -> int:
    if isinstance(value, np.bool_) or (isinstance(value, Decimal) and value.as_tuple().exponent == 0):
        return int(value)
    try:
        return int(operator.index(value))
    except TypeError:
        raise TypeError(
            f"expected a string or an integer, got {value!r}; declare numbers as numeric, or cast"
            + (
                "; integers with holes, which pandas makes floats of, keep their type as Int64"
                * _is_float(value)
            )
        ) from None


def _is_float(value: Any) -> bool:
    return isinstance(value, float | np.floating)


def _is_dictionary(values: Any) -> bool:
    return str(values.type).startswith("dictionary")


def _without_dictionary(values: Any) -> Any:
    return values.cast(values.type.value_type) if _is_dictionary(values) else values


def _arrow_floats(values: Any, column: str) -> Float64s:
    values = _without_dictionary(values)
    kind = str(values.type)
    if not kind.startswith(_ARROW_NUMBERS):
        raise DataError(f"column {column!r}: expected numbers, got Arrow {kind}; cast it to a number")
    # Not safe: integers beyond 2**53 are rounded, as everywhere else.
    doubles = values if kind == "double" else values.cast("double", safe=False)
    return np.array(doubles.to_numpy(zero_copy_only=False), dtype=np.float64)


def _object_floats(values: list[Any], column: str, first_row: int) -> Float64s:
    floats = np.empty(len(values), dtype=np.float64)
    for index, value in enumerate(values):
        if is_missing(value):
            floats[index] = np.nan
            continue
        try:
            if not isinstance(value, int | float | Decimal | np.integer | np.floating | np.bool_):
                raise TypeError
            floats[index] = float(value)
        except (TypeError, OverflowError):
            raise DataError(
                f"column {column!r}, row {first_row + index + 1}: expected a number, got {value!r}"
            ) from None
    return floats


def _arrow_lists(values: Any) -> Lists:
    if hasattr(values, "chunks"):
        values = values.combine_chunks()
    is_null = values.is_null().to_numpy(zero_copy_only=False) if values.null_count else None
    if str(values.type).startswith("fixed_size_list<"):
        lengths = np.full(len(values), values.type.list_size, dtype=np.int64)
    else:
        offsets = values.offsets.to_numpy().astype(np.int64)
        lengths = np.diff(offsets)
        if is_null is None:
            return Lists(values.values.slice(int(offsets[0]), int(offsets[-1] - offsets[0])), lengths)
    return Lists(values.flatten(), lengths if is_null is None else np.where(is_null, 0, lengths), is_null)
