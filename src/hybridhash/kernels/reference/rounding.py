"""Rows as they would be shipped, while they are trained; the same numbers as ``packing.pack_rows``."""

import math
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

_SCALE_BLOCK: Final = 16  # floats that share a scale
_NUM_SCALES: Final = 15  # beside the scale of a block of zeros


def round_rows(rows: Tensor, touched: Tensor, bits: int, top: float, out: Tensor) -> float:
    """Round the blocks of floats that some rows have a part in.

    Args:
        rows: float[R, width].
        touched: int64[T], rows; they may repeat.
        bits: Of a stored float: 1, 2, 3, 4 or 8.
        top: The largest step that the table has had so far.
        out: float[R, width]; the blocks are written here, and the others stay. A block with a number that is not
            finite becomes NaN, so that a training that diverged shows.

    Returns:
        ``top``, or the largest step that one of the blocks wants where that is larger; with it they are rounded.
    """
    num_floats, width = rows.numel(), rows.shape[1]
    first, last = touched * width // _SCALE_BLOCK, ((touched + 1) * width - 1) // _SCALE_BLOCK
    most = int((last - first).max()) + 1 if touched.numel() else 0
    spans = first[:, None] + torch.arange(most, device=rows.device)
    blocks = torch.unique(spans[spans <= last[:, None]])
    places = blocks[:, None] * _SCALE_BLOCK + torch.arange(_SCALE_BLOCK, device=rows.device)
    inside = places < num_floats
    values = rows.reshape(-1)[places.clamp_max(num_floats - 1)].float().masked_fill(~inside, 0)
    top = max(top, _largest(values, bits))
    rounded = _round(values, bits, top)
    out.view(-1)[places[inside]] = rounded[inside].to(out.dtype)
    return top


def largest_step(rows: Tensor, bits: int) -> float:
    """Return the largest step that a block of a table wants, as ``packing.pack_rows`` finds it.

    Args:
        rows: float[R, width].
        bits: Of a stored float: 1, 2, 3, 4 or 8.
    """
    values = rows.reshape(-1).float()
    return _largest(F.pad(values, (0, -values.numel() % _SCALE_BLOCK)).view(-1, _SCALE_BLOCK), bits)


def _largest(blocks: Tensor, bits: int) -> float:
    if not blocks.numel():
        return 0.0
    if bits == 1:
        steps = _sum(blocks.abs()) / _SCALE_BLOCK * 2
    else:
        steps = blocks.abs().amax(1) / ((1 << (bits - 1)) - 0.5)
    return float(steps.nan_to_num(nan=0.0, posinf=0.0).max())


def _round(blocks: Tensor, bits: int, top: float) -> Tensor:
    """Return each block at the scale with the least squared error."""
    half = 1 << (bits - 1)
    best = torch.zeros_like(blocks)
    least = _sum(blocks * blocks)
    for scale in range(_NUM_SCALES):
        # Rounded as in numpy: the power in float32 before it meets the largest step.
        step = blocks.new_tensor(2.0 ** (-scale / 2)) * blocks.new_tensor(top)
        if step == 0:
            continue
        tried = ((blocks / step).floor().clamp(-half, half - 1) + 0.5) * step
        error = _sum((blocks - tried) ** 2)
        better = error < least
        least = torch.where(better, error, least)
        best = torch.where(better[:, None], tried, best)
    return best.masked_fill(~least.isfinite()[:, None], math.nan)


def _sum(blocks: Tensor) -> Tensor:
    """Add up each block in numpy's order, so that equal errors stay equal."""
    sums = blocks[:, :8] + blocks[:, 8:]
    while sums.shape[1] > 1:
        sums = sums[:, ::2] + sums[:, 1::2]
    return sums[:, 0]
