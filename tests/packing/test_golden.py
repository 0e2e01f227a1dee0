"""The golden file of dictionaries and packed rows, which binds other implementations, derived here in plain integers.

``python tests/packing/test_golden.py`` writes it anew.
"""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from hybridhash.hashing import build_ribbon, find_fingerprints, find_in_ribbon, place_fingerprints
from hybridhash.packing import pack_integers, pack_rows, unpack_integers, unpack_rows

GOLDEN = Path(__file__).parents[1] / "golden" / "packing.json"
WORD = (1 << 64) - 1
BITS = (4, 8, 12, 16, 32)
RIBBONS = ((1, 0), (4, 3), (8, 12))
KEYS = [
    0,
    1,
    -1,
    -(1 << 63),
    (1 << 63) - 1,
    *((index * 0x9E3779B97F4A7C15 & WORD) - (1 << 63) for index in range(1, 41)),
]
OTHERS = [((index * 0xBF58476D1CE4E5B9 + 77) & WORD) - (1 << 63) for index in range(200)]


def mix64(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


def find(key: int, dictionary: bytes, bits: int) -> int:
    """Follow docs/packing.md word by word."""
    salt = int.from_bytes(dictionary[-8:], "little")
    num_buckets = (len(dictionary) - 8) // bits
    h = mix64((key + salt) & WORD)
    fingerprint = max(1, mix64(h) >> (64 - bits))
    swapped = (h << 32 | h >> 32) & WORD
    for bucket in (h * num_buckets >> 64, swapped * num_buckets >> 64):
        fields = int.from_bytes(dictionary[bucket * bits : (bucket + 1) * bits], "little")
        for place in range(8):
            if fields >> (place * bits) & ((1 << bits) - 1) == fingerprint:
                return bucket * 8 + place
    return -1


def find_code(key: int, ribbon: list[int], code_bits: int, check_bits: int) -> int:
    """Follow docs/packing.md word by word."""
    *words, salt = ribbon
    value_bits = code_bits + check_bits
    h = mix64((key + salt) & WORD)
    g = mix64(h)
    start = h * (len(words) // value_bits * 64 - 63) >> 64
    column = [0] * value_bits  # all slots, a bit each, as one integer for each bit of their values
    for place, word in enumerate(words):
        column[place % value_bits] |= word << (place // value_bits * 64)
    value = sum(((bits >> start & (g | 1)).bit_count() & 1) << bit for bit, bits in enumerate(column))
    check = mix64(g) >> (64 - check_bits) if check_bits else 0
    return value & ((1 << code_bits) - 1) if value >> code_bits == check else -1


def read_integer(packed: bytes, bits: int, index: int) -> int:
    return int.from_bytes(packed, "little") >> (index * bits) & ((1 << bits) - 1)


def read_float(codes: bytes, scales: bytes, bits: int, index: int) -> float:
    block = index // 16
    scale = scales[4 + block // 2] >> (4 * (block % 2)) & 15
    power = np.float32(0) if scale == 15 else np.float32(2.0 ** (-scale / 2))
    step = np.float32(struct.unpack("<f", scales[:4])[0]) * power
    return float(np.float32(read_integer(codes, bits, index) + 0.5 - 2 ** (bits - 1)) * step)


def content() -> dict[str, Any]:
    """Derive the file from the functions of the package."""
    rows = np.random.default_rng(7).normal(size=(3, 11)).astype(np.float32)
    rows[1] *= 0.01
    dictionaries, packed = [], []
    for bits in BITS:
        dictionary = place_fingerprints(np.array(KEYS, dtype=np.int64), bits)
        asked = [*KEYS, *OTHERS]
        found = find_fingerprints(np.array(asked, dtype=np.int64), dictionary, bits)
        dictionaries.append(
            {
                "bits": bits,
                "dictionary": dictionary.tobytes().hex(),
                "keys": list(map(str, asked)),
                "positions": found.tolist(),
            }
        )
    ribbons = []
    for code_bits, check_bits in RIBBONS:
        codes = np.arange(len(KEYS), dtype=np.uint32) * 7 % (1 << code_bits)
        ribbon = build_ribbon(np.array(KEYS, dtype=np.int64), codes.astype(np.uint32), code_bits, check_bits)
        asked = [*KEYS, *OTHERS]
        found = find_in_ribbon(np.array(asked, dtype=np.int64), ribbon, code_bits, check_bits)
        ribbons.append(
            {
                "code_bits": code_bits,
                "check_bits": check_bits,
                "words": [str(int(word) & WORD) for word in ribbon],
                "keys": list(map(str, asked)),
                "codes": found.tolist(),
            }
        )
    for bits in (2, 3, 4, 8):
        slab = pack_rows(rows, bits)
        packed.append(
            {
                "bits": bits,
                "levels": slab.codes.tobytes().hex(),
                "scales": slab.scales.tobytes().hex(),
                "floats": unpack_rows(slab).reshape(-1).tolist(),
            }
        )
    return {"fingerprints": dictionaries, "ribbons": ribbons, "rows": packed}


def test_the_file_is_what_the_package_computes() -> None:
    assert json.loads(GOLDEN.read_text(encoding="utf-8")) == content()


def test_fingerprints_by_the_page() -> None:
    for case in json.loads(GOLDEN.read_text(encoding="utf-8"))["fingerprints"]:
        dictionary = bytes.fromhex(case["dictionary"])
        found = [find(int(key), dictionary, case["bits"]) for key in case["keys"]]
        assert found == case["positions"]
        assert min(found[: len(KEYS)]) >= 0


def test_ribbons_by_the_page() -> None:
    for case in json.loads(GOLDEN.read_text(encoding="utf-8"))["ribbons"]:
        words = list(map(int, case["words"]))
        found = [find_code(int(key), words, case["code_bits"], case["check_bits"]) for key in case["keys"]]
        assert found == case["codes"]
        assert found[: len(KEYS)] == [place * 7 % (1 << case["code_bits"]) for place in range(len(KEYS))]


def test_rows_by_the_page() -> None:
    for case in json.loads(GOLDEN.read_text(encoding="utf-8"))["rows"]:
        levels, scales = bytes.fromhex(case["levels"]), bytes.fromhex(case["scales"])
        by_page = [read_float(levels, scales, case["bits"], index) for index in range(len(case["floats"]))]
        assert by_page == case["floats"]


def test_integers_by_the_page() -> None:
    values = np.random.default_rng(1).integers(0, 1 << 32, 100).astype(np.uint32)
    for bits in (1, 5, 7, 14, 31, 32):
        few = values >> np.uint32(32 - bits)
        packed = pack_integers(few, bits)
        assert [read_integer(packed.tobytes(), bits, index) for index in range(100)] == few.tolist()
        assert unpack_integers(packed, bits, np.arange(100)).tolist() == few.tolist()


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(content(), indent=0) + "\n", encoding="utf-8")
