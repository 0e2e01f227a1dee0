"""SQL that reads each column as the type of its feature, and checks that find the rows which cannot be used."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hybridhash.data.columns import Label
from hybridhash.data.database import drop_rejects, our_errors, value_of
from hybridhash.data.schema import Dtype, Feature, Kind, Schema
from hybridhash.data.source import NULL, Relation, Source
from hybridhash.data.split import Split
from hybridhash.data.split_sql import column_part_sql, validation_part_sql
from hybridhash.data.sql_comparison import HALF, INTEGERS, compare_sql, decimal_scale
from hybridhash.data.sql_quoting import quote_name, quote_text
from hybridhash.errors import DataError

LABEL: Final = "label"
WEIGHT: Final = "weight"
TIME: Final = "time"
PART: Final = "part"

_NUMBERS: Final = INTEGERS | {"BOOLEAN", "FLOAT", "DOUBLE", "HUGEINT", "UHUGEINT", "VARCHAR", HALF, NULL}
_INTEGER: Final = "TRY_CAST(CAST({raw} AS VARCHAR) AS HUGEINT)"
_NOT_FINITE: Final = "{value} IS NULL OR NOT isfinite({value})"


@dataclass(frozen=True)
class Check:
    """One thing that makes a row unusable.

    Attributes:
        column: The column as the user knows it.
        expected: What should stand there, and what to do otherwise.
        failed: SQL, true where the row fails, with ``{value}`` and ``{raw}`` for what was read and what
            stands in the source.
    """

    column: str
    expected: str
    failed: str


@dataclass(frozen=True)
class Reading:
    """One column to read.

    Attributes:
        name: The name in the result: ``f0``, ``f1``, ... for features, ``x0``, ... for extra columns, or
            one of label, weight, time, part.
        value: SQL of the value, over the source's columns.
        raw: The quoted column.
        checks: What to check.
    """

    name: str
    value: str
    raw: str
    checks: tuple[Check, ...] = ()


def learn_dtype(source: Relation, column: str, kind: Kind) -> Dtype:
    """Return the type of a feature's values from the type of its column.

    A column that is null throughout goes with every kind; its ids are strings.

    Raises:
        DataError: No such column, or a type that cannot be used as this kind.
    """
    sql_type = source.require(column)
    if kind == "numeric":
        if sql_type in _NUMBERS or decimal_scale(sql_type) is not None:
            return "float"
        raise _wrong_type(source, column, "numbers", "cast it to a number")
    is_list = sql_type.endswith("]")
    if kind == "categorical" and is_list:
        raise _wrong_type(source, column, "one id a row", "declare it as a list feature")
    if kind == "list" and not is_list and sql_type not in ("VARCHAR", NULL):
        raise _wrong_type(source, column, "lists or text with a separator", "declare it as categorical")
    element = sql_type.rpartition("[")[0] if is_list else sql_type
    dtype = id_dtype(element)
    if dtype is not None:
        return dtype
    advice = "cast it to text or integers"
    if element in _NUMBERS or decimal_scale(element) is not None:
        advice = "declare it as numeric, or cast ids to integers, with nulls where some are missing"
    raise _wrong_type(source, column, "strings or integers", advice)


def id_dtype(sql_type: str) -> Dtype | None:
    """Return the type of the ids in a column or list of this type; None for what cannot be an id."""
    if decimal_scale(sql_type) == 0 or sql_type == "BOOLEAN":
        return "int"
    return "string" if sql_type in ("VARCHAR", NULL) or sql_type.startswith("ENUM") else None


def feature_reading(source: Relation, feature: Feature, index: int, separator: str) -> Reading:
    """Return how to read one feature.

    Integers stay integers and text stays text, but text for an integer feature must be the decimal form
    of an integer. Text of a list is cut at the separator.
    """
    name = f"f{index}"
    if feature.kind == "numeric":
        learn_dtype(source, feature.name, "numeric")
        return _number(source, feature.name, name, nullable=True)
    raw, sql_type = quote_name(feature.name), source.require(feature.name)
    have = learn_dtype(source, feature.name, feature.kind)
    checks = _unquoted(source, feature.name)
    if feature.kind == "list":
        if sql_type == "VARCHAR":
            parts = f"string_split(nullif({raw}, ''), {quote_text(separator)})"
            value = f"list_transform({parts}, lambda part: nullif(part, ''))"
        else:
            value = f"CAST({raw} AS {_stored(sql_type.rpartition('[')[0] or NULL)}[])"
        return Reading(name, value, raw, checks)
    stored = _stored(sql_type)
    if feature.dtype == "int" and stored == "VARCHAR" and sql_type != NULL:
        integer = _INTEGER.format(raw=raw)
        failed = (
            "{raw} IS NOT NULL AND ({value} IS NULL OR "
            f"CAST({_INTEGER} AS VARCHAR) <> CAST({{raw}} AS VARCHAR))"
        )
        expected = "the decimal form of a 64-bit integer, as in the training data"
        truth = f"CASE lower(CAST({raw} AS VARCHAR)) WHEN 'true' THEN 1 WHEN 'false' THEN 0"
        value = f"{truth} ELSE {_wrapped(integer)} END"
        return Reading(name, value, raw, (*checks, Check(feature.name, expected, failed)))
    if feature.dtype == "string" and have == "int":
        if sql_type == "BOOLEAN":
            raise _wrong_type(source, feature.name, "text", "cast booleans to the text of the training data")
        return Reading(name, f"CAST({raw} AS VARCHAR)", raw)
    return Reading(name, f"CAST({raw} AS {stored})", raw, checks)


def label_reading(source: Relation, label: Label) -> Reading:
    """Return how to read the label as 0 or 1."""
    reading = _number(source, label.column, LABEL, booleans=label.comparison is None)
    if label.comparison is None:
        expected = f"0 or 1; for a rating or a count give a comparison such as '{label.column}>=8'"
        return replace(
            reading, checks=(*reading.checks, Check(label.column, expected, "{value} NOT IN (0, 1)"))
        )
    sign = "=" if label.comparison == "==" else label.comparison
    compared = compare_sql(quote_name(label.column), source.require(label.column), sign, label.threshold)
    value = f"CASE WHEN isfinite({reading.value}) THEN CAST({compared} AS DOUBLE) ELSE {reading.value} END"
    return replace(reading, value=value)


def weight_reading(source: Relation, column: str) -> Reading:
    """Return how to read the row weights."""
    reading = _number(source, column, WEIGHT)
    return replace(reading, checks=(*reading.checks, Check(column, "a weight of 0 or more", "{value} < 0")))


def extra_reading(source: Relation, column: str, index: int) -> Reading:
    """Return how to read a column that is passed through as float64."""
    return _number(source, column, f"x{index}")


def time_reading(source: Source, column: str) -> Reading:
    """Return how to read the time: a number as it is, a date or timestamp as Unix seconds.

    Text is either numbers or ISO 8601 throughout; the first value that is not null decides.

    Raises:
        DataError: No such column, or a type that is no time.
    """
    sql_type, raw = source.require(column), quote_name(column)
    is_clock = sql_type == "DATE" or sql_type.startswith("TIMESTAMP")
    if sql_type == "VARCHAR":
        sql = f"SELECT {raw} FROM {source.scan(True)} WHERE {raw} IS NOT NULL LIMIT 1"
        with our_errors(source.files):
            first = value_of(source.connection, sql)
        drop_rejects(source.connection)
        is_clock = first is not None and not _is_float(first[0])
    if not is_clock:
        return _number(source, column, TIME)
    value = f"epoch(TRY_CAST({raw} AS TIMESTAMPTZ))"
    expected = "a time: a number, a date or timestamp, or ISO 8601 text"
    return Reading(TIME, value, raw, (Check(column, expected, _NOT_FINITE),))


def part_reading(source: Relation, split: Split) -> Reading:
    """Return how to read the part that a split's column, and that of its validation, give."""
    column = str(split.column)
    sql_type = source.require(column)
    value = column_part_sql(split, quote_name(column), sql_type)
    if split.validation is not None:
        name = str(split.validation.column)
        value = validation_part_sql(value, split.validation, quote_name(name), source.require(name))
    expected = "a value" if split.value is not None else "train, test or validation, or 0 (train) or 1 (test)"
    check = Check(column, f"{expected}, for the split", "{value} IS NULL")
    return Reading(PART, value, quote_name(column), (check,))


