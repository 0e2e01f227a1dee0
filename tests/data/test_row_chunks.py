from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybridhash.data import Dataset, Feature, Label, Schema, encode_columns, open_source, read_chunks
from hybridhash.errors import DataError

Write = Callable[..., Path]
Load = Callable[..., Dataset]


@pytest.mark.parametrize("batch_rows", [3, 1000])
def test_rows_read_again_have_the_keys_they_were_learned_with(
    write: Write, load: Load, clicks: list[str], batch_rows: int
) -> None:
    path = write(clicks)
    data = load(path)
    keys, labels, next_row = [], [], 0
    for rows in read_chunks(
        open_source(path), data.schema, label=Label("clicked"), weight="price", batch_rows=batch_rows
    ):
        assert rows.first_row == next_row
        next_row += rows.num_rows
        bags = encode_columns(rows.columns, data.schema, data.discretiser)
        keys.append(np.stack([item.keys for item in bags if item.offsets is None], axis=1))
        assert rows.labels is not None
        assert rows.weights is not None
        labels += rows.labels.tolist()
    assert (np.concatenate(keys) == data.rows.singles).all()
    assert labels == data.rows.labels.tolist()
    assert next_row == 20


def test_rows_without_a_label_come_in_their_order(write: Write, load: Load, clicks: list[str]) -> None:
    schema = load(write(clicks)).schema
    path = write([line.rsplit(",", 2)[0] for line in reversed(clicks[1:])], "later.csv")
    path.write_text("user_id,site,price,tags\n" + path.read_text())
    [rows] = read_chunks(open_source(path), schema)
    assert rows.labels is None
    assert rows.columns["price"].to_pylist() == [row / 4 for row in reversed(range(20))]


def test_text_for_an_integer_feature_and_integers_for_a_text_feature(write: Write, tmp_path: Path) -> None:
    schema = Schema((Feature("a", "categorical", "int"), Feature("b", "categorical", "string")))
    [rows] = read_chunks(open_source(write(["a,b", "-5,x", ",y"])), schema)
    assert rows.columns["a"].to_pylist() == [-5, None]
    with pytest.raises(
        DataError, match=r"clicks\.csv, row 2, column 'a': expected the decimal form.*got '05'"
    ):
        list(read_chunks(open_source(write(["a,b", "5,x", "05,y"])), schema))
    pq.write_table(pa.table({"a": [1], "b": [7]}), tmp_path / "a.parquet")
    [rows] = read_chunks(open_source(tmp_path / "a.parquet"), schema)
    from hybridhash.data import Discretiser
    from hybridhash.hashing import hash_keys

    assert encode_columns(rows.columns, schema, Discretiser({}))[1].keys == hash_keys(["7"], "b")


def test_a_bad_row_is_named_in_its_own_file(write: Write, load: Load, clicks: list[str]) -> None:
    schema = load(write(clicks)).schema
    bad = [*clicks[:4], clicks[4].replace(",0.75,", ",inf,"), *clicks[5:]]
    paths = [write(clicks, "a.csv"), write(bad, "b.csv")]
    for batch_rows in (7, 1000):
        with pytest.raises(DataError, match=r"b\.csv, row 4, column 'price': .*got 'inf'"):
            list(read_chunks(open_source(paths), schema, batch_rows=batch_rows))
    with pytest.raises(DataError, match=r"row 1, column 'price': expected 0 or 1|row 2, column 'price'"):
        list(read_chunks(open_source(paths[0]), schema, label=Label("price")))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"1,2", r"late\.csv: line 5: too few fields, expected 6, got 2; correct the line$"),
        (b"1,\xff,2,a,1,0", r"late\.csv: .*UTF-8.* line 5"),
    ],
)
def test_a_malformed_line_is_an_error(
    write: Write, load: Load, clicks: list[str], line: bytes, message: str
) -> None:
    schema = load(write(clicks)).schema
    encoded = [row.encode() for row in clicks]
    path = write(b"\n".join([*encoded[:4], line, *encoded[4:]]) + b"\n", "late.csv")
    with pytest.raises(DataError, match=message):
        list(read_chunks(open_source(path), schema))


def test_columns_and_types_that_do_not_fit(
    write: Write, load: Load, clicks: list[str], tmp_path: Path
) -> None:
    schema = load(write(clicks)).schema
    with pytest.raises(DataError, match="did you mean 'sites'"):
        list(read_chunks(open_source(write(["user_id,sites,price,tags", "1,2,3,4"], "b.csv")), schema))
    table = pa.table({"user_id": [1.5], "site": ["a"], "price": [1], "tags": ["a"]})
    pq.write_table(table, tmp_path / "c.parquet")
    with pytest.raises(DataError, match=r"c\.parquet, column 'user_id': .*numeric"):
        list(read_chunks(open_source(tmp_path / "c.parquet"), schema))
