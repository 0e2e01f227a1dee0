import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybridhash.data import Columns, Dataset, Label, open_source, read_chunks
from hybridhash.errors import DataError, InvalidValueError

Write = Callable[..., Path]
Load = Callable[..., Dataset]

# What to change in row 7 of the click log, and what the error says.
BAD_FIELDS = [
    ("clicked", "2", "row 7, column 'clicked': expected 0 or 1"),
    ("clicked", "yes", "row 7, column 'clicked': expected a finite number; got 'yes'"),
    ("clicked", "", r"row 7, column 'clicked': expected a finite number; got nothing \(null\)"),
    ("clicked", "nan", "row 7, column 'clicked': expected a finite number; got 'nan'"),
    ("clicked", "inf", "row 7, column 'clicked': expected a finite number; got 'inf'"),
    ("price", "inf", "row 7, column 'price': expected a finite number, NaN or null; got 'inf'"),
    ("price", "-Infinity", "row 7, column 'price': expected a finite number"),
    ("price", "1e999", "row 7, column 'price': expected a finite number"),
    ("price", "12 EUR", "row 7, column 'price': expected a number, or nothing for null; got '12 EUR'"),
    ("ts", "", "row 7, column 'ts'"),
    ("ts", "yesterday", "row 7, column 'ts'"),
    ("ts", "nan", "row 7, column 'ts'"),
    ("ts", "2024-01-01", "row 7, column 'ts'"),  # the others are numbers
]


def change(lines: list[str], row: int, column: str, value: str) -> list[str]:
    fields = lines[row].split(",")
    fields[lines[0].split(",").index(column)] = value
    return [*lines[:row], ",".join(fields), *lines[row + 1 :]]


@pytest.mark.parametrize(("column", "value", "message"), BAD_FIELDS)
def test_a_bad_field_is_named(
    write: Write, load: Load, clicks: list[str], column: str, value: str, message: str
) -> None:
    path = write(change(clicks, 7, column, value))
    with pytest.raises(DataError, match=rf"clicks\.csv, {message}"):
        load(path)


@pytest.mark.parametrize(("column", "value", "message"), BAD_FIELDS)
def test_a_bad_field_is_skipped_and_counted(
    write: Write, load: Load, clicks: list[str], column: str, value: str, message: str
) -> None:
    data = load(write(change(clicks, 7, column, value)), on_error="skip")
    assert data.num_rows == 19
    [(reason, count)] = data.skipped.items()
    assert count == 1
    assert column in reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"001,s1,2", "too few fields"),
        (b"001,s1,2,a,1,0,extra", "too many fields"),
        (b"001,\xff\xfe,2,a,1,0", "bytes that are not UTF-8"),
        (b'001,"s"1,2,a,1,0', "a quote that is not closed, or stands inside a quoted field"),
    ],
)
def test_a_malformed_line_is_named_or_counted(
    write: Write, load: Load, clicks: list[str], line: bytes, reason: str
) -> None:
    encoded = [row.encode() for row in clicks]
    encoded[7] = line
    path = write(b"\n".join(encoded) + b"\n")
    with pytest.raises(DataError, match=rf"clicks\.csv, line 8: {reason}"):
        load(path)
    data = load(path, on_error="skip")
    assert data.skipped == {f"malformed line: {reason}": 1}
    assert data.num_rows == 19


