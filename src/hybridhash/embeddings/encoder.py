"""Keys to rows: the only place where a key meets a bucket."""

from typing import Final

import torch
from torch import Tensor, nn

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import bucket_salts
from hybridhash.kernels import reference
from hybridhash.kernels.reference import Rows
from hybridhash.spec import TableSpec
from hybridhash.vocabulary import Vocabulary


class RowEncoder(nn.Module):
    """Says which rows a key reads; tables with the same rows (deep and wide) share one encoder.

    Args:
        spec: The table; its head size, buckets, hashes and seed count here.
        vocabulary: The ``spec.num_head`` head keys. Head rows stand in ascending order of the keys, so
            that the sorted keys are the whole dictionary (8 bytes a key) and nothing is derived beside it.

    Raises:
        InvalidValueError: The vocabulary's size is not the spec's.
    """

    dictionary: Tensor

    def __init__(self, spec: TableSpec, vocabulary: Vocabulary) -> None:
        """Hold the dictionary as a buffer."""
        super().__init__()
        if len(vocabulary) != spec.num_head:
            raise InvalidValueError(f"vocabulary: expected {spec.num_head} keys, got {len(vocabulary)}")
        self.register_buffer("dictionary", torch.from_numpy(vocabulary.sorted_keys.copy()))
        self.num_buckets: Final = spec.num_buckets
        self.num_hashes: Final = spec.num_hashes
        self.seed: Final = spec.seed
        self._salts = bucket_salts(spec.num_hashes, spec.seed)

    def forward(self, keys: Tensor, padding_key: int | None = None) -> Rows:
        """Find the rows of keys.

        Args:
            keys: int64[N].
            padding_key: A key that stands for nothing.

        Returns:
            The rows; see `hybridhash.kernels.reference.Rows`.
        """
        return reference.encode(keys, self.dictionary, self.num_buckets, self._salts, padding_key)

    def extra_repr(self) -> str:
        """Say the sizes when printed."""
        return f"num_head={self.dictionary.numel()}, num_buckets={self.num_buckets}, num_hashes={self.num_hashes}"
