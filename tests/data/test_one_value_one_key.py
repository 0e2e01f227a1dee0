"""The same rows have the same keys in every container, in memory and as they come back from a file of that container.

The expectation is always the list of rows with ``None`` for what is missing.
"""

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from hybridhash.data import (
    Batch,
    Discretiser,
    Feature,
    Schema,
    encode_batch,
    open_source,
    read_chunks,
)
from hybridhash.data.encode_native import ValueEncoder

Encode = Callable[[Any], Batch]

COLUMNS: dict[str, list[Any]] = {
    "user": [7, None, -(2**63), 0, 2**40],
    "large": [2**63, 2**64 - 1, None, 1, 0],
    "site": ["news", "", None, "東京", "7"],
    "vip": [True, None, False, True, True],
    "price": [0.5, None, -0.0, 3.0, 99.5],
    "age": [30, 31, None, 2**53 + 1, 0],
    "nothing": [None] * 5,
    "no_price": [None] * 5,
    "tags": [["a", "b"], None, [], ["ß"], ["a"]],
    "seen": [[1, 2], [3], None, [], [2**40]],
}
SCHEMA = Schema(
    (
        Feature("user", "categorical", "int"),
        Feature("large", "categorical", "int"),
        Feature("site", "categorical", "string"),
        Feature("vip", "categorical", "int"),
        Feature("price", "numeric", "float"),
        Feature("age", "numeric", "float"),
        Feature("nothing", "categorical", "string"),
        Feature("no_price", "numeric", "float"),
        Feature("tags", "list", "string"),
        Feature("seen", "list", "int"),
        Feature("user*price", "cross", "key", ("user", "price")),
    ),
    seed=3,
)
DISCRETISER = Discretiser(
    {"price": np.array([0.0, 1.0, 50.0]), "age": np.array([29.0, 30.0]), "no_price": np.array([1.0])}
)
NAN = float("nan")


def rows_of(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def pandas_frame(**dtypes: Any) -> pd.DataFrame:
    """A frame of columns of the dtypes that are named; the others are objects."""
    return pd.DataFrame(
        {name: pd.Series(values, dtype=dtypes.get(name, object)) for name, values in COLUMNS.items()}
    )


def nullable() -> pd.DataFrame:
    return pandas_frame(
        user="Int64",
        large="UInt64",
        site="string",
        vip="boolean",
        price="Float64",
        age="Int64",
        nothing="string",
    )


def with_arrow() -> pd.DataFrame:
    ids, texts = pd.ArrowDtype(pa.list_(pa.int64())), pd.ArrowDtype(pa.list_(pa.string()))
    return pandas_frame(
        user="int64[pyarrow]", large="uint64[pyarrow]", site="string[pyarrow]", vip="bool[pyarrow]",
        price="double[pyarrow]", age="int64[pyarrow]", nothing="null[pyarrow]", no_price="double[pyarrow]",
        tags=texts, seen=ids,
    )  # fmt: skip


def categories() -> pd.DataFrame:
    frame = nullable()
    single = [name for name in COLUMNS if name not in ("tags", "seen")]
    return frame.assign(**{name: frame[name].astype("category") for name in single})


def numpy_dtypes() -> pd.DataFrame:
    """What pandas makes of numbers without being told, NaN for what is missing."""
    return pandas_frame(large="UInt64", price=float, age=float, no_price=float, site="str")


def arrow_table() -> pa.Table:
    types = {"large": pa.uint64(), "nothing": pa.null(), "no_price": pa.null()}
    return pa.table({name: pa.array(values, types.get(name)) for name, values in COLUMNS.items()})


def polars_frame() -> pl.DataFrame:
    return pl.DataFrame(COLUMNS, schema_overrides={"large": pl.UInt64}, strict=False)


def with_nan(frame: pl.DataFrame) -> pl.DataFrame:
    """What another program computes where a number is missing."""
    return frame.with_columns(pl.col("price").fill_null(NAN), pl.lit(NAN).alias("no_price"))


def arrays() -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: np.array([*values, None], dtype=object)[:-1] for name, values in COLUMNS.items()
    }
    columns["price"] = np.array([NAN if value is None else value for value in COLUMNS["price"]])
    columns["no_price"] = torch.full((5,), NAN)
    columns["user"] = np.ma.array([value or 0 for value in COLUMNS["user"]], mask=[0, 1, 0, 0, 0])
    return columns


IN_MEMORY: dict[str, Callable[[], Any]] = {
    "mappings, None": lambda: rows_of(COLUMNS),
    "mappings, NaN": lambda: [
        {name: NAN if value is None else value for name, value in row.items()} for row in rows_of(COLUMNS)
    ],
    "mappings, NA": lambda: [
        {name: pd.NA if value is None else value for name, value in row.items()} for row in rows_of(COLUMNS)
    ],
    "lists": lambda: COLUMNS,
    "arrays": arrays,
    "pandas objects": pandas_frame,
    "pandas numpy dtypes": numpy_dtypes,
    "pandas nullable": nullable,
    "pandas Arrow": with_arrow,
    "pandas categories": categories,
    "records of pandas numpy dtypes": lambda: numpy_dtypes().to_dict("records"),
    "records of pandas nullable": lambda: nullable().to_dict("records"),
    "columns of pandas": lambda: nullable().to_dict("series"),
    "Arrow": arrow_table,
    "Arrow record batch": lambda: arrow_table().to_batches()[0],
    "Arrow in chunks": lambda: pa.concat_tables([arrow_table()[:2], arrow_table()[2:]]),
    "Arrow of pandas": lambda: pa.Table.from_pandas(nullable()),
    "Polars": polars_frame,
    "Polars, NaN": lambda: with_nan(polars_frame()),
    "Polars lazily": lambda: polars_frame().lazy(),
    "Polars categories": lambda: polars_frame().cast({"site": pl.Categorical}),
    "records of Polars": lambda: polars_frame().to_dicts(),
    "records of Polars, NaN": lambda: with_nan(polars_frame()).to_dicts(),
}


