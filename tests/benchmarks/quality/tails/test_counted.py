"""Against the package's counts and `Counter`."""

from collections import Counter
from collections.abc import Callable

import numpy as np
from benchmarks.quality.methods import Span
from benchmarks.quality.need import Need
from benchmarks.quality.tails.counted import count_keys

from hybridhash.data import TRAIN, KeyedRows
from hybridhash.trials.settings import FitSettings


def test_keys_stand_in_the_order_of_the_package(tiny: tuple[KeyedRows, FitSettings]) -> None:
    span = Span(tiny[0], (TRAIN,), tiny[1])
    counted, vocabulary = count_keys(span.need(4000, 0)), span.counts.top(span.counts.num_keys)
    assert counted.keys.tolist() == vocabulary.keys.tolist()
    assert counted.counts.tolist() == vocabulary.counts.tolist()
    assert counted.num_keys == span.counts.num_keys


def test_counts_are_those_of_all_chunks(make_need: Callable[..., Need]) -> None:
    chunks = [np.array([5, -3, 5]), np.array([7, -3, 5, 9])]
    counted = count_keys(make_need(keys=lambda: iter(chunks)))
    assert dict(zip(counted.keys.tolist(), counted.counts.tolist(), strict=True)) == Counter(
        [5, -3, 5, 7, -3, 5, 9]
    )
    first, rest = counted.split(2)
    assert (first.keys.tolist(), first.counts.tolist()) == ([5, -3], [3, 2])
    assert (rest.keys.tolist(), rest.counts.tolist()) == ([7, 9], [1, 1])
