"""What a table is to be: its spec, its keys in order, and the feature that each key belongs to."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.spec import TableSpec
from hybridhash.vocabulary import Counts, Vocabulary

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Blueprint:
    """A table before it has values: what a plan returns, what a bag is built from, and what packing needs.

    Attributes:
        spec: The table in numbers.
        vocabulary: The ``spec.num_head`` keys of the head, the most important first, tier after tier.
        feature_names: Names of the features that read the table; empty where they are not known.
        feature_of_key: int64[K], for each key of the vocabulary the index of its feature in ``feature_names``; of
            several features that share a key, the one in which the key is most frequent. Zeros if not given.

    Raises:
        InvalidTypeError: ``vocabulary`` is no `hybridhash.Vocabulary`.
        InvalidValueError: The vocabulary has another number of keys than the head of the spec, or
            ``feature_of_key`` does not have one index for each key.

    Example:
        >>> Blueprint(TableSpec(2, 5, 8), Vocabulary(np.array([7, 9]))).num_keys
        2
    """

    spec: TableSpec
    vocabulary: Vocabulary
    feature_names: tuple[str, ...] = ()
    feature_of_key: Int64s = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if not isinstance(self.vocabulary, Vocabulary):
            raise InvalidTypeError(
                f"vocabulary: expected a hybridhash.Vocabulary, got {type(self.vocabulary).__name__}; make one with "
                "hybridhash.Vocabulary(keys) from int64 keys, or with hybridhash.count(...).top(k)"
            )
        if len(self.vocabulary) != self.spec.num_head:
            raise InvalidValueError(
                f"vocabulary: expected {self.spec.num_head} keys, one per head row, got {len(self.vocabulary)}; take "
                "the first keys of a longer one"
            )
        features = np.array(self.feature_of_key, dtype=np.int64)
        if not features.size:
            features = np.zeros(len(self.vocabulary), dtype=np.int64)
        if features.shape != (len(self.vocabulary),):
            raise InvalidValueError(
                f"feature_of_key: expected an index for each of {len(self.vocabulary)} keys, got shape {features.shape}"
            )
        if features.size and not 0 <= features.min() <= features.max() < max(len(self.feature_names), 1):
            raise InvalidValueError(
                f"feature_of_key: expected indices of {len(self.feature_names)} features, got {features.min()} to "
                f"{features.max()}"
            )
        features.flags.writeable = False
        object.__setattr__(self, "feature_of_key", features)

    @classmethod
    def of_counts(cls, spec: TableSpec, counts: Counts, importance: str = "frequency") -> "Blueprint":
        """Choose the keys of the head from counts.

        Args:
            spec: The table.
            counts: The keys of the training span.
            importance: The measure that orders the keys, a name in `hybridhash.vocabulary.IMPORTANCE`.

        Returns:
            The blueprint with the ``spec.num_head`` most important keys.

        Raises:
            InvalidValueError: The head has more keys than were counted.
        """
        vocabulary = counts.top(spec.num_head, importance)
        slots = vocabulary.lookup(counts.keys)[::-1]  # the most frequent pair of a key comes last and stays
        features = np.zeros(len(vocabulary), dtype=np.int64)
        features[slots[slots >= 0]] = counts.feature[::-1][slots >= 0]
        return cls(spec, vocabulary, tuple(counts.feature_names), features)

    @property
    def num_keys(self) -> int:
        """K, keys of the head."""
        return len(self.vocabulary)

    def keys_of_tier(self, tier: int) -> Int64s:
        """Return the keys of a tier, the most important first."""
        first = sum(one.num_keys for one in self.spec.head_tiers[:tier])
        return self.vocabulary.keys[first : first + self.spec.head_tiers[tier].num_keys]

    def companion(self) -> "Blueprint":
        """Return the blueprint of the wide weights of the same keys; see `hybridhash.spec.TableSpec.companion`."""
        return Blueprint(self.spec.companion(), self.vocabulary, self.feature_names, self.feature_of_key)
