"""How rows move by each optimizer's rule: one function each, registered under its name.

A function gets some rows, float[U, width], their gradients, what the optimizer keeps beside these rows, and the numbers
of the step by name. It returns the moved rows and what is kept beside them now.
"""

from collections.abc import Callable, Sequence
from typing import Final

from torch import Tensor

Moved = tuple[Tensor, Sequence[Tensor]]
Rule = Callable[..., Moved]

RULES: Final[dict[str, Rule]] = {}
"""The functions by the names of the rules, which are theirs."""


def _rule(move: Rule) -> Rule:
    RULES[move.__name__] = move
    return move


@_rule
def sgd(values: Tensor, grad: Tensor, state: Sequence[Tensor], *, lr: float, weight_decay: float) -> Moved:
    """Move against the gradient."""
    grad = grad + weight_decay * values
    return values - lr * grad, ()


@_rule
def adagrad(
    values: Tensor, grad: Tensor, state: Sequence[Tensor], *, lr: float, weight_decay: float, eps: float
) -> Moved:
    """Divide by the root of the sum of squared gradients."""
    grad = grad + weight_decay * values
    squares = state[0] + grad * grad
    return values - lr * grad / (squares.sqrt() + eps), (squares,)


@_rule
def rowwise_adagrad(
    values: Tensor, grad: Tensor, state: Sequence[Tensor], *, lr: float, weight_decay: float, eps: float
) -> Moved:
    """Divide by the root of one sum a row, of mean squared gradients."""
    grad = grad + weight_decay * values
    squares = state[0] + (grad * grad).mean(1)
    return values - (lr / (squares.sqrt() + eps))[:, None] * grad, (squares,)


@_rule
def adam(
    values: Tensor,
    grad: Tensor,
    state: Sequence[Tensor],
    *,
    step_size: float,
    weight_decay: float,
    eps: float,
    first_share: float,
    second_share: float,
) -> Moved:
    """Divide the first moment by the root of the second."""
    grad = grad + weight_decay * values
    first = state[0] + first_share * (grad - state[0])
    second = state[1] + second_share * (grad * grad - state[1])
    return values - step_size * first / (second.sqrt() + eps), (first, second)


@_rule
def rowwise_adam(
    values: Tensor,
    grad: Tensor,
    state: Sequence[Tensor],
    *,
    step_size: float,
    weight_decay: float,
    eps: float,
    first_share: float,
    second_share: float,
) -> Moved:
    """Divide the first moment by the root of one second moment a row, of mean squared gradients."""
    grad = grad + weight_decay * values
    first = state[0] + first_share * (grad - state[0])
    second = state[1] + second_share * ((grad * grad).mean(1) - state[1])
    return values - (step_size / (second.sqrt() + eps))[:, None] * first, (first, second)


@_rule
def ftrl(
    values: Tensor, grad: Tensor, state: Sequence[Tensor], *, lr: float, l1: float, l2: float, beta: float
) -> Moved:
    """Follow the regularised leader; z and n as the paper names them."""
    z, n = state
    squares = n + grad * grad
    z = z + grad - (squares.sqrt() - n.sqrt()) / lr * values
    shrunk = (z.abs() - l1).clamp_min(0) * z.sign()
    return -shrunk / ((beta + squares.sqrt()) / lr + l2), (z, squares)
