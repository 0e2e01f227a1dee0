"""``hybridhash predict``: the probabilities of the model, and columns of the data beside them."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybridhash import load

from .conftest import Run


@pytest.fixture
def expected(model: Path, clicks: Path) -> np.ndarray:
    return load(model).predict(pq.read_table(clicks))


def test_predict_to_standard_output(run: Run, model: Path, clicks: Path, expected: np.ndarray) -> None:
    ended = run("predict", model, clicks)
    lines = ended.out.splitlines()
    assert (ended.code, ended.err, lines[0]) == (0, "", "probability")
    np.testing.assert_array_equal(np.array(lines[1:], dtype=np.float32), expected)


def test_predict_to_files(run: Run, model: Path, clicks: Path, expected: np.ndarray, tmp_path: Path) -> None:
    for name in ("p.csv", "p.parquet"):
        ended = run("predict", model, clicks, clicks, "--out", tmp_path / name)
        assert (ended.code, ended.out) == (0, "")
        assert f"written: {tmp_path / name}, 2,400 rows" in ended.err
    twice = np.concatenate([expected, expected])
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "p.csv", skiprows=1, dtype=np.float32), twice)
    np.testing.assert_array_equal(pq.read_table(tmp_path / "p.parquet")["probability"].to_numpy(), twice)


def test_predict_keeps_columns(
    run: Run, model: Path, clicks: Path, expected: np.ndarray, tmp_path: Path
) -> None:
    """Those of the model and others, a list among them, before the probability and as they are in the data."""
    data = pq.read_table(clicks)
    odd = [None if row % 7 == 0 else f'{row:04d}, "x"' for row in range(data.num_rows)]
    data = data.append_column("order, no", pa.array(odd))
    pq.write_table(data, tmp_path / "odd.parquet")
    names = 'user_id,"order, no",tags,ts'
    ended = run("predict", model, tmp_path / "odd.parquet", "--keep", names, "--out", tmp_path / "p.parquet")
    assert ended.code == 0
    found = pq.read_table(tmp_path / "p.parquet")
    assert found.column_names == ["user_id", "order, no", "tags", "ts", "probability"]
    for name in found.column_names[:-1]:
        assert found[name].to_pylist() == data[name].to_pylist()
    np.testing.assert_array_equal(found["probability"].to_numpy(), expected)

    ended = run("predict", model, tmp_path / "odd.parquet", "--keep", names)
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert [row["order, no"] or None for row in rows] == odd
    assert [row["user_id"] for row in rows] == [str(value) for value in data["user_id"].to_pylist()]
    assert [row["tags"] for row in rows] == [
        "|".join(map(str, value)) if value else "" for value in data["tags"].to_pylist()
    ]
    assert [np.float32(row["probability"]) for row in rows] == expected.tolist()


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ("user", "did you mean 'user_id'?"),
        ("user_id,user_id", "expected different columns"),
        ("probability", "none of them named 'probability'"),
    ],
)
def test_columns_that_cannot_be_kept(run: Run, model: Path, clicks: Path, keep: str, message: str) -> None:
    ended = run("predict", model, clicks, "--keep", keep)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err


def test_csv_refuses_structs(run: Run, model: Path, clicks: Path, tmp_path: Path) -> None:
    data = pq.read_table(clicks)
    place = pa.array([{"x": 1}] * data.num_rows)
    pq.write_table(data.append_column("place", place), tmp_path / "struct.parquet")
    ended = run("predict", model, tmp_path / "struct.parquet", "--keep", "place")
    assert (ended.code, ended.out) == (2, "")
    assert "--keep place: expected values that CSV can hold, got struct<x: int64>" in ended.err


def test_predictions_that_cannot_be_written(
    run: Callable[..., Any], model: Path, clicks: Path, tmp_path: Path
) -> None:
    for out in ("p.txt", "absent/p.csv"):
        ended = run("predict", model, clicks, "--out", tmp_path / out)
        assert (ended.code, out in ended.error) == (2, True)
    (tmp_path / "p.csv").mkdir()
    assert run("predict", model, clicks, "--out", tmp_path / "p.csv").code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]
