import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hybridhash.data.synthetic.ids import generations, scatter, text_ids, zipf_ranks, zipf_shares
from hybridhash.data.synthetic.random import uniforms

DRAWS = 400_000


def test_shares_are_the_integrals_of_the_power_law() -> None:
    # For exponent 2 the integral from a to b is 1/a - 1/b; for 0 all ranks are alike.
    shares = zipf_shares(np.arange(3), num_ids=3, exponent=2.0)
    exact = np.array([2 - 2 / 3, 2 / 3 - 2 / 5, 2 / 5 - 2 / 7]) / (2 - 2 / 7)
    np.testing.assert_allclose(shares, exact, rtol=1e-12)
    np.testing.assert_allclose(zipf_shares(np.arange(4), num_ids=4, exponent=0.0), 0.25, rtol=1e-12)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5])
def test_shares_are_as_near_to_the_discrete_law_as_documented(exponent: float) -> None:
    ranks = np.arange(1000)
    ratio = zipf_shares(ranks, num_ids=1000, exponent=exponent) * (ranks + 1.0) ** exponent
    ratio /= ratio[-1]
    correction = 1 + exponent * (exponent + 1) / (24 * (ranks + 1.0) ** 2)
    np.testing.assert_allclose(ratio[1:], correction[1:], rtol=0.01)
    assert ratio[0] == pytest.approx(correction[0], rel=0.06)


@pytest.mark.parametrize("exponent", [0.0, 0.7, 1.0 - 1e-9, 1.0, 1.0 + 1e-6, 1.3, 3.0])
def test_ranks_come_with_their_shares(exponent: float) -> None:
    num_ids = 50
    ranks = zipf_ranks(uniforms(np.arange(DRAWS), 1), num_ids, exponent)
    expected = zipf_shares(np.arange(num_ids), num_ids, exponent) * DRAWS
    assert expected.sum() == pytest.approx(DRAWS, rel=1e-9)
    often = expected >= 5
    observed = np.bincount(ranks, minlength=num_ids).astype(float)
    observed = np.append(observed[often], observed[~often].sum())
    expected = np.append(expected[often], expected[~often].sum())
    keep = expected > 0
    assert stats.chisquare(observed[keep], expected[keep], sum_check=False).pvalue > 1e-4


@pytest.mark.parametrize("exponent", [0.6, 1.0, 1.4])
def test_the_slope_of_log_count_against_log_rank_is_the_exponent(exponent: float) -> None:
    counts = np.bincount(zipf_ranks(uniforms(np.arange(DRAWS), 2), 100_000, exponent))
    ranks = np.arange(2, 60)  # frequent enough to be counted well at every exponent here
    fit = np.polyfit(np.log(ranks + 1), np.log(counts[ranks]), 1, w=np.sqrt(counts[ranks]))
    assert -fit[0] == pytest.approx(exponent, abs=0.06)


@given(st.floats(1e-12, 1 - 1e-12), st.integers(1, 2**31), st.floats(0, 8))
def test_a_rank_is_the_place_of_the_uniform_number_in_the_running_sum(
    u: float, num_ids: int, exponent: float
) -> None:
    rank = int(zipf_ranks(np.array([u]), num_ids, exponent)[0])
    assert 0 <= rank < num_ids
    if num_ids <= 1000:
        running = np.concatenate([[0], np.cumsum(zipf_shares(np.arange(num_ids), num_ids, exponent))])
        assert running[rank] - 1e-6 <= u <= running[rank + 1] + 1e-6


def test_an_occupant_leaves_after_its_lifetime() -> None:
    elapsed = np.linspace(0, 100, 1001)
    steps = generations(np.full(elapsed.size, 5), elapsed, lifetime_s=10.0)
    phase = (5 * 0x9E3779B97F4A7C15 % 2**64) / 2**64
    assert steps.tolist() == [math.floor(phase + t / 10.0) for t in elapsed.tolist()]
    assert np.count_nonzero(np.diff(steps)) == 10


def test_arrivals_are_spread_evenly_over_the_ranks() -> None:
    ranks = np.arange(1000)
    for elapsed_s in (0.0, 2.5, 5.0, 9.0):
        renewed = generations(ranks, np.full(1000, elapsed_s), lifetime_s=10.0)
        assert renewed.sum() == pytest.approx(elapsed_s * 100, abs=5)


def test_ids_that_stay_are_never_replaced() -> None:
    assert generations(np.arange(1000), np.full(1000, 1e12), math.inf).max() == 0


@pytest.mark.parametrize("num_bits", [2, 9, 16])
@pytest.mark.parametrize("salt", [0, 1, 2**64 - 1])
def test_scatter_is_one_to_one(num_bits: int, salt: int) -> None:
    out = scatter(np.arange(1 << num_bits, dtype=np.uint64), num_bits, salt)
    assert np.array_equal(np.sort(out), np.arange(1 << num_bits))


def test_scatter_shows_no_order() -> None:
    codes = np.arange(100_000, dtype=np.uint64)
    out = scatter(codes, 53, salt=9)
    assert out.max() < 2**53
    assert np.unique(out).size == codes.size
    assert abs(stats.spearmanr(codes, out).statistic) < 0.02
    assert stats.kstest(out / 2.0**53, "uniform").pvalue > 1e-3
    assert not np.array_equal(out, scatter(codes, 53, salt=10))


@given(st.lists(st.integers(0, 2**40 - 1), min_size=1))
def test_text_ids_are_base_32(numbers: list[int]) -> None:
    alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
    expected = ["".join(alphabet[(n >> (35 - 5 * i)) & 31] for i in range(8)) for n in numbers]
    rows = text_ids(np.array(numbers, dtype=np.uint64))
    assert [bytes(row).decode() for row in rows] == expected
