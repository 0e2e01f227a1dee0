"""A table spec refuses what is no table, and its bytes are those of its rows and keys."""

from typing import Any

import pytest

from hybridhash.errors import InvalidValueError
from hybridhash.spec import COMBINES, FLOAT_BYTES, KEY_BYTES, TableSpec


def test_bytes_by_hand() -> None:
    """24 positions for 3 keys: head rows of 8 floats, and 8 bytes each with the salt; 5 rows of 8 / 4 floats."""
    ledger = TableSpec(3, 5, dim=8, num_hashes=4, combine="concat").ledger()
    assert (FLOAT_BYTES, KEY_BYTES) == (4, 8)
    assert (ledger.head_rows, ledger.tail_rows, ledger.dictionary) == (768, 40, 200)
    assert ledger.total_bytes == 768 + 40 + 200


@pytest.mark.parametrize(("combine", "floats"), [("sum", 12), ("mean", 12), ("concat", 4)])
def test_only_concat_narrows_a_bucket(combine: Any, floats: int) -> None:
    spec = TableSpec(0, 5, dim=12, num_hashes=3, combine=combine)
    assert spec.bucket_dim == floats
    assert spec.ledger().tail_rows == 5 * floats * 4


def test_rows_are_head_and_tail() -> None:
    """3 keys take 8 * (ceil(3 / 7.6) + 2) = 24 positions, no keys none."""
    assert (TableSpec(3, 5, 8).num_positions, TableSpec(3, 5, 8).num_rows) == (24, 29)
    assert (TableSpec(0, 5, 8).num_positions, TableSpec(0, 5, 8).num_rows) == (0, 5)


@pytest.mark.parametrize(("combine", "wide"), [("sum", "sum"), ("mean", "mean"), ("concat", "mean")])
def test_the_companion_has_the_same_rows_and_one_weight_on_each(combine: Any, wide: str) -> None:
    spec = TableSpec(3, 5, 8, 2, combine, seed=9)
    assert spec.companion() == TableSpec(3, 5, 1, 2, wide, seed=9)  # type: ignore[arg-type]


def test_as_dict_is_what_the_constructor_takes() -> None:
    spec = TableSpec(3, 5, 8, 2, "concat", seed=2**64 - 1)
    assert TableSpec(**spec.as_dict()) == spec


def test_the_last_legal_values() -> None:
    TableSpec(num_head=0, num_buckets=1, dim=1, num_hashes=1, seed=0)
    TableSpec(num_head=0, num_buckets=2**31, dim=1, num_hashes=1, seed=2**64 - 1)
    assert COMBINES == ("sum", "mean", "concat")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_head": -1}, "num_head: expected 0 or more, got -1"),
        ({"num_buckets": 0}, r"num_buckets: expected an integer in \[1, 2\*\*31\], got 0"),
        ({"num_buckets": 2**31 + 1}, "num_buckets: .* got 2147483649"),
        ({"dim": 0}, "dim: expected 1 or more, got 0"),
        ({"num_hashes": 0}, "num_hashes: expected 1 or more, got 0"),
        ({"combine": "product"}, "combine: expected one of sum, mean, concat, got 'product'"),
        ({"combine": "concat", "num_hashes": 3}, "expected a dim that 3 divides, got 8"),
        ({"seed": -1}, r"seed: expected an integer in \[0, 2\*\*64\), got -1"),
        ({"seed": 2**64}, "seed: .* got 18446744073709551616"),
    ],
)
def test_what_is_no_table(changes: dict[str, Any], message: str) -> None:
    fields = {"num_head": 1, "num_buckets": 4, "dim": 8, "num_hashes": 2, "combine": "sum", "seed": 0}
    with pytest.raises(InvalidValueError, match=message):
        TableSpec(**(fields | changes))
