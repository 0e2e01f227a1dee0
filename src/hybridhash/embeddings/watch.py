"""A warning where the first keys that a bag reads look like raw ids."""

import warnings
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

ENOUGH_KEYS: Final = 50
"""Different keys that are looked at before a bag is said to read no key of its head."""
MAX_LOOKS: Final = 32
_KEYS_A_LOOK: Final = 4096


class HeadWatch:
    """Warns once when the first keys that a bag reads are none of those that have rows of their own.

    The head holds the most frequent keys, so this hardly happens to keys; it happens to raw ids, to ids of another type
    than those that were counted, and to keys of another feature. It looks until a key of the head comes, until
    `ENOUGH_KEYS` others have come, or `MAX_LOOKS` times.

    Args:
        name: The name of the bag.
        num_head: Keys that have rows of their own.
    """

    def __init__(self, name: str, num_head: int) -> None:
        self._name = name
        self._num_head = num_head
        self._others: set[int] = set()
        self._looks = 0

    def look(self, keys: Tensor, padding_key: int | None, in_head: Callable[[Tensor], Tensor]) -> bool:
        """Look at the keys of a batch.

        Args:
            keys: int64[N], with values.
            padding_key: A key that stands for nothing, or None.
            in_head: A function that says which of int64[U] different keys have rows of their own, as bool[U].

        Returns:
            Whether there is nothing more to look at.
        """
        different = torch.unique(keys[:_KEYS_A_LOOK])
        if padding_key is not None:
            different = different[different != padding_key]
        self._looks += 1
        if bool(in_head(different).any()):
            return True
        self._others.update(different.tolist())
        if len(self._others) < ENOUGH_KEYS:
            return self._looks >= MAX_LOOKS
        warnings.warn(
            f"{self._name}: none of the first {len(self._others):,} different keys is among the {self._num_head:,} "
            "that have rows of their own, so all of them share rows. A bag reads keys, not ids: make keys with "
            "hybridhash.hash_keys(ids, feature=...), from ids of the type and with the name of the feature that "
            "were counted",
            UserWarning,
            stacklevel=6,
        )
        return True
