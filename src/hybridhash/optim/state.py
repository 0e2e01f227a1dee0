"""The state that a fused optimizer keeps beside the rows."""

import torch
from torch import Tensor, nn

from hybridhash.kernels import cpu
from hybridhash.optim.rules import FusedOptimizer


class OptimizerState(nn.Module):
    """Arrays beside a head and a tail, and the number of steps; all in the ``state_dict``.

    Args:
        optimizer: The rule.
        head: float[positions, D].
        tail: float[M, bucket_dim].
    """

    step: Tensor

    def __init__(self, optimizer: FusedOptimizer, head: Tensor, tail: Tensor) -> None:
        """Make the arrays."""
        super().__init__()
        self.optimizer = optimizer
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        for name, rows in (("head", head), ("tail", tail)):
            for index, shape in enumerate(optimizer.states):
                size = rows.shape if shape == "float" else rows.shape[:1]
                state = cpu.empty_rows(size, torch.float32).fill_(optimizer.initial)
                self.register_buffer(f"{name}{index}", state)

    def of(self, part: str) -> list[Tensor]:
        """Return the arrays of ``head`` or ``tail``."""
        return [getattr(self, f"{part}{index}") for index in range(len(self.optimizer.states))]

    def next_numbers(self) -> dict[str, float]:
        """Count a step and return the numbers that it is made with."""
        self.step += 1
        return self.optimizer.numbers(int(self.step))
