"""What the features look like, in numbers from which a budget follows."""

from collections.abc import Sequence
from typing import Any, Final

from hybridhash.experiments.settings import ProfileSettings
from hybridhash.planner import parse_budget
from hybridhash.spec import FLOAT_BYTES, KEY_BYTES
from hybridhash.trials import Listener, Prepared, plan_tables, prepare_rows, work_folder

_CURVE_POINTS: Final = 60


def profile(data: Sequence[str], settings: ProfileSettings, listener: Listener) -> dict[str, Any]:
    """Describe the features of a data set without training anything.

    Args:
        data: Files, globs or folders.
        settings: Columns, split, model size and budget.
        listener: Hears how far it is.

    Returns:
        Rows, keys, the bytes of baseline and budget, and a row per feature.

    Raises:
        HybridHashError: The data or the settings cannot be used.
    """
    with work_folder(settings) as work_dir:
        prepared = prepare_rows(data, settings, work_dir, listener)
        dataset = prepared.dataset
        plans = plan_tables(dataset.schema, prepared.counts, settings)
        baseline_bytes = sum(plan.baseline_bytes() for plan in plans)
        row_bytes = FLOAT_BYTES * (settings.dim + (settings.model == "wide-deep"))
        features = feature_rows(prepared)
        for row in features:
            row["suggested_budget_bytes"] = row["head_rows"] * (row_bytes + KEY_BYTES)
        return {
            "source": prepared.source,
            "rows": dataset.num_rows,
            "train_rows": dataset.split.num_train + dataset.split.num_validation,
            "test_rows": dataset.split.num_test,
            "positives": dataset.num_positives,
            "split": str(dataset.split.split),
            "note": dataset.note,
            "skipped": dataset.skipped,
            "keys": prepared.counts.num_keys,
            "baseline_bytes": baseline_bytes,
            "budget_bytes": parse_budget(settings.budget, baseline_bytes),
            "features": features,
        }


def feature_rows(prepared: Prepared) -> list[dict[str, Any]]:
    """Return a row per feature: keys, nulls, coverage, singletons, and the unseen share of the later span."""
    counts = prepared.counts
    unseen = counts.unseen_share(prepared.count_test())
    rows = []
    for feature, found in zip(prepared.dataset.schema.features, counts.profile(), strict=True):
        curve = counts.frequency_curve(feature.name, num_points=_CURVE_POINTS)
        rows.append(
            {
                "name": feature.name,
                "kind": feature.kind,
                "keys": found.num_keys,
                "nulls": found.num_nulls,
                "null_share": found.num_nulls / max(found.num_occurrences, 1),
                "singletons": found.num_singletons,
                "unseen_share": unseen[feature.name],
                "coverage": {
                    "1000": found.coverage_1k,
                    "10000": found.coverage_10k,
                    "100000": found.coverage_100k,
                },
                "head_rows": found.head_rows,
                "curve": {"rank": curve.ranks.tolist(), "share": curve.coverage.tolist()},
            }
        )
    return rows
