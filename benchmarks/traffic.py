"""Bytes that a step of an embedding bag cannot avoid to move, counted and not measured.

Keys are read once; a look-up reads one cache line of the dictionary, and a second one for a key that the
dictionary does not have; every key reads its row or rows; the pooled vectors are written and their gradients
read; every distinct row is read and written by the optimizer, with its state. What an implementation sorts,
copies or builds in between is not counted, and rows that stay in cache are: the figure compares needs, and may
pass the speed of the memory where caches serve it.
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
    num_keys: int, pooled: Tensor, reads: list[Reads], *, num_lines: int, num_states: int | None
) -> int:
    """Count the bytes of one step.

    Args:
        num_keys: N.
        pooled: float[B, D], or its gradient; only the shape counts.
        reads: What each table is read for.
        num_lines: Cache lines of the dictionary that are read.
        num_states: Floats of optimizer state per float of a row; None for forward only.
    """
    total = _KEY * num_keys + _FLOAT * pooled.numel() + _LINE * num_lines
    for read in reads:
        total += _FLOAT * read.row_dim * read.rows.numel()
        if num_states is not None:
            total += 2 * (1 + num_states) * _FLOAT * read.row_dim * read.rows.unique().numel()
    return total + (0 if num_states is None else _FLOAT * pooled.numel())
