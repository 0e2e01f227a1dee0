"""What stands on a terminal while runs go on."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from hybridhash.cli import progress
from hybridhash.training import Progress

AT = Progress(
    epoch=1,
    epochs=2,
    rows=100_000,
    num_rows=200_000,
    steps_per_s=9.0,
    rows_per_s=12_345.6,
    remaining_s=65,
    rce=12.3,
)
WIDTH = 90


class Clock:
    """Seconds that pass when they are told to."""

    now = 100.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress.time, "monotonic", lambda: made.now)
    return made


def line(tell: Callable[[progress.TerminalListener], None], width: int = WIDTH) -> str:
    """Return what stands on a terminal at the end; it is one line that has room for all of its text."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    listener = progress.TerminalListener(console)
    tell(listener)
    with console.capture() as drawn:
        console.print(listener._bar.get_renderable())
    [only] = drawn.get().splitlines()
    assert len(only) <= width
    return " ".join(only.replace("━", "").replace("╸", "").replace("╺", "").split())


def test_a_run_alone(clock: Clock) -> None:
    assert (
        line(lambda listener: listener.training("train", AT))
        == "train epoch 1/2, 50%, 1:05 left at most, 12,346 rows/s, RCE 12.30"
    )


def test_a_run_of_a_step_says_how_long_the_step_takes(clock: Clock) -> None:
    """Three runs took 60 s, so the three that are left take 60 s, of which 10 have passed."""

    def tell(listener: progress.TerminalListener) -> None:
        listener.step("trained", 1, 7)
        listener.training("hybrid: seed 0", AT)
        clock.now += 60
        listener.step("trained", 4, 7)
        listener.run_done("hybrid: seed 0", "RCE 12")
        clock.now += 10
        listener.training("hybrid: seed 3", replace(AT, epochs=1, rows=150_000))

    assert line(tell) == "trained 4/7 about 0:50 left, hybrid: seed 3, epoch 1/1, 75%, 12,346 rows/s"


def test_runs_at_a_time_share_the_one_line_and_what_has_ended_is_forgotten(clock: Clock) -> None:
    def tell(*titles: str) -> str:
        def tell_all(listener: progress.TerminalListener) -> None:
            listener.stage("read", 5, 10)
            listener.step("tuned", 0, 8)
            for title in titles:
                listener.training(title, AT)

        return line(tell_all)

    one = "tuned 0/8 b, epoch 1/2, 50%, 12,346 rows/s, RCE 12.30"
    two = "tuned 0/8 2 runs at a time, 24,691 rows/s"
    assert tell("a", "a", "b", "b") == one
    assert tell("a", "b", "a", "b") == two
    assert tell("a", "b", "a", "c", "b") == two


def test_a_long_title_is_shortened_and_figures_that_have_no_room_are_left_out(clock: Clock) -> None:
    title = "two large features: compositional concat: learning rate 0.05, seed 2"
    assert line(lambda listener: listener.training(title, AT)).startswith(
        "two large features: compositional c… epoch 1/2, 50%"
    )
    narrow = line(lambda listener: listener.training(title, AT), width=56)
    assert narrow == "two large features: compositional c…"


def test_a_stage_tells_its_share_and_rows_their_rate(clock: Clock) -> None:
    def tell_read(listener: progress.TerminalListener) -> None:
        listener.stage("read", 0, 100)
        clock.now += 10
        listener.stage("read", 40, 100)

    def tell_score(listener: progress.TerminalListener) -> None:
        listener.stage("score", 1000, None)
        clock.now += 10
        listener.stage("score", 66_000, None)

    assert line(tell_read) == "read 40%, about 0:15 left"
    assert line(tell_score) == "score 66,000 rows, 6,500 rows/s"
