import re

import numpy as np
import pytest
import torch

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.metrics.rows import score_rows


def test_all_forms_of_input_give_the_same_rows() -> None:
    expected = np.array([0.25, 0.5, 0.75])
    for predictions in (
        [0.25, 0.5, 0.75],
        expected,
        torch.tensor(expected),
        torch.tensor(expected).bfloat16(),
    ):
        for labels in (
            [0, 1, 1],
            [False, True, True],
            np.array([0, 1, 1], np.uint8),
            torch.tensor([0.0, 1, 1]),
        ):
            rows = score_rows(predictions, labels)
            np.testing.assert_array_equal(rows.predictions, expected)
            np.testing.assert_array_equal(rows.labels, [0, 1, 1])
            np.testing.assert_array_equal(rows.weights, [1, 1, 1])
            assert rows.predictions.dtype == rows.labels.dtype == rows.weights.dtype == np.float64


def test_tensors_with_gradients_and_columns_are_taken() -> None:
    rows = score_rows(torch.tensor([[0.25], [0.5]], requires_grad=True), torch.tensor([[0], [1]]))
    assert rows.predictions.tolist() == [0.25, 0.5]


@pytest.mark.parametrize(
    ("predictions", "epsilon"),
    [
        ([0.5], 2**-52),
        ([1], 2**-52),
        (np.array([0.5]), 2**-52),
        (np.array([0.5], np.float32), 2**-23),
        (np.array([0.5], np.float16), 2**-23),
        (torch.tensor([0.5], dtype=torch.float64), 2**-52),
        (torch.tensor([0.5]), 2**-23),
        (torch.tensor([0.5]).bfloat16(), 2**-23),
        (torch.tensor([0.5]).half(), 2**-23),
    ],
)
def test_epsilon_follows_the_dtype_down_to_float32(predictions: object, epsilon: float) -> None:
    assert score_rows(predictions, [1]).epsilon == epsilon


def test_the_edges_of_the_ranges_are_taken() -> None:
    rows = score_rows([0.0, 1.0], [0, 1], [0.0, 1e-300])
    assert rows.predictions.tolist() == [0.0, 1.0]
    assert rows.weights.tolist() == [0.0, 1e-300]


@pytest.mark.parametrize(
    ("predictions", "labels", "weights", "message"),
    [
        ([], [], None, "predictions: expected at least one row, got none"),
        ([0.5, np.nan], [0, 1], None, "got nan at row 1 (1 such rows)"),
        ([0.5, -1e-12], [0, 1], None, "predictions: expected probabilities in [0, 1], got -1e-12 at row 1"),
        ([1.0000001, 2], [0, 1], None, "got 1.0000001 at row 0 (2 such rows); logits want a sigmoid first"),
        ([0.5, 0.5], [0, 0.5], None, "labels: expected 0 or 1, got 0.5 at row 1"),
        ([0.5, 0.5], [0, 2], None, "labels: expected 0 or 1, got 2.0 at row 1"),
        ([0.5, 0.5], [-1, 1], None, "labels: expected 0 or 1, got -1.0 at row 0"),
        ([0.5, 0.5], [np.nan, 1], None, "labels: expected 0 or 1, got nan at row 0"),
        ([0.5, 0.5], [1], None, "labels: expected the shape of the predictions, (2,), got (1,)"),
        ([[0.5], [0.5]], [0, 1], None, "labels: expected the shape of the predictions, (2, 1), got (2,)"),
        ([0.5, 0.5], [0, 1], [1], "weights: expected the shape of the predictions, (2,), got (1,)"),
        (
            [0.5, 0.5],
            [0, 1],
            [1, -1e-12],
            "weights: expected finite numbers of 0 or more, got -1e-12 at row 1",
        ),
        ([0.5, 0.5], [0, 1], [np.inf, 1], "weights: expected finite numbers of 0 or more, got inf at row 0"),
        ([0.5, 0.5], [0, 1], [np.nan, 1], "weights: expected finite numbers of 0 or more, got nan at row 0"),
        ([0.5, 0.5], [0, 1], [0, 0], "weights: expected at least one above 0, got only zeros"),
        ([[0.5], [0.5, 0.5]], [0, 1], None, "predictions: expected a rectangular array of numbers"),
    ],
)
def test_unusable_values_are_refused(
    predictions: object, labels: object, weights: object, message: str
) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(message)):
        score_rows(predictions, labels, weights)


@pytest.mark.parametrize(
    ("predictions", "labels", "name"),
    [
        (["0.5"], [1], "predictions"),
        ([None], [1], "predictions"),
        ([0.5], ["1"], "labels"),
        ([0.5j], [1], "predictions"),
    ],
)
def test_what_is_not_a_number_is_refused(predictions: object, labels: object, name: str) -> None:
    with pytest.raises(InvalidTypeError, match=f"{name}: expected an array of numbers, got dtype"):
        score_rows(predictions, labels)
