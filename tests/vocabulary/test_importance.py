"""Selection, against sorted() over a Python dictionary."""

import numpy as np
import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.vocabulary import IMPORTANCE, Counts
from hybridhash.vocabulary.importance import frequency, select

COUNTS = Counts([10, 20, 30, 20], [5, 3, 1, 4], [0, 0, 1, 1], ("a", "b"), num_rows=9)


def test_frequency_is_the_count_of_each_pair() -> None:
    assert frequency(COUNTS).tolist() == [5, 4, 3, 1]
    assert IMPORTANCE["frequency"] is frequency


def test_a_key_of_two_features_is_one_key_with_the_sum() -> None:
    vocabulary = select(COUNTS, 3)
    assert vocabulary.keys.tolist() == [20, 10, 30]
    assert vocabulary.counts is not None
    assert vocabulary.counts.tolist() == [7, 5, 1]


def test_any_measure_decides_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def rarity(counts: Counts) -> np.ndarray:  # type: ignore[type-arg]
        return 1 / counts.counts

    monkeypatch.setattr("hybridhash.vocabulary.importance.IMPORTANCE", {"rarity": rarity})
    # 1/1 for 30, 1/3 + 1/4 for 20, 1/5 for 10
    assert select(COUNTS, 3, "rarity").keys.tolist() == [30, 20, 10]


def test_an_unknown_measure_lists_what_exists() -> None:
    with pytest.raises(
        InvalidValueError, match="importance: expected one of frequency, effect, got 'entropy'"
    ):
        select(COUNTS, 1, "entropy")


def test_a_negative_number_of_keys_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="k: expected the number of keys, 0 or more, got -1"):
        select(COUNTS, -1)


def test_the_mapping_cannot_be_changed_by_accident() -> None:
    with pytest.raises(TypeError):
        IMPORTANCE["other"] = frequency  # type: ignore[index]
