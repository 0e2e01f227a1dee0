"""The sentence on a comparison: who is best at which bytes, how far from the baseline, and whether that is chance."""

from dataclasses import replace

import pytest

from hybridhash.report import verdict_of
from hybridhash.results import Comparison

from .conftest import changed


def only(results: Comparison, *names: str) -> Comparison:
    return replace(results, methods=tuple(method for method in results.methods if method.name in names))


def test_the_best_stands_beside_the_baseline(results: Comparison) -> None:
    """About 445,000 of 4,456,448 and of 3,604,000 bytes; 17.53 and 17.33, each with a spread of 0.15."""
    assert verdict_of(results) == (
        "At a budget of 10%, hybrid is best (445 kB, 10.0% of the baseline and 12.3% of the full table): "
        "RCE 17.53 ± 0.15, beside 17.33 ± 0.15 of the baseline: 0.20 above, within the spread of the seeds, so there "
        "is no clear difference."
    )


@pytest.mark.parametrize(
    ("mean", "said"),
    [
        (17.70, "0.37 above, more than the spread of the seeds."),
        (17.60, "0.27 above, within the spread of the seeds, so there is no clear difference."),
        (16.90, "0.43 below, more than the spread of the seeds."),
    ],
)
def test_a_distance_within_the_spread_is_no_difference(results: Comparison, mean: float, said: str) -> None:
    two = changed(only(results, "baseline", "hybrid"), 1, rce_mean=mean)
    assert verdict_of(two).endswith(said)


def test_one_seed_does_not_tell(results: Comparison) -> None:
    methods = tuple(replace(method, rce=method.rce[:1], rce_std=0.0) for method in results.methods)
    said = verdict_of(replace(results, methods=methods))
    assert said.endswith("0.20 above, and one seed does not tell whether that is more than chance.")


def test_without_a_baseline_the_full_table_stands_there(results: Comparison) -> None:
    assert "beside 17.83 ± 0.15 of the full table: 0.30 below" in verdict_of(only(results, "full", "hybrid"))
    assert verdict_of(only(results, "hybrid")).endswith("RCE 17.53 ± 0.15.")


def test_nothing_to_judge(results: Comparison) -> None:
    assert verdict_of(only(results, "full", "baseline")) == (
        "At a budget of 10% (446 kB) no compressed method gave a result."
    )