def feature_readings(source: Relation, schema: Schema) -> list[Reading]:
    """Return how to read the columns of a schema, in its order."""
    readable = [feature for feature in schema.features if feature.kind != "cross"]
    return [
        feature_reading(source, feature, index, schema.list_separator)
        for index, feature in enumerate(readable)
    ]


def line_breaks(source: Relation) -> list[str]:
    """Return SQL for how many line breaks stand in a row's fields, named ``breaks``; nothing where none can stand."""
    if source.dialect is None or not source.dialect.quote:
        return []
    fields = ", ".join(quote_name(name) for name, sql_type in source.types.items() if sql_type == "VARCHAR")
    row = f"concat({fields})"
    count = f"length({row}) - length(replace({row}, chr(10), ''))"
    return [f"CASE WHEN contains({row}, chr(10)) THEN {count} ELSE 0 END AS breaks"]


def line_breaks_note(num_rows: int, num_breaks: int, file: str, row: int) -> str:
    """Say that fields hold line breaks, which they do as well where a stray quote swallows lines.

    Args:
        num_rows: Rows with such a field.
        num_breaks: Line breaks in all of them.
        file: The file of the first.
        row: Its number in the file, from 1, below the header.
    """
    return (
        f"{file}, row {row}: a field in quotes holds line breaks, as do those of {num_rows:,} rows with "
        f"{num_breaks:,} line breaks in all; where quotes are ordinary characters, say so: --quote none"
    )