def test_a_gzip_file_that_is_cut_short(write: Write, load: Load, clicks: list[str]) -> None:
    packed = gzip.compress("\n".join(clicks[:1] + clicks[1:] * 20_000).encode())
    path = write(packed[: len(packed) // 2], "clicks.csv.gz")
    for on_error in ("raise", "skip"):
        with pytest.raises(DataError, match=r"clicks\.csv\.gz: expected a whole compressed file"):
            load(path, on_error=on_error)


def test_the_row_is_counted_in_its_own_file(write: Write, load: Load, clicks: list[str]) -> None:
    first = write(clicks, "a.csv")
    second = write(change(clicks, 3, "clicked", "2"), "b.csv")
    with pytest.raises(DataError, match=r"b\.csv, row 3, column 'clicked'"):
        load([first, second])


@pytest.mark.parametrize(
    ("weight", "message"),
    [("-1", "0 or more"), ("nan", "finite"), ("", "finite"), ("inf", "finite"), ("x", "finite")],
)
def test_bad_weights(
    write: Write, load: Load, clicks: list[str], columns: Columns, weight: str, message: str
) -> None:
    lines = [clicks[0] + ",w"] + [line + ",0.5" for line in clicks[1:]]
    data = load(write(lines), columns=replace(columns, weight="w"))
    assert data.rows.weights is not None
    assert data.rows.weights.tolist() == [0.5] * 20
    path = write(change(lines, 20, "w", weight))
    with pytest.raises(DataError, match=rf"row 20, column 'w': .*{message}"):
        load(path, columns=replace(columns, weight="w"))


@pytest.mark.parametrize(
    "changed",
    [
        {"categorical": ("sitee",)},
        {"numeric": ("sitee",)},
        {"lists": ("sitee",)},
        {"time": "sitee"},
        {"weight": "sitee"},
        {"label": Label("sitee")},
    ],
)
def test_a_missing_column_is_named_with_its_neighbour(
    write: Write, load: Load, clicks: list[str], columns: Columns, changed: dict[str, Any]
) -> None:
    path = write(clicks)
    with pytest.raises(DataError, match=r"clicks\.csv: expected a column 'sitee'.*did you mean 'site'"):
        load(path, columns=replace(columns, **changed))
    with pytest.raises(DataError, match=r"clicks\.csv: expected a column 'sitee'.*did you mean 'site'"):
        load(path, extra=("sitee",))


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        (">=", [0, 1, 1]),
        (">", [0, 0, 1]),
        ("<=", [1, 1, 0]),
        ("<", [1, 0, 0]),
        ("==", [0, 1, 0]),
        ("!=", [1, 0, 1]),
    ],
)
def test_a_compared_label(write: Write, load: Load, comparison: str, expected: list[int]) -> None:
    path = write(["a,rating"] + [f"x,{rating}" for rating in (7.5, 8, 8.5)] * 4)
    data = load(path, columns=Columns(Label("rating", comparison, 8.0), ("a",)))
    assert data.rows.labels.tolist() == expected * 4
    path = write(["a,rating", "x,7", "x,nan"] + ["x,8"] * 9)
    with pytest.raises(DataError, match="row 2, column 'rating': expected a finite number; got 'nan'"):
        load(path, columns=Columns(Label("rating", comparison, 8.0), ("a",)))


