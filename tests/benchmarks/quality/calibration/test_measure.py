"""What is measured on the tiny stream, against counting by hand."""

from collections import Counter

import numpy as np
import pytest
from benchmarks.quality.calibration.full_table import FullTable

from benchmarks.quality.calibration import measure
from hybridhash.data import TRAIN, VALIDATION, KeyedRows
from hybridhash.trials.settings import FitSettings


@pytest.fixture(scope="module")
def full(tiny: tuple[KeyedRows, FitSettings]) -> FullTable:
    return FullTable(*tiny, seed=0)


def occurrences(rows: KeyedRows, part: int, feature: str) -> Counter[int]:
    return Counter(np.concatenate(list(rows.keys_of(feature, part))).tolist())


def test_bands_of_one_count(
    full: FullTable, tiny: tuple[KeyedRows, FitSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "_FEWEST_KEYS", 1)
    monkeypatch.setattr(measure, "_FEWEST_READS", 1)
    rows = tiny[0]
    found = {(row["feature"], row["count"]): row for row in measure.bands(full)}
    trained, came = (occurrences(rows, part, "user_id") for part in (TRAIN, VALIDATION))
    once = [key for key, count in trained.items() if count == 1]
    row = found["user_id", 1.0]
    reads = sum(came[key] for key in once)
    assert row["keys"] == len(once)
    assert row["reads"] == pytest.approx(reads / rows.indices(VALIDATION).size)
    assert row["came"] == pytest.approx(
        reads / len(once) * rows.indices(TRAIN).size / rows.indices(VALIDATION).size
    )
    assert row["loss"] == full.without(np.isin(full.keys, once))


def test_reads_of_new_keys(full: FullTable, tiny: tuple[KeyedRows, FitSettings]) -> None:
    rows = tiny[0]
    names = rows.schema.names
    trained, came = ({name: occurrences(rows, part, name) for name in names} for part in (TRAIN, VALIDATION))
    new = sum(count for name in names for key, count in came[name].items() if key not in trained[name])
    row = measure.unseen(full)
    assert row["came"] == pytest.approx(new / sum(of.total() for of in came.values()))
    once = sum(count == 1 for of in trained.values() for count in of.values())
    assert row["expected"] == pytest.approx(once / sum(of.total() for of in trained.values()))


def test_rounding_and_coding_are_shares_of_leaving_out(full: FullTable) -> None:
    assert [row["bits"] for row in measure.rounding(full)] == list(measure.BITS)
    rows = list(measure.coding(full))
    assert [(row["head"], row["code_bits"]) for row in rows] == [
        (head, bits) for head in measure.HEADS for bits in measure.CODE_BITS
    ]
    for row in rows:
        gone = np.arange(full.keys.size) >= int(row["head"] * full.keys.size)
        assert row["omitted"] == full.without(gone)


def test_what_lies_in_one_direction(full: FullTable) -> None:
    rows = {row["feature"]: row["share"] for row in measure.directions(full)}
    metrics = full.sensitivity().metrics
    for name, metric in zip(full.counts.feature_names, metrics, strict=True):
        strongest = np.linalg.svd(metric, compute_uv=False)
        assert rows[name] == pytest.approx(strongest[0] / strongest.sum(), rel=1e-6)


def test_a_row_for_every_key_shares_nothing(full: FullTable) -> None:
    weights = np.ones(full.keys.size - 5)
    shared = measure._shared(full, 5, 1 << 16, weights, full.sensitivity())
    for mine, theirs in zip(full.tables, shared, strict=True):
        np.testing.assert_allclose(theirs, mine, rtol=1e-6)


def test_each_key_is_heard_as_its_feature_is(full: FullTable, tiny: tuple[KeyedRows, FitSettings]) -> None:
    rows, settings = tiny
    sensitivity = full.sensitivity()
    width = settings.dim + 1
    assert sensitivity.metrics.shape == (len(rows.schema.names), width, width)
    users = np.isin(full.keys, list(occurrences(rows, TRAIN, "user_id")))
    assert set(sensitivity.groups[users].tolist()) == {rows.schema.names.index("user_id")}
