"""What is shipped depends on training rows alone, is the same every time, and leaves the trained model alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hybridhash.data import TEST, TRAIN, VALIDATION, KeyedRows
from hybridhash.experiments import CompareSettings, Silence
from hybridhash.models import MLPRanker, WideDeep, build_model, pack_model
from hybridhash.optim import Adagrad
from hybridhash.planner import ModelBlueprint, lay_out
from hybridhash.training import TrainSettings, train
from hybridhash.trials import groups_of, prepare_rows, ship

SETTINGS = CompareSettings(
    label="clicked", categorical=("user_id", "ad_id", "site"), list=("tags",), time="ts", dim=4, hidden=(8,)
)


@pytest.fixture(scope="module")
def trained(
    clicks: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[WideDeep | MLPRanker, ModelBlueprint, KeyedRows]:
    prepared = prepare_rows([str(clicks)], SETTINGS, tmp_path_factory.mktemp("ship"), Silence())
    rows = prepared.dataset.rows
    groups = groups_of(rows.schema, prepared.counts, SETTINGS)
    budget = sum(group.baseline_bytes for group in groups) // 50
    blueprint = lay_out("auto", groups, budget, SETTINGS.hidden)
    assert any(tier.num_codes for tier in blueprint.spec.deep[0].table.tiers)
    model = build_model(blueprint.spec, rows.schema.names, blueprint.blueprints, optimizer=Adagrad(0.1))
    train(model, rows, rows.indices(0), TrainSettings("adagrad", 0.1, 64, epochs=1))
    return model, blueprint, rows


def poisoned(rows: KeyedRows) -> KeyedRows:
    """Return the rows with other keys and labels where nothing may be learned."""
    bad = np.isin(rows.part, (TEST, VALIDATION))
    singles = np.where(bad[:, None], rows.singles ^ 0x5A5A5A5A, rows.singles)
    return replace(rows, singles=singles, labels=np.where(bad, 1 - rows.labels, rows.labels))


def test_it_depends_on_training_rows_alone(
    trained: tuple[WideDeep | MLPRanker, ModelBlueprint, KeyedRows],
) -> None:
    model, blueprint, rows = trained
    before, after = (
        ship(model, blueprint.spec, rows).state_dict(),
        ship(model, blueprint.spec, poisoned(rows)).state_dict(),
    )
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before if torch.is_tensor(before[name]))


def test_rows_are_shared_otherwise_than_by_nearness(
    trained: tuple[WideDeep | MLPRanker, ModelBlueprint, KeyedRows],
) -> None:
    model, blueprint, rows = trained
    ours, plain = ship(model, blueprint.spec, rows).state_dict(), pack_model(model).state_dict()
    # Codes stand in the ribbons, which are the dictionaries of their tiers.
    dictionaries = [name for name in ours if "dictionary" in name]
    assert dictionaries
    assert any(not torch.equal(ours[name], plain[name]) for name in dictionaries)


def test_nothing_to_share_is_packed_without_looking_at_rows(
    trained: tuple[WideDeep | MLPRanker, ModelBlueprint, KeyedRows], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, blueprint, rows = trained
    spec = replace(
        blueprint.spec,
        deep=tuple(replace(group, table=replace(group.table, tiers=())) for group in blueprint.spec.deep),
        wide=tuple(replace(group, table=replace(group.table, tiers=())) for group in blueprint.spec.wide),
    )
    model = build_model(spec, rows.schema.names, blueprint.blueprints)
    monkeypatch.setattr("hybridhash.trials.shipping.sensitivities", lambda *_: pytest.fail("looked"))
    assert ship(model, spec, rows) is model


def test_shipping_after_each_pass_does_not_change_training(
    trained: tuple[WideDeep | MLPRanker, ModelBlueprint, KeyedRows],
) -> None:
    _, blueprint, rows = trained
    models = [
        build_model(
            blueprint.spec,
            rows.schema.names,
            blueprint.blueprints,
            optimizer=Adagrad(0.1),
            generator=torch.Generator().manual_seed(0),
        )
        for _ in range(2)
    ]
    settings = TrainSettings("adagrad", 0.1, 64, epochs=3, patience=3)
    found = []
    for model, judged in zip(models, (None, lambda: ship(models[1], blueprint.spec, rows)), strict=True):
        validation = rows.indices(VALIDATION)
        found.append(train(model, rows, rows.indices(TRAIN), settings, validation=validation, judged=judged))
    one, two = (model.state_dict() for model in models)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert [result.epochs for result in found] == [3, 3]
    # The codes lose something that the floats have.
    assert found[0].validation_rce != found[1].validation_rce


def test_shipping_moves_no_random_state_and_no_mode(
    trained: tuple[WideDeep | MLPRanker, ModelBlueprint, KeyedRows],
) -> None:
    model, blueprint, rows = trained
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state(legacy=False)
    ship(model, blueprint.spec, rows)
    assert torch.equal(torch.get_rng_state(), torch_state)
    after = np.random.get_state(legacy=False)
    assert np.array_equal(after["state"].pop("key"), numpy_state["state"].pop("key"))
    assert after == numpy_state
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(module.training for module in model.modules())
