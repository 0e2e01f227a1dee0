"""Progress on the terminal: one moving line for all that goes on, and one fixed line for each run that has ended."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from hybridhash.cli.common import say

if TYPE_CHECKING:
    from hybridhash.training import Progress as TrainingProgress

_SOON_S: Final = 2.0  # before that, a rate says nothing
_BAR: Final = 12  # characters
_LONGEST_TITLE: Final = 36


@dataclass
class _Step:
    """A step of a command that is counted: a stage of reading, or several tasks of training runs.

    Attributes:
        name: What is done.
        done: How much of it.
        total: Out of how much; None where that is unknown.
        since: When it was heard of first, in seconds of the monotonic clock.
        at_first: How much was done then.
        counted: When ``done`` grew last.
    """

    name: str
    done: int
    total: int | None
    since: float
    at_first: int
    counted: float


class TerminalListener:
    """Draws how far a command is, on standard error.

    On a terminal there is one moving line with one bar, which fits the width of the terminal. Elsewhere only the runs
    that have ended are printed, and notes.

    Args:
        console: The terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=_BAR),
            TextColumn("{task.fields[text]}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, text="", visible=False)
        self._stage: _Step | None = None
        self._step: _Step | None = None
        self._going: dict[str, TrainingProgress] = {}  # the runs that were heard of since the last one began
        self._silent: set[str] = set()  # the others, most of which have ended

    def __enter__(self) -> Self:
        """Start drawing."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the line away."""
        self._bar.stop()

    def stage(self, name: str, done: int, total: int | None) -> None:
        """Draw a stage of reading."""
        self._stage = step = _continued(self._stage, name, done, total)
        elapsed = time.monotonic() - step.since
        pieces = []
        if total is not None:
            pieces.append(f"{done / max(total, 1):.0%}")
        elif done:
            pieces.append(f"{done:,} rows")
            if elapsed > _SOON_S:
                pieces.append(f"{(done - step.at_first) / elapsed:,.0f} rows/s")
        self._draw(name, None if total is None else done / max(total, 1), [*pieces, *_left(step)])

    def step(self, name: str, done: int, total: int) -> None:
        """Hear how many runs of a step have ended."""
        self._step = _continued(self._step, name, done, total)

    def training(self, title: str, progress: "TrainingProgress") -> None:
        """Draw a training run, or all those that go on, and the step that they belong to."""
        if title not in self._going and title not in self._silent:
            self._silent.update(self._going)
            self._going.clear()
        self._silent.discard(title)
        self._going[title] = progress
        rate = sum(run.rows_per_s for run in self._going.values())
        ends = [f"{rate:,.0f} rows/s", f"RCE {progress.rce:.2f}"]
        pieces = [
            _shortened(title),
            f"epoch {progress.epoch}/{progress.epochs}",
            f"{progress.rows / progress.num_rows:.0%}",
        ]
        if len(self._going) > 1:
            pieces, ends = [f"{len(self._going)} runs at a time"], ends[:1]
        if self._step is None or self._step.total is None:
            done = (progress.epoch - 1) * progress.num_rows + progress.rows
            left = f"{_duration(progress.remaining_s)} left at most"
            self._draw(pieces[0], done / (progress.epochs * progress.num_rows), [*pieces[1:], left, *ends])
            return
        step, total = self._step, self._step.total
        self._draw(f"{step.name} {step.done}/{total}", step.done / total, [*_left(step), *pieces, *ends])

    def run_done(self, title: str, summary: str) -> None:
        """Print what a run came to."""
        say(self._console, f"{title}: {summary}")

    def note(self, text: str) -> None:
        """Print a note."""
        say(self._console, f"note: {text}")

    def _draw(self, before: str, share: float | None, pieces: Sequence[str]) -> None:
        """Draw the line with as many pieces as fit, the first ones first."""
        room = self._console.width - len(before) - _BAR - 3
        text = ""
        for piece in pieces:
            longer = f"{text}, {piece}" if text else piece
            if len(longer) > room:
                break
            text = longer
        self._bar.update(
            self._task,
            description=before,
            total=None if share is None else 1.0,
            completed=share or 0.0,
            text=text,
            visible=True,
        )


def _continued(step: _Step | None, name: str, done: int, total: int | None) -> _Step:
    """Return a step that has come further, or one that begins."""
    now = time.monotonic()
    if step is None or step.name != name or done < step.done:
        return _Step(name, done, total, now, done, now)
    return replace(step, done=done, total=total, counted=now if done > step.done else step.counted)


def _left(step: _Step) -> list[str]:
    """Return the time that a step will still take, by what it took so far; nothing where that says too little."""
    made, took = step.done - step.at_first, step.counted - step.since
    if step.total is None or made <= 0 or took <= _SOON_S:
        return []
    left_s = (step.total - step.done) * took / made - (time.monotonic() - step.counted)
    return [f"about {_duration(left_s)} left"]


def _shortened(title: str) -> str:
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
