"""The rows that results were made from, feature by feature, and the budget."""

from collections.abc import Mapping
from dataclasses import dataclass

from hybridhash.errors import InvalidValueError


@dataclass(frozen=True)
class Curve:
    """How much traffic the most frequent keys of a feature have.

    Attributes:
        rank: Numbers of keys, rising.
        share: The share of the feature's traffic that so many most frequent keys have, in [0, 1].

    Raises:
        InvalidValueError: Not as many ranks as shares.
    """

    rank: tuple[int, ...] = ()
    share: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.rank) != len(self.share):
            raise InvalidValueError(
                f"expected as many ranks as shares, got {len(self.rank)} and {len(self.share)}"
            )


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature of the training span.

    Attributes:
        name: The column.
        kind: Such as ``categorical``, ``numeric``, ``list``, ``cross``.
        keys: Distinct keys.
        nulls: Occurrences without a value.
        null_share: The same as a share of all occurrences.
        singletons: Keys that occur once.
        unseen_share: Share of the test span's traffic with keys that the training span does not have.
        coverage: Share of the feature's traffic on its K most frequent keys, by K, which JSON keeps as text.
        head_rows: The fewest keys that cover 80 % of the traffic.
        curve: The same for all K.
    """

    name: str
    kind: str
    keys: int
    nulls: int
    null_share: float
    singletons: int
    unseen_share: float
    coverage: Mapping[str, float]
    head_rows: int
    curve: Curve


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """The rows.

    Attributes:
        source: The files as a person would name them.
        rows: All rows.
        train_rows: Rows to learn from, without the validation slice.
        validation_rows: Rows that choose learning rate and passes.
        test_rows: Rows to be judged by.
        keys: Distinct keys of the training span, the validation slice included.
        positives: Rows with label 1.
        label: What is predicted.
        split: The split as it was asked for, which says where training ends.
        note: What was done where the split could not be made as asked; None or empty where it could.
        skipped: Rows that were left out, by reason.
        mean_label_test: Mean label of the test rows.
        best_reachable_rce: RCE of the process that made the labels, where it is known.
        features: The features in schema order.
    """

    source: str
    rows: int
    train_rows: int
    validation_rows: int
    test_rows: int
    keys: int
    positives: int
    label: str
    split: str
    note: str | None
    skipped: Mapping[str, int]
    mean_label_test: float
    best_reachable_rce: float | None
    features: tuple[Feature, ...]


@dataclass(frozen=True)
class BudgetFacts:
    """What the embeddings may take.

    Attributes:
        asked: The budget as it was typed.
        bytes: The same in bytes.
        baseline_bytes: Embedding bytes of the baseline, which a share is of if nothing else is said.
        full_bytes: Embedding bytes of the full tables, dictionaries included.
    """

    asked: str
    bytes: int
    baseline_bytes: int
    full_bytes: int
