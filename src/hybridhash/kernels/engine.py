"""The door to the engines: what a bag asks for, and the engine that answers.

An engine finds the rows of keys, pools them, and moves them. `reference` is the definition in plain torch, `cpu` is
compiled. A bag asks `engine_for` and calls the methods of the engine; nothing else asks which engine runs.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

import torch
from torch import Tensor

from hybridhash.errors import InvalidValueError
from hybridhash.kernels.reference import Combine, Dictionary, Mode, Slab, Step

AUTO: Final = "auto"


class Index(NamedTuple):
    """The dictionaries and salts that say which rows a key reads.

    Attributes:
        dictionaries: The dictionaries in the order in which they are asked.
        num_buckets: M, rows of the tail.
        salts: int64[H], one per hash function, where the rows are.
        words: The same H words as integers.
        padding_key: A key that stands for nothing, or None.
    """

    dictionaries: Sequence[Dictionary]
    num_buckets: int
    salts: Tensor
    words: Sequence[int]
    padding_key: int | None

    def is_that_of(self, other: "Index") -> bool:
        """Whether both hold the same tensors, and not just equal ones, and the same padding key."""
        return (
            self.padding_key == other.padding_key
            and len(self.dictionaries) == len(other.dictionaries)
            and all(
                mine.places is theirs.places and mine.codes is theirs.codes
                for mine, theirs in zip(self.dictionaries, other.dictionaries, strict=True)
            )
        )


class Request(NamedTuple):
    """What an engine must be able to run.

    Attributes:
        device: The device of the rows.
        dtype: The type of the rows; float32 for packed rows.
        num_hashes: H.
        num_dictionaries: Dictionaries that are asked in turn.
        kinds: Names of the kinds of dictionary.
        fused_dim: Floats of a row that a fused optimizer moves; 0 without one.
        rule: The rule of that optimizer; None without one.
    """

    device: torch.device
    dtype: torch.dtype
    num_hashes: int
    num_dictionaries: int
    kinds: frozenset[str]
    fused_dim: int = 0
    rule: str | None = None


class Engine(Protocol):
    """Finds rows of keys, pools them, and moves them.

    What `encode` and `lookup` return is the engine's own affair: a bag hands it back to the same engine. Shapes,
    arguments and results are those of the functions of `hybridhash.kernels.reference`.

    Attributes:
        name: The name by which bags ask for the engine.
        checks_offsets: Whether the methods that pool raise ValueError for offsets that are no bags; otherwise the bag
            checks them first.
    """

    name: str
    checks_offsets: bool

    def unable(self, request: Request) -> str | None:
        """Return what is expected and what came, where the engine cannot run a request; otherwise None."""

    def encode(self, keys: Tensor, index: Index) -> Any:
        """Find the rows of keys, int64[N]."""

    def lookup(self, keys: Tensor, index: Index, *, kept: bool) -> Any:
        """Find the rows of keys, int64[N], now or when a bag first reads them.

        Args:
            keys: int64[N], not to be changed until then.
            index: The index, which says which rows the keys read.
            kept: Whether several bags are going to read the rows.
        """

    def answers(self, rows: Any, index: Index) -> bool:
        """Whether rows are such as this engine finds with an index."""

    def embedding_bag(
        self,
        head: Tensor,
        tail: Tensor,
        rows: Any,
        offsets: Tensor,
        *,
        combine: Combine,
        mode: Mode,
        per_sample_weights: Tensor | None,
        sparse: bool,
        padding_row: int | None,
    ) -> Tensor:
        """Pool the vectors of each bag of keys, with gradients; see `hybridhash.kernels.reference.embedding_bag`."""

    def update(
        self,
        head: Tensor,
        tail: Tensor,
        rows: Any,
        offsets: Tensor,
        grad: Tensor,
        *,
        combine: Combine,
        mode: Mode,
        per_sample_weights: Tensor | None,
        step: Step,
    ) -> None:
        """Move the rows of a batch by one step of an optimizer; see `hybridhash.kernels.reference.update`."""

    def weight_gradient(
        self, head: Tensor, tail: Tensor, rows: Any, offsets: Tensor, grad: Tensor, *, combine: Combine
    ) -> Tensor:
        """Return the gradient of the weights; see `hybridhash.kernels.reference.weight_gradient`."""

    def packed_embedding_bag(
        self,
        head: Sequence[Slab],
        tail: Slab,
        rows: Any,
        offsets: Tensor,
        *,
        combine: Combine,
        mode: Mode,
        per_sample_weights: Tensor | None,
    ) -> Tensor:
        """Pool packed rows without gradients; see `hybridhash.kernels.reference.packed_embedding_bag`."""


_ENGINES: Final[dict[str, Engine]] = {}


def register_engine(engine: Engine) -> None:
    """Let bags ask for an engine by its name.

    ``auto`` takes the engine that was registered last among those that can run a request.

    Args:
        engine: It replaces an engine of the same name.

    Raises:
        InvalidValueError: The name is ``auto``.
    """
    if engine.name == AUTO:
        raise InvalidValueError(f"engine: expected a name other than {AUTO!r}")
    _ENGINES[engine.name] = engine


def remove_engine(name: str) -> None:
    """Take an engine out of those that bags can ask for."""
    del _ENGINES[name]


def engine_names() -> tuple[str, ...]:
    """Return what a bag can ask for: ``auto``, and the engines by name."""
    return (AUTO, *_ENGINES)


def engine_for(asked: str, request: Request) -> Engine:
    """Return the engine that runs a request.

    Args:
        asked: One of `engine_names`.
        request: What must be run.

    Returns:
        The engine that was asked for, or with ``auto`` the last one registered that can run the request.

    Raises:
        InvalidValueError: There is no such engine, or the one that was asked for cannot run the request.
    """
    if asked != AUTO:
        check_engine(asked)
        engine = _ENGINES[asked]
        reason = engine.unable(request)
        if reason is not None:
            raise InvalidValueError(f"engine {asked!r}: {reason}; use engine 'reference' or 'auto'")
        return engine
    for engine in reversed(_ENGINES.values()):
        if engine.unable(request) is None:
            return engine
    raise InvalidValueError(f"engine: expected rows that one of {', '.join(_ENGINES)} can run, got {request}")


def check_engine(asked: str) -> None:
    """Refuse the name of no engine.

    Raises:
        InvalidValueError: There is no such engine.
    """
    if asked not in engine_names():
        raise InvalidValueError(f"engine: expected one of {', '.join(engine_names())}, got {asked!r}")
