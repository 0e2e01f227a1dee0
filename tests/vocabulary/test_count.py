"""Counting rows on every engine, against collections.Counter and the keys of `hash_keys`."""

import gzip
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridhash.data import Columns, Label, Split, open_source, prepare
from hybridhash.errors import DataError, InvalidTypeError, InvalidValueError, MissingDependencyError
from hybridhash.hashing import hash_keys
from hybridhash.vocabulary import Counts, count, count_key_chunks

from .conftest import ENGINES, INT64

INTEGERS = st.none() | st.integers(-3, 3) | st.sampled_from([INT64.min, INT64.max])
STRINGS = st.none() | st.sampled_from(["", "a", "A", "7", "é", "\U0001f600", "x" * 70])
BYTES = st.none() | st.sampled_from([b"", b"\x00", b"\xff\xfe"])
SCHEMA = pa.schema(
    {
        "user": pa.int64(),
        "site": pa.string(),
        "blob": pa.binary(),
        "flag": pa.bool_(),
        "tags": pa.list_(pa.string()),
        "seen": pa.list_(pa.int64()),
    }
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "user": INTEGERS,
            "site": STRINGS,
            "blob": BYTES,
            "flag": st.none() | st.booleans(),
            "tags": st.none() | st.lists(STRINGS, max_size=3),
            "seen": st.none() | st.lists(INTEGERS, max_size=3),
        }
    ),
    max_size=20,
)


def by_hand(rows: list[dict[str, Any]], features: list[str], lists: list[str], seed: int) -> Counts:
    """Count with a Python loop: one value at a time through `hash_keys`."""
    pairs: Counter[tuple[int, int]] = Counter()
    for index, name in enumerate(features + lists):
        for row in rows:
            values = [row[name]] if name in features or row[name] is None else row[name]
            for value in values:
                pairs[int(hash_keys([value], feature=name, seed=seed)[0]), index] += 1
    keys = [key for key, _ in pairs]
    numbers = list(pairs.values())
    return Counts(keys, numbers, [f for _, f in pairs], (*features, *lists), len(rows), seed)


@settings(max_examples=15, deadline=None)
@given(rows=ROWS, seed=st.sampled_from([0, 1, 2**64 - 1]))
def test_every_engine_counts_the_same(rows: list[dict[str, Any]], seed: int) -> None:
    features, lists = ["user", "site", "blob", "flag"], ["tags", "seen"]
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    expected = by_hand(rows, features, lists, seed)
    for name, engine in ENGINES.items():
        assert count(engine(table), features, lists=lists, seed=seed) == expected, name


@pytest.mark.parametrize("engine", ENGINES)
def test_shards_merge_to_one_pass(engine: str) -> None:
    values = np.random.default_rng(0).zipf(1.5, 1_000).clip(max=200)
    table = pa.table({"ad": values, "site": [str(v % 7) for v in values]})
    shards = [ENGINES[engine](table.slice(start, 300)) for start in range(0, 1_000, 300)]
    merged, *rest = (count(shard, ["ad", "site"]) for shard in shards)
    for part in rest:
        merged = merged.merge(part)
    assert merged == count(ENGINES[engine](table), ["ad", "site"])


@pytest.mark.parametrize("engine", ENGINES)
def test_lists_may_be_text_or_of_one_length(engine: str) -> None:
    lists = [["x", None], ["x", "y"], None]
    expected = count(pa.table({"tags": lists}), [], lists=["tags"])
    table = pa.table({"tags": pa.array(lists, pa.list_(pa.string(), 2))})
    assert count(ENGINES[engine](table), [], lists=["tags"]) == expected
    table = pa.table({"tags": ["x;", "x;y", ""]})
    assert count(ENGINES[engine](table), [], lists=["tags"], list_separator=";") == expected


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["len", "num", "value", "a b", 'qu"ote', "Ä"])
def test_any_column_name_will_do(engine: str, name: str) -> None:
    counts = count(ENGINES[engine](pa.table({name: [1, 1, 2]})), [name])
    assert counts.counts.tolist() == [2, 1]


