from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from hybridhash.data import Batch, KeyedRows
from hybridhash.training import build_optimizers
from hybridhash.training.step import device_of, predict_batches, train_step

NewModel = Callable[..., nn.Module]
CPU = torch.device("cpu")


def after_one_step(new_model: NewModel, batch: Batch) -> list[torch.Tensor]:
    model = new_model()
    train_step(model, build_optimizers(model, "sgd", 0.5), batch, CPU)
    return list(model.parameters())


@pytest.mark.parametrize("weight", [0, 1, 2, 3])
def test_a_row_of_weight_w_acts_as_w_rows(rows: KeyedRows, new_model: NewModel, weight: int) -> None:
    weights = np.ones(8, dtype=np.float32)
    weights[3] = weight
    weighted = replace(rows.take(np.arange(8)), weights=weights)
    repeated = rows.take(np.repeat(np.arange(8), weights.astype(int)))
    for left, right in zip(
        after_one_step(new_model, weighted), after_one_step(new_model, repeated), strict=True
    ):
        torch.testing.assert_close(left, right, rtol=1e-5, atol=1e-7)


def test_rows_without_weight_move_nothing(rows: KeyedRows, new_model: NewModel) -> None:
    nothing = replace(rows.take(np.arange(8)), weights=np.zeros(8, dtype=np.float32))
    for left, right in zip(after_one_step(new_model, nothing), new_model().parameters(), strict=True):
        assert torch.equal(left, right)


def test_returns_the_probabilities_before_the_step(rows: KeyedRows, new_model: NewModel) -> None:
    model, batch = new_model(), rows.take(np.arange(8))
    with torch.no_grad():
        expected = torch.sigmoid(model(torch.from_numpy(batch.keys), torch.from_numpy(batch.offsets)))
    assert torch.equal(train_step(model, build_optimizers(model, "sgd", 0.5), batch, CPU), expected)


def test_the_loss_is_the_mean_cross_entropy(rows: KeyedRows, new_model: NewModel) -> None:
    """The gradient of the output bias is the mean of prediction minus label, which moves it by hand."""
    model, batch = new_model(), rows.take(np.arange(50))
    before = model.dense[-1].bias.item()
    predictions = train_step(model, build_optimizers(model, "sgd", 0.5), batch, CPU).numpy()
    expected = before - 0.5 * float(np.mean(predictions.astype(np.float64) - batch.labels))
    assert model.dense[-1].bias.item() == pytest.approx(expected, rel=1e-5)


def test_prediction_leaves_the_model_alone(rows: KeyedRows, new_model: NewModel) -> None:
    model = new_model().train()
    [first, second] = list(predict_batches(model, [rows.take(np.arange(3)), rows.take(np.arange(3))], CPU))
    assert first.dtype == np.float32
    assert first.tolist() == second.tolist()
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_device_is_that_of_the_parameters() -> None:
    assert device_of(nn.Linear(1, 1)) == CPU
    assert device_of(nn.Linear(1, 1, device="meta")) == torch.device("meta")
