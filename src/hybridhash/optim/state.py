"""The state that a fused optimizer keeps beside the rows."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

import torch
from torch import Tensor, nn

from hybridhash.kernels import cpu
from hybridhash.optim.rules import FusedOptimizer


class OptimizerState(nn.Module):
    """Arrays beside a head and a tail, and the number of steps; all in the ``state_dict``.

    The arrays are float32 whatever the rows are, also after ``.half()`` or ``.to(dtype)``: in a half type a sum of
    squared gradients stands still at a few hundred.

    Args:
        optimizer: The rule.
        head: float[positions, D].
        tail: float[M, bucket_dim].
    """

    step: Tensor

    def __init__(self, optimizer: FusedOptimizer, head: Tensor, tail: Tensor) -> None:
        super().__init__()
        self.optimizer = optimizer
        self.register_buffer("step", torch.zeros((), dtype=torch.int64, device=head.device))
        for name, rows in (("head", head), ("tail", tail)):
            for index, shape in enumerate(optimizer.states):
                size = rows.shape if shape == "float" else rows.shape[:1]
                self.register_buffer(f"{name}{index}", cpu.empty_rows(size, torch.float32, rows.device))
        self.reset()

    def reset(self) -> None:
        """Forget all steps."""
        self.step.zero_()
        for part in ("head", "tail"):
            for array in self.of(part):
                array.fill_(self.optimizer.initial)

    def of(self, part: str) -> list[Tensor]:
        """Return the arrays of ``head`` or ``tail``."""
        return [getattr(self, f"{part}{index}") for index in range(len(self.optimizer.states))]

    @property
    def lr(self) -> float:
        """The learning rate of the next step; set it to follow a schedule.

        It is no part of the ``state_dict``, as no number of the rule is: a schedule that goes on sets it again.

        Raises:
            InvalidValueError: It is set to what the rule cannot have.
        """
        return self.optimizer.lr

    @lr.setter
    def lr(self, value: float) -> None:
        self.optimizer = replace(self.optimizer, lr=float(value))

    def next_numbers(self) -> dict[str, float]:
        """Count a step and return the numbers that it is made with."""
        return self.optimizer.numbers(int(self.step.add_(1)))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        before = dict(self.named_buffers(recurse=False))
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for name, array in before.items():
            moved = getattr(self, name)
            if moved.dtype != array.dtype:  # from the array itself, which has not been rounded
                setattr(self, name, array.to(moved.device))
        return self

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *others: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *others)
        for part in ("head", "tail"):
            for index, array in enumerate(self.of(part)):
                if array.dtype != torch.float32:  # as a load with assign=True leaves it
                    setattr(self, f"{part}{index}", array.float())


def set_lr(model: nn.Module, lr: float) -> None:
    """Set the learning rate of the next step of every fused optimizer in a model, as a schedule gives it.

    Args:
        model: With bags, collections or whatever holds some.
        lr: 0 or more.

    Raises:
        InvalidValueError: A rule cannot have it.

    Example:
        >>> from torch.optim.lr_scheduler import LinearLR
        >>> schedule = LinearLR(torch.optim.SGD([torch.zeros(1)], lr=0.1))  # of the dense layers
        >>> set_lr(nn.Linear(2, 1), schedule.get_last_lr()[0])
    """
    for module in model.modules():
        if isinstance(module, OptimizerState):
            module.lr = lr
