"""The program that times serving runs, on small sizes."""

import numpy as np
from benchmarks.serving import KINDS, latency, measure_lookups, measure_rows, table_of

from hybridhash import hash_keys


def test_every_case_is_a_line() -> None:
    assert len(measure_lookups(sizes=(100, 1000), num_calls=20)) == 2 + 2 * len(KINDS)
    seen = []
    lines = measure_rows(lambda rows: seen.append(len(rows)), [{"user": 1}, {"user": 2}], num_calls=20)
    assert [line.split("|")[1].strip() for line in lines[2:]] == [
        "1 row, a mapping",
        "2 rows, a list of mappings",
        "2 rows, columns of lists",
        "2 rows, an Arrow table",
    ]
    assert len(seen) == 22 + 3 * 2


def test_the_tables_know_their_keys() -> None:
    """All keys that were put in, and of the others no more than a dictionary may mistake."""
    for kind, num_codes in KINDS.values():
        table = table_of(500, kind, num_codes)
        rows = table.index.head_rows(hash_keys(np.arange(2500), "user"))
        assert (rows[:500] >= 0).all()
        assert (rows[500:] >= 0).mean() < 0.02


def test_percentiles_are_of_single_calls() -> None:
    found = latency(lambda index: sum(range(100_000 if index == 7 else 1)), 50)
    assert found.median < found.p99
