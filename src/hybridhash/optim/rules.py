"""Optimizers that move the rows of a bag inside its backward pass.

Only the rows of a batch move, and the gradients of a row are summed first, so a step equals that of torch's
optimizer of the same name on coalesced sparse gradients (Adam: ``torch.optim.SparseAdam``).

A step is made by every backward pass through a bag: by each of several whose gradients a torch optimizer would
accumulate, for each use of the bag in a forward pass, and by scaled gradients under ``GradScaler``; clipping sees no
gradient of rows. ``docs/bags.md`` says what to do in each case.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from hybridhash.errors import InvalidValueError

StateShape = Literal["float", "row"]


def _check(name: str, value: float) -> None:
    if not 0 <= value < math.inf:
        raise InvalidValueError(f"{name}: expected a finite number, 0 or more, got {value}")


@dataclass(frozen=True)
class FusedOptimizer:
    """What all rules have.

    Attributes:
        lr: Learning rate, 0 or more, as schedules may end at 0; above 0 with `FTRL`.
        weight_decay: Times the row, added to its gradient, when the row moves.
        rule: The name of the rule in the engines.
        states: What the rule keeps beside the rows: arrays of one float for each float, or of one for each row.
    """

    lr: float
    weight_decay: float = 0.0

    rule: ClassVar[str]
    states: ClassVar[tuple[StateShape, ...]] = ()

    def __post_init__(self) -> None:
        """Refuse numbers that no step can be made with."""
        _check("lr", self.lr)
        _check("weight_decay", self.weight_decay)

    @property
    def initial(self) -> float:
        """What the state holds before the first step."""
        return 0.0

    def numbers(self, step: int) -> dict[str, float]:
        """Return the numbers of a step, by the names that the rule has for them in the engines.

        Args:
            step: The number of this step, from 1.
        """
        return {"lr": self.lr, "weight_decay": self.weight_decay}


@dataclass(frozen=True)
class SGD(FusedOptimizer):
    """``row -= lr * gradient``, as ``torch.optim.SGD`` without momentum."""

    rule: ClassVar[str] = "sgd"


@dataclass(frozen=True)
class Adagrad(FusedOptimizer):
    """Each float's step shrinks with the sum of its squared gradients, as ``torch.optim.Adagrad``.

    Attributes:
        eps: Added to the root of the sum.
        initial_accumulator_value: What the sums start from.
    """

    eps: float = 1e-10
    initial_accumulator_value: float = 0.0

    rule: ClassVar[str] = "adagrad"
    states: ClassVar[tuple[StateShape, ...]] = ("float",)

    def __post_init__(self) -> None:
        """Refuse numbers that no step can be made with."""
        super().__post_init__()
        _check("eps", self.eps)
        _check("initial_accumulator_value", self.initial_accumulator_value)

    @property
    def initial(self) -> float:
        """What the sums start from."""
        return self.initial_accumulator_value

    def numbers(self, step: int) -> dict[str, float]:
        """See `FusedOptimizer.numbers`."""
        return super().numbers(step) | {"eps": self.eps}


@dataclass(frozen=True)
class RowWiseAdagrad(Adagrad):
    """Adagrad with one sum per row, of the mean squared gradient of its floats: state of 4 bytes a row."""

    rule: ClassVar[str] = "rowwise_adagrad"
    states: ClassVar[tuple[StateShape, ...]] = ("row",)


@dataclass(frozen=True)
class Adam(FusedOptimizer):
    """Adam on the rows of the batch only, as ``torch.optim.SparseAdam``.

    Attributes:
        betas: Decay of the first and second moment, per step in which a row moves.
        eps: Added to the root of the second moment.
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    rule: ClassVar[str] = "adam"
    states: ClassVar[tuple[StateShape, ...]] = ("float", "float")

    def __post_init__(self) -> None:
        """Refuse numbers that no step can be made with."""
        super().__post_init__()
        if not all(0 <= beta < 1 for beta in self.betas):
            raise InvalidValueError(f"betas: expected two numbers in [0, 1), got {self.betas}")
        _check("eps", self.eps)

    def numbers(self, step: int) -> dict[str, float]:
        """See `FusedOptimizer.numbers`; the learning rate is bias corrected, the shares are those of a gradient."""
        first, second = self.betas
        return {
            "step_size": self.lr * math.sqrt(1 - second**step) / (1 - first**step),
            "weight_decay": self.weight_decay,
            "eps": self.eps,
            "first_share": 1 - first,
            "second_share": 1 - second,
        }


@dataclass(frozen=True)
class RowWiseAdam(Adam):
    """Adam with one second moment per row, of the mean squared gradient of its floats.

    Its state takes half the bytes of that of `Adam`, and 4 bytes a row. Rows of one float move as by `Adam`.
    """

    rule: ClassVar[str] = "rowwise_adam"
    states: ClassVar[tuple[StateShape, ...]] = ("float", "row")


@dataclass(frozen=True)
class FTRL(FusedOptimizer):
    """Follow the regularised leader, per coordinate, for wide weights; ``weight_decay`` is not used.

    Attributes:
        l1: Weights of smaller accumulated gradient are exactly zero.
        l2: Shrinks weights towards zero.
        beta: Smooths the first steps.

    Source: McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, algorithm 1.
    """

    l1: float = 0.0
    l2: float = 0.0
    beta: float = 1.0

    rule: ClassVar[str] = "ftrl"
    states: ClassVar[tuple[StateShape, ...]] = ("float", "float")

    def __post_init__(self) -> None:
        """Refuse numbers that no step can be made with."""
        super().__post_init__()
        if not self.lr:
            raise InvalidValueError(
                "lr: expected a finite number above 0 with FTRL, got 0; rest by requires_grad_(False)"
            )
        if self.weight_decay:
            raise InvalidValueError(f"weight_decay: expected 0 with FTRL, got {self.weight_decay}; use l2")
        for name, value in (("l1", self.l1), ("l2", self.l2), ("beta", self.beta)):
            _check(name, value)

    def numbers(self, step: int) -> dict[str, float]:
        """See `FusedOptimizer.numbers`."""
        return {"lr": self.lr, "l1": self.l1, "l2": self.l2, "beta": self.beta}
