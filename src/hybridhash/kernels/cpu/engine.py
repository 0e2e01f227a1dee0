"""The compiled engine behind the door of `hybridhash.kernels.engine`."""

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor

from hybridhash.kernels.cpu.fused import MAX_FUSED_DIM, RULES, pool_and_update
from hybridhash.kernels.cpu.lookup import MAX_DICTIONARIES, Lookup, encode
from hybridhash.kernels.cpu.ops import MAX_HASHES, ROW_DTYPES, embedding_bag
from hybridhash.kernels.cpu.packed import packed_embedding_bag
from hybridhash.kernels.engine import Index, Request
from hybridhash.kernels.reference import Combine, Mode, Slab, Step

KINDS: Final = frozenset({"exact", "fingerprints", "ribbon"})
"""The kinds of dictionary that the kernels read."""


class CpuEngine:
    """C++ kernels on the CPU, for float32, bfloat16 and float16 rows."""

    name = "cpu"
    checks_offsets = True

    def unable(self, request: Request) -> str | None:
        """Return why the kernels cannot run a request, or None; on the meta device there are shapes only."""
        able = request.device.type == "meta" or (
            request.device.type == "cpu"
            and request.dtype in ROW_DTYPES
            and request.num_hashes <= MAX_HASHES
            and request.num_dictionaries <= MAX_DICTIONARIES
            and request.fused_dim <= MAX_FUSED_DIM
            and request.kinds <= KINDS
            and (request.rule is None or request.rule in RULES)
        )
        if able:
            return None
        return (
            f"expected float32, bfloat16 or float16 rows on the CPU, at most {MAX_HASHES} hashes, at most "
            f"{MAX_DICTIONARIES} dictionaries of the kinds {', '.join(sorted(KINDS))}, and at most {MAX_FUSED_DIM} "
            f"floats a row with an optimizer of the rules {', '.join(RULES)}, got {request.dtype} on {request.device}, "
            f"{request.num_hashes} hashes, {request.num_dictionaries} dictionaries "
            f"({', '.join(sorted(request.kinds))}), {request.fused_dim} floats to move and rule {request.rule}"
        )

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

    def pool_and_update(
        self,
        head: Tensor,
        tail: Tensor,
        rows: Tensor | Lookup,
        offsets: Tensor,
        *,
        combine: Combine,
        mode: Mode,
        per_sample_weights: Tensor | None,
        step: Step,
        padding_row: int | None,
    ) -> Tensor:
        """Pool, and move the rows in backward."""
        return pool_and_update(
            head,
            tail,
            rows,
            offsets,
            combine=combine,
            mode=mode,
            per_sample_weights=per_sample_weights,
            step=step,
        )

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
