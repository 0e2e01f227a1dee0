"""`EmbeddingBag`: a head of rows that belong to one key each, and a tail of shared rows; all methods are such bags."""

import math
from typing import Any, Final, NoReturn, Protocol, cast

import torch
from torch import Tensor, nn

from hybridhash.embeddings.base import KeyRows
from hybridhash.embeddings.encoder import RowEncoder
from hybridhash.embeddings.inputs import BagInput
from hybridhash.embeddings.stepping import SteppingBag
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.kernels import Engine, Request, empty_rows, reference
from hybridhash.optim import FusedOptimizer, OptimizerState
from hybridhash.optim.steps import Table
from hybridhash.spec import Mode
from hybridhash.tables import Blueprint, KeyIndex, TrainedRows


class HasBlueprint(Protocol):
    """An object with a blueprint, such as a plan."""

    @property
    def blueprint(self) -> Blueprint:
        """The table."""


class EmbeddingBag(SteppingBag, nn.EmbeddingBag):  # type: ignore[misc]  # there mode is a str
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
        self._padding_row: int | None
        self.begin_steps()
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

    def pool(self, engine: Engine, batch: BagInput, rows: KeyRows, *, steps: bool) -> Tensor:
        """Pool as `BaseEmbeddingBag.pool` says."""
        if steps:
            return self.pool_with_step(engine, batch, rows)
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
        super()._settle()


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
