"""One step of a rule by hand; `tests/optim/test_rules.py` has many steps of all rules, beside torch's optimizers."""

import pytest
from torch import tensor

from hybridhash.kernels.reference import RULES


@pytest.mark.parametrize(
    ("rule", "sums", "moved", "kept"),
    [
        ("adagrad", [[3.0, 15.0]], [[0.7, 0.475]], [[4.0, 64.0]]),
        ("rowwise_adagrad", [11.0], [[0.9, 0.3]], [36.0]),  # the mean of 1 and 49 is 25
    ],
)
def test_a_step_by_hand(rule: str, sums: list[float], moved: list[list[float]], kept: list[float]) -> None:
    state = [tensor(sums)]
    rows, sums_now = RULES[rule](
        tensor([[1.0, 1.0]]), tensor([[1.0, 7.0]]), state, lr=0.6, weight_decay=0.0, eps=0.0
    )
    assert rows.flatten().tolist() == pytest.approx(moved[0])
    assert sums_now[0].tolist() == kept
    assert state[0].tolist() == sums, "a rule returns what is kept and changes nothing"
