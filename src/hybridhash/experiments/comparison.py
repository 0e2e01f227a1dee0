"""Train every method at one budget and set them side by side."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from hybridhash.data import TEST
from hybridhash.errors import InvalidValueError
from hybridhash.experiments.collisions import collision_shares
from hybridhash.experiments.figures import measured
from hybridhash.experiments.output import check_not_an_input, check_output_folder, input_files, output_folder
from hybridhash.experiments.profiling import feature_rows
from hybridhash.experiments.settings import CompareSettings
from hybridhash.files import write_text
from hybridhash.metrics import relative_cross_entropy
from hybridhash.planner import parse_budget
from hybridhash.report import RESULTS_FORMAT, write_report
from hybridhash.trials import (
    BUNDLE_SUFFIX,
    DataSettings,
    Listener,
    Prepared,
    Trial,
    TrialRunner,
    check_group,
    describe_machine,
    fingerprint,
    lay_out,
    plan_tables,
    prepare_rows,
    why_no_head,
    work_folder,
)

RESULTS_FILE: Final = "results.json"
REPORT_FILE: Final = "report.html"

# What changes neither a trained model nor its figures.
_NOT_OF_A_RUN: Final = {"out", "work_dir", "method", "seeds", "jobs"}


def compare(
    data: Sequence[str], settings: CompareSettings, listener: Listener, *, version: str, command: str
) -> dict[str, Any]:
    """Train each method once per seed on the training span, judge it on the test span, export it.

    Learning rate and number of passes are chosen per method on the validation slice of the training span.
    Finished runs are kept in ``out/runs``; a second call with the same data and settings takes them from
    there. A method whose training diverges is named, with the seed, and ends no other.

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
    bundles = {method: settings.out / f"{method}{BUNDLE_SUFFIX}" for method in methods}
    files = (settings.out / RESULTS_FILE, settings.out / REPORT_FILE)
    check_not_an_input([*bundles.values(), *files], input_files(data))
    with work_folder(settings) as work_dir, ExitStack() as held:
        prepared = prepare_rows(data, settings, work_dir, listener)
        plans = plan_tables(prepared.dataset.schema, prepared.counts, settings)
        baseline_bytes = sum(plan.baseline_bytes() for plan in plans)
        budget_bytes = parse_budget(settings.budget, baseline_bytes)
        layouts = {
            (method, seed): lay_out(method, plans, budget_bytes, settings, seed)
            for method in methods
            for seed in range(settings.seeds)
        }
        check_group(prepared.dataset.rows, settings.group)
        reasons = [why_no_head(method, plans, budget_bytes, settings) for method in methods]
        notes = [reason for reason in reasons if reason is not None]
        for note in notes:
            listener.note(note)
        store = held.enter_context(output_folder(settings.out))
        run_key = _run_key(prepared, settings)
        trials = [
            Trial(
                title=method,
                key=f"{method}-{run_key}",
                layouts=tuple(layouts[method, seed] for seed in range(settings.seeds)),
                bundle=bundles[method],
            )
            for method in methods
        ]
        trained = TrialRunner(prepared.dataset, settings, store, settings.jobs).attempt(trials, listener)
        rows = [
            {
                "name": trial.title,
                **measured(found, trial.layouts[0], settings, baseline_bytes),
                "collisions": collision_shares(plans, trial.layouts[0].spec),
                "bundle": None if found.diverged else f"{trial.title}{BUNDLE_SUFFIX}",
            }
            for trial, found in zip(trials, trained, strict=True)
        ]
        results = {
            "format": RESULTS_FORMAT,
            "version": version,
            "command": command,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": describe_machine(),
            "data": describe_data(prepared, settings),
            "budget": {"asked": settings.budget, "bytes": budget_bytes, "baseline_bytes": baseline_bytes},
            "notes": notes,
            "methods": rows,
        }
        write_text(settings.out / RESULTS_FILE, json.dumps(results, indent=1, allow_nan=False) + "\n")
        write_report(results, settings.out / REPORT_FILE)
    return results


def describe_data(prepared: Prepared, settings: DataSettings) -> dict[str, Any]:
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
        "note": dataset.note,
        "skipped": dataset.skipped,
        "mean_label_test": float(labels.mean(dtype=np.float64)),
        "best_reachable_rce": best,
        "features": feature_rows(prepared),
    }


def _run_key(prepared: Prepared, settings: CompareSettings) -> str:
    fields: Mapping[str, Any] = settings.model_dump(mode="json", exclude=_NOT_OF_A_RUN)
    return fingerprint(prepared.files, dict(fields))
