"""Counting rows on every engine, against collections.Counter and the keys of `hash_keys`."""

import gzip
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridhash.errors import DataError, InvalidTypeError, InvalidValueError, MissingDependencyError
from hybridhash.hashing import hash_keys, null_key
from hybridhash.vocabulary import Counts, count, count_keys

INT64 = np.iinfo(np.int64)
ENGINES: dict[str, Callable[[pa.Table], Any]] = {
    "arrow": lambda table: table,
    "duckdb": lambda table: duckdb.from_arrow(table),
    "polars": lambda table: pl.from_arrow(table),
    "polars-lazy": lambda table: pl.from_arrow(table).lazy(),  # type: ignore[union-attr]
    "narwhals": lambda table: nw.from_native(pl.from_arrow(table)),
}
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
            values = [row[name]] if name in features else row[name] or []
            for value in values:
                pairs[int(hash_keys([value], feature=name, seed=seed)[0]), index] += 1
    keys = [key for key, _ in pairs]
    numbers = list(pairs.values())
    return Counts(keys, numbers, [f for _, f in pairs], (*features, *lists), len(rows), seed)


@settings(max_examples=20, deadline=None)
@given(rows=ROWS, seed=st.sampled_from([0, 1, 2**64 - 1]))
def test_every_engine_counts_the_same(rows: list[dict[str, Any]], seed: int) -> None:
    features, lists = ["user", "site", "blob", "flag"], ["tags", "seen"]
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    expected = by_hand(rows, features, lists, seed)
    for name, engine in ENGINES.items():
        assert count(engine(table), features, lists=lists, seed=seed) == expected, name


@settings(max_examples=10, deadline=None)
@given(
    users=st.lists(st.integers(-3, 3) | st.sampled_from([INT64.min, INT64.max]), max_size=20), data=st.data()
)
def test_keyed_columns_are_taken_as_they_are(users: list[int], data: st.DataObject) -> None:
    seen = data.draw(
        st.lists(st.lists(st.integers(-2, 2), max_size=3), min_size=len(users), max_size=len(users))
    )
    table = pa.table({"user": pa.array(users, pa.int64()), "seen": pa.array(seen, pa.list_(pa.int64()))})
    flat = np.array([key for row in seen for key in row], dtype=np.int64)
    arrays = {"user": np.array(users, dtype=np.int64), "seen": flat}
    expected = count_keys(arrays, num_rows=len(users), seed=5)
    for name, engine in ENGINES.items():
        assert count(engine(table), ["user"], lists=["seen"], seed=5, keyed=True) == expected, name


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
def test_an_empty_list_and_a_null_list_count_nothing_and_a_null_element_is_null(engine: str) -> None:
    table = pa.table({"tags": pa.array([["x", None], [], None, ["x"]], pa.list_(pa.string()))})
    counts = count(ENGINES[engine](table), [], lists=["tags"])
    assert counts.num_rows == 4
    assert counts.counts.tolist() == [2, 1]
    assert counts.keys.tolist() == [int(hash_keys(["x"], feature="tags")[0]), null_key("tags")]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["len", "num", "value", "a b", 'qu"ote', "Ä"])
def test_any_column_name_will_do(engine: str, name: str) -> None:
    counts = count(ENGINES[engine](pa.table({name: [1, 1, 2]})), [name])
    assert counts.counts.tolist() == [2, 1]


def test_dictionary_columns_count_as_their_values() -> None:
    plain = pa.array(["x", None, "y", "x"])
    expected = count(pa.table({"a": plain}), ["a"])
    encoded = pa.table({"a": plain.dictionary_encode()})
    for name, engine in ENGINES.items():
        assert count(engine(encoded), ["a"]) == expected, name
    assert count(pl.DataFrame({"a": ["x", None, "y", "x"]}, schema={"a": pl.Categorical}), ["a"]) == expected


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
    table = pa.table({"user": [1, 2, 1, None], "site": ["x", "y", "x", None]})
    expected = count(table, ["user", "site"])
    assert count(folder / name, ["user", "site"]) == expected
    assert count(str(folder / name), ["user", "site"]) == expected


def test_files_that_cannot_be_read_are_named(folder: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.parquet: DuckDB cannot read it"):
        count(folder / "absent.parquet", ["user"])
    (folder / "text.parquet").write_text("no parquet at all, but text")
    with pytest.raises(DataError, match=r"text\.parquet: DuckDB cannot read it"):
        count(folder / "text.parquet", ["user"])
    whole = (folder / "rows.csv.gz").read_bytes()
    (folder / "rows.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"rows\.csv\.gz: DuckDB cannot read it"):
        count(folder / "rows.csv.gz", ["user"])


def test_a_line_that_breaks_the_table_is_an_error_and_not_skipped(folder: Path) -> None:
    lines = ["user,site", *["1,x"] * 30_000, "1,x,surplus,fields", *["2,y"] * 3]
    (folder / "rows.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"rows\.csv: DuckDB cannot read it: .*Line: 30002") as caught:
        count(folder / "rows.csv", ["user"])
    assert "\n" not in str(caught.value)


def test_an_unknown_ending_lists_what_is_known(folder: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"rows\.json: expected a file name that ends in \.parquet"):
        count(folder / "rows.json", ["user"])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_column_that_is_missing_is_named(engine: str) -> None:
    with pytest.raises(DataError, match="column 'ad': not in the source, which has user, site"):
        count(ENGINES[engine](pa.table({"user": [1], "site": [2]})), ["user", "ad"])


@pytest.mark.parametrize("engine", ENGINES)
def test_lists_and_single_values_are_told_apart(engine: str) -> None:
    source = ENGINES[engine](pa.table({"user": [1], "tags": [["x"]]}))
    with pytest.raises(DataError, match=r"column 'tags': expected one value a row, got List.*under lists"):
        count(source, ["tags"])
    with pytest.raises(DataError, match="column 'user': expected a list, got Int64; name it under features"):
        count(source, [], lists=["user"])


@pytest.mark.parametrize("engine", ENGINES)
def test_floats_have_no_keys(engine: str) -> None:
    with pytest.raises(InvalidTypeError, match="feature 'price': expected integers"):
        count(ENGINES[engine](pa.table({"price": [1.5]})), ["price"])


@pytest.mark.parametrize("engine", ENGINES)
def test_keyed_columns_must_be_int64_without_nulls(engine: str) -> None:
    table = pa.table({"a": pa.array([1, None]), "b": pa.array([1, 2], pa.int32()), "c": [["x"], []]})
    source = ENGINES[engine](table)
    with pytest.raises(DataError, match="column 'a': expected int64 keys, got nulls"):
        count(source, ["a"], keyed=True)
    with pytest.raises(InvalidTypeError, match="column 'b': expected int64 keys, got Int32"):
        count(source, ["b"], keyed=True)
    with pytest.raises(InvalidTypeError, match="column 'c': expected int64 keys, got String"):
        count(source, [], lists=["c"], keyed=True)


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
        count("rows.parquet", ["a"])
