"""Values of many containers and two types, brought to what a schema's feature holds."""

import math
import re
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import DataError

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]

_CANONICAL: Final = re.compile(r"0|-?[1-9][0-9]*")
_INT_MIN: Final = -(1 << 63)
_INT_END: Final = 1 << 64  # unsigned 64-bit ids are integers too


def conform(values: Any, dtype: str, column: str, first_row: int = 0, rows: Int64s | None = None) -> Any:
    """Bring ids to the type of their feature, when nothing is lost by it.

    Args:
        values: [N] strings, integers or nulls, in any container that `hybridhash.hashing.hash_keys` takes.
        dtype: ``int`` or ``string``.
        column: The column's name, for errors.
        first_row: The row of the first value, for errors.
        rows: int64[N], the row that each value comes from when that is not its position.

    Returns:
        [N] values that `hash_keys` takes.

    Raises:
        DataError: A value that is neither a string nor an integer, or text that is not the decimal form
            of an integer given to an integer feature.
    """
    values = unwrap(values)
    if is_arrow(values):
        kind = _arrow_kind(values)
        if kind in (dtype, "null"):
            return values
        if kind == "int":
            return values.cast("int8").cast("string") if str(values.type) == "bool" else values.cast("string")
        values = values.to_pylist()
    elif isinstance(values, np.ndarray) and values.dtype.kind in "iubUS":
        kind = "string" if values.dtype.kind in "US" else "int"
        if kind == dtype:
            return values
        if kind == "int":
            return (values.astype(np.int64) if values.dtype.kind == "b" else values).astype(np.str_)
        parsed = _parse_array(values)
        if parsed is not None:
            return parsed
    elif isinstance(values, np.ndarray) and values.dtype.kind not in "OT":
        raise _wrong_type(column, f"an array of {values.dtype}")
    convert = _to_int if dtype == "int" else _to_string
    out: list[int | str | None] = []
    for index, value in enumerate(list(values)):
        try:
            out.append(None if _is_missing(value) else convert(value))
        except (TypeError, ValueError) as error:
            row = first_row + 1 + (index if rows is None else int(rows[index]))
            raise DataError(f"column {column!r}, row {row}: {error}") from None
    return out


def numbers(values: Any, column: str, first_row: int = 0) -> tuple[npt.NDArray[np.float64], Bools | None]:
    """Read a numeric column.

    Args:
        values: [N] numbers or nulls in any container.
        column: The column's name, for errors.
        first_row: The row of the first value, for errors.

    Returns:
        float64[N], and bool[N] where it is null, or None when there are no nulls.

    Raises:
        DataError: Values that are not numbers, or an infinite one.
    """
    values = unwrap(values)
    is_null: Bools | None = None
    if is_arrow(values):
        kind = str(values.type)
        if not kind.startswith(("int", "uint", "float", "double", "halffloat", "bool", "decimal", "null")):
            raise DataError(f"column {column!r}: expected numbers, got Arrow {kind}; cast it to a number")
        if values.null_count:
            is_null = values.is_null().to_numpy(zero_copy_only=False)
        floats = (values if kind == "double" else values.cast("double")).to_numpy(zero_copy_only=False)
    else:
        array = values if isinstance(values, np.ndarray) else np.array(values, dtype=object)
        if array.dtype.kind == "O":
            is_null = np.array([value is None for value in array], dtype=np.bool_)
            text = [index for index, value in enumerate(array) if value is not None and not _is_number(value)]
            if text:
                raise DataError(
                    f"column {column!r}, row {first_row + text[0] + 1}: expected a number, "
                    f"got {array[text[0]]!r}"
                )
            array = np.where(is_null, np.nan, array)
        elif array.dtype.kind not in "iubf":
            raise DataError(
                f"column {column!r}: expected numbers, got an array of {array.dtype}; cast it to a number"
            )
        floats = array.astype(np.float64)
    infinite = np.flatnonzero(np.isinf(floats))
    if infinite.size:
        raise DataError(
            f"column {column!r}, row {first_row + int(infinite[0]) + 1}: expected a finite number, "
            f"NaN or null, got {floats[infinite[0]]}"
        )
    return floats, is_null


