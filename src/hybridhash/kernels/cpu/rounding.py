"""Rows as they would be shipped, while they are trained."""

from torch import Tensor

from hybridhash import _native
from hybridhash.kernels.cpu.tensors import num_threads


def round_rows(rows: Tensor, touched: Tensor, bits: int, top: float, out: Tensor) -> float:
    """Round the blocks of floats that some rows have a part in; see ``kernels.reference.round_rows``.

    Args:
        rows: float32[R, width], in one piece.
        touched: int64[T], rows; they may repeat.
        bits: Of a stored float: 1, 2, 3, 4 or 8.
        top: The largest step that the table has had so far.
        out: float32[R, width], in one piece; the blocks are written here.

    Returns:
        The largest step that they were rounded with, bit for bit that of the definition.

    Raises:
        ValueError: A row that the table does not have, or bits that are not on offer.
    """
    return _native.round_rows(rows.detach(), touched.contiguous(), bits, top, out, num_threads())
