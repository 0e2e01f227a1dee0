"""Columns read as their types, from files that other programs wrote; the other programs say what is right."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybridhash.data import (
    Columns,
    Dataset,
    Feature,
    Label,
    Schema,
    Split,
    encode_columns,
    open_source,
    read_chunks,
)
from hybridhash.data.discretiser import Discretiser
from hybridhash.errors import DataError
from hybridhash.hashing import hash_keys, null_key

Write = Callable[..., Path]
Load = Callable[..., Dataset]
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write columns to a Parquet file."""

    def save(name: str = "a.parquet", **columns: Any) -> Path:
        pq.write_table(pa.table(columns), tmp_path / name)
        return tmp_path / name

    return save


def keys_of(path: Path, *features: Feature) -> list[list[int]]:
    """Return the keys of features as `predict` reads them."""
    schema = Schema(features)
    [rows] = read_chunks(open_source(path), schema)
    discretiser = Discretiser({item.name: np.array([1.0]) for item in schema.of_kind("numeric")})
    return [bags.keys.tolist() for bags in encode_columns(rows.columns, schema, discretiser)]


@pytest.mark.parametrize("dtype", [pa.float32(), pa.float16(), pa.float64(), pa.decimal128(6, 2)])
@pytest.mark.parametrize(
    "label", ["score>=0.7", "score>0.7", "score==0.7", "score!=0.7", "score<0.1", "score<=0.1"]
)
def test_a_label_compares_in_the_precision_of_its_column(
    save: Save, load: Load, dtype: Any, label: str
) -> None:
    tenths = np.tile(np.arange(11), 6)
    numbers = tenths / 10
    if pa.types.is_decimal(dtype):
        numbers = [Decimal(int(tenth)) / 10 for tenth in tenths]
    path = save(score=pa.array(numbers, dtype), a=["x"] * tenths.size)
    data = load(path, columns=Columns(Label.parse(label), ("a",)), split=Split("random", 0.5))
    threshold = 7 if "0.7" in label else 1
    sign = label.removeprefix("score").removesuffix("0.7").removesuffix("0.1")
    compare = {">=": np.greater_equal, ">": np.greater, "==": np.equal, "!=": np.not_equal, "<": np.less}
    assert data.rows.labels.tolist() == compare.get(sign, np.less_equal)(tenths, threshold).tolist()


def test_integers_beyond_the_floats_are_compared_exactly(save: Save, load: Load, write: Write) -> None:
    ids = [2**53, 2**53 + 1] * 10
    paths = save(score=ids, a=["x"] * 20), write(["score,a", *(f"{number},x" for number in ids)])
    for path in paths:
        data = load(
            path, columns=Columns(Label.parse(f"score>={2**53 + 1}"), ("a",)), split=Split("random", 0.5)
        )
        assert data.rows.labels.tolist() == [0, 1] * 10


@pytest.mark.parametrize("dtype", [pa.float32(), pa.float16(), pa.float64(), pa.decimal128(6, 2)])
def test_a_split_compares_in_the_precision_of_its_column(save: Save, load: Load, dtype: Any) -> None:
    folds = [Decimal(row % 4) / 10 if pa.types.is_decimal(dtype) else row % 4 / 10 for row in range(40)]
    path = save(fold=pa.array(folds, dtype), a=["x"] * 40, y=[0, 0, 0, 0, 1, 1, 1, 1] * 5)
    split = Split.parse("column:fold=0.1", "column:fold=0.3")
    data = load(path, columns=Columns(Label("y"), ("a",)), split=split)
    assert data.rows.part.tolist() == [0, 2, 0, 1] * 10


def test_a_split_by_a_date_compares_text(save: Save, load: Load) -> None:
    days = pl.Series(["2024-01-01", "2024-01-02"] * 10).str.to_date().to_arrow()
    path = save(day=days, a=["x"] * 20, y=[0, 0, 1, 1] * 5)
    data = load(path, columns=Columns(Label("y"), ("a",)), split=Split.parse("column:day=2024-01-02"))
    assert (data.rows.part == 2).tolist() == [False, True] * 10
    with pytest.raises(DataError, match="check the column's values"):
        load(path, columns=Columns(Label("y"), ("a",)), split=Split.parse("column:day=5"))


IDS = [0, 7, 2**63 - 1, 2**63, 2**64 - 1, None]


@pytest.mark.parametrize("dtype", ["int", "string"])
def test_unsigned_ids_have_one_key_in_every_file(save: Save, write: Write, dtype: Any) -> None:
    paths = [
        save("unsigned.parquet", id=pa.array(IDS, pa.uint64())),
        save("decimal.parquet", id=pa.array([item and Decimal(item) for item in IDS], pa.decimal128(38, 0))),
        save("text.parquet", id=[item if item is None else str(item) for item in IDS]),
        write(["id,b", *(f"{'' if item is None else item},1" for item in IDS)]),
    ]
    expected = hash_keys(
        IDS if dtype == "int" else [item if item is None else str(item) for item in IDS], "id"
    )
    for path in paths:
        assert keys_of(path, Feature("id", "categorical", dtype)) == [expected.tolist()], path


