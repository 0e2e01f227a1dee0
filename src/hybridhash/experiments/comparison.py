"""Train every method at one budget and set them side by side."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from hybridhash.data import TEST
from hybridhash.errors import FileAccessError, FileFormatError, InvalidValueError
from hybridhash.experiments.budget import parse_budget
from hybridhash.experiments.collisions import collision_shares
from hybridhash.experiments.fit import Quality, Tuned, fit, judge, tune
from hybridhash.experiments.layout import Layout, TablePlan, lay_out, plan_tables
from hybridhash.experiments.machine import describe_machine
from hybridhash.experiments.output import check_output_folder
from hybridhash.experiments.prepare import Prepared, prepare_rows, work_folder
from hybridhash.experiments.profiling import feature_rows
from hybridhash.experiments.progress import Listener
from hybridhash.experiments.runs import RunStore, fingerprint
from hybridhash.experiments.settings import CompareSettings
from hybridhash.export import load, save_bundle
from hybridhash.files import make_folder, write_text
from hybridhash.metrics import relative_cross_entropy
from hybridhash.report import RESULTS_FORMAT, write_report
from hybridhash.training import TrainResult

RESULTS_FILE: Final = "results.json"
REPORT_FILE: Final = "report.html"
BUNDLE_SUFFIX: Final = ".hh"

# What changes neither a trained model nor its figures.
_NOT_OF_A_RUN: Final = {"out", "work_dir", "method", "seeds"}


def compare(
    data: Sequence[str], settings: CompareSettings, listener: Listener, *, version: str, command: str
) -> dict[str, Any]:
    """Train each method once per seed on the training span, judge it on the test span, export it.

    Learning rate and number of passes are chosen per method on the validation slice of the training span.
    Finished runs are kept in ``out/runs``; a second call with the same data and settings takes them from
    there.

    Args:
        data: Files, globs or folders.
        settings: What was asked for.
        listener: Hears how far it is.
        version: Of this package, for the results file.
        command: As the user typed it, for the results file.

    Returns:
        What was written to ``out/results.json``.

    Raises:
        HybridHashError: The data, the settings or the output folder cannot be used.
    """
    methods = list(dict.fromkeys(settings.method))
    if not methods:
        raise InvalidValueError("--method: expected one method or more, got none")
    check_output_folder(settings.out)
    with work_folder(settings) as work_dir:
        prepared = prepare_rows(data, settings, work_dir, listener)
        plans = plan_tables(prepared.dataset.schema, prepared.counts, settings)
        baseline_bytes = sum(plan.baseline_bytes() for plan in plans)
        budget_bytes = parse_budget(settings.budget, baseline_bytes)
        layouts = {
            (method, seed): lay_out(method, plans, budget_bytes, settings, seed)
            for method in methods
            for seed in range(settings.seeds)
        }
        make_folder(settings.out)
        make_folder(settings.out / "runs")
        comparison = _Comparison(
            prepared, plans, settings, listener, baseline_bytes, _run_key(prepared, settings)
        )
        rows = [
            comparison.method(method, [layouts[method, seed] for seed in range(settings.seeds)])
            for method in methods
        ]
        results = {
            "format": RESULTS_FORMAT,
            "version": version,
            "command": command,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": describe_machine(),
            "data": describe_data(prepared, settings),
            "budget": {"asked": settings.budget, "bytes": budget_bytes, "baseline_bytes": baseline_bytes},
            "methods": rows,
        }
    write_text(settings.out / RESULTS_FILE, json.dumps(results, indent=1, allow_nan=False) + "\n")
    write_report(results, settings.out / REPORT_FILE)
    return results


def describe_data(prepared: Prepared, settings: CompareSettings) -> dict[str, Any]:
    """Return the ``data`` part of a results file."""
    dataset = prepared.dataset
    test = dataset.rows.indices(TEST)
    labels = dataset.rows.labels[test]
    best = None
    if settings.reference:
        best = relative_cross_entropy(dataset.rows.extra[settings.reference][test], labels)
    return {
        "source": prepared.source,
        "rows": dataset.num_rows,
        "train_rows": dataset.split.num_train,
        "validation_rows": dataset.split.num_validation,
        "test_rows": dataset.split.num_test,
        "keys": prepared.counts.num_keys,
        "positives": dataset.num_positives,
        "label": str(dataset.label),
        "split": str(dataset.split.split),
        "note": dataset.split.note,
        "skipped": dataset.skipped,
        "mean_label_test": float(labels.mean(dtype=np.float64)),
        "best_reachable_rce": best,
        "features": feature_rows(prepared),
    }


@dataclass(frozen=True)
class _Comparison:
    """The state that all methods of one comparison share."""

    prepared: Prepared
    plans: Sequence[TablePlan]
    settings: CompareSettings
    listener: Listener
    baseline_bytes: int
    run_key: str

    @property
    def store(self) -> RunStore:
        """Finished runs."""
        return RunStore(self.settings.out / "runs")

    def method(self, name: str, layouts: Sequence[Layout]) -> dict[str, Any]:
        """Return the row of one method, trained once per layout; layout s is that of seed s."""
        tuned = self._tune(name, layouts[0])
        runs = [self._run(name, layout, tuned, seed) for seed, layout in enumerate(layouts)]
        bundle = self.settings.out / f"{name}{BUNDLE_SUFFIX}"
        ledger = load(bundle).ledger
        table = layouts[0].spec.deep

        def column(measure: str) -> list[float]:
            return [run["quality"][measure] for run in runs]

        return {
            "name": name,
            "rows": layouts[0].spec.num_rows,
            "embedding_bytes": ledger.embedding_bytes,
            "share_of_baseline": ledger.embedding_bytes / self.baseline_bytes,
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
            "train_steps_per_s": _mean([run["train"]["steps_per_s"] for run in runs]),
            "train_s": _mean([run["train"]["train_s"] for run in runs]),
            "settings": {
                "num_head": sum(group.table.num_head for group in table),
                "num_buckets": sum(group.table.num_buckets for group in table),
                "num_hashes": table[0].table.num_hashes,
                "combine": table[0].table.combine,
                "dim": table[0].table.dim,
                "tables": self.settings.tables,
                "model": self.settings.model,
                "hidden": list(self.settings.hidden),
                "optimizer": self.settings.optimizer,
                "learning_rate": tuned.learning_rate,
                "epochs": tuned.epochs,
                "batch_size": self.settings.batch_size,
                "validation_rce": tuned.as_dict()["validation_rce"],
            },
            "collisions": collision_shares(self.plans, layouts[0].spec),
            "bundle": bundle.name,
        }

    def _tune(self, name: str, layout: Layout) -> Tuned:
        key = f"{name}-tuned-{self.run_key}"
        kept = self.store.get(key)
        if kept is not None:
            return Tuned.from_dict(kept)

        def checkpoint_of(rate: float) -> Path:
            return self.store.path(f"{name}-rate{rate:g}-{self.run_key}", ".checkpoint")

        tuned = tune(
            self.prepared.dataset,
            layout,
            self.settings,
            lambda what, progress: self.listener.training(f"{name}: {what}", progress),
            checkpoint_of,
        )
        self.store.keep(key, tuned.as_dict())
        for rate in self.settings.learning_rate:
            checkpoint_of(rate).unlink(missing_ok=True)
        self.listener.run_done(
            f"{name}: tuned", f"learning rate {tuned.learning_rate:g}, {tuned.epochs} epochs"
        )
        return tuned

    def _run(self, name: str, layout: Layout, tuned: Tuned, seed: int) -> dict[str, Any]:
        key = f"{name}-seed{seed}-{self.run_key}"
        bundle = self.settings.out / f"{name}{BUNDLE_SUFFIX}"
        kept = self.store.get(key)
        if kept is not None and (seed > 0 or _is_bundle_of(bundle, key)):
            return kept
        dataset = self.prepared.dataset
        checkpoint = self.store.path(key, ".checkpoint")
        title = f"{name}: seed {seed}"
        model, trained = fit(
            dataset,
            layout,
            self.settings,
            tuned,
            seed,
            lambda progress: self.listener.training(title, progress),
            checkpoint,
        )
        quality = judge(model, dataset)
        if seed == 0:
            save_bundle(
                bundle,
                model,
                dataset.schema,
                dataset.discretiser,
                label=str(dataset.label),
                notes={"method": name, "run": key, "training": tuned.as_dict()},
            )
        run = {"quality": asdict(quality), "train": _train_row(trained)}
        self.store.keep(key, run)
        checkpoint.unlink(missing_ok=True)
        self.listener.run_done(title, _summary(quality, trained))
        return run


def _is_bundle_of(path: Path, run: str) -> bool:
    try:
        return load(path).notes.get("run") == run
    except (FileAccessError, FileFormatError):  # gone or damaged: the run is made again
        return False


def _run_key(prepared: Prepared, settings: CompareSettings) -> str:
    fields: Mapping[str, Any] = settings.model_dump(mode="json", exclude=_NOT_OF_A_RUN)
    return fingerprint(prepared.files, dict(fields))


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
