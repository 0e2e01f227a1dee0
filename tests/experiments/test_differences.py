"""Differences of runs over windows, by hand."""

from hybridhash.experiments.differences import compare_windows
from hybridhash.results import Difference, Interval, StreamedMethod, StreamSettings


def test_one_seed_has_a_difference_and_no_interval() -> None:
    rows = [
        StreamedMethod(
            name=name,
            embedding_bytes=1,
            share_of_baseline=1.0,
            rce=((1.0, None, value),),
            log_loss=((1.0, None, 1.0),),
            rce_of_seeds=(2.0,),
            rce_mean=2.0,
            rce_std=None,
            diverged=(),
            settings=StreamSettings(num_head=0, num_buckets=1, num_hashes=1, combine="sum"),
        )
        for name, value in (("a", 3.0), ("b", 4.5))
    ]
    assert compare_windows(rows[0], rows[1]) == Difference(
        name="b",
        reference="a",
        mean=0.75,
        windows=(Interval(0.0, None, None), None, Interval(1.5, None, None)),
        windows_above=1,
        windows_compared=2,
    )
