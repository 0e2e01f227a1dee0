"""Progress on the terminal: one live line, and a line for all that is done."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from hybridhash.cli.common import say

if TYPE_CHECKING:
    from hybridhash.training import Progress as TrainingProgress


class TerminalListener:
    """Draws how far a command is, on standard error.

    On a terminal there is one moving bar; elsewhere only finished stages and runs are printed.

    Args:
        console: Where to draw.
    """

    def __init__(self, console: Console) -> None:
        """Prepare the bar."""
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[text]}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._title = ""
        self._since = time.monotonic()

    def __enter__(self) -> Self:
        """Start drawing."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._bar.stop()

    def stage(self, name: str, done: int, total: int | None) -> None:
        """Draw a stage of reading."""
        elapsed = time.monotonic() - self._since if name == self._title else 0.0
        rate = f", {done / elapsed:,.0f}/s" if elapsed > 1 and done > 1 else ""
        left = (
            f", {_duration((total - done) * elapsed / done)} left" if total and done and elapsed > 1 else ""
        )
        of = f" of {total:,}" if total else ""
        self._draw(name, done, total, f"{done:,}{of}{rate}{left}")

    def training(self, title: str, progress: "TrainingProgress") -> None:
        """Draw a training run."""
        done = (progress.epoch - 1) * progress.num_rows + progress.rows
        text = (
            f"epoch {progress.epoch}/{progress.epochs}, {progress.rows:,} of {progress.num_rows:,} rows, "
            f"{progress.rows_per_s:,.0f} rows/s, {_duration(progress.remaining_s)} left at most, "
            f"RCE {progress.rce:.2f}"
        )
        self._draw(title, done, progress.epochs * progress.num_rows, text)

    def run_done(self, title: str, summary: str) -> None:
        """Print what a run came to."""
        say(self._console, f"{title}: {summary}")

    def note(self, text: str) -> None:
        """Print a note."""
        say(self._console, f"note: {text}")

    def _draw(self, title: str, done: int, total: int | None, text: str) -> None:
        if title != self._title or self._task is None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(title, total=total, text=text)
            self._title, self._since = title, time.monotonic()
        self._bar.update(self._task, completed=done, total=total, text=text)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
