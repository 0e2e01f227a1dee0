"""The embedding bag as it is shipped: rows of a few bits, read without unpacking the table."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from hybridhash.embeddings.base import BaseEmbeddingBag, Engine
from hybridhash.embeddings.encoder import CodedRowEncoder, EncodedRows
from hybridhash.errors import InvalidValueError
from hybridhash.kernels import cpu, reference
from hybridhash.kernels.reference import Mode, Rows, Slab
from hybridhash.packing import PackedRows
from hybridhash.spec import NOT_SHIPPED, TableSpec


class PackedEmbeddingBag(BaseEmbeddingBag):
    """Embeds bags of int64 keys from packed rows; for inference only, it has no parameters.

    Args:
        spec: The table, as it was trained.
        encoder: Says which packed row a key reads.
        head: The rows of each tier that is shipped.
        tail: The rows of the tail.
        mode: As in `KeyEmbeddingBag`.
        include_last_offset: As there.
        padding_key: As there.
        engine: As there.

    Raises:
        InvalidValueError: Rows that are not those of the spec.
    """

    def __init__(
        self,
        spec: TableSpec,
        encoder: CodedRowEncoder,
        head: Sequence[PackedRows],
        tail: PackedRows,
        *,
        mode: Mode = "mean",
        include_last_offset: bool = False,
        padding_key: int | None = None,
        engine: Engine = "auto",
    ) -> None:
        """Hold the packed rows as buffers."""
        super().__init__(
            spec,
            encoder,
            mode=mode,
            include_last_offset=include_last_offset,
            padding_key=padding_key,
            engine=engine,
        )
        wanted = [
            *((tier.num_rows, spec.dim, tier.bits) for tier in spec.head_tiers if tier.bits != NOT_SHIPPED),
            (spec.num_buckets, spec.bucket_dim, spec.tail_bits),
        ]
        slabs = [*head, tail]
        got = [(slab.num_rows, slab.width, slab.bits) for slab in slabs]
        if got != wanted:
            raise InvalidValueError(f"rows: expected (rows, width, bits) {wanted}, got {got}")
        self._shapes = wanted
        for place, slab in enumerate(slabs):
            self.register_buffer(f"rows_{place}", cpu.from_numpy(slab.codes))
            self.register_buffer(f"scales_{place}", cpu.from_numpy(slab.scales))

    @property
    def slabs(self) -> list[Slab]:
        """The rows of each tier that is shipped, then those of the tail."""
        return [
            Slab(getattr(self, f"rows_{place}"), getattr(self, f"scales_{place}"), bits, num_rows, width)
            for place, (num_rows, width, bits) in enumerate(self._shapes)
        ]

    def pool(self, rows: EncodedRows, offsets: Tensor, weights: Tensor | None) -> Tensor:
        """Pool as `BaseEmbeddingBag.pool` says."""
        *head, tail = self.slabs
        if not isinstance(rows, Rows):
            return cpu.packed_embedding_bag(
                head,
                tail,
                rows,
                offsets,
                combine=self.spec.combine,
                mode=self.mode,
                per_sample_weights=weights,
            )
        return reference.packed_embedding_bag(
            head, tail, rows, offsets, combine=self.spec.combine, mode=self.mode, per_sample_weights=weights
        )

    def engine_in_use(self) -> Literal["reference", "cpu"]:
        """Return the engine that the rows' device, and the number of hashes, lead to.

        Raises:
            InvalidValueError: The engine that was asked for cannot run here.
        """
        device = self.encoder.salts.device
        able = device.type == "cpu" and self.spec.num_hashes <= cpu.MAX_HASHES
        if self.engine == "cpu" and not able:
            raise InvalidValueError(
                f"engine 'cpu': expected rows on the CPU and at most {cpu.MAX_HASHES} hashes, got {device} and "
                f"{self.spec.num_hashes} hashes; use engine 'reference' or 'auto'"
            )
        return "cpu" if able and self.engine != "reference" else "reference"

    def dense_equivalent(self, keys: Tensor) -> Tensor:
        """Return the vector of each key, float[N, D]; see `BaseEmbeddingBag.dense_equivalent`."""
        rows = self.encoder(keys, self.padding_key)
        *head, tail = self.slabs
        offsets = torch.arange(keys.numel() + 1, device=keys.device)
        return reference.packed_embedding_bag(
            head, tail, rows, offsets, combine=self.spec.combine, mode="sum"
        )

    @property
    def dtype(self) -> torch.dtype:
        """The type of the vectors."""
        return torch.float32

    def extra_repr(self) -> str:
        """Say the sizes when printed."""
        rows = ", ".join(f"{num_rows} of {bits} bits" for num_rows, _, bits in self._shapes)
        return f"rows={rows}, dim={self.spec.dim}, mode={self.mode!r}"
