"""The embedding bag that all methods are: a head of rows of their own and a tail of shared rows."""

import math
from typing import Final, Literal

import torch
from torch import Tensor, nn

from hybridhash.embeddings.base import BaseEmbeddingBag, Engine
from hybridhash.embeddings.encoder import EncodedRows, RowEncoder
from hybridhash.errors import InvalidValueError
from hybridhash.kernels import cpu, reference
from hybridhash.kernels.reference import Mode, Rows, Step
from hybridhash.optim import FusedOptimizer, OptimizerState
from hybridhash.spec import TableSpec


class KeyEmbeddingBag(BaseEmbeddingBag):
    """Embeds bags of int64 keys, with the contract of ``nn.EmbeddingBag``.

    Any key is legal: a key outside the vocabulary reads tail rows. If every key of a batch is in the
    head, outputs and gradients equal exactly those of an ``nn.EmbeddingBag`` whose weight is ``head``.
    There is no ``max_norm``, ``norm_type``, ``scale_grad_by_freq`` or ``from_pretrained``: they speak of
    rows that belong to one id. Unlike there, keys and offsets are int64 only.

    Args:
        spec: The table.
        encoder: Says which rows a key reads; pass the same one to bags that share rows.
        mode: How the vectors of a bag become one: ``sum``, ``mean`` (as in torch, the default) or ``max``.
        include_last_offset: Whether ``offsets`` ends with the number of keys.
        padding_key: A key that stands for nothing: not summed, not counted, never trained.
        sparse: Whether gradients are sparse tensors (not with ``max``).
        engine: ``reference`` (plain torch), ``cpu`` (compiled), or ``auto``: the compiled one where device and
            dtype allow it. The engines agree within rounding; only ``reference`` has exactly the gradients
            of ``nn.EmbeddingBag``, whose order of summation it shares.
        optimizer: Moves the rows inside the backward pass (`hybridhash.optim`); the parameters then take no
            gradient and belong to no torch optimizer. None leaves gradients to torch.
        init_std: Standard deviation of each float of a key's initial vector; it holds for head and tail
            vectors alike and does not depend on the number of rows.
        generator: Source of the initial values; torch's default if not given.

    Raises:
        InvalidValueError: An encoder of another table, an unknown mode, ``sparse`` with ``max``, a negative
            ``init_std``, or a ``padding_key`` outside int64.

    Shape:
        keys int64[N] with offsets int64[B] (or [B + 1]), or keys int64[B, L]; returns float[B, D].
    """

    def __init__(
        self,
        spec: TableSpec,
        encoder: RowEncoder,
        *,
        mode: Mode = "mean",
        include_last_offset: bool = False,
        padding_key: int | None = None,
        sparse: bool = False,
        engine: Engine = "auto",
        optimizer: FusedOptimizer | None = None,
        init_std: float = 0.01,
        generator: torch.Generator | None = None,
    ) -> None:
        """Make the head and tail parameters and fill them."""
        super().__init__(
            spec,
            encoder,
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
        self.sparse: Final = sparse
        self.head = nn.Parameter(cpu.empty_rows((spec.num_positions, spec.dim)))
        self.tail = nn.Parameter(cpu.empty_rows((spec.num_buckets, spec.bucket_dim)))
        self.optimizer_state = None if optimizer is None else OptimizerState(optimizer, self.head, self.tail)
        self._padding_row: int | None
        self._find_padding_row()
        self.register_load_state_dict_post_hook(KeyEmbeddingBag._find_padding_row)  # type: ignore[no-untyped-call]
        self.reset_parameters(init_std, generator)

    def reset_parameters(self, init_std: float, generator: torch.Generator | None = None) -> None:
        """Draw all rows anew from normal distributions with mean 0.

        A tail of a single row starts at zero: it stands for every unseen key and so says nothing of any.

        Args:
            init_std: Standard deviation of each float of a key's vector; a tail row is scaled so that the
                combined vector has it.
            generator: Source of the values; torch's default if not given.
        """
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

    def pool(self, rows: EncodedRows, offsets: Tensor, weights: Tensor | None) -> Tensor:
        """Pool as `BaseEmbeddingBag.pool` says; with an optimizer, the backward pass moves the rows."""
        if self.optimizer_state is not None and torch.is_grad_enabled():
            return self._pool_and_update(self.optimizer_state, rows, offsets, weights)
        return self._pool(rows, offsets, weights)

    def _pool(self, rows: EncodedRows, offsets: Tensor, weights: Tensor | None) -> Tensor:
        if not isinstance(rows, Rows):
            return cpu.embedding_bag(
                self.head,
                self.tail,
                rows,
                offsets,
                combine=self.spec.combine,
                mode=self.mode,
                per_sample_weights=weights,
                sparse=self.sparse,
            )
        return reference.embedding_bag(
            self.head,
            self.tail,
            rows,
            offsets,
            combine=self.spec.combine,
            mode=self.mode,
            per_sample_weights=weights,
            sparse=self.sparse,
            padding_row=self._padding_row,
        )

    def _pool_and_update(
        self, state: OptimizerState, rows: EncodedRows, offsets: Tensor, weights: Tensor | None
    ) -> Tensor:
        step = Step(
            self.head,
            self.tail,
            state.of("head"),
            state.of("tail"),
            state.optimizer.rule,
            state.next_numbers,
        )
        if not isinstance(rows, Rows):
            return cpu.pool_and_update(
                self.head,
                self.tail,
                rows,
                offsets,
                combine=self.spec.combine,
                mode=self.mode,
                per_sample_weights=weights,
                step=step,
            )
        return reference.pool_and_update(
            self.head,
            self.tail,
            rows,
            offsets,
            combine=self.spec.combine,
            mode=self.mode,
            per_sample_weights=weights,
            step=step,
            padding_row=self._padding_row,
        )

    def engine_in_use(self) -> Literal["reference", "cpu"]:
        """Return the engine that the rows' device and dtype, and the options, lead to.

        Raises:
            InvalidValueError: The engine that was asked for cannot run here.
        """
        head = self.head
        able = (
            head.device.type == "cpu"
            and head.dtype in cpu.ROW_DTYPES
            and self.spec.num_hashes <= cpu.MAX_HASHES
            and (self.optimizer_state is None or self.spec.dim <= cpu.MAX_FUSED_DIM)
        )
        if self.engine == "cpu" and not able:
            raise InvalidValueError(
                f"engine 'cpu': expected float32, bfloat16 or float16 rows on the CPU, at most {cpu.MAX_HASHES} "
                f"hashes, and at most {cpu.MAX_FUSED_DIM} floats a row with an optimizer, got {head.dtype} on "
                f"{head.device}, {self.spec.num_hashes} hashes and {self.spec.dim} floats; use engine "
                "'reference' or 'auto'"
            )
        return "cpu" if able and self.engine != "reference" else "reference"

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

    def _find_padding_row(self, *_: object) -> None:
        """Keep the padding key's head row as a number that torch.export can hold."""
        self._padding_row = None if self.padding_key is None else self.encoder.head_row(self.padding_key)
