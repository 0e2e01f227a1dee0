"""Keys to rows: the only place where a key meets a bucket."""

from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import bucket_salts
from hybridhash.kernels import cpu, reference
from hybridhash.kernels.reference import Dictionary, Rows
from hybridhash.spec import NOT_SHIPPED, TableSpec, Tier, row_layout
from hybridhash.vocabulary import Vocabulary

EncodedRows = Rows | Tensor | cpu.Lookup


class RowEncoder(nn.Module):
    """Says which rows a key reads; tables with the same rows (deep and wide) share one encoder.

    Args:
        spec: The table; its head and tiers, buckets, hashes and seed count here.
        vocabulary: The ``spec.num_head`` head keys, the most important first. A key's place in the dictionary of
            its tier is its row, so nothing is kept beside the keys, or their fingerprints, themselves.

    Raises:
        InvalidValueError: The vocabulary's size is not the spec's.

    The ``state_dict`` holds the dictionaries and the salts of the hash functions. Dictionaries are loaded;
    the salts, which follow from the seed, must be the same, or the trained rows would go to other keys.
    """

    dictionary: Tensor
    no_codes: Tensor
    salts: Tensor

    def __init__(self, spec: TableSpec, vocabulary: Vocabulary) -> None:
        """Hold the dictionaries as buffers."""
        super().__init__()
        if len(vocabulary) != spec.num_head:
            raise InvalidValueError(
                f"vocabulary: expected {spec.num_head} keys, one per head row, got {len(vocabulary)}; take "
                "the first keys of a longer one"
            )
        self.tiers = spec.head_tiers
        self.num_head = spec.num_head
        self.num_buckets = spec.num_buckets
        self.num_hashes = spec.num_hashes
        self.seed = spec.seed
        first = 0
        for place, tier in enumerate(self.tiers):
            keys = vocabulary.keys[first : first + tier.num_keys]
            self.register_buffer(_DICTIONARY + _suffix(place), cpu.from_numpy(_place(keys, tier)))
            first += tier.num_keys
        self.register_buffer("no_codes", torch.empty(0, dtype=torch.uint8), persistent=False)
        salts = np.array(bucket_salts(spec.num_hashes, spec.seed), dtype=np.uint64).view(np.int64)
        self.register_buffer("salts", torch.from_numpy(salts), persistent=False)
        self._salts = salts.tolist()

    @property
    def dictionaries(self) -> list[Dictionary]:
        """Who is in each tier, and which row each key reads."""
        return [
            Dictionary(
                self.places_of(place),
                tier.dictionary.in_training.key_bits,
                self.no_codes,
                0,
                tier.num_positions,
            )
            for place, tier in enumerate(self.tiers)
        ]

    def places_of(self, tier: int) -> Tensor:
        """Return the dictionary of a tier: int64 with exact keys or a ribbon, uint8 with fingerprints."""
        found: Tensor = getattr(self, _DICTIONARY + _suffix(tier))
        return found

    def forward(
        self, keys: Tensor, padding_key: int | None = None, engine: Literal["reference", "cpu"] = "reference"
    ) -> EncodedRows:
        """Find the rows of keys.

        Args:
            keys: int64[N].
            padding_key: A key that stands for nothing.
            engine: Which engine is going to read the rows.

        Returns:
            The rows as that engine reads them: `hybridhash.kernels.reference.Rows`, or int32[N, H] from
            `hybridhash.kernels.cpu.encode`.

        Raises:
            InvalidTypeError: The keys are not a tensor of int64.
            InvalidValueError: They are not 1-D.
        """
        _check_keys(keys)
        if engine == "cpu":
            found: Tensor = cpu.encode(keys, self.dictionaries, self.num_buckets, self._salts, padding_key)
            return found
        return reference.encode(keys, self.dictionaries, self.num_buckets, self.salts, padding_key)

    def lookup(self, keys: Tensor, padding_key: int | None = None, *, kept: bool = True) -> cpu.Lookup:
        """Let the compiled engine find the rows of keys when a bag first reads them.

        Args:
            keys: int64[N], not to be changed until then.
            padding_key: A key that stands for nothing.
            kept: Whether other bags are going to read them too.

        Returns:
            What stands for the rows.

        Raises:
            InvalidTypeError: The keys are not a tensor of int64.
            InvalidValueError: They are not 1-D.
        """
        _check_keys(keys)
        return cpu.Lookup(keys, self.dictionaries, self.num_buckets, self._salts, padding_key, kept)

    def answers(self, lookup: cpu.Lookup, padding_key: int | None) -> bool:
        """Whether `lookup` was made here, and with this padding key."""
        return lookup.padding_key == padding_key and same_dictionaries(self.dictionaries, lookup.dictionaries)

    def head_row(self, key: int) -> int | None:
        """Return the head row of one key, or None where it has none."""
        keys = torch.tensor([key], device=self.salts.device)
        rows = reference.encode(keys, self.dictionaries, self.num_buckets, self.salts)
        return int(rows.head) if rows.head.numel() else None

    def serves(self, spec: TableSpec) -> bool:
        """Whether a table of this spec has the rows that this encoder names."""
        mine = (self.num_buckets, self.num_hashes, self.seed, row_layout(self.tiers))
        return mine == (spec.num_buckets, spec.num_hashes, spec.seed, row_layout(spec.head_tiers))

    def get_extra_state(self) -> Tensor:
        """Return the salts for the ``state_dict``."""
        return self.salts

    def set_extra_state(self, state: Tensor) -> None:
        """Compare the salts of a ``state_dict`` with these.

        Raises:
            InvalidValueError: The state is of other hash functions.
        """
        if not torch.equal(state.to(self.salts.device), self.salts):
            raise InvalidValueError(
                f"state_dict: expected one of {self.num_hashes} hashes with seed {self.seed}, got one of other "
                "hash functions; build the module with the seed and num_hashes of the one that was saved"
            )

    def extra_repr(self) -> str:
        """Say the sizes when printed."""
        tiers = f", {len(self.tiers)} tiers" if len(self.tiers) > 1 else ""
        return (
            f"num_head={self.num_head}{tiers}, num_buckets={self.num_buckets}, num_hashes={self.num_hashes}"
        )


