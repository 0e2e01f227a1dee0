"""What trained and packed embedding bags have in common: the contract of their input."""

from abc import ABC, abstractmethod
from typing import Any, Final

import torch
from torch import Tensor, nn

from hybridhash.embeddings.encoder import RowEncoder, check_int64, check_keys
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.kernels import AUTO, Engine, Request, check_engine, engine_for
from hybridhash.spec import MODES, Mode, TableSpec

KeyRows = Any
"""Rows of keys as an engine finds and reads them; a bag hands them back to the engine that found them."""


class BaseEmbeddingBag(nn.Module, ABC):
    """An embedding bag of int64 keys with the contract of ``nn.EmbeddingBag``; see `EmbeddingBag`.

    Args:
        spec: The table.
        encoder: Says which rows a key reads.
        mode: How the vectors of a bag become one.
        include_last_offset: Whether ``offsets`` ends with the number of keys.
        padding_key: A key that stands for nothing.
        engine: Name of the engine that computes, or ``auto``.

    Raises:
        InvalidValueError: An encoder of another table, an unknown mode or engine, or a ``padding_key`` outside
            int64.
    """

    def __init__(
        self,
        spec: TableSpec,
        encoder: RowEncoder,
        *,
        mode: Mode,
        include_last_offset: bool,
        padding_key: int | None,
        engine: str = AUTO,
    ) -> None:
        super().__init__()
        if not encoder.serves(spec):
            raise InvalidValueError(f"encoder: expected one of {spec}, got {encoder}")
        if padding_key is not None and not -(1 << 63) <= padding_key < 1 << 63:
            raise InvalidValueError(f"padding_key: expected an int64 key, got {padding_key}")
        if mode not in MODES:
            raise InvalidValueError(f"mode: expected one of {', '.join(MODES)}, got {mode!r}")
        check_engine(engine)
        self.spec: Final = spec
        self.encoder = encoder
        self.mode: Final[Mode] = mode
        self.include_last_offset: Final = include_last_offset
        self.padding_key: Final = padding_key
        self.engine: Final = engine

    def forward(
        self,
        keys: Tensor,
        offsets: Tensor | None = None,
        per_sample_weights: Tensor | None = None,
        *,
        rows: KeyRows | None = None,
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
        engine = self.engine_in_use()
        if rows is None:
            rows = engine.lookup(flat, self.encoder.index(self.padding_key), kept=False)
        elif not engine.answers(rows, self.encoder.index(self.padding_key)):
            raise InvalidValueError(
                "rows: expected the lookup of a bag with the same encoder, padding key and engine; make one with "
                "this bag's lookup"
            )
        if not engine.checks_offsets and not torch.compiler.is_compiling():
            _check_bounds(bounds, flat.numel())
        try:
            return self.pool(engine, rows, bounds, weights)
        except ValueError:
            if engine.checks_offsets:  # faster than here, and with fewer words
                _check_bounds(bounds, flat.numel())
            raise

    @abstractmethod
    def pool(self, engine: Engine, rows: KeyRows, offsets: Tensor, weights: Tensor | None) -> Tensor:
        """Pool the vectors of bags whose input has been checked.

        Args:
            engine: The engine that found the rows.
            rows: Of N keys.
            offsets: int64[B + 1].
            weights: float[N], or None.

        Returns:
            float[B, D].
        """

    @abstractmethod
    def request(self) -> Request:
        """Return what the engine must be able to run."""

    def engine_in_use(self) -> Engine:
        """Return the engine that the rows' device and dtype, and the options, lead to.

        Raises:
            InvalidValueError: The engine that was asked for cannot run here.
        """
        return engine_for(self.engine, self.request())

    @abstractmethod
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

    @property
    @abstractmethod
    def dtype(self) -> torch.dtype:
        """The type of the vectors."""

    def encode(self, keys: Tensor) -> KeyRows:
        """Find the rows of keys, as the engine in use reads them.

        Args:
            keys: int64[N].

        Returns:
            What `forward` takes as ``rows``.
        """
        check_keys(keys)
        return self.engine_in_use().encode(keys, self.encoder.index(self.padding_key))

    def lookup(self, keys: Tensor) -> KeyRows:
        """Stand for the rows of keys, which an engine may find in one pass with the first pooling.

        Bags that share rows take the same one.

        Args:
            keys: int64[N], not to be changed before a bag has read them.

        Returns:
            What `forward` takes as ``rows``.
        """
        check_keys(keys)
        return self.engine_in_use().lookup(keys, self.encoder.index(self.padding_key), kept=True)

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
            if weights.dtype != self.dtype:
                raise InvalidTypeError(
                    f"per_sample_weights: expected {self.dtype}, as the rows are, got {weights.dtype}"
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
