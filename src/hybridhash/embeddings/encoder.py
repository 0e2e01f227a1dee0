"""`RowEncoder`: keys to rows as a module, with the dictionaries and salts as buffers."""

from collections.abc import Callable
from typing import Final, Self

import numpy as np
import torch
from torch import Tensor, nn

from hybridhash.embeddings.inputs import as_keys
from hybridhash.errors import InvalidValueError
from hybridhash.kernels import Index, from_numpy, reference
from hybridhash.kernels.reference import Dictionary
from hybridhash.spec import TableSpec
from hybridhash.tables import KeyIndex, TierDictionary

_DICTIONARY: Final = "dictionary"
_CODES: Final = "codes"


class RowEncoder(nn.Module):
    """Says which rows a key reads; tables with the same rows (deep and wide) share one encoder.

    Args:
        index: The dictionaries of the head, and the hash functions of the tail.

    The ``state_dict`` holds the dictionaries and the salts of the hash functions. Dictionaries are loaded;
    the salts, which follow from the seed, must be the same, or the trained rows would go to other keys.
    """

    no_codes: Tensor
    salts: Tensor

    def __init__(self, index: KeyIndex) -> None:
        super().__init__()
        self._index = index
        for one in index.dictionaries:
            self.register_buffer(_DICTIONARY + _suffix(one), from_numpy(one.places))
            if one.codes.size:
                self.register_buffer(_CODES + _suffix(one), from_numpy(one.codes))
        self._words: tuple[int, ...] = tuple(np.array(index.words, dtype=np.uint64).view(np.int64).tolist())
        for name, value in self._made_of_the_seed("cpu").items():
            self.register_buffer(name, value, persistent=False)

    def _made_of_the_seed(self, device: torch.device | str) -> dict[str, Tensor]:
        """Return the buffers that are in no ``state_dict``, since they follow from the index."""
        return {
            "salts": torch.tensor(self._words, dtype=torch.int64, device=device),
            "no_codes": torch.empty(0, dtype=torch.uint8, device=device),
        }

    def _settle(self, device: torch.device) -> None:
        """Fill the buffers that follow from the index; ``to_empty`` and loads onto meta tensors leave them empty."""
        if device.type != "meta":
            for name, value in self._made_of_the_seed(device).items():
                setattr(self, name, value)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._settle(self.salts.device)
        return self

    @property
    def dictionaries(self) -> list[Dictionary]:
        """The dictionary of each tier, which says which keys it has and which row each of them reads."""
        return [
            Dictionary(
                getattr(self, _DICTIONARY + _suffix(one)),
                one.kind.key_bits,
                getattr(self, _CODES + _suffix(one), self.no_codes),
                one.code_bits,
                one.num_rows,
                one.kind.name,
            )
            for one in self._index.dictionaries
        ]

    @property
    def kinds(self) -> frozenset[str]:
        """Names of the kinds of the dictionaries."""
        return frozenset(one.kind.name for one in self._index.dictionaries)

    @property
    def num_dictionaries(self) -> int:
        """Dictionaries that are asked in turn."""
        return len(self._index.dictionaries)

    def index(self, padding_key: int | None = None) -> Index:
        """Return the dictionaries and salts in the form that engines take.

        Args:
            padding_key: A key that stands for nothing.
        """
        return Index(self.dictionaries, self._index.spec.num_buckets, self.salts, self._words, padding_key)

    def key_index(self) -> KeyIndex:
        """Return the index with the arrays that the buffers hold now."""
        dictionaries = tuple(
            TierDictionary(
                one.tier,
                one.kind,
                getattr(self, _DICTIONARY + _suffix(one)).cpu().numpy(),
                getattr(self, _CODES + _suffix(one), self.no_codes).cpu().numpy(),
                one.code_bits,
                one.num_rows,
            )
            for one in self._index.dictionaries
        )
        return KeyIndex(self._index.spec, dictionaries)

    def forward(self, keys: Tensor, padding_key: int | None = None) -> reference.Rows:
        """Find the rows of keys by the definition.

        Args:
            keys: int64[N].
            padding_key: A key that stands for nothing.

        Returns:
            The rows, as `hybridhash.kernels.reference` reads them.

        Raises:
            InvalidTypeError: The keys are not a tensor of int64.
            InvalidValueError: They are not 1-D.
        """
        keys = as_keys(keys)
        index = self.index(padding_key)
        return reference.encode(keys, index.dictionaries, index.num_buckets, index.salts, padding_key)

    def head_row(self, key: int) -> int | None:
        """Return the head row of one key, or None where it has none."""
        rows = self(torch.tensor([key], device=self.salts.device))
        return int(rows.head) if rows.head.numel() else None

    def serves(self, spec: TableSpec) -> bool:
        """Whether a table of this spec has the rows that this encoder names."""
        return self._index.serves(spec)

    def get_extra_state(self) -> Tensor:
        """Return the salts for the ``state_dict``."""
        return self.salts

    def set_extra_state(self, state: Tensor) -> None:
        """Compare the salts of a ``state_dict`` with these.

        Raises:
            InvalidValueError: The state is of other hash functions.
        """
        if state.is_meta:
            return
        if self.salts.is_meta:
            self._settle(state.device)
        if tuple(state.tolist()) != self._words:
            spec = self._index.spec
            raise InvalidValueError(
                f"state_dict: expected one of {spec.num_hashes} hashes with seed {spec.seed}, got one of other "
                "hash functions; build the module with the seed and num_hashes of the one that was saved"
            )

    def extra_repr(self) -> str:
        """Say the sizes when printed."""
        spec = self._index.spec
        tiers = f", {len(spec.head_tiers)} tiers" if len(spec.head_tiers) > 1 else ""
        return (
            f"num_head={spec.num_head}{tiers}, num_buckets={spec.num_buckets}, num_hashes={spec.num_hashes}, "
            f"seed={spec.seed}"
        )


def _suffix(one: TierDictionary) -> str:
    return f"_{one.tier}" if one.tier else ""
