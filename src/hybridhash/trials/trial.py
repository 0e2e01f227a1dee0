"""A trial, a model that is trained once per seed, and what became of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from hybridhash.planner import ModelBlueprint
from hybridhash.spec import Ledger
from hybridhash.trials.quality import Quality
from hybridhash.trials.runoff import Tuned

BUNDLE_SUFFIX: Final = ".hh"


@dataclass(frozen=True)
class Trial:
    """A model to tune, and to train once per seed.

    Attributes:
        title: What people read.
        key: Names its files among the finished runs; another model has another key.
        blueprint: The model before it has values; the hash functions of each run are those of its seed.
        num_seeds: How often it is trained, with the seeds from 0.
        bundle: The path that the model of seed 0 is exported to; None to measure its file and keep nothing.
        validate: Whether the validation slice judges it even where there is nothing to choose.
    """

    title: str
    key: str
    blueprint: ModelBlueprint
    num_seeds: int
    bundle: Path | None = None
    validate: bool = False

    @property
    def tuned_key(self) -> str:
        """The name of what the validation slice chose, among the finished runs."""
        return f"{self.key}-tuned"

    def run_key(self, seed: int) -> str:
        """The name of the run of a seed among the finished runs."""
        return f"{self.key}-seed{seed}"


@dataclass(frozen=True)
class Diverged:
    """Training diverged: a loss or a parameter was no finite number.

    Attributes:
        reason: One sentence.
    """

    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return {"diverged": self.reason}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Diverged | None":
        """Read what `as_dict` described; None where something else was kept."""
        return cls(kept["diverged"]) if "diverged" in kept else None


@dataclass(frozen=True)
class Speed:
    """How long training took.

    Attributes:
        epochs: Passes made.
        steps: Steps made.
        steps_per_s: Smoothed steps per second at the end.
        train_s: Seconds spent in training steps and loading their batches.
    """

    epochs: int
    steps: int
    steps_per_s: float
    train_s: float


@dataclass(frozen=True)
class Run:
    """One model, trained on the whole training span and judged on the test span.

    Attributes:
        quality: The quality of the shipped model.
        train: How long training took.
        ledger: Bytes of the exported file by purpose; seed 0 alone is exported.
    """

    quality: Quality
    train: Speed
    ledger: Ledger | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept of it."""
        kept = {"quality": asdict(self.quality), "train": asdict(self.train)}
        return kept if self.ledger is None else {**kept, "ledger": self.ledger.as_dict()}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Run | Diverged":
        """Read what `as_dict` described, of a run or of one that diverged."""
        return Diverged.of(kept) or cls(
            Quality(**kept["quality"]),
            Speed(**kept["train"]),
            Ledger(**kept["ledger"]) if "ledger" in kept else None,
        )


AnyRun = TypeVar("AnyRun")


@dataclass(frozen=True)
class Outcome(Generic[AnyRun]):
    """What became of a trial.

    Attributes:
        tuned: What the validation slice chose, or why nothing could be.
        runs: One for each seed; none where nothing could be chosen.
    """

    tuned: Tuned | Diverged
    runs: tuple[AnyRun | Diverged, ...] = ()

    @property
    def diverged(self) -> tuple[str, ...]:
        """The reasons of the runs that diverged, seed by seed; empty where none did."""
        if isinstance(self.tuned, Diverged):
            return (self.tuned.reason,)
        return tuple(
            f"seed {seed}: {run.reason}" for seed, run in enumerate(self.runs) if isinstance(run, Diverged)
        )

    @property
    def finished(self) -> tuple[AnyRun, ...]:
        """The runs that did not diverge, in the order of their seeds."""
        return tuple(run for run in self.runs if not isinstance(run, Diverged))


class Trained(Outcome[Run]):
    """What became of a trial that was judged on the test span."""

    @property
    def ledger(self) -> Ledger | None:
        """Bytes of the exported file of seed 0 by purpose; None where that run diverged."""
        first = self.runs[0] if self.runs else None
        return first.ledger if isinstance(first, Run) else None
