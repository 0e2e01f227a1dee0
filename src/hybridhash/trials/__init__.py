"""What trains, tunes and judges, and never twice: shared by the commands, the paper and the benchmarks."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hybridhash.trials.progress import Listener, Silence
from hybridhash.trials.settings import (
    DataSettings,
    FitSettings,
    ModelSettings,
    RunSettings,
    Settings,
    TableSettings,
    TrainingSettings,
)

if TYPE_CHECKING:
    from hybridhash.trials.fitting import Quality, fit, judge, quality_of, tune, validate
    from hybridhash.trials.jobs import run_jobs
    from hybridhash.trials.laboratory import Laboratory, Trained, Trial
    from hybridhash.trials.layout import Layout, TablePlan, assemble, lay_out, plan_tables
    from hybridhash.trials.machine import describe_machine, processor_name
    from hybridhash.trials.prepare import Prepared, prepare_rows, work_folder
    from hybridhash.trials.runoff import Curve, Train, Tuned, Tuning, search_grid, search_with_runoff
    from hybridhash.trials.runs import RUNS_VERSION, TUNING_VERSION, RunStore, fingerprint
    from hybridhash.trials.shipping import ship

_LAZY = {  # these load torch and the data stack, which parsing a command line does not need
    "fitting": "Quality fit judge quality_of tune validate",
    "jobs": "run_jobs",
    "laboratory": "Laboratory Trained Trial",
    "layout": "Layout TablePlan assemble lay_out plan_tables",
    "machine": "describe_machine processor_name",
    "prepare": "Prepared prepare_rows work_folder",
    "runoff": "Curve Train Tuned Tuning search_grid search_with_runoff",
    "runs": "RUNS_VERSION TUNING_VERSION RunStore fingerprint",
    "shipping": "ship",
}
_MODULE_OF = {name: module for module, names in _LAZY.items() for name in names.split()}

__all__ = [
    "RUNS_VERSION",
    "TUNING_VERSION",
    "Curve",
    "DataSettings",
    "FitSettings",
    "Laboratory",
    "Layout",
    "Listener",
    "ModelSettings",
    "Prepared",
    "Quality",
    "RunSettings",
    "RunStore",
    "Settings",
    "Silence",
    "TablePlan",
    "TableSettings",
    "Train",
    "Trained",
    "TrainingSettings",
    "Trial",
    "Tuned",
    "Tuning",
    "assemble",
    "describe_machine",
    "fingerprint",
    "fit",
    "judge",
    "lay_out",
    "plan_tables",
    "prepare_rows",
    "processor_name",
    "quality_of",
    "run_jobs",
    "search_grid",
    "search_with_runoff",
    "ship",
    "tune",
    "validate",
    "work_folder",
]


def __getattr__(name: str) -> Any:
    """Load what trains when it is first asked for."""
    if name in _MODULE_OF:
        return getattr(import_module(f"hybridhash.trials.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
