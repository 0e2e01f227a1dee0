"""Shared rows stand where the rows are."""

import numpy as np
import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.packing import cluster_rows
from hybridhash.packing.clusters import nearest

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
    assert nearest(rows, centres).tolist() == by_hand


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
    assert centres.tolist() == [[0.25]]


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
