"""The definition of packed rows against numpy."""

import itertools

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from hybridhash.kernels import cpu, reference
from hybridhash.kernels.reference import Mode
from hybridhash.packing import ROW_BITS, PackedRows, pack_rows, unpack_rows

from ..conftest import Table, as_slab


@pytest.mark.parametrize("bits", ROW_BITS)
@pytest.mark.parametrize(("num_rows", "width"), [(1, 1), (5, 3), (9, 16), (4, 40)])
def test_rows_by_definition_are_those_of_numpy(num_rows: int, width: int, bits: int) -> None:
    packed = pack_rows(np.random.default_rng(0).normal(size=(num_rows, width)).astype(np.float32), bits)
    wanted = np.array([[num_rows - 1, 0], [0, num_rows // 2]])
    found = reference.unpack_rows(as_slab(packed), torch.from_numpy(wanted))
    assert found.dtype == torch.float32
    np.testing.assert_array_equal(found.numpy(), unpack_rows(packed, wanted))
    assert reference.unpack_rows(as_slab(packed), torch.zeros(0, 2).long()).shape == (0, 2, width)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_by_definition_are_those_of_a_loop(mode: Mode) -> None:
    table = Table(6, (4, 8, 2), 3, "concat", lengths=(4, 0, 1, 9))
    rows = cpu.encode(table.keys, table.dictionaries, 40, table.salts, table.padding).tolist()
    head = np.concatenate(
        [
            unpack_rows(PackedRows(s.codes.numpy(), s.scales.numpy(), s.bits, s.width, s.num_rows))
            for s in table.head
        ]
    )
    last = table.tail
    tail = unpack_rows(
        PackedRows(last.codes.numpy(), last.scales.numpy(), last.bits, last.width, last.num_rows)
    )
    expected = []
    for first, end in itertools.pairwise(table.offsets.tolist()):
        vectors = [
            head[row[0]] if row[0] >= 0 else np.concatenate([tail[~r] for r in row])
            for row in rows[first:end]
            if row[0] != 2**31 - 1
        ] or [np.zeros(6)]
        expected.append({"sum": np.sum, "mean": np.mean, "max": np.max}[mode](vectors, axis=0))
    assert_close(table.by_definition(mode), torch.tensor(np.array(expected)).float(), rtol=1e-5, atol=1e-5)