class CodedRowEncoder(RowEncoder):
    """The encoder of a table as it is shipped: tiers that are not shipped are gone, coded keys share rows.

    Args:
        trained: The encoder that the table was trained with.
        codes: For each tier the row of the tier that each position reads, uint8 from
            `hybridhash.packing.pack_integers`, or the ribbon with the rows of its keys, int64 from
            `hybridhash.hashing.build_ribbon`; None where every position has its own.
    """

    def __init__(self, trained: RowEncoder, codes: Sequence[Tensor | None]) -> None:
        """Hold what the trained encoder holds, and the codes."""
        nn.Module.__init__(self)
        self.tiers = trained.tiers
        self.num_head, self.num_buckets = trained.num_head, trained.num_buckets
        self.num_hashes, self.seed = trained.num_hashes, trained.seed
        self._salts = trained._salts
        for name in ("no_codes", "salts"):
            self.register_buffer(name, getattr(trained, name), persistent=False)
        for place, tier in enumerate(self.tiers):
            if tier.bits != NOT_SHIPPED:
                places = codes[place] if tier.dictionary.holds_codes else trained.places_of(place)
                self.register_buffer(_DICTIONARY + _suffix(place), places)
                if codes[place] is not None and not tier.dictionary.holds_codes:
                    self.register_buffer(_CODES + _suffix(place), codes[place])

    @property
    def dictionaries(self) -> list[Dictionary]:
        """Who is in each tier that is shipped, and which row each key reads."""
        return [
            Dictionary(
                self.places_of(place), tier.key_bits, self.codes_of(place), tier.code_bits, tier.num_rows
            )
            for place, tier in enumerate(self.tiers)
            if tier.bits != NOT_SHIPPED
        ]

    def codes_of(self, tier: int) -> Tensor:
        """Return the codes of a tier; empty where every position has a row of its own."""
        found: Tensor = getattr(self, _CODES + _suffix(tier), self.no_codes)
        return found


def same_dictionaries(one: Sequence[Dictionary], other: Sequence[Dictionary]) -> bool:
    """Whether two lists hold the same tensors, not just equal ones."""
    return len(one) == len(other) and all(
        mine.places is theirs.places and mine.codes is theirs.codes
        for mine, theirs in zip(one, other, strict=True)
    )


_DICTIONARY: Final = "dictionary"
_CODES: Final = "codes"


def _suffix(place: int) -> str:
    return f"_{place}" if place else ""


def _place(keys: npt.NDArray[np.int64], tier: Tier) -> npt.NDArray[Any]:
    return tier.dictionary.in_training.build(keys)


def _check_keys(keys: Tensor) -> None:
    check_int64("keys", keys)
    if keys.dim() != 1:
        raise InvalidValueError(f"keys: expected 1-D, got {keys.dim()}-D; flatten them first")


def check_int64(name: str, tensor: Tensor) -> None:
    """Refuse anything but a tensor of int64.

    Args:
        name: What the caller calls it.
        tensor: What came.

    Raises:
        InvalidTypeError: It is something else.
    """
    if not isinstance(tensor, Tensor):
        raise InvalidTypeError(
            f"{name}: expected a torch.Tensor of int64, got {type(tensor).__name__}; use torch.from_numpy for "
            "an array"
        )
    if tensor.dtype != torch.int64:
        raise InvalidTypeError(f"{name}: expected int64, got {tensor.dtype}; hash_keys makes int64 keys")
