"""What is measured on the tiny stream, against counting by hand."""

from collections import Counter

import numpy as np
import pytest
from benchmarks.quality.calibration.patient import Patient

from benchmarks.quality.calibration import measure
from hybridhash.data import TRAIN, VALIDATION, KeyedRows
from hybridhash.trials.settings import FitSettings


@pytest.fixture(scope="module")
def patient(tiny: tuple[KeyedRows, FitSettings]) -> Patient:
    return Patient(*tiny, seed=0)


def occurrences(rows: KeyedRows, part: int, feature: str) -> Counter[int]:
    return Counter(np.concatenate(list(rows.keys_of(feature, part))).tolist())


def test_bands_of_one_count(
    patient: Patient, tiny: tuple[KeyedRows, FitSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "_FEWEST_KEYS", 1)
    monkeypatch.setattr(measure, "_FEWEST_READS", 1)
    rows = tiny[0]
    found = {(row["feature"], row["count"]): row for row in measure.bands(patient)}
    trained, came = (occurrences(rows, part, "user_id") for part in (TRAIN, VALIDATION))
    once = [key for key, count in trained.items() if count == 1]
    row = found["user_id", 1.0]
    reads = sum(came[key] for key in once)
    assert row["keys"] == len(once)
    assert row["reads"] == pytest.approx(reads / rows.indices(VALIDATION).size)
    assert row["came"] == pytest.approx(
        reads / len(once) * rows.indices(TRAIN).size / rows.indices(VALIDATION).size
    )
    assert row["loss"] == patient.without(np.isin(patient.keys, once))


def test_reads_of_new_keys(patient: Patient, tiny: tuple[KeyedRows, FitSettings]) -> None:
    rows = tiny[0]
    names = rows.schema.names
    trained, came = ({name: occurrences(rows, part, name) for name in names} for part in (TRAIN, VALIDATION))
    new = sum(count for name in names for key, count in came[name].items() if key not in trained[name])
    row = measure.unseen(patient)
    assert row["came"] == pytest.approx(new / sum(of.total() for of in came.values()))
    once = sum(count == 1 for of in trained.values() for count in of.values())
    assert row["expected"] == pytest.approx(once / sum(of.total() for of in trained.values()))


def test_rounding_and_coding_are_shares_of_leaving_out(patient: Patient) -> None:
    assert [row["bits"] for row in measure.rounding(patient)] == list(measure.BITS)
    rows = list(measure.coding(patient))
    assert [(row["head"], row["code_bits"]) for row in rows] == [
        (head, bits) for head in measure.HEADS for bits in measure.CODE_BITS
    ]
    for row in rows:
        gone = np.arange(patient.keys.size) >= int(row["head"] * patient.keys.size)
        assert row["omitted"] == patient.without(gone)


def test_what_lies_in_one_direction(patient: Patient) -> None:
    rows = {row["feature"]: row["share"] for row in measure.directions(patient)}
    metrics = patient.sensitivity().metrics
    for name, metric in zip(patient.counts.feature_names, metrics, strict=True):
        strongest = np.linalg.svd(metric, compute_uv=False)
        assert rows[name] == pytest.approx(strongest[0] / strongest.sum(), rel=1e-6)


def test_a_row_for_every_key_shares_nothing(patient: Patient) -> None:
    weights = np.ones(patient.keys.size - 5)
    shared = measure._shared(patient, 5, 1 << 16, weights, patient.sensitivity())
    for mine, theirs in zip(patient.tables, shared, strict=True):
        np.testing.assert_allclose(theirs, mine, rtol=1e-6)


def test_each_key_is_heard_as_its_feature_is(patient: Patient, tiny: tuple[KeyedRows, FitSettings]) -> None:
    rows, settings = tiny
    sensitivity = patient.sensitivity()
    width = settings.dim + 1
    assert sensitivity.metrics.shape == (len(rows.schema.names), width, width)
    users = np.isin(patient.keys, list(occurrences(rows, TRAIN, "user_id")))
    assert set(sensitivity.groups[users].tolist()) == {rows.schema.names.index("user_id")}
