"""What all files of results have in common: version, command, machine, and facts on the rows of data."""

from datetime import UTC, datetime
from typing import TypedDict

import numpy as np

from hybridhash.data import TEST
from hybridhash.metrics import relative_cross_entropy
from hybridhash.results import Curve, DataFacts, Feature, Machine
from hybridhash.trials import DataSettings, Prepared

_CURVE_POINTS = 60


class Head(TypedDict):
    """The fields of a `hybridhash.results.Record`, but for its notes."""

    version: str
    command: str
    created: str
    machine: Machine
    data: DataFacts


def head_of(prepared: Prepared, settings: DataSettings, version: str, command: str) -> Head:
    """Return what a file of results begins with.

    Args:
        prepared: The rows.
        settings: How they were read.
        version: Version of this package.
        command: The command line, as the user typed it.
    """
    from hybridhash.trials import describe_machine  # it loads torch, which features do not need

    created = datetime.now(UTC).isoformat(timespec="seconds")
    data = data_facts(prepared, settings)
    return Head(version=version, command=command, created=created, machine=describe_machine(), data=data)


def data_facts(prepared: Prepared, settings: DataSettings) -> DataFacts:
    """Describe the rows; nothing is learned from the test rows that are looked at."""
    dataset = prepared.dataset
    test = dataset.rows.indices(TEST)
    labels = dataset.rows.labels[test]
    best = None
    if settings.reference:
        best = relative_cross_entropy(dataset.rows.extra[settings.reference][test], labels)
    return DataFacts(
        source=prepared.source,
        rows=dataset.num_rows,
        train_rows=dataset.split.num_train,
        validation_rows=dataset.split.num_validation,
        test_rows=dataset.split.num_test,
        keys=prepared.counts.num_keys,
        positives=dataset.num_positives,
        label=str(dataset.label),
        split=str(dataset.split.split),
        note=dataset.note,
        skipped=dataset.skipped,
        mean_label_test=float(labels.mean(dtype=np.float64)),
        best_reachable_rce=best,
        features=feature_facts(prepared),
    )


def feature_facts(prepared: Prepared) -> tuple[Feature, ...]:
    """Describe every feature: keys, nulls, coverage, singletons, and the unseen share of the later span."""
    counts = prepared.counts
    unseen = counts.unseen_share(prepared.count_test())
    found = []
    for feature, profile in zip(prepared.dataset.schema.features, counts.profile(), strict=True):
        curve = counts.frequency_curve(feature.name, num_points=_CURVE_POINTS)
        found.append(
            Feature(
                name=feature.name,
                kind=feature.kind,
                keys=profile.num_keys,
                nulls=profile.num_nulls,
                null_share=profile.num_nulls / max(profile.num_occurrences, 1),
                singletons=profile.num_singletons,
                unseen_share=unseen[feature.name],
                coverage={
                    "1000": profile.coverage_1k,
                    "10000": profile.coverage_10k,
                    "100000": profile.coverage_100k,
                },
                head_rows=profile.head_rows,
                curve=Curve(tuple(curve.ranks.tolist()), tuple(curve.coverage.tolist())),
            )
        )
    return tuple(found)
