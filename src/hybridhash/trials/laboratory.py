"""Trials: laid-out models that are tuned, trained once per seed and judged, and never twice."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from hybridhash.data import Dataset
from hybridhash.errors import DivergedError, FileAccessError, FileFormatError, InvalidValueError
from hybridhash.export import load, save_bundle
from hybridhash.models import MLPRanker, WideDeep
from hybridhash.spec import Ledger
from hybridhash.training import TrainResult
from hybridhash.trials.fitting import Quality, fit, judge, search, tune
from hybridhash.trials.jobs import run_jobs
from hybridhash.trials.layout import Layout
from hybridhash.trials.progress import Listener
from hybridhash.trials.runoff import GRID_SEED, RUNOFF_SEEDS, Tuned
from hybridhash.trials.runs import RunStore
from hybridhash.trials.settings import RunSettings
from hybridhash.trials.shipping import ship

BUNDLE_SUFFIX: Final = ".hh"


@dataclass(frozen=True)
class Trial:
    """A model to tune, and to train once per seed.

    Attributes:
        title: As people read it.
        key: Names its files among the finished runs; another model has another key.
        layouts: Layout s is that of seed s; they differ in their hash functions only.
        bundle: Where the model of seed 0 is exported; None to measure its file and keep nothing.
        validate: Whether the validation slice judges it even where it has nothing to choose.
    """

    title: str
    key: str
    layouts: tuple[Layout, ...]
    bundle: Path | None = None
    validate: bool = False


@dataclass(frozen=True)
class Trained:
    """What became of a trial.

    Attributes:
        tuned: What the validation slice chose; None where training diverged at every learning rate.
        runs: Per seed, ``quality`` and ``train``, or ``diverged`` with the reason; the first also has the
            ``ledger`` of its exported file.
        untuned: Why nothing could be chosen; empty if something was.
    """

    tuned: Tuned | None
    runs: tuple[dict[str, Any], ...]
    untuned: str = ""

    @property
    def diverged(self) -> tuple[str, ...]:
        """What left the finite numbers, seed by seed; empty where nothing did."""
        if self.untuned:
            return (self.untuned,)
        return tuple(
            f"seed {seed}: {run['diverged']}" for seed, run in enumerate(self.runs) if "diverged" in run
        )

    @property
    def ledger(self) -> Ledger:
        """Bytes of the exported file of seed 0 by part."""
        return Ledger(**self.runs[0]["ledger"])


@dataclass(frozen=True)
class Laboratory:
    """What all trials on one data set share; another process can be given one.

    Attributes:
        dataset: The rows.
        settings: How models are trained.
        store: Finished runs.
        num_jobs: Runs at a time, each in a process of its own if more than one.

    Raises:
        InvalidValueError: Several jobs of several Hogwild workers each: a job may not start processes.
    """

    dataset: Dataset
    settings: RunSettings
    store: RunStore
    num_jobs: int

    def __post_init__(self) -> None:
        """Refuse processes that would have to start processes."""
        if self.num_jobs > 1 and self.settings.workers > 1:
            raise InvalidValueError(
                f"--jobs: expected 1 with --workers {self.settings.workers}, got {self.num_jobs}; take one of the two"
            )

    def choose(self, trials: Sequence[Trial], listener: Listener) -> list[Tuned | str]:
        """Choose learning rate and passes of each trial on the validation slice, with the hash functions of seed 0.

        Returns:
            One for each trial; where training diverged at every learning rate, the reason instead.
        """
        kept = [(trial, self._chosen(trial)) for trial in trials]
        missing = {trial.key: trial for trial, chosen in kept if chosen is None}
        tasks = [
            _Task(trial.title, trial.key, trial.layouts[0], 0, validate=trial.validate)
            for trial in missing.values()
        ]
        found = {trial.key: chosen for trial, chosen in kept if chosen is not None}
        found |= dict(zip(missing, run_jobs(self._tune, tasks, self.num_jobs, listener), strict=True))
        return [found[trial.key] for trial in trials]

    def attempt(self, trials: Sequence[Trial], listener: Listener) -> list[Trained]:
        """Tune each trial, train it once per seed on the whole training span, judge it on the test span.

        Returns:
            One for each trial, in which a trial that diverged says so.
        """
        tuned = self.choose(trials, listener)
        tasks = [
            _Task(trial.title, trial.key, layout, seed, chosen, trial.bundle)
            for trial, chosen in zip(trials, tuned, strict=True)
            if isinstance(chosen, Tuned)
            for seed, layout in enumerate(trial.layouts)
        ]
        runs = {task.run_key: self._kept(task) for task in tasks}
        missing = {task.run_key: task for task in tasks if runs[task.run_key] is None}
        made = run_jobs(self._run, list(missing.values()), self.num_jobs, listener)
        runs |= dict(zip(missing, made, strict=True))
        of_trial: dict[str, list[dict[str, Any]]] = {trial.key: [] for trial in trials}
        for task in {task.run_key: task for task in tasks}.values():
            of_trial[task.key].append(runs[task.run_key] or {})
        return [
            Trained(chosen, tuple(of_trial[trial.key]))
            if isinstance(chosen, Tuned)
            else Trained(None, (), chosen)
            for trial, chosen in zip(trials, tuned, strict=True)
        ]

    def _chosen(self, trial: Trial) -> Tuned | str | None:
        kept = self.store.get(_tuned_key(trial))
        if kept is None:
            return None
        if "diverged" in kept:
            return str(kept["diverged"])
        tuned = Tuned.from_dict(kept)
        return None if trial.validate and math.isnan(tuned.validation_rce) else tuned

    def _tune(self, task: "_Task", listener: Listener) -> Tuned | str:
        def checkpoint_of(rate: float, seed: int) -> Path:
            return self.store.path(f"{task.key}-rate{rate:g}-seed{seed}", ".checkpoint")

        choose = search if task.validate else tune
        try:
            tuned = choose(
                self.dataset,
                task.layout,
                self.settings,
                lambda what, progress: listener.training(f"{task.title}: {what}", progress),
                checkpoint_of,
            )
        except DivergedError as error:
            return self._diverged(f"{task.title}: tuned", _tuned_key(task), error, listener)
        self.store.keep(_tuned_key(task), tuned.as_dict())
        for rate, seed in product(self.settings.learning_rate, (GRID_SEED, *RUNOFF_SEEDS)):
            checkpoint_of(rate, seed).unlink(missing_ok=True)
        listener.run_done(
            f"{task.title}: tuned", f"learning rate {tuned.learning_rate:g}, {tuned.epochs} epochs"
        )
        return tuned

    def _kept(self, task: "_Task") -> dict[str, Any] | None:
        kept = self.store.get(task.run_key)
        exported = kept is not None and "diverged" not in kept and not task.seed and task.bundle is not None
        if exported and task.bundle is not None and not _is_bundle_of(task.bundle, task.run_key):
            return None
        return kept

    def _run(self, task: "_Task", listener: Listener) -> dict[str, Any]:
        assert task.tuned is not None
        checkpoint = self.store.path(task.run_key, ".checkpoint")
        title = f"{task.title}: seed {task.seed}"
        try:
            model, trained = fit(
                self.dataset,
                task.layout,
                self.settings,
                task.tuned,
                task.seed,
                lambda progress: listener.training(title, progress),
                checkpoint,
            )
        except DivergedError as error:
            checkpoint.unlink(missing_ok=True)
            return {"diverged": self._diverged(title, task.run_key, error, listener)}
        shipped = ship(model, task.layout, self.dataset.rows)
        quality = judge(shipped, self.dataset, self.settings.group)
        run = {"quality": asdict(quality), "train": _train_row(trained)}
        if not task.seed:
            run["ledger"] = self._export(task, shipped).as_dict()
        self.store.keep(task.run_key, run)
        checkpoint.unlink(missing_ok=True)
        listener.run_done(title, _summary(quality, trained))
        return run

    def _diverged(self, title: str, key: str, error: DivergedError, listener: Listener) -> str:
        """Keep and tell that a run has diverged, and return the reason."""
        self.store.keep(key, {"diverged": str(error)})
        listener.run_done(title, f"diverged ({error})")
        return str(error)

    def _export(self, task: "_Task", model: WideDeep | MLPRanker) -> Ledger:
        """Write the bundle and return the ledger of its file; one that nobody wants is removed again."""
        assert task.tuned is not None
        notes: dict[str, Any] = {"method": task.title, "run": task.run_key, "training": task.tuned.as_dict()}
        with TemporaryDirectory(dir=self.store.folder) as folder:
            path = task.bundle or Path(folder) / f"model{BUNDLE_SUFFIX}"
            save_bundle(
                path,
                model,
                self.dataset.schema,
                self.dataset.discretiser,
                label=str(self.dataset.label),
                notes=notes,
            )
            return load(path).ledger


@dataclass(frozen=True)
class _Task:
    """One training run, or the tuning before it."""

    title: str
    key: str
    layout: Layout
    seed: int
    tuned: Tuned | None = None
    bundle: Path | None = None
    validate: bool = False

    @property
    def run_key(self) -> str:
        return f"{self.key}-seed{self.seed}"


def measured(trained: Trained, layout: Layout, settings: RunSettings, baseline_bytes: int) -> dict[str, Any]:
    """Return the figures of a trial as results files have them.

    Args:
        trained: What became of it.
        layout: Of seed 0.
        settings: How it was trained.
        baseline_bytes: Embedding bytes of the baseline.

    Returns:
        Bytes, qualities with means and standard deviations over the seeds, speed and settings. Where a seed
        has diverged: the reason, the bytes of the tables by their spec, settings, and no means.
    """
    if trained.diverged:
        return _measured_of_diverged(trained, layout, settings, baseline_bytes)
    ledger = trained.ledger
    runs = trained.runs

    def column(measure: str) -> list[float]:
        return [run["quality"][measure] for run in runs]

    grouped = {}
    if settings.group is not None:
        grouped = {
            "gauc": column("gauc"),
            "gauc_mean": _mean(column("gauc")),
            "ndcg": column("ndcg"),
            "ndcg_mean": _mean(column("ndcg")),
            "groups": runs[0]["quality"]["groups"],
            "groups_left_out": runs[0]["quality"]["groups_left_out"],
        }
    return {
        "rows": layout.spec.num_rows,
        "embedding_bytes": ledger.embedding_bytes,
        "share_of_baseline": ledger.embedding_bytes / baseline_bytes,
        "ledger": ledger.as_dict(),
        "file_bytes": ledger.total_bytes,
        "rce": column("rce"),
        "rce_mean": _mean(column("rce")),
        "rce_std": _std(column("rce")),
        "auc": column("auc"),
        "auc_mean": _mean(column("auc")),
        "log_loss": column("log_loss"),
        "log_loss_mean": _mean(column("log_loss")),
        "normalised_entropy_mean": _mean(column("normalised_entropy")),
        "calibration_mean": _mean(column("calibration")),
        **grouped,
        "train_steps_per_s": _mean([run["train"]["steps_per_s"] for run in runs]),
        "train_s": _mean([run["train"]["train_s"] for run in runs]),
        "settings": _settings_of(trained, layout, settings),
    }


def _measured_of_diverged(
    trained: Trained, layout: Layout, settings: RunSettings, baseline_bytes: int
) -> dict[str, Any]:
    embedding_bytes = layout.spec.ledger().embedding_bytes
    return {
        "diverged": list(trained.diverged),
        "rows": layout.spec.num_rows,
        "embedding_bytes": embedding_bytes,
        "share_of_baseline": embedding_bytes / baseline_bytes,
        "rce": [run["quality"]["rce"] for run in trained.runs if "quality" in run],
        "rce_mean": None,
        "rce_std": None,
        "settings": _settings_of(trained, layout, settings),
    }


def _settings_of(trained: Trained, layout: Layout, settings: RunSettings) -> dict[str, Any]:
    tables = [group.table for group in layout.spec.deep]
    tuned = {} if trained.tuned is None else trained.tuned.as_dict()
    return {
        "num_head": sum(table.num_head for table in tables),
        "num_buckets": sum(table.num_buckets for table in tables),
        "num_hashes": tables[0].num_hashes,
        "combine": tables[0].combine,
        "dim": tables[0].dim,
        "tables": settings.tables,
        "model": settings.model,
        "hidden": list(settings.hidden),
        "optimizer": settings.optimizer,
        "learning_rate": tuned.get("learning_rate"),
        "epochs": tuned.get("epochs"),
        "batch_size": settings.batch_size,
        "rounding": settings.rounding,
        "validation_rce": tuned.get("validation_rce"),
    }


def _tuned_key(named: "Trial | _Task") -> str:
    return f"{named.key}-tuned"


def _is_bundle_of(path: Path, run: str) -> bool:
    try:
        return load(path).notes.get("run") == run
    except (FileAccessError, FileFormatError):  # gone or damaged: the run is made again
        return False


def _train_row(trained: TrainResult) -> dict[str, Any]:
    return {
        "epochs": trained.epochs,
        "steps": trained.steps,
        "steps_per_s": trained.steps_per_s,
        "train_s": trained.train_s,
    }


def _summary(quality: Quality, trained: TrainResult) -> str:
    return f"RCE {quality.rce:.3f}, AUC {quality.auc:.4f}, {trained.steps_per_s:.0f} steps/s"


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _std(values: Sequence[float]) -> float:
    """Return the sample standard deviation; 0 for one value."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
