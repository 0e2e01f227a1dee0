"""The definition of combining, pooling and weights, by hand."""

import pytest
import torch

from hybridhash.kernels import reference


@pytest.mark.parametrize(
    ("combine", "expected"),
    [("sum", [4.0, 6.0]), ("mean", [2.0, 3.0]), ("concat", [1.0, 2.0, 3.0, 4.0])],
)
def test_combine_by_hand(combine: reference.Combine, expected: list[float]) -> None:
    rows = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    assert reference.combine_rows(rows, combine).tolist() == [expected]


# Keys 10 and 20 have head rows 0 and 1; keys 5 and 6 read two tail rows each; 99 is padding without a row.
HEAD = torch.tensor([[1.0, -1.0], [10.0, -10.0]], dtype=torch.float64)
TAIL = torch.tensor([[100.0, -100.0], [300.0, -300.0], [500.0, -500.0]], dtype=torch.float64)
ROWS = reference.Rows(
    counted=torch.tensor([True, True, True, True, False]),
    in_head=torch.tensor([True, False, True, False, False]),
    in_tail=torch.tensor([False, True, False, True, False]),
    head=torch.tensor([0, 1]),
    tail=torch.tensor([[0, 1], [2, 2]]),
)


def test_key_vectors_by_hand() -> None:
    vectors = reference.key_vectors(HEAD, TAIL, ROWS, "mean")
    assert vectors.tolist() == [[1, -1], [200, -200], [10, -10], [500, -500], [0, 0]]


@pytest.mark.parametrize(
    ("mode", "combine", "expected"),
    [
        ("sum", "mean", [[201, -201], [0, 0], [510, -510]]),
        ("sum", "sum", [[401, -401], [0, 0], [1010, -1010]]),
        ("mean", "mean", [[100.5, -100.5], [0, 0], [255, -255]]),
        ("max", "mean", [[200, -1], [0, 0], [500, -10]]),
    ],
)
def test_bags_by_hand(mode: reference.Mode, combine: reference.Combine, expected: list[list[float]]) -> None:
    """Keys 10 5 | | 20 6 padding."""
    pooled = reference.embedding_bag(HEAD, TAIL, ROWS, torch.tensor([0, 2, 2, 5]), combine=combine, mode=mode)
    assert pooled.tolist() == expected


def test_weights_by_hand() -> None:
    weights = torch.tensor([2.0, 0.5, 1.0, 3.0, 7.0], dtype=torch.float64)
    pooled = reference.embedding_bag(
        HEAD,
        TAIL,
        ROWS,
        torch.tensor([0, 2, 2, 5]),
        combine="mean",
        mode="sum",
        per_sample_weights=weights,
    )
    assert pooled.tolist() == [[102, -102], [0, 0], [1510, -1510]]


def test_the_mean_is_divided_in_the_precision_of_the_table() -> None:
    """One head key of 1 and two tail keys of 0: exactly 1/3 in float64, not the float32 next to it."""
    rows = reference.Rows(
        counted=torch.tensor([True, True, True]),
        in_head=torch.tensor([True, False, False]),
        in_tail=torch.tensor([False, True, True]),
        head=torch.tensor([0]),
        tail=torch.tensor([[0], [0]]),
    )
    one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    pooled = reference.embedding_bag(one, zero, rows, torch.tensor([0, 3]), combine="sum", mode="mean")
    assert pooled.item() == 1 / 3


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_the_result_has_the_type_of_the_table(mode: reference.Mode, dtype: torch.dtype) -> None:
    pooled = reference.embedding_bag(
        HEAD.to(dtype), TAIL.to(dtype), ROWS, torch.tensor([0, 2, 5]), combine="mean", mode=mode
    )
    assert pooled.dtype == dtype
