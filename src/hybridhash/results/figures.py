"""The figures of one model, trained once per seed."""

from dataclasses import dataclass

from hybridhash.spec import Ledger


@dataclass(frozen=True)
class Shares:
    """How the rows that traffic reads are shared between keys; three shares of the traffic.

    Attributes:
        exclusive: Keys that share none of their rows.
        half_shared: Keys that share some of their rows.
        fully_shared: Keys that share all of their rows.
    """

    exclusive: float
    half_shared: float
    fully_shared: float


@dataclass(frozen=True)
class Collisions:
    """The shares that theory expects, and those that were counted.

    Attributes:
        predicted: The shares that are predicted from the counts alone.
        measured: The shares that are measured on the keys, under the real hash functions.
    """

    predicted: Shares
    measured: Shares


@dataclass(frozen=True, kw_only=True)
class UsedSettings:
    """What a model was and how it was trained.

    Attributes:
        num_head: Keys with rows of their own, over all deep tables.
        num_buckets: Rows of the tail, over all deep tables.
        num_hashes: Tail rows that a key reads.
        combine: How they become one vector.
        dim: Floats in a vector.
        tables: ``joint`` or ``per-feature``.
        model: ``wide-deep`` or ``mlp``.
        hidden: Widths of the hidden layers.
        optimizer: Its name.
        learning_rate: The rate that the validation slice chose; None where all diverged.
        epochs: Passes that it chose.
        batch_size: Rows in a step.
        validation_rce: RCE on the validation slice with that choice; None where there was nothing to choose.
    """

    num_head: int
    num_buckets: int
    num_hashes: int
    combine: str
    dim: int
    tables: str
    model: str
    hidden: tuple[int, ...]
    optimizer: str
    learning_rate: float | None
    epochs: int | None
    batch_size: int
    validation_rce: float | None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of one model, trained once per seed.

    Attributes:
        rows: Rows of the deep tables while they are trained.
        embedding_bytes: Bytes of the embeddings in the exported file, dictionary included.
        share_of_baseline: The same as a share of the baseline's.
        rce: Relative cross entropy on the test span, in per cent, of each seed that did not diverge.
        rce_mean: Mean over the seeds; None where one diverged.
        rce_std: Sample standard deviation over the seeds, 0 for one seed; None where one diverged.
        settings: The settings that were used.
        diverged: Why training of a seed left the finite numbers; empty where none did. The fields below are empty or
            None where one did.
        ledger: Bytes of the exported file by purpose.
        file_bytes: All of them.
        auc: The AUC of each seed.
        auc_mean: Mean over the seeds.
        log_loss: The log loss of each seed, in nats.
        log_loss_mean: Mean over the seeds.
        normalised_entropy_mean: Mean over the seeds.
        calibration_mean: Mean over the seeds.
        gauc: AUC within groups of each seed; empty where no group was named.
        gauc_mean: Mean over the seeds.
        ndcg: NDCG@10 within groups of each seed.
        ndcg_mean: Mean over the seeds.
        groups: How many groups these two are over.
        groups_left_out: Groups with one label only.
        train_steps_per_s: Mean over the seeds.
        train_s: Mean over the seeds.
    """

    rows: int
    embedding_bytes: int
    share_of_baseline: float
    rce: tuple[float, ...]
    rce_mean: float | None
    rce_std: float | None
    settings: UsedSettings
    diverged: tuple[str, ...] = ()
    ledger: Ledger | None = None
    file_bytes: int | None = None
    auc: tuple[float, ...] = ()
    auc_mean: float | None = None
    log_loss: tuple[float, ...] = ()
    log_loss_mean: float | None = None
    normalised_entropy_mean: float | None = None
    calibration_mean: float | None = None
    gauc: tuple[float, ...] = ()
    gauc_mean: float | None = None
    ndcg: tuple[float, ...] = ()
    ndcg_mean: float | None = None
    groups: int | None = None
    groups_left_out: int | None = None
    train_steps_per_s: float | None = None
    train_s: float | None = None

    @property
    def spread(self) -> float | None:
        """The standard deviation of the RCE; None where there are not two seeds to have one."""
        return self.rce_std if len(self.rce) > 1 else None
