"""How far a training run has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hybridhash.training.interrupt import uninterrupted
from hybridhash.training.speed import StepRate


@dataclass
class TrainState:
    """How far a run has come; with the parameters, all that resuming needs.

    Attributes:
        worker_steps: Steps that each worker has done in the pass under way; one number without workers.
        epoch: Passes finished.
        steps: Steps done in all.
        train_s: Seconds spent in them.
        rate: Smoothed steps per second.
        validation_rce: One value per finished pass that was validated.
    """

    worker_steps: list[int]
    epoch: int = 0
    steps: int = 0
    train_s: float = 0.0
    rate: StepRate = field(default_factory=StepRate)
    validation_rce: list[float] = field(default_factory=list)

    @property
    def step_in_epoch(self) -> int:
        """Steps done in the pass under way, by all workers."""
        return sum(self.worker_steps)

    @property
    def best_epoch(self) -> int:
        """The pass with the best validation RCE, from 1; the last finished one without validation."""
        return int(np.argmax(self.validation_rce)) + 1 if self.validation_rce else self.epoch

    def count_step(self, seconds: float, worker: int = 0) -> None:
        """Take in one step that was made."""
        self.rate.update(seconds)
        self.train_s += seconds
        self.worker_steps[worker] += 1
        self.steps += 1

    def count_epoch(self, validation_rce: float | None) -> None:
        """Take in the end of a pass, with its validation RCE where it was validated."""
        with uninterrupted():
            self.epoch += 1
            self.worker_steps = [0] * len(self.worker_steps)
            if validation_rce is not None:
                self.validation_rce.append(validation_rce)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "TrainState":
        """Build the state that ``dataclasses.asdict`` described."""
        return cls(**{**fields, "rate": StepRate(**fields["rate"])})
