"""The definition of a step on the rows of a batch, and of the gradient of weights, by hand."""

import pytest
import torch

from hybridhash.kernels.reference import Mode, Rows, Step, update, weight_gradient

# Two bags: head row 1 and tail rows 0 and 2; then head row 1 again and a padding key.
OFFSETS = torch.tensor([0, 2, 4])
ROWS = Rows(
    counted=torch.tensor([True, True, True, False]),
    in_head=torch.tensor([True, False, True, False]),
    in_tail=torch.tensor([False, True, False, False]),
    head=torch.tensor([1, 1]),
    tail=torch.tensor([[0, 2]]),
)
GRAD = torch.tensor([[4.0], [10.0]])


@pytest.mark.parametrize(
    ("mode", "head", "tail"),
    [("sum", [1, 1 - 1.4], [1 - 0.2, 1, 1 - 0.2]), ("mean", [1, 1 - 1.2], [1 - 0.1, 1, 1 - 0.1])],
)
@pytest.mark.parametrize("frozen", ["head", "tail", None])
def test_the_gradients_of_a_row_are_summed_before_it_moves(
    mode: Mode, head: list[float], tail: list[float], frozen: str | None
) -> None:
    """SGD at 0.1; the mean of two tail rows gives each of them half of the gradient of their bag."""
    rows = torch.ones(2, 1), torch.ones(3, 1)
    step = Step((), (), "sgd", {"lr": 0.1, "weight_decay": 0.0}, frozen != "head", frozen != "tail")
    update(*rows, ROWS, OFFSETS, GRAD, combine="mean", mode=mode, per_sample_weights=None, step=step)
    assert rows[0].flatten().tolist() == pytest.approx([1, 1] if frozen == "head" else head)
    assert rows[1].flatten().tolist() == pytest.approx([1, 1, 1] if frozen == "tail" else tail)


def test_the_gradient_of_a_weight_is_the_vector_along_that_of_its_bag() -> None:
    head, tail = torch.tensor([[7.0], [2.0]]), torch.tensor([[1.0], [50.0], [3.0]])
    found = weight_gradient(head, tail, ROWS, OFFSETS, GRAD, combine="sum")
    assert found.tolist() == [2 * 4, (1 + 3) * 4, 2 * 10, 0]
