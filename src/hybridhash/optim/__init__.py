"""Optimizers that move rows inside the backward pass."""

from hybridhash.optim.rules import FTRL, SGD, Adagrad, Adam, FusedOptimizer, RowWiseAdagrad, RowWiseAdam
from hybridhash.optim.state import OptimizerState, set_lr

__all__ = [
    "FTRL",
    "SGD",
    "Adagrad",
    "Adam",
    "FusedOptimizer",
    "OptimizerState",
    "RowWiseAdagrad",
    "RowWiseAdam",
    "set_lr",
]
