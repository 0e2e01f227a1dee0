"""Columns of values to keys, feature by feature, by the rules that the schema fixes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hybridhash.data.batch import Bags, Batch, make_batch
from hybridhash.data.discretiser import Discretiser
from hybridhash.data.schema import Feature, Schema, missing_column
from hybridhash.data.values import conform, numbers, split_lists
from hybridhash.errors import DataError, HybridHashError
from hybridhash.hashing import cross_keys, hash_keys, null_key

Int64s = npt.NDArray[np.int64]


def encode_columns(
    columns: Mapping[str, Any], schema: Schema, discretiser: Discretiser, first_row: int = 0
) -> list[Bags]:
    """Give every value of every feature its key.

    A value of the other type than the schema's is converted when nothing is lost: an integer given to a
    string feature becomes its decimal form, and text given to an integer feature must be the decimal form
    of an integer. A null is a value of its own; so is a null list, while an empty list is an empty bag.
    In columns of Python objects a float NaN counts as null, as pandas writes it. Numbers are discretised
    and their bins hashed as integers.

    Args:
        columns: Per column [B] values: a numpy, Arrow, pandas or Polars column or a Python sequence. Lists
            are Arrow lists, sequences of sequences, or text with the schema's separator. Columns that are
            no feature are not read.
        schema: The features, their types and the seed.
        discretiser: The bin edges of the numeric features.
        first_row: What the rows are counted from in errors.

    Returns:
        The bags of each feature, in schema order.

    Raises:
        DataError: A missing column, columns of different lengths, a value of a type that cannot be
            converted, an infinite number; the message names the column and, 1-based, the row.

    Example:
        >>> schema = Schema((Feature("site", "categorical", "string"),))
        >>> [bags] = encode_columns({"site": ["a", None]}, schema, Discretiser({}))
        >>> bags.keys.tolist() == [*hash_keys(["a"], "site").tolist(), null_key("site")]
        True
    """
    out: dict[str, Bags] = {}
    for feature in schema.features:
        if feature.kind == "cross":
            parts = [out[part].keys for part in feature.parts]
            out[feature.name] = Bags(cross_keys(parts, feature.name, schema.seed))
            continue
        if feature.name not in columns:
            raise missing_column(feature.name, columns, "rows")
        try:
            out[feature.name] = _encode(columns[feature.name], feature, schema, discretiser, first_row)
        except DataError:
            raise
        except HybridHashError as error:
            raise DataError(f"column {feature.name!r}: {error}") from error
    sizes = {name: bags.num_rows for name, bags in out.items()}
    if len(set(sizes.values())) > 1:
        raise DataError(f"rows: expected columns of one length, got {sizes}")
    return list(out.values())


def encode_batch(
    columns: Mapping[str, Any], schema: Schema, discretiser: Discretiser, first_row: int = 0
) -> Batch:
    """Encode rows that are to be scored into one batch, without labels.

    The arguments and errors are those of `encode_columns`.
    """
    return make_batch(encode_columns(columns, schema, discretiser, first_row))


def _encode(values: Any, feature: Feature, schema: Schema, discretiser: Discretiser, first_row: int) -> Bags:
    null = null_key(feature.name, schema.seed)
    if feature.kind == "numeric":
        floats, is_null = numbers(values, feature.name, first_row)
        keys = hash_keys(discretiser.transform(feature.name, floats), feature.name, schema.seed)
        if is_null is not None:
            keys[is_null] = null
        return Bags(keys)
    if feature.kind == "categorical":
        return Bags(
            hash_keys(conform(values, feature.dtype, feature.name, first_row), feature.name, schema.seed)
        )
    flat, lengths, is_null = split_lists(values, schema.list_separator, feature.name, first_row)
    rows = np.repeat(np.arange(lengths.size), lengths) if feature.dtype == "int" else None
    keys = hash_keys(conform(flat, feature.dtype, feature.name, first_row, rows), feature.name, schema.seed)
    return _bags_with_nulls(keys, lengths, is_null, null)


def _bags_with_nulls(keys: Int64s, lengths: Int64s, is_null: npt.NDArray[np.bool_] | None, null: int) -> Bags:
    """Give null lists their one key; the keys given are those of the lists that are there."""
    if is_null is not None:
        lengths = np.where(is_null, 1, lengths)
    offsets = np.zeros(lengths.size + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    if is_null is None or not is_null.any():
        return Bags(keys, offsets)
    out = np.empty(int(offsets[-1]), dtype=np.int64)
    of_null = np.repeat(is_null, lengths)
    out[of_null] = null
    out[~of_null] = keys
    return Bags(out, offsets)
