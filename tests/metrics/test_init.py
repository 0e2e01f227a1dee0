import subprocess
import sys

import pytest

from hybridhash import metrics
from hybridhash.errors import MissingDependencyError


def test_public_names() -> None:
    assert metrics.__all__ == [
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
    for name in metrics.__all__:
        assert callable(getattr(metrics, name))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Accuracy'"):
        metrics.Accuracy  # noqa: B018


def test_the_functions_do_not_load_torch() -> None:
    program = (
        "import sys; from hybridhash.metrics import relative_cross_entropy as rce; "
        "assert rce([0.25, 0.25, 0.25, 0.25], [0, 0, 0, 1]) == 0; "
        "sys.exit(any(name.split('.')[0] in ('torch', 'torchmetrics') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_without_torchmetrics_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    for module in [name for name in sys.modules if name.startswith("hybridhash.metrics.streaming")]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(MissingDependencyError, match=r"pip install 'hybridhash\[train\]'"):
        metrics.AUC  # noqa: B018
