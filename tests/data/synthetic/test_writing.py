"""Streams in files: Parquet or text by the name, whole or not at all."""

import csv
import os
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybridhash.data import open_source
from hybridhash.data.synthetic.stream import SyntheticStream
from hybridhash.errors import FileAccessError, InvalidValueError

from .conftest import SETTINGS, whole


def test_parquet_holds_the_stream_in_row_groups(tmp_path: Path) -> None:
    stream = SyntheticStream(replace(SETTINGS, num_rows=(1 << 18) + 5))
    calls: list[tuple[int, int]] = []
    stream.write_parquet(tmp_path / "clicks.parquet", progress=lambda *args: calls.append(args))
    assert calls == [(1 << 18, stream.num_rows), (stream.num_rows, stream.num_rows)]
    file = pq.ParquetFile(tmp_path / "clicks.parquet")
    assert [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)] == [1 << 18, 5]
    assert file.schema_arrow.equals(stream.schema)
    assert file.read_row_group(1).num_rows == 5
    columns = [name for name in stream.schema.names if name not in ("price", "age")]  # NaN equals nothing
    assert file.read(columns).combine_chunks().equals(whole(stream).select(columns))
    assert os.listdir(tmp_path) == ["clicks.parquet"]


def test_parquet_replaces_a_file_that_exists(tmp_path: Path) -> None:
    path = tmp_path / "clicks.parquet"
    path.write_text("old")
    SyntheticStream(SETTINGS).write_parquet(str(path))
    assert pq.read_metadata(path).num_rows == SETTINGS.num_rows


def test_an_interrupt_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "clicks.parquet"
    path.write_text("old")

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        SyntheticStream(SETTINGS).write_parquet(path, progress=interrupt)
    assert os.listdir(tmp_path) == ["clicks.parquet"]
    assert path.read_text() == "old"


@pytest.mark.parametrize("name", ["missing/clicks.parquet", "folder.csv"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(FileAccessError, match=f"{name}: cannot be written"):
        SyntheticStream(SETTINGS).write(tmp_path / name)
    assert os.listdir(tmp_path) == ["folder.csv"]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv.zst", "a.TXT"])
def test_a_file_is_of_the_kind_that_its_name_says(tmp_path: Path, name: str) -> None:
    """In text, numbers are those that Python reads back, and lists and what is missing stand as docs/data.md says."""
    stream = SyntheticStream(replace(SETTINGS, num_rows=2000), block_rows=300)
    stream.write(tmp_path / name)
    with pa.input_stream(str(tmp_path / name), compression="detect") as file:
        lines = file.read().decode().splitlines()
    found = list(csv.DictReader(lines, delimiter="\t" if "tsv" in name else ","))
    for row, expected in zip(found, whole(stream).to_pylist(), strict=True):
        for column, value in expected.items():
            if isinstance(value, float):
                assert float(row[column]) == pytest.approx(value, rel=1e-15, nan_ok=True)
            else:
                text = (
                    "|".join(map(str, value))
                    if isinstance(value, list)
                    else ""
                    if value is None
                    else str(value)
                )
                assert row[column] == text
    assert open_source(str(tmp_path / name)).columns == tuple(stream.schema.names)
    assert os.listdir(tmp_path) == [name]


def test_parquet_by_its_name(tmp_path: Path) -> None:
    SyntheticStream(SETTINGS).write(tmp_path / "a.pq")
    assert pq.read_metadata(tmp_path / "a.pq").num_rows == SETTINGS.num_rows


@pytest.mark.parametrize("name", ["a", "a.json", "a.parquet.gz", "a.gz", "a.csv.bz2"])
def test_a_name_of_no_known_kind_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidValueError, match="choose the kind of file by its ending"):
        SyntheticStream(SETTINGS).write(tmp_path / name)
    assert os.listdir(tmp_path) == []
