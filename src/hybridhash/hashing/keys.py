"""Values to keys: the int64 name of one (feature, value) pair."""

from collections.abc import Sequence
from itertools import compress
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.hashing import native, text
from hybridhash.hashing.columns import as_column, is_missing, may_be_missing
from hybridhash.hashing.mix import GOLDEN_GAMMA, WORD, UInt64s, mix64, mix64_in_place
from hybridhash.hashing.reference import Keys

HASH_FAMILY: Final = "xxh64+splitmix64/1"  # written into every file; changes with any change of a result
_KINDS: Final = "integers, booleans, str or bytes"


def feature_salt(feature: str, seed: int = 0) -> int:
    """Return the word that keeps the keys of one feature apart from those of another.

    It is XXH64 of the feature's name in UTF-8 under ``seed``.

    Args:
        feature: The feature's name.
        seed: The seed, in [0, 2**64).

    Returns:
        An integer in [0, 2**64).

    Raises:
        InvalidValueError: The seed is out of range.
    """
    if not 0 <= seed <= WORD:
        raise InvalidValueError(f"seed: expected an integer in [0, 2**64), got {seed}")
    return int(native.byte_string_keys(text.from_python([feature]), seed)[0]) & WORD


def null_key(feature: str, seed: int = 0) -> int:
    """Return the key of a missing value, which is a value of its own.

    Args:
        feature: The feature's name.
        seed: The seed, as in `hash_keys`.

    Returns:
        An int64 key: ``mix64(mix64(salt) ^ GOLDEN_GAMMA)`` with ``salt = feature_salt(feature, seed)``.
    """
    word = mix64(mix64(feature_salt(feature, seed)) ^ GOLDEN_GAMMA)
    return word - (1 << 64) if word >> 63 else word


def hash_keys(values: Any, feature: str, seed: int = 0) -> Keys:
    """Give every value of a feature its key.

    Integers (and booleans, as 0 and 1) map one-to-one: ``mix64(value + salt)`` modulo 2**64. Strings
    are hashed with XXH64 of their UTF-8 bytes under ``salt``; ``str`` and the same text as ``bytes``
    have one key. ``"7"`` and ``7`` are different values. ``None``, an Arrow null, and the NaN or NA
    that pandas leaves among other values are one value of their own (`null_key`). An unsigned integer
    of 2**63 or more has the key of the signed integer with the same 64 bits.

    Args:
        values: [N] integers, booleans, str or bytes, of one kind only: a Python sequence, a numpy array, a pyarrow
            array or chunked array (dictionary-encoded too), a column of pandas (nullable types and categories too) or
            Polars, or what numpy reads, such as a tensor. An array may have any number of dimensions.
        feature: The feature's name; the same value under another name has another key.
        seed: The seed, in [0, 2**64); a system-wide choice that trained models depend on.

    Returns:
        int64[N], or int64 of the shape of the array.

    Raises:
        InvalidTypeError: Values of another kind (floats want a discretiser first) or of mixed kinds, or one
            value or a table in place of a column.
        InvalidValueError: The seed is out of range, or an integer does not fit 64 bits.
        DataError: Text that UTF-8 cannot encode.

    Example:
        >>> hash_keys([0, 1, -1], feature="user_id").tolist()
        [-2791739478565670023, 5780327801895822141, -3662806576770169963]
    """
    try:
        column = as_column(values)
    except InvalidTypeError as error:
        raise InvalidTypeError(f"feature {feature!r}: {error}") from None
    salt = feature_salt(feature, seed)
    if column.is_list:
        keys = _python_keys(column.values, feature, seed, salt)
    elif column.is_array:
        keys = _numpy_keys(column.values.reshape(-1), feature, salt)
        if column.is_null is not None:
            keys[column.is_null.reshape(-1)] = null_key(feature, seed)
    else:
        keys = _arrow_keys(column.values, feature, seed, salt)
    return keys.reshape(column.shape)


def cross_keys(parts: Sequence[Keys], feature: str, seed: int = 0) -> Keys:
    """Give every combination of values of several features its key.

    Starting from the salt of the cross's own name, each part is folded in turn:
    ``word = mix64(word ^ key + GOLDEN_GAMMA)``, so the order of the parts matters.

    Args:
        parts: The keys of the crossed features, each int64[N].
        feature: The cross's name.
        seed: The seed, as in `hash_keys`.

    Returns:
        int64[N].

    Raises:
        InvalidValueError: Fewer than two parts, or parts of different lengths.
    """
    if len(parts) < 2 or len({part.shape for part in parts}) != 1:
        shapes = [part.shape for part in parts]
        raise InvalidValueError(
            f"cross {feature!r}: expected two or more key arrays of one shape, got {shapes}"
        )
    word = np.full(parts[0].shape, feature_salt(feature, seed), dtype=np.uint64)
    for part in parts:
        word ^= np.ascontiguousarray(part).view(np.uint64)
        word += np.uint64(GOLDEN_GAMMA)
        mix64_in_place(word)
    return word.view(np.int64)


