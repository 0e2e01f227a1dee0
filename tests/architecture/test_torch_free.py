"""What serves and plans needs numpy and safetensors alone, in a process where nothing else is installed."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import hybridhash as hh
from hybridhash.data import Bags, Discretiser, Schema, encode_batch, make_batch
from hybridhash.data.schema import Feature
from hybridhash.export import save_bundle
from hybridhash.hashing import Fingerprints, Ribbon
from hybridhash.models import build_model, pack_model
from hybridhash.spec import GroupSpec, ModelSpec, TableSpec, Tier
from hybridhash.tables import Blueprint

# Everything that is not numpy, safetensors, the standard library or ours cannot be found.
BARE = """
import sys
from importlib.abc import MetaPathFinder

class NotInstalled(MetaPathFinder):
    allowed = {"numpy", "safetensors", "hybridhash", *sys.stdlib_module_names}

    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in self.allowed and not top.startswith(("_", "sitecustomize", "usercustomize")):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None

sys.meta_path.insert(0, NotInstalled())
for name in ("torch", "duckdb", "pyarrow", "pydantic", "cyclopts", "matplotlib", "torchmetrics", "narwhals"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise SystemExit(f"{name} could be imported")
import numpy as np
import hybridhash as hh
"""


def run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BARE + code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "module",
    [
        "errors",
        "files",
        "theory",
        "hashing",
        "packing",
        "spec",
        "vocabulary",
        "planner",
        "metrics",
        "data",
        "export",
    ]
    + [f"data.{name}" for name in ("schema", "discretiser", "encode", "batch")]
    + ["export.reader"],
)
def test_a_room_without_torch_is_imported(module: str) -> None:
    assert run(f"import hybridhash.{module} as room; print(room.__name__)") == f"hybridhash.{module}"


def test_keys_vocabulary_theory_and_specs_work(tmp_path: Path) -> None:
    code = """
keys = hh.hash_keys(["a", "b", "a"], feature="site")
vocabulary = hh.Vocabulary(keys[:2])
vocabulary.save(sys.argv[1])
again = hh.Vocabulary.load(sys.argv[1])
from hybridhash.hashing import hash_buckets, Fingerprints, Ribbon
from hybridhash.planner import METHODS, Demand
table = METHODS["hybrid"].table(Demand(num_keys=1000, num_features=1, dim=8, budget_bytes=4000))
print(
    keys.tolist(),
    again.lookup(keys).tolist(),
    hash_buckets(keys, 1000).tolist(),
    table.ledger().total_bytes,
    hh.theory.birthday_probability(23, 365),
    hh.metrics.auc(np.array([0.1, 0.9]), np.array([0, 1])),
)
"""
    from hybridhash.hashing import hash_buckets
    from hybridhash.planner import METHODS, Demand

    keys = hh.hash_keys(["a", "b", "a"], feature="site")
    table = METHODS["hybrid"].table(Demand(num_keys=1000, num_features=1, dim=8, budget_bytes=4000))
    expected = (
        keys.tolist(),
        [0, 1, 0],
        hash_buckets(keys, 1000).tolist(),
        table.ledger().total_bytes,
        hh.theory.birthday_probability(23, 365),
        1.0,
    )
    assert run(code, str(tmp_path / "vocabulary")) == " ".join(map(str, expected))


def test_a_table_is_planned() -> None:
    code = """
counts = hh.Counts(np.arange(300), 900 // np.arange(1, 301), np.zeros(300, dtype=int), ("user",), num_rows=900)
found = hh.plan(counts, budget="5%", wide=True)
print(found.spec, found.num_bytes, *found.reasons, sep="; ")
"""
    counts = hh.Counts(
        np.arange(300), 900 // np.arange(1, 301), np.zeros(300, dtype=int), ("user",), num_rows=900
    )
    found = hh.plan(counts, budget="5%", wide=True)
    assert run(code) == "; ".join(map(str, (found.spec, found.num_bytes, *found.reasons)))


def test_a_packed_bundle_is_served(tmp_path: Path) -> None:
    schema = Schema((Feature("user", "categorical", "int"),))
    keys = hh.hash_keys(np.arange(60), feature="user")
    tiers = (
        Tier(20, 8, 0, Fingerprints(16)),
        Tier(20, 4, 6, Fingerprints(12)),
        Tier(10, 8, 4, Ribbon(7)),
        Tier(10, 0),
    )
    group = GroupSpec(("user",), TableSpec(60, 3, 8, tiers=tiers, tail_bits=8), "users")
    blueprints = {"users": Blueprint(group.table, hh.Vocabulary(keys))}
    model = build_model(ModelSpec((group,), (), (5,)), ("user",), blueprints, init_std=1.0)
    packed = pack_model(model)
    path = tmp_path / "model.hh"
    save_bundle(path, packed, schema, Discretiser({}), label="clicked")
    with torch.inference_mode():
        expected = torch.sigmoid(packed(torch.from_numpy(keys), torch.arange(61))).numpy()
    found = run("print(hh.load(sys.argv[1]).predict({'user': list(range(60))}).tolist())", str(path))
    np.testing.assert_allclose(np.array(json.loads(found)), expected, rtol=0, atol=1e-6)


def test_a_batch_is_made() -> None:
    code = """
from hybridhash.data import Bags, make_batch
batch = make_batch([Bags(np.array([1, 2])), Bags(np.array([7, 8, 9]), np.array([0, 0, 3]))])
print(batch.keys.tolist(), batch.offsets.tolist())
"""
    batch = make_batch([Bags(np.array([1, 2])), Bags(np.array([7, 8, 9]), np.array([0, 0, 3]))])
    assert run(code) == f"{batch.keys.tolist()} {batch.offsets.tolist()}"


def test_a_bundle_is_served(tmp_path: Path) -> None:
    """The probabilities are those of the torch model within 1e-6."""
    schema = Schema((Feature("user", "categorical", "int"), Feature("price", "numeric", "float")))
    discretiser = Discretiser({"price": np.array([1.0, 2.0])})
    rows = {"user": [1, 2, 3, None], "price": [0.5, 1.5, None, 9.0]}
    batch = encode_batch(rows, schema, discretiser)
    vocabulary = hh.Vocabulary(np.unique(batch.keys)[:3])
    table = TableSpec(3, 11, 4, 2, "concat")
    group = GroupSpec(schema.names, table, "joint")
    spec = ModelSpec((group,), (GroupSpec(schema.names, table.companion(), "joint"),), (5,))
    model = build_model(spec, schema.names, {"joint": Blueprint(table, vocabulary)}, init_std=1.0)
    path = tmp_path / "model.hh"
    save_bundle(path, model, schema, discretiser, label="clicked")
    with torch.inference_mode():
        expected = torch.sigmoid(model(torch.from_numpy(batch.keys), torch.from_numpy(batch.offsets)))
    found = run(f"print(hh.load(sys.argv[1]).predict({rows}).tolist())", str(path))
    np.testing.assert_allclose(np.array(json.loads(found)), expected.numpy(), rtol=0, atol=1e-6)


BAGS = ["Full", "Hash", "DoubleHash", "Frequency", "Hybrid"]


@pytest.mark.parametrize("name", [*(f"{kind}EmbeddingBag" for kind in BAGS), "RelativeCrossEntropy"])
def test_what_needs_torch_names_the_line_that_installs_it(name: str) -> None:
    code = f"""
from hybridhash.errors import MissingDependencyError
try:
    hh.{name}
except MissingDependencyError as error:
    print(error)
"""
    said = run(code)
    assert said.startswith(f"{name}: expected torch")
    assert "pip install 'hybridhash[train]'" in said


def test_importing_the_package_loads_no_torch_where_there_is_one() -> None:
    code = "import sys, hybridhash; print(sorted({'torch', 'duckdb', 'pyarrow', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
