"""Curvature of the log loss by the vectors of a bag, against gradients taken one example at a time."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hybridhash.embeddings import EmbeddingBag, measure_sensitivity, pack
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import Ribbon
from hybridhash.optim import SGD
from hybridhash.spec import Mode, TableSpec, Tier
from hybridhash.tables import Blueprint
from hybridhash.vocabulary import Vocabulary

KEYS = np.arange(60)
FEATURES = np.repeat([0, 1], 30)
BATCH = (
    torch.tensor([3, 40, 41, 5, 42, 7, 99]),
    torch.tensor([0, 1, 3, 4, 5, 6, 6]),
)  # user, tags; user, tags; ...


class Model(nn.Module):
    """Two features, user and tags, bag after bag of one example."""

    def __init__(self, mode: Mode, optimizer: SGD | None = None, tiers: tuple[Tier, ...] = ()) -> None:
        super().__init__()
        torch.manual_seed(0)
        blueprint = Blueprint(TableSpec(60, 3, 4, tiers=tiers), Vocabulary(KEYS), ("user", "tags"), FEATURES)
        self.bag = EmbeddingBag(blueprint, mode=mode, optimizer=optimizer, init_std=1.0)
        self.dense = nn.Sequential(nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 1))

    def forward(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        logits: Tensor = self.dense(self.bag(*batch).view(-1, 8)).squeeze(1)
        return logits


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_metrics_are_those_of_gradients_one_example_at_a_time(mode: Mode) -> None:
    """The last bag is empty, the one before holds a key that is not known: neither belongs to a feature."""
    model = Model(mode, optimizer=SGD(0.5))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = measure_sensitivity(model.bag, model, [(BATCH[0], torch.cat([BATCH[1], torch.tensor([7])]))])
    expected = np.zeros((2, 4, 4))
    vectors = model.bag(BATCH[0], torch.cat([BATCH[1], torch.tensor([7])])).detach().view(4, 8)
    for example, (user, tags, length) in enumerate([(0, 1, 2), (0, 1, 1), (0, None, 1), (None, None, 1)]):
        leaf = vectors[example].clone().requires_grad_()
        logit = model.dense(leaf[None]).sum()
        [gradient] = torch.autograd.grad(logit, [leaf])
        chance = float(torch.sigmoid(logit.detach()))
        for feature, part, size in ((user, gradient[:4], 1), (tags, gradient[4:], length)):
            if feature is not None:
                row = part.double().numpy() / (size if mode == "mean" else 1)
                expected[feature] += chance * (1 - chance) * np.outer(row, row)
    np.testing.assert_allclose(found.metrics, expected, rtol=1e-5)
    np.testing.assert_array_equal(found.groups, FEATURES)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model.bag._forward_hooks


def test_shared_rows_chosen_with_it_move_the_logits_less() -> None:
    model = Model("sum", tiers=(Tier(60, 32, 8, Ribbon(8)),))
    generator = np.random.default_rng(0)
    users, tags = generator.integers(0, 30, 500), generator.integers(30, 60, 500)
    keys = torch.from_numpy(np.stack([users, tags], axis=1))
    target = model.dense(model.bag(keys.view(-1, 1)).view(-1, 8)).detach()

    def logits(keys: Tensor) -> Tensor:
        found: Tensor = model.dense(model.bag(keys.view(-1, 1)).view(-1, 8))
        return found

    errors = []
    for sensitivity in (None, measure_sensitivity(model.bag, logits, keys.split(100))):
        table = pack(model.bag, sensitivity)
        vectors = torch.from_numpy(table.vectors(keys.numpy())).view(-1, 8)
        errors.append(float((model.dense(vectors) - target).detach().square().mean()))
    assert errors[1] < 0.8 * errors[0]


def test_what_says_nothing_is_refused() -> None:
    model = Model("sum")
    with pytest.raises(InvalidValueError, match="got some that do not depend on it"):
        measure_sensitivity(model.bag, lambda _: model.dense(torch.ones(1, 8)), [BATCH])
    strangers = torch.arange(100, 104), torch.arange(4)
    with pytest.raises(InvalidValueError, match="expected examples whose keys are among those of the bag"):
        measure_sensitivity(model.bag, model, [strangers])
    with pytest.raises(InvalidTypeError, match=r"expected a hybridhash.EmbeddingBag, got Linear"):
        measure_sensitivity(nn.Linear(1, 1), model, [BATCH])  # type: ignore[arg-type]
