import copy
import json
import pickle
import re
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from hybridhash import load
from hybridhash.data import Discretiser, Feature, Schema, encode_batch
from hybridhash.errors import DataError, FileAccessError, FileFormatError, InvalidTypeError
from hybridhash.export import save_bundle
from hybridhash.export.array_names import FORMAT, VERSION
from hybridhash.files import read_checked, write_checked
from hybridhash.hashing import HASH_FAMILY
from hybridhash.models import build_model
from hybridhash.spec import GroupSpec, Ledger, ModelSpec, TableSpec
from hybridhash.tables import Blueprint
from hybridhash.vocabulary import Vocabulary

# Nothing but numpy and safetensors may be needed: importing any of these fails.
SERVE = """
import json, sys
for name in ("torch", "torchmetrics", "pyarrow", "duckdb", "polars", "pandas", "narwhals", "pydantic", "rich"):
    sys.modules[name] = None
import numpy as np
import hybridhash as hh
request = json.load(sys.stdin)
found = {name: hh.load(path).predict(request["rows"]) for name, path in request["paths"].items()}
np.savez(sys.argv[1], **found)
"""


def rows_of(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


@pytest.fixture(scope="session")
def served(exported: Any, unlike_training: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The predictions of all bundles by a fresh process that has no torch."""
    out = tmp_path_factory.mktemp("served") / "predictions.npz"
    paths = {name: str(item.path) for name, item in exported.items()}
    request = json.dumps({"paths": paths, "rows": rows_of(unlike_training)})
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(out)], input=request, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return np.load(out)


def test_a_process_without_torch_predicts_what_torch_predicts(
    served: Any, exported: Any, unlike_training: Any
) -> None:
    assert len(served.files) == len(exported) == 8 * 2 * 2 * 2
    for name, item in exported.items():
        expected = item.torch_predictions(unlike_training)
        assert served[name].dtype == np.float32
        assert np.ptp(expected) > 0.05, "the rows must differ for this to say anything"
        np.testing.assert_allclose(served[name], expected, rtol=0, atol=1e-6, err_msg=name)


def test_one_row_at_a_time_predicts_the_same(one: Any, unlike_training: Any) -> None:
    predictor = load(one.path)
    together = predictor.predict(unlike_training)
    single = np.concatenate([predictor.predict([row]) for row in rows_of(unlike_training)])
    np.testing.assert_allclose(single, together, rtol=0, atol=1e-6)


def numpy_columns(columns: dict[str, list[Any]]) -> dict[str, Any]:
    return {name: np.array([*values, None], dtype=object)[:-1] for name, values in columns.items()}


def arrow_table(columns: dict[str, list[Any]]) -> pa.Table:
    # Arrow tells NaN from null; from_pandas=False keeps both.
    return pa.table({name: pa.array(values, from_pandas=False) for name, values in columns.items()})


@pytest.mark.parametrize(
    "container",
    [
        pytest.param(rows_of, id="list of mappings"),
        pytest.param(lambda columns: tuple(rows_of(columns)), id="tuple of mappings"),
        pytest.param(numpy_columns, id="mapping of numpy arrays"),
        pytest.param(arrow_table, id="Arrow table"),
        pytest.param(lambda columns: arrow_table(columns).to_batches()[0], id="Arrow record batch"),
        pytest.param(
            lambda columns: pa.concat_tables(
                [arrow_table(columns).slice(0, 7), arrow_table(columns).slice(7)]
            ),
            id="chunked Arrow table",
        ),
        pytest.param(lambda columns: pl.DataFrame(columns, strict=False, nan_to_null=False), id="Polars"),
        pytest.param(lambda columns: pl.LazyFrame(columns, strict=False), id="lazy Polars"),
        pytest.param(lambda columns: pd.DataFrame(columns, dtype=object), id="pandas"),
    ],
)
def test_takes_rows_in_any_container(one: Any, unlike_training: Any, container: Any) -> None:
    predictor = load(one.path)
    np.testing.assert_array_equal(
        predictor.predict(container(unlike_training)), predictor.predict(unlike_training)
    )


def test_columns_that_are_no_feature_are_not_read(one: Any, unlike_training: Any) -> None:
    predictor = load(one.path)
    more = {**unlike_training, "clicked": ["?"] * len(unlike_training["user"])}
    np.testing.assert_array_equal(predictor.predict(more), predictor.predict(unlike_training))


def test_a_row_without_a_feature_is_named(one: Any) -> None:
    row = {"user": 1, "site": None, "price": None, "tags": ["a"], "seen": [1]}
    misspelt = {"user": 1, "siet": "news", "price": 1.0, "tags": ["a"], "seen": [1]}
    with pytest.raises(DataError, match=r"row 2: expected a column 'site', .* did you mean 'siet'"):
        load(one.path).predict([row, misspelt])


def test_one_row_is_a_mapping_of_its_values(one: Any, unlike_training: Any) -> None:
    predictor = load(one.path)
    single = np.concatenate([predictor.predict(row) for row in rows_of(unlike_training)])
    np.testing.assert_array_equal(
        single, np.concatenate([predictor.predict([row]) for row in rows_of(unlike_training)])
    )


def test_threads_share_a_predictor(one: Any, unlike_training: Any) -> None:
    predictor, rows = load(one.path), rows_of(unlike_training)
    expected = [predictor.predict(rows[start:]).tolist() for start in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda start: predictor.predict(rows[start % 8 :]).tolist(), range(200))
    assert list(found) == expected * 25


def test_a_predictor_can_be_pickled(one: Any, unlike_training: Any) -> None:
    again = pickle.loads(pickle.dumps(load(one.path)))
    np.testing.assert_array_equal(again.predict(unlike_training), load(one.path).predict(unlike_training))


def test_one_user_is_scored_with_many_items(one: Any) -> None:
    user = {"user": 7, "price": 0.7, "seen": [3, 4]}
    items: dict[str, list[Any]] = {"site": ["news", None, "shop"], "tags": [["a"], [], None]}
    together = load(one.path).predict({**user, **items})
    expected = load(one.path).predict([{**user, **item} for item in rows_of(items)])
    np.testing.assert_array_equal(together, expected)


@pytest.mark.parametrize("rows", [[], {"user": [], "site": [], "price": [], "tags": [], "seen": []}])
def test_no_rows_give_no_predictions(one: Any, rows: Any) -> None:
    assert load(one.path).predict(rows).shape == (0,)


def test_a_missing_column_is_named(one: Any, unlike_training: Any) -> None:
    without = {name: values for name, values in unlike_training.items() if name != "tags"}
    for rows in (without, rows_of(without)):
        with pytest.raises(DataError, match="expected a column 'tags'"):
            load(one.path).predict(rows)


def test_a_value_of_the_wrong_type_is_named_with_its_row(one: Any, unlike_training: Any) -> None:
    users = list(unlike_training["user"])
    users[4] = "x"
    with pytest.raises(DataError, match="column 'user', row 5"):
        load(one.path).predict({**unlike_training, "user": users})


@pytest.mark.parametrize("rows", [7, [1, 2], "abc", [{"user": 1}, 3]])
def test_refuses_rows_in_another_form(one: Any, rows: Any) -> None:
    with pytest.raises(InvalidTypeError, match="rows: expected columns by name"):
        load(one.path).predict(rows)


def test_predicts_a_batch_of_keys(one: Any, unlike_training: Any) -> None:
    predictor = load(one.path)
    batch = encode_batch(unlike_training, predictor.schema, predictor.discretiser)
    np.testing.assert_array_equal(predictor.predict_batch(batch), predictor.predict(unlike_training))


def test_extreme_logits_do_not_overflow(one: Any, unlike_training: Any, tmp_path: Path) -> None:
    file = read_checked(one.path, FORMAT, VERSION)
    for scale, expected in ((1e30, 1.0), (-1e30, 0.0)):
        tensors = {**file.tensors, "dense.2.bias": np.array([scale], dtype=np.float32)}
        write_checked(tmp_path / "x.hh", tensors, file.metadata, FORMAT, VERSION)
        assert set(load(tmp_path / "x.hh").predict(unlike_training).tolist()) == {expected}


def test_knows_what_it_predicts(exported: Any) -> None:
    predictor = load(exported["double-mlp-joint"].path)
    assert predictor.label == "clicked"
    assert predictor.notes == {"method": "double"}
    assert predictor.schema == exported["double-mlp-joint"].schema
    assert predictor.spec.wide == ()
    assert predictor.discretiser.edges["price"].tolist() == [0.5, 1.0, 2.5, 7.0]


def test_the_ledger_is_the_specs_and_the_file(exported: Any) -> None:
    """Part by part: tables, dictionaries and layers by the spec, four float64 edges, the rest metadata."""
    for name, item in exported.items():
        predictor, size = load(item.path), item.path.stat().st_size
        expected = predictor.spec.ledger() + Ledger(discretiser=4 * 8)
        header = 8 + int.from_bytes(item.path.read_bytes()[:8], "little")
        assert predictor.ledger == expected + Ledger(metadata=header), name
        assert predictor.ledger.total_bytes == size, name


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The content of a bundle of one feature and one layer, small enough to damage everywhere."""
    table = TableSpec(num_head=1, num_buckets=1, dim=1)
    spec = ModelSpec((GroupSpec(("u",), table, "u"),), (), hidden=())
    model = build_model(spec, ("u",), {"u": Blueprint(spec.deep[0].table, Vocabulary(np.array([7])))})
    path = tmp_path_factory.mktemp("tiny") / "tiny.hh"
    schema = Schema((Feature("u", "categorical", "int"),))
    save_bundle(path, model, schema, Discretiser({}), label="y")
    assert load(path).predict({"u": [1, 2]}).shape == (2,)
    return path.read_bytes()


def refused(path: Path, content: bytes) -> bool:
    path.write_bytes(content)
    try:
        load(path)
    except FileFormatError:
        return True
    return False


def test_a_bundle_cut_at_any_length_is_refused(tiny: bytes, one: Any, tmp_path: Path) -> None:
    path = tmp_path / "cut.hh"
    assert [length for length in range(len(tiny)) if not refused(path, tiny[:length])] == []
    content = one.path.read_bytes()
    lengths = [*range(0, len(content), max(len(content) // 60, 1)), len(content) - 1]
    assert [length for length in lengths if not refused(path, content[:length])] == []
    assert refused(path, tiny + b"\0")
    assert not refused(path, tiny)


def test_a_bundle_with_any_byte_flipped_is_refused(tiny: bytes, one: Any, tmp_path: Path) -> None:
    path, random = tmp_path / "flipped.hh", np.random.default_rng(0)
    content = one.path.read_bytes()

    def accepted(whole: bytes, places: Iterable[int]) -> list[tuple[int, int]]:
        found = []
        for place in places:
            bit = 1 << int(random.integers(8))
            flipped = bytearray(whole)
            flipped[place] ^= bit
            if not refused(path, bytes(flipped)):
                found.append((place, bit))
        return found

    assert accepted(tiny, range(len(tiny))) == []
    assert accepted(content, random.integers(0, len(content), 100).tolist()) == []


def rewritten(source: Path, path: Path, **metadata: Any) -> Path:
    file = read_checked(source, FORMAT, VERSION)
    write_checked(path, file.tensors, {**file.metadata, **metadata}, FORMAT, VERSION)
    return path


def test_a_newer_version_is_refused_by_name(one: Any, tmp_path: Path) -> None:
    file = read_checked(one.path, FORMAT, VERSION)
    write_checked(tmp_path / "new.hh", file.tensors, file.metadata, FORMAT, VERSION + 1)
    with pytest.raises(FileFormatError, match=f"version {VERSION} or older, got version {VERSION + 1}"):
        load(tmp_path / "new.hh")


def test_another_hash_family_is_refused(one: Any, tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=re.escape(f"hash family {HASH_FAMILY}, got md5")):
        load(rewritten(one.path, tmp_path / "x.hh", hash_family="md5"))
    with pytest.raises(FileFormatError, match="hash family"):
        load(rewritten(one.path, tmp_path / "x.hh", hash_family=None))


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    write_checked(tmp_path / "v", {}, {}, "hybridhash-vocabulary", 1)
    with pytest.raises(
        FileFormatError, match="expected a hybridhash-bundle file, got a hybridhash-vocabulary"
    ):
        load(tmp_path / "v")
    (tmp_path / "text").write_text("rows and columns, but no bundle")
    with pytest.raises(FileFormatError):
        load(tmp_path / "text")
    with pytest.raises(FileAccessError):
        load(tmp_path / "absent")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda tensors: tensors.pop("deep.0.tail"), id="a table is missing"),
        pytest.param(lambda tensors: tensors.pop("discretiser.price"), id="edges are missing"),
        pytest.param(
            lambda tensors: tensors.update({"deep.0.tail": tensors["deep.0.tail"][1:]}), id="a row is missing"
        ),
        pytest.param(
            lambda tensors: tensors.update({"deep.0.tail": tensors["deep.0.tail"].astype(np.float64)}),
            id="another dtype",
        ),
        pytest.param(lambda tensors: tensors.update(other=np.zeros(1)), id="an unknown tensor"),
    ],
)
def test_parts_that_do_not_fit_are_refused(one: Any, tmp_path: Path, change: Any) -> None:
    file = read_checked(one.path, FORMAT, VERSION)
    tensors = dict(file.tensors)
    change(tensors)
    write_checked(tmp_path / "x.hh", tensors, file.metadata, FORMAT, VERSION)
    with pytest.raises(FileFormatError, match="expected a hybridhash bundle, got one"):
        load(tmp_path / "x.hh")


def test_rows_of_one_bit_are_refused(one: Any, tmp_path: Path) -> None:
    """Earlier versions could write them, and no plan of theirs did."""
    file = read_checked(one.path, FORMAT, VERSION)
    model = copy.deepcopy(file.metadata["model"])
    model["deep"][0]["table"]["tail_bits"] = 1
    write_checked(tmp_path / "x.hh", file.tensors, {**file.metadata, "model": model}, FORMAT, VERSION)
    with pytest.raises(FileFormatError, match=r"tail_bits: expected one of \(2, 3, 4, 8, 32\), got 1"):
        load(tmp_path / "x.hh")


@pytest.mark.parametrize("name", ["model", "schema", "label", "notes"])
def test_missing_metadata_is_refused(one: Any, tmp_path: Path, name: str) -> None:
    file = read_checked(one.path, FORMAT, VERSION)
    metadata = {key: value for key, value in file.metadata.items() if key != name}
    write_checked(tmp_path / "x.hh", file.tensors, metadata, FORMAT, VERSION)
    with pytest.raises(FileFormatError, match="expected a hybridhash bundle, got one"):
        load(tmp_path / "x.hh")
