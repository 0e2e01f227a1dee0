"""The arguments a formula takes: whole numbers inside their range."""

import operator
from typing import Any

from hybridhash.errors import InvalidTypeError, InvalidValueError


def whole(name: str, value: Any, at_least: int = 0) -> int:
    """Return an argument as a Python integer, which does not overflow.

    Args:
        name: The argument's name, for the message.
        value: A Python or numpy integer.
        at_least: The smallest number allowed.

    Returns:
        The same number.

    Raises:
        InvalidTypeError: It is not an integer.
        InvalidValueError: It is below ``at_least``.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise InvalidTypeError(
            f"{name}: expected an integer, got {value!r}; round it with int() if it stands for a count"
        ) from None
    if number < at_least:
        raise InvalidValueError(f"{name}: expected an integer of {at_least} or more, got {number}")
    return number


def tail_size(num_keys: int, num_head: int, num_buckets: int) -> int:
    """Return how many keys are left to the shared rows.

    Args:
        num_keys: Distinct keys.
        num_head: Keys with a row of their own.
        num_buckets: Shared rows; 0 will do if no key is left to them.

    Returns:
        ``num_keys - num_head``.

    Raises:
        InvalidTypeError: A number is not an integer.
        InvalidValueError: A number is negative, the head is larger than the keys, or a tail has no bucket.
    """
    keys, head = whole("num_keys", num_keys), whole("num_head", num_head)
    if head > keys:
        raise InvalidValueError(
            f"num_head: expected at most the number of keys, {keys}, got {head}; every head row needs a key"
        )
    whole("num_buckets", num_buckets, at_least=1 if keys > head else 0)
    return keys - head
