"""What is asked for: the label, and which columns of a source are used as what."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hybridhash.data.column_names import QUOTED, find_name, quoted, split_names, suggest, unquoted
from hybridhash.data.number_text import number_text, parse_number
from hybridhash.errors import InvalidValueError

COMPARISONS: Final = (">=", "<=", "==", "!=", ">", "<")
_COMPARED: Final = re.compile(
    rf"(?P<column>\s*{QUOTED}|[^<>=!]+?)\s*(?P<sign>>=|<=|==|!=|>|<)\s*(?P<number>[-+.\w]+)\s*"
)
_ALONE: Final = re.compile(rf"\s*{QUOTED}\s*")
_SPECIAL_IN_LABELS: Final = "<>=!"


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
        if self.comparison is not None and self.comparison not in COMPARISONS:
            raise InvalidValueError(f"label: expected a comparison of {COMPARISONS}, got {self.comparison!r}")
        if not abs(self.threshold) < float("inf"):
            raise InvalidValueError(f"label: expected a finite threshold, got {self.threshold}")

    @classmethod
    def parse(cls, text: str) -> "Label":
        """Read ``column`` or ``column>=8``.

        Args:
            text: A column name, or a name, a comparison and a number; a name that holds a comparison sign stands in
                double quotes. Spaces before a name are taken for a
                part of it; see `hybridhash.data.column_names.find_name`.

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
