import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from hybridhash import load
from hybridhash.errors import DataError, FileAccessError, FileFormatError, InvalidValueError
from hybridhash.experiments import Silence, evaluate, predict_file


@pytest.fixture(scope="module")
def model(compared: Any) -> Path:
    return compared.out / "hybrid.hh"


@pytest.fixture(scope="module")
def expected(model: Path, clicks: Path) -> np.ndarray:
    return load(model).predict(pq.read_table(clicks))


def test_csv_has_a_line_for_every_row_in_order(
    model: Path, clicks: Path, expected: np.ndarray, tmp_path: Path
) -> None:
    assert predict_file(model, [str(clicks)], tmp_path / "p.csv", Silence()) == 1200
    lines = (tmp_path / "p.csv").read_text().split("\n")
    assert lines[0] == "probability"
    assert lines[-1] == ""
    np.testing.assert_array_equal(np.array(lines[1:-1], dtype=np.float32), expected)


def test_parquet_and_an_open_file(model: Path, clicks: Path, expected: np.ndarray, tmp_path: Path) -> None:
    predict_file(model, [str(clicks), str(clicks)], tmp_path / "p.parquet", Silence())
    table = pq.read_table(tmp_path / "p.parquet")
    assert table.schema == pa.schema([("probability", pa.float32())])
    np.testing.assert_array_equal(table["probability"].to_numpy(), np.concatenate([expected, expected]))
    out = io.BytesIO()
    assert predict_file(model, [str(clicks)], out, Silence()) == 1200
    predict_file(model, [str(clicks)], tmp_path / "p.csv", Silence())
    assert out.getvalue() == (tmp_path / "p.csv").read_bytes()
    assert not out.closed


def test_needs_no_label(model: Path, clicks: Path, expected: np.ndarray, tmp_path: Path) -> None:
    table = pq.read_table(clicks).drop_columns(["clicked", "probability", "ts"])
    pq.write_table(table, tmp_path / "rows.parquet")
    predict_file(model, [str(tmp_path / "rows.parquet")], tmp_path / "p.parquet", Silence())
    np.testing.assert_array_equal(pq.read_table(tmp_path / "p.parquet")["probability"].to_numpy(), expected)


def test_a_bad_row_leaves_no_output(model: Path, clicks: Path, tmp_path: Path) -> None:
    table = pq.read_table(clicks)
    price = table["price"].to_pylist()
    price[700] = float("inf")
    place = table.column_names.index("price")
    pq.write_table(table.set_column(place, "price", [price]), tmp_path / "rows.parquet")
    with pytest.raises(DataError, match="row 701, column 'price'"):
        predict_file(model, [str(tmp_path / "rows.parquet")], tmp_path / "p.csv", Silence())
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def test_refuses_other_names_no_data_and_no_model(model: Path, clicks: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"ends in \.csv or \.parquet, got .*p\.txt"):
        predict_file(model, [str(clicks)], tmp_path / "p.txt", Silence())
    with pytest.raises(InvalidValueError, match="data: expected one or more files, got none"):
        predict_file(model, [], tmp_path / "p.csv", Silence())
    with pytest.raises(FileAccessError):
        predict_file(model, [str(clicks)], tmp_path / "absent" / "p.csv", Silence())
    with pytest.raises(FileFormatError):
        predict_file(clicks, [str(clicks)], tmp_path / "p.csv", Silence())
    assert list(tmp_path.iterdir()) == []


def test_evaluates_as_scikit_learn_does(model: Path, clicks: Path, expected: np.ndarray) -> None:
    labels = pq.read_table(clicks)["clicked"].to_numpy()
    found = evaluate(model, [str(clicks)], Silence())
    assert (found.rows, found.positives, found.label) == (1200, labels.sum(), "clicked")
    assert found.log_loss == pytest.approx(log_loss(labels, expected), rel=1e-6)
    assert found.auc == pytest.approx(roc_auc_score(labels, expected))
    assert found.rce == pytest.approx(100 * (1 - found.normalised_entropy))


def test_evaluates_another_label_and_weights(model: Path, clicks: Path, expected: np.ndarray) -> None:
    table = pq.read_table(clicks)
    likely, weights = table["probability"].to_numpy() >= 0.3, table["probability"].to_numpy()
    found = evaluate(model, [str(clicks)], Silence(), label="probability>=0.3", weight="probability")
    assert found.label == "probability>=0.3"
    assert found.positives == likely.sum()
    assert found.log_loss == pytest.approx(log_loss(likely, expected, sample_weight=weights), rel=1e-5)


def test_refuses_to_evaluate_without_both_labels(model: Path, clicks: Path) -> None:
    with pytest.raises(InvalidValueError, match="label"):
        evaluate(model, [str(clicks)], Silence(), label="probability>=0")


def test_a_refused_file_leaves_an_open_output_empty(model: Path, tmp_path: Path) -> None:
    data = tmp_path / "other.csv"
    data.write_text("a,b\n1,2\n")
    out = io.BytesIO()
    with pytest.raises(DataError):
        predict_file(model, [str(data)], out, Silence())
    assert out.getvalue() == b""
