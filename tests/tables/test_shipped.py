"""The shipped table without torch: compiled look-ups against the definition in numpy, bags by a loop, its file."""

import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import hybridhash as hh
from hybridhash.errors import FileFormatError, InvalidTypeError, InvalidValueError
from hybridhash.files import read_checked, write_checked
from hybridhash.hashing import Fingerprints, Ribbon
from hybridhash.spec import COMBINES, MODES, Mode, TableSpec, Tier
from hybridhash.tables import FORMAT, Blueprint, KeyIndex, ShippedTable, TrainedRows, pack_tables
from hybridhash.vocabulary import Vocabulary

POOL = np.random.default_rng(0).permutation(
    np.unique(np.random.default_rng(1).integers(-(2**63), 2**63, 900))
)
TIERS = (
    Tier(20),
    Tier(30, 32, 0, Fingerprints(16)),
    Tier(50, 4, 9, Fingerprints(10)),
    Tier(60, 3, 12),
    Tier(70, 8, 30, Ribbon(6)),
    Tier(0, 4, 5, Ribbon(6)),
    Tier(40, 0),
)
OFFSETS = np.array([0, 0, 1, 3, 40, 40, 900])


def table_of(combine: Any = "concat", tiers: tuple[Tier, ...] = TIERS) -> ShippedTable:
    spec = TableSpec(270, 11, 12, 3, combine, seed=5, tiers=tiers, tail_bits=4)
    blueprint = Blueprint(spec, Vocabulary(POOL[:270], seed=7), ("user",))
    generator = np.random.default_rng(2)
    rows = TrainedRows(
        spec,
        generator.normal(size=(spec.num_positions, 12)).astype(np.float32),
        generator.normal(size=(11, spec.bucket_dim)).astype(np.float32),
    )
    return pack_tables(blueprint, KeyIndex.in_training(blueprint), [rows])[0]


TABLE = table_of()


def by_a_loop(
    vectors: npt.NDArray[np.float32], mode: Mode, weights: npt.NDArray[np.float32] | None
) -> npt.NDArray[np.float64]:
    """Pool one bag after another in double precision."""
    bags = []
    for start, end in pairwise(OFFSETS.tolist()):
        bag = vectors[start:end].astype(np.float64)
        if weights is not None:
            bag = bag * weights[start:end, None]
        reduced = (
            {"sum": bag.sum, "mean": bag.mean, "max": bag.max}[mode](axis=0) if len(bag) else np.zeros(12)
        )
        bags.append(reduced)
    return np.stack(bags)


@pytest.mark.parametrize("combine", COMBINES)
def test_vectors_are_those_of_the_definition(combine: Any) -> None:
    """Keys of all tiers, and as many that are in none."""
    table = table_of(combine)
    assert table.rows(POOL) is not None
    np.testing.assert_allclose(table.vectors(POOL), table.defined_vectors(POOL), rtol=1e-6, atol=1e-7)
    assert len(np.unique(table.vectors(POOL), axis=0)) > 100


@pytest.mark.parametrize("mode", MODES)
def test_bags_without_a_compiled_look_up_are_those_of_a_loop(mode: Mode) -> None:
    """As where a kind of dictionary was registered that the extension does not read."""
    table = table_of()
    vars(table)["_native"] = None
    weights = np.linspace(-1, 2, POOL.size, dtype=np.float32) if mode == "sum" else None
    found = table.pool(POOL, OFFSETS, mode=mode, per_sample_weights=weights)
    expected = by_a_loop(table.defined_vectors(POOL), mode, weights)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
    assert table.rows(POOL) is None


def test_keys_of_any_shape() -> None:
    keys = POOL[:24].reshape(2, 3, 4)
    assert TABLE.vectors(keys).shape == (2, 3, 4, 12)
    np.testing.assert_array_equal(TABLE.vectors(keys).reshape(24, 12), TABLE.vectors(POOL[:24]))
    assert TABLE.vectors([]).shape == (0, 12)
    assert TABLE.vectors(int(POOL[3])).shape == (12,)


@pytest.mark.parametrize(("mode", "weighted"), [(mode, False) for mode in MODES] + [("sum", True)])
def test_bags_are_pooled_as_by_a_loop(mode: Mode, weighted: bool) -> None:
    weights = np.random.default_rng(3).normal(size=900).astype(np.float32) if weighted else None
    expected = by_a_loop(TABLE.defined_vectors(POOL), mode, weights)
    found = TABLE.pool(POOL, OFFSETS, mode=mode, per_sample_weights=weights)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    out = np.full((6, 12), np.nan, dtype=np.float32)
    rows = TABLE.rows(POOL)
    assert TABLE.pool(POOL, OFFSETS, mode=mode, per_sample_weights=weights, rows=rows, out=out) is out
    np.testing.assert_array_equal(out, found)


