"""A batch: the keys of all features of some rows, in one array, feature-major."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidValueError

Int64s = npt.NDArray[np.int64]
Float32s = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Bags:
    """The keys of one feature over B rows.

    Attributes:
        keys: int64[num_ids]; num_ids is B for a single-valued feature.
        offsets: int64[B + 1], where each row's keys begin, for a list; None when each row has one key.
    """

    keys: Int64s
    offsets: Int64s | None = None

    @property
    def num_rows(self) -> int:
        """B."""
        return self.keys.size if self.offsets is None else self.offsets.size - 1

    @property
    def lengths(self) -> Int64s:
        """How many keys each row has, int64[B]."""
        return np.ones(self.keys.size, dtype=np.int64) if self.offsets is None else np.diff(self.offsets)


@dataclass(frozen=True)
class Batch:
    """The keys of F features over B rows.

    Bag (f, b) is ``keys[offsets[f * B + b] : offsets[f * B + b + 1]]``: the layout of TorchRec's
    KeyedJaggedTensor.

    Attributes:
        keys: int64[num_ids], all ids of feature 0 row by row, then all of feature 1.
        offsets: int64[F * B + 1].
        num_rows: B.
        labels: float32[B] of 0 and 1, or None.
        weights: float32[B], or None when all rows weigh the same.
    """

    keys: Int64s
    offsets: Int64s
    num_rows: int
    labels: Float32s | None = None
    weights: Float32s | None = None

    @property
    def num_features(self) -> int:
        """F."""
        return (self.offsets.size - 1) // self.num_rows if self.num_rows else 0


def make_batch(
    features: Sequence[Bags], labels: Float32s | None = None, weights: Float32s | None = None
) -> Batch:
    """Lay the features of some rows one after another.

    Args:
        features: F features in schema order, all over the same B rows.
        labels: float32[B], or None.
        weights: float32[B], or None.

    Returns:
        The batch.

    Raises:
        InvalidValueError: No features, or features, labels or weights over different numbers of rows.

    Example:
        >>> user = Bags(np.array([1, 2]))
        >>> tags = Bags(np.array([7, 8, 9]), offsets=np.array([0, 0, 3]))
        >>> batch = make_batch([user, tags])
        >>> batch.keys.tolist(), batch.offsets.tolist()
        ([1, 2, 7, 8, 9], [0, 1, 2, 2, 5])
    """
    sizes = [bags.num_rows for bags in features]
    sizes += [side.size for side in (labels, weights) if side is not None]
    if not features or len(set(sizes)) != 1:
        raise InvalidValueError(f"batch: expected features over one number of rows, got {sizes}")
    num_rows = sizes[0]
    offsets = np.empty(len(features) * num_rows + 1, dtype=np.int64)
    offsets[0] = 0
    end = 0
    for index, bags in enumerate(features):
        ends = offsets[index * num_rows + 1 : (index + 1) * num_rows + 1]
        if bags.offsets is None:
            ends[:] = np.arange(end + 1, end + num_rows + 1)
        else:
            np.add(bags.offsets[1:], end - int(bags.offsets[0]), out=ends)
        end += bags.keys.size
    return Batch(np.concatenate([bags.keys for bags in features]), offsets, num_rows, labels, weights)
