"""Which rows a key reads: the dictionaries of the head, and the hash functions of the tail."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import Dictionary, bucket_salts
from hybridhash.packing import unpack_integers
from hybridhash.spec import TableSpec, row_numbering
from hybridhash.tables.blueprint import Blueprint

Int64s = npt.NDArray[np.int64]
Array = npt.NDArray[Any]


def no_codes() -> npt.NDArray[np.uint8]:
    """Return the codes of a dictionary whose positions are the rows."""
    return np.empty(0, dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class TierDictionary:
    """The keys of a tier, and which row of the tier each of them reads.

    Attributes:
        tier: Index of the tier in the spec.
        kind: How the keys are known.
        places: The array from ``kind.build``.
        codes: uint8, from `hybridhash.packing.pack_integers`: the code of each position; empty where the position is
            the row, and where the kind holds the codes.
        code_bits: Bits of a code; 0 without codes.
        num_rows: Rows of the tier. A code beyond the rows reads the last.
    """

    tier: int
    kind: Dictionary
    places: Array
    codes: npt.NDArray[np.uint8]
    code_bits: int
    num_rows: int

    def find(self, keys: Int64s) -> Int64s:
        """Look keys up; the definition that compiled look-ups are compared with.

        Args:
            keys: int64[N].

        Returns:
            int64[N], the row of each key in its tier, or -1.
        """
        row = self.kind.find(keys, self.places, self.code_bits)
        if not self.code_bits:
            return row
        if self.codes.size:
            found = row >= 0
            row[found] = unpack_integers(self.codes, self.code_bits, row[found])
        return np.minimum(row, self.num_rows - 1)


@dataclass(frozen=True, eq=False)
class KeyIndex:
    """The rows of a table by key; tables with the same rows (vectors and wide weights) share one.

    Attributes:
        spec: The table; tiers, buckets, hashes and seed count here, the dimension and the bits of a float do not.
        dictionaries: Those of the tiers, in the order in which they are asked.
    """

    spec: TableSpec
    dictionaries: tuple[TierDictionary, ...]

    @classmethod
    def in_training(cls, blueprint: Blueprint) -> "KeyIndex":
        """Place the keys of all tiers; every key has a row of its own.

        Args:
            blueprint: The table.
        """
        tiers = enumerate(blueprint.spec.head_tiers)
        return cls(
            blueprint.spec,
            tuple(
                TierDictionary(
                    place,
                    tier.dictionary.in_training,
                    tier.dictionary.in_training.build(blueprint.keys_of_tier(place)),
                    no_codes(),
                    0,
                    tier.num_positions,
                )
                for place, tier in tiers
            ),
        )

    @classmethod
    def shipped(cls, spec: TableSpec, places: Sequence[Array], codes: Sequence[Array]) -> "KeyIndex":
        """Hold the arrays of the tiers that are shipped.

        Args:
            spec: The table.
            places: The dictionary of each tier that is shipped.
            codes: Its codes, empty where there are none.

        Raises:
            InvalidValueError: An array has another length or type than the spec says.
        """
        shipped = [(place, tier) for place, tier in enumerate(spec.head_tiers) if tier.is_shipped]
        if not len(shipped) == len(places) == len(codes):
            raise InvalidValueError(
                f"dictionaries: expected {len(shipped)}, one for each tier that is shipped, got {len(places)} and "
                f"{len(codes)} arrays of codes"
            )
        dictionaries = []
        for (place, tier), mine, coded in zip(shipped, places, codes, strict=True):
            expected = tier.dictionary.length(tier.num_keys, tier.code_bits), np.dtype(tier.dictionary.dtype)
            if (mine.size, mine.dtype) != expected or coded.size != tier.code_bytes:
                raise InvalidValueError(
                    f"dictionary {place}: expected {expected[0]} {expected[1]} and {tier.code_bytes} bytes of codes, "
                    f"got {mine.size} {mine.dtype} and {coded.size}"
                )
            dictionaries.append(
                TierDictionary(place, tier.dictionary, mine, coded, tier.code_bits, tier.num_rows)
            )
        return cls(spec, tuple(dictionaries))

    @property
    def words(self) -> tuple[int, ...]:
        """The H salts of the hash functions of the tail, each in [0, 2**64)."""
        return tuple(bucket_salts(self.spec.num_hashes, self.spec.seed))

    def serves(self, spec: TableSpec) -> bool:
        """Whether a table of this spec has the rows that this index names."""
        mine, theirs = (
            (one.num_buckets, one.num_hashes, one.seed, row_numbering(one.head_tiers))
            for one in (self.spec, spec)
        )
        return mine == theirs

    def head_rows(self, keys: Int64s) -> Int64s:
        """Return the head row of each key, counted over all tiers, or -1 for a key of the tail.

        Args:
            keys: int64[N].

        Returns:
            int64[N].
        """
        rows = np.full(keys.size, -1, dtype=np.int64)
        left = np.arange(keys.size)
        first = 0
        for dictionary in self.dictionaries:
            found = dictionary.find(keys[left])
            mine = found >= 0
            rows[left[mine]] = found[mine] + first
            left = left[~mine]
            first += dictionary.num_rows
        return rows