def split_lists(
    values: Any, separator: str, column: str, first_row: int = 0
) -> tuple[Any, Int64s, Bools | None]:
    """Read a list column.

    Args:
        values: [N] lists, texts with a separator, or nulls: Arrow lists, or any container of them. An
            empty text is a null; an empty element of a text is a null of its own.
        separator: What stands between the elements of a text.
        column: The column's name, for errors.
        first_row: The row of the first value, for errors.

    Returns:
        The elements of all lists, int64[N] lengths, and bool[N] where the list itself is null (of length
        0), or None when there are no nulls.

    Raises:
        DataError: A value that is neither a list nor text.
    """
    values = unwrap(values)
    if is_arrow(values) and str(values.type).startswith(("list<", "large_list<")):
        if hasattr(values, "chunks"):
            values = values.combine_chunks()
        offsets = values.offsets.to_numpy().astype(np.int64)
        lengths = np.diff(offsets)
        if not values.null_count:
            return values.values.slice(int(offsets[0]), int(offsets[-1] - offsets[0])), lengths, None
        is_null = values.is_null().to_numpy(zero_copy_only=False)
        return values.flatten(), np.where(is_null, 0, lengths), is_null
    lists = [] if values is None else (values.to_pylist() if is_arrow(values) else list(values))
    flat: list[Any] = []
    lengths = np.zeros(len(lists), dtype=np.int64)
    nulls = np.zeros(len(lists), dtype=np.bool_)
    for index, value in enumerate(lists):
        if _is_missing(value) or (isinstance(value, str) and not value):
            nulls[index] = True
            continue
        if isinstance(value, str):
            elements: list[Any] = [part or None for part in value.split(separator)]
        elif hasattr(value, "__iter__") and not isinstance(value, bytes | dict):
            elements = list(value)
        else:
            raise DataError(
                f"column {column!r}, row {first_row + index + 1}: expected a list or text "
                f"with {separator!r}, got {value!r}"
            )
        flat.extend(elements)
        lengths[index] = len(elements)
    return flat, lengths, nulls if nulls.any() else None


def unwrap(values: Any) -> Any:
    """Turn Polars columns into Arrow and pandas columns into numpy."""
    if hasattr(values, "to_arrow"):
        return values.to_arrow()
    if not is_arrow(values) and hasattr(values, "to_numpy"):
        return values.to_numpy()
    return values


def is_arrow(values: Any) -> bool:
    """Tell a pyarrow array without importing pyarrow."""
    return type(values).__module__.partition(".")[0] == "pyarrow"


def _arrow_kind(values: Any) -> str:
    kind = str(values.type)
    if kind.startswith("dictionary"):
        kind = str(values.type.value_type)
    if kind.startswith(("int", "uint")) or kind == "bool":
        return "int"
    if kind in ("string", "large_string", "string_view"):
        return "string"
    return "null" if kind == "null" else "other"


def _parse_array(texts: npt.NDArray[Any]) -> Int64s | None:
    """Parse decimal integers at once; None when a text is not the decimal form of its integer."""
    try:
        parsed = texts.astype(np.int64)
    except (ValueError, OverflowError):
        return None
    return parsed if (parsed.astype(texts.dtype.kind) == texts).all() else None


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number | np.bool_)


def _to_int(value: Any) -> int:
    if isinstance(value, int | np.integer | np.bool_):
        return int(value)
    if isinstance(value, bytes):
        value = value.decode()
    if not isinstance(value, str):
        raise TypeError(_EXPECTED.format(value=value))
    if not _CANONICAL.fullmatch(value) or not _INT_MIN <= int(value) < _INT_END:
        raise ValueError(
            f"expected an integer as in the training data, got {value!r}; text must be the decimal form of a "
            "64-bit integer, without leading zeros"
        )
    return int(value)


def _to_string(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, int | np.integer | np.bool_):
        return str(int(value))
    raise TypeError(_EXPECTED.format(value=value))


_EXPECTED: Final = "expected a string or an integer, got {value!r}; declare numbers as numeric, or cast"


def _wrong_type(column: str, got: str) -> DataError:
    return DataError(
        f"column {column!r}: expected strings or integers, got {got}; "
        "declare the column as numeric, or cast it"
    )
