"""How long work tells its caller how far it is."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hybridhash.training import Progress


class Listener(Protocol):
    """Hears how far a command is; the command line draws bars from it."""

    def stage(self, name: str, done: int, total: int | None) -> None:
        """Hear how far a named stage is; the total may be unknown."""

    def step(self, name: str, done: int, total: int) -> None:
        """Hear how many runs of a step have ended; the name says what was done with them, such as ``tuned``."""

    def training(self, title: str, progress: "Progress") -> None:
        """Hear how far one training run is."""

    def run_done(self, title: str, summary: str) -> None:
        """Hear that a training run has ended, and how."""

    def note(self, text: str) -> None:
        """Hear something a reader of the results should know."""


class Silence:
    """A listener that does nothing."""

    def stage(self, name: str, done: int, total: int | None) -> None:
        """Ignore a stage."""

    def step(self, name: str, done: int, total: int) -> None:
        """Ignore a step."""

    def training(self, title: str, progress: "Progress") -> None:
        """Ignore a training run."""

    def run_done(self, title: str, summary: str) -> None:
        """Ignore an end."""

    def note(self, text: str) -> None:
        """Ignore a note."""
