"""By hand, and against the best uniform quantiser found by trying all of them."""

import numpy as np
import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.theory import coding_loss, learned_share, rounding_loss
from hybridhash.theory.loss import UNSHARED_DIRECTIONS


@pytest.mark.parametrize(("count", "share"), [(0, 0), (2, 0.2), (8, 0.5), (24, 0.75), (392, 0.98)])
def test_the_share_that_is_learned(count: int, share: float) -> None:
    assert learned_share(count) == pytest.approx(share, rel=1e-15)


def test_shares_of_many_counts_at_once() -> None:
    assert learned_share(np.array([[2, 8], [24, 0]])).tolist() == [[0.2, 0.5], [0.75, 0.0]]


@pytest.mark.parametrize(("bits", "tolerance"), [(1, 0.01), (2, 0.01), (3, 0.01), (4, 0.01), (8, 0.2)])
def test_rounding_is_the_best_uniform_quantiser_of_a_normal_variable(bits: int, tolerance: float) -> None:
    """The least mean squared error over all steps, integrated on a fine grid; that of 8 bits is known to one digit."""
    x = np.linspace(-8, 8, 40_001)
    density = np.exp(-(x**2) / 2)
    half = 1 << (bits - 1)
    errors = []
    for step in np.geomspace(0.02, 2, 400):
        levels = (np.clip(np.floor(x / step), -half, half - 1) + 0.5) * step
        errors.append(float((density * (x - levels) ** 2).sum() / density.sum()))
    assert UNSHARED_DIRECTIONS == 0.04
    assert rounding_loss(bits) == pytest.approx(0.04 * min(errors), rel=tolerance)


def test_floats_are_not_rounded() -> None:
    assert rounding_loss(32) == 0


@pytest.mark.parametrize("bits", [0, 5, 16, 33])
def test_other_bits_are_refused(bits: int) -> None:
    with pytest.raises(InvalidValueError, match=rf"bits: expected one of \[1, 2, 3, 4, 8, 32\], got {bits}"):
        rounding_loss(bits)


@pytest.mark.parametrize(("code_bits", "loss"), [(0, 0.6), (5, 0.6 / 512), (10, 0.6 / 262144)])
def test_the_loss_of_a_code(code_bits: int, loss: float) -> None:
    assert coding_loss(code_bits) == pytest.approx(loss)
