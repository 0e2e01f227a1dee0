"""SQL that reads the part of a row (training, validation, test) from columns, for splits by a column."""

from hybridhash.data.number_text import parse_number
from hybridhash.data.split import TEST, TRAIN, VALIDATION, Split
from hybridhash.data.sql_comparison import HALF, compare_sql, decimal_scale
from hybridhash.data.sql_quoting import quote_text


def column_part_sql(split: Split, raw: str, sql_type: str) -> str:
    """Return SQL for the part that a column gives a row; null where the value says none.

    Args:
        split: A column split.
        raw: The quoted column.
        sql_type: DuckDB's type of the column.
    """
    if split.value is not None:
        equal = _equal_sql(split.value, raw, sql_type)
        return f"CASE WHEN {raw} IS NULL THEN NULL WHEN {equal} THEN {TEST} ELSE {TRAIN} END"
    text = _text_sql(raw)
    return (
        f"CASE WHEN {text} IN ('train', '0', '0.0', 'false') THEN {TRAIN} "
        f"WHEN {text} IN ('validation', 'valid', 'val') THEN {VALIDATION} "
        f"WHEN {text} IN ('test', '1', '1.0', 'true') THEN {TEST} END"
    )


def validation_part_sql(part: str, validation: Split, raw: str, sql_type: str) -> str:
    """Return SQL for a part, with the rows of a named validation taken out of the training rows.

    Args:
        part: The SQL from `column_part_sql`.
        validation: Its column and value; a null there is another value.
        raw: The quoted column of the validation.
        sql_type: DuckDB's type of that column.
    """
    equal = _equal_sql(str(validation.value), raw, sql_type)
    return f"CASE WHEN ({part}) = {TRAIN} AND {equal} THEN {VALIDATION} ELSE ({part}) END"


def _equal_sql(value: str, raw: str, sql_type: str) -> str:
    wanted = value.strip().lower()
    is_number = sql_type in ("BOOLEAN", "FLOAT", "DOUBLE", HALF) or decimal_scale(sql_type) is not None
    number = _number(wanted) if is_number else None
    if number is None:
        return f"{_text_sql(raw)} = {quote_text(wanted)}"
    return compare_sql(raw, sql_type, "=", number)


def _text_sql(raw: str) -> str:
    return f"lower(trim(CAST({raw} AS VARCHAR)))"


def _number(text: str) -> float | None:
    try:
        return parse_number(text)
    except ValueError:
        return None
