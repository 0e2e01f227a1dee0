"""Table 1's complexities, counted by hand for ten keys."""

import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.theory import MethodCost, method_cost


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((10, 0, 8, 1), MethodCost(num_rows=8, num_dictionary_lookups=0, num_bucket_hashes=10)),
        ((10, 0, 4, 2), MethodCost(num_rows=4, num_dictionary_lookups=0, num_bucket_hashes=20)),
        ((10, 10, 0, 1), MethodCost(num_rows=10, num_dictionary_lookups=10, num_bucket_hashes=0)),
        ((10, 3, 2, 2), MethodCost(num_rows=5, num_dictionary_lookups=10, num_bucket_hashes=14)),
    ],
    ids=["regular", "double", "frequency", "hybrid"],
)
def test_the_four_rows_of_table_1(arguments: tuple[int, int, int, int], expected: MethodCost) -> None:
    assert method_cost(*arguments) == expected


def test_impossible_numbers_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="num_head"):
        method_cost(10, 11, 1)
    with pytest.raises(InvalidValueError, match="num_hashes"):
        method_cost(10, 1, 1, num_hashes=0)
    with pytest.raises(InvalidValueError, match="num_buckets"):
        method_cost(10, 9, 0)
