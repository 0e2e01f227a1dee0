"""The embedding bag that all methods are: a head of rows of their own and a tail of shared rows."""

import math
from typing import Final, Literal, get_args

import torch
from torch import Tensor, nn

from hybridhash.embeddings.encoder import EncodedRows, RowEncoder, check_int64
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.kernels import cpu, reference
from hybridhash.kernels.reference import Mode, Rows, Step
from hybridhash.optim import FusedOptimizer, OptimizerState
from hybridhash.spec import TableSpec

Engine = Literal["auto", "reference", "cpu"]
MODES: Final = get_args(Mode)
ENGINES: Final = get_args(Engine)


class KeyEmbeddingBag(nn.Module):
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
        super().__init__()
        if not encoder.serves(spec):
            raise InvalidValueError(f"encoder: expected one of {spec}, got {encoder}, seed {encoder.seed}")
        if padding_key is not None and not -(1 << 63) <= padding_key < 1 << 63:
            raise InvalidValueError(f"padding_key: expected an int64 key, got {padding_key}")
        if mode not in MODES:
            raise InvalidValueError(f"mode: expected one of {', '.join(MODES)}, got {mode!r}")
        if engine not in ENGINES:
            raise InvalidValueError(f"engine: expected one of {', '.join(ENGINES)}, got {engine!r}")
        if optimizer is not None and (mode == "max" or sparse):
            raise InvalidValueError(
                "optimizer: expected mode 'sum' or 'mean' and no sparse gradients with a fused optimizer, got "
                f"mode {mode!r}, sparse={sparse}"
            )
        if sparse and mode == "max":
            raise InvalidValueError("sparse: expected False with mode 'max', which has dense gradients only")
        if not init_std >= 0:
            raise InvalidValueError(f"init_std: expected 0 or more, got {init_std}")
        self.spec: Final = spec
        self.encoder = encoder
        self.mode: Final[Mode] = mode
        self.include_last_offset: Final = include_last_offset
        self.padding_key: Final = padding_key
        self.sparse: Final = sparse
        self.engine: Final[Engine] = engine
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

    def forward(
        self,
        keys: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
        *,
        rows: EncodedRows | None = None,
    ) -> Tensor:
        """Pool the vectors of each bag.

        Args:
            keys: int64[N] with ``offsets``, or int64[B, L] without.
            offsets: int64[B], where each bag begins (int64[B + 1] with ``include_last_offset``).
            per_sample_weights: float, the shape of ``keys``; with mode ``sum`` only.
            rows: What `encode` or `lookup` returned for the flattened keys, where it is there already.

        Returns:
            float[B, D]; zeros for an empty bag.

        Raises:
            InvalidTypeError: Keys or offsets are not int64, or weights are not of the rows' type.
            InvalidValueError: Shapes that do not fit, weights with another mode than ``sum``, or offsets
                that do not begin at 0, that decrease, or that do not end at the number of keys. The values
                of offsets cannot be looked at, and are not, inside ``torch.compile`` and ``torch.export``.
        """
        flat, bounds, weights = self._check(keys, offsets, per_sample_weights)
        if rows is None:
            rows = self.lookup(flat)
        elif isinstance(rows, cpu.Lookup):
            self._check_lookup(rows)
        is_reference = isinstance(rows, Rows)
        if is_reference and not torch.compiler.is_compiling():
            _check_bounds(bounds, flat.numel())
        try:
            if self.optimizer_state is not None and torch.is_grad_enabled():
                return self._pool_and_update(self.optimizer_state, rows, bounds, weights)
            return self._pool(rows, bounds, weights)
        except ValueError:
            if not is_reference:  # its kernels check offsets too, faster and with fewer words
                _check_bounds(bounds, flat.numel())
            raise

    def _check_lookup(self, lookup: cpu.Lookup) -> None:
        if self.engine_in_use() != "cpu" or not self.encoder.answers(lookup, self.padding_key):
            raise InvalidValueError(
                "rows: expected the lookup of a bag with the same encoder, padding key and engine; make one with "
                "this bag's lookup"
            )

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
        step = Step(state.of("head"), state.of("tail"), state.optimizer.rule, state.next_numbers)
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
        able = (
            self.head.device.type == "cpu"
            and self.head.dtype in cpu.ROW_DTYPES
            and self.spec.num_hashes <= cpu.MAX_HASHES
            and (self.optimizer_state is None or self.spec.dim <= cpu.MAX_FUSED_DIM)
        )
        if self.engine == "cpu" and not able:
            raise InvalidValueError(
                f"engine 'cpu': expected float32, bfloat16 or float16 rows on the CPU, at most {cpu.MAX_HASHES} "
                f"hashes, and at most {cpu.MAX_FUSED_DIM} floats a row with an optimizer, got {self.head.dtype} on "
                f"{self.head.device}, {self.spec.num_hashes} hashes and {self.spec.dim} floats; use engine "
                "'reference' or 'auto'"
            )
        return "cpu" if able and self.engine != "reference" else "reference"

    def encode(self, keys: Tensor) -> EncodedRows:
        """Find the rows of keys, as the engine in use reads them.

        Args:
            keys: int64[N].

        Returns:
            What `forward` takes as ``rows``.
        """
        found: EncodedRows = self.encoder(keys, self.padding_key, self.engine_in_use())
        return found

    def lookup(self, keys: Tensor) -> EncodedRows:
        """Stand for the rows of keys: the compiled engine finds them in one pass with the first pooling.

        Bags that share rows take the same one. The reference engine, and torch.compile, find them at once.

        Args:
            keys: int64[N], not to be changed before a bag has read them.

        Returns:
            What `forward` takes as ``rows``.
        """
        if self.engine_in_use() == "cpu" and not torch.compiler.is_compiling():
            return self.encoder.lookup(keys, self.padding_key)
        return self.encode(keys)

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

    def _check(
        self, keys: Tensor, offsets: Tensor | None, weights: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Refuse what nn.EmbeddingBag refuses; return flat keys, B + 1 offsets, flat weights."""
        check_int64("keys", keys)
        if weights is not None:
            if self.mode != "sum":
                raise InvalidValueError(f"per_sample_weights: expected mode 'sum', got mode {self.mode!r}")
            if weights.shape != keys.shape:
                raise InvalidValueError(
                    f"per_sample_weights: expected the shape of keys {tuple(keys.shape)}, got {tuple(weights.shape)}"
                )
            if weights.dtype != self.head.dtype:
                raise InvalidTypeError(
                    f"per_sample_weights: expected {self.head.dtype}, as the rows are, got {weights.dtype}"
                )
            weights = weights.flatten()
        if keys.dim() == 2:
            if offsets is not None:
                raise InvalidValueError("offsets: expected none with 2-D keys, whose rows are the bags")
            num_bags, length = keys.shape
            return keys.flatten(), torch.arange(num_bags + 1, device=keys.device) * length, weights
        if keys.dim() != 1:
            raise InvalidValueError(f"keys: expected 1-D or 2-D, got {keys.dim()}-D")
        if offsets is None:
            raise InvalidValueError("offsets: expected int64 offsets with 1-D keys, got none")
        check_int64("offsets", offsets)
        if offsets.dim() != 1:
            raise InvalidValueError(f"offsets: expected 1-D, got {offsets.dim()}-D")
        if self.include_last_offset:
            if not offsets.numel():
                raise InvalidValueError(
                    "offsets: expected at least the number of keys with include_last_offset"
                )
        else:
            offsets = torch.cat([offsets, offsets.new_full((1,), keys.numel())])
        return keys, offsets, weights


def _check_bounds(offsets: Tensor, num_keys: int) -> None:
    if num_keys and offsets.numel() == 1:
        raise InvalidValueError(f"offsets: expected a bag for every key, got no bag for {num_keys} keys")
    if int(offsets[0]) != 0:
        raise InvalidValueError(f"offsets: expected to begin at 0, got {int(offsets[0])}")
    if int(offsets[-1]) != num_keys:
        raise InvalidValueError(
            f"offsets: expected to end at the number of keys, {num_keys}, got {int(offsets[-1])}"
        )
    lengths = offsets.diff()
    if bool((lengths < 0).any()):
        bag = int(lengths.argmin())
        raise InvalidValueError(
            f"offsets: expected to rise, or stay for an empty bag, up to the number of keys, {num_keys}, got "
            f"{int(offsets[bag])} and then {int(offsets[bag + 1])}"
        )
