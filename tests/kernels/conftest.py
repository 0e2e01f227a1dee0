"""What the tests of several engines share: every optimizer, packed rows, and a table of them with its keys."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pytest
import torch
from torch import Tensor

from hybridhash import optim
from hybridhash.hashing import bucket_salts, num_positions, place_fingerprints, place_keys
from hybridhash.kernels import cpu, reference
from hybridhash.kernels.reference import Combine, Dictionary, Mode, Slab
from hybridhash.optim import FusedOptimizer
from hybridhash.packing import PackedRows, pack_integers, pack_rows

OPTIMIZERS: Final[dict[str, type[FusedOptimizer]]] = {
    kind.rule: kind for kind in vars(optim).values() if hasattr(kind, "rule")
}
"""Every optimizer by the name of its rule."""

NO_CODES = torch.empty(0, dtype=torch.uint8)


@pytest.fixture(autouse=True)
def _as_many_threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def as_slab(packed: PackedRows) -> Slab:
    return Slab(
        torch.from_numpy(packed.codes),
        torch.from_numpy(packed.scales),
        packed.bits,
        packed.num_rows,
        packed.width,
    )


def slab_of(num_rows: int, width: int, bits: int, seed: int = 0) -> Slab:
    """Rows of very different sizes."""
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(num_rows, width)) * np.exp(generator.normal(size=(num_rows, 1)))
    return as_slab(pack_rows(rows.astype(np.float32), bits))


class Table:
    """Slabs, dictionaries and bags of keys; three keys in five are in the head."""

    def __init__(
        self,
        dim: int,
        bits: tuple[int, ...],
        num_hashes: int = 2,
        combine: Combine = "sum",
        *,
        padding: int | None = 7,
        lengths: tuple[int, ...] = (3, 0, 1, 20, 0, 270, 2),  # two chunks
    ) -> None:
        generator = np.random.default_rng(dim)
        *of_head, of_tail = bits
        width = dim // num_hashes if combine == "concat" else dim
        self.combine, self.padding, self.dim = combine, padding, dim
        self.salts = np.array(bucket_salts(num_hashes, 1), dtype=np.uint64).view(np.int64).tolist()
        self.head, self.dictionaries = [], []
        pool = generator.integers(-(2**63), 2**63, 500)
        pool[0] = 7
        for place, each in enumerate(of_head):
            keys = np.array_split(pool[:300], len(of_head))[place]
            positions = num_positions(keys.size)
            if place % 2:  # rows that keys share, found by fingerprint
                codes = pack_integers(generator.integers(0, 30, positions).astype(np.uint32), 5)
                places, codes = place_fingerprints(keys, 16), torch.from_numpy(codes)
                self.dictionaries.append(Dictionary(torch.from_numpy(places), 16, codes, 5, 30))
            else:
                places = torch.from_numpy(place_keys(keys))
                self.dictionaries.append(Dictionary(places, 64, NO_CODES, 0, positions))
            self.head.append(slab_of(self.dictionaries[-1].num_rows, dim, each, place))
        self.tail = slab_of(40, width, of_tail, 99)
        self.offsets = torch.tensor(np.cumsum([0, *lengths]))
        self.keys = torch.from_numpy(generator.choice(pool, int(self.offsets[-1])))

    def weights(self) -> Tensor:
        return torch.linspace(-1, 2, self.keys.numel())

    def lookup(self, *, kept: bool = True) -> cpu.Lookup:
        return cpu.Lookup(self.keys, self.dictionaries, 40, self.salts, self.padding, kept)

    def pooled(self, rows: Tensor | cpu.Lookup, mode: Mode, weights: Tensor | None = None) -> Tensor:
        return cpu.packed_embedding_bag(
            self.head,
            self.tail,
            rows,
            self.offsets,
            combine=self.combine,
            mode=mode,
            per_sample_weights=weights,
        )

    def sizes(self, mode: Mode, weights: Tensor | None) -> Tensor:
        """Pool the sizes of all floats in place of the floats."""
        parts = [reference.unpack_rows(slab, torch.arange(slab.num_rows)).abs() for slab in self.head]
        head = torch.cat([torch.empty(0, self.dim), *parts])
        tail = reference.unpack_rows(self.tail, torch.arange(self.tail.num_rows)).abs()
        rows = reference.encode(self.keys, self.dictionaries, 40, torch.tensor(self.salts), self.padding)
        padding = torch.tensor([0 if self.padding is None else self.padding])
        row = reference.encode(padding, self.dictionaries, 40, torch.tensor(self.salts)).head.tolist()
        return reference.embedding_bag(
            head,
            tail,
            rows,
            self.offsets,
            combine=self.combine,
            mode=mode,
            per_sample_weights=weights,
            padding_row=row[0] if row and self.padding is not None else None,
        )

    def by_definition(self, mode: Mode, weights: Tensor | None = None) -> Tensor:
        salts = torch.tensor(self.salts)
        rows = reference.encode(self.keys, self.dictionaries, 40, salts, self.padding)
        return reference.packed_embedding_bag(
            self.head,
            self.tail,
            rows,
            self.offsets,
            combine=self.combine,
            mode=mode,
            per_sample_weights=weights,
        )
