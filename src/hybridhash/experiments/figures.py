"""The figures of a trial, as results files have them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hybridhash.trials import Diverged, Layout, RunSettings, Trained


def measured(trained: Trained, layout: Layout, settings: RunSettings, baseline_bytes: int) -> dict[str, Any]:
    """Return the figures of a trial.

    Args:
        trained: What became of it.
        layout: The layout of seed 0.
        settings: How it was trained.
        baseline_bytes: Embedding bytes of the baseline.

    Returns:
        Bytes, qualities with means and standard deviations over the seeds, speed and settings. Where a seed
        has diverged: the reason, the bytes of the tables by their spec, settings, and no means.
    """
    if trained.diverged:
        return _measured_of_diverged(trained, layout, settings, baseline_bytes)
    runs, ledger = trained.finished, trained.ledger
    assert ledger is not None  # seed 0 is always exported

    def column(measure: str) -> list[float]:
        return [getattr(run.quality, measure) for run in runs]

    grouped = {}
    if settings.group is not None:
        grouped = {
            "gauc": column("gauc"),
            "gauc_mean": _mean(column("gauc")),
            "ndcg": column("ndcg"),
            "ndcg_mean": _mean(column("ndcg")),
            "groups": runs[0].quality.groups,
            "groups_left_out": runs[0].quality.groups_left_out,
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
        "train_steps_per_s": _mean([run.train.steps_per_s for run in runs]),
        "train_s": _mean([run.train.train_s for run in runs]),
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
        "rce": [run.quality.rce for run in trained.finished],
        "rce_mean": None,
        "rce_std": None,
        "settings": _settings_of(trained, layout, settings),
    }


def _settings_of(trained: Trained, layout: Layout, settings: RunSettings) -> dict[str, Any]:
    tables = [group.table for group in layout.spec.deep]
    tuned = {} if isinstance(trained.tuned, Diverged) else trained.tuned.as_dict()
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
        "validation_rce": tuned.get("validation_rce"),
    }


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _std(values: Sequence[float]) -> float:
    """Return the sample standard deviation; 0 for one value."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