def _numpy_keys(values: npt.NDArray[Any], feature: str, salt: int) -> Keys:
    kind = values.dtype.kind
    if kind in "biu":
        return native.integer_keys(values, salt)
    if kind == "U":
        return native.numpy_text_keys(values, salt)
    if kind == "S":
        return native.numpy_bytes_keys(values, salt)
    raise _wrong_kind(feature, str(values.dtype))


def _python_keys(values: list[Any], feature: str, seed: int, salt: int) -> Keys:
    present, types, missing = values, set(map(type, values)), None
    if any(may_be_missing(kind) for kind in types):
        missing = np.fromiter(map(is_missing, values), dtype=bool, count=len(values))
        present = list(compress(values, ~missing))
        types = set(map(type, present))
    kinds = set(map(_kind, types))
    if len(kinds) > 1:
        raise InvalidTypeError(
            f"feature {feature!r}: expected values of one kind, got {' and '.join(sorted(kinds))}; "
            "convert them to one kind first, since 7 and '7' are different values"
        )
    kind = kinds.pop() if kinds else "str"
    if kind == "int":
        keys = native.integer_keys(_words(present, feature), salt)
    elif kind in ("str", "bytes"):
        keys = native.byte_string_keys(text.from_python(present), salt)
    else:
        raise _wrong_kind(feature, kind)
    if missing is None:
        return keys
    out = np.full(len(values), null_key(feature, seed), dtype=np.int64)
    out[~missing] = keys
    return out


def _kind(of: type) -> str:
    if issubclass(of, bool | np.bool_ | int | np.integer):
        return "int"
    if issubclass(of, str):
        return "str"
    if issubclass(of, bytes):
        return "bytes"
    return of.__name__


def _words(values: list[Any], feature: str) -> UInt64s:
    numbers = [int(value) for value in values]
    outside = [number for number in numbers if not -(1 << 63) <= number <= WORD]
    if outside:
        raise InvalidValueError(
            f"feature {feature!r}: expected integers of 64 bits, got {outside[0]}; pass such ids as strings"
        )
    return np.array([number & WORD for number in numbers], dtype=np.uint64)


def _arrow_keys(values: Any, feature: str, seed: int, salt: int) -> Keys:
    if hasattr(values, "chunks"):
        parts = [_arrow_keys(chunk, feature, seed, salt) for chunk in values.chunks]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
    kind = str(values.type)
    if kind.startswith("dictionary"):
        keys_of_codes = _arrow_keys(values.dictionary, feature, seed, salt)
        keys = np.full(len(values), null_key(feature, seed), dtype=np.int64)
        codes = values.indices.fill_null(0).to_numpy(zero_copy_only=False)
        if keys_of_codes.size:
            valid = ~values.indices.is_null().to_numpy(zero_copy_only=False)
            keys[valid] = keys_of_codes[codes[valid]]
        return keys
    if kind in ("string_view", "binary_view"):
        values = values.cast("large_" + kind.removesuffix("_view"))
        kind = str(values.type)
    if kind in ("string", "large_string", "binary", "large_binary"):
        keys = native.arrow_string_keys(values, salt)
    elif kind.startswith(("int", "uint")) or kind == "bool":
        dense = values.fill_null(False if kind == "bool" else 0) if values.null_count else values
        keys = _numpy_keys(dense.to_numpy(zero_copy_only=False), feature, salt)
    elif kind == "null":
        return np.full(len(values), null_key(feature, seed), dtype=np.int64)
    else:
        raise _wrong_kind(feature, f"Arrow {kind}")
    if values.null_count:
        keys[values.is_null().to_numpy(zero_copy_only=False)] = null_key(feature, seed)
    return keys


def _wrong_kind(feature: str, got: str) -> InvalidTypeError:
    advice = "declare numbers as a numeric feature, which is discretised first"
    if got.startswith("float"):
        advice += "; integers with holes, which pandas makes floats of, keep their type as Int64"
    return InvalidTypeError(f"feature {feature!r}: expected {_KINDS}, got {got}; {advice}")
