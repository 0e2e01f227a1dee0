"""What each feature looks like in numbers: the facts from which its share of a budget follows."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError
from hybridhash.hashing import null_key
from hybridhash.vocabulary.checks import Int64s

if TYPE_CHECKING:
    from hybridhash.vocabulary.counts import Counts

HEAD_SHARE: Final = 0.8  # of a feature's occurrences: what its suggested head covers


@dataclass(frozen=True)
class FeatureProfile:
    """One feature in numbers.

    Attributes:
        feature: Its name.
        num_keys: Distinct keys, null included where it occurs.
        num_occurrences: Ids counted: the rows for a single-valued feature, all list elements for a list.
        num_nulls: Occurrences of null. Keys that were hashed under another feature's name are not
            recognised as null.
        num_singletons: Keys that occurred once.
        coverage_1k: The share of the occurrences that the 1,000 most frequent keys make up; 1 where nothing
            occurred.
        coverage_10k: The same for 10,000 keys.
        coverage_100k: The same for 100,000 keys.
        head_rows: The suggested head: the fewest keys that cover 80 % of the occurrences. Times the bytes of
            a row it is the suggested budget.
    """

    feature: str
    num_keys: int
    num_occurrences: int
    num_nulls: int
    num_singletons: int
    coverage_1k: float
    coverage_10k: float
    coverage_100k: float
    head_rows: int


def profile_of(counts: "Counts") -> tuple[FeatureProfile, ...]:
    """Describe every feature; `Counts.profile` is this function.

    Args:
        counts: What was counted.

    Returns:
        One profile per feature, in the order of ``feature_names``.
    """
    return tuple(_profile(counts, index) for index in range(len(counts.feature_names)))


def rows_to_cover(descending: Int64s, share: float) -> int:
    """Return the fewest keys that together make up a share of the occurrences.

    Args:
        descending: int64[N], the counts of the keys, the largest first.
        share: The share, in [0, 1]; taken as the fraction with a denominator up to a million that is nearest.

    Returns:
        The number of keys; 0 where the share or N is 0.

    Raises:
        InvalidValueError: The share is outside [0, 1].
    """
    if not 0 <= share <= 1:
        raise InvalidValueError(f"share: expected a number in [0, 1], got {share}")
    running = np.cumsum(descending)
    total = int(running[-1]) if running.size else 0
    wanted = math.ceil(Fraction(share).limit_denominator(1_000_000) * total)
    return int(np.searchsorted(running, wanted)) + 1 if wanted else 0


def share_covered(descending: Int64s, ranks: Int64s) -> npt.NDArray[np.float64]:
    """Return the share of the occurrences that the keys up to each rank make up.

    Args:
        descending: int64[N], the counts of the keys, the largest first.
        ranks: int64[R], each at least 0; a rank beyond N means all keys.

    Returns:
        float64[R]; 1 where there are no occurrences.
    """
    running = np.concatenate([np.zeros(1, np.int64), np.cumsum(descending)])
    if not running[-1]:
        return np.ones(ranks.size)
    covered: npt.NDArray[np.float64] = running[np.minimum(ranks, descending.size)] / running[-1]
    return covered


def _profile(counts: "Counts", index: int) -> FeatureProfile:
    name = counts.feature_names[index]
    mine = counts.feature == index
    keys, occurrences = counts.keys[mine], counts.counts[mine]
    coverage = share_covered(occurrences, np.array([1_000, 10_000, 100_000]))
    return FeatureProfile(
        feature=name,
        num_keys=keys.size,
        num_occurrences=int(occurrences.sum()),
        num_nulls=int(occurrences[keys == null_key(name, counts.seed)].sum()),
        num_singletons=int((occurrences == 1).sum()),
        coverage_1k=float(coverage[0]),
        coverage_10k=float(coverage[1]),
        coverage_100k=float(coverage[2]),
        head_rows=rows_to_cover(occurrences, HEAD_SHARE),
    )
