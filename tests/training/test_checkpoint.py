from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hybridhash import optim
from hybridhash.data import KeyedRows
from hybridhash.errors import FileAccessError, FileFormatError, InvalidValueError
from hybridhash.files import read_checked, write_checked
from hybridhash.training import OPTIMIZERS, build_optimizers
from hybridhash.training.checkpoint import load_checkpoint, save_checkpoint
from hybridhash.training.step import train_step

NewModel = Callable[..., nn.Module]
CPU = torch.device("cpu")
FUSED = {"sgd": optim.SGD, "adagrad": optim.Adagrad, "adam": optim.Adam}
SETTINGS = {"learning_rate": 0.1, "seed": 3}


@pytest.mark.parametrize("fused", [False, True], ids=["torch", "fused"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_round_trip(rows: KeyedRows, new_model: NewModel, tmp_path: Path, name: str, fused: bool) -> None:
    moves_itself = FUSED[name](0.1) if fused else None
    model = new_model(optimizer=moves_itself)
    optimizers = build_optimizers(model, name, 0.1)
    for start in (0, 32):
        train_step(model, optimizers, rows.take(np.arange(start, start + 32)), CPU)
    save_checkpoint(tmp_path / "c", model, optimizers, SETTINGS, {"steps": 2, "seen": [1.5]})

    other = new_model(seed=1, optimizer=moves_itself)
    others = build_optimizers(other, name, 0.1)
    assert load_checkpoint(tmp_path / "c", other, others, SETTINGS) == {"steps": 2, "seen": [1.5]}
    for left, right in zip(model.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(left, right)
    for mine, theirs in zip(optimizers, others, strict=True):
        left_state, right_state = mine.state_dict(), theirs.state_dict()
        assert left_state["param_groups"] == right_state["param_groups"]
        assert left_state["state"].keys() == right_state["state"].keys()
        for parameter, state in left_state["state"].items():
            for key, value in state.items():
                assert torch.equal(
                    torch.as_tensor(value), torch.as_tensor(right_state["state"][parameter][key])
                )
                assert type(value) is type(right_state["state"][parameter][key])


def test_adam_has_state_to_keep(rows: KeyedRows, new_model: NewModel) -> None:
    """Guards the round trip above: it would pass over empty states."""
    model = new_model()
    optimizers = build_optimizers(model, "adam", 0.1)
    train_step(model, optimizers, rows.take(np.arange(32)), CPU)
    assert len(optimizers) == 2
    assert all(optimizer.state_dict()["state"] for optimizer in optimizers)


def test_fused_adam_has_state_to_keep(rows: KeyedRows, new_model: NewModel, tmp_path: Path) -> None:
    """Guards the round trip above: both moments and the number of steps of each table are in the file."""
    model = new_model(optimizer=optim.Adam(0.1))
    optimizers = build_optimizers(model, "adam", 0.1)
    for _ in range(2):
        train_step(model, optimizers, rows.take(np.arange(32)), CPU)
    save_checkpoint(tmp_path / "c", model, optimizers, SETTINGS, {})
    tensors = read_checked(tmp_path / "c", "hybridhash-checkpoint", 1).tensors
    for part in ("deep", "wide"):
        state = f"model.{part}.bags.0.optimizer_state"
        assert tensors[f"{state}.step"] == 2
        for name in ("head0", "head1", "tail0", "tail1"):
            assert tensors[f"{state}.{name}"].any()


def test_refuses_a_model_of_another_fused_optimizer(new_model: NewModel, tmp_path: Path) -> None:
    path, model = saved(new_model, tmp_path / "c"), new_model(optimizer=optim.Adagrad(0.1))
    with pytest.raises(InvalidValueError, match="checkpoint of this model"):
        load_checkpoint(path, model, [], SETTINGS)


def saved(new_model: NewModel, path: Path) -> Path:
    model = new_model()
    save_checkpoint(path, model, build_optimizers(model, "sgd", 0.1), SETTINGS, {})
    return path


def test_refuses_other_settings_by_name(new_model: NewModel, tmp_path: Path) -> None:
    path, model = saved(new_model, tmp_path / "c"), new_model()
    with pytest.raises(InvalidValueError, match="same settings, but seed differ; remove"):
        load_checkpoint(path, model, [], {**SETTINGS, "seed": 4})


def test_refuses_another_model(new_model: NewModel, tmp_path: Path) -> None:
    path, model = saved(new_model, tmp_path / "c"), new_model(dim=5)
    before = model.dense[0].weight.clone()
    with pytest.raises(InvalidValueError, match="checkpoint of this model"):
        load_checkpoint(path, model, [], SETTINGS)
    assert torch.equal(model.dense[0].weight, before)


def test_refuses_a_checkpoint_cut_short(new_model: NewModel, tmp_path: Path) -> None:
    path = saved(new_model, tmp_path / "c")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FileFormatError):
        load_checkpoint(path, new_model(), [], SETTINGS)


def test_refuses_another_kind_of_file(new_model: NewModel, tmp_path: Path) -> None:
    write_checked(tmp_path / "c", {}, {}, "hybridhash-bundle", 1)
    with pytest.raises(FileFormatError, match="expected a hybridhash-checkpoint"):
        load_checkpoint(tmp_path / "c", new_model(), [], SETTINGS)


def test_refuses_a_folder_that_is_not_there(new_model: NewModel, tmp_path: Path) -> None:
    with pytest.raises(FileAccessError):
        saved(new_model, tmp_path / "absent" / "c")
