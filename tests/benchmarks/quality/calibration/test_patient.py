"""Rows that are replaced and put back."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.quality.calibration.patient import Patient

from hybridhash.data import TEST, TRAIN, VALIDATION, KeyedRows
from hybridhash.trials.settings import FitSettings
from hybridhash.vocabulary import count_key_chunks


@pytest.fixture(scope="module")
def patient(tiny: tuple[KeyedRows, FitSettings]) -> Patient:
    return Patient(*tiny, seed=0)


def test_its_own_rows_lose_nothing_and_are_there_again_afterwards(patient: Patient) -> None:
    assert patient.with_rows(patient.tables) == 0
    other = [table + np.float32(1) for table in patient.tables]
    assert patient.with_rows(other) != 0
    assert patient.with_rows(patient.tables) == 0


def test_leaving_out_none_and_all(patient: Patient) -> None:
    nobody = np.zeros(patient.keys.size, dtype=np.bool_)
    assert patient.without(nobody) == 0
    assert patient.without(~nobody) != 0


def test_the_keys_are_those_of_the_training_rows(
    patient: Patient, tiny: tuple[KeyedRows, FitSettings]
) -> None:
    rows, settings = tiny
    counts = count_key_chunks(
        rows.key_chunks(TRAIN), rows.schema.names, rows.indices(TRAIN).size, rows.schema.seed
    )
    assert sorted(patient.keys.tolist()) == np.unique(counts.keys).tolist()
    assert [table.shape for table in patient.tables] == [
        (patient.keys.size, settings.dim),
        (patient.keys.size, 1),
    ]
    assert patient.growth == rows.indices(TRAIN).size / rows.indices(VALIDATION).size
    assert patient.validation_counts().num_rows == rows.indices(VALIDATION).size


def test_the_labels_of_the_test_play_no_part(patient: Patient, tiny: tuple[KeyedRows, FitSettings]) -> None:
    rows, settings = tiny
    labels = rows.labels.copy()
    labels[rows.indices(TEST)] = 1 - labels[rows.indices(TEST)]
    assert (labels != rows.labels).any()
    poisoned = Patient(replace(rows, labels=labels), settings, seed=0)
    assert poisoned.rce == patient.rce
    assert all((one == other).all() for one, other in zip(poisoned.tables, patient.tables, strict=True))
