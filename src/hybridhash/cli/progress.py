"""Progress on the terminal: a live line for all that goes on, and one for all that is done."""

import time
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from hybridhash.cli.common import say

if TYPE_CHECKING:
    from hybridhash.training import Progress as TrainingProgress

_STALE_S: Final = 1.5  # a bar that was not drawn for so long is of something that has ended


@dataclass
class _Line:
    """A bar, when it began, and when it was drawn last, in seconds of the monotonic clock."""

    task: TaskID
    since: float
    drawn: float


class TerminalListener:
    """Draws how far a command is, on standard error.

    On a terminal there is one moving bar, or one for each run that goes on; elsewhere only finished stages and
    runs are printed.

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
        self._lines: dict[str, _Line] = {}

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
        elapsed = time.monotonic() - self._lines[name].since if name in self._lines else 0.0
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
        now = time.monotonic()
        for name, line in list(self._lines.items()):
            if name != title and now - line.drawn > _STALE_S:
                self._bar.remove_task(self._lines.pop(name).task)
        if title not in self._lines:
            self._lines[title] = _Line(self._bar.add_task(title, total=total, text=text), now, now)
        self._lines[title].drawn = now
        self._bar.update(self._lines[title].task, completed=done, total=total, text=text)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
