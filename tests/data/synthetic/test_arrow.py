import sys

import numpy as np
import pyarrow as pa
import pytest

from hybridhash.data.synthetic.arrow import stream_batch, stream_schema
from hybridhash.data.synthetic.rows import NULL_ID, DrawnLists, DrawnNumbers, DrawnRows
from hybridhash.data.synthetic.settings import StreamCategorical, StreamList, StreamNumeric, StreamSettings
from hybridhash.errors import MissingDependencyError

SETTINGS = StreamSettings(
    num_rows=3,
    duration_s=3,
    categorical=(StreamCategorical("user", 9, 1.0, 1.0), StreamCategorical("site", 9, 1.0, 1.0, text=True)),
    numeric=(StreamNumeric("price", 1.0, 1.0, 1.0),),
    lists=(StreamList("tags", 9, 1.0, 1.0), StreamList("words", 9, 1.0, 1.0, text=True)),
)


def words(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint64)


def test_a_batch_holds_what_was_drawn() -> None:
    drawn = DrawnRows(
        times_s=np.array([7, 8, 8]),
        ids={"user": words(5, NULL_ID, 2**53 - 1), "site": words(0, NULL_ID, 2**40 - 1)},
        numbers={
            "price": DrawnNumbers(
                values=np.array([1.5, 2.5, 3.5]),
                quantiles=np.array([0.1, 0.2, 0.3]),
                is_null=np.array([False, True, False]),
                is_nan=np.array([False, False, True]),
            )
        },
        lists={
            "tags": DrawnLists(words(1, 2, 3), np.array([2, 0, 1])),
            "words": DrawnLists(words(1, 32), np.array([0, 2, 0])),
        },
    )
    batch = stream_batch(SETTINGS, drawn, np.array([0, 1, 0], dtype=np.int8), np.array([0.25, 0.5, 0.75]))
    batch.validate(full=True)
    assert batch.schema == stream_schema(SETTINGS)
    assert batch["ts"].to_pylist() == [7, 8, 8]
    assert batch["user"].to_pylist() == [5, None, 2**53 - 1]
    assert batch["site"].to_pylist() == ["00000000", None, "zzzzzzzz"]
    assert batch["price"].is_null().to_pylist() == [False, True, False]
    assert batch["price"].is_null(nan_is_null=True).to_pylist() == [False, True, True]
    assert batch["price"][0].as_py() == 1.5
    assert batch["tags"].to_pylist() == [[1, 2], [], [3]]
    assert batch["words"].to_pylist() == [[], ["00000001", "00000010"], []]
    assert batch["clicked"].to_pylist() == [0, 1, 0]
    assert batch["probability"].to_pylist() == [0.25, 0.5, 0.75]


def test_the_schema_names_every_column_and_its_type() -> None:
    assert stream_schema(SETTINGS) == pa.schema(
        {
            "ts": pa.int64(),
            "user": pa.int64(),
            "site": pa.string(),
            "price": pa.float64(),
            "tags": pa.list_(pa.int64()),
            "words": pa.list_(pa.string()),
            "clicked": pa.int8(),
            "probability": pa.float64(),
        }
    )


def test_missing_pyarrow_is_named_by_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'hybridhash\[cli\]'"):
        stream_schema(SETTINGS)