def test_a_table_that_no_kernel_reads_is_read_by_the_definition() -> None:
    """Ten dictionaries are more than the kernels ask in turn."""
    tiers = tuple(Tier(27, 8) for _ in range(10))
    many = table_of("sum", tiers)
    assert many.rows(POOL) is None
    np.testing.assert_array_equal(many.vectors(POOL), many.defined_vectors(POOL))
    np.testing.assert_allclose(
        many.pool(POOL, OFFSETS, mode="max"), by_a_loop(many.vectors(POOL), "max", None), rtol=1e-6
    )


def test_the_file_gives_the_table_back(tmp_path: Path) -> None:
    TABLE.save(tmp_path / "ids.hh")
    again = hh.load(tmp_path / "ids.hh")
    assert isinstance(again, ShippedTable)
    assert (again.spec, again.feature_names, again.key_seed) == (TABLE.spec, ("user",), 7)
    np.testing.assert_array_equal(again.vectors(POOL), TABLE.vectors(POOL))
    header = int.from_bytes((tmp_path / "ids.hh").read_bytes()[:8], "little")
    assert (tmp_path / "ids.hh").stat().st_size == 8 + header + again.ledger().total_bytes


def test_a_pickled_table_reads_the_same() -> None:
    before = TABLE.vectors(POOL)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(TABLE)).vectors(POOL), before)


@pytest.mark.parametrize("name", ["head.0", "head.2.scales", "tail", "dictionary.1.keys", "codes.3.keys"])
def test_a_file_whose_parts_do_not_fit_is_refused(tmp_path: Path, name: str) -> None:
    TABLE.save(tmp_path / "ids.hh")
    file = read_checked(tmp_path / "ids.hh", FORMAT, 1)
    others = {other: array for other, array in file.tensors.items() if other != name}
    for changed in (others, {**others, name: file.tensors[name][:-1]}):
        write_checked(tmp_path / "x.hh", changed, file.metadata, FORMAT, 1)
        with pytest.raises(FileFormatError, match="expected a table whose parts fit"):
            hh.load(tmp_path / "x.hh")


def test_a_file_of_other_keys_is_refused(tmp_path: Path) -> None:
    TABLE.save(tmp_path / "ids.hh")
    file = read_checked(tmp_path / "ids.hh", FORMAT, 1)
    write_checked(tmp_path / "x.hh", file.tensors, {**file.metadata, "hash_family": "other"}, FORMAT, 1)
    with pytest.raises(FileFormatError, match=r"expected keys of the hash family .*, got other"):
        hh.load(tmp_path / "x.hh")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"keys": POOL.astype(np.int32)},
            InvalidTypeError,
            "keys: expected int64, got int32; hybridhash.hash_keys",
        ),
        ({"keys": ["a"] * 900}, InvalidTypeError, "keys: expected int64, got <U1"),
        ({"offsets": OFFSETS.astype(float)}, InvalidTypeError, "offsets: expected int64, got float64"),
        ({"offsets": OFFSETS[:-1]}, InvalidValueError, "rise from 0 to the number of keys, 900"),
        ({"offsets": OFFSETS[::-1].copy()}, InvalidValueError, r"got \[900, 40, 40\] ... \[0\]"),
        ({"offsets": np.array([0, 5, 3, 900])}, InvalidValueError, "rise from 0"),
        ({"offsets": np.array([], dtype=np.int64)}, InvalidValueError, "rise from 0"),
        ({"keys": POOL.reshape(2, -1)}, InvalidValueError, "expected 1-D arrays, got 2-D and 1-D"),
        ({"mode": "median"}, InvalidValueError, "mode: expected one of sum, mean, max, got 'median'"),
        ({"per_sample_weights": np.ones(900)}, InvalidValueError, "expected mode 'sum'"),
        (
            {"mode": "sum", "per_sample_weights": np.ones(2)},
            InvalidValueError,
            r"each of 900 keys.*shape \(2,\)",
        ),
    ],
)
def test_input_that_is_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        TABLE.pool(**{"keys": POOL, "offsets": OFFSETS, **arguments})
