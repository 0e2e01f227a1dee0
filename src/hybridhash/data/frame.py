"""Rows that a caller hands over, in any container, read as columns by name; a value that all rows share stands once."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final, Literal

from hybridhash.data.column_names import missing_column
from hybridhash.data.schema import Schema
from hybridhash.data.values import is_list
from hybridhash.errors import DataError, InvalidTypeError
from hybridhash.hashing.columns import is_missing

_EXPECTED: Final = (
    "rows: expected columns by name (a mapping, a data frame, an Arrow table), one row as a mapping of its values, "
    "or a sequence of mappings, one a row"
)
_ABSENT: Final = object()


@dataclass(frozen=True)
class Frame:
    """Some rows by columns.

    Attributes:
        columns: Per column of the schema its values, one for each row; of a shared column, a list of one value.
        shared: The names of the columns whose one value is that of all rows.
        num_rows: B.
    """

    columns: Mapping[str, Any]
    shared: frozenset[str]
    num_rows: int


def as_frame(rows: Any, schema: Schema) -> Frame:
    """Read rows in any container as columns by name.

    In a mapping, a value that stands alone (a text, a number, None; of a list feature one list of ids) is that of all
    rows. A mapping in which every value stands alone is one row. A sequence of texts does not say whether it is one
    list of ids or the texts of as many rows: it is one list where no other column has several rows, it is refused
    beside values that stand alone and columns of several rows, and otherwise it is the texts of the rows.

    Args:
        rows: Columns by name (a mapping, a data frame of pandas or Polars, lazy or not, an Arrow table, a numpy array
            with fields), one row as a mapping of its values, or a sequence of mappings, one a row. Columns that are no
            feature are not read.
        schema: The features.

    Returns:
        The columns of the schema.

    Raises:
        DataError: A missing column, a row without a value for a feature, or columns of different lengths.
        InvalidTypeError: Rows in another form.
    """
    if isinstance(rows, Mapping):
        return _from_mapping(rows, schema)
    if not isinstance(rows, str | bytes) and isinstance(rows, Sequence):
        return _from_sequence(rows, schema)
    if hasattr(rows, "collect") and hasattr(rows, "lazy"):  # a lazy frame of Polars
        rows = rows.collect()
    # Arrow; pandas and Polars; numpy
    names = getattr(rows, "column_names", getattr(rows, "columns", None))
    if names is None:
        names = getattr(getattr(rows, "dtype", None), "names", None)
    if names is None:
        raise InvalidTypeError(f"{_EXPECTED}; got {type(rows).__name__}")
    for name in schema.columns:
        if name not in names:
            raise missing_column(name, names, "rows")
    return _from_mapping({name: rows[name] for name in schema.columns}, schema)


def column_of(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """Return the values of one column of rows.

    Raises:
        DataError: A row has no value of that name.
    """
    values = [row.get(name, _ABSENT) for row in rows]
    if any(value is _ABSENT for value in values):
        index = next(index for index, value in enumerate(values) if value is _ABSENT)
        raise missing_column(name, rows[index], f"row {index + 1}")
    return values


def _from_sequence(rows: Sequence[Any], schema: Schema) -> Frame:
    for row in rows:
        if not isinstance(row, Mapping):
            raise InvalidTypeError(f"{_EXPECTED}; got {type(rows).__name__} of {type(row).__name__}")
    return Frame({name: column_of(rows, name) for name in schema.columns}, frozenset(), len(rows))


def _from_mapping(rows: Mapping[str, Any], schema: Schema) -> Frame:
    for name in schema.columns:
        if name not in rows:
            raise missing_column(name, rows, "rows")
    columns = {name: rows[name] for name in schema.columns}
    shared = {name for name, value in columns.items() if _stands_alone(value)}
    if shared:
        shared |= _shared_lists(columns, shared, schema)
    sizes = {name: len(values) for name, values in columns.items() if name not in shared}
    if len(set(sizes.values())) > 1:
        raise DataError(f"rows: expected columns of one length, got {sizes}")
    for name in shared:
        columns[name] = [_plain(columns[name])]
    return Frame(columns, frozenset(shared), next(iter(sizes.values()), 1))


def _shared_lists(columns: Mapping[str, Any], shared: Set[str], schema: Schema) -> set[str]:
    """Return the list columns that hold one list for all rows."""
    lists = [feature.name for feature in schema.of_kind("list") if feature.name not in shared]
    forms = {name: _form(columns[name]) for name in lists}
    is_one_row = not any(name not in shared and forms.get(name, "column") == "column" for name in columns)
    for name, form in forms.items():
        if form == "texts" and not is_one_row:
            raise DataError(
                f"column {name!r}: expected one text for all rows or a list of ids for each, got a sequence of "
                "texts, which may be one list or the texts of the rows; join them with "
                f"{schema.list_separator!r}, or give each row its list"
            )
    return {name for name, form in forms.items() if form != "column"}


def _form(values: Any) -> Literal["column", "ids", "texts"]:
    """Say whether the values of a list feature are a list a row, the ids of one list, or texts, which may be both."""
    if hasattr(values, "__array__") and not hasattr(values, "to_numpy") and not hasattr(values, "to_arrow"):
        if values.ndim == 1 and str(values.dtype) != "object":  # of numpy or torch
            return "texts" if getattr(values.dtype, "kind", "i") in "USTO" else "ids"
        values = list(values)
    if not isinstance(values, Sequence | Set):
        return "column"
    if any(is_list(value) for value in values):
        return "column"
    is_text = all(isinstance(value, str) or is_missing(value) for value in values)
    return "texts" if values and is_text else "ids"


def _stands_alone(value: Any) -> bool:
    """Say whether a value is that of all rows; of sets the order is unknown, so that they are no columns."""
    if isinstance(value, str | bytes | Mapping | Set) or hasattr(value, "as_py"):
        return True
    return not hasattr(value, "__len__") or getattr(value, "ndim", 1) == 0


def _plain(value: Any) -> Any:
    """Return the Python object of a scalar of Arrow, and of an array or tensor without dimensions."""
    if hasattr(value, "as_py"):
        return value.as_py()
    return value.item() if getattr(value, "ndim", 1) == 0 and hasattr(value, "item") else value
