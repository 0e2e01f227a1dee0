"""What the compiled engine can run, and which rows are its own."""

from typing import Any

import numpy as np
import pytest
import torch

from hybridhash.hashing import place_keys
from hybridhash.kernels import Index, Request
from hybridhash.kernels.cpu.engine import CpuEngine

from .conftest import alone

ENGINE = CpuEngine()
REQUEST = Request(torch.device("cpu"), torch.bfloat16, 16, 8, frozenset({"exact", "ribbon"}), 1024, "ftrl")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (
            {"dtype": torch.float64},
            "expected float32, bfloat16 or float16 rows on the CPU, got torch.float64",
        ),
        ({"device": torch.device("cuda")}, "rows on the CPU, got torch.bfloat16 on cuda"),
        ({"num_hashes": 17}, "expected at most 16 hashes, got 17"),
        ({"num_dictionaries": 9}, "expected at most 8 dictionaries, got 9"),
        ({"fused_dim": 1025}, "expected at most 1024 floats a row with an optimizer, got 1025"),
    ],
)
def test_the_largest_request_that_can_be_run(more: dict[str, Any], why: str) -> None:
    assert ENGINE.unable(REQUEST) is None
    refused = REQUEST._replace(**more)
    assert why in str(ENGINE.unable(refused))
    assert ENGINE.unable(refused._replace(device=torch.device("meta"))) is None


def test_a_lookup_answers_for_its_own_index() -> None:
    """An index of equal keys in other memory may change by itself."""
    mine, other = (
        Index(alone(torch.from_numpy(place_keys(np.arange(3)))), 5, torch.tensor([1]), [1], None)
        for _ in range(2)
    )
    lookup = ENGINE.lookup(torch.arange(4), mine, kept=True)
    assert ENGINE.answers(lookup, mine)
    assert not ENGINE.answers(lookup, other)
    assert not ENGINE.answers("rows", mine)
