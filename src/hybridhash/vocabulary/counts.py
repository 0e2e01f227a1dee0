"""Counts: how often each key occurred in each feature."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError
from hybridhash.vocabulary.artefact import Vocabulary
from hybridhash.vocabulary.checks import Int64s, as_int64
from hybridhash.vocabulary.curve import FrequencyCurve, curve_of
from hybridhash.vocabulary.grouping import run_starts
from hybridhash.vocabulary.importance import select
from hybridhash.vocabulary.outlook import Outlook, outlook_of
from hybridhash.vocabulary.profile import FeatureProfile, profile_of, share_covered


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each key occurred, pair by pair of feature and key.

    The pairs may be given in any order and more than once: equal pairs are summed, and the result stands
    in descending order of count, ties in ascending order of key and then of feature. So the same counts
    are the same arrays, whichever engine made them. A key carries its feature; where two features share
    their keys on purpose (both hashed under one name), each has its own pair, and `num_keys`, `top`,
    `coverage` and `singletons` see the key once, with the sum.

    Args:
        keys: int64[N].
        counts: int64[N], each at least 1.
        feature: int32[N], which of ``feature_names`` each pair belongs to.
        feature_names: Distinct names, at least one.
        num_rows: How many rows were counted.
        seed: The seed the keys were hashed with.

    Raises:
        InvalidTypeError: An array does not hold integers.
        InvalidValueError: The arrays differ in length, or a value is out of range.

    Example:
        >>> keys = np.array([7, 5, 7])
        >>> counts = Counts(keys, np.array([1, 3, 1]), np.array([0, 0, 0]), ("ad",), num_rows=5)
        >>> counts.keys.tolist(), counts.counts.tolist()
        ([5, 7], [3, 2])
    """

    keys: Int64s
    counts: Int64s
    feature: npt.NDArray[np.int32]
    feature_names: tuple[str, ...]
    num_rows: int
    seed: int = 0

    def __post_init__(self) -> None:
        names = tuple(self.feature_names)
        if not names or len(set(names)) < len(names):
            raise InvalidValueError(f"feature_names: expected one or more distinct names, got {names}")
        if self.num_rows < 0:
            raise InvalidValueError(f"num_rows: expected 0 or more, got {self.num_rows}")
        keys, counts = as_int64(self.keys, "keys"), as_int64(self.counts, "counts")
        feature = as_int64(self.feature, "feature")
        if not keys.size == counts.size == feature.size:
            raise InvalidValueError(
                f"expected keys, counts and feature of one length, got {keys.size}, {counts.size} and "
                f"{feature.size}"
            )
        if counts.min(initial=1) < 1:
            raise InvalidValueError(
                f"counts: expected 1 or more for every key, got {counts.min()}; leave such keys out"
            )
        if feature.min(initial=0) < 0 or feature.max(initial=0) >= len(names):
            raise InvalidValueError(
                f"feature: expected indices in [0, {len(names)}), got {feature.min()} to {feature.max()}"
            )
        order = np.lexsort((feature, keys))
        keys, counts, feature = keys[order], counts[order], feature[order]
        starts = run_starts(keys, feature)
        counts = np.add.reduceat(counts, starts)
        # A stable sort leaves ties as they are: ascending by key, then feature.
        order = np.argsort(-counts, kind="stable")
        starts = starts[order]
        for name, array in (
            ("keys", keys[starts]),
            ("counts", counts[order]),
            ("feature", feature[starts].astype(np.int32)),
        ):
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "feature_names", names)

    def __eq__(self, other: object) -> bool:
        """Compare everything: pairs, counts, names, rows and seed."""
        if not isinstance(other, Counts):
            return NotImplemented
        return (
            (self.feature_names, self.num_rows, self.seed)
            == (other.feature_names, other.num_rows, other.seed)
            and np.array_equal(self.keys, other.keys)
            and np.array_equal(self.counts, other.counts)
            and np.array_equal(self.feature, other.feature)
        )

    def __repr__(self) -> str:
        """Say the sizes and the features."""
        features = ", ".join(self.feature_names)
        return f"Counts({self.num_keys} keys in {self.num_rows} rows of {features}, seed={self.seed})"

    @property
    def num_keys(self) -> int:
        """How many distinct keys occurred."""
        return self.per_key.size

    @property
    def total(self) -> int:
        """How many occurrences were counted, over all keys."""
        return int(self.counts.sum())

    @property
    def singletons(self) -> int:
        """How many keys occurred once."""
        return int((self.per_key == 1).sum())

    def top(self, k: int, importance: str = "frequency") -> Vocabulary:
        """Take the k most important keys.

        Keys of equal importance stand in ascending order, so ``top(j)`` is the beginning of ``top(k)``.

        Args:
            k: How many keys; where fewer occurred, all of them are taken, as in ``Counter.most_common``.
            importance: The measure, a name in `hybridhash.vocabulary.IMPORTANCE`.

        Returns:
            The vocabulary, with the counts of its keys.

        Raises:
            InvalidValueError: ``k`` is negative, or there is no such measure.
        """
        return select(self, k, importance)

    @cached_property
    def outlook(self) -> Outlook:
        """How often each key will come again, and its effect, in the order of ``top(num_keys, "effect")``."""
        return outlook_of(self)

    def restrict(self, features: Sequence[str]) -> "Counts":
        """Keep some of the features, in the order given.

        Args:
            features: Names in ``feature_names``.

        Returns:
            The counts of these features over the same rows.

        Raises:
            InvalidValueError: A name is unknown or repeated, or there is none.
        """
        place = np.full(len(self.feature_names), -1, dtype=np.int32)
        place[[self._index(name) for name in features]] = range(len(features))
        feature = place[self.feature]
        kept = feature >= 0
        return Counts(
            self.keys[kept], self.counts[kept], feature[kept], tuple(features), self.num_rows, self.seed
        )

    def merge(self, other: "Counts") -> "Counts":
        """Add the counts of other rows.

        Merging is associative; in whichever order shards are merged, equal keys get equal counts.

        Args:
            other: Counts of rows that are not in these; features that are new here come last.

        Returns:
            The counts of both.

        Raises:
            InvalidValueError: The keys were hashed with another seed.
        """
        if self.seed != other.seed:
            raise InvalidValueError(
                f"merge: expected keys hashed with seed {self.seed}, got seed {other.seed}; "
                "count again with one seed"
            )
        names = tuple(dict.fromkeys(self.feature_names + other.feature_names))
        place = np.array([names.index(name) for name in other.feature_names], dtype=np.int32)
        return Counts(
            np.concatenate([self.keys, other.keys]),
            np.concatenate([self.counts, other.counts]),
            np.concatenate([self.feature, place[other.feature]]),
            names,
            self.num_rows + other.num_rows,
            self.seed,
        )

    def coverage(self, ranks: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the share of all occurrences that the most frequent keys make up.

        Args:
            ranks: [R] numbers of keys, each at least 0; more than there are means all.

        Returns:
            float64[R]; 1 where nothing occurred.

        Raises:
            InvalidTypeError: Ranks are not integers.
            InvalidValueError: A rank is negative, or the ranks are not 1-D.

        Example:
            >>> counts = Counts(np.array([7, 5]), np.array([1, 3]), np.array([0, 0]), ("ad",), num_rows=4)
            >>> counts.coverage([0, 1, 2]).tolist()
            [0.0, 0.75, 1.0]
        """
        numbers = as_int64(ranks, "ranks")
        if numbers.min(initial=0) < 0:
            raise InvalidValueError(f"ranks: expected numbers of keys, 0 or more, got {numbers.min()}")
        return share_covered(self.per_key, numbers)

    def frequency_curve(self, feature: str | None = None, num_points: int = 200) -> FrequencyCurve:
        """Return counts by rank, at ranks that are evenly spaced on a logarithmic axis.

        Args:
            feature: One feature's name; None for the keys of all features together.
            num_points: The most points, 2 or more.

        Returns:
            The curve; its first point is the most frequent key, its last the rarest.

        Raises:
            InvalidValueError: The feature is unknown, or there are too few points.
        """
        if num_points < 2:
            raise InvalidValueError(f"num_points: expected 2 or more, got {num_points}")
        if feature is None:
            return curve_of(self.per_key, num_points)
        return curve_of(self.counts[self.feature == self._index(feature)], num_points)

    def profile(self) -> tuple[FeatureProfile, ...]:
        """Describe every feature in numbers.

        Returns:
            One profile per feature, in the order of ``feature_names``.
        """
        return profile_of(self)

    def unseen_share(self, other: "Counts") -> dict[str, float]:
        """Return how much of other rows is made of keys that never occurred in these.

        Args:
            other: Counts of other rows, such as a later span, of features that are counted here too.

        Returns:
            For each feature of ``other``, the share of its occurrences whose key is not in that feature
            here; 0 where nothing occurred.

        Raises:
            InvalidValueError: The other counts have a feature these lack, or another seed.
        """
        if self.seed != other.seed:
            raise InvalidValueError(
                f"unseen_share: expected keys hashed with seed {self.seed}, got seed {other.seed}"
            )
        shares = {}
        for index, name in enumerate(other.feature_names):
            known = self.keys[self.feature == self._index(name)]
            theirs = other.feature == index
            occurrences = other.counts[theirs]
            unseen = occurrences[~np.isin(other.keys[theirs], known)]
            shares[name] = int(unseen.sum()) / max(int(occurrences.sum()), 1)
        return shares

    def _index(self, name: str) -> int:
        if name not in self.feature_names:
            known = ", ".join(self.feature_names)
            raise InvalidValueError(f"feature: expected one of {known}, got {name!r}")
        return self.feature_names.index(name)

    @cached_property
    def per_key(self) -> Int64s:
        """How often each distinct key occurred, the most frequent first, int64[num_keys]."""
        order = np.argsort(self.keys, kind="stable")
        sums = np.add.reduceat(self.counts[order], run_starts(self.keys[order]))
        return np.sort(sums)[::-1]
