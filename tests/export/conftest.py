"""Models of every method over rows with all that rows may hold, as torch has them and as files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hybridhash.data import Discretiser, Feature, Schema, encode_batch, encode_columns
from hybridhash.experiments import CompareSettings
from hybridhash.export import save_bundle
from hybridhash.models import build_model, pack_model
from hybridhash.planner import METHODS, lay_out
from hybridhash.trials import groups_of
from hybridhash.vocabulary import count_keys

NUM_ROWS = 60
NAN = float("nan")
SINGLE = (
    Feature("user", "categorical", "int"),
    Feature("site", "categorical", "string"),
    Feature("price", "numeric", "float"),
)
LISTS = (Feature("tags", "list", "string"), Feature("seen", "list", "int"))
CROSS = Feature("user*site", "cross", "key", ("user", "site"))
DISCRETISER = Discretiser({"price": np.array([0.5, 1.0, 2.5, 7.0])})


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def columns_of(num_rows: int, seed: int, num_users: int) -> dict[str, list[Any]]:
    """Values of every kind, with nulls, NaN, and empty and null lists."""
    random = np.random.default_rng(seed)

    def some(values: list[Any]) -> Any:
        return values[int(random.integers(len(values)))]

    sites = ["news", "shop", "blog", "", "ß", None]
    tags = [["a"], ["a", "b"], ["c", None, "a"], [], None, ["d"] * 5]
    return {
        "user": [int(random.integers(num_users)) for _ in range(num_rows)],
        "site": [some(sites) for _ in range(num_rows)],
        "price": [some([0.1, 0.7, 3.0, 99.0, -4.0, NAN, None]) for _ in range(num_rows)],
        "tags": [some(tags) for _ in range(num_rows)],
        "seen": [some([[1], [2, 3], [], None, [4, 4, 5]]) for _ in range(num_rows)],
    }


@dataclass(frozen=True)
class Exported:
    """A model and the file made of it."""

    path: Path
    model: nn.Module
    schema: Schema

    def torch_predictions(self, columns: Mapping[str, Any]) -> np.ndarray:
        batch = encode_batch(columns, self.schema, DISCRETISER)
        with torch.no_grad():
            logits = self.model(torch.from_numpy(batch.keys), torch.from_numpy(batch.offsets))
        return torch.sigmoid(logits).numpy()


def make_model(method: str, kind: str, tables: str, has_cross: bool) -> tuple[nn.Module, Schema]:
    """A model with random parameters of a size that moves the probabilities."""
    schema = Schema((*SINGLE, *LISTS, *((CROSS,) if has_cross else ())), seed=3)
    bags = encode_columns(columns_of(300, seed=0, num_users=40), schema, DISCRETISER)
    keys = {name: bag.keys for name, bag in zip(schema.names, bags, strict=True)}
    crosses = "wide" if kind == "wide-deep" else "both"
    settings = CompareSettings.model_validate(
        {"model": kind, "tables": tables, "crosses": crosses, "dim": 4, "hidden": (6, 5)}
    )
    groups = groups_of(schema, count_keys(keys, 300, seed=3), settings)
    budget = sum(group.baseline_bytes for group in groups) // 2
    blueprint = lay_out(method, groups, budget, settings.hidden, settings.options, seed=1)
    model = build_model(blueprint.spec, schema.names, blueprint.blueprints)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.7, generator=generator)
        model.dense[-1].bias.zero_()
        model = pack_model(model)
        rows = columns_of(NUM_ROWS, seed=0, num_users=40)
        batch = encode_batch(rows, schema, DISCRETISER)
        logits = model(torch.from_numpy(batch.keys), torch.from_numpy(batch.offsets))
        model.dense[-1].bias.sub_(logits.median())  # so that no probability is stuck near 0 or 1
    return model, schema


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exported]:
    """Every method as wide & deep and as MLP, with one table and with several, without and with a cross."""
    folder = tmp_path_factory.mktemp("bundles")
    found = {}
    for method, kind, tables, has_cross in product(
        METHODS, ("wide-deep", "mlp"), ("joint", "per-feature"), (False, True)
    ):
        model, schema = make_model(method, kind, tables, has_cross)
        name = f"{method}-{kind}-{tables}" + ("-cross" if has_cross else "")
        path = folder / f"{name}.hh"
        save_bundle(path, model, schema, DISCRETISER, label="clicked", notes={"method": method})
        found[name] = Exported(path, model, schema)
    return found


@pytest.fixture(scope="session")
def one(exported: dict[str, Exported]) -> Exported:
    """The one with most parts."""
    return exported["hybrid-wide-deep-per-feature-cross"]


@pytest.fixture(scope="session")
def unlike_training() -> dict[str, list[Any]]:
    """Rows of which half hold users that were never counted."""
    return columns_of(NUM_ROWS, seed=1, num_users=80)
