"""The table that is shipped: packed rows, and the dictionaries that say which row a key reads. No torch."""

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash import _native
from hybridhash.errors import FileFormatError, HybridHashError, InvalidTypeError, InvalidValueError
from hybridhash.files import JSON, read_checked, write_checked
from hybridhash.hashing import HASH_FAMILY, hash_buckets, num_threads
from hybridhash.packing import PackedRows, unpack_rows
from hybridhash.spec import COMBINES, MODES, Ledger, Mode, TableSpec
from hybridhash.tables.arrays import (
    index_arrays,
    read_index,
    read_rows,
    row_arrays,
    shipped_tiers,
    slab_shapes,
)
from hybridhash.tables.index import KeyIndex

Floats = npt.NDArray[np.float32]
Int64s = npt.NDArray[np.int64]

FORMAT: Final = "hybridhash-table"
VERSION: Final = 1


class ShippedTable:
    """Vectors of keys, from the bytes that are shipped.

    Any key is legal: a key that no dictionary knows reads rows of the tail. Reading is thread-safe. A look-up costs
    the same whatever the number of keys in the table, but for the caches of the processor.

    Args:
        spec: The table.
        index: The index, which says which rows a key reads; tables of the same rows share one.
        slabs: The packed rows of each tier that is shipped, then those of the tail.
        feature_names: Names of the features whose keys the table was made for; empty where they are not known.
        key_seed: Seed of `hybridhash.hash_keys` that the keys were made with.

    Raises:
        InvalidValueError: The index is that of another table, or the rows are not those of the spec.

    Example:
        >>> from hybridhash.packing import pack_rows
        >>> from hybridhash.spec import Tier
        >>> spec = TableSpec(num_head=1, num_buckets=2, dim=3, tiers=(Tier(1, bits=0),))
        >>> table = ShippedTable(spec, KeyIndex(spec, ()), [pack_rows(np.ones((2, 3), np.float32), 32)])
        >>> table.vectors(np.array([7, 42])).tolist()
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    def __init__(
        self,
        spec: TableSpec,
        index: KeyIndex,
        slabs: Sequence[PackedRows],
        *,
        feature_names: Sequence[str] = (),
        key_seed: int = 0,
    ) -> None:
        if not index.serves(spec):
            raise InvalidValueError(f"index: expected that of {spec}, got that of {index.spec}")
        expected = slab_shapes(spec)
        got = [(slab.num_rows, slab.width, slab.bits) for slab in slabs]
        if got != expected:
            raise InvalidValueError(f"rows: expected (rows, width, bits) {expected}, got {got}")
        self.spec: Final = spec
        self.index: Final = index
        self.slabs: Final = tuple(slabs)
        self.feature_names: Final = tuple(feature_names)
        self.key_seed: Final = key_seed

    def vectors(self, keys: npt.ArrayLike) -> Floats:
        """Return the vector of each key.

        Args:
            keys: int64, any shape, from `hybridhash.hash_keys`.

        Returns:
            float32[..., D].

        Raises:
            InvalidTypeError: The keys are not int64.
        """
        wanted = _int64s("keys", keys)
        flat = wanted.reshape(-1)
        out = np.empty((flat.size, self.spec.dim), dtype=np.float32)
        if self._native is None:
            out[:] = self.defined_vectors(flat)
        else:
            self._native.vectors(flat, None, out, num_threads(flat.size))
        return out.reshape(*wanted.shape, self.spec.dim)

    def pool(
        self,
        keys: npt.ArrayLike,
        offsets: npt.ArrayLike,
        *,
        mode: Mode = "mean",
        per_sample_weights: npt.ArrayLike | None = None,
        rows: npt.NDArray[np.int32] | None = None,
        out: Floats | None = None,
    ) -> Floats:
        """Pool the vectors of each bag of keys.

        Args:
            keys: int64[N], from `hybridhash.hash_keys`.
            offsets: int64[B + 1]: bag b is the keys ``offsets[b]:offsets[b + 1]``; the last is N.
            mode: ``sum``, ``mean`` or ``max`` over the keys of a bag.
            per_sample_weights: float32[N], for ``sum`` only.
            rows: What `rows` of a table with the same index returned for these keys, where it is there already.
            out: float32[B, D] in C order, filled and returned; made if not given.

        Returns:
            float32[B, D]; zeros for an empty bag.

        Raises:
            InvalidTypeError: Keys or offsets are not int64.
            InvalidValueError: An unknown mode, weights with another mode than ``sum``, or offsets that do not begin
                at 0, that fall, or that do not end at the number of keys.
        """
        flat, bounds = _int64s("keys", keys), _int64s("offsets", offsets)
        weights = None
        if per_sample_weights is not None:
            weights = np.ascontiguousarray(per_sample_weights, dtype=np.float32)
        _check_bags(flat, bounds, mode, weights)
        if out is None:
            out = np.empty((bounds.size - 1, self.spec.dim), dtype=np.float32)
        threads = num_threads(flat.size)
        try:
            if self._native is None:
                out[:] = _pooled(self.defined_vectors(flat), bounds, mode, weights)
            elif rows is None:
                self._native.pool(flat, None, bounds, weights, MODES.index(mode), out, threads)
            else:
                self._native.pool_rows(rows, bounds, weights, MODES.index(mode), out, threads)
        except ValueError as error:
            raise InvalidValueError(f"offsets: expected bags of {flat.size} keys: {error}") from error
        return out

    def rows(self, keys: npt.ArrayLike) -> npt.NDArray[np.int32] | None:
        """Find the rows of keys once for several tables with this index.

        Args:
            keys: int64[N].

        Returns:
            int32[N, H], what `pool` takes as ``rows``; None where no compiled look-up reads the dictionaries.
        """
        if self._native is None:
            return None
        flat = _int64s("keys", keys)
        found = np.empty((flat.size, self.spec.num_hashes), dtype=np.int32)
        self._native.rows(flat, None, found, num_threads(flat.size))
        return found

    def defined_vectors(self, keys: Int64s) -> Floats:
        """Return the vectors of keys in plain numpy: the definition that the compiled look-up is compared with.

        Args:
            keys: int64[N].

        Returns:
            float32[N, D].
        """
        spec = self.spec
        vectors = np.empty((keys.size, spec.dim), dtype=np.float32)
        left = np.arange(keys.size)
        for dictionary, slab in zip(self.index.dictionaries, self.slabs, strict=False):
            found = dictionary.find(keys[left])
            mine = found >= 0
            vectors[left[mine]] = unpack_rows(slab, found[mine])
            left = left[~mine]
        if left.size:
            buckets = hash_buckets(keys[left], spec.num_buckets, spec.num_hashes, spec.seed)
            chunks = unpack_rows(self.slabs[-1], buckets)
            if spec.combine == "concat":
                vectors[left] = chunks.reshape(left.size, -1)
            else:
                vectors[left] = chunks.sum(axis=1) if spec.combine == "sum" else chunks.mean(axis=1)
        return vectors

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the table as one checked file that `hybridhash.load` reads.

        Args:
            path: The path of the file, which is replaced whole or not at all.

        Raises:
            FileAccessError: The file cannot be written there.
        """
        metadata: dict[str, JSON] = {
            "hash_family": HASH_FAMILY,
            "table": self.spec.as_dict(),
            "feature_names": list(self.feature_names),
            "key_seed": self.key_seed,
        }
        arrays = row_arrays(self.slabs, shipped_tiers(self.spec)) | index_arrays(self.index)
        write_checked(path, arrays, metadata, FORMAT, VERSION)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "ShippedTable":
        """Read a table that `save` wrote; every byte of the file is checked.

        Raises:
            FileFormatError: The file is cut short, altered, of another kind, or of a newer version.
            FileAccessError: The file cannot be opened.
        """
        file = read_checked(path, FORMAT, VERSION)
        if file.metadata.get("hash_family") != HASH_FAMILY:
            raise FileFormatError(
                f"{path}: expected keys of the hash family {HASH_FAMILY}, got {file.metadata.get('hash_family')}; "
                "pack the table again with this version"
            )
        try:
            spec = TableSpec.from_dict(file.metadata["table"])
            index = read_index(file.tensors, spec)
            return cls(
                spec,
                index,
                read_rows(file.tensors, spec),
                feature_names=file.metadata["feature_names"],
                key_seed=file.metadata["key_seed"],
            )
        except (KeyError, TypeError, HybridHashError) as error:
            raise FileFormatError(
                f"{path}: expected a table whose parts fit, got another: {error}"
            ) from error

    def ledger(self) -> Ledger:
        """Return the bytes of the rows, scales, dictionaries and codes, by purpose; those of the spec."""
        return self.spec.ledger()

    @cached_property
    def _native(self) -> Any:
        """The compiled look-up with its arrays, or None where the definition in numpy reads this table."""
        dictionaries, spec = self.index.dictionaries, self.spec
        compiled = (
            all(one.kind.name in _native.DICTIONARIES for one in dictionaries)
            and len(dictionaries) <= _native.MAX_DICTIONARIES
            and spec.num_hashes <= _native.MAX_HASHES
        )
        if not compiled:
            return None
        parts = [
            (one.places, one.kind.key_bits, one.codes, one.code_bits, one.num_rows) for one in dictionaries
        ]
        *head, tail = ((slab.codes, slab.scales, slab.bits, slab.num_rows, slab.width) for slab in self.slabs)
        return _native.Table(parts, list(self.index.words), head, tail, COMBINES.index(spec.combine))

    def __repr__(self) -> str:
        spec = self.spec
        return (
            f"ShippedTable({spec.num_head} keys, {spec.num_buckets} tail rows, dim={spec.dim}, "
            f"{self.ledger().embedding_bytes} bytes)"
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: all but the compiled look-up."""
        return {name: value for name, value in vars(self).items() if name != "_native"}


def _pooled(vectors: Floats, offsets: Int64s, mode: str, weights: Floats | None) -> Floats:
    """Return float32[B, D]: the sum, mean or maximum of each bag, zeros for an empty one."""
    if weights is not None:
        vectors = vectors * weights[:, None]
    lengths = np.diff(offsets)
    pooled = np.zeros((lengths.size, vectors.shape[1]), dtype=np.float32)
    filled = lengths > 0
    if filled.any():
        reduce: np.ufunc = np.maximum if mode == "max" else np.add
        pooled[filled] = reduce.reduceat(vectors, offsets[:-1][filled], axis=0)
        if mode == "mean":
            pooled[filled] /= lengths[filled, None].astype(np.float32)
    return pooled


def _check_bags(keys: Int64s, offsets: Int64s, mode: str, weights: Floats | None) -> None:
    if keys.ndim != 1 or offsets.ndim != 1:
        raise InvalidValueError(
            f"keys and offsets: expected 1-D arrays, got {keys.ndim}-D and {offsets.ndim}-D"
        )
    if mode not in MODES:
        raise InvalidValueError(f"mode: expected one of {', '.join(MODES)}, got {mode!r}")
    if weights is not None and (mode != "sum" or weights.shape != keys.shape):
        raise InvalidValueError(
            f"per_sample_weights: expected mode 'sum' and a weight for each of {keys.size} keys, got mode {mode!r} and "
            f"shape {weights.shape}"
        )
    if not offsets.size or offsets[0] != 0 or offsets[-1] != keys.size or (np.diff(offsets) < 0).any():
        raise InvalidValueError(
            f"offsets: expected B + 1 numbers that rise from 0 to the number of keys, {keys.size}, got "
            f"{offsets[:3].tolist()} ... {offsets[-1:].tolist()}"
        )


def _int64s(name: str, values: npt.ArrayLike) -> Int64s:
    array = np.asarray(values)
    if array.dtype != np.int64 and not (array.size == 0 and array.dtype == np.float64):
        raise InvalidTypeError(
            f"{name}: expected int64, got {array.dtype}; hybridhash.hash_keys makes int64 keys from ids"
        )
    return np.asarray(array, dtype=np.int64, order="C")
