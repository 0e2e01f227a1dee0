"""Shared rows under a metric of each group, against trying all codes and against plain clusters."""

import numpy as np
import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.packing import Sensitivity, cluster_rows, cluster_sensitive_rows

RNG = np.random.default_rng(0)


def metrics_of(*directions: np.ndarray) -> np.ndarray:
    return np.stack([np.outer(direction, direction) for direction in directions])


def cost(rows: np.ndarray, shared: np.ndarray, groups: np.ndarray, metrics: np.ndarray) -> float:
    error = (rows - shared).astype(np.float64)
    return float(np.einsum("ri,rij,rj->r", error, metrics[groups], error).mean())


def test_one_row_stands_for_something_else_in_each_group() -> None:
    """Twenty features that listen in one direction each: sixteen rows do for all what 320 would."""
    directions = RNG.normal(size=(20, 16))
    metrics = metrics_of(*directions / np.linalg.norm(directions, axis=1, keepdims=True))
    groups = RNG.integers(0, 20, 6000)
    rows = RNG.normal(size=(6000, 16)).astype(np.float32)
    weights = np.ones(6000)
    centres, codes = cluster_sensitive_rows(rows, 16, weights, Sensitivity(groups, metrics))
    near, near_codes = cluster_rows(rows, 16, weights)
    assert centres.dtype == np.float32
    assert cost(rows, centres[codes], groups, metrics) < 0.25 * cost(rows, near[near_codes], groups, metrics)


def test_codes_name_the_cheapest_centre() -> None:
    metrics = np.stack([np.diag([1.0, 0.1, 0.0]), np.diag([0.0, 2.0, 1.0])])
    groups = RNG.integers(0, 2, 300)
    rows = RNG.normal(size=(300, 3)).astype(np.float32)
    centres, codes = cluster_sensitive_rows(rows, 6, np.ones(300), Sensitivity(groups, metrics))
    # A thousandth of the mean sensitivity counts in every direction.
    added = np.stack([metric + 1e-3 * np.trace(metric) / 3 * np.eye(3) for metric in metrics])
    for row, group, code in zip(rows, groups, codes, strict=True):
        costs = [(row - centre) @ added[group] @ (row - centre) for centre in centres]
        assert costs[code] == pytest.approx(min(costs), rel=1e-4, abs=1e-6)


def test_with_equal_metrics_it_is_as_good_as_plain_clusters() -> None:
    rows = RNG.normal(size=(4000, 4)).astype(np.float32)
    weights = RNG.uniform(0.1, 3, 4000)
    same = Sensitivity(np.zeros(4000, dtype=np.int64), np.eye(4)[None])
    plain, sensitive = cluster_rows(rows, 32, weights), cluster_sensitive_rows(rows, 32, weights, same)
    errors = [
        float((weights[:, None] * (rows - found[codes]) ** 2).sum()) for found, codes in (plain, sensitive)
    ]
    assert errors[1] == pytest.approx(errors[0], rel=0.05)


def test_weights_count() -> None:
    rows = np.array([[0.0], [1.0], [10.0]], dtype=np.float32)
    same = Sensitivity(np.zeros(3, dtype=np.int64), np.ones((1, 1, 1)))
    centres, _ = cluster_sensitive_rows(rows, 1, np.array([3.0, 1.0, 0.0]), same)
    assert centres == pytest.approx(np.array([[0.25]]))


def test_few_rows_are_their_own_centres() -> None:
    rows = RNG.normal(size=(3, 2)).astype(np.float32)
    same = Sensitivity(np.array([0, 1, 1]), np.stack([np.eye(2), np.diag([1.0, 0.5])]))
    centres, codes = cluster_sensitive_rows(rows, 8, np.ones(3), same)
    np.testing.assert_array_equal(centres[codes], rows)


def test_a_group_that_the_model_does_not_hear_and_rows_that_are_alike() -> None:
    rows = np.repeat(RNG.normal(size=(1, 3)), 50, axis=0).astype(np.float32)
    deaf = Sensitivity(np.repeat([0, 1], 25), np.stack([np.zeros((3, 3)), np.eye(3)]))
    centres, codes = cluster_sensitive_rows(rows, 4, np.ones(50), deaf)
    np.testing.assert_allclose(centres[codes], rows, rtol=1e-5)
    silent = Sensitivity(np.repeat([0, 1], 25), np.zeros((2, 3, 3)))
    centres, codes = cluster_sensitive_rows(rows, 4, np.ones(50), silent)
    np.testing.assert_allclose(centres[codes], rows, rtol=1e-5)


def test_no_rows_and_no_weights() -> None:
    none = Sensitivity(np.empty(0, dtype=np.int64), np.eye(2)[None])
    centres, codes = cluster_sensitive_rows(np.empty((0, 2), np.float32), 4, np.empty(0), none)
    assert (centres.shape, codes.shape) == ((4, 2), (0,))
    some = Sensitivity(np.zeros(5, dtype=np.int64), np.eye(2)[None])
    centres, codes = cluster_sensitive_rows(np.ones((5, 2), np.float32), 4, np.zeros(5), some)
    assert not centres.any()
    assert codes.tolist() == [0] * 5


@pytest.mark.parametrize(
    ("num_codes", "num_weights", "width", "message"),
    [
        (0, 3, 2, "num_codes: expected 1 or more, got 0"),
        (2, 4, 2, "expected a weight and a group for each of 3 rows, got 4 and 3"),
        (2, 3, 5, r"metrics: expected float64\[G, 2, 2\], got \(1, 5, 5\)"),
    ],
)
def test_what_does_not_fit_is_refused(num_codes: int, num_weights: int, width: int, message: str) -> None:
    sensitivity = Sensitivity(np.zeros(3, dtype=np.int64), np.eye(width)[None])
    with pytest.raises(InvalidValueError, match=message):
        cluster_sensitive_rows(np.ones((3, 2), np.float32), num_codes, np.ones(num_weights), sensitivity)
