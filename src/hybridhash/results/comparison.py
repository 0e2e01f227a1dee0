"""``results.json``: methods side by side at one budget."""

from dataclasses import dataclass
from typing import ClassVar, Final

from hybridhash.planner import METHODS
from hybridhash.results.data import BudgetFacts
from hybridhash.results.figures import Collisions, Figures
from hybridhash.results.record import Record

REFERENCES: Final = tuple(name for name, method in METHODS.items() if not method.budgeted)
"""Methods that keep to no budget: yardsticks."""


@dataclass(frozen=True, kw_only=True)
class ComparedMethod(Figures):
    """One method.

    Attributes:
        name: Its name.
        collisions: Who shares rows; None where that was not looked at.
        bundle: File name of the exported model; None where training diverged.
    """

    name: str
    collisions: Collisions | None = None
    bundle: str | None = None


@dataclass(frozen=True, kw_only=True)
class Comparison(Record):
    """What ``hybridhash compare`` leaves.

    Attributes:
        budget: What the embeddings might take.
        methods: The methods in the order in which they were run.
    """

    FORMAT: ClassVar[str] = "hybridhash-results/1"

    budget: BudgetFacts
    methods: tuple[ComparedMethod, ...]

    def best_compressed(self) -> list[ComparedMethod]:
        """Return the methods other than full and baseline that have a mean RCE, best first.

        Methods of equal RCE keep their order.
        """
        compressed = [
            method for method in self.methods if method.name not in REFERENCES and method.rce_mean is not None
        ]
        return sorted(compressed, key=lambda method: -(method.rce_mean or 0.0))

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes, with those on the split and on what diverged."""
        return (
            *([self.data.note] if self.data.note else []),
            *self.notes,
            *(f"{method.name}: {reason}" for method in self.methods for reason in method.diverged),
        )
