import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybridhash.data import Columns, Dataset, Label, Source, Split, open_source
from hybridhash.errors import DataError
from hybridhash.hashing import hash_keys, null_key

Write = Callable[..., Path]
Load = Callable[..., Dataset]


def rows_of(source: Source, *columns: str) -> list[tuple[Any, ...]]:
    return source.connection.execute(f"SELECT {', '.join(columns)} FROM {source.scan(False)}").fetchall()


def criteo_lines(num_rows: int = 12) -> list[str]:
    lines = []
    for row in range(num_rows):
        numeric = ["" if (row + i) % 4 == 0 else str(row * i - 2) for i in range(13)]
        ids = ["" if (row + i) % 5 == 0 else f"{row * 26 + i:08x}" for i in range(26)]
        lines.append("\t".join([str(row % 2), *numeric, *ids]))
    return lines


def test_criteo_text(write: Write, load: Load) -> None:
    path = write(gzip.compress(("\n".join(criteo_lines()) + "\n").encode()), "train.txt.gz")
    source = open_source(path, "criteo")
    assert source.defaults is not None
    assert source.defaults.label == Label("label")
    assert len(source.defaults.categorical) == 26
    assert len(source.defaults.numeric) == 13
    assert source.defaults.time is None
    data = load(path, format="criteo", columns=None)
    assert data.rows.singles.shape == (12, 39)
    # Row 0 has c1 null, and c2 "00000001"; features are c1..c26, then i1..i13.
    assert data.rows.singles[0, 0] == null_key("c1")
    assert data.rows.singles[0, 1] == hash_keys(["00000001"], "c2")[0]
    assert data.rows.singles[0, 26] == null_key("i1")


def test_criteo_days_are_the_time_and_rows_without_a_label_are_read(write: Write, tmp_path: Path) -> None:
    for day in (10, 9):
        write(criteo_lines(3), f"day_{day}")
    source = open_source(tmp_path / "day_*", "criteo")
    assert source.defaults is not None
    assert source.defaults.time == "day"
    assert sorted(rows_of(source, "day")) == [(9,)] * 3 + [(10,)] * 3
    one = open_source(tmp_path / "day_9", "criteo")
    assert one.defaults is not None
    assert one.defaults.time is None
    unlabelled = write([line.split("\t", 1)[1] for line in criteo_lines(3)], "test.txt")
    source = open_source(unlabelled, "criteo")
    assert source.defaults is not None
    assert source.defaults.label is None
    assert rows_of(source, "i1", "i2", "c26")[1] == ("-2", "-1", "00000033")


