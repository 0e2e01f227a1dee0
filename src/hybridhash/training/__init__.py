"""Training: step, loop, windows, Hogwild workers, checkpoints; knows no model by name."""

from hybridhash.training.hogwild import Hogwild
from hybridhash.training.loop import TrainResult, predict, train
from hybridhash.training.optimizers import OPTIMIZERS, build_optimizers
from hybridhash.training.processes import process_context
from hybridhash.training.progress import Progress
from hybridhash.training.settings import TrainSettings
from hybridhash.training.speed import StepRate
from hybridhash.training.state import TrainState
from hybridhash.training.step import to_tensors
from hybridhash.training.windows import train_windows

__all__ = [
    "OPTIMIZERS",
    "Hogwild",
    "Progress",
    "StepRate",
    "TrainResult",
    "TrainSettings",
    "TrainState",
    "build_optimizers",
    "predict",
    "process_context",
    "to_tensors",
    "train",
    "train_windows",
]
