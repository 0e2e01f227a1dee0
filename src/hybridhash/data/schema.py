"""What is asked for (columns, label) and what was learned from it (features and their value types)."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any, Final, Literal

from hybridhash.data.names import QUOTED, find_name, quoted, split_names, unquoted
from hybridhash.data.numbers import number_text, parse_number
from hybridhash.errors import DataError, FileFormatError, InvalidValueError

Kind = Literal["categorical", "numeric", "list", "cross"]
Dtype = Literal["int", "string", "float", "key"]

COMPARISONS: Final = (">=", "<=", "==", "!=", ">", "<")
_COMPARED: Final = re.compile(
    rf"(?P<column>\s*{QUOTED}|[^<>=!]+?)\s*(?P<sign>>=|<=|==|!=|>|<)\s*(?P<number>[-+.\w]+)\s*"
)
_ALONE: Final = re.compile(rf"\s*{QUOTED}\s*")
_SPECIAL_IN_LABELS: Final = "<>=!"
_DTYPES: Final = {
    "categorical": ("int", "string"),
    "list": ("int", "string"),
    "numeric": ("float",),
    "cross": ("key",),
}
_SCHEMA_VERSION: Final = 1


@dataclass(frozen=True)
class Feature:
    """One feature and the type of its values.

    Attributes:
        name: The column's name; of a cross, its parts joined by ``*``.
        kind: ``categorical``, ``numeric``, ``list`` or ``cross``.
        dtype: ``int`` or ``string`` for categorical values and list elements; ``float`` for a numeric
            feature, whose bins are hashed; ``key`` for a cross, which is made of other features' keys.
        parts: The crossed features' names, two or more, for a cross; empty otherwise.

    Raises:
        InvalidValueError: The kind, dtype and parts do not go together.
    """

    name: str
    kind: Kind
    dtype: Dtype
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse combinations that mean nothing."""
        if self.kind not in _DTYPES or self.dtype not in _DTYPES[self.kind]:
            raise InvalidValueError(
                f"feature {self.name!r}: expected one of {_DTYPES.get(self.kind, tuple(_DTYPES))}, "
                f"got kind {self.kind!r} with dtype {self.dtype!r}"
            )
        if (self.kind == "cross") != (len(self.parts) >= 2):
            raise InvalidValueError(
                f"feature {self.name!r}: expected two or more parts for a cross and none otherwise, "
                f"got {self.parts}"
            )


