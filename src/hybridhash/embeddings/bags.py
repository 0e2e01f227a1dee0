"""The five methods as embedding bags that a model takes in place of ``nn.EmbeddingBag``."""

from collections.abc import Sequence
from typing import Final, TypedDict, Unpack, cast

import numpy as np
import numpy.typing as npt
import torch

from hybridhash.embeddings.bag import EmbeddingBag
from hybridhash.errors import InvalidTypeError
from hybridhash.optim import FusedOptimizer
from hybridhash.spec import Combine, Mode, TableSpec
from hybridhash.tables import Blueprint
from hybridhash.vocabulary import Vocabulary

HeadKeys = Vocabulary | npt.NDArray[np.int64] | torch.Tensor | Sequence[int]

_NO_KEYS: Final = Vocabulary(np.empty(0, dtype=np.int64))


class BagOptions(TypedDict, total=False):
    """Options that all bags have; `EmbeddingBag` says what they do."""

    mode: Mode
    include_last_offset: bool
    padding_key: int | None
    sparse: bool
    engine: str
    optimizer: FusedOptimizer | None
    init_std: float
    generator: torch.Generator | None
    device: torch.device | str | int | None
    dtype: torch.dtype | None


class FullEmbeddingBag(EmbeddingBag):
    """One row per key of the vocabulary, and one more, zero at first, for all keys outside it.

    Args:
        vocabulary: N keys: a `hybridhash.Vocabulary`, or an array, tensor or sequence of different int64 keys.
        dim: D, floats in the vector of a key.
        **options: The options of `EmbeddingBag`: ``mode``, ``include_last_offset``, ``padding_key``,
            ``sparse``, ``engine``, ``optimizer``, ``init_std``, ``generator``, ``device``, ``dtype``.

    Example:
        >>> bag = FullEmbeddingBag(Vocabulary(np.array([7, 9])), dim=4)
        >>> bag(torch.tensor([7, 9, 9]), torch.tensor([0, 1])).shape
        torch.Size([2, 4])
    """

    def __init__(self, vocabulary: HeadKeys, dim: int, **options: Unpack[BagOptions]) -> None:
        keys = as_vocabulary(vocabulary)
        spec = TableSpec(num_head=len(keys), num_buckets=1, dim=dim)
        super().__init__(Blueprint(spec, keys), **options)


class HashEmbeddingBag(EmbeddingBag):
    """Regular hashing: every key reads one shared row (Zhang et al. 2020, section 3.1).

    Args:
        num_buckets: M, rows.
        dim: D, floats in the vector of a key.
        seed: Seed of the bucket hash.
        **options: The options of `EmbeddingBag`.
    """

    def __init__(self, num_buckets: int, dim: int, *, seed: int = 0, **options: Unpack[BagOptions]) -> None:
        spec = TableSpec(num_head=0, num_buckets=num_buckets, dim=dim, seed=seed)
        super().__init__(Blueprint(spec, _NO_KEYS), **options)


class DoubleHashEmbeddingBag(EmbeddingBag):
    """Double hashing: every key combines several shared rows (Zhang et al. 2020, section 3.2).

    Args:
        num_buckets: M, rows; each holds ``dim`` floats, or ``dim / num_hashes`` with ``concat``.
        dim: D, floats in the vector of a key.
        combine: ``sum``, ``mean`` or ``concat``.
        num_hashes: H, rows that a key reads; the paper has 2.
        seed: Seed of the bucket hashes.
        **options: The options of `EmbeddingBag`.
    """

    def __init__(
        self,
        num_buckets: int,
        dim: int,
        combine: Combine = "sum",
        num_hashes: int = 2,
        *,
        seed: int = 0,
        **options: Unpack[BagOptions],
    ) -> None:
        spec = TableSpec(0, num_buckets, dim, num_hashes, combine, seed)
        super().__init__(Blueprint(spec, _NO_KEYS), **options)


class FrequencyEmbeddingBag(EmbeddingBag):
    """Frequency hashing: the vocabulary has its own rows, other keys share (Zhang et al. 2020, section 3.3).

    Args:
        vocabulary: K head keys: a `hybridhash.Vocabulary`, or an array, tensor or sequence of different int64 keys, the
            most important first.
        num_buckets: M, rows for all other keys, which read one each.
        dim: D, floats in the vector of a key.
        seed: Seed of the bucket hash.
        **options: The options of `EmbeddingBag`.
    """

    def __init__(
        self,
        vocabulary: HeadKeys,
        num_buckets: int,
        dim: int,
        *,
        seed: int = 0,
        **options: Unpack[BagOptions],
    ) -> None:
        keys = as_vocabulary(vocabulary)
        spec = TableSpec(len(keys), num_buckets, dim, seed=seed)
        super().__init__(Blueprint(spec, keys), **options)


class HybridEmbeddingBag(EmbeddingBag):
    """Hybrid hashing: the vocabulary has its own rows, other keys combine several shared ones.

    Args:
        vocabulary: K head keys: a `hybridhash.Vocabulary`, or an array, tensor or sequence of different int64 keys, the
            most important first.
        num_buckets: M, rows of the tail; each holds ``dim`` floats, or ``dim / num_hashes`` with ``concat``.
        dim: D, floats in the vector of a key.
        combine: ``sum``, ``mean`` or ``concat``.
        num_hashes: H, rows that a tail key reads; the paper has 2.
        seed: Seed of the bucket hashes.
        **options: The options of `EmbeddingBag`.

    Source: Zhang et al. 2020, section 3.3 and figure 3.

    Example:
        >>> bag = HybridEmbeddingBag(Vocabulary(np.array([7, 9])), num_buckets=100, dim=4)
        >>> bag(torch.tensor([7, 123456789]), torch.tensor([0, 1])).shape
        torch.Size([2, 4])
    """

    def __init__(
        self,
        vocabulary: HeadKeys,
        num_buckets: int,
        dim: int,
        combine: Combine = "sum",
        num_hashes: int = 2,
        *,
        seed: int = 0,
        **options: Unpack[BagOptions],
    ) -> None:
        keys = as_vocabulary(vocabulary)
        spec = TableSpec(len(keys), num_buckets, dim, num_hashes, combine, seed)
        super().__init__(Blueprint(spec, keys), **options)


def as_vocabulary(keys: HeadKeys) -> Vocabulary:
    """Return the vocabulary of head keys.

    Args:
        keys: A vocabulary, or K different int64 keys, the most important first.

    Raises:
        InvalidTypeError: It is neither.
        InvalidValueError: Keys come more than once, or in an array that is not 1-D.
    """
    if isinstance(keys, Vocabulary):
        return keys
    if isinstance(keys, torch.Tensor):
        keys = keys.detach().cpu().numpy()
    if isinstance(keys, np.ndarray) or (isinstance(keys, Sequence) and not isinstance(keys, str | bytes)):
        return Vocabulary(cast(npt.NDArray[np.int64], keys))
    raise InvalidTypeError(
        f"vocabulary: expected a hybridhash.Vocabulary, such as hybridhash.count(...).top(100_000), or int64 keys from "
        f"hybridhash.hash_keys, got {type(keys).__name__}"
    )
