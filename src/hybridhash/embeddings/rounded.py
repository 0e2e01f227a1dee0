"""Training with rounding in the loop: the forward pass reads rows as they would be shipped."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Self, Unpack

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from hybridhash.embeddings.bag import KeyEmbeddingBag
from hybridhash.embeddings.bags import BagOptions
from hybridhash.embeddings.encoder import EncodedRows, RowEncoder
from hybridhash.errors import InvalidTypeError
from hybridhash.kernels import cpu, reference
from hybridhash.kernels.reference import Rows
from hybridhash.packing import FLOAT_BITS
from hybridhash.spec import NOT_SHIPPED, TableSpec, Tier

REFRESH_EVERY: Final = 256
"""Training passes between two looks at the whole table for its largest step, which only rises in between."""

RoundRows = Callable[[Tensor, Tensor, int, float, Tensor], float]


class RoundedEmbeddingBag(KeyEmbeddingBag):
    """A `KeyEmbeddingBag` whose bags are pooled from rounded rows, while the float rows are trained.

    The rows that a batch reads are rounded first, to the bits of their tier and with the scales that
    `hybridhash.packing.pack_rows` would choose. Their gradient goes to the float rows as if nothing had been rounded
    (straight-through), by torch's optimizers or a fused one. `hybridhash.embeddings.pack_collections` then ships what
    the model was trained to read.

    The largest step of a tier is a property of all its rows. In training it is the largest that any block has wanted
    when it was read, and every `REFRESH_EVERY` passes that of all rows as they are; under ``eval()`` it is that of all
    rows at the moment of the call, and the bag reads exactly what would be shipped then.

    Tiers whose keys share rows by codes, tiers that are not shipped and rows of 32 bits are read as they are.
    Beside the rows stands a copy of the same size, which holds the rounded ones and is in no ``state_dict``.

    Args:
        spec: The table, its ``tiers`` and ``tail_bits`` among it.
        encoder: As in `KeyEmbeddingBag`.
        **options: As there.

    Source: Bengio et al., "Estimating or Propagating Gradients Through Stochastic Neurons", 2013; Courbariaux et al.,
    "BinaryConnect", 2015.

    Example:
        >>> import numpy as np
        >>> from hybridhash.vocabulary import Vocabulary
        >>> spec = TableSpec(num_head=0, num_buckets=100, dim=4, tail_bits=1)
        >>> bag = RoundedEmbeddingBag(spec, RowEncoder(spec, Vocabulary(np.empty(0, dtype=np.int64))))
        >>> len(bag(torch.tensor([[7]])).abs().unique())
        1
    """

    def __init__(self, spec: TableSpec, encoder: RowEncoder, **options: Unpack[BagOptions]) -> None:
        """Make the float rows and room for the rounded ones."""
        super().__init__(spec, encoder, **options)
        self.rounded_head = RoundedRows(
            self.head, [(tier.num_positions, _bits_in_training(tier)) for tier in spec.head_tiers]
        )
        self.rounded_tail = RoundedRows(self.tail, [(spec.num_buckets, spec.tail_bits)])
        self.register_load_state_dict_post_hook(RoundedEmbeddingBag._look_again)  # type: ignore[no-untyped-call]

    def rows_read(self, rows: EncodedRows) -> tuple[Tensor, Tensor]:
        """Round the rows of a batch; see `KeyEmbeddingBag.rows_read`.

        Raises:
            InvalidTypeError: The rows are of a type in which the largest steps would be rounded too.
        """
        if self.dtype not in (torch.float32, torch.float64):
            raise InvalidTypeError(
                f"rows: expected float32 or float64, as rounding in the loop needs, got {self.dtype}; round after "
                "training with a KeyEmbeddingBag"
            )
        if isinstance(rows, Rows):
            head, tail = rows.head, rows.tail.flatten()
        else:
            found = rows.rows() if isinstance(rows, cpu.Lookup) else rows
            first = found[:, 0]
            head = first[(first >= 0) & (first != torch.iinfo(first.dtype).max)].long()
            tail = ~found[first < 0].flatten().long()
        native = self.engine_in_use() == "cpu" and self.dtype == torch.float32
        round_rows: RoundRows = cpu.round_rows if native else reference.round_rows
        return self.rounded_head(self.head, head, round_rows), self.rounded_tail(self.tail, tail, round_rows)

    def train(self, mode: bool = True) -> Self:
        """Set the mode as ``nn.Module.train``; evaluation starts with a look at all rows."""
        super().train(mode)
        self._look_again()
        return self

    def _look_again(self, *_: object) -> None:
        if not self.training:
            self.rounded_head.look_at(self.head)
            self.rounded_tail.look_at(self.tail)


class RoundedRows(nn.Module):
    """A copy of rows in which those that a batch reads are rounded.

    Args:
        rows: float[R, width], what is trained.
        formats: Number of rows and bits of each part of them, in order.
    """

    copy: Tensor
    tops: Tensor
    tops_in_use: Tensor
    num_reads: Tensor

    def __init__(self, rows: Tensor, formats: Sequence[tuple[int, int]]) -> None:
        """Make room for the copy, where there is something to round."""
        super().__init__()
        self._formats = tuple(formats)
        self._rounds = any(bits != FLOAT_BITS and num_rows for num_rows, bits in formats)
        if self._rounds:
            self.register_buffer("copy", cpu.empty_rows(rows.shape, rows.dtype), persistent=False)
            self.register_buffer("tops", torch.zeros(len(formats)))
            self.register_buffer("tops_in_use", torch.zeros(len(formats)), persistent=False)
            self.register_buffer("num_reads", torch.zeros((), dtype=torch.int64))

    def forward(self, rows: Tensor, touched: Tensor, round_rows: RoundRows) -> Tensor:
        """Round the rows that a batch reads.

        Args:
            rows: float[R, width], as they are now.
            touched: int64[T], which of them are read; they may repeat.
            round_rows: Of the engine in use.

        Returns:
            float[R, width] of which those rows may be read; their gradient is that of ``rows``.
        """
        if not self._rounds:
            return rows
        tops = self.tops if self.training else self.tops_in_use
        if self.training:
            if self.num_reads % REFRESH_EVERY == 0:
                self._take_largest_steps(rows, self.tops)
            self.num_reads += 1
        # Past autograd's count of changes: what an earlier pass has read is rounded to the same again.
        values, copy = rows.detach(), self.copy.data
        first = 0
        for place, (num_rows, bits) in enumerate(self._formats):
            part = slice(first, first + num_rows)
            here = touched
            if len(self._formats) > 1:
                here = touched[(touched >= first) & (touched < first + num_rows)] - first
            if bits == FLOAT_BITS:
                copy[part][here] = values[part][here]
            else:
                tops[place] = round_rows(values[part], here, bits, float(tops[place]), copy[part])
            first += num_rows
        passed: Tensor = _StraightThrough.apply(rows, copy)  # type: ignore[no-untyped-call]
        return passed

    def look_at(self, rows: Tensor) -> None:
        """Take the largest steps of all rows as they are, for reading outside training.

        Args:
            rows: float[R, width].
        """
        if self._rounds:
            self._take_largest_steps(rows, self.tops_in_use)

    def _take_largest_steps(self, rows: Tensor, tops: Tensor) -> None:
        parts = torch.split(rows.detach(), [num_rows for num_rows, _ in self._formats])
        for place, (part, (_, bits)) in enumerate(zip(parts, self._formats, strict=True)):
            if bits != FLOAT_BITS:
                tops[place] = reference.largest_step(part, bits)


class _StraightThrough(torch.autograd.Function):
    """The rounded rows, whose gradient goes to the rows as it is."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, rounded: Tensor) -> Tensor:
        # A fused optimizer returns no gradient; none is to become zeros of the size of the table.
        ctx.set_materialize_grads(False)
        return rounded.view_as(rounded)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor | None) -> tuple[Tensor | None, None]:
        return grad, None


def _bits_in_training(tier: Tier) -> int:
    """Return the bits to which the rows of a tier are rounded while it is trained."""
    return FLOAT_BITS if tier.bits == NOT_SHIPPED or tier.num_codes else tier.bits
