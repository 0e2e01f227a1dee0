"""Rows that are replaced and put back."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.quality.calibration.full_table import FullTable

from hybridhash.data import TEST, TRAIN, VALIDATION, KeyedRows
from hybridhash.trials.settings import FitSettings
from hybridhash.vocabulary import count_key_chunks


@pytest.fixture(scope="module")
def full(tiny: tuple[KeyedRows, FitSettings]) -> FullTable:
    return FullTable(*tiny, seed=0)


def test_its_own_rows_lose_nothing_and_are_there_again_afterwards(full: FullTable) -> None:
    assert full.with_rows(full.tables) == 0
    other = [table + np.float32(1) for table in full.tables]
    assert full.with_rows(other) != 0
    assert full.with_rows(full.tables) == 0


def test_leaving_out_none_and_all(full: FullTable) -> None:
    nobody = np.zeros(full.keys.size, dtype=np.bool_)
    assert full.without(nobody) == 0
    assert full.without(~nobody) != 0


def test_the_keys_are_those_of_the_training_rows(
    full: FullTable, tiny: tuple[KeyedRows, FitSettings]
) -> None:
    rows, settings = tiny
    counts = count_key_chunks(
        rows.key_chunks(TRAIN), rows.schema.names, rows.indices(TRAIN).size, rows.schema.seed
    )
    assert sorted(full.keys.tolist()) == np.unique(counts.keys).tolist()
    assert [table.shape for table in full.tables] == [
        (full.keys.size, settings.dim),
        (full.keys.size, 1),
    ]
    assert full.growth == rows.indices(TRAIN).size / rows.indices(VALIDATION).size
    assert full.validation_counts().num_rows == rows.indices(VALIDATION).size


def test_the_labels_of_the_test_play_no_part(full: FullTable, tiny: tuple[KeyedRows, FitSettings]) -> None:
    rows, settings = tiny
    labels = rows.labels.copy()
    labels[rows.indices(TEST)] = 1 - labels[rows.indices(TEST)]
    assert (labels != rows.labels).any()
    poisoned = FullTable(replace(rows, labels=labels), settings, seed=0)
    assert poisoned.rce == full.rce
    assert all((one == other).all() for one, other in zip(poisoned.tables, full.tables, strict=True))
