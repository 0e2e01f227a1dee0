"""The vocabulary: the keys that have a row of their own, and the file that keeps them."""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from hybridhash.errors import FileFormatError, HybridHashError, InvalidValueError
from hybridhash.files import JSON, read_checked, write_checked
from hybridhash.hashing import HASH_FAMILY
from hybridhash.vocabulary.checks import Int64s, as_int64

FORMAT: Final = "hybridhash-vocabulary"
VERSION: Final = 1


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The head keys in order of importance.

    A key's slot is its place in this order, so the first k keys of a vocabulary are the vocabulary of
    size k. Keys that are not in it are never an error: they are the tail. Two vocabularies are equal when
    their keys, counts and seed are.

    Args:
        keys: int64[K], distinct, the most important first; every int64 is legal, and so is K = 0.
        counts: int64[K], how often each key was counted, or None where that is not known; it is kept to
            renew the vocabulary later and plays no part in a lookup.
        seed: The seed the keys were hashed with, as in `hybridhash.hashing.hash_keys`.

    Raises:
        InvalidTypeError: Keys or counts are not integers that int64 can hold.
        InvalidValueError: Keys are repeated or not 1-D; counts are negative or not one per key.

    Source: Zhang et al. 2020, section 3.3, the most frequent ids.

    Example:
        >>> vocabulary = Vocabulary(np.array([30, 10, 20]))
        >>> vocabulary.lookup([10, 11, 30]).tolist()
        [1, -1, 0]
    """

    keys: Int64s
    counts: Int64s | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", _frozen(as_int64(self.keys, "keys").copy()))
        repeated = np.flatnonzero(self.sorted_keys[1:] == self.sorted_keys[:-1])
        if repeated.size:
            raise InvalidValueError(
                f"keys: expected distinct keys, got {self.sorted_keys[repeated[0]]} more than once; "
                "keep the first of each"
            )
        if self.counts is None:
            return
        counts = _frozen(as_int64(self.counts, "counts").copy())
        if counts.shape != self.keys.shape or (counts < 0).any():
            raise InvalidValueError(
                f"counts: expected one count of 0 or more for each of {len(self)} keys, got {counts.size} "
                f"counts, the smallest {counts.min(initial=0)}"
            )
        object.__setattr__(self, "counts", counts)

    def __len__(self) -> int:
        """Return K, the number of keys."""
        return self.keys.size

    def __eq__(self, other: object) -> bool:
        """Compare keys, counts and seed."""
        if not isinstance(other, Vocabulary):
            return NotImplemented
        if (self.counts is None) != (other.counts is None) or self.seed != other.seed:
            return False
        same_counts = self.counts is None or np.array_equal(self.counts, other.counts)  # type: ignore[arg-type]
        return same_counts and np.array_equal(self.keys, other.keys)

    def __repr__(self) -> str:
        """Say the size and the seed."""
        return f"Vocabulary({len(self)} keys, seed={self.seed})"

    @cached_property
    def sorted_keys(self) -> Int64s:
        """The keys in ascending order, int64[K]."""
        return _frozen(self.keys[self._order])

    def lookup(self, keys: npt.ArrayLike) -> Int64s:
        """Return the slot of every key.

        Args:
            keys: int64[N], in any order, repeated or not.

        Returns:
            int64[N]: the key's place in the order of importance, in [0, K), or -1 if it is not there.

        Raises:
            InvalidTypeError: Not integers that int64 can hold.
            InvalidValueError: Not 1-D.
        """
        wanted = as_int64(keys, "keys")
        if not len(self):
            return np.full(wanted.size, -1, dtype=np.int64)
        place = np.searchsorted(self.sorted_keys, wanted)
        place[place == len(self)] = 0
        return np.where(self.sorted_keys[place] == wanted, self._order[place], -1)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the vocabulary as one file, whole or not at all.

        Args:
            path: The path of the file, in a folder that exists.

        Raises:
            FileAccessError: The file cannot be written there.
        """
        tensors: dict[str, npt.NDArray[Any]] = {"keys": self.keys}
        if self.counts is not None:
            tensors["counts"] = self.counts
        metadata: dict[str, JSON] = {"hash_family": HASH_FAMILY, "seed": self.seed}
        write_checked(path, tensors, metadata, FORMAT, VERSION)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a vocabulary that `save` wrote.

        Args:
            path: The file.

        Returns:
            The same vocabulary.

        Raises:
            FileAccessError: The file cannot be opened.
            FileFormatError: It is cut short, altered, of another kind, of a newer version, or its keys were
                made by another hash family.
        """
        file = read_checked(path, FORMAT, VERSION)
        family = file.metadata.get("hash_family")
        if family != HASH_FAMILY:
            raise FileFormatError(
                f"{path}: expected keys of the hash family {HASH_FAMILY}, got {family}; its keys mean "
                "nothing here, so learn the vocabulary again from the values"
            )
        try:
            return cls(file.tensors["keys"], file.tensors.get("counts"), file.metadata["seed"])
        except (KeyError, HybridHashError) as error:
            raise FileFormatError(
                f"{path}: expected a vocabulary, got a file that holds none: {error}"
            ) from error

    @cached_property
    def _order(self) -> Int64s:
        """Where each sorted key stands in the order of importance, int64[K]."""
        return _frozen(np.argsort(self.keys, kind="stable"))


def _frozen(array: Int64s) -> Int64s:
    array.flags.writeable = False
    return array