@pytest.fixture(scope="module")
def expected() -> Batch:
    return encode_batch(rows_of(COLUMNS), SCHEMA, DISCRETISER)


@pytest.fixture(scope="module", params=["definition", "compiled"])
def encode(request: pytest.FixtureRequest) -> Encode:
    """Both forms of the way from rows to keys."""
    if request.param == "compiled":
        return ValueEncoder(SCHEMA, DISCRETISER).encode
    return lambda rows: encode_batch(rows, SCHEMA, DISCRETISER)


@pytest.mark.parametrize("container", IN_MEMORY)
def test_in_memory(container: str, encode: Encode, expected: Batch) -> None:
    found = encode(IN_MEMORY[container]())
    np.testing.assert_array_equal(found.offsets, expected.offsets)
    np.testing.assert_array_equal(found.keys, expected.keys)


@pytest.mark.parametrize("container", IN_MEMORY)
def test_one_row_at_a_time(container: str, encode: Encode, expected: Batch) -> None:
    """As slices of the container, which end in the middle of it."""
    whole = IN_MEMORY[container]()
    if isinstance(whole, dict):
        pieces = [{name: values[row : row + 1] for name, values in whole.items()} for row in range(5)]
    else:
        pieces = [
            whole.slice(row, 1) if hasattr(whole, "slice") else whole[row : row + 1] for row in range(5)
        ]
    batches = [encode(piece) for piece in pieces]
    for feature in range(len(SCHEMA.features)):
        found = [key for b in batches for key in b.keys[b.offsets[feature] : b.offsets[feature + 1]].tolist()]
        first, last = expected.offsets[feature * 5], expected.offsets[(feature + 1) * 5]
        assert found == expected.keys[first:last].tolist(), SCHEMA.names[feature]


FRAMES = pytest.mark.parametrize(
    "frame",
    [numpy_dtypes, nullable, with_arrow, polars_frame, lambda: with_nan(polars_frame()), arrow_table],
    ids=["pandas numpy dtypes", "pandas nullable", "pandas Arrow", "Polars", "Polars, NaN", "Arrow"],
)


@FRAMES
def test_read_back_from_parquet(frame: Any, encode: Encode, expected: Batch, tmp_path: Path) -> None:
    path, rows = tmp_path / "f.parquet", frame()
    if isinstance(rows, pd.DataFrame):
        rows = pa.Table.from_pandas(rows)  # as to_parquet does
    if isinstance(rows, pl.DataFrame):
        rows.write_parquet(path)
    else:
        pq.write_table(rows.replace_schema_metadata(), path)
    for read in (
        pq.read_table(path),
        pl.read_parquet(path),
        pd.read_parquet(path, dtype_backend="numpy_nullable"),
        pd.read_parquet(path, dtype_backend="pyarrow"),
    ):
        found = encode(read)
        np.testing.assert_array_equal(found.keys, expected.keys)
    assert_read_by_commands(path, expected)


def assert_read_by_commands(path: Path, expected: Any, **options: Any) -> None:
    """Read a file as `predict` and `evaluate` do."""
    [rows] = read_chunks(open_source(path, **options), SCHEMA)
    found = encode_batch(rows.columns, SCHEMA, DISCRETISER)
    np.testing.assert_array_equal(found.offsets, expected.offsets)
    np.testing.assert_array_equal(found.keys, expected.keys)


IN_TEXT = {
    **COLUMNS,
    "site": ["news", 'say ""hi""\t,\n"', None, "東京", "7"],  # text has no empty value but null
    "tags": [["a", "b"], None, ["é", None, '"'], ["ß"], ["a"]],  # and no empty list
    "seen": [[1, 2], [3], None, [2**63], [2**40]],
}


def texts() -> dict[str, list[Any]]:
    def joined(items: list[Any] | None) -> str | None:
        return None if items is None else "|".join("" if item is None else str(item) for item in items)

    return {**IN_TEXT, **{name: [joined(items) for items in IN_TEXT[name]] for name in ("tags", "seen")}}


def by_csv(delimiter: str) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(COLUMNS), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows_of(texts()))
    return file.getvalue().encode()


def by_pandas(delimiter: str) -> bytes:
    frame = pd.DataFrame(texts(), dtype=object)
    frame["price"] = frame["price"].astype(float)
    return frame.to_csv(index=False, sep=delimiter).encode()


def by_polars(delimiter: str) -> bytes:
    frame = pl.DataFrame(texts(), schema_overrides={"large": pl.UInt64}, strict=False)
    return frame.write_csv(separator=delimiter).encode()


@pytest.mark.parametrize("write", [by_csv, by_pandas, by_polars])
@pytest.mark.parametrize("name", ["f.csv", "f.tsv", "f.csv.gz", "f.txt"])
def test_read_from_text(write: Any, name: str, tmp_path: Path) -> None:
    content = write({"f.tsv": "\t", "f.txt": ";"}.get(name, ","))
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert_read_by_commands(path, encode_batch(rows_of(IN_TEXT), SCHEMA, DISCRETISER))
