"""Checkpoints: parameters, optimizer state and progress in one checked file."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from hybridhash.errors import InvalidValueError
from hybridhash.files import read_checked, write_checked

_FORMAT: Final = "hybridhash-checkpoint"
_VERSION: Final = 1


class Saver:
    """Says when the next checkpoint is due.

    Args:
        save: Writes it.
        every_s: Seconds between two checkpoints.
    """

    def __init__(self, save: Callable[[], None], every_s: float) -> None:
        self._save, self._every_s = save, every_s
        self._saved_at = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether the seconds are over."""
        return time.monotonic() - self._saved_at > self._every_s

    def save(self) -> None:
        """Write the checkpoint and start counting anew."""
        self._save()
        self._saved_at = time.monotonic()


def save_checkpoint(
    path: Path,
    model: nn.Module,
    optimizers: Sequence[Optimizer],
    settings: Mapping[str, Any],
    progress: Mapping[str, Any],
) -> None:
    """Write all that a training run needs to go on.

    Args:
        path: The path of the file, which is replaced whole or not at all.
        model: Its ``state_dict`` is kept.
        optimizers: Their states are kept.
        settings: What the run was asked to do; `load_checkpoint` compares it.
        progress: How far the run has come, as JSON can hold it.
    """
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    numbers: dict[str, float] = {}
    for index, optimizer in enumerate(optimizers):
        for parameter, state in optimizer.state_dict()["state"].items():
            for name, value in state.items():
                key = f"optimizer.{index}.{parameter}.{name}"
                if isinstance(value, Tensor):
                    tensors[key] = value
                else:
                    numbers[key] = value
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
    metadata = {"settings": dict(settings), "progress": dict(progress), "numbers": numbers}
    write_checked(path, arrays, metadata, _FORMAT, _VERSION)


def load_checkpoint(
    path: Path, model: nn.Module, optimizers: Sequence[Optimizer], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Put a model and its optimizers back to where a run was.

    Args:
        path: A checkpoint.
        model: A model of the same spec; it is changed in place.
        optimizers: Optimizers of the same kinds; they are changed in place.
        settings: What the run is asked to do.

    Returns:
        The progress that was saved.

    Raises:
        FileFormatError: The file is cut short, altered or foreign.
        InvalidValueError: The checkpoint is of a run with other settings or another model.
    """
    file = read_checked(path, _FORMAT, _VERSION)
    if file.metadata["settings"] != dict(settings):
        changed = sorted(
            name for name, value in settings.items() if file.metadata["settings"].get(name, object()) != value
        )
        raise InvalidValueError(
            f"{path}: expected a checkpoint of a run with the same settings, but {', '.join(changed)} differ; "
            "remove the checkpoint to start again"
        )
    tensors = {name: torch.from_numpy(array.copy()) for name, array in file.tensors.items()}
    own = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    if wanted != {name: tuple(value.shape) for name, value in own.items()}:
        raise InvalidValueError(
            f"{path}: expected a checkpoint of this model, got one with other parameters; remove the checkpoint "
            "to start again"
        )
    model.load_state_dict(own)
    for index, optimizer in enumerate(optimizers):
        states: dict[int, dict[str, Any]] = {}
        for key, value in (tensors | file.metadata["numbers"]).items():
            if key.startswith(f"optimizer.{index}."):
                parameter, name = key.split(".", 3)[2:]
                states.setdefault(int(parameter), {})[name] = value
        optimizer.load_state_dict({**optimizer.state_dict(), "state": states})
    return dict(file.metadata["progress"])
