"""What trains, tunes and judges, and never twice: shared by the commands, the paper and the benchmarks."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hybridhash.trials.progress import Listener, Silence
from hybridhash.trials.settings import (
    DataSettings,
    FitSettings,
    ModelSettings,
    OpeningSettings,
    RunSettings,
    Settings,
    TableSettings,
    TrainingSettings,
)

if TYPE_CHECKING:
    from hybridhash.trials.building import OPTIMIZERS, Build, Built, build_of
    from hybridhash.trials.fitting import Fitted, fit
    from hybridhash.trials.jobs import run_jobs
    from hybridhash.trials.machine import describe_machine, processor_name
    from hybridhash.trials.opening import LaidOut, Opened, groups_of, open_model
    from hybridhash.trials.prepare import Prepared, prepare_rows, resolve_columns, work_folder
    from hybridhash.trials.quality import Quality, check_group, check_group_feature, judge, quality_of
    from hybridhash.trials.runner import TrialRunner
    from hybridhash.trials.runoff import Curve, Train, Tuned, Tuning, search_grid, search_with_runoff
    from hybridhash.trials.runs import RUNS_VERSION, TUNING_VERSION, RunStore, fingerprint
    from hybridhash.trials.shipping import ship
    from hybridhash.trials.stream import (
        Followed,
        StreamRunner,
        WindowQuality,
        WindowRun,
        has_both_labels,
        labels_in,
    )
    from hybridhash.trials.trial import BUNDLE_SUFFIX, Diverged, Outcome, Run, Trained, Trial
    from hybridhash.trials.tuning import search, tune, validate, validation_curve

_LAZY = {  # these load torch and the data stack, which parsing a command line does not need
    "building": "OPTIMIZERS Build Built build_of",
    "fitting": "Fitted fit",
    "jobs": "run_jobs",
    "machine": "describe_machine processor_name",
    "opening": "LaidOut Opened groups_of open_model",
    "prepare": "Prepared prepare_rows resolve_columns work_folder",
    "quality": "Quality check_group check_group_feature judge quality_of",
    "runner": "TrialRunner",
    "runoff": "Curve Train Tuned Tuning search_grid search_with_runoff",
    "runs": "RUNS_VERSION TUNING_VERSION RunStore fingerprint",
    "shipping": "ship",
    "stream": "Followed StreamRunner WindowQuality WindowRun has_both_labels labels_in",
    "trial": "BUNDLE_SUFFIX Diverged Outcome Run Trained Trial",
    "tuning": "search tune validate validation_curve",
}
_MODULE_OF = {name: module for module, names in _LAZY.items() for name in names.split()}

__all__ = [
    "BUNDLE_SUFFIX",
    "OPTIMIZERS",
    "RUNS_VERSION",
    "TUNING_VERSION",
    "Build",
    "Built",
    "Curve",
    "DataSettings",
    "Diverged",
    "FitSettings",
    "Fitted",
    "Followed",
    "LaidOut",
    "Listener",
    "ModelSettings",
    "Opened",
    "OpeningSettings",
    "Outcome",
    "Prepared",
    "Quality",
    "Run",
    "RunSettings",
    "RunStore",
    "Settings",
    "Silence",
    "StreamRunner",
    "TableSettings",
    "Train",
    "Trained",
    "TrainingSettings",
    "Trial",
    "TrialRunner",
    "Tuned",
    "Tuning",
    "WindowQuality",
    "WindowRun",
    "build_of",
    "check_group",
    "check_group_feature",
    "describe_machine",
    "fingerprint",
    "fit",
    "groups_of",
    "has_both_labels",
    "judge",
    "labels_in",
    "open_model",
    "prepare_rows",
    "processor_name",
    "quality_of",
    "resolve_columns",
    "run_jobs",
    "search",
    "search_grid",
    "search_with_runoff",
    "ship",
    "tune",
    "validate",
    "validation_curve",
    "work_folder",
]


def __getattr__(name: str) -> Any:
    """Load what trains when it is first asked for."""
    if name in _MODULE_OF:
        return getattr(import_module(f"hybridhash.trials.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
