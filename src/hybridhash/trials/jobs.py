"""Independent pieces of work, one after another or in several processes at a time."""

import os
import pickle
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any, Final, TypeVar

import torch

from hybridhash.data import pickle_mapped
from hybridhash.errors import HybridHashError
from hybridhash.training import process_context
from hybridhash.trials.progress import Listener

if TYPE_CHECKING:
    from hybridhash.training import Progress

Task = TypeVar("Task")
Result = TypeVar("Result")

_RESULT: Final = "result"
_ERROR: Final = "error"
_WAIT_S: Final = 0.5  # a Ctrl-C that comes just before a wait is heard after it


def run_jobs(
    work: Callable[[Task, Listener], Result],
    tasks: Sequence[Task],
    num_jobs: int,
    listener: Listener,
    on_result: Callable[[int], None] = lambda num_done: None,
) -> list[Result]:
    """Do one piece of work per task, ``num_jobs`` at a time.

    With one job the work is done here, in order. With more, as many processes are started, which divide
    this process's torch threads and take the next task when they are free. At a batch size of 128 two
    processes of one thread are nearly twice as fast as one of two. Arrays that are memory-mapped files are
    not sent to them but opened again, so the files have to stay until the end.

    A Ctrl-C, or an error in one process, interrupts the others, which save what they would save alone.
    A script that asks for more than one job needs ``if __name__ == "__main__":`` around its call.

    Args:
        work: Called with a task and a listener; with more than one job it must be picklable.
        tasks: Picklable with more than one job.
        num_jobs: 1 or more.
        listener: Hears what the work tells; from several processes in turns.
        on_result: Called with the number of tasks that are done, after each of them.
    Returns:
        The results in the order of the tasks; they do not depend on ``num_jobs``.

    Raises:
        HybridHashError: A process ended without a result.
        Exception: What the work raises, the first to arrive.
    """
    num_jobs = min(num_jobs, len(tasks))
    if num_jobs <= 1:
        done: list[Result] = []
        for task in tasks:
            done.append(work(task, listener))
            on_result(len(done))
        return done
    results: dict[int, Result] = {}
    with _workers(work, num_jobs) as workers:
        waiting = iter(enumerate(tasks))
        for worker in workers:
            worker.take(next(waiting, None))
        while busy := {worker.channel: worker for worker in workers if worker.task is not None}:
            for channel in wait(list(busy), _WAIT_S):
                worker = busy[channel]  # type: ignore[index]
                what, value = worker.hear()
                if what == _RESULT:
                    assert worker.task is not None
                    results[worker.task] = value
                    on_result(len(results))
                    worker.take(next(waiting, None))
                elif what == _ERROR:
                    raise value
                else:
                    getattr(listener, what)(*value)
    return [results[number] for number in range(len(tasks))]


def make_missing(
    tasks: Mapping[str, Task],
    kept: Callable[[Task], Result | None],
    make: Callable[[Task, Listener], Result],
    num_jobs: int,
    listener: Listener,
    done_word: str,
) -> dict[str, Result]:
    """Return the result of every task: one that is kept, or one that is made now.

    Args:
        tasks: The tasks by their keys, so that equal ones are done once.
        kept: A function that returns what is kept of a task, or None.
        make: A function that does a task; see `run_jobs`.
        num_jobs: The number of tasks that are done at a time; see `run_jobs`.
        listener: The listener, which also hears how many tasks are done.
        done_word: What has been done with a task at its end, such as ``tuned``.

    Returns:
        The results by key.
    """
    found = {key: result for key, task in tasks.items() if (result := kept(task)) is not None}
    missing = {key: task for key, task in tasks.items() if key not in found}

    def tell(num_made: int) -> None:
        listener.step(done_word, len(found) + num_made, len(tasks))

    if missing:
        tell(0)
    made = run_jobs(make, list(missing.values()), num_jobs, listener, tell)
    return found | dict(zip(missing, made, strict=True))


@dataclass
class _Worker:
    """A process and the task it is at, by number."""

    process: BaseProcess
    channel: Connection
    task: int | None = None

    def take(self, task: tuple[int, Any] | None) -> None:
        self.task = None if task is None else task[0]
        if task is not None:
            self.channel.send(task[1])

    def hear(self) -> tuple[str, Any]:
        try:
            said: tuple[str, Any] = self.channel.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            raise HybridHashError(
                f"--jobs: expected a result from each process, but one ended with code {self.process.exitcode} "
                "(-9: killed, perhaps for want of memory); use fewer jobs, and run the command again to go on"
            ) from None
        return said


@contextmanager
def _workers(work: Callable[[Any, Listener], Any], num_workers: int) -> Iterator[list[_Worker]]:
    """Start processes that wait for tasks; in the end they are stopped as Ctrl-C would, and waited for."""
    context = process_context()
    pickled = pickle_mapped(work)
    num_threads = max(torch.get_num_threads() // num_workers, 1)
    workers: list[_Worker] = []
    try:
        for _ in range(num_workers):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(pickled, theirs, num_threads), daemon=True)
            process.start()
            theirs.close()
            workers.append(_Worker(process, ours))
        yield workers
    finally:
        for worker in workers:
            if worker.task is not None and worker.process.is_alive() and worker.process.pid is not None:
                os.kill(worker.process.pid, signal.SIGINT)
            worker.channel.close()
        for worker in workers:
            worker.process.join()


def _serve(pickled: bytes, channel: Connection, num_threads: int) -> None:
    """Take tasks until there are no more: what a process does."""
    # The terminal's Ctrl-C then reaches only the parent, which passes it on once.
    os.setpgid(0, 0)
    torch.set_num_threads(num_threads)
    relay = _Relay(channel)
    try:
        work = pickle.loads(pickled)
        while True:
            task = channel.recv()
            try:
                channel.send((_RESULT, work(task, relay)))
            except Exception as error:
                error.add_note(traceback.format_exc())
                channel.send((_ERROR, error))
    except (EOFError, BrokenPipeError, KeyboardInterrupt):  # the parent is done with us, or gone
        return


class _Relay:
    """A listener that passes all on to the parent."""

    def __init__(self, channel: Connection) -> None:
        self._channel = channel

    def stage(self, name: str, done: int, total: int | None) -> None:
        self._channel.send(("stage", (name, done, total)))

    def step(self, name: str, done: int, total: int) -> None:
        self._channel.send(("step", (name, done, total)))

    def training(self, title: str, progress: "Progress") -> None:
        self._channel.send(("training", (title, progress)))

    def run_done(self, title: str, summary: str) -> None:
        self._channel.send(("run_done", (title, summary)))

    def note(self, text: str) -> None:
        self._channel.send(("note", (text,)))
