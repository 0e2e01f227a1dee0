"""`train`: one model of one method is tuned, trained, judged and exported."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from typing import Final

from hybridhash.experiments.origin import NOTE, origin_of
from hybridhash.experiments.output import check_not_an_input, check_output_file, input_files
from hybridhash.experiments.settings import SingleSettings
from hybridhash.export import load_model, save_bundle
from hybridhash.files import check_free
from hybridhash.spec import Ledger
from hybridhash.trials import (
    Listener,
    Quality,
    RunStore,
    Tuned,
    build_of,
    check_group,
    fingerprint,
    fit,
    judge,
    open_model,
    tune,
)

_NOT_OF_A_RUN: Final = {"out", "work_dir"}


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A model that was trained, judged and exported.

    Attributes:
        bundle: The exported file.
        method: The method of its tables.
        quality: Measures on the test span.
        tuned: What the validation slice chose.
        baseline_bytes: Embedding bytes of the baseline.
        embedding_bytes: Embedding bytes of the exported file.
        file_bytes: All its bytes.
        ledger: The same by purpose.
        train_steps_per_s: Smoothed steps per second at the end.
        skipped: Rows that were left out, by reason.
    """

    bundle: str
    method: str
    quality: Quality
    tuned: Tuned
    baseline_bytes: int
    embedding_bytes: int
    file_bytes: int
    ledger: Ledger
    train_steps_per_s: float
    skipped: Mapping[str, int]


def train_one(data: Sequence[str], settings: SingleSettings, listener: Listener) -> TrainedModel:
    """Tune and train one model on the training span, judge it on the test span, write its bundle.

    An interrupted run leaves its checkpoints in the folder ``OUT.runs`` beside the bundle; the same call goes
    on from there and removes them in the end.

    Args:
        data: Files, globs or folders.
        settings: What was asked for.
        listener: Hears how far it is.

    Raises:
        HybridHashError: The data, the settings or the output cannot be used.
    """
    check_output_file(settings.out)
    check_not_an_input([settings.out], input_files(data))
    store = RunStore(settings.out.with_name(settings.out.name + ".runs"))
    check_free(store.folder)
    with open_model(data, settings, listener) as opened, ExitStack() as held:
        dataset = opened.prepared.dataset
        check_group(dataset.rows, settings.group)
        laid_out = opened.lay_out([settings.method], settings, listener)
        blueprint = laid_out.blueprints[settings.method].with_seed(settings.seed)
        key = fingerprint(opened.prepared.files, settings.model_dump(mode="json", exclude=_NOT_OF_A_RUN))
        held.enter_context(store.open())
        build = build_of(blueprint, dataset.rows, settings)
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
        quality = judge(model, dataset.rows, settings.group)
        save_bundle(
            settings.out,
            model,
            dataset.schema,
            dataset.discretiser,
            label=str(dataset.label),
            notes={
                "method": settings.method,
                "training": tuned.as_dict(),
                "test": asdict(quality),
                NOTE: origin_of(opened.prepared),
            },
        )
        store.remove_checkpoints()
    with suppress(OSError):  # something else lies in it
        store.folder.rmdir()
    ledger = load_model(settings.out).ledger
    return TrainedModel(
        bundle=str(settings.out),
        method=settings.method,
        quality=quality,
        tuned=tuned,
        baseline_bytes=laid_out.budget.baseline_bytes,
        embedding_bytes=ledger.embedding_bytes,
        file_bytes=ledger.total_bytes,
        ledger=ledger,
        train_steps_per_s=fitted.result.steps_per_s,
        skipped=dataset.skipped,
    )
