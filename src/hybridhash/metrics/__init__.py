"""RCE, log loss, normalised entropy, AUC, GAUC, NDCG, calibration, intervals: functions, and torchmetrics classes.

The functions need numpy only. The classes load torch and torchmetrics when first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from hybridhash.errors import MissingDependencyError
from hybridhash.metrics.cross_entropy import log_loss, normalised_entropy, relative_cross_entropy
from hybridhash.metrics.grouped import GroupedScore, grouped_auc, ndcg
from hybridhash.metrics.intervals import MeanInterval, mean_interval
from hybridhash.metrics.ranking import auc
from hybridhash.metrics.reliability import calibration, expected_calibration_error

if TYPE_CHECKING:
    from hybridhash.metrics.streaming_rows import AUC, NDCG, GroupedAUC
    from hybridhash.metrics.streaming_sums import (
        Calibration,
        LogLoss,
        NormalisedEntropy,
        RelativeCrossEntropy,
    )

__all__ = [
    "AUC",
    "NDCG",
    "Calibration",
    "GroupedAUC",
    "GroupedScore",
    "LogLoss",
    "MeanInterval",
    "NormalisedEntropy",
    "RelativeCrossEntropy",
    "auc",
    "calibration",
    "expected_calibration_error",
    "grouped_auc",
    "log_loss",
    "mean_interval",
    "ndcg",
    "normalised_entropy",
    "relative_cross_entropy",
]

_LAZY: Final = {
    "AUC": "streaming_rows",
    "Calibration": "streaming_sums",
    "GroupedAUC": "streaming_rows",
    "LogLoss": "streaming_sums",
    "NDCG": "streaming_rows",
    "NormalisedEntropy": "streaming_sums",
    "RelativeCrossEntropy": "streaming_sums",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"hybridhash.metrics.{_LAZY[name]}"), name)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"{name}: expected {error.name} to be installed; run pip install 'hybridhash[train]'"
        ) from error
