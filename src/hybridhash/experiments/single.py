"""Train one model of one method and export it."""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict
from typing import Any, Final

from hybridhash.experiments.output import check_not_an_input, check_output_file, input_files
from hybridhash.experiments.settings import SingleSettings
from hybridhash.export import load_model, save_bundle
from hybridhash.files import check_free
from hybridhash.planner import parse_budget
from hybridhash.trials import (
    Listener,
    RunStore,
    build_of,
    check_group,
    fingerprint,
    fit,
    judge,
    lay_out,
    plan_tables,
    prepare_rows,
    tune,
    why_no_head,
    work_folder,
)

_NOT_OF_A_RUN: Final = {"out", "work_dir"}


def train_one(data: Sequence[str], settings: SingleSettings, listener: Listener) -> dict[str, Any]:
    """Tune and train one model on the training span, judge it on the test span, write its bundle.

    An interrupted run leaves its checkpoints in the folder ``OUT.runs`` beside the bundle; the same call goes
    on from there and removes them in the end.

    Args:
        data: Files, globs or folders.
        settings: What was asked for.
        listener: Hears how far it is.

    Returns:
        The quality on the test span, the bytes by part, and what was tuned.

    Raises:
        HybridHashError: The data, the settings or the output cannot be used.
    """
    check_output_file(settings.out)
    check_not_an_input([settings.out], input_files(data))
    store = RunStore(settings.out.with_name(settings.out.name + ".runs"))
    check_free(store.folder)
    with work_folder(settings) as work_dir, ExitStack() as held:
        prepared = prepare_rows(data, settings, work_dir, listener)
        dataset = prepared.dataset
        check_group(dataset.rows, settings.group)
        plans = plan_tables(dataset.schema, prepared.counts, settings)
        baseline_bytes = sum(plan.baseline_bytes() for plan in plans)
        budget_bytes = parse_budget(settings.budget, baseline_bytes)
        layout = lay_out(settings.method, plans, budget_bytes, settings, settings.seed)
        note = why_no_head(settings.method, plans, budget_bytes, settings)
        if note is not None:
            listener.note(note)
        key = fingerprint(prepared.files, settings.model_dump(mode="json", exclude=_NOT_OF_A_RUN))
        held.enter_context(store.open())
        build = build_of(layout, dataset.rows, settings)
        tuned = tune(
            build,
            dataset.rows,
            settings,
            lambda what, progress: listener.training(f"tune: {what}", progress),
            lambda rate, seed: store.checkpoint(f"tuned-{key}", f"rate{rate:g}-seed{seed}"),
        )
        listener.run_done("tuned", f"learning rate {tuned.learning_rate:g}, {tuned.epochs} epochs")
        fitted = fit(
            build,
            dataset.rows,
            settings,
            tuned,
            settings.seed,
            lambda progress: listener.training("train", progress),
            store.checkpoint(f"train-{key}"),
        )
        model = fitted.built.ship()
        quality = asdict(judge(model, dataset.rows, settings.group))
        save_bundle(
            settings.out,
            model,
            dataset.schema,
            dataset.discretiser,
            label=str(dataset.label),
            notes={"method": settings.method, "training": tuned.as_dict(), "test": quality},
        )
        store.remove_checkpoints()
    with suppress(OSError):  # something else lies in it
        store.folder.rmdir()
    ledger = load_model(settings.out).ledger
    return {
        "bundle": str(settings.out),
        "method": settings.method,
        "quality": quality,
        "tuned": tuned.as_dict(),
        "baseline_bytes": baseline_bytes,
        "embedding_bytes": ledger.embedding_bytes,
        "file_bytes": ledger.total_bytes,
        "ledger": ledger.as_dict(),
        "train_steps_per_s": fitted.result.steps_per_s,
        "skipped": dataset.skipped,
    }
