"""How a model is trained."""

from dataclasses import asdict, dataclass
from typing import Any

from hybridhash.errors import InvalidValueError


@dataclass(frozen=True)
class TrainSettings:
    """The numbers of a training run.

    Attributes:
        optimizer: ``sgd``, ``adagrad`` or ``adam``.
        learning_rate: Step size, for tables and dense layers alike.
        batch_size: Rows in a step.
        epochs: Most passes over the training rows.
        patience: Passes without a better validation RCE after which training stops.
        seed: The seed of the order of rows.
        workers: Processes that train the model together without locks; see `hybridhash.training.Hogwild`.

    Raises:
        InvalidValueError: A count below one, or a seed below zero.
    """

    optimizer: str = "adagrad"
    learning_rate: float = 0.05
    batch_size: int = 1024
    epochs: int = 8
    patience: int = 1
    seed: int = 0
    workers: int = 1

    def __post_init__(self) -> None:
        for name in ("batch_size", "epochs", "patience", "workers"):
            if getattr(self, name) < 1:
                raise InvalidValueError(f"{name}: expected 1 or more, got {getattr(self, name)}")
        if self.seed < 0:
            raise InvalidValueError(f"seed: expected 0 or more, got {self.seed}")

    def epoch_seed(self, epoch: int) -> int:
        """Return the seed of the order of rows in a pass, which is counted from 0."""
        return self.seed * 1_000_003 + epoch

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, for JSON."""
        return asdict(self)
