"""Bags whose backward pass may move their rows: when it does, when it is refused, and as one operator when compiled."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn

from hybridhash.embeddings.base import BaseEmbeddingBag, KeyRows
from hybridhash.embeddings.inputs import BagInput
from hybridhash.errors import InvalidValueError
from hybridhash.kernels import Engine, is_transformed
from hybridhash.optim import OptimizerState
from hybridhash.optim.compiled import number_of, pool_and_step_compiled
from hybridhash.optim.replicas import group_of_replicas
from hybridhash.optim.steps import Table, pool_and_step


class SteppingBag(BaseEmbeddingBag):
    """What a bag with a fused optimizer does beside pooling.

    Attributes:
        head: float[positions, D].
        tail: float[M, bucket_dim].
        optimizer_state: None without a fused optimizer.
    """

    head: nn.Parameter
    tail: nn.Parameter
    optimizer_state: OptimizerState | None

    @abstractmethod
    def table(self, engine: Engine) -> Table:
        """Return the rows with their optimizer, as a fused step takes them.

        Args:
            engine: That computes.
        """

    def begin_steps(self) -> None:
        """Take in the rows that the constructor has made."""
        self._anchor = torch.zeros((), requires_grad=True)
        self._number = number_of(self)
        self._settle()
        self.register_load_state_dict_post_hook(type(self)._settle)  # type: ignore[no-untyped-call]

    def pool_checked(self, batch: BagInput, rows: KeyRows | None = None, *, steps: bool = False) -> Tensor:
        """Pool as `BaseEmbeddingBag.pool_checked` says; what is compiled holds a fused optimizer as one operator."""
        steps = self.steps_in_backward()
        if steps and torch.compiler.is_compiling():
            return pool_and_step_compiled(self.head, self.tail, self._anchor, self._number, *batch)
        if self.optimizer_state is not None and not steps and not torch.compiler.is_compiling():
            group_of_replicas(self)  # a checkpoint makes its first pass without gradients
        return super().pool_checked(batch, rows, steps=steps)

    def pool_with_step(self, engine: Engine, batch: BagInput, rows: KeyRows) -> Tensor:
        """Pool the vectors of each bag; the backward pass moves the rows.

        Args:
            engine: That found the rows.
            batch: N keys in B bags.
            rows: Of the keys.

        Returns:
            float[B, D].

        Raises:
            InvalidValueError: The steps would be lost.
        """
        self._check_that_steps_are_kept()
        keys, offsets, weights = batch
        return pool_and_step(self.table(engine), keys, rows, offsets, weights, group_of_replicas(self))

    def steps_in_backward(self) -> bool:
        """Whether a forward pass now is one whose backward pass moves rows: not of a frozen bag, nor for an export."""
        return (
            self.optimizer_state is not None
            and torch.is_grad_enabled()
            and (self.head.requires_grad or self.tail.requires_grad)
            and not torch.compiler.is_exporting()
        )

    def pool_rows(self, keys: Tensor, offsets: Tensor, weights: Tensor | None) -> Tensor:
        """Pool for the operator of `hybridhash.optim.compiled`, when what was compiled runs.

        Args:
            keys: int64[N].
            offsets: int64[B + 1].
            weights: float[N], or None.

        Returns:
            float[B, D].
        """
        self._check_that_steps_are_kept()
        with torch.no_grad():
            return self.pool_checked(BagInput(keys, offsets, weights))

    def step_rows(self, keys: Tensor, offsets: Tensor, weights: Tensor | None, grad: Tensor) -> Tensor | None:
        """Move the rows for the operator of `hybridhash.optim.compiled`.

        Args:
            keys: int64[N].
            offsets: int64[B + 1].
            weights: float[N], or None.
            grad: float[B, D], the gradient of the pooled vectors.

        Returns:
            float[N], the gradient of the weights, or None without.
        """
        table = self.table(self.engine_in_use())
        with torch.no_grad():
            rows = table.encode(keys)
            of_weights = None if weights is None else table.weight_gradient(rows, offsets, grad)
            table.step(
                keys,
                rows,
                offsets,
                weights,
                grad,
                moves_head=self.head.requires_grad,
                moves_tail=self.tail.requires_grad,
                group=group_of_replicas(self),
            )
        return of_weights

    def _check_that_steps_are_kept(self) -> None:
        if is_transformed():
            raise InvalidValueError(
                "optimizer: expected no transform of torch.func, such as grad or vmap, around a bag with optimizer=, "
                "whose backward pass changes its rows; build the bag without optimizer=, or use torch.no_grad()"
            )
        own = self.head is self._moved_in_steps[0] and self.tail is self._moved_in_steps[1]
        if not own or getattr(self, "_is_fsdp_managed_module", False):
            raise InvalidValueError(
                "optimizer: expected the head and tail that the bag was made with, which a step moves, got a bag under "
                "FSDP, DataParallel, a parametrization or functional_call, where steps are lost or differ from rank to "
                "rank. Build the bag without optimizer= and give its parameters to a torch optimizer, or replicate it "
                "with DistributedDataParallel; to put in other rows, copy them into bag.head.data"
            )

    def _settle(self, *_: object) -> None:
        """Take in what construction, a load or a move to another device has put in place."""
        self._moved_in_steps = self.head, self.tail

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._settle()
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._number = number_of(self)  # a copy is another bag
