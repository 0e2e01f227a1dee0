"""Fewer floats for keys of middling frequency."""

import math
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor, nn

from benchmarks.quality.need import FLOAT_BYTES, Need
from benchmarks.quality.tails.counted import Counted
from benchmarks.quality.tails.joined import JoinedTail
from benchmarks.quality.tails.own_rows import OwnRows, merged, num_own, own_bytes

MIDDLE_SHARE: Final = 0.75  # of the tail's bytes
MIDDLE_DIM: Final = 4
NUM_CHUNKS: Final = 8


class MixedDimsTail(nn.Module):
    """The tail's most frequent keys read short rows of their own, projected to the whole dim; the others joined chunks.

    The wide weight of a short row is not projected. The projection is one matrix, learned.

    Args:
        need: What to serve, and at how many bytes.
        rare: The keys of the tail.

    Source: Ginart et al., "Mixed dimension embeddings with application to memory-efficient recommendation systems",
    ISIT 2021, with two dims, and hashed rows below them.
    """

    def __init__(self, need: Need, rare: Counted) -> None:
        """Find the keys of the middle and make the rows."""
        super().__init__()
        columns = MIDDLE_DIM + need.wide
        projection_bytes = FLOAT_BYTES * MIDDLE_DIM * need.dim
        middle_bytes = int(MIDDLE_SHARE * need.budget_bytes) - projection_bytes
        num_middle = num_own(middle_bytes, columns, rare.num_keys)
        self.middle = OwnRows(need, rare.keys[:num_middle], columns)
        # So a projected row has the deviation that the short row has.
        values = torch.empty(MIDDLE_DIM, need.dim).normal_(
            0.0, 1 / math.sqrt(MIDDLE_DIM), generator=need.generator()
        )
        self.projection = nn.Parameter(values)
        left_bytes = need.budget_bytes - own_bytes(num_middle, columns) - projection_bytes
        self.joined = JoinedTail(replace(need, budget_bytes=left_bytes), NUM_CHUNKS)

    def forward(self, keys: Tensor) -> Tensor:
        """Return the vectors float[N, columns] of keys int64[N]."""
        positions = self.middle.find(keys)
        in_middle = positions >= 0
        short = self.middle(positions[in_middle])
        projected = torch.cat([short[:, :MIDDLE_DIM] @ self.projection, short[:, MIDDLE_DIM:]], dim=1)
        return merged(in_middle, projected, self.joined(keys[~in_middle]))
