"""A spec becomes the model it describes, byte for byte."""

from typing import Any

import numpy as np
import pytest
import torch

from hybridhash.embeddings import RowEncoder
from hybridhash.models import MLPRanker, WideDeep, build_model
from hybridhash.optim import SGD
from hybridhash.planner import METHODS, Demand, baseline_bytes
from hybridhash.spec import GroupSpec, Ledger, ModelSpec
from hybridhash.tables import Blueprint
from hybridhash.vocabulary import Vocabulary

FEATURES = ("user", "item", "tags", "cross")
KEYS = np.random.default_rng(0).permutation(3000).astype(np.int64)


def laid_out(method: str, num_keys: int, dim: int, share: float, wide: str, tables: str) -> ModelSpec:
    """Return a spec of one joint table, or one per feature, whose wide part is none, on its rows, or apart."""
    deep_features = FEATURES[:3]
    groups = [deep_features] if tables == "joint" else [(name,) for name in deep_features]
    deep = []
    for names in groups:
        demand = Demand(num_keys, len(names), dim, 0, wide=wide == "companion")
        budget_bytes = int(share * baseline_bytes(demand))
        table = METHODS[method].table(Demand(num_keys, len(names), dim, budget_bytes, demand.wide))
        deep.append(GroupSpec(names, table, f"deep:{names[0]}"))
    if wide == "companion":
        of_wide = [GroupSpec(group.features, group.table.companion(), group.dictionary) for group in deep]
    elif wide == "apart":
        table = METHODS[method].table(Demand(num_keys, 4, 1, 16 + num_keys))
        of_wide = [GroupSpec(FEATURES, table, "wide:joint")]
    else:
        of_wide = []
    return ModelSpec(tuple(deep), tuple(of_wide), (8, 4))


def built(spec: ModelSpec, **options: Any) -> WideDeep | MLPRanker:
    blueprints = {
        group.dictionary: Blueprint(group.table, Vocabulary(KEYS[: group.table.num_head]))
        for group in (*spec.deep, *spec.wide)
    }
    return build_model(spec, FEATURES, blueprints, **options)


def bytes_of(model: WideDeep | MLPRanker) -> Ledger:
    """Count the module's tensors, a shared one once."""
    wide = list(model.wide.parameters()) if isinstance(model, WideDeep) else []
    encoders = {id(module): module for module in model.modules() if isinstance(module, RowEncoder)}
    return Ledger(
        head_rows=sum(bag.head.nbytes for bag in model.deep.bags),
        tail_rows=sum(bag.tail.nbytes for bag in model.deep.bags),
        dictionary=sum(encoder.dictionary.nbytes for encoder in encoders.values()),
        wide_weights=sum(parameter.nbytes for parameter in wide),
        dense_layers=sum(parameter.nbytes for parameter in model.dense.parameters()),
    )


@pytest.mark.parametrize(
    "method", [name for name in METHODS if name != "auto"]
)  # which is planned from counts
@pytest.mark.parametrize(("num_keys", "dim", "share"), [(1, 1, 9.0), (700, 16, 0.1), (3000, 6, 0.025)])
@pytest.mark.parametrize("wide", ["none", "companion", "apart"])
@pytest.mark.parametrize("tables", ["joint", "per feature"])
def test_the_ledger_is_the_bytes_of_the_modules_tensors(
    method: str, num_keys: int, dim: int, share: float, wide: str, tables: str
) -> None:
    spec = laid_out(method, num_keys, dim, share, wide, tables)
    model = built(spec)
    assert bytes_of(model) == spec.ledger()
    kept = {
        tensor.data_ptr(): tensor.nbytes
        for name, tensor in model.state_dict().items()
        if not name.endswith("_extra_state") and tensor.numel()
    }
    assert sum(kept.values()) == spec.ledger().total_bytes
    parameters = {id(parameter): parameter.nbytes for parameter in model.parameters()}
    assert sum(parameters.values()) == spec.ledger().total_bytes - spec.ledger().dictionary


def spec_of(**changes: Any) -> ModelSpec:
    arguments = {
        "method": "hybrid",
        "num_keys": 700,
        "dim": 16,
        "share": 0.1,
        "wide": "companion",
        "tables": "joint",
    }
    return laid_out(**(arguments | changes))


def test_the_wide_part_decides_the_class() -> None:
    assert isinstance(built(spec_of()), WideDeep)
    assert isinstance(built(spec_of(wide="none")), MLPRanker)


def test_a_companion_shares_its_tables_encoder() -> None:
    model = built(spec_of(tables="per feature"))
    assert isinstance(model, WideDeep)
    assert model.wide.shares_rows_with(model.deep)
    apart = built(spec_of(wide="apart"))
    assert isinstance(apart, WideDeep)
    assert not apart.wide.shares_rows_with(apart.deep)


def test_wide_weights_begin_at_zero_and_rows_at_init_std() -> None:
    model = built(spec_of(), init_std=0.2, generator=torch.Generator().manual_seed(0))
    assert isinstance(model, WideDeep)
    assert not any(parameter.any() for parameter in model.wide.parameters())
    vectors = model.deep.bags[0].dense_equivalent(torch.arange(5000, 9000)).detach()
    assert abs(float(vectors.std()) / 0.2 - 1) < 0.05


@pytest.mark.parametrize("wide", ["none", "companion", "apart"])
def test_one_seed_gives_one_model(wide: str) -> None:
    def parameters(seed: int) -> list[torch.Tensor]:
        model = built(spec_of(wide=wide), generator=torch.Generator().manual_seed(seed))
        return [parameter for parameter in model.parameters() if parameter.any()]

    before = torch.get_rng_state()
    assert all(map(torch.equal, parameters(1), parameters(1)))
    assert not any(map(torch.equal, parameters(1), parameters(2)))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("optimizer", [None, SGD(0.1)])
def test_the_optimizer_is_passed_to_every_table(optimizer: SGD | None) -> None:
    model = built(spec_of(), optimizer=optimizer)
    assert isinstance(model, WideDeep)
    for bag in (bag for part in (model.deep, model.wide) for bag in part.bags):
        assert bag.sparse == (optimizer is None)
        assert (None if bag.optimizer_state is None else bag.optimizer_state.optimizer) == optimizer


def test_a_state_dict_makes_another_model_the_same() -> None:
    spec = spec_of()
    keys, offsets = torch.arange(4 * 6), torch.arange(4 * 6 + 1)
    first, second = (built(spec, init_std=1.0, generator=torch.Generator().manual_seed(s)) for s in (1, 2))
    assert not torch.equal(first(keys, offsets), second(keys, offsets))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(keys, offsets), second(keys, offsets))
