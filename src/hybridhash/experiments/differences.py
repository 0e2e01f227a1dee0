"""Figures of runs over windows: means, and paired differences with their intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from hybridhash.metrics import mean_interval
from hybridhash.trials import Diverged, Followed, Layout, WindowRun


def describe_runs(followed: Followed, layout: Layout, baseline_bytes: int) -> dict[str, Any]:
    """Return the figures of one method over the windows.

    Args:
        followed: What became of it.
        layout: The layout of seed 0.
        baseline_bytes: Embedding bytes of the baseline.

    Returns:
        Bytes; ``rce`` by seed and window, None where a window has none; the mean of a seed over its windows, and
        mean and standard deviation of those over the seeds; settings. Where a seed diverged: no means.
    """
    embedding_bytes = layout.spec.ledger().embedding_bytes
    tables = [group.table for group in layout.spec.deep]
    runs = [run for run in followed.runs if isinstance(run, WindowRun)]
    figures = {
        measure: [[getattr(window, measure) for window in run.windows] for run in runs]
        for measure in ("rce", "log_loss")
    }
    of_seeds = [_mean(values) for values in figures["rce"]]
    has_means = bool(of_seeds) and not followed.diverged
    return {
        "embedding_bytes": embedding_bytes,
        "share_of_baseline": embedding_bytes / baseline_bytes,
        **figures,
        "rce_of_seeds": of_seeds,
        "rce_mean": float(np.mean(of_seeds)) if has_means else None,
        "rce_std": float(np.std(of_seeds, ddof=1)) if has_means and len(of_seeds) > 1 else None,
        "diverged": list(followed.diverged),
        "settings": {
            "num_head": sum(table.num_head for table in tables),
            "num_buckets": sum(table.num_buckets for table in tables),
            "num_hashes": tables[0].num_hashes,
            "combine": tables[0].combine,
            **({} if isinstance(followed.tuned, Diverged) else followed.tuned.as_dict()),
        },
    }


def compare_windows(reference: Mapping[str, Any], method: Mapping[str, Any]) -> dict[str, Any]:
    """Return the RCE of a method minus that of a reference, window by window and over all windows.

    The pairs are those of equal seeds, which saw the same rows in the same order. An interval is Student's t over
    the seeds' differences: it says how sure the figure is against another draw of initial values, order and
    hash functions on these very rows, and nothing of other rows.

    Args:
        reference: From `describe_runs`, with its ``name``.
        method: The same of another method.

    Returns:
        ``name`` and ``reference``; per window ``mean``, ``low`` and ``high`` (95 %; None with one seed), or None
        where it has no RCE; the same of the mean over windows; ``windows_above`` of ``windows_compared`` in which
        the mean difference is above 0. All None where either diverged.
    """
    names = {"name": method["name"], "reference": reference["name"]}
    if reference["rce_mean"] is None or method["rce_mean"] is None:
        nothing = dict.fromkeys(("mean", "low", "high", "windows", "windows_above", "windows_compared"))
        return {**names, **nothing}
    # [seeds, windows]; NaN where a window has no RCE.
    difference = np.array(method["rce"], dtype=np.float64) - np.array(reference["rce"], dtype=np.float64)
    by_window = [
        None if np.isnan(column).any() else asdict(mean_interval(column.tolist())) for column in difference.T
    ]
    over_windows = mean_interval(np.nanmean(difference, axis=1).tolist())
    known = [window for window in by_window if window is not None]
    return {
        **names,
        **asdict(over_windows),
        "windows": by_window,
        "windows_above": sum(window["mean"] > 0 for window in known),
        "windows_compared": len(known),
    }


def _mean(values: Sequence[float | None]) -> float:
    return float(np.mean([value for value in values if value is not None]))
