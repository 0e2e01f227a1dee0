"""Ranks that train one table together: their batches and gradients, brought together inside the backward pass."""

import weakref
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn

from hybridhash.errors import InvalidValueError


class BatchOfAll(NamedTuple):
    """The bags of all ranks, in the order of the ranks.

    Attributes:
        keys: int64[N].
        offsets: int64[B + 1].
        weights: float[N], or None.
        grad: float[B, D], the gradients of the pooled vectors, divided by the number of ranks.
    """

    keys: Tensor
    offsets: Tensor
    weights: Tensor | None
    grad: Tensor


_LAST: Final[weakref.WeakKeyDictionary[nn.Module, Any]] = weakref.WeakKeyDictionary()


def group_of_replicas(bag: nn.Module) -> Any:
    """Return the process group of the ``DistributedDataParallel`` whose forward pass runs; None if none runs.

    Within a backward pass it is that of the last forward pass of the bag, for what a checkpoint computes again and
    what was compiled.

    Args:
        bag: Whose rows are replicated.

    Raises:
        InvalidValueError: It runs within ``join()``, in which a rank without a batch goes on without a backward pass.
    """
    if not dist.is_available() or not dist.is_initialized():
        return None
    if torch._C._current_graph_task_id() != -1:
        return _LAST.get(bag)
    active = nn.parallel.DistributedDataParallel._get_active_ddp_module()  # type: ignore[no-untyped-call]
    if active is None or dist.get_world_size(active.process_group) == 1:
        _LAST.pop(bag, None)
        return None
    if active._join_config.enable and not active._join_config.throw_on_early_termination:
        raise InvalidValueError(
            "optimizer: expected as many batches on every rank, for all replicas of a bag take part in each of its "
            "steps, got join(); use join(throw_on_early_termination=True)"
        )
    _LAST[bag] = active.process_group
    return active.process_group


def gather_batch(
    group: Any, keys: Tensor, offsets: Tensor, weights: Tensor | None, grad: Tensor
) -> BatchOfAll:
    """Bring the batches of all ranks together, however many bags each has.

    All ranks must come here, and all return the same. The gradients are averaged over the ranks, as
    ``DistributedDataParallel`` averages those of other parameters.

    Args:
        group: The process group.
        keys: int64[N] of this rank.
        offsets: int64[B + 1].
        weights: float[N]; a rank without has weights of 1 where another has some.
        grad: float[B, D], the gradient of the pooled vectors.
    """
    sizes = torch.tensor([keys.numel(), grad.shape[0], weights is not None], device=keys.device)
    num_keys, num_bags, weighted = torch.stack(_gather(group, sizes)).T.tolist()
    if any(weighted) and weights is None:
        weights = grad.new_ones(keys.numel())
    lengths = _join(group, offsets.diff(), num_bags)
    return BatchOfAll(
        _join(group, keys, num_keys),
        nn.functional.pad(lengths.cumsum(0), (1, 0)),
        None if weights is None else _join(group, weights, num_keys),
        _join(group, grad, num_bags) / len(num_bags),
    )


def _gather(group: Any, mine: Tensor) -> list[Tensor]:
    """Return what each rank has, which has the same shape on all."""
    of_ranks = [torch.empty_like(mine) for _ in range(dist.get_world_size(group))]
    dist.all_gather(of_ranks, mine.contiguous(), group=group)
    return of_ranks


def _join(group: Any, mine: Tensor, num_lines: Sequence[int]) -> Tensor:
    """Put the lines of all ranks below each other; on the way each rank has as many as that with the most."""
    filled = mine.new_zeros(max(num_lines), *mine.shape[1:])
    filled[: mine.shape[0]] = mine
    of_ranks = _gather(group, filled)
    return torch.cat([lines[:number] for lines, number in zip(of_ranks, num_lines, strict=True)])


def clear_gradients(*parameters: Tensor) -> None:
    """Take away, when this backward pass is over, the zeros that ``DistributedDataParallel`` leaves as gradients.

    It fills in a gradient for each parameter that had none, and a torch optimizer with weight decay would move rows
    that had no part in the batch.
    """

    def clear() -> None:
        for parameter in parameters:
            if parameter.grad is not None and not parameter.grad.any():
                parameter.grad = None

    def wait() -> None:  # until what was put in line before has run, which fills the gradients in
        engine.queue_callback(clear)

    engine: Any = torch.autograd.Variable._execution_engine
    engine.queue_callback(wait)
