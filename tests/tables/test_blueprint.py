"""The keys of a table stand in their order, each with its feature."""

from typing import Any

import numpy as np
import pytest

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.spec import TableSpec, Tier
from hybridhash.tables import Blueprint
from hybridhash.vocabulary import Counts, Vocabulary

COUNTS = Counts(
    keys=np.array([5, 5, 8, 9, 11]),
    counts=np.array([2, 7, 4, 4, 1]),
    feature=np.array([0, 1, 0, 1, 1]),
    feature_names=("user", "ad"),
    num_rows=9,
)


def test_the_most_frequent_keys_come_first_with_the_feature_they_are_most_frequent_in() -> None:
    """Key 5 comes twice as a user and seven times as an ad."""
    found = Blueprint.of_counts(TableSpec(3, 4, 8), COUNTS)
    assert found.vocabulary.keys.tolist() == [5, 8, 9]
    assert (found.feature_names, found.feature_of_key.tolist()) == (("user", "ad"), [1, 0, 1])


def test_tiers_take_the_keys_in_order() -> None:
    spec = TableSpec(3, 4, 8, tiers=(Tier(1), Tier(0), Tier(2, 8)))
    found = Blueprint(spec, Vocabulary(np.array([30, 10, 20])))
    assert [found.keys_of_tier(tier).tolist() for tier in range(3)] == [[30], [], [10, 20]]


def test_the_companion_has_the_same_keys() -> None:
    found = Blueprint.of_counts(TableSpec(3, 4, 8), COUNTS).companion()
    assert (found.spec.dim, found.num_keys, found.feature_of_key.tolist()) == (1, 3, [1, 0, 1])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"vocabulary": [5, 8, 9]}, InvalidTypeError, "expected a hybridhash.Vocabulary, got list"),
        ({"vocabulary": np.arange(3)}, InvalidTypeError, "got ndarray; make one with"),
        (
            {"vocabulary": Vocabulary(np.arange(2))},
            InvalidValueError,
            "expected 3 keys, one per head row, got 2",
        ),
        ({"feature_of_key": [0, 0]}, InvalidValueError, r"an index for each of 3 keys, got shape \(2,\)"),
        (
            {"feature_of_key": [0, 0, 2], "feature_names": ("a", "b")},
            InvalidValueError,
            "2 features, got 0 to 2",
        ),
        ({"feature_of_key": [0, -1, 0], "feature_names": ("a", "b")}, InvalidValueError, "got -1 to 0"),
    ],
)
def test_what_does_not_fit_is_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Blueprint(**{"spec": TableSpec(3, 4, 8), "vocabulary": Vocabulary(np.arange(3)), **arguments})
