"""The reference engine: the functions of this room behind the door of `hybridhash.kernels.engine`."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from hybridhash.kernels.engine import Index, Request
from hybridhash.kernels.reference.bags import Combine, Mode, embedding_bag
from hybridhash.kernels.reference.encode import FINDERS, Rows, encode
from hybridhash.kernels.reference.packed import Slab, packed_embedding_bag
from hybridhash.kernels.reference.rules import RULES
from hybridhash.kernels.reference.update import Step, update, weight_gradient


class ReferenceEngine:
    """The definition of every operation, in plain torch: any device, any dtype, any number of hashes.

    It reads the kinds of dictionary in `FINDERS` and moves rows by the rules in `RULES`.
    """

    name = "reference"
    checks_offsets = False

    def unable(self, request: Request) -> str | None:
        """Return which kind of dictionary or which rule this engine does not have, or None."""
        if any(kind not in FINDERS for kind in request.kinds):
            return f"expected dictionaries of the kinds {', '.join(FINDERS)}, got {', '.join(sorted(request.kinds))}"
        if not (request.rule is None or request.rule in RULES):
            return f"expected an optimizer of the rules {', '.join(RULES)}, got {request.rule!r}"
        return None

    def encode(self, keys: Tensor, index: Index) -> Rows:
        """Find the rows of keys."""
        return encode(keys, index.dictionaries, index.num_buckets, index.salts, index.padding_key)

    def lookup(self, keys: Tensor, index: Index, *, kept: bool) -> Rows:
        """Find the rows of keys at once."""
        return self.encode(keys, index)

    def answers(self, rows: Any, index: Index) -> bool:
        """Whether rows came from `encode`."""
        return isinstance(rows, Rows)

    def embedding_bag(
        self,
        head: Tensor,
        tail: Tensor,
        rows: Rows,
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
            padding_row=padding_row,
        )

    def update(
        self,
        head: Tensor,
        tail: Tensor,
        rows: Rows,
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
        self, head: Tensor, tail: Tensor, rows: Rows, offsets: Tensor, grad: Tensor, *, combine: Combine
    ) -> Tensor:
        """Return the gradient of the per-sample weights."""
        return weight_gradient(head, tail, rows, offsets, grad, combine=combine)

    def packed_embedding_bag(
        self,
        head: Sequence[Slab],
        tail: Slab,
        rows: Rows,
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