def test_lists_of_integers_have_one_key_in_every_file(save: Save, write: Write) -> None:
    lists = [[7, 2**63 + 1], [0, 1]]
    decimals = [[Decimal(item) for item in items] for items in lists]
    paths = [
        save("lists.parquet", ids=pa.array(lists, pa.list_(pa.uint64()))),
        save("large.parquet", ids=pa.array(lists, pa.large_list(pa.uint64()))),
        save("fixed.parquet", ids=pa.array(lists, pa.list_(pa.uint64(), 2))),
        save("decimals.parquet", ids=pa.array(decimals, pa.list_(pa.decimal128(20, 0)))),
        write(["ids,b", *("|".join(map(str, items)) + ",1" for items in lists)]),
    ]
    expected = hash_keys([item for items in lists for item in items], "ids").tolist()
    for path in paths:
        assert keys_of(path, Feature("ids", "list", "int")) == [expected], path


@pytest.mark.parametrize("text", ["007", "+7", " 7", "7.0", "-0", str(2**64), "x"])
def test_text_that_is_no_integer_is_refused_by_row(write: Write, text: str) -> None:
    with pytest.raises(DataError, match=r"row 2, column 'id': expected the decimal form .*Correct the row$"):
        keys_of(write(["id,b", "7,1", f"{text},1"]), Feature("id", "categorical", "int"))


def test_booleans_are_integers_in_every_file(save: Save, write: Write) -> None:
    expected = [hash_keys([1, 0, None], "vip").tolist()]
    for path in (save(vip=[True, False, None]), write(["vip,b", "True,1", "false,1", ",1"])):
        assert keys_of(path, Feature("vip", "categorical", "int")) == expected
    with pytest.raises(DataError, match="'vip': expected text, got BOOLEAN; cast booleans to the text"):
        keys_of(save(vip=[True]), Feature("vip", "categorical", "string"))


def test_a_column_of_nulls_goes_with_every_kind(save: Save) -> None:
    path = save(
        id=pa.nulls(2), site=pa.nulls(2), price=pa.nulls(2), tags=pa.nulls(2), seen=pa.array([[], [None]])
    )
    features = [
        Feature("id", "categorical", "int"),
        Feature("site", "categorical", "string"),
        Feature("price", "numeric", "float"),
        Feature("tags", "list", "int"),
        Feature("seen", "list", "string"),
    ]
    found = keys_of(path, *features[:2], features[2], *features[3:])
    assert found[0] == [null_key("id")] * 2
    assert found[1] == [null_key("site")] * 2
    assert found[2] == keys_of(save(price=pa.array([None, None], pa.float64())), features[2])[0]
    assert found[3] == [null_key("tags")] * 2
    assert found[4] == [null_key("seen")]


def test_one_can_learn_from_columns_of_nulls(save: Save, load: Load) -> None:
    path = save(id=pa.nulls(20), price=pa.nulls(20), tags=pa.nulls(20), y=[0, 1] * 10)
    data = load(path, columns=Columns(Label("y"), ("id",), ("price",), ("tags",)), split=Split("random", 0.5))
    assert [feature.dtype for feature in data.schema.features] == ["string", "float", "string"]
    assert np.unique(data.rows.singles, axis=0).shape == (1, 2)


@pytest.mark.parametrize(
    ("column", "kind", "message"),
    [
        (
            pa.array([1.5]),
            "categorical",
            "expected strings or integers, got DOUBLE; declare it as numeric, or cast ids",
        ),
        (pa.array([Decimal("1.5")]), "categorical", r"got DECIMAL\(2,1\); declare it as numeric"),
        (pa.array([[1]]), "categorical", r"expected one id a row, got BIGINT\[\]; declare it as a list"),
        (pa.array([[[1]]]), "list", r"expected strings or integers, got BIGINT\[\]\[\]; cast it"),
        (
            pa.array([1]),
            "list",
            "expected lists or text with a separator, got BIGINT; declare it as categorical",
        ),
        (pa.array(["a"], pa.binary()), "categorical", "got BLOB; cast it to text"),
        (pa.array([[1]]), "numeric", r"expected numbers, got BIGINT\[\]; cast it"),
    ],
)
def test_types_that_cannot_be_used(save: Save, column: Any, kind: Any, message: str) -> None:
    dtype = "float" if kind == "numeric" else "int"
    with pytest.raises(DataError, match=message):
        keys_of(save(a=column), Feature("a", kind, dtype))


def test_values_in_quotes_are_refused_where_the_quote_is_a_guess(write: Write, load: Load) -> None:
    lines = ["u\tt\ty", *(f"{row % 3}\tx\t{row % 2}" for row in range(20_000)), '1\t"x"\t0', '1\t"\t0']
    path, columns = write(lines, "a.tsv"), Columns(Label("y"), ("u", "t"))
    with pytest.raises(
        DataError, match=r"row 20001, column 't': expected a value without quotes.*--quote none.*--quote"
    ):
        load(path, columns=columns)
    unused = load(path, columns=Columns(Label("y"), ("u",)))
    assert unused.num_rows == 20_002
