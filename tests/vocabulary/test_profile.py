"""The numbers of a feature, by hand and by exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import hash_keys, null_key
from hybridhash.vocabulary import Counts
from hybridhash.vocabulary.profile import FeatureProfile, rows_to_cover, share_covered


def test_a_profile_by_hand() -> None:
    seed = 3
    ads = hash_keys(np.arange(12_000), feature="ad", seed=seed)
    ad_counts = np.concatenate([np.full(2_000, 4), np.full(10_000, 1)])  # 8,000 + 10,000 occurrences
    sites = np.array([null_key("site", seed), 5])
    counts = Counts(
        np.concatenate([ads, sites]),
        np.concatenate([ad_counts, [6, 4]]),
        np.repeat([0, 1], [12_000, 2]),
        ("ad", "site", "empty"),
        num_rows=18_000,
        seed=seed,
    )
    # 80 % of 18,000 is 14,400: the 2,000 keys of 8,000 occurrences and 6,400 singletons
    assert counts.profile() == (
        FeatureProfile("ad", 12_000, 18_000, 0, 10_000, 4_000 / 18_000, 16_000 / 18_000, 1.0, 8_400),
        FeatureProfile("site", 2, 10, 6, 0, 1.0, 1.0, 1.0, 2),
        FeatureProfile("empty", 0, 0, 0, 0, 1.0, 1.0, 1.0, 0),
    )


@given(counts=st.lists(st.integers(1, 50), max_size=30), percent=st.integers(0, 100))
def test_rows_to_cover_is_the_fewest_that_suffice(counts: list[int], percent: int) -> None:
    descending = sorted(counts, reverse=True)
    wanted = Fraction(percent, 100) * sum(counts)
    expected = next(r for r in range(len(counts) + 1) if sum(descending[:r]) >= wanted)
    assert rows_to_cover(np.array(descending, dtype=np.int64), percent / 100) == expected


@pytest.mark.parametrize("share", [math.nextafter(0, -1), math.nextafter(1, 2), math.nan])
def test_a_share_outside_0_and_1_is_refused(share: float) -> None:
    with pytest.raises(InvalidValueError, match=r"share: expected a number in \[0, 1\]"):
        rows_to_cover(np.array([1]), share)


@given(counts=st.lists(st.integers(1, 50), min_size=1, max_size=30), rank=st.integers(0, 40))
def test_share_covered_against_fractions(counts: list[int], rank: int) -> None:
    descending = sorted(counts, reverse=True)
    got = share_covered(np.array(descending), np.array([rank]))
    assert got.tolist() == [float(Fraction(sum(descending[:rank]), sum(counts)))]
