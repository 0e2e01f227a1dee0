"""The dense layers above the embeddings."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from hybridhash.errors import InvalidValueError


def dense_layers(
    num_inputs: int, hidden: Sequence[int], generator: torch.Generator | None = None
) -> nn.Sequential:
    """Return linear layers with ReLU between them, the last giving one logit.

    Weights and biases are uniform in +-1/sqrt(inputs of the layer), torch's own default.

    Args:
        num_inputs: Width of the input.
        hidden: Widths of the hidden layers.
        generator: Source of the initial values; torch's default if not given.

    Returns:
        A module float[B, num_inputs] -> float[B, 1].

    Raises:
        InvalidValueError: A width below one.
    """
    if num_inputs < 1 or any(width < 1 for width in hidden):
        raise InvalidValueError(
            f"hidden: expected widths of 1 or more, got {num_inputs} inputs and {list(hidden)}"
        )
    layers: list[nn.Module] = []
    widths = [num_inputs, *hidden, 1]
    for before, after in pairwise(widths):
        # Not nn.Linear(...): that draws from torch's default generator, which is not ours to move.
        linear = nn.utils.skip_init(nn.Linear, before, after)  # type: ignore[no-untyped-call]
        bound = 1 / math.sqrt(before)
        with torch.no_grad():
            for parameter in (linear.weight, linear.bias):
                parameter.uniform_(-bound, bound, generator=generator)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
