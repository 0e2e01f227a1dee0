"""``torch.func`` over the bags, against the reference engine (plain torch operators) and a loop."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.func import functional_call, grad, jacrev, vjp, vmap
from torch.testing import assert_close

from hybridhash.embeddings import HybridEmbeddingBag
from hybridhash.kernels.reference import Mode
from hybridhash.vocabulary import Vocabulary

MODES: list[Mode] = ["sum", "mean", "max"]
COMBINES = ["sum", "mean", "concat"]
KEYS = torch.tensor([[3, 90, 4, 4], [91, 3, 3, 95], [0, 1, 2, 90]])  # head and tail keys
OFFSETS = torch.tensor([0, 1, 1])
Rows = dict[str, Tensor]


def bag_of(engine: str, **options: Any) -> Callable[..., Tensor]:
    """Return the bag as a function of its rows and its input."""
    options = {"mode": "sum", "init_std": 1.0} | options
    generator = torch.Generator().manual_seed(0)
    bag = HybridEmbeddingBag(Vocabulary(np.arange(5)), 7, 8, engine=engine, generator=generator, **options)

    def pooled(rows: Rows, *inputs: Tensor | None) -> Tensor:
        result: Tensor = functional_call(bag, rows, inputs)
        return result

    pooled.rows = {name: rows.detach() for name, rows in bag.named_parameters()}  # type: ignore[attr-defined]
    return pooled


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("combine", COMBINES)
@pytest.mark.parametrize("sparse", [False, True])
def test_gradients_and_jacobians(mode: Mode, combine: str, sparse: bool) -> None:
    """Those of plain torch operators."""
    if sparse and mode == "max":
        pytest.skip("a maximum has dense gradients only")
    mine = bag_of("cpu", mode=mode, combine=combine, sparse=sparse)
    theirs = bag_of("reference", mode=mode, combine=combine)
    rows: Rows = mine.rows  # type: ignore[attr-defined]
    jacobian = dict(
        zip(
            rows,
            torch.autograd.functional.jacobian(
                lambda *given: theirs(dict(zip(rows, given, strict=True)), KEYS), tuple(rows.values())
            ),
            strict=True,
        )
    )
    output = mine(rows, KEYS)
    chained = {name: torch.tensordot(2 * output, of_row, 2) for name, of_row in jacobian.items()}
    assert_close(jacrev(lambda given: mine(given, KEYS))(rows), jacobian)
    assert_close(grad(lambda given: mine(given, KEYS).square().sum())(rows), chained)
    assert_close(vjp(lambda given: mine(given, KEYS), rows)[1](2 * output)[0], chained)


def test_gradients_of_weights() -> None:
    mine, theirs = bag_of("cpu"), bag_of("reference")
    weights = torch.linspace(-1, 1, 12).view(3, 4)
    found, expected = (
        grad(lambda given, f=f: f(mine.rows, KEYS, None, given).square().sum())(weights)  # type: ignore[attr-defined]
        for f in (mine, theirs)
    )
    assert_close(found, expected)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("offsets", [None, OFFSETS])
def test_mapping_over_keys_is_a_loop(mode: Mode, offsets: Tensor | None) -> None:
    pooled = bag_of("cpu", mode=mode)
    rows: Rows = pooled.rows  # type: ignore[attr-defined]

    def one(keys: Tensor) -> Tensor:
        return pooled(rows, keys[None]) if offsets is None else pooled(rows, keys, offsets)

    assert torch.equal(vmap(one)(KEYS), torch.stack([one(keys) for keys in KEYS]))


@pytest.mark.parametrize("mode", MODES)
def test_mapping_over_tables_is_a_loop(mode: Mode) -> None:
    """An ensemble."""
    pooled = bag_of("cpu", mode=mode)
    tables: Rows = {name: torch.stack([rows, -2 * rows]) for name, rows in pooled.rows.items()}  # type: ignore[attr-defined]
    expected = [pooled({name: rows[number] for name, rows in tables.items()}, KEYS) for number in range(2)]
    assert torch.equal(vmap(lambda rows: pooled(rows, KEYS))(tables), torch.stack(expected))


@pytest.mark.parametrize("mode", MODES)
def test_a_gradient_for_each_sample(mode: Mode) -> None:
    pooled = bag_of("cpu", mode=mode)
    rows: Rows = pooled.rows  # type: ignore[attr-defined]
    of_one = grad(lambda given, keys: pooled(given, keys[None]).square().sum())
    found = vmap(of_one, in_dims=(None, 0))(rows, KEYS)
    for number, keys in enumerate(KEYS):
        assert_close({name: value[number] for name, value in found.items()}, of_one(rows, keys))


@pytest.mark.filterwarnings(
    "ignore:.torch.jit.script. is deprecated:DeprecationWarning"
)  # torch's own use of it
def test_forward_mode_is_refused_as_torch_does() -> None:
    pooled = bag_of("cpu")
    rows: Rows = pooled.rows  # type: ignore[attr-defined]
    with pytest.raises(NotImplementedError, match="forward mode"):
        torch.func.jvp(lambda given: pooled(given, KEYS), (rows,), (rows,))
