"""Runs of equal values, against itertools.groupby."""

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.vocabulary.grouping import run_starts


@given(rows=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2))))
def test_runs_are_those_of_groupby(rows: list[tuple[int, int]]) -> None:
    rows.sort()
    first, second = (np.array([row[i] for row in rows], dtype=np.int64) for i in range(2))
    lengths = [len(list(run)) for _, run in groupby(rows)]
    assert run_starts(first, second).tolist() == np.cumsum([0, *lengths])[:-1].tolist()
    assert run_starts(first).size == len(set(first.tolist()))
