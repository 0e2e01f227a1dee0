"""Training: step, loop, checkpoints; knows no model by name."""

from hybridhash.training.loop import Progress, TrainResult, predict, train
from hybridhash.training.optimizers import OPTIMIZERS, build_optimizers
from hybridhash.training.settings import TrainSettings
from hybridhash.training.speed import StepRate

__all__ = [
    "OPTIMIZERS",
    "Progress",
    "StepRate",
    "TrainResult",
    "TrainSettings",
    "build_optimizers",
    "predict",
    "train",
]
