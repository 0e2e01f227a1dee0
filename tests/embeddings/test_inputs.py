"""Offsets as nn.EmbeddingBag takes and refuses them, and where a bag is stricter; padding keys."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hybridhash.embeddings import HybridEmbeddingBag
from hybridhash.errors import InvalidTypeError, InvalidValueError

ENGINES = ["cpu", "reference"]
# include_last_offset, number of keys, offsets
FINE = [
    (False, 0, []),  # no bags for no keys
    (False, 0, [0, 0]),
    (False, 3, [0]),
    (False, 3, [0, 0, 3]),
    (True, 0, [0]),
    (True, 3, [0, 3]),
    (True, 3, [0, 1, 1, 3]),
]
REFUSED_BY_BOTH = [
    (False, 0, [1]),
    (False, 3, [1]),
    (False, 3, [1, 2]),
    (False, 3, [0, 4]),
    (True, 0, []),
    (True, 3, []),
    (True, 0, [0, 1]),
    (True, 3, [1, 3]),
    (True, 3, [0, 4]),
]
REFUSED_HERE = [  # nn.EmbeddingBag leaves keys out, or reads beyond its memory
    (True, 3, [0]),
    (True, 3, [0, 2]),
    (False, 3, []),
    (False, 3, [0, 2, 1]),
    (True, 3, [0, 2, 1, 3]),
    (True, 3, [0, -1, 3]),
    (False, 3, [0, -1]),
]


def outcome(bag: nn.Module, num_keys: int, offsets: list[int]) -> Any:
    try:
        return tuple(bag(torch.arange(num_keys), torch.tensor(offsets, dtype=torch.int64)).shape)
    except (RuntimeError, ValueError):
        return "refused"


def bag_of(engine: str, last: bool, mode: Any = "sum") -> HybridEmbeddingBag:
    return HybridEmbeddingBag(
        np.arange(2, 9), 7, 4, mode=mode, include_last_offset=last, engine=engine, generator=torch.Generator()
    )


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("engine", ENGINES)
def test_offsets(engine: str, mode: str) -> None:
    for last, num_keys, offsets in FINE + REFUSED_BY_BOTH:
        peer = nn.EmbeddingBag(9, 4, mode=mode, include_last_offset=last)
        found = outcome(bag_of(engine, last, mode), num_keys, offsets)
        assert found == outcome(peer, num_keys, offsets), (last, num_keys, offsets)
        assert (found == "refused") == ((last, num_keys, offsets) in REFUSED_BY_BOTH)
    for last, num_keys, offsets in REFUSED_HERE:
        with pytest.raises(InvalidValueError, match="offsets: expected"):
            bag_of(engine, last, mode)(torch.arange(num_keys), torch.tensor(offsets, dtype=torch.int64))


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_compiled_refuses_them_too(engine: str) -> None:
    """By an error of torch or of the kernels: nothing looks at values while it compiles."""
    torch._dynamo.reset()
    for last in (False, True):
        bag = bag_of(engine, last)
        compiled = torch.compile(bag, backend="aot_eager", dynamic=True)
        with torch.no_grad():
            for is_last, num_keys, offsets in FINE + REFUSED_BY_BOTH + REFUSED_HERE:
                if is_last == last and len(offsets) > last:
                    expected = outcome(bag, num_keys, offsets)
                    assert outcome(compiled, num_keys, offsets) == expected, (last, num_keys, offsets)


@pytest.mark.parametrize("key", [np.int64(3), torch.tensor(3)])
def test_a_padding_key_is_any_integer(key: Any) -> None:
    padding = HybridEmbeddingBag([3, 4], 7, 4, padding_key=key).padding_key
    assert (padding, type(padding)) == (3, int)


@pytest.mark.parametrize("key", [1.5, np.float64(2), "7", True, [3]])
def test_a_padding_key_of_another_type_is_refused(key: Any) -> None:
    with pytest.raises(
        InvalidTypeError,
        match=re.escape(
            f"padding_key: expected an integer, such as one of hybridhash.hash_keys, got {key!r}"
        ),
    ):
        HybridEmbeddingBag([3, 4], 7, 4, padding_key=key)
