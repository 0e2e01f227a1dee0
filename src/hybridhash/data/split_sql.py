"""SQL for the part that columns give a row."""

from hybridhash.data.split import TEST, TRAIN, VALIDATION, Split


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
        part: From `column_part_sql`.
        validation: Its column and value; a null there is another value.
        raw: The quoted column of the validation.
        sql_type: DuckDB's type of that column.
    """
    equal = _equal_sql(str(validation.value), raw, sql_type)
    return f"CASE WHEN ({part}) = {TRAIN} AND {equal} THEN {VALIDATION} ELSE ({part}) END"


def _equal_sql(value: str, raw: str, sql_type: str) -> str:
    wanted = value.strip().lower().replace("'", "''")
    if sql_type != "VARCHAR" and _is_number(wanted):
        return f"TRY_CAST({raw} AS DOUBLE) = {float(wanted)!r}"
    return f"{_text_sql(raw)} = '{wanted}'"


def _text_sql(raw: str) -> str:
    return f"lower(trim(CAST({raw} AS VARCHAR)))"


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False
