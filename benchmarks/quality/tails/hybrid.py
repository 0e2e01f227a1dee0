"""The head of the package's `hybrid`, and any tail."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from torch import Tensor, nn

from benchmarks.quality.need import Need
from benchmarks.quality.tails.counted import Counted, count_keys
from benchmarks.quality.tails.own_rows import OwnRows, merged, num_own, own_bytes

HEAD_SHARE: Final = 0.3  # of the bytes: the package's default

Tail = Callable[[Need, Counted], nn.Module]
"""Makes what the other keys read, from what it must serve at the bytes that are left, and those keys."""


class HybridEmbedding(nn.Module):
    """Frequent keys read rows of their own; all others, those never seen among them, read the tail.

    Head keys, their dictionary and its free positions are those of the package's `hybrid`, so what differs between two
    of these is the tail.

    Args:
        need: What to serve, and at how many bytes; its keys are gone over once.
        tail: Makes the tail.
    """

    def __init__(self, need: Need, tail: Tail) -> None:
        """Find the head keys, and give the rest of the bytes to the tail."""
        super().__init__()
        counted = count_keys(need)
        num_head = num_own(int(HEAD_SHARE * need.budget_bytes), need.columns, counted.num_keys)
        frequent, rare = counted.split(num_head)
        self.head = OwnRows(need, frequent.keys, need.columns)
        left_bytes = need.budget_bytes - own_bytes(num_head, need.columns)
        self.tail = tail(replace(need, budget_bytes=left_bytes), rare)

    def forward(self, keys: Tensor, *of_keys: Tensor) -> Tensor:
        """Return the vectors of keys.

        Args:
            keys: int64[N].
            of_keys: What else the tail reads of each key, [N] each.

        Returns:
            float[N, columns].
        """
        positions = self.head.find(keys)
        in_head = positions >= 0
        return merged(
            in_head, self.head(positions[in_head]), self.tail(*(each[~in_head] for each in (keys, *of_keys)))
        )
