"""Figures of runs over windows: means, and paired differences with their intervals."""

from collections.abc import Sequence

import numpy as np

from hybridhash.metrics import MeanInterval, mean_interval
from hybridhash.results import Difference, Interval, StreamedMethod, StreamSettings
from hybridhash.spec import ModelSpec
from hybridhash.trials import Diverged, Followed, WindowRun


def figures_over_windows(
    name: str, followed: Followed, spec: ModelSpec, baseline_bytes: int
) -> StreamedMethod:
    """Return the figures of one method over the windows.

    Args:
        name: The method.
        followed: What became of it.
        spec: The tables of the model.
        baseline_bytes: Embedding bytes of the baseline.

    Returns:
        Bytes; RCE and log loss by seed and window; the mean of a seed over its windows, and mean and standard deviation
        of those over the seeds; settings. Where a seed diverged: no means.
    """
    embedding_bytes = spec.ledger().embedding_bytes
    tables = [group.table for group in spec.deep]
    runs = [run.windows for run in followed.runs if isinstance(run, WindowRun)]
    rce = tuple(tuple(window.rce for window in windows) for windows in runs)
    of_seeds = tuple(map(_mean, rce))
    has_means = bool(of_seeds) and not followed.diverged
    tuned = {} if isinstance(followed.tuned, Diverged) else followed.tuned.as_dict()
    return StreamedMethod(
        name=name,
        embedding_bytes=embedding_bytes,
        share_of_baseline=embedding_bytes / baseline_bytes,
        rce=rce,
        log_loss=tuple(tuple(window.log_loss for window in windows) for windows in runs),
        rce_of_seeds=of_seeds,
        rce_mean=float(np.mean(of_seeds)) if has_means else None,
        rce_std=float(np.std(of_seeds, ddof=1)) if has_means and len(of_seeds) > 1 else None,
        diverged=followed.diverged,
        settings=StreamSettings(
            num_head=sum(table.num_head for table in tables),
            num_buckets=sum(table.num_buckets for table in tables),
            num_hashes=tables[0].num_hashes,
            combine=tables[0].combine,
            **tuned,
        ),
    )


def compare_windows(reference: StreamedMethod, method: StreamedMethod) -> Difference:
    """Return the RCE of a method minus that of a reference, window by window and over all windows.

    The pairs are those of equal seeds, which saw the same rows in the same order. An interval is Student's t over
    the seeds' differences: it says how sure the figure is against another draw of initial values, order and
    hash functions on these very rows, and nothing of other rows.

    Args:
        reference: One method.
        method: Another one.

    Returns:
        The difference; nothing but the names where either diverged.
    """
    if reference.rce_mean is None or method.rce_mean is None:
        return Difference(name=method.name, reference=reference.name)
    # [seeds, windows]; NaN where a window has no RCE.
    difference = np.array(method.rce, dtype=np.float64) - np.array(reference.rce, dtype=np.float64)
    by_window = tuple(
        None if np.isnan(column).any() else _interval(mean_interval(column.tolist()))
        for column in difference.T
    )
    known = [window for window in by_window if window is not None]
    return Difference(
        name=method.name,
        reference=reference.name,
        **vars(mean_interval(np.nanmean(difference, axis=1).tolist())),
        windows=by_window,
        windows_above=sum(window.mean > 0 for window in known),
        windows_compared=len(known),
    )


def _interval(found: MeanInterval) -> Interval:
    return Interval(found.mean, found.low, found.high)


def _mean(values: Sequence[float | None]) -> float:
    return float(np.mean([value for value in values if value is not None]))
