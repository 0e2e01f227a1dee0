"""`EmbeddingBag`: a head of rows that belong to one key each, and a tail of shared rows; all methods are such bags."""

import math
from collections.abc import Callable
from typing import Any, Final, NoReturn, Protocol, Self, cast

import torch
from torch import Tensor, nn

from hybridhash.embeddings.base import BaseEmbeddingBag, KeyRows
from hybridhash.embeddings.encoder import RowEncoder
from hybridhash.embeddings.inputs import BagInput
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.kernels import Engine, Request, empty_rows, is_transformed, reference
from hybridhash.optim import FusedOptimizer, OptimizerState
from hybridhash.optim.compiled import number_of, pool_and_step_compiled
from hybridhash.optim.replicas import group_of_replicas
from hybridhash.optim.steps import Table, pool_and_step
from hybridhash.spec import Mode
from hybridhash.tables import Blueprint, KeyIndex, TrainedRows


class HasBlueprint(Protocol):
    """An object with a blueprint, such as a plan."""

    @property
    def blueprint(self) -> Blueprint:
        """The table."""


class EmbeddingBag(BaseEmbeddingBag, nn.EmbeddingBag):  # type: ignore[misc]  # there mode is a str
    """Embeds bags of int64 keys, with the contract of ``nn.EmbeddingBag``.

    Any key is legal: a key outside the vocabulary reads tail rows. If every key of a batch is in the
    head, outputs and gradients equal exactly those of an ``nn.EmbeddingBag`` whose weight is ``head``.
    There is no ``weight``, ``num_embeddings``, ``max_norm``, ``norm_type``, ``scale_grad_by_freq`` or
    ``from_pretrained``: they are about rows that belong to one id. A bag is an instance of ``nn.EmbeddingBag``, because
    ``DistributedDataParallel`` and others ask for the class to learn that gradients are sparse.

    With ``optimizer``, every backward pass through the bag is a step of its rows: one for each pass where gradients are
    accumulated, one for each use in a forward pass, with whatever scale the loss has (``GradScaler``). ``docs/bags.md``
    has all that differs from a torch optimizer.

    Args:
        blueprint: The table and its keys: a `hybridhash.Plan`, or a `hybridhash.tables.Blueprint`.
        encoder: The module that says which rows a key reads; pass that of another bag to share its rows. Made if not
            given.
        mode: How the vectors of a bag become one: ``sum``, ``mean`` (as in torch, the default) or ``max``.
        include_last_offset: Whether ``offsets`` ends with the number of keys.
        padding_key: A key that stands for nothing: not summed, not counted, never trained.
        sparse: Whether gradients are sparse tensors (not with ``max``).
        engine: ``reference`` (plain torch), ``cpu`` (compiled), or ``auto``: the compiled one where device and
            dtype allow it; `hybridhash.kernels.register_engine` adds others. The engines agree within rounding;
            only ``reference`` has exactly the gradients of ``nn.EmbeddingBag``, whose order of summation it shares.
        optimizer: Moves the rows inside the backward pass (`hybridhash.optim`); the parameters then take no
            gradient and belong to no torch optimizer. None leaves gradients to torch.
        init_std: Standard deviation of each float of a key's initial vector; it holds for head and tail
            vectors alike and does not depend on the number of rows.
        generator: Source of the initial values; torch's default if not given.
        device: The device of all tensors, those of ``encoder`` among them; torch's default if not given.
        dtype: The type of the rows, a type of floats; torch's default if not given.

    Raises:
        InvalidTypeError: ``blueprint`` is neither a plan nor a blueprint, or ``dtype`` is no type of floats.
        InvalidValueError: An encoder of another table, an unknown mode, ``sparse`` with ``max``, a negative
            ``init_std``, or a ``padding_key`` outside int64. In a forward pass with an optimizer: rows whose steps
            would be lost, as under FSDP, or a transform of ``torch.func``. In a backward pass (`DivergedError`): a
            gradient that is not finite.

    Shape:
        keys int64[N] with offsets int64[B] (or [B + 1]), or keys int64[B, L]; returns float[B, D].

    Example:
        >>> import numpy as np
        >>> from hybridhash import Vocabulary
        >>> from hybridhash.spec import TableSpec
        >>> blueprint = Blueprint(TableSpec(2, 5, 4), Vocabulary(np.array([7, 9])))
        >>> EmbeddingBag(blueprint, mode="sum")(torch.tensor([[7, 9], [7, 1]])).shape
        torch.Size([2, 4])
    """

    def __init__(
        self,
        blueprint: Blueprint | HasBlueprint,
        *,
        encoder: RowEncoder | None = None,
        mode: Mode = "mean",
        include_last_offset: bool = False,
        padding_key: int | None = None,
        sparse: bool = False,
        engine: str = "auto",
        optimizer: FusedOptimizer | None = None,
        init_std: float = 0.01,
        generator: torch.Generator | None = None,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        found = blueprint_of(blueprint)
        spec = found.spec
        super().__init__(
            spec,
            RowEncoder(KeyIndex.in_training(found)) if encoder is None else encoder,
            mode=mode,
            include_last_offset=include_last_offset,
            padding_key=padding_key,
            engine=engine,
        )
        if optimizer is not None and (mode == "max" or sparse):
            raise InvalidValueError(
                "optimizer: expected mode 'sum' or 'mean' and no sparse gradients with a fused optimizer, got "
                f"mode {mode!r}, sparse={sparse}"
            )
        if sparse and mode == "max":
            raise InvalidValueError("sparse: expected False with mode 'max', which has dense gradients only")
        if not init_std >= 0:
            raise InvalidValueError(f"init_std: expected 0 or more, got {init_std}")
        if dtype is not None and not dtype.is_floating_point:
            raise InvalidTypeError(f"dtype: expected a type of floats, got {dtype}")
        self.blueprint: Final = found
        self.sparse = sparse
        self.init_std: Final = init_std
        self.head = nn.Parameter(empty_rows((spec.num_positions, spec.dim), dtype, device))
        self.tail = nn.Parameter(empty_rows((spec.num_buckets, spec.bucket_dim), dtype, device))
        self.encoder.to(self.head.device)
        self.optimizer_state = None if optimizer is None else OptimizerState(optimizer, self.head, self.tail)
        self._anchor = torch.zeros((), requires_grad=True)
        self._number = number_of(self)
        self._padding_row: int | None
        self._settle()
        self.register_load_state_dict_post_hook(EmbeddingBag._settle)  # type: ignore[no-untyped-call]
        self.reset_parameters(init_std, generator)

    def reset_parameters(
        self, init_std: float | None = None, generator: torch.Generator | None = None
    ) -> None:
        """Draw all rows anew from normal distributions with mean 0; a fused optimizer forgets its steps.

        A tail of a single row starts at zero: it stands for every unseen key and so says nothing of any.

        Args:
            init_std: Standard deviation of each float of a key's vector, that of the constructor if not given; a tail
                row is scaled so that the combined vector has it.
            generator: Source of the values; torch's default if not given.
        """
        init_std = self.init_std if init_std is None else init_std
        if self.optimizer_state is not None:
            self.optimizer_state.reset()
        per_row = {
            "sum": 1 / math.sqrt(self.spec.num_hashes),
            "mean": math.sqrt(self.spec.num_hashes),
            "concat": 1,
        }
        with torch.no_grad():
            if init_std == 0:  # nothing to draw: the generator stays where it is
                self.head.zero_()
                self.tail.zero_()
                return
            self.head.normal_(mean=0.0, std=init_std, generator=generator)
            self.tail.normal_(mean=0.0, std=init_std * per_row[self.spec.combine], generator=generator)
            if self.spec.num_buckets == 1:
                self.tail.zero_()

    @classmethod
    def from_pretrained(cls, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse, since a weight does not say which key each of its rows belongs to; load a ``state_dict`` instead.

        Raises:
            InvalidTypeError: Always.
        """
        raise InvalidTypeError(
            f"from_pretrained: expected {cls.__name__}(...) and load_state_dict, got a weight; a weight with a row for "
            "each id does not say whose rows they are"
        )

    def pool_checked(self, batch: BagInput, rows: KeyRows | None = None, *, steps: bool = False) -> Tensor:
        """Pool as `BaseEmbeddingBag.pool_checked` says; in a compiled program a fused optimizer is one operator."""
        steps = self.steps_in_backward()
        if steps and torch.compiler.is_compiling():
            return pool_and_step_compiled(self.head, self.tail, self._anchor, self._number, *batch)
        if self.optimizer_state is not None and not steps and not torch.compiler.is_compiling():
            group_of_replicas(self)  # a checkpoint makes its first pass without gradients
        return super().pool_checked(batch, rows, steps=steps)

    def pool(self, engine: Engine, batch: BagInput, rows: KeyRows, *, steps: bool) -> Tensor:
        """Pool as `BaseEmbeddingBag.pool` says."""
        if steps:
            self._check_that_steps_are_kept()
            keys, offsets, weights = batch
            return pool_and_step(self.table(engine), keys, rows, offsets, weights, group_of_replicas(self))
        return engine.embedding_bag(
            self.head,
            self.tail,
            rows,
            batch.offsets,
            combine=self.spec.combine,
            mode=self.mode,
            per_sample_weights=batch.weights,
            sparse=self.sparse,
            padding_row=self._padding_row,
        )

    def steps_in_backward(self) -> bool:
        """Whether the backward pass of a forward pass now would move rows; not in a frozen bag, nor in an export."""
        return (
            self.optimizer_state is not None
            and torch.is_grad_enabled()
            and (self.head.requires_grad or self.tail.requires_grad)
            and not torch.compiler.is_exporting()
        )

    def table(self, engine: Engine) -> Table:
        """Return the rows with their optimizer, as a fused step takes them.

        Args:
            engine: That computes.
        """
        return Table(
            self.head,
            self.tail,
            cast(OptimizerState, self.optimizer_state),
            engine,
            self.encode,
            self.spec.combine,
            self.mode,
            self._padding_row,
        )

    def request(self) -> Request:
        """Return what the engine must be able to run."""
        return Request(
            self.head.device,
            self.head.dtype,
            self.spec.num_hashes,
            self.encoder.num_dictionaries,
            self.encoder.kinds,
            0 if self.optimizer_state is None else self.spec.dim,
            None if self.optimizer_state is None else self.optimizer_state.optimizer.rule,
        )

    def trained_rows(self) -> TrainedRows:
        """Return the rows as float32 arrays, for packing."""
        head, tail = (rows.detach().cpu().float().numpy() for rows in (self.head, self.tail))
        return TrainedRows(self.spec, head, tail)

    def dense_equivalent(self, keys: Tensor) -> Tensor:
        """Return the vector of each key, its tail rows combined.

        Args:
            keys: int64[N].

        Returns:
            float[N, D]; zeros for the padding key.

        Raises:
            InvalidTypeError: The keys are not int64.
            InvalidValueError: They are not 1-D.
        """
        rows = self.encoder(keys, self.padding_key)
        return reference.key_vectors(self.head, self.tail, rows, self.spec.combine)

    @property
    def dtype(self) -> torch.dtype:
        """The type of the rows."""
        return self.head.dtype

    def extra_repr(self) -> str:
        """Say the sizes when printed."""
        spec = self.spec
        return (
            f"num_head={spec.num_head}, num_buckets={spec.num_buckets}, dim={spec.dim}, "
            f"num_hashes={spec.num_hashes}, combine={spec.combine!r}, mode={self.mode!r}"
        )

    def _made_of(self) -> dict[str, str | None]:
        rule = None if self.optimizer_state is None else self.optimizer_state.optimizer.rule
        return {**super()._made_of(), "rule": rule}

    def _settle(self, *_: object) -> None:
        """Adapt to tensors that construction, a load or a move to another device has put in place."""
        # The padding key's head row is a number that torch.export can hold.
        known = self.padding_key is not None and not self.encoder.salts.is_meta
        self._padding_row = self.encoder.head_row(cast(int, self.padding_key)) if known else None
        self._moved_in_steps = self.head, self.tail

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._settle()
        return self

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._number = number_of(self)  # a copy is another bag

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
        group_of_replicas(self)  # which the backward pass asks for again
        with torch.no_grad():
            return super().pool_checked(BagInput(keys, offsets, weights))

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


def blueprint_of(source: Blueprint | HasBlueprint) -> Blueprint:
    """Return the blueprint of a plan, or the blueprint itself.

    Raises:
        InvalidTypeError: It is neither.
    """
    found = getattr(source, "blueprint", source)
    if not isinstance(found, Blueprint):
        raise InvalidTypeError(
            f"blueprint: expected a plan from hybridhash.plan or a hybridhash.tables.Blueprint, got "
            f"{type(source).__name__}"
        )
    return found
