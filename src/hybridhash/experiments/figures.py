"""The figures of a trial in the form of results files: bytes, quality, spread, speed."""

from collections.abc import Mapping, Sequence

import numpy as np

from hybridhash.results import Figures, UsedSettings
from hybridhash.spec import ModelSpec
from hybridhash.trials import Diverged, RunSettings, Trained


def figures_of(trained: Trained, spec: ModelSpec, settings: RunSettings, baseline_bytes: int) -> Figures:
    """Return the figures of a trial.

    Args:
        trained: What became of it.
        spec: The tables of the model.
        settings: How it was trained.
        baseline_bytes: Embedding bytes of the baseline.

    Returns:
        Bytes, qualities with means and standard deviations over the seeds, speed and settings. Where a seed
        has diverged: the reason, the bytes of the tables by their spec, settings, and no means.
    """
    runs, ledger = trained.finished, trained.ledger
    used = _used(trained, spec, settings)
    rces = tuple(run.quality.rce for run in runs)
    if trained.diverged or ledger is None:
        embedding_bytes = spec.ledger().embedding_bytes
        return Figures(
            rows=spec.num_rows,
            embedding_bytes=embedding_bytes,
            share_of_baseline=embedding_bytes / baseline_bytes,
            rce=rces,
            rce_mean=None,
            rce_std=None,
            settings=used,
            diverged=trained.diverged,
        )
    qualities = [run.quality for run in runs]
    aucs = tuple(quality.auc for quality in qualities)
    losses = tuple(quality.log_loss for quality in qualities)
    gaucs = tuple(quality.gauc for quality in qualities if quality.gauc is not None)
    ndcgs = tuple(quality.ndcg for quality in qualities if quality.ndcg is not None)
    return Figures(
        rows=spec.num_rows,
        embedding_bytes=ledger.embedding_bytes,
        share_of_baseline=ledger.embedding_bytes / baseline_bytes,
        ledger=ledger,
        file_bytes=ledger.total_bytes,
        rce=rces,
        rce_mean=_mean(rces),
        rce_std=float(np.std(rces, ddof=1)) if len(rces) > 1 else 0.0,
        auc=aucs,
        auc_mean=_mean(aucs),
        log_loss=losses,
        log_loss_mean=_mean(losses),
        normalised_entropy_mean=_mean([quality.normalised_entropy for quality in qualities]),
        calibration_mean=_mean([quality.calibration for quality in qualities]),
        gauc=gaucs,
        gauc_mean=_mean(gaucs) if gaucs else None,
        ndcg=ndcgs,
        ndcg_mean=_mean(ndcgs) if ndcgs else None,
        groups=qualities[0].groups,
        groups_left_out=qualities[0].groups_left_out,
        train_steps_per_s=_mean([run.train.steps_per_s for run in runs]),
        train_s=_mean([run.train.train_s for run in runs]),
        settings=used,
    )


def edge_notes(trained: Mapping[str, Trained], rates: Sequence[float]) -> list[str]:
    """Name the trials whose learning rate lies at an end of the grid, beyond which a better one may lie.

    Args:
        trained: What became of each trial, by its title.
        rates: The grid.

    Returns:
        A sentence for each end that was chosen; nothing where the grid has one rate.
    """
    notes = []
    ends = ((min(rates), "smallest", "smaller"), (max(rates), "largest", "larger"))
    for rate, end, other in ends if len(set(rates)) > 1 else ():
        titles = [
            title
            for title, found in trained.items()
            if not isinstance(found.tuned, Diverged) and found.tuned.learning_rate == rate
        ]
        if titles:
            notes.append(
                f"{', '.join(titles)}: the validation slice chose learning rate {rate:g}, the {end} of those tried; "
                f"a {other} one may do better (--learning-rate)"
            )
    return notes


def _used(trained: Trained, spec: ModelSpec, settings: RunSettings) -> UsedSettings:
    tables = [group.table for group in spec.deep]
    tuned = {} if isinstance(trained.tuned, Diverged) else trained.tuned.as_dict()
    return UsedSettings(
        num_head=sum(table.num_head for table in tables),
        num_buckets=sum(table.num_buckets for table in tables),
        num_hashes=tables[0].num_hashes,
        combine=tables[0].combine,
        dim=tables[0].dim,
        tables=settings.tables,
        model=settings.model,
        hidden=settings.hidden,
        optimizer=settings.optimizer,
        learning_rate=tuned.get("learning_rate"),
        epochs=tuned.get("epochs"),
        batch_size=settings.batch_size,
        validation_rce=tuned.get("validation_rce"),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
