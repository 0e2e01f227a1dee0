"""The split: which rows belong to which part (training, validation, test)."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash.data.column_names import QUOTED, quoted, unquoted
from hybridhash.data.durations import is_duration, parse_duration, unit_hint
from hybridhash.errors import DataError, InvalidValueError
from hybridhash.hashing import MAX_BUCKETS, hash_buckets

TRAIN: Final = 0
VALIDATION: Final = 1
TEST: Final = 2
DEFAULT_VALIDATION_SHARE: Final = 0.1
_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Split:
    """How rows are divided into a training span and a test.

    Attributes:
        kind: ``time`` (the first share or span trains), ``random``, or ``column``.
        share: The share of the rows for training, in (0, 1); not used by ``column`` and by a span.
        column: The column that says it, for ``column``.
        value: The value of the test rows; None when the column itself holds train and test (and
            validation), or 0 and 1.
        span_s: Seconds of the training span, for ``time``; None for a share.
        validation: A column split with a value, beside a column split: of the rows for training, those with
            that value are for validation; None leaves the choice to `assign_parts`.

    Raises:
        InvalidValueError: Another kind, a share out of range, a column split without a column, a span that is
            not above 0 or not of a time split, or a validation that is no column with a value, or not of a
            column split.

    Example:
        >>> Split.parse("time:0.8")
        Split(kind='time', share=0.8, column=None, value=None, span_s=None, validation=None)
        >>> Split.parse("column:fold=5").value
        '5'
        >>> Split.parse("time:24h").span_s
        86400.0
        >>> str(Split.parse("column:fold=5", validation="column:fold=4"))
        'column:fold=5, validation column:fold=4'
    """

    kind: str
    share: float = 0.8
    column: str | None = None
    value: str | None = None
    span_s: float | None = None
    validation: "Split | None" = None

    def __post_init__(self) -> None:
        if self.kind not in ("time", "random", "column"):
            raise InvalidValueError(f"split: expected time, random or column, got {self.kind!r}; {_USAGE}")
        if not 0 < self.share < 1:
            raise InvalidValueError(
                f"split: expected a share above 0 and below 1, got {self.share}; {_USAGE}"
            )
        if (self.kind == "column") != bool(self.column) or (self.value is not None and not self.column):
            raise InvalidValueError(f"split: expected a column for a column split only, got {self}; {_USAGE}")
        if self.span_s is not None and (self.kind != "time" or not 0 < self.span_s < float("inf")):
            raise InvalidValueError(
                f"split: expected a span above 0 s for a time split only, got {self.span_s} s for {self.kind}; {_USAGE}"
            )
        if self.validation is not None:
            self._check_validation(self.validation)

    def _check_validation(self, validation: "Split") -> None:
        if validation.value is None or validation.validation is not None:
            raise InvalidValueError(
                f"validation: expected a column and a value, got {validation}; write column:NAME=VALUE"
            )
        if self.kind != "column":
            raise InvalidValueError(
                f"validation: expected none with split {self.kind}, got {validation}; leave it out, or split by a "
                "column"
            )

    @classmethod
    def parse(cls, text: str, validation: str | None = None) -> "Split":
        """Read ``time:0.8``, ``time:24h``, ``random:0.8``, ``column:NAME`` or ``column:NAME=VALUE``.

        Args:
            text: One of these; a name that holds an equals sign stands in double quotes.
            validation: The validation rows of a column split, as ``column:NAME=VALUE``; see `validation`.

        Returns:
            The split.

        Raises:
            InvalidValueError: Any other text.
        """
        held_out = None if validation is None else cls.parse(validation)
        kind, colon, rest = text.lstrip().partition(":")
        if kind == "column":
            name, value = _name_and_value(rest)
            return cls(kind, column=name, value=value, validation=held_out)
        try:
            if is_duration(rest):
                return cls(kind, span_s=parse_duration(rest), validation=held_out)
            share = float(rest) if colon else cls.share
            return cls(kind, share, validation=held_out)
        except ValueError as error:
            if isinstance(error, InvalidValueError):
                raise
            raise InvalidValueError(
                f"split: expected a share behind {kind!r}, got {text!r}; {_USAGE}"
            ) from None

    def __str__(self) -> str:
        """Return the text that `parse` reads, and that of the validation where one is named."""
        if self.validation is not None:
            return f"{replace(self, validation=None)}, validation {self.validation}"
        if self.span_s is not None:
            return f"{self.kind}:{self.span_s:.15g}s"
        if self.kind != "column":
            return f"{self.kind}:{self.share:.15g}"
        return f"column:{quoted(self.column or '', '=')}" + ("" if self.value is None else f"={self.value}")


def _name_and_value(text: str) -> tuple[str, str | None]:
    """Read ``NAME`` or ``NAME=VALUE``, with the name in double quotes or not."""
    found = _IN_QUOTES.fullmatch(text)
    if found:
        return unquoted(found["name"]), found["value"]
    name, equals, value = text.partition("=")
    return name, value if equals else None


_IN_QUOTES: Final = re.compile(rf"(?P<name>{QUOTED})(?:=(?P<value>.*))?", re.DOTALL)
_USAGE: Final = "write time:0.8, time:24h, random:0.8, column:NAME or column:NAME=VALUE"


@dataclass(frozen=True)
class SplitResult:
    """How the rows were divided.

    Attributes:
        split: What was asked for.
        num_train: Rows to train on.
        num_validation: Rows at the end of the training span (or of a random or named choice in it) to stop by.
        num_test: Rows to be judged by.
        cut_time: The first time of the test, for a time split with a time column.
        note: What a reader of the results should know; may be empty.
    """

    split: Split
    num_train: int
    num_validation: int
    num_test: int
    cut_time: float | None = None
    note: str = ""


def assign_parts(
    split: Split,
    parts: npt.NDArray[np.uint8],
    *,
    times: npt.NDArray[np.float64] | None = None,
    rows: npt.NDArray[np.int64] | None = None,
    validation_share: float = DEFAULT_VALIDATION_SHARE,
    seed: int = 0,
) -> SplitResult:
    """Give every row its part.

    A time split cuts at a change of time, the nearest to the share asked for, so that one time is never
    on both sides; without times it cuts by position. A split by a span cuts where the span that starts with
    the first row is over. The validation rows of a time split are cut off the
    end of the training span in the same way. Other splits draw them, where no validation is named, and
    ``random`` its test, by a hash of the row's number in the input, so that the draw depends on the seed alone.

    Args:
        split: What is asked for.
        parts: uint8[N], overwritten with `TRAIN`, `VALIDATION` or `TEST`; for a column split it holds what
            the column says, as `hybridhash.data.split_sql` gives it.
        times: float64[N], rising, or None.
        rows: int64[N], the rows' numbers in the input; None when they are 0, 1, ...
        validation_share: The share of the training span that is for validation, in [0, 1); not used where the split
            names its validation.
        seed: The seed, in [0, 2**64).

    Returns:
        The counts and a note.

    Raises:
        InvalidValueError: ``validation_share`` out of range.
        DataError: No rows to train on or no rows to test on, none of a named validation, or a span without
            times.
    """
    if not 0 <= validation_share < 1:
        raise InvalidValueError(f"validation_share: expected at least 0 and below 1, got {validation_share}")
    cut_time = None
    note = ""
    if split.kind == "time":
        cut = _cut(times, parts.size, split.share) if split.span_s is None else _span_end(times, split)
        if cut == 0 or cut == parts.size:
            raise DataError(_why_empty(split, times, parts.size))
        held_out = (
            _cut(None if times is None else times[:cut], cut, 1 - validation_share)
            if validation_share
            else cut
        )
        if held_out == 0:
            held_out = cut
        parts[:held_out] = TRAIN
        parts[held_out:cut] = VALIDATION
        parts[cut:] = TEST
        if times is None:
            note = "no time column: split by the order of the rows in the file"
        else:
            cut_time = float(times[cut])
            note = unit_hint(cut_time, split.span_s) if split.span_s is not None else ""
    else:
        _draw(split, parts, rows, validation_share, seed)
    counts = np.zeros(3, dtype=np.int64)
    for start in range(0, parts.size, _CHUNK):
        counts += np.bincount(parts[start : start + _CHUNK], minlength=3)
    if not counts[TRAIN] or not counts[TEST]:
        raise DataError(
            f"split {split}: expected rows to train on and to test on, "
            f"got {counts[TRAIN]} and {counts[TEST]} of {parts.size}; {_ADVICE[split.kind]}"
        )
    if split.validation is not None and not counts[VALIDATION]:
        raise DataError(
            f"validation {split.validation}: expected rows with this value outside the test, got none of "
            f"{counts[TRAIN]}; check the column's values and the value named in the validation"
        )
    if validation_share and not counts[VALIDATION]:
        note = "; ".join(
            filter(None, [note, "no validation rows: the training span is too short to cut some off"])
        )
    num_train, num_validation, num_test = (int(count) for count in counts)
    return SplitResult(split, num_train, num_validation, num_test, cut_time, note)


_ADVICE: Final = {
    "random": "use more rows or another share",
    "time": "use more rows or another share",
    "column": "check the column's values and the value named in the split",
}


def _cut(times: npt.NDArray[Any] | None, count: int, share: float) -> int:
    """Return the boundary nearest to the share that does not part equal times; 0 when there is none."""
    target = int(Fraction(str(share)) * count) if share < 1 else count
    target = min(max(target, 1), count - 1)
    if times is None or count < 2:
        return max(target, 0)
    here = times[target]
    before = int(np.searchsorted(times, here, side="left"))
    after = int(np.searchsorted(times, here, side="right"))
    usable = [boundary for boundary in (before, after) if 0 < boundary < count]
    return min(usable, key=lambda boundary: abs(boundary - target), default=0)


def _span_end(times: npt.NDArray[Any] | None, split: Split) -> int:
    """Return the first row behind the span; the number of rows when there is none."""
    if times is None:
        raise DataError(f"split {split}: expected a time column, got none; name one, or use time:0.8")
    assert split.span_s is not None
    return int(np.searchsorted(times, times[0] + split.span_s, side="left")) if times.size else 0


def _why_empty(split: Split, times: npt.NDArray[Any] | None, count: int) -> str:
    if split.span_s is not None and times is not None and count:
        return (
            f"split {split}: expected times beyond the span, got {float(times[-1] - times[0]):g} s in all; "
            "use a shorter one; numbers in a time column count as seconds"
        )
    if times is not None and count > 1:
        return (
            f"split {split}: expected two or more different times, "
            f"got {float(times[0])!r} in all {count} rows; use random:0.8, or another time column"
        )
    return f"split {split}: expected rows on both sides, got {count} row in all; use more rows"


def _draw(
    split: Split,
    parts: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.int64] | None,
    validation_share: float,
    seed: int,
) -> None:
    named = split.kind == "column"
    draw_validation = split.validation is None and (
        not named
        or not any(
            (parts[start : start + _CHUNK] == VALIDATION).any() for start in range(0, parts.size, _CHUNK)
        )
    )
    for start in range(0, parts.size, _CHUNK):
        part = parts[start : start + _CHUNK]
        numbers = (
            np.arange(start, start + part.size) if rows is None else np.asarray(rows[start : start + _CHUNK])
        )
        draws = hash_buckets(numbers, MAX_BUCKETS, num_hashes=2, seed=seed)
        if not named:
            part[:] = np.where(draws[:, 0] < split.share * MAX_BUCKETS, TRAIN, TEST)
        if draw_validation:
            part[(part == TRAIN) & (draws[:, 1] < validation_share * MAX_BUCKETS)] = VALIDATION
