import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from hybridhash.data import open_source
from hybridhash.errors import DataError, InvalidValueError

Write = Callable[..., Path]


def test_parquet_has_its_types_and_text_has_none(write: Write, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "b": ["x"], "c": [[1.5]]}), tmp_path / "a.parquet")
    assert open_source(tmp_path / "a.parquet").types == {"a": "BIGINT", "b": "VARCHAR", "c": "DOUBLE[]"}
    source = open_source(write(["a,b", "1,2"]))
    assert source.types == {"a": "VARCHAR", "b": "VARCHAR"}
    assert source.is_text
    assert source.columns == ("a", "b")
    assert source.size_bytes == 8


def test_globs_and_several_paths_are_one_table(write: Write, tmp_path: Path) -> None:
    for name in ("p/b.csv", "p/a.csv", "q.csv"):
        write(["a", name], name)
    source = open_source([tmp_path / "q.csv", tmp_path / "p" / "*.csv"])
    assert [Path(file).name for file in source.files] == ["q.csv", "a.csv", "b.csv"]
    assert source.name.endswith("q.csv (and 2 more)")
    rows = source.connection.execute(f"SELECT a FROM {source.scan(False)}").fetchall()
    assert rows == [("q.csv",), ("p/a.csv",), ("p/b.csv",)]


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("c[1].csv", "c1.csv"),
        ("b*.csv", "bb.csv"),
        ("q?.csv", "qq.csv"),
        ("[!a].csv", "b.csv"),
        ("d[1]/c.csv", "d1/c.csv"),
        ("**/c.csv", "d/c.csv"),
        ("user=7/c.csv", "c.csv"),
        ("~", "c.csv"),
        ("s3:/b/c.csv", "c.csv"),
        ("a'b.csv", "ab.csv"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_name_is_one_file_and_no_pattern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str, other: str
) -> None:
    monkeypatch.chdir(tmp_path)
    name, other = (f"{path.removesuffix('.csv')}.{kind}" for path in (name, other))
    for path, user in ((other, 1), (name, 2)):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            (pq.write_table if kind == "parquet" else pa_csv.write_csv)(pa.table({"user": [user]}), file)
    source = open_source(name)
    rows = source.connection.execute(f"SELECT CAST(user AS INT) FROM {source.scan(False)}").fetchall()
    assert rows == [(2,)]


def test_a_column_of_nulls_in_one_file_goes_with_the_type_of_the_others(tmp_path: Path) -> None:
    for name, users in (("a", pa.nulls(2)), ("b", pa.array(["x", "y"])), ("c", pa.nulls(1))):
        pq.write_table(pa.table({"user": users, "row": range(len(users))}), tmp_path / f"{name}.parquet")
    source = open_source(tmp_path / "*.parquet")
    assert source.types == {"user": "VARCHAR", "row": "BIGINT"}
    rows = source.connection.execute(f"SELECT user FROM {source.scan(False)}").fetchall()
    assert rows == [(None,), (None,), ("x",), ("y",), (None,)]


@pytest.mark.parametrize(
    ("lines", "name", "message"),
    [
        (b"", "a.csv", "a.csv: expected a header line and rows, got an empty file"),
        (b"\n\n", "a.csv", "empty file"),
        (b"a,b\n", "a.csv", "got a header only"),
        (gzip.compress(b"a,b\n", mtime=0), "a.csv.gz", "got a header only"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-12], "a.csv.gz", "expected a whole gzip file"),
        (b"not gzip", "a.csv.gz", "a.csv.gz: expected gzip, as its name says, got other bytes"),
        (b"x", "a.xlsx", "expected one of .parquet"),
        (b"x", "a", "got 'no extension'"),
        (b"x", "a.parquet.zip", "got '.zip'"),
        (b"PAR1", "a.parquet", "a.parquet: expected a whole Parquet file, got one that is cut short"),
        (b"user,y", "a.parquet", "a.parquet: expected a Parquet file, got other bytes"),
        (
            b"PAR1" + b"x" * 90 + b"PAR1",
            "a.parquet",
            "a.parquet: expected a whole file, got one that is damaged",
        ),
        (b"", "a.parquet", "empty file"),
        (b"PAR1\x15\x04", "a.csv", "a.csv: expected text, got a Parquet file"),
        (b"PK\x03\x04", "a.csv", "a.csv: expected text, got a ZIP archive"),
        ("a,b".encode("utf-16"), "a.csv", "a.csv: expected text, got UTF-16 text"),
    ],
)
def test_files_that_cannot_be_opened(write: Write, lines: bytes, name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_source(write(lines, name))


def test_a_parquet_file_without_rows_or_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    with pytest.raises(DataError, match="without any"):
        open_source(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match="cut short"):
        open_source(path)


def test_paths_that_name_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        open_source(tmp_path / "a.csv")
    with pytest.raises(DataError, match="matches none"):
        open_source(tmp_path / "*.csv")
    with pytest.raises(DataError, match="one or more paths"):
        open_source([])
    with pytest.raises(DataError, match="got a folder"):
        open_source(tmp_path)
    with pytest.raises(InvalidValueError, match="movietweetings"):
        open_source(tmp_path, "imdb")


def test_files_that_are_no_one_table(write: Write, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "b": [1]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"a": [1], "b": ["x"]}), tmp_path / "b.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "c.parquet")
    csv = write(["a,b", "1,2"], "d.csv")
    with pytest.raises(DataError, match="one kind"):
        open_source([tmp_path / "a.parquet", csv])
    with pytest.raises(DataError, match=r"'b' as in .*, BIGINT, got VARCHAR"):
        open_source([tmp_path / "a.parquet", tmp_path / "b.parquet"])
    with pytest.raises(DataError, match=r"'b' as in .*, BIGINT, got absent"):
        open_source([tmp_path / "a.parquet", tmp_path / "c.parquet"])
    with pytest.raises(DataError, match="expected the header of"):
        open_source([csv, write(["b,a", "1,2"], "e.csv")])