@dataclass(frozen=True)
class Label:
    """What is predicted: a column of 0 and 1, or a comparison of a column with a number.

    Attributes:
        column: The column's name.
        comparison: One of ``>= <= == != > <``, or None when the column itself holds 0 and 1.
        threshold: What the column is compared with, in the precision of the column; 0.0 when there is no
            comparison. An integer that no float64 equals stays an integer.

    Raises:
        InvalidValueError: An unknown comparison, or a threshold that is not finite.

    Example:
        >>> Label.parse("rating>=8")
        Label(column='rating', comparison='>=', threshold=8.0)
        >>> str(Label.parse("clicked"))
        'clicked'
    """

    column: str
    comparison: str | None = None
    threshold: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no column can be compared with."""
        if self.comparison is not None and self.comparison not in COMPARISONS:
            raise InvalidValueError(f"label: expected a comparison of {COMPARISONS}, got {self.comparison!r}")
        if not abs(self.threshold) < float("inf"):
            raise InvalidValueError(f"label: expected a finite threshold, got {self.threshold}")

    @classmethod
    def parse(cls, text: str) -> "Label":
        """Read ``column`` or ``column>=8``.

        Args:
            text: A column name, or a name, a comparison and a number; a name that holds a comparison sign stands in
                double quotes. Spaces before a name are taken for a part of it; see `hybridhash.data.names.find_name`.

        Returns:
            The label.

        Raises:
            InvalidValueError: Nothing before the comparison, or no number behind it.
        """
        if _ALONE.fullmatch(text):
            return cls(unquoted(text.strip()))
        match = _COMPARED.fullmatch(text)
        if match is None:
            if not text.strip() or any(sign in text for sign in ("<", ">", "==", "!=")):
                raise InvalidValueError(
                    f"label: expected a column, or a comparison with a number such as 'rating>=8', "
                    f"got {text!r}; a column whose name holds a comparison stands in double quotes"
                )
            return cls(text)
        column = match["column"]
        if _ALONE.fullmatch(column):
            column = unquoted(column.strip())
        try:
            threshold = parse_number(match["number"])
        except ValueError:
            raise InvalidValueError(
                f"label: expected a number behind {match['sign']!r} as in 'rating>=8', got {text!r}"
            ) from None
        return cls(column, match["sign"], threshold)

    def __str__(self) -> str:
        """Return the text that `parse` reads."""
        column = quoted(self.column, _SPECIAL_IN_LABELS)
        return (
            column if self.comparison is None else f"{column}{self.comparison}{number_text(self.threshold)}"
        )


@dataclass(frozen=True)
class Columns:
    """Which columns of a source are used, and as what.

    Attributes:
        label: What is predicted; None for rows that are only to be scored.
        categorical: Columns of ids: strings or integers.
        numeric: Columns of numbers, which are cut into percentile bins.
        lists: Columns whose values are lists of ids, or text with a separator.
        crosses: Pairs (or more) of single-valued features joined by ``*``: ``"user_id*site"``.
        time: Column that orders the rows: a number, a date, a timestamp or ISO 8601 text.
        weight: Column of non-negative row weights.
        list_separator: What stands between the elements of a list that is text.

    Raises:
        InvalidValueError: No feature, a column used twice, or a cross of something else than
            single-valued features.
    """

    label: Label | None = None
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    crosses: tuple[str, ...] = ()
    time: str | None = None
    weight: str | None = None
    list_separator: str = "|"

    def __post_init__(self) -> None:
        """Refuse a selection that no schema can be made of."""
        names = self.features
        if not names:
            raise InvalidValueError(
                "columns: expected at least one feature, got none; name categorical, numeric or list columns"
            )
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise InvalidValueError(
                f"columns: expected each column as one feature, got {repeated} more than once"
            )
        for role, column in (("label", self.label and self.label.column), ("weight", self.weight)):
            if column in names:
                raise InvalidValueError(
                    f"columns: {column!r} is the {role} and cannot be a feature too; "
                    "take it out of the features"
                )
        if not self.list_separator:
            raise InvalidValueError("list_separator: expected one or more characters, got an empty string")
        for cross in self.crosses:
            cross_parts(cross, (*self.categorical, *self.numeric))

    @property
    def features(self) -> tuple[str, ...]:
        """The columns used as features, in schema order, crosses left out."""
        return (*self.categorical, *self.numeric, *self.lists)


def cross_parts(cross: str, single_valued: Sequence[str]) -> tuple[str, ...]:
    """Split the name of a cross into its features.

    Args:
        cross: Feature names joined by ``*``; a name that holds one stands in double quotes.
        single_valued: The categorical and numeric features that may be crossed.

    Returns:
        The parts, two or more, in the order given.

    Raises:
        InvalidValueError: Fewer than two parts, a repeated one, or one that is not single-valued.
    """
    parts = tuple(find_name(part, single_valued) for part in split_names(cross, "*"))
    if len(parts) < 2 or len(set(parts)) != len(parts) or not all(parts):
        raise InvalidValueError(
            f"cross: expected two or more different features as 'user_id*site', got {cross!r}"
        )
    for part in parts:
        if part not in single_valued:
            raise InvalidValueError(
                f"cross {cross!r}: expected categorical or numeric features, "
                f"got {part!r}{suggest(part, single_valued)}"
            )
    return parts


@dataclass(frozen=True)
class Schema:
    """The features in their order, with the value types that the training data had.

    Attributes:
        features: Categorical and numeric, then lists, then crosses: the order of a batch.
        seed: Of the key hash.
        list_separator: What stands between the elements of a list that is text.

    Raises:
        InvalidValueError: No features, a repeated name, another order, or a cross of unknown parts.
    """

    features: tuple[Feature, ...]
    seed: int = 0
    list_separator: str = "|"

    def __post_init__(self) -> None:
        """Hold the order that batches rely on."""
        names = [feature.name for feature in self.features]
        if not names or len(set(names)) != len(names):
            raise InvalidValueError(f"schema: expected one or more features of different names, got {names}")
        ranks = [{"list": 1, "cross": 2}.get(feature.kind, 0) for feature in self.features]
        if ranks != sorted(ranks):
            raise InvalidValueError(
                f"schema: expected single-valued features, then lists, then crosses, got {names}"
            )
        single = [feature.name for feature in self.features if feature.kind in ("categorical", "numeric")]
        for feature in self.features:
            if not set(feature.parts) <= set(single):
                raise InvalidValueError(
                    f"cross {feature.name!r}: expected parts among {single}, got {feature.parts}"
                )

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names in order."""
        return tuple(feature.name for feature in self.features)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a row must have: every feature but the crosses."""
        return tuple(feature.name for feature in self.features if feature.kind != "cross")

    def of_kind(self, *kinds: Kind) -> tuple[Feature, ...]:
        """Return the features of these kinds, in order."""
        return tuple(feature for feature in self.features if feature.kind in kinds)

    def feature(self, name: str) -> Feature:
        """Return the feature of this name.

        Raises:
            DataError: There is none.
        """
        for feature in self.features:
            if feature.name == name:
                return feature
        raise missing_column(name, self.names, "the schema")

    def to_json(self) -> str:
        """Return the schema as JSON text."""
        body = asdict(self)
        return json.dumps({"version": _SCHEMA_VERSION, **body}, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Schema":
        """Read what `to_json` wrote.

        Raises:
            FileFormatError: Not a schema, or of a newer version.
        """
        try:
            body: dict[str, Any] = json.loads(text)
            version = body.pop("version")
            if version != _SCHEMA_VERSION:
                raise FileFormatError(
                    f"schema: expected version {_SCHEMA_VERSION}, got {version}; install a newer hybridhash"
                )
            features = tuple(
                Feature(**{**item, "parts": tuple(item["parts"])}) for item in body.pop("features")
            )
            return cls(features, **body)
        except (AttributeError, KeyError, TypeError, InvalidValueError, json.JSONDecodeError) as error:
            raise FileFormatError(
                f"schema: expected the JSON of a schema, got something else ({error})"
            ) from error


def suggest(name: str, existing: Iterable[str]) -> str:
    """Return the end of an error about an unknown name: near names, and those that exist."""
    known = list(map(str, existing))  # a data frame may have other names than text
    near = get_close_matches(name, known, n=3, cutoff=0.6)
    if not near:
        near = [other for other in known if other.casefold() == name.casefold()]
    shown = ", ".join(map(quoted, known[:40])) + (", ..." if len(known) > 40 else "")
    hint = f"; did you mean {' or '.join(map(_as_typed, near))}?" if near else ""
    return f"{hint} (there are: {shown})"


def _as_typed(name: str) -> str:
    """Return a name for an error, and how a flag that takes several names holds it where that is another text."""
    if "," not in name and not name.lstrip().startswith('"'):
        return repr(name)
    return f"{name!r} (in a flag: {quoted(name)!r})"


def missing_column(name: str, existing: Iterable[str], where: str) -> DataError:
    """Make the error about a column that is not there."""
    return DataError(f"{where}: expected a column {name!r}, found none of that name{suggest(name, existing)}")
