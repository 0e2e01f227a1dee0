from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hybridhash import load
from hybridhash.data import Discretiser, Feature, Schema
from hybridhash.errors import FileAccessError, InvalidTypeError, InvalidValueError
from hybridhash.export import model_spec, model_tensors, save_bundle
from hybridhash.hashing import Fingerprints, Ribbon, dictionary_words
from hybridhash.models import build_model, pack_model
from hybridhash.spec import GroupSpec, ModelSpec, TableSpec, Tier
from hybridhash.tables import Blueprint
from hybridhash.vocabulary import Vocabulary

DISCRETISER = Discretiser({"price": np.array([0.5, 1.0, 2.5, 7.0])})


def test_saving_twice_gives_equal_bytes(exported: Any, tmp_path: Path) -> None:
    for name in ("hybrid-wide-deep-per-feature-cross", "full-mlp-joint"):
        item = exported[name]
        notes = {"method": name.split("-")[0]}
        save_bundle(tmp_path / "again.hh", item.model, item.schema, DISCRETISER, label="clicked", notes=notes)
        assert (tmp_path / "again.hh").read_bytes() == item.path.read_bytes()


def test_the_file_holds_the_models_numbers(one: Any) -> None:
    """Every parameter of the model is in the file once, and every dictionary once."""
    tensors = model_tensors(one.model)
    num_parameters = sum(parameter.numel() for parameter in one.model.parameters())
    dictionaries = {name: array for name, array in tensors.items() if name.startswith("dictionary.")}
    assert sum(array.size for array in tensors.values()) == num_parameters + sum(
        array.size for array in dictionaries.values()
    )
    np.testing.assert_array_equal(tensors["deep.0.head.0"], one.model.deep.bags[0].head.detach().numpy())
    np.testing.assert_array_equal(tensors["dense.1.bias"], one.model.dense[2].bias.detach().numpy())


def test_deep_and_wide_tables_of_the_same_rows_share_a_dictionary(exported: Any) -> None:
    tensors = model_tensors(exported["hybrid-wide-deep-joint"].model)
    assert [name for name in tensors if name.startswith("dictionary.")] == ["dictionary.0.deep:joint"]


def test_the_spec_of_a_built_model_is_that_it_was_built_from(exported: Any) -> None:
    for item in exported.values():
        spec = model_spec(item.model)
        assert spec == load(item.path).spec
        assert spec.hidden == (6, 5)
        if not any(group.table.is_packed for group in spec.deep):
            words = sum(dictionary_words(num_keys) for num_keys in spec.dictionaries().values())
            parameters = sum(parameter.numel() for parameter in item.model.parameters())
            assert spec.ledger().total_bytes == 4 * parameters + 8 * words


def test_refuses_weights_that_are_not_finite(one: Any, tmp_path: Path) -> None:
    bias = one.model.dense[0].bias
    before = bias.detach().clone()
    for value in (float("nan"), float("inf")):
        with torch.no_grad():
            bias[0] = value
        with pytest.raises(InvalidValueError, match=r"dense\.0\.bias: expected finite weights"):
            save_bundle(tmp_path / "x.hh", one.model, one.schema, DISCRETISER, label="clicked")
        with torch.no_grad():
            bias.copy_(before)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "tiers",
    [
        (Tier(20, 8, 0, Fingerprints(16)),),
        (Tier(12), Tier(8, 0)),
        (Tier(20, 32, 4, Fingerprints(16)),),
        (Tier(20, 32, 4, Ribbon(3)),),
    ],
)
def test_refuses_a_model_that_is_not_packed_as_its_spec_asks(tmp_path: Path, tiers: tuple[Tier, ...]) -> None:
    schema = Schema((Feature("u", "categorical", "int"),))
    table = TableSpec(20, 3, 4, tiers=tiers)
    blueprints = {"u": Blueprint(table, Vocabulary(np.arange(20)))}
    model = build_model(ModelSpec((GroupSpec(("u",), table, "u"),), (), ()), ("u",), blueprints)
    path = tmp_path / "x.hh"
    with pytest.raises(
        InvalidTypeError, match=r"expected packed tables, as the spec of deep table 0.*pack_model"
    ):
        save_bundle(path, model, schema, Discretiser({}), label="y")
    assert not list(tmp_path.iterdir())
    save_bundle(path, pack_model(model), schema, Discretiser({}), label="y")
    assert load(path).spec.deep[0].table == table


def test_refuses_another_schema(one: Any, tmp_path: Path) -> None:
    other = Schema((Feature("user", "categorical", "int"),))
    with pytest.raises(InvalidValueError, match="expected the model's features"):
        save_bundle(tmp_path / "x.hh", one.model, other, DISCRETISER, label="clicked")


def test_refuses_a_numeric_feature_without_edges(one: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="got none for \\['price'\\]"):
        save_bundle(tmp_path / "x.hh", one.model, one.schema, Discretiser({}), label="clicked")


@pytest.mark.parametrize(
    "dense",
    [
        nn.Sequential(nn.Linear(4, 2), nn.Tanh(), nn.Linear(2, 1)),
        nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 1)),
        nn.Sequential(nn.Linear(4, 1), nn.ReLU()),
        nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.LayerNorm(2)),
        nn.Sequential(nn.Linear(4, 1, bias=False)),
        nn.Sequential(),
    ],
)
def test_refuses_layers_that_the_reader_does_not_know(one: Any, dense: nn.Sequential) -> None:
    with pytest.raises(InvalidTypeError, match="expected linear layers with ReLU between them"):
        model_spec(SimpleNamespace(deep=one.model.deep, dense=dense))


def test_refuses_a_folder_that_is_not_there(one: Any, tmp_path: Path) -> None:
    with pytest.raises(FileAccessError):
        save_bundle(tmp_path / "absent" / "x.hh", one.model, one.schema, DISCRETISER, label="clicked")
