"""`BaseEmbeddingBag`: what trained and packed bags have in common, above all the contract of their input."""

import json
import operator
from abc import ABC, abstractmethod
from typing import Any, Final

import torch
from torch import Tensor, nn

from hybridhash.embeddings.encoder import RowEncoder
from hybridhash.embeddings.inputs import (
    BagInput,
    as_keys,
    bag_input,
    check_offsets,
    check_offsets_at_run_time,
)
from hybridhash.embeddings.watch import HeadWatch
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.kernels import AUTO, Engine, Request, check_engine, engine_for, has_values
from hybridhash.spec import MODES, Mode, TableSpec

KeyRows = Any
"""Rows of keys as an engine finds and reads them; a bag hands them back to the engine that found them."""


class BaseEmbeddingBag(nn.Module, ABC):
    """An embedding bag of int64 keys with the contract of ``nn.EmbeddingBag``; see `EmbeddingBag`.

    Args:
        spec: The table.
        encoder: The module that says which rows a key reads.
        mode: How the vectors of a bag become one.
        include_last_offset: Whether ``offsets`` ends with the number of keys.
        padding_key: A key that stands for nothing.
        engine: Name of the engine that computes, or ``auto``.

    Raises:
        InvalidTypeError: A ``padding_key`` that is no integer.
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
        nn.Module.__init__(self)
        if not encoder.serves(spec):
            raise InvalidValueError(f"encoder: expected one of {spec}, got {encoder}")
        if mode not in MODES:
            raise InvalidValueError(f"mode: expected one of {', '.join(MODES)}, got {mode!r}")
        check_engine(engine)
        self.spec: Final = spec
        self.encoder = encoder
        self.embedding_dim = spec.dim  # as nn.EmbeddingBag has it
        self.mode: Final[Mode] = mode
        self.include_last_offset: Final = include_last_offset
        self.padding_key: Final = None if padding_key is None else _as_key("padding_key", padding_key)
        self.engine: Final = engine
        has_head = spec.num_head and encoder.num_dictionaries
        self._watch = HeadWatch(type(self).__name__, spec.num_head) if has_head else None

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
            keys: int64[N] with ``offsets``, or int64[B, L] without; int32 is taken too.
            offsets: int64[B], where each bag begins (int64[B + 1] with ``include_last_offset``); int32 is taken too.
            per_sample_weights: float, the shape of ``keys``; with mode ``sum`` only.
            rows: What `encode` or `lookup` returned for the flattened keys, where it is there already.

        Returns:
            float[B, D]; zeros for an empty bag.

        Raises:
            InvalidTypeError: Keys or offsets are not of int64 or int32, or weights are not of the rows' type.
            InvalidValueError: Shapes that do not fit, weights with another mode than ``sum``, or offsets
                that do not begin at 0, that decrease, or that do not end at the number of keys. In what
                ``torch.compile`` has compiled such offsets are a RuntimeError or a ValueError; in what ``torch.export``
                has exported, the engine in plain torch does not look at them.

        Warns:
            UserWarning: None of the first keys is among those that have rows of their own, as where raw ids came.
        """
        flat, bounds, weights = self.input_of(keys, offsets, per_sample_weights)
        if self._watch is not None and has_values(flat):
            self.engine_in_use()  # a kind of dictionary that no engine has is said in words before keys are looked up
            self._look_at(flat)
        return self.pool_checked(BagInput(flat, bounds, weights), rows)

    def pool_checked(self, batch: BagInput, rows: KeyRows | None = None, *, steps: bool = False) -> Tensor:
        """Pool the vectors of each bag of an input in one form; see `forward`.

        Args:
            batch: The batch from `input_of`.
            rows: The rows of its keys, where they are there already.
            steps: Whether the backward pass moves the rows.
        """
        num_keys, bounds = batch.keys.numel(), batch.offsets
        engine, index = self.engine_in_use(), self.encoder.index(self.padding_key)
        if rows is None:
            rows = engine.lookup(batch.keys, index, kept=steps)
        elif not engine.answers(rows, index):
            raise InvalidValueError(
                "rows: expected the lookup of a bag with the same encoder, padding key and engine; make one with "
                "this bag's lookup"
            )
        if not engine.checks_offsets:
            if not torch.compiler.is_compiling():
                check_offsets(bounds, num_keys)
            elif not torch.compiler.is_exporting():
                check_offsets_at_run_time(bounds, num_keys)
        try:
            return self.pool(engine, batch, rows, steps=steps)
        except ValueError:
            if engine.checks_offsets:  # faster than here, and with fewer words
                check_offsets(bounds, num_keys)
            raise

    def input_of(
        self, keys: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> BagInput:
        """Bring the input of `forward` to one form, and refuse what has not that of a bag; see `bag_input`."""
        return bag_input(
            keys,
            offsets,
            per_sample_weights,
            mode=self.mode,
            dtype=self.dtype,
            include_last_offset=self.include_last_offset,
        )

    @abstractmethod
    def pool(self, engine: Engine, batch: BagInput, rows: KeyRows, *, steps: bool) -> Tensor:
        """Pool the vectors of bags whose input has been checked.

        Args:
            engine: The engine that found the rows.
            batch: N keys in B bags.
            rows: The rows of the keys.
            steps: Whether the backward pass moves the rows.

        Returns:
            float[B, D].
        """

    @abstractmethod
    def request(self) -> Request:
        """Return what the engine must be able to run."""

    def engine_in_use(self) -> Engine:
        """Return the engine that runs this bag, given the device and the dtype of its rows and its options.

        On the meta device any engine does: there are shapes only.

        Raises:
            InvalidValueError: The engine that was asked for cannot run here.
        """
        request = self.request()
        return engine_for(AUTO if request.device.type == "meta" else self.engine, request)

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

    def head_share(self, keys: Tensor) -> float:
        """Return the share of keys that have rows of their own.

        It is 0 where raw ids came in place of keys, or keys of another feature.

        Args:
            keys: int64[N]; the padding key does not count.

        Returns:
            In [0, 1]; 0 of no keys.
        """
        rows = self.encoder(keys, self.padding_key)
        return int((rows.in_head & rows.counted).sum()) / max(int(rows.counted.sum()), 1)

    def get_extra_state(self) -> Tensor:
        """Return for the ``state_dict`` how the rows are combined and moved, as text in uint8."""
        return torch.frombuffer(bytearray(json.dumps(self._made_of()), "utf-8"), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """Check that the rows of a ``state_dict`` are combined and moved as the rows of this bag.

        Raises:
            InvalidValueError: The rows are combined in another way, or the optimizer has another rule.
        """
        if state.is_meta:
            return
        theirs = json.loads(bytes(state.tolist()))
        for name, mine in self._made_of().items():
            if None not in (mine, theirs.get(name)) and mine != theirs[name]:
                raise InvalidValueError(
                    f"state_dict: expected one of a bag with {name} {mine!r}, got {theirs[name]!r}; build the bag as "
                    "the one that was saved"
                )

    def _made_of(self) -> dict[str, str | None]:
        """Return what a state and the bag that loads it must have in common; None matches anything."""
        return {"combine": self.spec.combine if self.spec.num_hashes > 1 else None}

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: Any,
        strict: bool,
        missing_keys: list[str],
        *others: Any,
    ) -> None:
        super()._load_from_state_dict(state_dict, prefix, local_metadata, strict, missing_keys, *others)
        extra = prefix + "_extra_state"
        if extra in missing_keys:  # saved before there was one
            missing_keys.remove(extra)

    def _look_at(self, keys: Tensor) -> None:
        watch, self._watch = self._watch, None
        if watch is not None and not watch.look(
            keys, self.padding_key, lambda some: self.encoder(some).in_head
        ):
            self._watch = watch

    def encode(self, keys: Tensor) -> KeyRows:
        """Find the rows of keys, as the engine in use reads them.

        Args:
            keys: int64[N].

        Returns:
            What `forward` takes as ``rows``.
        """
        return self.engine_in_use().encode(as_keys(keys), self.encoder.index(self.padding_key))

    def lookup(self, keys: Tensor) -> KeyRows:
        """Return a look-up of keys, whose rows an engine may find while the first bag is pooled.

        Bags that share rows take the same one.

        Args:
            keys: int64[N], not to be changed before a bag has read them.

        Returns:
            What `forward` takes as ``rows``.
        """
        return self.engine_in_use().lookup(as_keys(keys), self.encoder.index(self.padding_key), kept=True)


def _as_key(name: str, key: Any) -> int:
    try:
        number = None if isinstance(key, bool) else operator.index(key)
    except TypeError:
        number = None
    if number is None:
        raise InvalidTypeError(
            f"{name}: expected an integer, such as one of hybridhash.hash_keys, got {key!r}"
        )
    if not -(1 << 63) <= number < 1 << 63:
        raise InvalidValueError(f"{name}: expected an int64 key, got {number}")
    return number
