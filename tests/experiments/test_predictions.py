"""The file of predictions, read again by Python and by pyarrow."""

import csv
import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hybridhash.experiments.predictions import Scores, write_csv, write_parquet

NAMES = ['a, "b"', None, "c"]
TAGS = [["x", "y"], [], None]
PROBABILITIES = np.array([0.1, 1e-9, 0.5], dtype=np.float32)


def chunks() -> Scores:
    """Two rows and one."""
    for part in (slice(0, 2), slice(2, 3)):
        kept: dict[str, Any] = {
            "name": pa.array(NAMES[part], pa.string()),
            "tags": pa.array(TAGS[part], pa.list_(pa.string())),
        }
        yield kept, PROBABILITIES[part]


def test_csv_has_one_header_and_what_python_reads_again() -> None:
    file = io.BytesIO()
    assert write_csv(chunks(), file, "|") == 3
    header, *rows = csv.reader(io.StringIO(file.getvalue().decode()))
    assert header == ["name", "tags", "probability"]
    assert [row[:2] for row in rows] == [['a, "b"', "x|y"], ["", ""], ["c", ""]]
    np.testing.assert_array_equal(np.array([row[2] for row in rows], dtype=np.float32), PROBABILITIES)


def test_parquet_keeps_types_nulls_and_chunks() -> None:
    file = io.BytesIO()
    assert write_parquet(chunks(), file) == 3
    table = pq.read_table(pa.BufferReader(file.getvalue()))
    assert table.to_pydict() == {"name": NAMES, "tags": TAGS, "probability": PROBABILITIES.tolist()}
    assert table.schema.field("probability").type == pa.float32()