def test_criteo_parquet_in_any_case(tmp_path: Path) -> None:
    names = ["Label", *(f"I{i}" for i in range(1, 14)), *(f"C{i}" for i in range(1, 27))]
    pq.write_table(pa.table({name: [1, 0] for name in names}), tmp_path / "a.parquet")
    source = open_source(tmp_path / "a.parquet", "criteo")
    assert source.columns[:2] == ("label", "i1")
    assert source.defaults is not None
    assert source.defaults.label == Label("label")
    pq.write_table(pa.table({name: [1, 0] for name in names[:-1]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="'c26'"):
        open_source(tmp_path / "b.parquet", "criteo")


def test_criteo_errors(write: Write, load: Load, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got a folder"):
        open_source(tmp_path, "criteo")
    with pytest.raises(DataError, match="empty file"):
        open_source(write(b"", "day_0"), "criteo")
    lines = criteo_lines()
    lines[4] = lines[4].rsplit("\t", 3)[0]
    with pytest.raises(DataError, match=r"train\.txt, line 5: too few fields"):
        load(write(lines, "train.txt"), format="criteo", columns=None)


def test_avazu(write: Write) -> None:
    lines = ["id,click,hour,C1,site_id", "100,0,14102100,1005,1fbe", "101,1,14102123,1002,x"]
    source = open_source(write(lines, "train.csv"), "avazu")
    assert source.defaults == Columns(Label("click"), ("C1", "site_id"), time="hour")
    # 2014-10-21 00:00 and 23:00 UTC
    assert rows_of(source, "hour", "C1") == [(1413849600, "1005"), (1413932400, "1002")]
    unlabelled = open_source(write(["id,hour,C1", "1,14102100,7"], "test.csv"), "avazu")
    assert unlabelled.defaults == Columns(None, ("C1",), time="hour")
    with pytest.raises(DataError, match="'hour'"):
        open_source(write(["id,click", "1,0"], "other.csv"), "avazu")


@pytest.mark.parametrize("name", ["train.gz", "train", "train.csv"])
def test_avazu_as_kaggle_ships_it(write: Write, name: str) -> None:
    text = b"id,click,hour,C1\n100,0,14102100,1005\n101,1,14102123,1002\n"
    source = open_source(write(gzip.compress(text) if name == "train.gz" else text, name), "avazu")
    assert rows_of(source, "click", "hour", "C1") == [("0", 1413849600, "1005"), ("1", 1413932400, "1002")]
    if name != "train.csv":
        with pytest.raises(DataError, match="or name its --format"):
            open_source(source.files[0])


def test_movielens_in_the_layout_of_1m(write: Write, tmp_path: Path, load: Load) -> None:
    write(
        "1::Amélie (2001)::Comedy|Romance\n2::No Year::(no genres listed)\n".encode("latin-1"), "movies.dat"
    )
    ratings = ["1::1::4::30", "1::2::3::20", "2::1::5::10", "2::9::1::40"]
    write(ratings, "ratings.dat")
    source = open_source(tmp_path, "movielens")
    assert source.defaults == Columns(
        Label("rating", ">=", 4.0), ("user", "movie", "year"), lists=("genres",), time="time"
    )
    write(["1::F::1::10::48067", "2::M::56::16::70072"], "users.dat")
    source = open_source(tmp_path, "movielens")
    assert source.defaults is not None
    assert source.defaults.categorical == ("user", "movie", "year", "gender", "age", "occupation")
    assert rows_of(source, "user", "movie", "year", "genres", "gender", "age") == [
        ("1", "1", "2001", "Comedy|Romance", "F", "1"),
        ("1", "2", None, None, "F", "1"),
        ("2", "1", "2001", "Comedy|Romance", "M", "56"),
        ("2", "9", None, None, "M", "56"),
    ]
    data = load(tmp_path, format="movielens", columns=None, split=Split("time", 0.5))
    assert data.rows.times is not None
    assert data.rows.times.tolist() == [10, 20, 30, 40]
    assert data.rows.labels.tolist() == [1, 0, 1, 0]


def test_movielens_in_the_layout_of_20m(write: Write, tmp_path: Path) -> None:
    write(["movieId,title,genres", '7,"American President, The (1995)",Comedy|Drama'], "movies.csv")
    write(["userId,movieId,rating,timestamp", "1,7,3.5,1112486027"], "ratings.csv")
    source = open_source(tmp_path, "movielens")
    assert rows_of(source, "user", "movie", "rating", "year", "genres", "time") == [
        ("1", "7", "3.5", "1995", "Comedy|Drama", "1112486027")
    ]
    write(["userId,movieId,rating", "1,7,3.5"], "ratings.csv")
    with pytest.raises(DataError, match="'timestamp'"):
        open_source(tmp_path, "movielens")


def test_folders_that_are_not_the_format(write: Write, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ratings\.dat.*nothing"):
        open_source(tmp_path, "movietweetings")
    path = write(["1::1::8::1"], "ratings.dat")
    with pytest.raises(DataError, match=r"movies\.dat.*found: ratings\.dat"):
        open_source(tmp_path, "movietweetings")
    with pytest.raises(DataError, match="expects one folder"):
        open_source(path, "movietweetings")


def test_movietweetings_names_the_line(write: Write, tmp_path: Path, load: Load) -> None:
    write(["1::A (2000)::X"], "movies.dat")
    write([f"{row}::1::{row}::{row}" for row in range(10)] + ["1::1::8"], "ratings.dat")
    with pytest.raises(DataError, match=r"ratings\.dat, line 11: too few fields"):
        load(tmp_path, format="movietweetings", columns=None)
    write([f"{row}::1::{row}::{row}" for row in range(9)] + ["1::1::nine::9"], "ratings.dat")
    with pytest.raises(DataError, match=r"ratings\.dat, row 10, column 'rating': .*got 'nine'"):
        load(tmp_path, format="movietweetings", columns=None)


def test_the_real_sets(real_data: Path, load: Load, tmp_path: Path) -> None:
    criteo = load(real_data / "criteo_tb_sample.parquet", format="criteo", columns=None)
    assert (criteo.num_rows, criteo.rows.singles.shape[1]) == (80_000, 39)
    assert round(criteo.num_positives / criteo.num_rows, 3) == 0.032  # as the set's description says
    distinct = sum(
        np.unique(np.concatenate(list(criteo.rows.keys_of(f"c{i}", 0, 1, 2)))).size for i in range(1, 27)
    )
    assert distinct == 183_579
    answers = load(
        real_data / "assist09.parquet",
        columns=Columns(Label("label"), ("student", "problem", "skill")),
        split=Split.parse("column:fold=5"),
        work_dir=tmp_path / "answers",
    )
    assert answers.num_rows == 325_589
    students = np.concatenate(list(answers.rows.keys_of("student", 0, 1, 2)))
    assert np.unique(students).size == 4150


def test_a_criteo_text_file_written_from_the_real_sample(real_data: Path, load: Load, tmp_path: Path) -> None:
    import duckdb

    values = ["label", *(f"CAST(i{i} AS BIGINT)" for i in range(1, 14)), *(f"c{i}" for i in range(1, 27))]
    path = tmp_path / "sample.tsv"
    sample = real_data / "criteo_tb_sample.parquet"
    duckdb.sql(
        f"COPY (SELECT {', '.join(values)} FROM '{sample}') "
        f"TO '{path}' (HEADER false, DELIMITER '\t', FORMAT csv)"
    )
    text = load(path, format="criteo", columns=None)
    packed = load(sample, format="criteo", columns=None, work_dir=tmp_path / "packed")
    assert text.num_positives == packed.num_positives
    # Numbers have the same keys; ids are strings here and integers there.
    assert (text.rows.singles[:, 26:] == packed.rows.singles[:, 26:]).all()
    assert text.schema.features[0].dtype == "string"
    assert packed.schema.features[0].dtype == "int"
