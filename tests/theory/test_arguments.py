"""What is not a count is refused, at the value just outside the range."""

import numpy as np
import pytest

from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.theory.arguments import tail_size, whole


@pytest.mark.parametrize("value", [3, np.int32(3), np.uint64(3)])
def test_python_and_numpy_integers_are_whole(value: int) -> None:
    number = whole("n", value, at_least=3)
    assert number == 3
    assert type(number) is int


@pytest.mark.parametrize("value", [3.0, "3", None, np.float64(3)])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(InvalidTypeError, match="num_keys: expected an integer, got"):
        whole("num_keys", value)


def test_a_number_below_the_smallest_is_refused() -> None:
    assert whole("n", 0) == 0
    with pytest.raises(InvalidValueError, match="n: expected an integer of 0 or more, got -1"):
        whole("n", -1)
    with pytest.raises(InvalidValueError, match="n: expected an integer of 1 or more, got 0"):
        whole("n", 0, at_least=1)


def test_the_tail_is_what_the_head_leaves() -> None:
    assert tail_size(10, 3, 1) == 7
    assert tail_size(10, 10, 0) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((10, 11, 1), "num_head: expected at most the number of keys, 10, got 11"),
        ((10, 9, 0), "num_buckets: expected an integer of 1 or more, got 0"),
        ((10, 10, -1), "num_buckets: expected an integer of 0 or more, got -1"),
        ((-1, 0, 1), "num_keys: expected an integer of 0 or more, got -1"),
        ((10, -1, 1), "num_head: expected an integer of 0 or more, got -1"),
    ],
)
def test_an_impossible_tail_is_refused(arguments: tuple[int, int, int], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        tail_size(*arguments)
