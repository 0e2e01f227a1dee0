"""Values to keys by the compiled extension, as serving needs it; `hybridhash.data.encode` is the definition."""

from collections.abc import Callable
from typing import Any, Final

from hybridhash import _native
from hybridhash.data.batch import Batch, Int64s
from hybridhash.data.discretiser import Discretiser
from hybridhash.data.encode import encode_feature
from hybridhash.data.frame import as_frame, column_of
from hybridhash.data.schema import Schema
from hybridhash.data.values import one_column
from hybridhash.hashing import feature_salt, null_key

_VALUES: Final = {"int": 0, "string": 1, "float": 2, "key": 3}
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


class ValueEncoder:
    """Gives the values of rows their keys, by the rules of a schema; many threads may use one.

    Mappings of Python objects, and columns of them, are read without a step of Python for each value. A column that
    holds objects of rare types, or an error, is read by the definition, and so is an array.

    Args:
        schema: The features, their types and the seed.
        discretiser: The bin edges of the numeric features.
    """

    def __init__(self, schema: Schema, discretiser: Discretiser) -> None:
        self._schema, self._discretiser = schema, discretiser
        self._readable = tuple(feature for feature in schema.features if feature.kind != "cross")
        self._single = tuple(feature.name for feature in schema.of_kind("categorical", "numeric"))
        self._lists = tuple(feature.name for feature in schema.of_kind("list"))
        self._compiled = _native.ValueEncoder(schema.list_separator)
        for feature in schema.features:
            is_numeric = feature.kind == "numeric"
            self._compiled.add(
                feature.name,
                _VALUES[feature.dtype],
                feature.kind == "list",
                feature_salt(feature.name, schema.seed),
                null_key(feature.name, schema.seed),
                discretiser.edges[feature.name].tolist() if is_numeric else [],
                [schema.names.index(part) for part in feature.parts],
            )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what it was made from."""
        return ValueEncoder, (self._schema, self._discretiser)

    def encode(self, rows: Any) -> Batch:
        """Encode rows that are to be scored into one batch, without labels.

        Args:
            rows: Rows in any container that `hybridhash.data.frame.as_frame` takes.

        Returns:
            The batch that `hybridhash.data.encode_batch` makes.

        Raises:
            DataError: A missing column, columns of different lengths, a value of a type that cannot be
                converted, an infinite number; the message names the column and, 1-based, the row.
            InvalidTypeError: Rows in another form.
        """
        if type(rows) is dict and self._is_plain_row(rows):
            rows = [rows]
        if isinstance(rows, list | tuple):
            found = self._compiled.rows(rows, self._fallback(lambda name: column_of(rows, name)))
            if found is not None:
                return Batch(*found, num_rows=len(rows))
        frame = as_frame(rows, self._schema)
        columns = {name: _objects(values, name) for name, values in frame.columns.items()}
        shared = [feature.name in frame.shared for feature in self._readable]
        found = self._compiled.columns(
            [columns[feature.name] for feature in self._readable],
            shared,
            frame.num_rows,
            self._fallback(columns.__getitem__),
        )
        return Batch(*found, num_rows=frame.num_rows)

    def _is_plain_row(self, row: dict[str, Any]) -> bool:
        """Say whether a mapping is one row beyond doubt: of values, and of lists of values."""
        for name in self._single:
            if type(row.get(name, row)) not in _PLAIN:
                return False
        for name in self._lists:
            value = row.get(name, row)
            is_list = type(value) is list and _PLAIN.issuperset(map(type, value))
            if not is_list and type(value) not in _PLAIN:
                return False
        return bool(self._single)

    def _fallback(self, column: Callable[[str], Any]) -> Callable[[int], tuple[Int64s, Int64s | None]]:
        """Return what gives the keys of a feature by the definition."""

        def keys_of(place: int) -> tuple[Int64s, Int64s | None]:
            feature = self._schema.features[place]
            bags = encode_feature(column(feature.name), feature, self._schema, self._discretiser)
            return bags.keys, bags.offsets

        return keys_of


def _objects(values: Any, name: str) -> Any:
    """Return columns of Python objects as lists, others as they are in one of the forms that the definition knows."""
    if type(values) is list or type(values) is tuple:
        return values
    column = one_column(values, name, most_dimensions=2)
    return column.values if column.is_list and len(column.shape) == 1 else column
