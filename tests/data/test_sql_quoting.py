"""Quoting against DuckDB."""

from pathlib import Path

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.data.sql_quoting import parquet_sql, quote_name, quote_text

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@given(texts, texts)
def test_any_text_survives_quoting(name: str, text: str) -> None:
    result = duckdb.sql(f"SELECT {quote_text(text)} AS {quote_name(name)}")
    assert result.fetchall() == [(text,)]
    assert result.columns == [name]


def test_folders_give_no_columns(tmp_path: Path) -> None:
    path = tmp_path / "year=2024" / "a[1].parquet"
    path.parent.mkdir()
    duckdb.sql(f"COPY (SELECT 1 AS a) TO {quote_text(str(path))} (FORMAT parquet)")
    rows = duckdb.sql(f"SELECT * FROM {parquet_sql([path], 'file_row_number = true')}")
    assert rows.columns == ["a", "file_row_number"]
