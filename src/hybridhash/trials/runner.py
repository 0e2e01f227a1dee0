"""`TrialRunner`: trials are tuned, trained and judged, and what was done before is read from disk."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hybridhash.data import Dataset
from hybridhash.errors import DivergedError, FileAccessError, FileFormatError, InvalidValueError
from hybridhash.export import load_model, save_bundle
from hybridhash.models import MLPRanker, WideDeep
from hybridhash.spec import Ledger
from hybridhash.training import Progress, TrainResult
from hybridhash.trials.building import build_of
from hybridhash.trials.fitting import fit
from hybridhash.trials.jobs import make_missing
from hybridhash.trials.progress import Listener
from hybridhash.trials.quality import Quality, judge
from hybridhash.trials.runoff import Tuned
from hybridhash.trials.runs import RunStore
from hybridhash.trials.settings import RunSettings
from hybridhash.trials.trial import BUNDLE_SUFFIX, AnyRun, Diverged, Outcome, Run, Speed, Trained, Trial
from hybridhash.trials.tuning import search, tune


@dataclass(frozen=True)
class SeededRun:
    """One training run of a trial.

    Attributes:
        trial: What is trained.
        seed: Seed of the initial values, the order of rows and the hash functions.
        tuned: What was chosen for it.
    """

    trial: Trial
    seed: int
    tuned: Tuned

    @property
    def key(self) -> str:
        """Its name among the finished runs."""
        return self.trial.run_key(self.seed)

    @property
    def title(self) -> str:
        """What people read."""
        return f"{self.trial.title}: seed {self.seed}"


@dataclass(frozen=True)
class TrialRunner:
    """Tunes, trains and judges trials on one data set; it can be pickled for another process.

    Attributes:
        dataset: The rows.
        settings: How models are trained.
        store: Finished runs.
        num_jobs: Runs at a time, each in a process of its own if more than one.
        notes: What the bundles say beside their run.

    Raises:
        InvalidValueError: Several jobs of several Hogwild workers each: a job may not start processes.
    """

    dataset: Dataset
    settings: RunSettings
    store: RunStore
    num_jobs: int
    notes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.num_jobs > 1 and self.settings.workers > 1:
            raise InvalidValueError(
                f"--jobs: expected 1 with --workers {self.settings.workers}, got {self.num_jobs}; take one of the two"
            )

    def choose(self, trials: Sequence[Trial], listener: Listener) -> list[Tuned | Diverged]:
        """Choose learning rate and passes of each trial on the validation slice, with the hash functions of seed 0.

        Returns:
            One for each trial; where training diverged at every learning rate, the reason instead.
        """
        tasks = {trial.key: trial for trial in trials}
        found = make_missing(tasks, self._chosen, self._choose, self.num_jobs, listener, "tuned")
        return [found[trial.key] for trial in trials]

    def attempt(self, trials: Sequence[Trial], listener: Listener) -> list[Trained]:
        """Tune each trial, train it once per seed on the whole training span, judge it on the test span.

        Returns:
            One for each trial, in which a trial that diverged says so.
        """
        outcomes = self.once_per_seed(trials, lambda run: run.key, self._kept, self._run, listener)
        return [Trained(outcome.tuned, outcome.runs) for outcome in outcomes]

    def once_per_seed(
        self,
        trials: Sequence[Trial],
        key_of: Callable[["SeededRun"], str],
        kept: Callable[["SeededRun"], AnyRun | Diverged | None],
        make: Callable[["SeededRun", Listener], AnyRun | Diverged],
        listener: Listener,
    ) -> list[Outcome[AnyRun]]:
        """Tune each trial, then make what is missing of its runs.

        Args:
            trials: What is trained.
            key_of: Names a run among the finished ones.
            kept: Returns a finished run; None where there is none.
            make: Makes and keeps a run.
            listener: Hears how far it is.

        Returns:
            One for each trial.
        """
        chosen = self.choose(trials, listener)
        tasks = {key_of(run): run for run in seeded_runs(trials, chosen)}
        found = make_missing(tasks, kept, make, self.num_jobs, listener, "trained")
        return [
            Outcome(tuned, tuple(found[key_of(run)] for run in seeded_runs([trial], [tuned])))
            for trial, tuned in zip(trials, chosen, strict=True)
        ]

    def _chosen(self, trial: Trial) -> Tuned | Diverged | None:
        kept = self.store.get(trial.tuned_key)
        if kept is None:
            return None
        tuned = Diverged.of(kept) or Tuned.from_dict(kept)
        is_judged = isinstance(tuned, Diverged) or not math.isnan(tuned.validation_rce)
        return tuned if is_judged or not trial.validate else None

    def _choose(self, trial: Trial, listener: Listener) -> Tuned | Diverged:
        def checkpoint_of(rate: float, seed: int) -> Path:
            return self.store.checkpoint(trial.tuned_key, f"rate{rate:g}-seed{seed}")

        def hear(what: str, progress: Progress) -> None:
            listener.training(f"{trial.title}: {what}", progress)

        rows = self.dataset.rows
        build = build_of(trial.blueprint.with_seed(0), rows, self.settings)
        try:
            if trial.validate:
                tuned = search(build, rows, self.settings, hear, checkpoint_of).tuned
            else:
                tuned = tune(build, rows, self.settings, hear, checkpoint_of)
        except DivergedError as error:
            return self._diverged(f"{trial.title}: tuned", trial.tuned_key, error, listener)
        self.store.keep(trial.tuned_key, tuned.as_dict())
        listener.run_done(
            f"{trial.title}: tuned", f"learning rate {tuned.learning_rate:g}, {tuned.epochs} epochs"
        )
        return tuned

    def _kept(self, run: SeededRun) -> Run | Diverged | None:
        kept = self.store.get(run.key)
        if kept is None:
            return None
        found = Run.of(kept)
        bundle = run.trial.bundle if run.seed == 0 and isinstance(found, Run) else None
        return found if bundle is None or _is_bundle_of(bundle, run.key) else None

    def _run(self, run: SeededRun, listener: Listener) -> Run | Diverged:
        rows = self.dataset.rows
        try:
            fitted = fit(
                build_of(run.trial.blueprint.with_seed(run.seed), rows, self.settings),
                rows,
                self.settings,
                run.tuned,
                run.seed,
                lambda progress: listener.training(run.title, progress),
                self.store.checkpoint(run.key),
            )
        except DivergedError as error:
            return self._diverged(run.title, run.key, error, listener)
        shipped = fitted.built.ship()
        quality = judge(shipped, rows, self.settings.group)
        found = Run(quality, _speed(fitted.result))
        if run.seed == 0:
            found = replace(found, ledger=self._export(run, shipped))
        self.store.keep(run.key, found.as_dict())
        listener.run_done(run.title, _summary(quality, fitted.result))
        return found

    def _diverged(self, title: str, key: str, error: DivergedError, listener: Listener) -> Diverged:
        """Keep the fact that a run has diverged, and tell the listener."""
        found = Diverged(str(error))
        self.store.keep(key, found.as_dict())
        listener.run_done(title, f"diverged ({error})")
        return found

    def _export(self, run: SeededRun, model: WideDeep | MLPRanker) -> Ledger:
        """Write the bundle and return the ledger of its file; a bundle that is not asked for is removed again."""
        notes: dict[str, Any] = {"method": run.trial.title, "run": run.key, "training": run.tuned.as_dict()}
        notes |= self.notes
        with self.store.scratch() as folder:
            path = run.trial.bundle or folder / f"model{BUNDLE_SUFFIX}"
            save_bundle(
                path,
                model,
                self.dataset.schema,
                self.dataset.discretiser,
                label=str(self.dataset.label),
                notes=notes,
            )
            return load_model(path).ledger


def seeded_runs(trials: Sequence[Trial], chosen: Sequence[Tuned | Diverged]) -> list[SeededRun]:
    """Return the runs of trials for which something was chosen, one for each seed.

    Args:
        trials: What is trained.
        chosen: What was tuned for each trial, or why nothing could be.
    """
    return [
        SeededRun(trial, seed, tuned)
        for trial, tuned in zip(trials, chosen, strict=True)
        if isinstance(tuned, Tuned)
        for seed in range(trial.num_seeds)
    ]


def _is_bundle_of(path: Path, run: str) -> bool:
    try:
        return load_model(path).notes.get("run") == run
    except (FileAccessError, FileFormatError):  # gone or damaged: the run is made again
        return False


def _speed(trained: TrainResult) -> Speed:
    return Speed(trained.epochs, trained.steps, trained.steps_per_s, trained.train_s)


def _summary(quality: Quality, trained: TrainResult) -> str:
    return f"RCE {quality.rce:.3f}, AUC {quality.auc:.4f}, {trained.steps_per_s:.0f} steps/s"
