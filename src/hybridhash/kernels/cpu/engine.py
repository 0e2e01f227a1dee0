"""The compiled engine behind the door of `hybridhash.kernels.engine`."""

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor

from hybridhash import _native
from hybridhash.kernels.cpu.fused import MAX_FUSED_DIM, RULES, update
from hybridhash.kernels.cpu.gradients import weight_gradient
from hybridhash.kernels.cpu.lookup import MAX_DICTIONARIES, Lookup, encode, rows_of
from hybridhash.kernels.cpu.ops import MAX_HASHES, ROW_DTYPES, embedding_bag
from hybridhash.kernels.cpu.packed import packed_embedding_bag
from hybridhash.kernels.cpu.tensors import COMBINES
from hybridhash.kernels.engine import Index, Request
from hybridhash.kernels.reference import Combine, Mode, Slab, Step

KINDS: Final = frozenset(_native.DICTIONARIES)
"""The kinds of dictionary that the kernels read."""


class CpuEngine:
    """C++ kernels on the CPU, for float32, bfloat16 and float16 rows."""

    name = "cpu"
    checks_offsets = True

    def unable(self, request: Request) -> str | None:
        """Return why the kernels cannot run a request, or None; on the meta device there are shapes only."""
        if request.device.type == "meta":
            return None
        if request.device.type != "cpu" or request.dtype not in ROW_DTYPES:
            return f"expected float32, bfloat16 or float16 rows on the CPU, got {request.dtype} on {request.device}"
        if request.num_hashes > MAX_HASHES:
            return f"expected at most {MAX_HASHES} hashes, got {request.num_hashes}"
        if request.num_dictionaries > MAX_DICTIONARIES:
            return f"expected at most {MAX_DICTIONARIES} dictionaries, got {request.num_dictionaries}"
        if not request.kinds <= KINDS:
            names, got = (", ".join(sorted(kinds)) for kinds in (KINDS, request.kinds))
            return f"expected dictionaries of the kinds {names}, got {got}"
        if request.fused_dim > MAX_FUSED_DIM:
            return f"expected at most {MAX_FUSED_DIM} floats a row with an optimizer, got {request.fused_dim}"
        if request.rule is not None and request.rule not in RULES:
            return f"expected an optimizer of the rules {', '.join(RULES)}, got {request.rule!r}"
        return None

    def encode(self, keys: Tensor, index: Index) -> Tensor:
        """Find the rows of keys: int32[N, H]."""
        return encode(keys, index.dictionaries, index.num_buckets, index.words, index.padding_key)

    def lookup(self, keys: Tensor, index: Index, *, kept: bool) -> Tensor | Lookup:
        """Let the first bag find the rows while it pools them; under torch.compile they are found at once."""
        if torch.compiler.is_compiling():
            return self.encode(keys, index)
        return Lookup(
            keys, index.dictionaries, index.num_buckets, index.words, index.padding_key, kept, index=index
        )

    def answers(self, rows: Any, index: Index) -> bool:
        """Whether rows came from `encode`, or from `lookup` with the same index."""
        if isinstance(rows, Lookup):
            return rows.index is not None and index.is_that_of(rows.index)
        return isinstance(rows, Tensor)

    def embedding_bag(
        self,
        head: Tensor,
        tail: Tensor,
        rows: Tensor | Lookup,
        offsets: Tensor,
        *,
        combine: Combine,
        mode: Mode,
        per_sample_weights: Tensor | None,
        sparse: bool,
        padding_row: int | None,
    ) -> Tensor:
        """Pool the vectors of each bag of keys."""
        return embedding_bag(
            head,
            tail,
            rows,
            offsets,
            combine=combine,
            mode=mode,
            per_sample_weights=per_sample_weights,
            sparse=sparse,
        )

    def update(
        self,
        head: Tensor,
        tail: Tensor,
        rows: Tensor | Lookup,
        offsets: Tensor,
        grad: Tensor,
        *,
        combine: Combine,
        mode: Mode,
        per_sample_weights: Tensor | None,
        step: Step,
    ) -> None:
        """Move the rows of a batch."""
        update(
            head,
            tail,
            rows,
            offsets,
            grad,
            combine=combine,
            mode=mode,
            per_sample_weights=per_sample_weights,
            step=step,
        )

    def weight_gradient(
        self,
        head: Tensor,
        tail: Tensor,
        rows: Tensor | Lookup,
        offsets: Tensor,
        grad: Tensor,
        *,
        combine: Combine,
    ) -> Tensor:
        """Return the gradient of the per-sample weights."""
        return weight_gradient(head, tail, rows_of(rows), offsets, grad.float(), COMBINES.index(combine))

    def packed_embedding_bag(
        self,
        head: Sequence[Slab],
        tail: Slab,
        rows: Tensor | Lookup,
        offsets: Tensor,
        *,
        combine: Combine,
        mode: Mode,
        per_sample_weights: Tensor | None,
    ) -> Tensor:
        """Pool packed rows."""
        return packed_embedding_bag(
            head, tail, rows, offsets, combine=combine, mode=mode, per_sample_weights=per_sample_weights
        )
