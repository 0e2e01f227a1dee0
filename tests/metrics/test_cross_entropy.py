import math

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import InvalidValueError
from hybridhash.metrics import log_loss, normalised_entropy, relative_cross_entropy

probabilities = st.floats(0, 1, allow_nan=False, width=32)


@given(st.lists(st.tuples(probabilities, st.integers(0, 1), st.floats(0.1, 100)), min_size=1, max_size=50))
def test_log_loss_is_that_of_scikit_learn(rows: list[tuple[float, int, float]]) -> None:
    predictions, labels, weights = map(np.array, zip(*rows, strict=True))
    expected = sklearn.metrics.log_loss(labels, predictions, sample_weight=weights, labels=[0, 1])
    assert log_loss(predictions, labels, weights) == pytest.approx(expected, rel=1e-12)
    unweighted = sklearn.metrics.log_loss(labels, predictions, labels=[0, 1])
    assert log_loss(predictions, labels) == pytest.approx(unweighted, rel=1e-12)


def test_by_hand() -> None:
    # Losses -ln 0.9, -ln 0.8, -ln 0.9, -ln 0.8; the mean label is 1/4.
    predictions, labels = [0.1, 0.2, 0.1, 0.8], [0, 0, 0, 1]
    loss = -(2 * math.log(0.9) + 2 * math.log(0.8)) / 4
    entropy = -(math.log(1 / 4) + 3 * math.log(3 / 4)) / 4
    assert log_loss(predictions, labels) == pytest.approx(loss, rel=1e-14)
    assert normalised_entropy(predictions, labels) == pytest.approx(loss / entropy, rel=1e-14)
    assert relative_cross_entropy(predictions, labels) == pytest.approx(100 * (1 - loss / entropy), rel=1e-14)


def test_a_weight_of_two_is_the_row_twice_and_of_zero_is_no_row() -> None:
    for metric in (log_loss, normalised_entropy, relative_cross_entropy):
        weighted = metric([0.3, 0.6, 0.9], [0, 1, 0], [2, 1, 0])
        assert weighted == pytest.approx(metric([0.3, 0.3, 0.6], [0, 0, 1]), rel=1e-14)


def test_the_anchors_of_rce() -> None:
    labels = [0, 0, 0, 1]
    assert relative_cross_entropy([0.25] * 4, labels) == 0
    assert relative_cross_entropy(np.array(labels, dtype=float), labels) == pytest.approx(100, abs=1e-12)
    assert relative_cross_entropy([0.5] * 4, labels) < 0
    assert normalised_entropy([0.25] * 4, labels) == 1


@pytest.mark.parametrize(
    ("dtype", "epsilon"), [(np.float64, 2**-52), (np.float32, 2**-23), (np.float16, 2**-23)]
)
def test_a_certain_mistake_costs_minus_log_epsilon(dtype: type, epsilon: float) -> None:
    assert log_loss(np.array([0], dtype), [1]) == pytest.approx(-math.log(epsilon), rel=1e-12)
    assert log_loss(np.array([1], dtype), [0]) == pytest.approx(-math.log(epsilon), rel=1e-12)
    assert log_loss(np.array([1], dtype), [1]) == pytest.approx(epsilon, rel=1e-6, abs=0)


def test_small_predictions_keep_their_digits() -> None:
    # -ln(1 - p) is p + p**2 / 2 + ..., which 1 - p in floating point would lose.
    assert log_loss([1e-12], [0]) == pytest.approx(1e-12, rel=1e-11, abs=0)


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("metric", [normalised_entropy, relative_cross_entropy])
def test_equal_labels_leave_a_relative_loss_undefined(metric: object, label: int) -> None:
    with pytest.raises(InvalidValueError, match=f"expected both 0 and 1, got only {label}"):
        metric([0.5, 0.5], [label, label])  # type: ignore[operator]
    assert log_loss([0.5, 0.5], [label, label]) == pytest.approx(math.log(2))


def test_a_row_without_weight_does_not_make_the_labels_differ() -> None:
    with pytest.raises(InvalidValueError, match="got only 1"):
        relative_cross_entropy([0.5, 0.5], [1, 0], [1, 0])


@pytest.mark.parametrize("metric", [log_loss, normalised_entropy, relative_cross_entropy])
def test_input_is_checked(metric: object) -> None:
    with pytest.raises(InvalidValueError, match="probabilities"):
        metric([0.5, 1.5], [0, 1])  # type: ignore[operator]
