"""The percentile discretiser: numbers become bins that were learned on the training span."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import FileFormatError, InvalidValueError

Float64s = npt.NDArray[np.float64]

DEFAULT_NUM_BINS: Final = 100
NULL_BIN: Final = -1


@dataclass(frozen=True)
class Discretiser:
    """The bin edges of every numeric feature.

    Bin i of a feature with edges e holds the numbers in (e[i - 1], e[i]]; there are ``len(e) + 1`` bins.
    A null, which is the same as NaN, is bin -1, so that relearning the edges does not move it.

    Attributes:
        edges: Per feature float64[at most num_bins - 1], rising.

    Raises:
        InvalidValueError: Edges that are not 1-D, finite and rising.
    """

    edges: Mapping[str, Float64s]

    def __post_init__(self) -> None:
        """Refuse edges that `numpy.searchsorted` would take silently."""
        for feature, edges in self.edges.items():
            if edges.ndim != 1 or not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
                raise InvalidValueError(
                    f"discretiser: expected finite rising edges for {feature!r}, got {edges}"
                )

    @property
    def num_bytes(self) -> int:
        """Bytes of the edges, as they are kept and shipped."""
        return sum(edges.nbytes for edges in self.edges.values())

    def num_bins(self, feature: str) -> int:
        """Return how many bins the numbers of a feature fall into, nulls not counted."""
        return self._edges_of(feature).size + 1

    def transform(self, feature: str, values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Give every number its bin.

        Args:
            feature: The feature's name.
            values: [N] numbers, NaN where there is none.

        Returns:
            int64[N] in [-1, number of edges]: `NULL_BIN` at NaN.

        Raises:
            InvalidValueError: A feature without edges.

        Example:
            >>> discretiser = Discretiser({"price": np.array([1.0, 5.0])})
            >>> discretiser.transform("price", np.array([0.5, 1.0, 3.0, 9.0, np.nan])).tolist()
            [0, 0, 1, 2, -1]
        """
        numbers = np.asarray(values, dtype=np.float64)
        bins = np.searchsorted(self._edges_of(feature), numbers, side="left").astype(np.int64, copy=False)
        bins[np.isnan(numbers)] = NULL_BIN
        return bins

    def to_arrays(self) -> dict[str, Float64s]:
        """Return the edges by feature, as they are written into a bundle."""
        return {feature: np.ascontiguousarray(edges) for feature, edges in self.edges.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "Discretiser":
        """Read what `to_arrays` returned.

        Raises:
            FileFormatError: Arrays that are not float64 edges.
        """
        wrong = {name: str(array.dtype) for name, array in arrays.items() if array.dtype != np.float64}
        if wrong:
            raise FileFormatError(f"discretiser: expected float64 edges, got {wrong}")
        try:
            return cls(dict(arrays))
        except InvalidValueError as error:
            raise FileFormatError(str(error)) from error

    def _edges_of(self, feature: str) -> Float64s:
        if feature not in self.edges:
            raise InvalidValueError(f"discretiser: expected one of {sorted(self.edges)}, got {feature!r}")
        return self.edges[feature]


def percentile_edges(values: Float64s, num_bins: int = DEFAULT_NUM_BINS) -> Float64s:
    """Learn the edges of one feature: the i / num_bins quantiles, equal ones merged.

    The quantile of p is the smallest value with at least a share p of the values at or below it
    (``quantile_disc``, ``inverted_cdf``), so every edge is a value that occurred.

    Args:
        values: float64[N], no nulls; NaN is left out. The order of the values is changed in place, which
            lets a memory-mapped column be larger than memory.
        num_bins: The number of bins, 2 or more.

    Returns:
        float64[at most num_bins - 1], rising; empty when there are no values.

    Raises:
        InvalidValueError: ``num_bins`` below 2.

    Example:
        >>> percentile_edges(np.array([3.0, 1.0, 2.0, 4.0]), num_bins=4).tolist()
        [1.0, 2.0, 3.0]
    """
    if num_bins < 2:
        raise InvalidValueError(f"num_bins: expected 2 or more, got {num_bins}")
    count = values.size - int(np.isnan(values).sum())
    if not count:
        return np.empty(0, dtype=np.float64)
    ranks = sorted({-(-index * count // num_bins) - 1 for index in range(1, num_bins)} - {-1})
    values.partition(ranks)  # NaN sorts behind every number
    return np.unique(np.asarray(values)[ranks]) + 0.0
