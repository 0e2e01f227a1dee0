"""Rows rounded while they are trained are those that packing ships, bit for bit, on both engines."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hybridhash import _native
from hybridhash.kernels import cpu, reference
from hybridhash.packing import FLOAT_BITS, ROW_BITS, pack_rows, unpack_rows

FEW = [bits for bits in ROW_BITS if bits != FLOAT_BITS]
SHAPES = [(1, 1), (40, 16), (33, 10), (501, 1), (77, 24), (5, 100)]
RoundRows = Callable[[Tensor, Tensor, int, float, Tensor], float]
ENGINES = pytest.mark.parametrize(
    "round_rows", [reference.round_rows, cpu.round_rows], ids=["reference", "cpu"]
)


@pytest.fixture(autouse=True)
def _as_many_threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def random_rows(num_rows: int, width: int, seed: int = 0) -> Tensor:
    """Rows of very different sizes, some of them zero."""
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(num_rows, width)) * np.exp(2 * generator.normal(size=(num_rows, 1)))
    rows[generator.random(num_rows) < 0.2] = 0
    return torch.from_numpy(rows.astype(np.float32))


def shipped(rows: Tensor, bits: int) -> tuple[Tensor, float]:
    """Return the rows as they ship, and their largest step."""
    packed = pack_rows(rows.numpy(), bits)
    return torch.from_numpy(unpack_rows(packed)), float(packed.scales[:4].view("<f4")[0])


@ENGINES
@pytest.mark.parametrize("bits", FEW)
@pytest.mark.parametrize("shape", SHAPES)
def test_all_rows_are_as_they_ship(round_rows: RoundRows, bits: int, shape: tuple[int, int]) -> None:
    rows = random_rows(*shape)
    expected, top = shipped(rows, bits)
    out = torch.full_like(rows, math.nan)
    assert round_rows(rows, torch.arange(shape[0]), bits, 0.0, out) == top
    assert torch.equal(out, expected)
    assert reference.largest_step(rows, bits) == top


@ENGINES
@pytest.mark.parametrize("bits", FEW)
@pytest.mark.parametrize("width", [1, 6, 16, 20])
def test_only_the_blocks_of_the_rows_are_written(round_rows: RoundRows, bits: int, width: int) -> None:
    rows = random_rows(60, width, seed=3)
    expected, top = shipped(rows, bits)
    touched = [4, 59, 17, 4, 18]
    blocks = {
        place // 16 for row in touched for place in range(row * width, (row + 1) * width)
    }  # float by float
    written = torch.tensor([place // 16 in blocks for place in range(rows.numel())]).view(rows.shape)
    out = torch.full_like(rows, 7.0)
    assert round_rows(rows, torch.tensor(touched), bits, top, out) == top
    assert torch.equal(out[written], expected[written])
    assert (out[~written] == 7.0).all()


@ENGINES
@pytest.mark.parametrize("bits", FEW)
def test_a_larger_step_of_other_rows_counts(round_rows: RoundRows, bits: int) -> None:
    """A table whose first block wants the largest step is rounded with and without that block among the rows."""
    rows = random_rows(50, 16, seed=5)
    rows[0] = 100.0
    expected, top = shipped(rows, bits)
    out = torch.zeros_like(rows)
    assert round_rows(rows, torch.arange(1, 50), bits, top, out) == top
    assert torch.equal(out[1:], expected[1:])


@ENGINES
@pytest.mark.parametrize("bits", FEW)
@pytest.mark.parametrize("top", [0.0, 1e-44, 3.0])
def test_zeros_stay(round_rows: RoundRows, bits: int, top: float) -> None:
    out = torch.ones(3, 16)
    assert round_rows(torch.zeros(3, 16), torch.tensor([0, 2]), bits, top, out) == np.float32(top)
    assert out[[0, 2]].abs().sum() == 0


@ENGINES
@pytest.mark.parametrize("bits", FEW)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_block_that_is_not_finite_becomes_nan_and_moves_no_other(
    round_rows: RoundRows, bits: int, bad: float
) -> None:
    rows = random_rows(6, 16, seed=2)
    expected, top = shipped(rows[:5], bits)
    rows[5, 3] = bad
    out = torch.zeros_like(rows)
    assert round_rows(rows, torch.arange(6), bits, 0.0, out) == top
    assert torch.equal(out[:5], expected)
    assert out[5].isnan().all()
    assert reference.largest_step(rows, bits) == top


@ENGINES
def test_no_rows_are_no_work(round_rows: RoundRows) -> None:
    out = torch.full((4, 3), 7.0)
    assert round_rows(torch.ones(4, 3), torch.empty(0, dtype=torch.int64), 2, 0.5, out) == 0.5
    assert (out == 7.0).all()
    assert reference.largest_step(torch.empty(0, 3), 2) == 0


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_engines_agree_bit_for_bit(data: Any) -> None:
    num_rows, width = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 40))
    bits = data.draw(st.sampled_from(FEW))
    rows = random_rows(num_rows, width, seed=data.draw(st.integers(0, 1000)))
    touched = torch.tensor(data.draw(st.lists(st.integers(0, num_rows - 1))), dtype=torch.int64)
    top = data.draw(st.floats(0, 100, width=32))
    outs = torch.full((2, num_rows, width), 7.0)
    tops = [
        round_rows(rows, touched, bits, top, out)
        for round_rows, out in zip((reference.round_rows, cpu.round_rows), outs, strict=True)
    ]
    assert tops[0] == tops[1]
    assert torch.equal(outs[0], outs[1])


def test_results_do_not_depend_on_threads() -> None:
    rows = random_rows(5000, 16)
    touched = torch.arange(5000)
    outs = torch.zeros(2, 5000, 16)
    for number, out in zip((1, 3), outs, strict=True):
        torch.set_num_threads(number)
        cpu.round_rows(rows, touched, 3, 0.0, out)
    assert torch.equal(outs[0], outs[1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"touched": torch.tensor([4])}, "touched: expected rows of the table"),
        ({"touched": torch.tensor([-1])}, "touched: expected rows of the table"),
        ({"bits": 0}, "bits: expected 1, 2, 3, 4 or 8"),
        ({"bits": 5}, "bits: expected 1, 2, 3, 4 or 8"),
        ({"bits": 32}, "bits: expected 1, 2, 3, 4 or 8"),
        ({"out": torch.zeros(4, 2)}, "out: expected the shape of rows"),
        ({"num_threads": 0}, "num_threads: expected 1 or more"),
    ],
)
def test_the_door_refuses(changes: dict[str, Any], message: str) -> None:
    call = {
        "rows": torch.zeros(4, 3),
        "touched": torch.tensor([3]),
        "bits": 2,
        "top": 0.0,
        "out": torch.zeros(4, 3),
        "num_threads": 1,
    }
    with pytest.raises(ValueError, match=message):
        _native.round_rows(**{**call, **changes})
