"""What stands on a terminal while runs go on."""

import io

import pytest
from rich.console import Console

from hybridhash.cli import progress
from hybridhash.training import Progress


def at(rows: int) -> Progress:
    return Progress(
        epoch=1, epochs=1, rows=rows, num_rows=100, steps_per_s=1.0, rows_per_s=9.0, remaining_s=5.0, rce=3.0
    )


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> progress.TerminalListener:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    return progress.TerminalListener(console)


def titles(listener: progress.TerminalListener) -> list[str]:
    return [task.description for task in listener._bar.tasks]


def test_runs_that_go_on_together_have_a_bar_each_and_what_has_ended_none(
    listener: progress.TerminalListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    listener.stage("read", 5, 10)
    listener.training("a: seed 0", at(10))
    now += progress._STALE_S + 0.1
    for rows in (20, 30, 40):
        listener.training("a: seed 0", at(rows))
        listener.training("b: seed 0", at(rows))
    assert titles(listener) == ["a: seed 0", "b: seed 0"]
    assert [task.completed for task in listener._bar.tasks] == [40, 40]
    now += progress._STALE_S + 0.1
    listener.training("b: seed 0", at(50))
    assert titles(listener) == ["b: seed 0"]


def test_a_stage_tells_its_rate_from_its_own_beginning(
    listener: progress.TerminalListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    listener.stage("read", 0, 100)
    now += 10
    listener.stage("read", 50, 100)
    [task] = listener._bar.tasks
    assert task.fields["text"] == "50 of 100, 5/s, 0:10 left"
