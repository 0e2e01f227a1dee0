"""Pieces of work in several processes; what they do stands here, where a fresh process can import it."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hybridhash.data import pickle_mapped
from hybridhash.data.keyed_rows import allocate
from hybridhash.errors import DataError, HybridHashError
from hybridhash.experiments import Listener, Silence
from hybridhash.trials.jobs import run_jobs


class Told(Silence):
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.runs: list[tuple[str, str]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def run_done(self, title: str, summary: str) -> None:
        self.runs.append((title, summary))


def square(task: int, listener: Listener) -> tuple[int, int, int]:
    listener.note(f"at {task}")
    listener.run_done(str(task), "done")
    return task**2, os.getpid(), torch.get_num_threads()


class Sum:
    def __init__(self, array: Any) -> None:
        self.array = array

    def __call__(self, task: int, listener: Listener) -> float:
        return float(self.array[task:].sum())


def wait_long() -> None:
    # A signal that comes just before a sleep does not end it.
    for _ in range(1200):
        time.sleep(0.05)


def fail(task: int, listener: Listener) -> int:
    if task == 1:
        raise DataError("rows: expected some, got none")
    wait_long()
    return task


def die(task: int, listener: Listener) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return task


def save_when_interrupted(task: str, listener: Listener) -> str:
    try:
        listener.note("started")
        wait_long()
    except KeyboardInterrupt:
        Path(task).write_text("saved")
        raise
    return task


def test_one_job_works_here_in_order() -> None:
    told = Told()
    found = run_jobs(square, [3, 1, 2], 1, told)
    assert [value for value, _, _ in found] == [9, 1, 4]
    assert {process for _, process, _ in found} == {os.getpid()}
    assert told.notes == ["at 3", "at 1", "at 2"]


def test_several_jobs_give_the_same_in_the_same_order_and_tell_all() -> None:
    told = Told()
    found = run_jobs(square, list(range(5)), 2, told)
    assert [value for value, _, _ in found] == [0, 1, 4, 9, 16]
    assert os.getpid() not in {process for _, process, _ in found}
    assert {threads for _, _, threads in found} == {max(torch.get_num_threads() // 2, 1)}
    assert sorted(told.notes) == [f"at {task}" for task in range(5)]
    assert sorted(told.runs) == [(str(task), "done") for task in range(5)]


def test_a_mapped_array_is_opened_again(tmp_path: Path) -> None:
    array = allocate(tmp_path / "a.npy", np.float64, (1000,))
    array[:] = np.arange(1000)
    assert len(pickle_mapped(Sum(array))) < 1000
    assert len(pickle_mapped(Sum(array[::2]))) > 4000, "a part of a file is sent"
    assert run_jobs(Sum(array), [0, 998], 2, Silence()) == [array.sum(), 1997]


def test_no_tasks() -> None:
    assert run_jobs(square, [], 2, Silence()) == []


def test_an_error_ends_all() -> None:
    started = time.monotonic()
    with pytest.raises(DataError, match="rows: expected some, got none") as caught:
        run_jobs(fail, [0, 1], 2, Silence())
    assert "in fail" in "".join(caught.value.__notes__), "where it happened is told"
    assert time.monotonic() - started < 40


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(HybridHashError, match="one ended with code -9"):
        run_jobs(die, [0, 1], 2, Silence())


def test_ctrl_c_lets_each_process_save(tmp_path: Path) -> None:
    started = threading.Semaphore(0)

    class Start(Silence):
        def note(self, text: str) -> None:
            started.release()

    def interrupt() -> None:
        started.acquire()
        started.acquire()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    files = [str(tmp_path / name) for name in ("a", "b")]
    with pytest.raises(KeyboardInterrupt):
        run_jobs(save_when_interrupted, files, 2, Start())
    assert [Path(file).read_text() for file in files] == ["saved", "saved"]
