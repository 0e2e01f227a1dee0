"""Metrics against gradients taken one row at a time."""

import numpy as np
import pytest
import torch

from hybridhash.models import MLPRanker, WideDeep, build_model, pack_model, sensitivities
from hybridhash.spec import GroupSpec, ModelSpec, TableSpec, Tier
from hybridhash.tables import Blueprint
from hybridhash.vocabulary import Vocabulary

FEATURES = ("user", "tags")
KEYS = np.arange(60, dtype=np.int64)
OF_FEATURE = np.repeat([0, 1], 30)


def model_of(wide: bool, tiers: tuple[Tier, ...] = ()) -> WideDeep | MLPRanker:
    table = TableSpec(60, 1, 4, seed=3, tiers=tiers)
    deep = (GroupSpec(FEATURES, table, "all"),)
    spec = ModelSpec(deep, (GroupSpec(FEATURES, table.companion(), "all"),) if wide else (), (5,))
    generator = torch.Generator().manual_seed(0)
    blueprint = Blueprint(spec.deep[0].table, Vocabulary(KEYS), FEATURES, OF_FEATURE)
    model = build_model(spec, FEATURES, {"all": blueprint}, generator=generator)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.7, generator=generator)
    return model


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Six rows: one user each, and zero to three tags."""
    lengths = torch.tensor([1] * 6 + [0, 1, 2, 3, 2, 1])
    keys = torch.cat([torch.arange(6), 30 + torch.arange(int(lengths[6:].sum()))])
    return keys, torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])


@pytest.mark.parametrize("wide", [True, False])
def test_metrics_are_second_moments_of_the_gradients(wide: bool) -> None:
    model = model_of(wide)
    keys, offsets = batch()
    found = sensitivities(model, [(keys, offsets)])["all"]
    np.testing.assert_array_equal(found.groups, OF_FEATURE)
    width = 4 + wide
    expected = np.zeros((2, width, width))
    for row in range(6):
        vectors = model.deep(model.deep.encode(keys, offsets)).detach()[row].requires_grad_()
        [gradient] = torch.autograd.grad(model.dense(vectors[None]).sum(), [vectors])
        chance = float(torch.sigmoid(model(keys, offsets)[row]).detach())
        for feature, length in ((0, 1), (1, int(offsets[7 + row] - offsets[6 + row]))):
            part = gradient.view(2, 4)[feature].numpy().astype(np.float64)
            by_key = np.append(part, 1.0)[:width] / max(length, 1)
            expected[feature] += chance * (1 - chance) * np.outer(by_key, by_key)
    np.testing.assert_allclose(found.metrics, expected, rtol=1e-4)


def test_batches_add_up_and_the_model_stays_as_it_was() -> None:
    model = model_of(wide=True)
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    once = sensitivities(model, [batch()])["all"].metrics
    twice = sensitivities(model, [batch(), batch()])["all"].metrics
    np.testing.assert_allclose(twice, 2 * once)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("wide", [True, False])
def test_predictions_move_less_than_with_rows_that_are_merely_near(wide: bool) -> None:
    model = model_of(wide, (Tier(60, 32, 8),))
    keys = torch.cat([torch.arange(30), torch.arange(30, 60)])
    offsets = torch.arange(61)
    listening = sensitivities(model, [(keys, offsets)])
    target = model(keys, offsets).detach()
    errors = [
        float((pack_model(model, how)(keys, offsets).detach() - target).square().mean())
        for how in (None, listening)
    ]
    assert errors[1] < 0.7 * errors[0]
