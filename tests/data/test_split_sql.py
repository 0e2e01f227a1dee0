"""Parts as columns give them, against a loop over rows."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from hybridhash.data import Columns, Dataset, Label, Split
from hybridhash.errors import DataError

Write = Callable[..., Path]
Load = Callable[..., Dataset]


@pytest.mark.parametrize("extension", ["csv", "parquet"])
@pytest.mark.parametrize("other", ["fold", "part"])
def test_rows_of_a_named_validation(load: Load, tmp_path: Path, extension: str, other: str) -> None:
    folds = [1, 2, 3, 4, 5] * 8
    # In the second column 4 stands for every other row, and for nothing in some: the test is the test all the same.
    parts = [(4 if row % 2 else 1) if row % 7 else None for row in range(40)]
    table = pa.table({"fold": folds, "part": parts, "a": ["x"] * 40, "y": [0, 0, 1, 1] * 10})
    path = tmp_path / f"rows.{extension}"
    pq.write_table(table, path) if extension == "parquet" else csv.write_csv(table, path)
    split = Split.parse("column:fold=5", f"column:{other}=4")
    data = load(path, columns=Columns(Label("y"), ("a",)), split=split)
    named = folds if other == "fold" else parts
    wanted = [2 if fold == 5 else int(value == 4) for fold, value in zip(folds, named, strict=True)]
    assert data.rows.part.tolist() == wanted


def test_the_column_of_a_validation_is_named_when_missing(
    load: Load, write: Write, clicks: list[str]
) -> None:
    with pytest.raises(DataError, match=r"expected a column 'sitee'.*did you mean 'site'"):
        load(write(clicks), split=Split.parse("column:user_id=001", "column:sitee=s1"))
