import csv
import os
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybridhash.data import open_source
from hybridhash.data.synthetic.presets import stream_preset
from hybridhash.data.synthetic.stream import SyntheticStream
from hybridhash.errors import FileAccessError, InvalidValueError

SETTINGS = replace(stream_preset("demo", scale=0.1), num_rows=20_011)


def whole(stream: SyntheticStream) -> pa.Table:
    return pa.Table.from_batches(stream.batches()).combine_chunks()


def test_blocks_are_the_same_in_any_order_and_stream() -> None:
    first, second = (SyntheticStream(SETTINGS, block_rows=3000) for _ in range(2))
    forward = [first.block(index) for index in range(first.num_blocks)]
    backward = [second.block(index) for index in reversed(range(second.num_blocks))][::-1]
    assert all(a.serialize() == b.serialize() for a, b in zip(forward, backward, strict=True))


def test_rows_do_not_depend_on_the_size_of_the_blocks() -> None:
    tables = [whole(SyntheticStream(SETTINGS, block_rows)) for block_rows in (1 << 15, 777)]
    for name in tables[0].column_names:
        if name not in ("probability", "price", "age"):  # a wider loop may round a logarithm differently
            assert tables[0][name].equals(tables[1][name])
    np.testing.assert_allclose(tables[0]["probability"], tables[1]["probability"], rtol=1e-12)


def test_another_seed_gives_another_stream() -> None:
    first, second = (SyntheticStream(replace(SETTINGS, seed=seed)).block(0) for seed in (0, 1))
    assert first["ts"].equals(second["ts"])
    for name in set(first.schema.names) - {"ts"}:
        assert not first[name].equals(second[name]), name


@pytest.mark.parametrize(
    ("num_rows", "sizes"), [(1, [1]), (999, [999]), (1000, [1000]), (1001, [1000, 1]), (3000, [1000] * 3)]
)
def test_the_number_of_rows_is_exact(num_rows: int, sizes: list[int]) -> None:
    stream = SyntheticStream(replace(SETTINGS, num_rows=num_rows), block_rows=1000)
    assert stream.num_rows == num_rows
    assert stream.num_blocks == len(sizes)
    assert [batch.num_rows for batch in stream] == sizes


def test_time_never_decreases_and_covers_the_duration() -> None:
    stream = SyntheticStream(SETTINGS, block_rows=3000)
    times = whole(stream)["ts"].to_numpy()
    assert (np.diff(times) >= 0).all()
    assert times[0] == SETTINGS.start_s
    assert SETTINGS.start_s + SETTINGS.duration_s - 60 < times[-1] < SETTINGS.start_s + SETTINGS.duration_s


def test_columns_are_the_schema() -> None:
    stream = SyntheticStream(SETTINGS)
    columns = stream.columns
    inputs = (*columns.categorical, *columns.numeric, *columns.lists)
    assert stream.schema.names == [columns.time, *inputs, columns.label, columns.probability]
    assert stream.block(0).schema == stream.schema


def test_the_last_block_of_a_huge_stream_is_made_at_once() -> None:
    stream = SyntheticStream(replace(SETTINGS, num_rows=1 << 40))
    tracemalloc.start()
    batch = stream.block(stream.num_blocks - 1)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert batch.num_rows == stream.block_rows
    assert batch["ts"][-1].as_py() == SETTINGS.start_s + SETTINGS.duration_s - 1
    assert peak_bytes < 32 << 20


@pytest.mark.parametrize("index", [-1, 7])
def test_a_block_that_does_not_exist_is_refused(index: int) -> None:
    stream = SyntheticStream(SETTINGS, block_rows=3000)
    stream.block(6)
    with pytest.raises(InvalidValueError, match=rf"index in \[0, 7\), got {index}"):
        stream.block(index)


@pytest.mark.parametrize("block_rows", [0, (1 << 20) + 1])
def test_a_block_size_out_of_range_is_refused(block_rows: int) -> None:
    with pytest.raises(InvalidValueError, match="block_rows"):
        SyntheticStream(SETTINGS, block_rows)


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