FRAMES = {
    "objects": {"id": pd.Series([7, None, 7], dtype=object), "tags": [["a"], None, ["b", "a"]]},
    "nullable": {
        "id": pd.Series([7, None, 7], dtype="Int64"),
        "tags": [np.array(["a"]), None, np.array(["b", "a"])],
    },
    "Arrow": {
        "id": pd.Series([7, None, 7], dtype="int64[pyarrow]"),
        "tags": pd.Series([["a"], None, ["b", "a"]], dtype=pd.ArrowDtype(pa.list_(pa.string()))),
    },
    "categories": {
        "id": pd.Series([7, None, 7], dtype="Int64").astype("category"),
        "tags": [["a"], None, ("b", "a")],
    },
}


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_of_pandas_count_as_their_files(kind: str, tmp_path: Path) -> None:
    frame = pd.DataFrame(FRAMES[kind])
    expected = by_hand(
        [{"id": 7, "tags": ["a"]}, {"id": None, "tags": None}, {"id": 7, "tags": ["b", "a"]}],
        ["id"],
        ["tags"],
        0,
    )
    assert count(frame, ["id"], lists=["tags"]) == expected
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "f.parquet")
    assert count(tmp_path / "f.parquet", ["id"], lists=["tags"]) == expected


def test_a_column_of_several_types_is_refused() -> None:
    with pytest.raises(InvalidTypeError, match=r"column 'a': expected values of one type, got: .*; cast ids"):
        count(pd.DataFrame({"a": [1, "x"]}), ["a"])


@pytest.mark.parametrize("engine", ENGINES)
def test_no_rows_give_no_keys(engine: str) -> None:
    counts = count(ENGINES[engine](SCHEMA.empty_table()), ["user", "site"], lists=["tags"])
    assert counts.num_rows == 0
    assert counts.num_keys == 0
    assert counts.feature_names == ("user", "site", "tags")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    table = pa.table({"user": [1, 2, 1, None], "site": ["x", "y", "x", None]})
    pq.write_table(table.slice(0, 2), tmp_path / "part-0.parquet")
    pq.write_table(table.slice(2), tmp_path / "part-1.parquet")
    (tmp_path / "rows.csv").write_text("user,site\n1,x\n2,y\n1,x\n,\n")
    (tmp_path / "rows.tsv").write_text("user\tsite\n1\tx\n2\ty\n1\tx\n\t\n")
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress((tmp_path / "rows.csv").read_bytes()))
    return tmp_path


@pytest.mark.parametrize("name", ["part-*.parquet", "rows.csv", "rows.tsv", "rows.csv.gz"])
def test_files_are_counted_by_name(folder: Path, name: str) -> None:
    users = [1, 2, 1, None] if name.endswith("parquet") else ["1", "2", "1", None]  # ids in text are strings
    expected = count(pa.table({"user": users, "site": ["x", "y", "x", None]}), ["user", "site"])
    for source in (folder / name, str(folder / name), [folder / name], open_source(folder / name)):
        assert count(source, ["user", "site"]) == expected


def prepared_counts(path: Path, folder: Path, **columns: Any) -> Counts:
    """Count what `compare` makes of a file: keys of all rows."""
    chosen = Columns(Label("y"), **columns)
    rows = prepare(open_source(path), Split("random", 0.5), folder, columns=chosen).rows
    return count_key_chunks(rows.key_chunks(0, 1, 2), rows.schema.names, rows.num_rows)


TEXTS = {
    "leading zeros late": [*(str(row % 9) for row in range(30_000)), "007"],
    "text late": [*(str(row % 9) for row in range(30_000)), "abc"],
    "flags": ["t", "f"] * 20,
    "booleans": ["true", "False", "0"] * 20,
    "unsigned": ["12345678901234567890", "12345678901234567891"] * 20,
    "dates": ["2024-01-01", "2024-01-02", "2024-1-1"] * 20,
    "separators": ["shoes", "hat;red", "hat|red"] * 20,
    "spaces": [" 7", "7", "7 ", "7.0"] * 20,
    "empty": ["", "NULL", "nan", "NaN", "\\N"] * 20,
}


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("compressed", [False, True])
def test_files_count_as_compare_reads_them(tmp_path: Path, kind: str, compressed: bool) -> None:
    values = TEXTS[kind]
    text = "id,tags,y\n" + "".join(f"{value},{value},{row % 2}\n" for row, value in enumerate(values))
    path = tmp_path / ("rows.csv.gz" if compressed else "rows.csv")
    path.write_bytes(gzip.compress(text.encode()) if compressed else text.encode())
    counts = count(path, ["id"], lists=["tags"])
    assert counts == prepared_counts(path, tmp_path / "work", categorical=("id",), lists=("tags",))
    assert np.isin(hash_keys([value or None for value in values], "id"), counts.keys).all()