def test_labels_of_every_type(write: Write, load: Load, tmp_path: Path) -> None:
    expected = [True, False] * 6
    columns = Columns(Label("y"), ("a",))
    for values in (
        expected,
        [int(v) for v in expected],
        [float(v) for v in expected],
        [str(v) for v in expected],
    ):
        pq.write_table(pa.table({"y": values, "a": ["x"] * 12}), tmp_path / "a.parquet")
        assert load(tmp_path / "a.parquet", columns=columns).rows.labels.tolist() == [1, 0] * 6
    pq.write_table(pa.table({"y": [float("nan"), *range(11)], "a": ["x"] * 12}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="row 1, column 'y'"):
        load(tmp_path / "a.parquet", columns=columns)


def test_rows_are_in_the_order_of_time_and_then_of_the_file(write: Write, load: Load) -> None:
    times = [5, 1, 3, 1, 5, 2, 1, 4, 9, 0]
    lines = ["ts,a,y,n"] + [f"{time},x,{int(time in (3, 9))},{row}" for row, time in enumerate(times)]
    data = load(write(lines), columns=Columns(Label("y"), ("a",), time="ts"), extra=("n",))
    expected = sorted(range(10), key=lambda row: (times[row], row))
    assert data.rows.extra["n"].tolist() == expected
    assert data.rows.times is not None
    assert data.rows.times.tolist() == sorted(times)
    data = load(write(lines), columns=Columns(Label("y"), ("a",)), extra=("n",))
    assert data.rows.extra["n"].tolist() == list(range(10))
    assert data.rows.times is None


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-01-01T00:00:00Z", "2024-01-01T00:00:01+00:00", "2024-01-01T03:00:02+03:00"],
        ["2024-01-01", "2024-01-01 00:00:01", "2024-01-01 00:00:02.000"],
        ["1704067200", "1704067201.0", "1.704067202e9"],
    ],
)
def test_times_in_text_are_unix_seconds(write: Write, load: Load, texts: list[str]) -> None:
    lines = ["ts,a,y"] + [f"{text},x,{row % 2}" for row, text in enumerate(texts * 4)]
    data = load(write(lines), columns=Columns(Label("y"), ("a",), time="ts"))
    assert data.rows.times is not None
    assert sorted(set(data.rows.times.tolist())) == [1704067200.0, 1704067201.0, 1704067202.0]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_in_parquet_are_unix_seconds(load: Load, tmp_path: Path, unit: str) -> None:
    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    table = pa.table(
        {
            "ts": pa.array([row * scale for row in range(12)], pa.timestamp(unit)),
            "a": ["x"] * 12,
            "y": [0, 1] * 6,
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    data = load(tmp_path / "a.parquet", columns=Columns(Label("y"), ("a",), time="ts"))
    assert data.rows.times is not None
    assert data.rows.times.tolist() == list(range(12))


def test_nothing_left_and_unknown_choices(write: Write, load: Load, clicks: list[str]) -> None:
    lines = [clicks[0]] + [line[:-1] + "7" for line in clicks[1:]]
    with pytest.raises(DataError, match="got none that can be used"):
        load(write(lines), on_error="skip")
    with pytest.raises(InvalidValueError, match="on_error"):
        load(write(clicks), on_error="ignore")


def test_a_second_reading_does_not_report_the_first_ones_lines(
    write: Write, load: Load, clicks: list[str], columns: Columns
) -> None:
    from hybridhash.data import Split, open_source, prepare

    path = write([*clicks, "1,2"])
    source = open_source(path)
    for folder in ("one", "two"):
        data = prepare(source, Split("time"), path.parent / folder, columns=columns, on_error="skip")
        assert data.skipped == {"malformed line: too few fields": 1}


def swallowing(name: str = "log.tsv") -> list[str]:
    """Lines of which one begins a field with a quote, and one 70 lines below ends one with a quote."""
    rows = [[f"u{row % 17}", "x", f"a{row % 23}", str(row), str(row % 5 % 2)] for row in range(400)]
    rows[50][1], rows[120][1] = '"Fast', 'furious"'
    delimiter = "\t" if name.endswith("tsv") else ","
    return [delimiter.join(row) for row in [["user", "title", "ad", "ts", "y"], *rows]]


def test_stray_quotes_between_tabs_are_ordinary_characters(write: Write, load: Load) -> None:
    data = load(write(swallowing(), "log.tsv"), columns=Columns(Label("y"), ("user", "ad"), time="ts"))
    assert (data.num_rows, data.note) == (400, "")


@pytest.mark.parametrize("name", ["log.tsv", "log.csv"])
def test_a_field_that_swallows_lines_is_named(write: Write, load: Load, name: str) -> None:
    path = write(swallowing(name), name)
    columns = Columns(Label("y"), ("user", "ad"), time="ts")
    data = load(path, columns=columns, quote='"')
    assert data.num_rows == 330
    assert f"{name}, row 51: a field in quotes holds line breaks" in data.note
    assert "1 rows with 70 line breaks" in data.note
    assert "--quote none" in data.note
    data = load(path, columns=columns, quote="none")
    assert (data.num_rows, data.note) == (400, "")
    told: list[str] = []
    source = open_source(path, quote='"')
    rows = list(read_chunks(source, data.schema, batch_rows=40, tell=told.append))
    assert sum(batch.num_rows for batch in rows) == 330
    assert told == [load(path, columns=columns, quote='"').note]
