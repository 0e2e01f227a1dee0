"""Bytes that a step of an embedding bag cannot avoid to move, counted and not measured.

Keys are read once; a look-up touches two cache lines of the dictionary; every key reads its row or rows; the
pooled vectors are written and their gradients read; every distinct row is read and written by the optimizer,
with its state. What an implementation sorts, copies or builds in between is not counted, and rows that stay in
cache are: the figure compares needs, and may pass the speed of the memory where caches serve it.
"""

from dataclasses import dataclass

from torch import Tensor

_FLOAT = 4
_KEY = 8
_LINE = 64


@dataclass(frozen=True)
class Reads:
    """What the keys of a batch read.

    Attributes:
        rows: int[number of reads], rows by number, of one table.
        row_dim: Floats in such a row.
    """

    rows: Tensor
    row_dim: int


def step_bytes(
    num_keys: int, pooled: Tensor, reads: list[Reads], *, dictionary: bool, num_states: int | None
) -> int:
    """Count the bytes of one step.

    Args:
        num_keys: N.
        pooled: float[B, D], or its gradient; only the shape counts.
        reads: What each table is read for.
        dictionary: Whether keys are looked up.
        num_states: Floats of optimizer state per float of a row; None for forward only.
    """
    total = _KEY * num_keys + _FLOAT * pooled.numel() + (2 * _LINE * num_keys if dictionary else 0)
    for read in reads:
        total += _FLOAT * read.row_dim * read.rows.numel()
        if num_states is not None:
            total += 2 * (1 + num_states) * _FLOAT * read.row_dim * read.rows.unique().numel()
    return total + (0 if num_states is None else _FLOAT * pooled.numel())
