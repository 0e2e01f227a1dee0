"""Collisions as they are: counted on real keys under the real hash functions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing.buckets import hash_buckets
from hybridhash.theory import Combine

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MeasuredCollisions:
    """What a set of keys does in a table of shared rows.

    A key is exclusive if no row of it is a row of another key, fully shared if another key has the same
    vector, half shared otherwise. The three shares of each kind add up to 1.

    Attributes:
        num_keys: Distinct keys.
        half_collisions: Keys that find their bucket taken, under one hash function, as a mean over them.
        full_collisions: Keys that find their vector taken: keys less different vectors.
        half_collisions_per_bucket: Over ``num_buckets``; the paper's half collision rate.
        full_collisions_per_tuple: Over ``num_buckets**num_hashes``; the paper's full collision rate.
        exclusive_per_key: Share of the keys.
        half_shared_per_key: Share of the keys; 0 with one hash function.
        fully_shared_per_key: Share of the keys.
        exclusive_per_traffic: Share of the counts.
        half_shared_per_traffic: Share of the counts.
        fully_shared_per_traffic: Share of the counts.
    """

    num_keys: int
    half_collisions: float
    full_collisions: int
    half_collisions_per_bucket: float
    full_collisions_per_tuple: float
    exclusive_per_key: float
    half_shared_per_key: float
    fully_shared_per_key: float
    exclusive_per_traffic: float
    half_shared_per_traffic: float
    fully_shared_per_traffic: float


def measure_collisions(
    keys: Ids,
    num_buckets: int,
    num_hashes: int = 2,
    seed: int = 0,
    counts: npt.ArrayLike | None = None,
    combine: Combine = "sum",
) -> MeasuredCollisions:
    """Count the collisions of these keys in the table that ``seed`` gives them.

    Keys of the head read no shared row: leave them out.

    Args:
        keys: int64[N], distinct, at least one.
        num_buckets: The number of buckets, in [1, 2**31].
        num_hashes: How many hash functions, at least 1.
        seed: The seed, in [0, 2**64), that of the table.
        counts: [N] the traffic of each key, 0 or more; equal for all if not given.
        combine: How the rows of a key become one vector. Under concat the order of the rows is kept;
            under sum and mean {a, b} and {b, a} are the same vector.

    Returns:
        The collisions, in keys, per bucket, and as shares of keys and of traffic.

    Raises:
        InvalidTypeError: The keys are not int64, or the counts are not numbers.
        InvalidValueError: There are no keys, a key comes twice, the counts do not fit the keys, are negative,
            not finite or all 0, ``combine`` is another word, or a number is out of range.

    Source: Zhang et al. 2020, section 3.4 and Table 2, where these are expected values; the shares are not
        in the paper.

    Example:
        >>> from hybridhash.hashing import hash_keys
        >>> measured = measure_collisions(hash_keys(range(1000), "user_id"), num_buckets=1000, num_hashes=1)
        >>> measured.full_collisions, measured.exclusive_per_key, measured.fully_shared_per_key
        (394, 0.341, 0.659)
    """
    if combine not in ("sum", "mean", "concat"):
        raise InvalidValueError(f"combine: expected 'sum', 'mean' or 'concat', got {combine!r}")
    if not keys.size:
        raise InvalidValueError("keys: expected at least one, got none; a share of nothing is undefined")
    rows = hash_buckets(keys, num_buckets, num_hashes, seed)
    num_distinct = _num_distinct(keys)
    if num_distinct != keys.size:
        raise InvalidValueError(
            f"keys: expected distinct keys, got {keys.size} of which {num_distinct} differ; "
            "pass each once, with its traffic in counts"
        )
    traffic = _traffic(counts, keys.size)
    half_collisions = float(np.mean([keys.size - _num_distinct(column) for column in rows.T]))
    if combine != "concat":
        rows.sort(axis=1)
    vector, keys_of_vector = _vectors(rows, num_buckets)
    fully = keys_of_vector[vector] > 1
    exclusive = _has_only_own_rows(rows, num_buckets)
    half = ~exclusive & ~fully
    full_collisions = keys.size - keys_of_vector.size
    return MeasuredCollisions(
        num_keys=keys.size,
        half_collisions=half_collisions,
        full_collisions=full_collisions,
        half_collisions_per_bucket=half_collisions / num_buckets,
        full_collisions_per_tuple=full_collisions / num_buckets**num_hashes,
        exclusive_per_key=float(exclusive.mean()),
        half_shared_per_key=float(half.mean()),
        fully_shared_per_key=float(fully.mean()),
        exclusive_per_traffic=float(traffic[exclusive].sum() / traffic.sum()),
        half_shared_per_traffic=float(traffic[half].sum() / traffic.sum()),
        fully_shared_per_traffic=float(traffic[fully].sum() / traffic.sum()),
    )


def _traffic(counts: npt.ArrayLike | None, num_keys: int) -> npt.NDArray[np.float64]:
    if counts is None:
        return np.ones(num_keys)
    given = np.asarray(counts)
    if given.dtype.kind not in "uif":
        raise InvalidTypeError(
            f"counts: expected integers or floats, got {given.dtype}; pass one count per key"
        )
    traffic = given.astype(np.float64)
    if traffic.shape != (num_keys,):
        raise InvalidValueError(
            f"counts: expected one per key, shape ({num_keys},), got shape {traffic.shape}"
        )
    if not (np.isfinite(traffic) & (traffic >= 0)).all() or not traffic.any():
        raise InvalidValueError(
            "counts: expected finite numbers of 0 or more that are not all 0, "
            f"got {traffic.min()} to {traffic.max()}"
        )
    return traffic


def _groups(ids: Ids) -> tuple[Ids, Ids]:
    """Number the different ids from 0: the number of each id, and how many ids have each number."""
    # numpy's unique takes several times as long for the same.
    order = np.argsort(ids)
    in_order = ids[order]
    number = np.zeros(ids.size, dtype=np.int64)
    np.cumsum(in_order[1:] != in_order[:-1], out=number[1:])
    group = np.empty_like(number)
    group[order] = number
    return group, np.bincount(number)


def _num_distinct(ids: Ids) -> int:
    in_order = np.sort(ids)
    return 1 + int(np.count_nonzero(in_order[1:] != in_order[:-1]))


def _vectors(rows: Ids, num_buckets: int) -> tuple[Ids, Ids]:
    """Number the different lines of ``rows``: the number of each line, and how many lines have it."""
    ids, num_ids = rows[:, 0], num_buckets
    for column in rows.T[1:]:
        if num_ids * num_buckets > 1 << 63:
            ids, sizes = _groups(ids)
            num_ids = sizes.size
        ids, num_ids = ids * num_buckets + column, num_ids * num_buckets
    return _groups(ids)


def _has_only_own_rows(rows: Ids, num_buckets: int) -> npt.NDArray[np.bool_]:
    """Say of each line whether none of its numbers stands in another line."""
    in_order = np.sort(rows, axis=1)
    is_first = np.ones(rows.shape, dtype=bool)
    is_first[:, 1:] = in_order[:, 1:] != in_order[:, :-1]
    used = in_order[is_first]
    if num_buckets > 4 * used.size:
        # A counter for every bucket would take more memory than the keys do.
        used, num_users = _groups(used)
    else:
        num_users = np.bincount(used)
    has_own_row = np.ones(rows.shape, dtype=bool)
    has_own_row[is_first] = num_users[used] == 1
    own: npt.NDArray[np.bool_] = np.asarray(has_own_row.all(axis=1))
    return own