def test_one_column_may_hold_delimiters(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("item\nshoes\nhat;red\n")
    assert sorted(count(path, ["item"]).keys) == sorted(hash_keys(["shoes", "hat;red"], "item"))


def test_files_of_other_types_are_refused_whatever_their_order(tmp_path: Path) -> None:
    for first, second in (("a", "b"), ("c", "b")):
        pq.write_table(pa.table({"u": [7, 8]}), tmp_path / f"{first}.parquet")
        pq.write_table(pa.table({"u": ["007", "9"]}), tmp_path / f"{second}.parquet")
        with pytest.raises(DataError, match="expected column 'u' as in"):
            count(tmp_path / "*.parquet", features=["u"])
        (tmp_path / f"{first}.parquet").unlink()


def test_a_name_is_one_file_and_its_folder_no_column(tmp_path: Path) -> None:
    (tmp_path / "user=7").mkdir()
    pq.write_table(pa.table({"user": [1, 2, 3]}), tmp_path / "user=7" / "c[1].parquet")
    pq.write_table(pa.table({"user": [9, 8, 7, 6]}), tmp_path / "user=7" / "c1.parquet")
    counts = count(tmp_path / "user=7" / "c[1].parquet", ["user"])
    assert (counts.num_rows, counts.num_keys) == (3, 3)


def test_quotes_can_be_named_and_line_breaks_in_them_are_told(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text('u,t\na,"x\nb,y"\nc,z\n')
    with pytest.warns(UserWarning, match="1 rows hold 1 line breaks between quotes; .*quote='none'"):
        assert count(path, ["u"]).num_rows == 2
    assert count(open_source(path, quote="none"), ["u"]).num_rows == 3
    tabs = tmp_path / "log.tsv"
    tabs.write_text("u\tt\n" + "a\tx\n" * 40_000 + 'a\t"x"\n')
    with pytest.raises(DataError, match="column 't': expected a value without quotes around it"):
        count(tabs, ["t"])


def test_files_that_cannot_be_read_are_named(folder: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.parquet: no such file"):
        count(folder / "absent.parquet", ["user"])
    (folder / "text.parquet").write_text("no parquet at all, but text")
    with pytest.raises(DataError, match=r"text\.parquet: expected a Parquet file, got other bytes"):
        count(folder / "text.parquet", ["user"])
    whole = (folder / "rows.csv.gz").read_bytes()
    (folder / "rows.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"rows\.csv\.gz: expected a whole gzip file"):
        count(folder / "rows.csv.gz", ["user"])
    (folder / "rows.json").write_text("{}")
    with pytest.raises(DataError, match=r"\.json'; rename or convert it"):
        count(folder / "rows.json", ["user"])


def test_a_line_that_breaks_the_table_is_an_error_and_not_skipped(folder: Path) -> None:
    lines = ["user,site", *["1,x"] * 30_000, "1,x,surplus,fields", *["2,y"] * 3]
    (folder / "rows.csv").write_text("\n".join(lines))
    with pytest.raises(
        DataError, match=r"rows\.csv: line 30002: too many fields, expected 2; correct the line$"
    ):
        count(folder / "rows.csv", ["user"])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_column_that_is_missing_is_named(engine: str) -> None:
    with pytest.raises(DataError, match=r"source: expected a column 'ad', .*\(there are: user, site\)"):
        count(ENGINES[engine](pa.table({"user": [1], "site": [2]})), ["user", "ad"])


@pytest.mark.parametrize(("features", "lists"), [([], []), (["a", "a"], []), (["a"], ["a"])])
def test_features_must_be_distinct_and_some(features: list[str], lists: list[str]) -> None:
    with pytest.raises(InvalidValueError, match="features and lists: expected one or more distinct columns"):
        count(pa.table({"a": [1]}), features, lists)


def test_a_source_that_is_no_frame_is_refused() -> None:
    with pytest.raises(InvalidTypeError, match=r"source: expected a path or a frame .* got dict"):
        count({"a": [1]}, ["a"])
    with pytest.raises(InvalidTypeError, match="source: expected a pyarrow Table, got RecordBatchReader"):
        count(pa.table({"a": [1]}).to_reader(), ["a"])


@pytest.mark.parametrize("package", ["narwhals", "duckdb"])
def test_a_missing_package_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        MissingDependencyError, match=rf"needs {package}, .* pip install 'hybridhash\[train\]'"
    ):
        count(pl.DataFrame({"a": [1]}), ["a"])


def test_a_script_that_counts_ends_in_silence(folder: Path) -> None:
    """narwhals and DuckDB 2.0 leave a page of "leaked" lines behind when one is handed the other's relations."""
    code = "import hybridhash as hh, sys; print(hh.count(sys.argv[1], features=['user']).num_keys)"
    command = [sys.executable, "-c", code, str(folder / "part-*.parquet")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("3\n", "")
