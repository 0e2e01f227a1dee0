"""What the commands do: settings, prepare, fit, compare, sweep, continuous, profile, plan, score, inspect."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hybridhash.experiments.comparison import compare
    from hybridhash.experiments.inspect import inspect_file
    from hybridhash.experiments.planning import plan_data
    from hybridhash.experiments.prequential import continuous, follow
    from hybridhash.experiments.profiling import profile
    from hybridhash.experiments.score import evaluate, predict_file
    from hybridhash.experiments.settings import (
        CompareSettings,
        ContinuousSettings,
        EvaluateSettings,
        PlanSettings,
        PredictSettings,
        ProfileSettings,
        ScoreSettings,
        SingleSettings,
        SweepSettings,
        merge_settings,
        read_experiment,
    )
    from hybridhash.experiments.single import train_one
    from hybridhash.experiments.sweeping import sweep
    from hybridhash.trials import DataSettings, Listener, Silence

_LAZY = {  # these load pydantic, torch and the data stack, which not every command needs
    "experiments.comparison": "compare",
    "experiments.inspect": "inspect_file",
    "experiments.planning": "plan_data",
    "experiments.prequential": "continuous follow",
    "experiments.profiling": "profile",
    "experiments.score": "evaluate predict_file",
    "experiments.settings": "CompareSettings ContinuousSettings EvaluateSettings PlanSettings PredictSettings "
    "ProfileSettings ScoreSettings SingleSettings SweepSettings merge_settings read_experiment",
    "experiments.single": "train_one",
    "experiments.sweeping": "sweep",
    "trials": "DataSettings Listener Silence",
}
_MODULE_OF = {name: module for module, names in _LAZY.items() for name in names.split()}

__all__ = [
    "CompareSettings",
    "ContinuousSettings",
    "DataSettings",
    "EvaluateSettings",
    "Listener",
    "PlanSettings",
    "PredictSettings",
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
    """Load a command's settings or its work when it is first asked for."""
    if name in _MODULE_OF:
        return getattr(import_module(f"hybridhash.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
