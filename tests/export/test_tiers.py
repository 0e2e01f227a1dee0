"""Bundles of tables in tiers of all kinds: the torch-free reader against torch, bytes, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hybridhash import load
from hybridhash.data import Discretiser, Feature, Schema, encode_batch
from hybridhash.embeddings import PackedEmbeddingBag
from hybridhash.errors import FileFormatError
from hybridhash.export import save_bundle
from hybridhash.export.array_names import FORMAT, VERSION
from hybridhash.files import read_checked, write_checked
from hybridhash.hashing import Fingerprints, Ribbon, hash_keys
from hybridhash.models import MLPRanker, WideDeep, build_model, pack_model
from hybridhash.spec import COMBINES, GroupSpec, Ledger, ModelSpec, TableSpec, Tier
from hybridhash.tables import Blueprint, expected_arrays
from hybridhash.vocabulary import Vocabulary

SCHEMA = Schema((Feature("user", "categorical", "int"), Feature("seen", "list", "int")))
KEYS = np.concatenate([hash_keys(np.arange(200), feature=name) for name in SCHEMA.names])
TIERS = (
    Tier(20),
    Tier(30, 32, 0, Fingerprints(16)),
    Tier(40, 8, 0, Fingerprints(12)),
    Tier(0, 4, 0, Fingerprints(12)),
    Tier(50, 4, 9, Fingerprints(10)),
    Tier(45, 2, 0, Fingerprints(9)),
    Tier(25, 3, 3),
    Tier(10, 4, 5, Ribbon(6)),
    Tier(60, 0),
)
ROWS = {
    "user": [*range(0, 260, 2), None],
    "seen": [[user % 7, user, 3 * user + 1] if user % 3 else [] for user in range(0, 260, 2)] + [None],
}


def saved(path: Path, combine: Any, wide: bool, mode: Any = "mean") -> WideDeep | MLPRanker:
    """Write a bundle whose tables have tiers of all kinds, and return its packed model."""
    table = TableSpec(280, 9, 6, 3, combine, seed=5, tiers=TIERS, tail_bits=3)
    deep = (GroupSpec(SCHEMA.names, table, "all", mode),)
    of_wide = (replace(deep[0], table=table.companion()),) if wide else ()
    blueprints = {"all": Blueprint(table, Vocabulary(np.random.default_rng(0).permutation(KEYS)[:280]))}
    generator = torch.Generator().manual_seed(0)
    model = build_model(ModelSpec(deep, of_wide, (5,)), SCHEMA.names, blueprints)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.7, generator=generator)
    packed = pack_model(model)
    save_bundle(path, packed, SCHEMA, Discretiser({}), label="y")
    return packed


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packed") / "model.hh"
    saved(path, "concat", wide=True)
    return path


@pytest.mark.parametrize("combine", COMBINES)
@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_the_reader_predicts_what_torch_predicts(tmp_path: Path, combine: Any, wide: bool, mode: Any) -> None:
    model = saved(tmp_path / "x.hh", combine, wide, mode)
    predictor = load(tmp_path / "x.hh")
    batch = encode_batch(ROWS, SCHEMA, Discretiser({}))
    with torch.no_grad():
        logits = model(torch.from_numpy(batch.keys), torch.from_numpy(batch.offsets))
    expected = torch.sigmoid(logits).numpy()
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(predictor.predict(ROWS), expected, rtol=0, atol=1e-6)


def test_a_code_beyond_the_rows_reads_the_last(tmp_path: Path) -> None:
    """Four bits could name sixteen rows where nine are; torch, the reader and its definition in numpy read the same."""
    model = saved(tmp_path / "x.hh", "sum", wide=False)
    [(_, bag)] = model.deep.tables
    assert isinstance(bag, PackedEmbeddingBag)
    before = bag.shipped().vectors(KEYS)
    bag.encoder.codes_4.fill_(255)
    found = bag.shipped().vectors(KEYS)
    assert (found != before).any()
    np.testing.assert_array_equal(found, bag.shipped().defined_vectors(KEYS))
    np.testing.assert_allclose(
        found, bag.dense_equivalent(torch.from_numpy(KEYS)).numpy(), rtol=1e-6, atol=1e-6
    )


def test_the_ledger_is_the_specs_and_the_file(bundle: Path) -> None:
    predictor = load(bundle)
    header = 8 + int.from_bytes(bundle.read_bytes()[:8], "little")
    assert predictor.ledger == predictor.spec.ledger() + Ledger(metadata=header)
    assert predictor.ledger.total_bytes == bundle.stat().st_size
    assert predictor.ledger.scales > 0
    assert predictor.ledger.codes > 0


def test_the_names_shapes_and_types_of_the_arrays(bundle: Path) -> None:
    tensors = read_checked(bundle, FORMAT, VERSION).tensors
    spec = load(bundle).spec
    wanted = expected_arrays(spec.deep[0].table, "deep.0.", "all") | expected_arrays(
        spec.wide[0].table, "wide.0.", "all"
    )
    assert set(tensors) - set(wanted) == {
        f"dense.{layer}.{kind}" for layer in (0, 1) for kind in ("weight", "bias")
    }
    assert {name: (tensors[name].shape, str(tensors[name].dtype)) for name in wanted} == wanted
    # Two dictionaries of keys, five of fingerprints (one without keys), a ribbon; codes for two; none for the
    # last.
    assert [name for name in sorted(wanted) if name.endswith(".all")] == [
        "codes.4.all",
        "codes.6.all",
        *(f"dictionary.{place}.all" for place in range(8)),
    ]
    assert wanted["dictionary.0.all"] == ((41,), "int64")
    assert wanted["deep.0.head.0"] == ((40, 6), "float32")
    assert wanted["dictionary.1.all"] == ((48 * 2 + 8,), "uint8")
    assert wanted["codes.4.all"] == ((72 * 4 // 8 + 7,), "uint8")
    assert wanted["deep.0.head.4"] == ((9 * 6 * 4 // 8 + 7,), "uint8")
    assert wanted["deep.0.head.4.scales"] == ((4 + 2,), "uint8")
    assert "deep.0.head.1.scales" not in wanted


@pytest.mark.parametrize(
    "name",
    [
        "deep.0.head.2",
        "deep.0.head.2.scales",
        "deep.0.tail",
        "deep.0.tail.scales",
        "wide.0.head.4",
        "wide.0.head.4.scales",
        "dictionary.0.all",
        "dictionary.4.all",
        "codes.4.all",
    ],
)
def test_parts_that_do_not_fit_are_refused(bundle: Path, tmp_path: Path, name: str) -> None:
    """Missing, cut short, of another type."""
    file = read_checked(bundle, FORMAT, VERSION)
    path = tmp_path / "x.hh"
    without = {other: array for other, array in file.tensors.items() if other != name}
    for changed in (
        without,
        {**without, name: file.tensors[name][:-1]},
        {**without, name: file.tensors[name].astype(np.int32)},
    ):
        write_checked(path, changed, file.metadata, FORMAT, VERSION)
        with pytest.raises(FileFormatError, match=r"expected a hybridhash bundle, got one .*" + name):
            load(path)
    write_checked(path, file.tensors, file.metadata, FORMAT, VERSION)
    load(path)


@pytest.mark.parametrize("name", ["dictionary.8.all", "deep.0.head.8", "codes.7.all", "deep.0.head.1.scales"])
def test_parts_of_tiers_that_have_none_are_refused(bundle: Path, tmp_path: Path, name: str) -> None:
    file = read_checked(bundle, FORMAT, VERSION)
    tensors = {**file.tensors, name: np.zeros(8, dtype=np.uint8)}
    write_checked(tmp_path / "x.hh", tensors, file.metadata, FORMAT, VERSION)
    with pytest.raises(FileFormatError, match=f"{name}: expected parts of the model alone"):
        load(tmp_path / "x.hh")


def test_a_packed_bundle_that_is_cut_or_altered_is_refused(bundle: Path, tmp_path: Path) -> None:
    content, path = bundle.read_bytes(), tmp_path / "x.hh"
    generator = np.random.default_rng(0)
    damaged = [content[:length] for length in generator.integers(0, len(content), 40)]
    for place in generator.integers(0, len(content), 80).tolist():
        altered = bytearray(content)
        altered[place] ^= 1 << int(generator.integers(8))
        damaged.append(bytes(altered))
    for each in damaged:
        path.write_bytes(each)
        with pytest.raises(FileFormatError):
            load(path)
