"""What the engine of the definition can run, and which rows are its own."""

import torch

from hybridhash.kernels import Index, Request
from hybridhash.kernels.reference.engine import ReferenceEngine

ENGINE = ReferenceEngine()


def test_any_device_type_and_size_but_no_unknown_name() -> None:
    request = Request(
        torch.device("cuda"), torch.float64, 99, 99, frozenset({"exact", "ribbon"}), 10**6, "adam"
    )
    assert ENGINE.unable(request) is None
    assert "got 'momentum'" in str(ENGINE.unable(request._replace(rule="momentum")))
    assert "got exact, tree" in str(ENGINE.unable(request._replace(kinds=frozenset({"exact", "tree"}))))


def test_a_lookup_is_done_at_once_and_answers() -> None:
    index = Index([], 5, torch.tensor([1, 2]), [1, 2], 7)
    rows = ENGINE.lookup(torch.tensor([3, 7]), index, kept=False)
    assert rows.in_tail.tolist() == [True, False]
    assert ENGINE.answers(rows, index)
    assert not ENGINE.answers(torch.zeros(2, 2), index)
