"""The face of a kind of dictionary: what it costs, how it is built, how keys are found.

A dictionary says which keys belong to a tier of a table and which row each of them reads.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from hybridhash.hashing.exact import Int64s, num_positions

Array = npt.NDArray[Any]
Codes = npt.NDArray[np.uint32]


class Dictionary(ABC):
    """A kind of dictionary with its number of bits; immutable, compared by value.

    Attributes:
        name: The kind in files and in the registry `DICTIONARIES`.
        dtype: The type of the array of a dictionary.
        holds_codes: Whether the array maps a key to its code; otherwise it maps a key to a position.
        key_bits: Bits that tell keys apart: of a key, of a fingerprint, or check bits.
    """

    name: ClassVar[str]
    dtype: ClassVar[type[np.generic]]
    holds_codes: ClassVar[bool] = False
    key_bits: int

    @property
    def label(self) -> str:
        """The kind and its bits in the lines of a plan."""
        return f"{self.name}{self.key_bits}"

    @property
    def in_training(self) -> "Dictionary":
        """The dictionary of the same keys while a table is trained, when no key has a code yet.

        Where it is of another kind, the keys are put into this one when the table is packed.
        """
        return self

    @property
    def known_by(self) -> str:
        """How the keys are known, in the sentences of a plan."""
        return f"behind {self.name} keys"

    @abstractmethod
    def check(self, code_bits: int) -> None:
        """Refuse bits that this kind cannot have.

        Args:
            code_bits: Bits of the codes of the tier; 0 without codes.

        Raises:
            InvalidValueError: The bits are out of range.
        """

    def num_positions(self, num_keys: int) -> int:
        """Return the rows of ``num_keys`` keys, where each has one of its own: all positions are below it."""
        return num_positions(num_keys)

    @abstractmethod
    def length(self, num_keys: int, code_bits: int) -> int:
        """Return the length of the array that holds ``num_keys`` keys."""

    def num_bytes(self, num_keys: int, code_bits: int) -> int:
        """Return the bytes of the array that holds ``num_keys`` keys."""
        return self.length(num_keys, code_bits) * np.dtype(self.dtype).itemsize

    @abstractmethod
    def build(self, keys: Int64s, codes: Codes | None = None, code_bits: int = 0) -> Array:
        """Build the array.

        Args:
            keys: int64[K], distinct, the most important first.
            codes: uint32[K], the code of each key, for a kind that holds codes; other kinds do not read it.
            code_bits: Bits of a code.

        Returns:
            An array of `dtype` of `length`.

        Raises:
            InvalidValueError: The keys are not distinct.
        """

    @abstractmethod
    def find(self, keys: Int64s, array: Array, code_bits: int = 0) -> Int64s:
        """Look keys up.

        Args:
            keys: int64[N].
            array: The array from `build`.
            code_bits: Bits of a code.

        Returns:
            int64[N], the position of each key, or its code where the kind holds codes; -1 for a key that is not found.
        """

    @property
    @abstractmethod
    def misreading_rate(self) -> float:
        """Probability that a key is found which was not put in (a false positive)."""

    def with_bits(self, key_bits: int) -> "Dictionary":
        """Return this kind with other bits."""
        return type(self)(key_bits)  # type: ignore[call-arg]

    def as_dict(self) -> dict[str, Any]:
        """Return name and bits, for JSON."""
        return {"name": self.name, "key_bits": self.key_bits}
