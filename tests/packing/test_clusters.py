"""Shared rows stand where the rows are, or where the model hears no difference."""

import numpy as np
import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.packing import Sensitivity, cluster_rows

RNG = np.random.default_rng(0)
PLACES = RNG.normal(size=(8, 5)).astype(np.float32) * 10


def test_well_parted_clusters_are_found() -> None:
    of_row = RNG.integers(0, 8, 4000)
    rows = PLACES[of_row] + RNG.normal(scale=0.01, size=(4000, 5)).astype(np.float32)
    centres, codes = cluster_rows(rows, 16)
    assert np.abs(centres[codes] - rows).max() < 0.1


def test_codes_name_the_nearest_centre() -> None:
    rows = RNG.normal(size=(500, 5)).astype(np.float32)
    centres, codes = cluster_rows(rows, 7)
    by_hand = [int(((row - centres) ** 2).sum(axis=1).argmin()) for row in rows]
    assert codes.tolist() == by_hand


def test_the_error_falls_with_the_number_of_codes() -> None:
    rows = RNG.normal(size=(3000, 4)).astype(np.float32)

    def error(num_codes: int) -> float:
        centres, codes = cluster_rows(rows, num_codes)
        return float(((rows - centres[codes]) ** 2).mean())

    errors = [error(num_codes) for num_codes in (1, 4, 16, 64)]
    assert errors[0] == pytest.approx(float(rows.var(axis=0).mean()), rel=1e-4)
    # Shannon's bound for four independent normal coordinates: 2**(-2 * bits / 4).
    assert all(found > 2 ** (-bits / 2) for found, bits in zip(errors[1:], (2, 4, 6), strict=True))
    assert all(found < 1.5 * 2 ** (-bits / 2) for found, bits in zip(errors[1:], (2, 4, 6), strict=True))


def test_weights_count() -> None:
    rows = np.array([[0.0], [1.0], [10.0]], dtype=np.float32)
    centres, _ = cluster_rows(rows, 1, np.array([3.0, 1.0, 0.0]))
    assert centres == pytest.approx(np.array([[0.25]]))


def test_few_rows_are_their_own_centres() -> None:
    rows = RNG.normal(size=(3, 2)).astype(np.float32)
    centres, codes = cluster_rows(rows, 5)
    assert np.array_equal(centres[codes], rows)
    assert centres.shape == (5, 2)


def test_equal_rows() -> None:
    centres, codes = cluster_rows(np.ones((100, 2), dtype=np.float32), 4)
    assert (centres[codes] == 1).all()


def test_no_rows() -> None:
    centres, codes = cluster_rows(np.empty((0, 3), dtype=np.float32), 4)
    assert centres.shape == (4, 3)
    assert codes.size == 0


def test_the_seed_decides() -> None:
    rows = RNG.normal(size=(1000, 4)).astype(np.float32)
    assert np.array_equal(cluster_rows(rows, 9, seed=1)[0], cluster_rows(rows, 9, seed=1)[0])
    assert not np.array_equal(cluster_rows(rows, 9, seed=1)[0], cluster_rows(rows, 9, seed=2)[0])


@pytest.mark.parametrize(
    ("num_codes", "weights", "message"),
    [(0, None, "num_codes"), (2, np.ones(2), "weights"), (2, np.array([1.0, 1.0, -1.0]), "weights")],
)
def test_wrong_arguments(num_codes: int, weights: np.ndarray | None, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        cluster_rows(np.ones((3, 2), dtype=np.float32), num_codes, weights)


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
    centres, codes = cluster_rows(rows, 16, weights, Sensitivity(groups, metrics))
    near, near_codes = cluster_rows(rows, 16, weights)
    assert centres.dtype == np.float32
    assert cost(rows, centres[codes], groups, metrics) < 0.25 * cost(rows, near[near_codes], groups, metrics)


def test_codes_name_the_cheapest_centre() -> None:
    metrics = np.stack([np.diag([1.0, 0.1, 0.0]), np.diag([0.0, 2.0, 1.0])])
    groups = RNG.integers(0, 2, 300)
    rows = RNG.normal(size=(300, 3)).astype(np.float32)
    centres, codes = cluster_rows(rows, 6, np.ones(300), Sensitivity(groups, metrics))
    # A thousandth of the mean sensitivity counts in every direction.
    added = np.stack([metric + 1e-3 * np.trace(metric) / 3 * np.eye(3) for metric in metrics])
    for row, group, code in zip(rows, groups, codes, strict=True):
        costs = [(row - centre) @ added[group] @ (row - centre) for centre in centres]
        assert costs[code] == pytest.approx(min(costs), rel=1e-4, abs=1e-6)


def test_few_rows_of_several_groups_are_their_own_centres() -> None:
    rows = RNG.normal(size=(3, 2)).astype(np.float32)
    same = Sensitivity(np.array([0, 1, 1]), np.stack([np.eye(2), np.diag([1.0, 0.5])]))
    centres, codes = cluster_rows(rows, 8, np.ones(3), same)
    np.testing.assert_array_equal(centres[codes], rows)


def test_a_group_that_the_model_does_not_hear_and_rows_that_are_alike() -> None:
    rows = np.repeat(RNG.normal(size=(1, 3)), 50, axis=0).astype(np.float32)
    deaf = Sensitivity(np.repeat([0, 1], 25), np.stack([np.zeros((3, 3)), np.eye(3)]))
    centres, codes = cluster_rows(rows, 4, np.ones(50), deaf)
    np.testing.assert_allclose(centres[codes], rows, rtol=1e-5)
    silent = Sensitivity(np.repeat([0, 1], 25), np.zeros((2, 3, 3)))
    centres, codes = cluster_rows(rows, 4, np.ones(50), silent)
    np.testing.assert_allclose(centres[codes], rows, rtol=1e-5)


def test_no_rows_and_no_weights() -> None:
    none = Sensitivity(np.empty(0, dtype=np.int64), np.eye(2)[None])
    centres, codes = cluster_rows(np.empty((0, 2), np.float32), 4, np.empty(0), none)
    assert (centres.shape, codes.shape) == ((4, 2), (0,))
    some = Sensitivity(np.zeros(5, dtype=np.int64), np.eye(2)[None])
    centres, codes = cluster_rows(np.ones((5, 2), np.float32), 4, np.zeros(5), some)
    assert not centres.any()
    assert codes.tolist() == [0] * 5


@pytest.mark.parametrize(
    ("num_codes", "num_weights", "width", "message"),
    [
        (0, 3, 2, "num_codes: expected 1 or more, got 0"),
        (2, 4, 2, "weights: expected one of 0 or more for each of 3 rows"),
        (2, 3, 5, r"metrics: expected float64\[G, 2, 2\], got \(1, 5, 5\)"),
    ],
)
def test_metrics_that_do_not_fit_are_refused(
    num_codes: int, num_weights: int, width: int, message: str
) -> None:
    sensitivity = Sensitivity(np.zeros(3, dtype=np.int64), np.eye(width)[None])
    with pytest.raises(InvalidValueError, match=message):
        cluster_rows(np.ones((3, 2), np.float32), num_codes, np.ones(num_weights), sensitivity)
