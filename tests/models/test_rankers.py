"""The logits are those of the formula, and keys are looked up once where rows are shared."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hybridhash import _native
from hybridhash.data import Bags, make_batch
from hybridhash.embeddings import EmbeddingCollection, RowEncoder, build_collection
from hybridhash.errors import InvalidValueError
from hybridhash.models import MLPRanker, WideDeep
from hybridhash.spec import GroupSpec, TableSpec
from hybridhash.tables import Blueprint
from hybridhash.vocabulary import Vocabulary

FEATURES = ("user", "tags", "cross")
DEEP = (GroupSpec(("user", "tags"), TableSpec(3, 13, 4, 2, "concat"), "deep"),)
COMPANION = (replace(DEEP[0], table=DEEP[0].table.companion()),)
APART = (GroupSpec(FEATURES, TableSpec(2, 9, 1), "wide"),)
BLUEPRINTS = {
    "deep": Blueprint(DEEP[0].table, Vocabulary(np.array([3, 1, 2]))),
    "wide": Blueprint(APART[0].table, Vocabulary(np.array([7, 8]))),
}


@pytest.fixture(autouse=True)
def _same_values_every_time() -> None:
    """Hidden units that all of a batch leaves at zero would have no gradient."""
    torch.manual_seed(0)


def batch() -> tuple[Tensor, Tensor]:
    made = make_batch(
        [
            Bags(np.array([1, 2, 50])),
            Bags(np.array([3, 60, 61, 1]), np.array([0, 3, 3, 4])),
            Bags(np.array([7, 9, 7])),
        ]
    )
    return torch.from_numpy(made.keys), torch.from_numpy(made.offsets)


def collection(groups: tuple[GroupSpec, ...], encoders: Any = None, **options: Any) -> EmbeddingCollection:
    return build_collection(FEATURES, groups, BLUEPRINTS, encoders=encoders, init_std=1.0, **options)


def vectors_of(part: EmbeddingCollection, name: str) -> Tensor:
    """Return the mean of a feature's vectors in each row, by a loop; zeros where it has none."""
    group, bag = next((g, b) for g, b in zip(part.groups, part.bags, strict=True) if name in g.features)
    lists = {"user": [[1], [2], [50]], "tags": [[3, 60, 61], [], [1]], "cross": [[7], [9], [7]]}[name]
    return torch.stack(
        [
            bag.dense_equivalent(torch.tensor(keys)).mean(0) if keys else torch.zeros(group.table.dim)
            for keys in lists
        ]
    )


@pytest.mark.parametrize("wide", [COMPANION, APART], ids=["companion", "apart"])
def test_wide_deep_is_the_mlp_of_the_deep_vectors_and_the_sum_of_the_wide_weights(
    wide: tuple[GroupSpec, ...],
) -> None:
    encoders: dict[Any, RowEncoder] = {}
    model = WideDeep(collection(DEEP, encoders), collection(wide, encoders), (5, 3))
    hidden = torch.cat([vectors_of(model.deep, "user"), vectors_of(model.deep, "tags")], dim=1)
    for layer in list(model.dense)[::2]:
        hidden = hidden if layer is model.dense[0] else hidden.relu()
        hidden = hidden @ layer.weight.T + layer.bias
    weights = sum(vectors_of(model.wide, name) for name in wide[0].features)
    logits = model(*batch())
    assert logits.shape == (3,)
    torch.testing.assert_close(logits, (hidden + weights)[:, 0])


def test_mlp_ranker_is_the_mlp_of_the_vectors() -> None:
    model = MLPRanker(collection(DEEP), (5,))
    hidden = torch.cat([vectors_of(model.deep, "user"), vectors_of(model.deep, "tags")], dim=1)
    first, second = model.dense[0], model.dense[2]
    expected = (hidden @ first.weight.T + first.bias).relu() @ second.weight.T + second.bias
    torch.testing.assert_close(model(*batch()), expected[:, 0])


def test_without_hidden_layers_the_model_is_linear_in_the_vectors() -> None:
    model = MLPRanker(collection(DEEP), ())
    keys, offsets = batch()
    twice = model(keys, offsets) - model.dense[0].bias
    with torch.no_grad():
        for parameter in model.deep.parameters():
            parameter.mul_(2)
    torch.testing.assert_close(model(keys, offsets) - model.dense[0].bias, 2 * twice)


def num_lookups(monkeypatch: pytest.MonkeyPatch, model: nn.Module, *inputs: Tensor) -> int:
    """Count the lookups of one forward pass, by themselves or while pooling."""
    counted: list[str] = []

    def counting(name: str) -> Callable[..., object]:
        native = getattr(_native, name)

        def call(*arguments: object) -> object:
            counted.append(name)
            return native(*arguments)

        return call

    with monkeypatch.context() as patch:
        for name in ("encode", "encode_and_pool"):
            patch.setattr(_native, name, counting(name))
        model(*inputs)
    return len(counted)


def test_shared_rows_are_looked_up_once_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    encoders: dict[Any, RowEncoder] = {}
    shared = WideDeep(collection(DEEP, encoders), collection(COMPANION, encoders), (5,))
    twice = WideDeep(collection(DEEP), collection(COMPANION), (5,))
    twice.load_state_dict(shared.state_dict())
    assert num_lookups(monkeypatch, shared, *batch()) == 1
    assert num_lookups(monkeypatch, twice, *batch()) == 2
    assert torch.equal(shared(*batch()), twice(*batch()))


def test_every_parameter_that_a_batch_reads_is_trained() -> None:
    encoders: dict[Any, RowEncoder] = {}
    model = WideDeep(collection(DEEP, encoders), collection(COMPANION, encoders), (5,))
    model(*batch()).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.to_dense().any(), name
        assert parameter.grad.is_sparse == ("bags" in name)


def test_no_rows() -> None:
    model = WideDeep(collection(DEEP), collection(APART), (5,))
    assert model(torch.empty(0, dtype=torch.int64), torch.tensor([0])).shape == (0,)


def test_a_wide_table_of_vectors_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"wide: expected tables of dim 1, got dims \[4\]"):
        WideDeep(collection(DEEP), collection(DEEP), (5,))


@pytest.mark.parametrize(
    "make",
    [
        lambda hidden: MLPRanker(collection(DEEP), hidden),
        lambda hidden: WideDeep(collection(DEEP), collection(APART), hidden),
    ],
)
def test_a_hidden_width_of_zero_is_refused(make: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"hidden: .* got 8 inputs and \[0\]"):
        make((0,))
