"""Keys to rows: the only place where a key meets a bucket."""

from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor, nn

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import bucket_salts, place_keys
from hybridhash.kernels import cpu, reference
from hybridhash.kernels.reference import Dictionary, Rows
from hybridhash.spec import TableSpec
from hybridhash.vocabulary import Vocabulary

EncodedRows = Rows | Tensor | cpu.Lookup


class RowEncoder(nn.Module):
    """Says which rows a key reads; tables with the same rows (deep and wide) share one encoder.

    Args:
        spec: The table; its head size, buckets, hashes and seed count here.
        vocabulary: The ``spec.num_head`` head keys. A key's place in the dictionary is its row, so nothing
            is kept beside the keys themselves (`hybridhash.hashing.place_keys`).

    Raises:
        InvalidValueError: The vocabulary's size is not the spec's.

    The ``state_dict`` holds the dictionary and the salts of the hash functions. The dictionary is loaded;
    the salts, which follow from the seed, must be the same, or the trained rows would go to other keys.
    """

    dictionary: Tensor
    salts: Tensor

    def __init__(self, spec: TableSpec, vocabulary: Vocabulary) -> None:
        """Hold the dictionary as a buffer."""
        super().__init__()
        if len(vocabulary) != spec.num_head:
            raise InvalidValueError(
                f"vocabulary: expected {spec.num_head} keys, one per head row, got {len(vocabulary)}; take "
                "the first keys of a longer one"
            )
        self.register_buffer("dictionary", torch.from_numpy(place_keys(vocabulary.keys)))
        self.num_head: Final = spec.num_head
        self.num_buckets: Final = spec.num_buckets
        self.num_hashes: Final = spec.num_hashes
        self.seed: Final = spec.seed
        salts = np.array(bucket_salts(spec.num_hashes, spec.seed), dtype=np.uint64).view(np.int64)
        self.register_buffer("salts", torch.from_numpy(salts), persistent=False)
        self._salts = salts.tolist()

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
            found: Tensor = cpu.encode(keys, self._dictionaries(), self.num_buckets, self._salts, padding_key)
            return found
        return reference.encode(keys, self._dictionaries(), self.num_buckets, self.salts, padding_key)

    def lookup(self, keys: Tensor, padding_key: int | None = None) -> cpu.Lookup:
        """Let the compiled engine find the rows of keys when a bag first reads them.

        Args:
            keys: int64[N], not to be changed until then.
            padding_key: A key that stands for nothing.

        Returns:
            What stands for the rows.

        Raises:
            InvalidTypeError: The keys are not a tensor of int64.
            InvalidValueError: They are not 1-D.
        """
        _check_keys(keys)
        return cpu.Lookup(keys, self._dictionaries(), self.num_buckets, self._salts, padding_key)

    def _dictionaries(self) -> list[Dictionary]:
        no_codes = self.dictionary.new_empty(0, dtype=torch.uint8)
        return [Dictionary(self.dictionary, 64, no_codes, 0, max(self.dictionary.numel() - 1, 0))]

    def answers(self, lookup: cpu.Lookup, padding_key: int | None) -> bool:
        """Whether `lookup` was made here, and with this padding key."""
        return lookup.dictionaries[0].places is self.dictionary and lookup.padding_key == padding_key

    def head_row(self, key: int) -> int | None:
        """Return the head row of one key, or None where it has none."""
        position = int(reference.find_positions(torch.tensor([key]), self.dictionary.cpu()))
        return position if position >= 0 else None

    def serves(self, spec: TableSpec) -> bool:
        """Whether a table of this spec has the rows that this encoder names."""
        return (self.num_head, self.num_buckets, self.num_hashes, self.seed) == (
            spec.num_head,
            spec.num_buckets,
            spec.num_hashes,
            spec.seed,
        )

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
        return f"num_head={self.num_head}, num_buckets={self.num_buckets}, num_hashes={self.num_hashes}"


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