def checked_select(table: str, readings: Sequence[Reading], passed: Sequence[str] = ()) -> str:
    """Return the SQL that reads columns and says what is wrong with each row.

    Args:
        table: The SQL table expression to read.
        readings: What to read.
        passed: SQL of more result columns, over the source's columns, with their names.

    Returns:
        A query with the readings, then ``bad`` (0, or 1 + the number of the first check that failed, counted
        over all readings) and ``bad_value`` (the raw value's text), then what is passed.
    """
    names = ", ".join(reading.name for reading in readings)
    inner = ", ".join(
        [f"{reading.value} AS {reading.name}, {reading.raw} AS raw_{reading.name}" for reading in readings]
        + [*passed]
    )
    failed, shown = "", ""
    checked = ((reading, check) for reading in readings for check in reading.checks)
    for index, (reading, check) in enumerate(checked, 1):
        raw = f"raw_{reading.name}"
        failed += f" WHEN {check.failed.format(value=reading.name, raw=raw)} THEN {index}"
        shown += f" WHEN {index} THEN left(CAST({raw} AS VARCHAR), 80)"
    bad = f"CASE{failed} ELSE 0 END" if failed else "0"
    bad_value = f"CASE bad{shown} END" if shown else "CAST(NULL AS VARCHAR)"
    middle = f"SELECT *, CAST({bad} AS USMALLINT) AS bad FROM (SELECT {inner} FROM {table})"
    outer = "".join(f", {item.rsplit(' AS ', 1)[-1]}" for item in passed)
    return f"SELECT {names}, bad, {bad_value} AS bad_value{outer} FROM ({middle})"


def _number(
    source: Relation, column: str, name: str, *, nullable: bool = False, booleans: bool = False
) -> Reading:
    """Return how to read a finite number; NaN and null only when ``nullable``."""
    sql_type, raw = source.require(column), quote_name(column)
    if sql_type not in _NUMBERS and decimal_scale(sql_type) is None:
        raise _wrong_type(source, column, "numbers", "cast it to a number")
    value = f"TRY_CAST({raw} AS DOUBLE)"
    if booleans and sql_type == "VARCHAR":
        value = f"CASE lower({raw}) WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 ELSE {value} END"
    if not nullable:
        return Reading(name, value, raw, (Check(column, "a finite number", _NOT_FINITE),))
    checks = (
        Check(column, "a number, or nothing for null", "{value} IS NULL AND {raw} IS NOT NULL"),
        Check(column, "a finite number, NaN or null", "isinf({value})"),
    )
    return Reading(name, value, raw, checks)


def _stored(sql_type: str) -> str:
    """Return the type that ids are kept as."""
    if sql_type == "BOOLEAN" or (sql_type in INTEGERS and sql_type != "UBIGINT"):
        return "BIGINT"
    return "UBIGINT" if sql_type == "UBIGINT" else "VARCHAR"


def _wrapped(integer: str) -> str:
    """Return SQL for the signed integer with the 64 bits of an integer; null beyond 64 bits."""
    signed = f"WHEN {integer} BETWEEN -9223372036854775808 AND 9223372036854775807 THEN {integer}"
    unsigned = f"WHEN {integer} BETWEEN 0 AND 18446744073709551615 THEN {integer} - 18446744073709551616"
    return f"CAST(CASE {signed} {unsigned} END AS BIGINT)"


def _unquoted(source: Relation, column: str) -> tuple[Check, ...]:
    """Refuse values in quotes where it is only a guess that quotes are ordinary characters."""
    if source.dialect is None or not source.dialect.is_guess or source.types[column] != "VARCHAR":
        return ()
    expected = (
        "a value without quotes around it, as no field of the first lines has any; say whether they are part of the "
        "value (--quote none) or not (--quote '\"')"
    )
    return (
        Check(column, expected, "starts_with({raw}, '\"') AND ends_with({raw}, '\"') AND length({raw}) > 1"),
    )


def _wrong_type(source: Relation, column: str, expected: str, advice: str) -> DataError:
    return DataError(
        f"{source.name}, column {column!r}: expected {expected}, got {source.types[column]}; {advice}"
    )


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
