"""Compiled steps move rows as those of the definition, and round them as torch does."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

from hybridhash.errors import InvalidValueError
from hybridhash.kernels import cpu
from hybridhash.kernels.cpu import fused
from hybridhash.kernels.reference import Mode

from .conftest import HALVES, RULES, SAMPLE, Batch, batches, made, states, updated


@settings(max_examples=150, deadline=None)
@given(
    batches(), st.sampled_from(["sum", "mean"]), st.booleans(), st.sampled_from(sorted(RULES)), st.booleans()
)
def test_fused_steps_are_those_of_the_definition(
    batch: Batch, mode: Mode, weighted: bool, rule: str, decays: bool
) -> None:
    weights = torch.linspace(-2, 3, batch.keys.numel()) if weighted and mode == "sum" else None
    found = updated(batch, mode, weights, rule, "cpu", decays)
    for mine, theirs in zip(found, updated(batch, mode, weights, rule, "reference", decays), strict=True):
        assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def one_row_table(dtype: torch.dtype, values: Tensor) -> tuple[Tensor, ...]:
    """Return head (none), tail of one row, rows and offsets of one bag of one key."""
    tail = values[None].to(dtype)
    return (
        tail.new_empty(0, tail.shape[1]),
        tail,
        torch.tensor([[-1]], dtype=torch.int32),
        torch.tensor([0, 1]),
    )


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("width", [32, 1024])
def test_all_patterns_of_16_bits_are_read_and_written(dtype: torch.dtype, width: int) -> None:
    """Forward reads each exactly; a step of zero writes it back; a NaN stays one."""
    patterns = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(-1, width)
    zero = [0.0, 0.0]
    for bits in patterns:
        head, tail, rows, offsets = one_row_table(dtype, bits.view(dtype))
        out = cpu.embedding_bag(head, tail, rows, offsets, combine="sum", mode="max")
        assert torch.equal(out.isnan(), tail.isnan())
        assert torch.equal(out.nan_to_num(7.0), tail.nan_to_num(7.0))
        before = tail.clone()
        fused.update_rows(head, tail, [], [], rows, offsets, None, torch.zeros(1, width), 0, 0, "sgd", zero)
        assert torch.equal(tail.isnan(), before.isnan())
        same = ~before.isnan()
        assert torch.equal(tail.view(torch.int16)[same], before.view(torch.int16)[same])


@pytest.mark.parametrize("dtype", HALVES)
def test_rows_are_rounded_to_the_nearest_and_ties_to_even(dtype: torch.dtype) -> None:
    """Torch's own rounding of as many floats, with every tie, overflow and the smallest numbers."""
    patterns = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(dtype).float()
    finite = patterns[patterns.isfinite()].sort().values
    between = (finite[:-1].double() + finite[1:].double()) / 2
    ties = between.float()[between.float().double() == between]
    assert ties.numel() > 60_000
    near = torch.cat([ties, ties.nextafter(torch.tensor(9e38)), ties.nextafter(torch.tensor(-9e38))])
    largest = torch.finfo(dtype).max
    edges = torch.tensor([largest * (1 + f * torch.finfo(dtype).eps) for f in (0.2, 0.24, 0.25, 0.26, 0.5)])
    wanted = torch.cat([near, edges, -edges, torch.tensor([0.0, -0.0, 1e-45, -1e-45])])
    wanted = torch.cat([wanted, wanted[: -wanted.numel() % 512]]).view(-1, 512)
    for values in wanted:
        head, tail, rows, offsets = one_row_table(dtype, torch.zeros(512))
        # 0 - 1 * -value is the value, -0 apart
        fused.update_rows(head, tail, [], [], rows, offsets, None, -values[None], 0, 0, "sgd", [1.0, 0.0])
        assert torch.equal(tail[0], values.to(dtype))


@pytest.mark.parametrize("place", ["head", "tail", "state"])
def test_a_step_refuses_what_is_not_contiguous(place: str) -> None:
    """It would change a copy."""
    batch = made(np.arange(40), torch.arange(60), torch.tensor([0, 60]), 16, 2, "sum")
    parts = {"head": batch.head, "tail": batch.tail, "state": torch.zeros(batch.head.shape)}
    parts[place] = parts[place].T.contiguous().T
    with pytest.raises(InvalidValueError, match=f"{place}: expected contiguous memory"):
        fused.update_rows(
            parts["head"],
            parts["tail"],
            [parts["state"]],
            [torch.zeros(batch.tail.shape)],
            batch.rows,
            batch.offsets,
            None,
            torch.zeros(1, 16),
            0,
            0,
            "adagrad",
            [0.1, 0.0, 1e-8],
        )


@pytest.mark.parametrize("rule", RULES)
def test_opcheck_update_rows(rule: str) -> None:
    head_state, tail_state = states(SAMPLE, rule)
    torch.library.opcheck(
        fused.update_rows,
        (
            SAMPLE.head.clone(),
            SAMPLE.tail.clone(),
            head_state,
            tail_state,
            SAMPLE.rows,
            SAMPLE.offsets,
            None,
            torch.ones(3, 8),
            2,
            1,
            rule,
            list(RULES[rule].numbers(3).values()),
        ),
    )
