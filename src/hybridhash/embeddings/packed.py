"""`PackedEmbeddingBag`: a shipped table as a module; rows of a few bits are read without unpacking the table."""

import torch
from torch import Tensor

from hybridhash.embeddings.base import BaseEmbeddingBag, KeyRows
from hybridhash.embeddings.encoder import RowEncoder
from hybridhash.embeddings.inputs import BagInput
from hybridhash.kernels import AUTO, Engine, Request, from_numpy, reference
from hybridhash.kernels.reference import Slab
from hybridhash.packing import PackedRows
from hybridhash.spec import Mode
from hybridhash.tables import ShippedTable


class PackedEmbeddingBag(BaseEmbeddingBag):
    """A shipped table as a module, with the contract of ``nn.EmbeddingBag``; for inference only, without parameters.

    Args:
        table: The shipped table; its arrays are copied into buffers.
        encoder: The encoder of another bag with the same index, to share its buffers. Made if not given.
        mode: How the vectors of a bag become one, as in `EmbeddingBag`.
        include_last_offset: Whether ``offsets`` ends with the number of keys.
        padding_key: A key that stands for nothing.
        engine: Name of the engine that computes, or ``auto``.

    Raises:
        InvalidValueError: An encoder of another table, an unknown mode or engine, or a ``padding_key`` outside int64.
    """

    def __init__(
        self,
        table: ShippedTable,
        *,
        encoder: RowEncoder | None = None,
        mode: Mode = "mean",
        include_last_offset: bool = False,
        padding_key: int | None = None,
        engine: str = AUTO,
    ) -> None:
        super().__init__(
            table.spec,
            RowEncoder(table.index) if encoder is None else encoder,
            mode=mode,
            include_last_offset=include_last_offset,
            padding_key=padding_key,
            engine=engine,
        )
        self.feature_names = table.feature_names
        self.key_seed = table.key_seed
        self._shapes = [(slab.num_rows, slab.width, slab.bits) for slab in table.slabs]
        for place, slab in enumerate(table.slabs):
            self.register_buffer(f"rows_{place}", from_numpy(slab.codes))
            self.register_buffer(f"scales_{place}", from_numpy(slab.scales))

    @property
    def slabs(self) -> list[Slab]:
        """The rows of each tier that is shipped, then those of the tail."""
        return [
            Slab(getattr(self, f"rows_{place}"), getattr(self, f"scales_{place}"), bits, num_rows, width)
            for place, (num_rows, width, bits) in enumerate(self._shapes)
        ]

    def shipped(self) -> ShippedTable:
        """Return the table that the buffers hold, without torch."""
        slabs = [
            PackedRows(
                slab.codes.cpu().numpy(), slab.scales.cpu().numpy(), slab.bits, slab.width, slab.num_rows
            )
            for slab in self.slabs
        ]
        return ShippedTable(
            self.spec,
            self.encoder.key_index(),
            slabs,
            feature_names=self.feature_names,
            key_seed=self.key_seed,
        )

    def pool(self, engine: Engine, batch: BagInput, rows: KeyRows, *, steps: bool) -> Tensor:
        """Pool as `BaseEmbeddingBag.pool` says."""
        *head, tail = self.slabs
        return engine.packed_embedding_bag(
            head,
            tail,
            rows,
            batch.offsets,
            combine=self.spec.combine,
            mode=self.mode,
            per_sample_weights=batch.weights,
        )

    def request(self) -> Request:
        """Return what the engine must be able to run."""
        return Request(
            self.encoder.salts.device,
            torch.float32,
            self.spec.num_hashes,
            self.encoder.num_dictionaries,
            self.encoder.kinds,
        )

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
