"""The examples and constants of docs/hashing.md are those of the library."""

import ast
import re
from pathlib import Path

from hybridhash.hashing import HASH_FAMILY, feature_salt, hash_buckets, hash_keys
from hybridhash.hashing.mix import GOLDEN_GAMMA, mix64

PAGE = (Path(__file__).parents[2] / "docs" / "hashing.md").read_text(encoding="utf-8")


def test_the_table_of_examples() -> None:
    lines = re.findall(r"^\| `(\w+)` \| `(.+)` \| (-?\d+) \| (\d+) \| (\d+) \|$", PAGE, flags=re.MULTILINE)
    assert len(lines) == 10
    for feature, written, key, first, second in lines:
        value = None if written == "null" else ast.literal_eval(written)
        keys = hash_keys([value], feature)
        assert keys.tolist() == [int(key)]
        assert hash_buckets(keys, 1000, num_hashes=2).tolist() == [[int(first), int(second)]]


def test_the_other_numbers() -> None:
    assert f"called `{HASH_FAMILY}`" in PAGE
    assert f"GAMMA = 0x{GOLDEN_GAMMA:X}" in PAGE
    assert f'`salt("user_id")` is {feature_salt("user_id")}' in PAGE
    assert f"`mix64(0)` is {mix64(0)} and `mix64(1)` is {mix64(1)}" in PAGE
