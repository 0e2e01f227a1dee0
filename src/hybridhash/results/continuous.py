"""``continuous.json``: methods side by side on a stream, window by window."""

from dataclasses import dataclass
from typing import ClassVar

from hybridhash.results.data import BudgetFacts
from hybridhash.results.record import Record


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % interval.

    Attributes:
        mean: The mean over the seeds.
        low: Lower end; None with one seed.
        high: Upper end; None with one seed.
    """

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class WindowFacts:
    """One window of the stream.

    Attributes:
        start: Time of its beginning, in seconds.
        rows: Its rows.
        positives: Rows with label 1.
        best_reachable_rce: RCE of the process that made the labels, where it is known.
    """

    start: float
    rows: int
    positives: int
    best_reachable_rce: float | None


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """The tables of a method, and what the training span chose for it.

    Attributes:
        num_head: Keys with rows of their own, over all deep tables.
        num_buckets: Rows of the tail, over all deep tables.
        num_hashes: Tail rows that a key reads.
        combine: How they become one vector.
        learning_rate: The choice; None where all diverged.
        epochs: Passes over the training span.
        validation_rce: RCE on the validation slice; None where there was nothing to choose.
    """

    num_head: int
    num_buckets: int
    num_hashes: int
    combine: str
    learning_rate: float | None = None
    epochs: int | None = None
    validation_rce: float | None = None


@dataclass(frozen=True, kw_only=True)
class StreamedMethod:
    """One method over all windows.

    Attributes:
        name: Its name.
        embedding_bytes: Bytes of the embeddings as shipped, by their spec.
        share_of_baseline: The same as a share of the baseline's.
        rce: The RCE by seed and window, in per cent; None where a window does not have both labels.
        log_loss: The same in nats.
        rce_of_seeds: Mean over the windows of each seed.
        rce_mean: Mean of those; None where a seed diverged.
        rce_std: Their sample standard deviation; None with one seed.
        diverged: Why training of a seed left the finite numbers.
        settings: The settings that were used.
    """

    name: str
    embedding_bytes: int
    share_of_baseline: float
    rce: tuple[tuple[float | None, ...], ...]
    log_loss: tuple[tuple[float | None, ...], ...]
    rce_of_seeds: tuple[float, ...]
    rce_mean: float | None
    rce_std: float | None
    diverged: tuple[str, ...]
    settings: StreamSettings


@dataclass(frozen=True, kw_only=True)
class Difference:
    """RCE of a method minus that of the first one, seed by seed.

    Attributes:
        name: The method.
        reference: The first one.
        mean: Mean over windows and seeds; None, as all below, where either diverged.
        low: Lower end of its interval over the seeds.
        high: Upper end.
        windows: The same of each window; None where it has no RCE.
        windows_above: Windows in which the mean difference is above 0.
        windows_compared: Windows with an RCE.
    """

    name: str
    reference: str
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    windows: tuple[Interval | None, ...] | None = None
    windows_above: int | None = None
    windows_compared: int | None = None


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Methods side by side on a stream.

    Attributes:
        window: The span of a window, as it was typed.
        seeds: How often each method was trained.
        windows: The windows in the order of time.
        methods: The methods in the order in which they were run; the first is what the others are compared with.
        differences: One for each of the others.
    """

    window: str
    seeds: int
    windows: tuple[WindowFacts, ...]
    methods: tuple[StreamedMethod, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True, kw_only=True)
class Continuous(Record, Windows):
    """What ``hybridhash continuous`` leaves.

    Attributes:
        budget: What the embeddings might take.
    """

    FORMAT: ClassVar[str] = "hybridhash-continuous/1"

    budget: BudgetFacts
