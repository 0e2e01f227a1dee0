"""Values to keys, feature by feature, in numpy: the definition of what a schema does to a value."""

from typing import Any

import numpy as np
import numpy.typing as npt

from hybridhash.data.batch import Bags, Batch, make_batch
from hybridhash.data.discretiser import NULL_BIN, Discretiser
from hybridhash.data.frame import as_frame
from hybridhash.data.schema import Feature, Schema
from hybridhash.data.values import Lists, conform, numbers, split_lists
from hybridhash.errors import DataError, HybridHashError
from hybridhash.hashing import cross_keys, hash_keys, null_key

Int64s = npt.NDArray[np.int64]


def encode_columns(rows: Any, schema: Schema, discretiser: Discretiser, first_row: int = 0) -> list[Bags]:
    """Give every value of every feature its key.

    A value of the other type than the schema's is converted when nothing is lost: an integer given to a
    string feature becomes its decimal form, and text given to an integer feature must be the decimal form
    of an integer. A null is a value of its own, whether a container writes it as None, NaN or NA; so is a null list,
    while an empty list is an empty bag. Numbers are discretised and their bins hashed as integers.

    Args:
        rows: Rows in any container that `as_frame` takes. Each column is a numpy, Arrow, pandas or Polars column, a
            tensor or a Python sequence. Lists are Arrow lists, sequences of sequences, arrays [B, L], or text with the
            schema's separator.
        schema: The features, their types and the seed.
        discretiser: The bin edges of the numeric features.
        first_row: What the rows are counted from in errors.

    Returns:
        The bags of each feature, in schema order.

    Raises:
        DataError: A missing column, columns of different lengths, a value of a type that cannot be
            converted, an infinite number; the message names the column and, 1-based, the row.
        InvalidTypeError: Rows in another form.

    Example:
        >>> schema = Schema((Feature("site", "categorical", "string"),))
        >>> [bags] = encode_columns({"site": ["a", None]}, schema, Discretiser({}))
        >>> bags.keys.tolist() == [*hash_keys(["a"], "site").tolist(), null_key("site")]
        True
    """
    frame = as_frame(rows, schema)
    out: dict[str, Bags] = {}
    for feature in schema.features:
        if feature.kind == "cross":
            parts = [out[part].keys for part in feature.parts]
            out[feature.name] = Bags(cross_keys(parts, feature.name, schema.seed))
            continue
        bags = encode_feature(frame.columns[feature.name], feature, schema, discretiser, first_row)
        out[feature.name] = _repeated(bags, frame.num_rows) if feature.name in frame.shared else bags
    return list(out.values())


def encode_batch(rows: Any, schema: Schema, discretiser: Discretiser, first_row: int = 0) -> Batch:
    """Encode rows that are to be scored into one batch, without labels.

    The arguments and errors are those of `encode_columns`.
    """
    return make_batch(encode_columns(rows, schema, discretiser, first_row))


def encode_feature(
    values: Any, feature: Feature, schema: Schema, discretiser: Discretiser, first_row: int = 0
) -> Bags:
    """Give every value of one feature, which is no cross, its key.

    Args:
        values: The feature's column; see `encode_columns`.
        feature: One of the schema.
        schema: The features.
        discretiser: The bin edges of the numeric features.
        first_row: What the rows are counted from in errors.

    Raises:
        DataError: As `encode_columns` does.
    """
    name, seed = feature.name, schema.seed
    try:
        if feature.kind == "numeric":
            bins = discretiser.transform(name, numbers(values, name, first_row))
            keys = hash_keys(bins, name, seed)
            keys[bins == NULL_BIN] = null_key(name, seed)
            return Bags(keys)
        if feature.kind == "categorical":
            return Bags(hash_keys(conform(values, feature.dtype, name, first_row), name, seed))
        lists = split_lists(values, schema.list_separator, name, first_row)
        rows = np.repeat(np.arange(lists.lengths.size), lists.lengths)
        keys = hash_keys(conform(lists.elements, feature.dtype, name, first_row, rows), name, seed)
        return _bags_with_nulls(keys, lists, null_key(name, seed))
    except DataError:
        raise
    except HybridHashError as error:
        raise DataError(f"column {name!r}: {error}") from error


def _bags_with_nulls(keys: Int64s, lists: Lists, null: int) -> Bags:
    """Give null lists their one key; the keys given are those of the lists that are there."""
    is_null = lists.is_null
    lengths = lists.lengths if is_null is None else np.where(is_null, 1, lists.lengths)
    offsets = np.zeros(lengths.size + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    if is_null is None or not is_null.any():
        return Bags(keys, offsets)
    out = np.empty(int(offsets[-1]), dtype=np.int64)
    of_null = np.repeat(is_null, lengths)
    out[of_null] = null
    out[~of_null] = keys
    return Bags(out, offsets)


def _repeated(bags: Bags, num_rows: int) -> Bags:
    """Give every row the keys of the one row that there is."""
    keys = np.tile(bags.keys, num_rows)
    return Bags(keys, None if bags.offsets is None else np.arange(num_rows + 1) * bags.keys.size)
