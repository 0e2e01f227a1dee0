"""`profile`: the features of a data set in numbers, from which a budget follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hybridhash.experiments.facts import feature_facts
from hybridhash.experiments.settings import ProfileSettings
from hybridhash.results import Feature
from hybridhash.spec import FLOAT_BYTES, KEY_BYTES
from hybridhash.trials import Listener, open_model


@dataclass(frozen=True, kw_only=True)
class ProfiledFeature(Feature):
    """One feature of the training span.

    Attributes:
        suggested_budget_bytes: Bytes of rows for the fewest keys that cover 80 % of the traffic.
    """

    suggested_budget_bytes: int


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What the features of a data set look like.

    Attributes:
        source: The files as a person would name them.
        rows: All rows.
        train_rows: Rows to learn from.
        test_rows: Later rows.
        positives: Rows with label 1.
        split: The split as it was asked for, which says where training ends.
        note: What was done where the split could not be made as asked.
        skipped: Rows that were left out, by reason.
        keys: Distinct keys of the rows to learn from.
        baseline_bytes: Embedding bytes of the baseline.
        budget_bytes: What the embeddings might take.
        features: The features in schema order.
    """

    source: str
    rows: int
    train_rows: int
    test_rows: int
    positives: int
    split: str
    note: str | None
    skipped: Mapping[str, int]
    keys: int
    baseline_bytes: int
    budget_bytes: int
    features: tuple[ProfiledFeature, ...]


def profile(data: Sequence[str], settings: ProfileSettings, listener: Listener) -> Profile:
    """Describe the features of a data set without training anything.

    Args:
        data: Files, globs or folders.
        settings: Columns, split, model size and budget.
        listener: Hears how far it is.

    Raises:
        HybridHashError: The data or the settings cannot be used.
    """
    row_bytes = FLOAT_BYTES * (settings.dim + (settings.model == "wide-deep")) + KEY_BYTES
    with open_model(data, settings, listener) as opened:
        dataset = opened.prepared.dataset
        budget = opened.budget(settings.asked)
        return Profile(
            source=opened.prepared.source,
            rows=dataset.num_rows,
            train_rows=dataset.split.num_train + dataset.split.num_validation,
            test_rows=dataset.split.num_test,
            positives=dataset.num_positives,
            split=str(dataset.split.split),
            note=dataset.note,
            skipped=dataset.skipped,
            keys=opened.prepared.counts.num_keys,
            baseline_bytes=budget.baseline_bytes,
            budget_bytes=budget.bytes,
            features=tuple(
                ProfiledFeature(**vars(feature), suggested_budget_bytes=feature.head_rows * row_bytes)
                for feature in feature_facts(opened.prepared)
            ),
        )
