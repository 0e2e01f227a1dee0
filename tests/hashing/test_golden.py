"""The published vectors, against plain integer arithmetic written out here and the xxhash package.

``tests/golden/hashing.json`` binds every other implementation of the family. Its content is derived here
without the library, so it cannot follow a mistake of the library's.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xxhash

from hybridhash.hashing import (
    HASH_FAMILY,
    bucket_salts,
    cross_keys,
    feature_salt,
    hash_buckets,
    hash_keys,
    native,
    null_key,
    reference,
)
from hybridhash.hashing.mix import mix64

GOLDEN = Path(__file__).parents[1] / "golden" / "hashing.json"
VECTORS = json.loads(GOLDEN.read_text(encoding="utf-8"))

WORD = 2**64
GAMMA = 0x9E3779B97F4A7C15


@pytest.fixture(scope="module", params=[native, reference], ids=["native", "reference"], autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test of this file runs on both forms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hybridhash.hashing.keys.native", request.param)
        yield


def mix(word: int) -> int:
    z = word % WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB % WORD
    return z ^ z >> 31


def signed(word: int) -> int:
    return word - WORD if word >= WORD // 2 else word


def salt_of(feature: str, seed: int) -> int:
    return xxhash.xxh64_intdigest(feature.encode(), seed)


def key_of(kind: str, value: str | None, feature: str, seed: int) -> int:
    salt = salt_of(feature, seed)
    if kind == "null":
        return signed(mix(mix(salt) ^ GAMMA))
    assert value is not None
    if kind == "integer":
        return signed(mix(int(value) + salt))
    return signed(xxhash.xxh64_intdigest(bytes.fromhex(value) if kind == "bytes" else value.encode(), salt))


def cross_of(parts: list[int], feature: str, seed: int) -> int:
    word = salt_of(feature, seed)
    for part in parts:
        word = mix((word ^ part % WORD) + GAMMA)
    return signed(word)


def buckets_of(key: int, num_buckets: int, seed: int, num_hashes: int) -> list[int]:
    salts = [mix(seed + (index + 1) * GAMMA) for index in range(num_hashes)]
    return [mix(key + salt) * num_buckets >> 64 for salt in salts]


INTEGERS = [0, 1, -1, 2, 12345, 2**31, -(2**31) - 1, 2**63 - 1, -(2**63)]
TEXTS = [
    "",
    "a",
    "abc",
    "7",
    "null",
    "1234567",
    "12345678",
    "123456789",
    "user-000000000000000000000000001",
    "naïve café",
    "наука",
    "東京",
    "🐍",
    "e\u0301",
    "x" * 1024,
]
RAW = ["", "00", "00ff", "ff" * 33, "61"]
FEATURES = [("user_id", 0), ("user_id", 42), ("item", 0), ("", 0), ("カテゴリ", WORD - 1)]
KEYS = [0, 1, -1, 2**63 - 1, -(2**63), -2791739478565670023]
NUM_BUCKETS = [1, 2, 3, 1000, 2**20, 999_983, 2**31 - 1, 2**31]
SEEDS = [0, 1, 42, WORD - 1]


def expected_vectors() -> dict[str, Any]:
    """Derive the whole file; 64-bit numbers are decimal strings, since some JSON readers have no integers."""
    values: list[tuple[str, str | None]] = [
        *(("integer", str(value)) for value in INTEGERS),
        *(("text", value) for value in TEXTS),
        *(("bytes", value) for value in RAW),
        ("null", None),
    ]
    crosses = [[1, 2], [2, 1], [-(2**63), 2**63 - 1], [1, 2, 3]]
    return {
        "family": "xxh64+splitmix64/1",
        "mix64": [{"word": str(word), "mixed": str(mix(word))} for word in (0, 1, GAMMA, WORD - 1)],
        "salts": [{"feature": f, "seed": str(seed), "salt": str(salt_of(f, seed))} for f, seed in FEATURES],
        "keys": [
            {
                "feature": f,
                "seed": str(seed),
                "kind": kind,
                "value": value,
                "key": str(key_of(kind, value, f, seed)),
            }
            for f, seed in FEATURES
            for kind, value in values
        ],
        "crosses": [
            {
                "feature": f,
                "seed": str(seed),
                "parts": [str(p) for p in parts],
                "key": str(cross_of(parts, f, seed)),
            }
            for f, seed in FEATURES
            for parts in crosses
        ],
        "buckets": [
            {"key": str(k), "num_buckets": m, "seed": str(seed), "buckets": buckets_of(k, m, seed, 4)}
            for k in KEYS
            for m in NUM_BUCKETS
            for seed in SEEDS
        ],
    }


def test_the_file_is_what_the_definition_gives() -> None:
    assert expected_vectors() == VECTORS


def test_the_family_name() -> None:
    assert VECTORS["family"] == HASH_FAMILY


@pytest.mark.parametrize("case", VECTORS["mix64"], ids=lambda case: case["word"])
def test_mix64(case: dict[str, str]) -> None:
    assert mix64(int(case["word"])) == int(case["mixed"])


@pytest.mark.parametrize("case", VECTORS["salts"], ids=lambda case: f"{case['feature']}-{case['seed']}")
def test_salts(case: dict[str, str]) -> None:
    assert feature_salt(case["feature"], int(case["seed"])) == int(case["salt"])


def test_keys() -> None:
    for case in VECTORS["keys"]:
        feature, seed, expected = case["feature"], int(case["seed"]), [int(case["key"])]
        value: Any = case["value"]
        match case["kind"]:
            case "integer":
                forms = [[int(value)], np.array([int(value)]), pa.array([int(value)])]
            case "text":
                forms = [[value], np.array([value]), pa.array([value])]
            case "bytes":
                forms = [[bytes.fromhex(value)], pa.array([bytes.fromhex(value)])]
            case _:
                forms = [[None], pa.array([None], type=pa.string())]
                assert null_key(feature, seed) == expected[0]
        for values in forms:
            assert hash_keys(values, feature, seed).tolist() == expected, case


def test_crosses() -> None:
    for case in VECTORS["crosses"]:
        parts = [np.array([int(part)]) for part in case["parts"]]
        assert cross_keys(parts, case["feature"], int(case["seed"])).tolist() == [int(case["key"])], case


def test_buckets() -> None:
    for case in VECTORS["buckets"]:
        key = np.array([int(case["key"])])
        found = hash_buckets(key, case["num_buckets"], num_hashes=4, seed=int(case["seed"]))
        assert found.tolist() == [case["buckets"]], case


def test_more_hashes_leave_the_first_ones_as_they_are() -> None:
    assert bucket_salts(8, seed=42)[:2] == bucket_salts(2, seed=42)
