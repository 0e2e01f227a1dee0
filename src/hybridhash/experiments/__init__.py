"""What the commands do: settings, prepare, fit, compare, sweep, continuous, profile, plan, score, inspect."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hybridhash.experiments.settings import (
    CompareSettings,
    ContinuousSettings,
    EvaluateSettings,
    PlanSettings,
    ProfileSettings,
    ScoreSettings,
    SingleSettings,
    SweepSettings,
    merge_settings,
    read_experiment,
)
from hybridhash.trials import DataSettings, Listener, Silence

if TYPE_CHECKING:
    from hybridhash.experiments.comparison import compare
    from hybridhash.experiments.inspect import inspect_file
    from hybridhash.experiments.planning import plan_data
    from hybridhash.experiments.prequential import continuous, follow
    from hybridhash.experiments.profiling import profile
    from hybridhash.experiments.score import evaluate, predict_file
    from hybridhash.experiments.single import train_one
    from hybridhash.experiments.sweeping import sweep

_LAZY = {  # these load torch and the data stack, which parsing a command line does not need
    "compare": "comparison",
    "continuous": "prequential",
    "follow": "prequential",
    "evaluate": "score",
    "inspect_file": "inspect",
    "plan_data": "planning",
    "predict_file": "score",
    "profile": "profiling",
    "sweep": "sweeping",
    "train_one": "single",
}

__all__ = [
    "CompareSettings",
    "ContinuousSettings",
    "DataSettings",
    "EvaluateSettings",
    "Listener",
    "PlanSettings",
    "ProfileSettings",
    "ScoreSettings",
    "Silence",
    "SingleSettings",
    "SweepSettings",
    "compare",
    "continuous",
    "evaluate",
    "follow",
    "inspect_file",
    "merge_settings",
    "plan_data",
    "predict_file",
    "profile",
    "read_experiment",
    "sweep",
    "train_one",
]


def __getattr__(name: str) -> Any:
    """Load a command's work when it is first asked for."""
    if name in _LAZY:
        return getattr(import_module(f"hybridhash.experiments.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
