"""A bag with a fused optimizer as one operator for ``torch.compile``, which then sees neither its look-up nor its step.

An operator takes numbers and tensors, no bags: a bag has a number, by which the operators find it.
"""

import itertools
import weakref
from typing import Any, Final

import torch
from torch import Tensor

_BAGS: Final[weakref.WeakValueDictionary[int, Any]] = weakref.WeakValueDictionary()
_NUMBERS: Final = itertools.count()


def number_of(bag: Any) -> int:
    """Give a bag the number by which the operators find it while it lives.

    Args:
        bag: With the methods ``pool_rows(keys, offsets, weights)`` and ``step_rows(keys, offsets, weights, grad)``,
            which returns the gradient of the weights, or None without weights.
    """
    number = next(_NUMBERS)
    _BAGS[number] = bag
    return number


@torch.library.custom_op("hybridhash::pool_and_step", mutates_args=())
def _pool(
    head: Tensor,
    tail: Tensor,
    anchor: Tensor,
    ticket: Tensor,
    number: int,
    keys: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
) -> Tensor:
    pooled: Tensor = _BAGS[number].pool_rows(keys, offsets, weights)
    return pooled


@_pool.register_fake
def _(
    head: Tensor,
    tail: Tensor,
    anchor: Tensor,
    ticket: Tensor,
    number: int,
    keys: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
) -> Tensor:
    return head.new_empty(offsets.shape[0] - 1, head.shape[1])


@torch.library.custom_op("hybridhash::step", mutates_args=())
def _step(
    anchor: Tensor,
    ticket: Tensor,
    number: int,
    keys: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
    grad: Tensor,
) -> tuple[Tensor, Tensor]:
    of_weights = _BAGS[number].step_rows(keys, offsets, weights, grad)
    return torch.zeros_like(anchor), grad.new_empty(0) if of_weights is None else of_weights


@_step.register_fake
def _(
    anchor: Tensor,
    ticket: Tensor,
    number: int,
    keys: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
    grad: Tensor,
) -> tuple[Tensor, Tensor]:
    return torch.empty_like(anchor), grad.new_empty(0) if weights is None else torch.empty_like(weights)


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    _, _, anchor, ticket, ctx.number, keys, offsets, weights = inputs
    ctx.save_for_backward(anchor, ticket, keys, offsets, weights)


def _backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    anchor, ticket, keys, offsets, weights = ctx.saved_tensors
    of_anchor, of_weights = _step(anchor, ticket, ctx.number, keys, offsets, weights, grad)
    return None, None, of_anchor, None, None, None, None, None if weights is None else of_weights


_pool.register_autograd(_backward, setup_context=_setup_context)


def pool_and_step_compiled(
    head: Tensor,
    tail: Tensor,
    anchor: Tensor,
    number: int,
    keys: Tensor,
    offsets: Tensor,
    weights: Tensor | None,
) -> Tensor:
    """Pool the vectors of each bag as `hybridhash.optim.steps.pool_and_step` does, in a program that is compiled.

    Args:
        head: float[positions, D].
        tail: float[M, bucket_dim].
        anchor: float[], which requires a gradient and gets 0: what has no gradient is left out of compiled programs.
        number: The number of the bag, from `number_of`.
        keys: int64[N].
        offsets: int64[B + 1].
        weights: float[N], or None; they get a gradient.

    Returns:
        float[B, D] of the rows' dtype.
    """
    # A new tensor each time, or two uses of a bag with the same keys would be taken for one, and make one step.
    ticket = torch.empty(0)
    pooled: Tensor = _pool(head, tail, anchor, ticket, number, keys, offsets, weights)
    return pooled
