import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from hybridhash.data.synthetic.rows import NULL_ID, draw_rows
from hybridhash.data.synthetic.settings import StreamCategorical, StreamList, StreamNumeric, StreamSettings

SETTINGS = StreamSettings(
    num_rows=100_000,
    duration_s=1000,
    start_s=5000,
    categorical=(
        StreamCategorical("site", 100, 1.0, 1.0, null_share=0.1),
        StreamCategorical("ad", 100, 1.0, 1.0),
    ),
    numeric=(StreamNumeric("price", median=20.0, shape=0.5, strength=1.0, null_share=0.05, nan_share=0.1),),
    lists=(StreamList("tags", 100, 1.0, 1.0, max_length=3),),
)
ROWS = np.arange(SETTINGS.num_rows)
SIGMAS = 4 / math.sqrt(SETTINGS.num_rows)  # bounds a share's standard error four times over


def test_rows_are_spread_evenly_over_the_time() -> None:
    times = draw_rows(SETTINGS, ROWS).times_s
    assert times.tolist() == [5000 + row // 100 for row in ROWS.tolist()]


def test_nulls_come_with_their_share() -> None:
    drawn = draw_rows(SETTINGS, ROWS)
    assert np.mean(drawn.ids["site"] == NULL_ID) == pytest.approx(0.1, abs=SIGMAS)
    assert not (drawn.ids["ad"] == NULL_ID).any()
    numbers = drawn.numbers["price"]
    assert numbers.is_null.mean() == pytest.approx(0.05, abs=SIGMAS)
    assert numbers.is_nan.mean() == pytest.approx(0.1, abs=SIGMAS)
    assert not (numbers.is_null & numbers.is_nan).any()


def test_numbers_are_log_logistic_and_know_their_quantile() -> None:
    numbers = draw_rows(SETTINGS, ROWS).numbers["price"]
    law = stats.fisk(c=1 / 0.5, scale=20.0)  # SciPy's name for the log-logistic distribution
    assert stats.kstest(numbers.values, law.cdf).pvalue > 1e-3
    np.testing.assert_allclose(law.cdf(numbers.values), numbers.quantiles, rtol=1e-9)


def test_list_lengths_are_uniform_and_include_the_empty_list() -> None:
    lists = draw_rows(SETTINGS, ROWS).lists["tags"]
    assert stats.chisquare(np.bincount(lists.lengths, minlength=4)).pvalue > 1e-4
    assert lists.lengths.max() == 3
    assert lists.ids.size == lists.lengths.sum()


def test_the_ids_of_a_list_are_drawn_independently() -> None:
    lists = draw_rows(SETTINGS, ROWS).lists["tags"]
    ends = np.cumsum(lists.lengths)[lists.lengths == 3]
    first, last = lists.ids[ends - 3], lists.ids[ends - 1]
    shares = np.bincount(np.unique(lists.ids, return_inverse=True)[1]) / lists.ids.size
    assert np.mean(first == last) == pytest.approx((shares**2).sum(), abs=4 / math.sqrt(ends.size))


def test_neighbouring_lists_are_drawn_independently() -> None:
    lists = draw_rows(SETTINGS, ROWS).lists["tags"]
    ends = np.cumsum(lists.lengths)
    both = np.flatnonzero((lists.lengths[:-1] >= 2) & (lists.lengths[1:] >= 1))
    second, next_first = lists.ids[ends[both] - lists.lengths[both] + 1], lists.ids[ends[both]]
    shares = np.bincount(np.unique(lists.ids, return_inverse=True)[1]) / lists.ids.size
    assert np.mean(second == next_first) == pytest.approx((shares**2).sum(), abs=4 / math.sqrt(both.size))


def test_a_row_is_the_same_in_any_company() -> None:
    picked = np.array([70_001, 3, 99_999, 3])
    alone = draw_rows(SETTINGS, picked)
    together = draw_rows(SETTINGS, ROWS)
    assert np.array_equal(alone.times_s, together.times_s[picked])
    assert np.array_equal(alone.ids["site"], together.ids["site"][picked])
    assert np.array_equal(alone.numbers["price"].values, together.numbers["price"].values[picked])
    bounds = np.concatenate([[0], np.cumsum(together.lists["tags"].lengths)])
    expected = [together.lists["tags"].ids[bounds[row] : bounds[row + 1]] for row in picked]
    assert np.array_equal(alone.lists["tags"].ids, np.concatenate(expected))


def test_no_rows_are_no_rows() -> None:
    drawn = draw_rows(SETTINGS, np.array([], dtype=np.int64))
    assert drawn.ids["ad"].size == drawn.lists["tags"].lengths.size == drawn.lists["tags"].ids.size == 0


def test_features_do_not_share_ids_or_ranks() -> None:
    drawn = draw_rows(SETTINGS, ROWS)
    site, ad = drawn.ids["site"], drawn.ids["ad"]
    assert np.intersect1d(site, ad).size == 0
    top_site, top_ad = (ids == stats.mode(ids).mode for ids in (site, ad))
    assert abs(np.corrcoef(top_site, top_ad)[0, 1]) < SIGMAS


def share_new_in_last_fifth(lifetime_s: float) -> float:
    """Rows of the last fifth whose id was not in the first four fifths, as a share."""
    ad = StreamCategorical("ad", 300, 0.3, 1.0, lifetime_s=lifetime_s)
    ids = draw_rows(replace(SETTINGS, categorical=(ad,)), ROWS).ids["ad"]
    return float(1 - np.isin(ids[80_000:], ids[:80_000]).mean())


def test_new_ids_arrive_the_faster_the_shorter_they_live() -> None:
    # With 0.3 draws a second an id is seen soon after it arrives. So an id of the last fifth (200 s) is
    # new if its rank was renewed there before: on average the share 200 / 2 / lifetime_s of the rows.
    assert share_new_in_last_fifth(math.inf) == 0
    assert share_new_in_last_fifth(10_000.0) == pytest.approx(0.01, abs=0.005)
    assert share_new_in_last_fifth(1_000.0) == pytest.approx(0.1, abs=0.02)
    assert share_new_in_last_fifth(200.0) == pytest.approx(0.5, abs=0.03)


def test_old_ids_fade() -> None:
    ad = StreamCategorical("ad", 1000, 0.5, 1.0, lifetime_s=500.0)
    ids = draw_rows(replace(SETTINGS, categorical=(ad,)), ROWS).ids["ad"]
    assert np.intersect1d(ids[:1000], ids[-49_000:]).size == 0  # half a stream is one lifetime


def test_another_seed_gives_other_ids_of_the_same_distribution() -> None:
    first, second = (draw_rows(replace(SETTINGS, seed=seed), ROWS).ids["ad"] for seed in (0, 1))
    assert np.intersect1d(first, second).size == 0
    counts = [np.sort(np.unique(ids, return_counts=True)[1])[::-1] for ids in (first, second)]
    np.testing.assert_allclose(counts[0][:10], counts[1][:10], rtol=0.1)
