"""The dense layers are torch's own, drawn from a generator of one's own."""

import math

import pytest
import torch
from torch import nn

from hybridhash.errors import InvalidValueError
from hybridhash.models import dense_layers


@pytest.mark.parametrize("hidden", [(), (5,), (16, 8)])
def test_linear_layers_with_relu_between(hidden: tuple[int, ...]) -> None:
    layers = dense_layers(7, hidden)
    widths = [7, *hidden, 1]
    assert [type(layer) for layer in layers] == ([nn.Linear, nn.ReLU] * len(widths))[: 2 * len(hidden) + 1]
    assert [tuple(layer.weight.shape) for layer in layers[::2]] == list(zip(widths[1:], widths, strict=False))
    assert layers(torch.zeros(3, 7)).shape == (3, 1)


def test_it_computes_what_is_written_by_hand() -> None:
    layers = dense_layers(2, (2,))
    with torch.no_grad():
        layers[0].weight.copy_(torch.tensor([[1.0, 2.0], [-1.0, 0.0]]))
        layers[0].bias.copy_(torch.tensor([0.5, 0.0]))
        layers[2].weight.copy_(torch.tensor([[10.0, 100.0]]))
        layers[2].bias.fill_(-1.0)
    assert layers(torch.tensor([[1.0, 1.0], [-2.0, 0.0]])).tolist() == [[34.0], [199.0]]


def test_initial_values_are_uniform_within_torchs_bound() -> None:
    """Standard deviation bound / sqrt(3), and values near both ends."""
    layers = dense_layers(100, (400,), torch.Generator().manual_seed(0))
    for linear, num_inputs in ((layers[0], 100), (layers[2], 400)):
        bound = 1 / math.sqrt(num_inputs)
        weight = linear.weight.detach()
        assert -bound <= float(weight.min()) < -0.98 * bound
        assert 0.98 * bound < float(weight.max()) <= bound
        assert abs(float(weight.std()) * math.sqrt(3) / bound - 1) < 0.1
        assert float(linear.bias.detach().abs().max()) <= bound
    assert abs(float(layers[0].weight.detach().mean())) < 0.002
    torch_layer = nn.Linear(100, 400)
    assert float(torch_layer.weight.detach().abs().max()) == pytest.approx(0.1, rel=0.01)


def test_one_seed_gives_the_same_layers_and_leaves_the_common_generator_alone() -> None:
    before = torch.get_rng_state()
    first, second, other = (dense_layers(5, (4,), torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(map(torch.equal, first.parameters(), second.parameters()))
    assert not any(map(torch.equal, first.parameters(), other.parameters()))


@pytest.mark.parametrize(
    ("num_inputs", "hidden", "message"),
    [
        (0, (4,), r"got 0 inputs and \[4\]"),
        (4, (3, 0), r"got 4 inputs and \[3, 0\]"),
        (0, (), r"got 0 inputs"),
    ],
)
def test_widths_that_are_refused(num_inputs: int, hidden: tuple[int, ...], message: str) -> None:
    with pytest.raises(InvalidValueError, match=f"hidden: expected widths of 1 or more, {message}"):
        dense_layers(num_inputs, hidden)
