"""Train one model of one method and export it."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from hybridhash.experiments.budget import parse_budget
from hybridhash.experiments.fit import fit, judge, tune
from hybridhash.experiments.layout import lay_out, plan_tables
from hybridhash.experiments.prepare import prepare_rows, work_folder
from hybridhash.experiments.progress import Listener
from hybridhash.experiments.settings import SingleSettings
from hybridhash.export import load, save_bundle
from hybridhash.files import make_folder


def train_one(data: Sequence[str], settings: SingleSettings, listener: Listener) -> dict[str, Any]:
    """Tune and train one model on the training span, judge it on the test span, write its bundle.

    An interrupted run leaves ``OUT.checkpoint`` beside the bundle; the same call goes on from there.

    Args:
        data: Files, globs or folders.
        settings: What was asked for.
        listener: Hears how far it is.

    Returns:
        The quality on the test span, the bytes by part, and what was tuned.

    Raises:
        HybridHashError: The data, the settings or the output cannot be used.
    """
    with work_folder(settings) as work_dir:
        prepared = prepare_rows(data, settings, work_dir, listener)
        dataset = prepared.dataset
        if dataset.split.note:
            listener.note(dataset.split.note)
        plans = plan_tables(dataset.schema, prepared.counts, settings)
        baseline_bytes = sum(plan.baseline_bytes(settings) for plan in plans)
        budget_bytes = parse_budget(settings.budget, baseline_bytes)
        layout = lay_out(settings.method, plans, budget_bytes, settings, settings.seed)
        make_folder(settings.out.parent)
        checkpoint = settings.out.with_name(settings.out.name + ".checkpoint")
        tuned = tune(
            dataset, layout, settings, lambda what, progress: listener.training(f"tune: {what}", progress)
        )
        listener.run_done("tuned", f"learning rate {tuned.learning_rate:g}, {tuned.epochs} epochs")
        model, trained = fit(
            dataset,
            layout,
            settings,
            tuned,
            settings.seed,
            lambda progress: listener.training("train", progress),
            checkpoint,
        )
        quality = asdict(judge(model, dataset))
        choice = asdict(tuned) | {
            "validation_rce": None if math.isnan(tuned.validation_rce) else tuned.validation_rce
        }
        save_bundle(
            settings.out,
            model,
            dataset.schema,
            dataset.discretiser,
            label=str(dataset.label),
            notes={"method": settings.method, "training": choice, "test": quality},
        )
        checkpoint.unlink(missing_ok=True)
    ledger = load(settings.out).ledger
    return {
        "bundle": str(settings.out),
        "method": settings.method,
        "quality": quality,
        "tuned": choice,
        "baseline_bytes": baseline_bytes,
        "embedding_bytes": ledger.embedding_bytes,
        "file_bytes": ledger.total_bytes,
        "ledger": ledger.as_dict(),
        "train_steps_per_s": trained.steps_per_s,
        "skipped": dataset.skipped,
    }
