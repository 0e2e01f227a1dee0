"""Several processes that train one model in shared memory, without locks."""

import os
import pickle
import signal
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess, current_process
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from hybridhash.data import KeyedRows, batch_indices, pickle_mapped
from hybridhash.errors import HybridHashError, InvalidValueError, WorkerError
from hybridhash.training.checkpoint import Saver
from hybridhash.training.interrupt import uninterrupted
from hybridhash.training.processes import process_context
from hybridhash.training.progress import RUNNING_ROWS, Reporter
from hybridhash.training.settings import TrainSettings
from hybridhash.training.state import TrainState
from hybridhash.training.step import device_of, diverged, train_step

Indices = npt.NDArray[np.int64]
Seconds = npt.NDArray[np.float64]

_POLL_S: Final = 0.05
_STOP_WITHIN_S: Final = 10.0  # a worker that has not ended by then is ended


@dataclass(frozen=True)
class _Board:
    """What the processes tell each other: tensors in shared memory, each float written by one process.

    Attributes:
        stop: uint8[1]: workers stop after their step once it is not 0.
        steps: int64[W], steps that each worker has done in this pass.
        ends: float64[W, S], when each step ended, in seconds of the clock that all processes share.
        predictions: float32[R, B], of the last steps; NaN where there is none.
        labels: float32[R, B], of the same rows.
    """

    stop: Tensor
    steps: Tensor
    ends: Tensor
    predictions: Tensor
    labels: Tensor


@dataclass(frozen=True)
class _Job:
    """What a worker is given once."""

    model: nn.Module
    optimizers: Sequence[Optimizer]
    rows: bytes  # pickled KeyedRows and indices
    settings: TrainSettings
    board: _Board
    number: int
    num_threads: int


class Hogwild:
    """Worker processes that train one model together: shared parameters, no locks.

    Parameters, buffers and the state of all optimizers lie in memory that the workers share; each worker
    takes every W-th batch of the pass and moves the rows in place, on its share of this process's torch
    threads. Two workers that move the same row at the same moment may lose a part of one move, which rarely
    happens with many rows and does little harm; it makes every run with more than one worker come out a
    little different. One worker makes the same steps as `hybridhash.training.train` without workers, bit
    for bit.

    The processes wait between passes. The first ones of a program take a few seconds to start, see
    `hybridhash.training.processes`. A script that uses them needs ``if __name__ == "__main__":`` around its own work.
    Shared memory is ``/dev/shm`` on Linux, which has to hold the model and the optimizers' state.

    Use it as a context manager: leaving it ends the processes. The model stays in shared memory.

    Args:
        model: The model, on the CPU, its tables moved by a fused optimizer (`hybridhash.optim`); changed in place.
        optimizers: The optimizers from `hybridhash.training.build_optimizers`; their state is changed in place.
        rows: All rows of the data set, as keys. Arrays that are memory-mapped files are opened again, all others
            copied to each worker.
        indices: int64[N], the rows to train on.
        settings: The numbers of the run, ``workers`` among them.

    Raises:
        InvalidValueError: A model on another device or with sparse gradients, or a process that may not start
            others, as one of several jobs.

    Source: Recht et al., "Hogwild!: A Lock-Free Approach to Parallelizing Stochastic Gradient Descent",
    2011; section 4.1.1 of Zhang et al. 2020 measures its global steps per second.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizers: Sequence[Optimizer],
        rows: KeyedRows,
        indices: Indices,
        settings: TrainSettings,
    ) -> None:
        """Move model and state into shared memory; `__enter__` starts the processes."""
        _refuse(model)
        model.share_memory()
        for optimizer in optimizers:
            _share_state(optimizer)
        self._model, self._optimizers, self._settings = model, optimizers, settings
        self._rows = pickle_mapped((rows, indices))
        num_steps = -(-indices.size // settings.batch_size)
        self._board = _new_board(settings, -(-num_steps // settings.workers))
        self._processes: list[BaseProcess] = []
        self._channels: list[Connection] = []
        self._busy: set[int] = set()

    def __enter__(self) -> Self:
        """Start the processes and wait until all are ready.

        Raises:
            WorkerError: One could not start.
        """
        context = process_context()
        num_threads = max(torch.get_num_threads() // self._settings.workers, 1)
        try:
            for number in range(self._settings.workers):
                ours, theirs = context.Pipe()
                job = _Job(
                    self._model,
                    self._optimizers,
                    self._rows,
                    self._settings,
                    self._board,
                    number,
                    num_threads,
                )
                process = context.Process(target=_work, args=(job, theirs), daemon=True)
                process.start()
                theirs.close()
                self._processes.append(process)
                self._channels.append(ours)
                self._busy.add(number)
            while self._busy:
                self._hear(timeout_s=None)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes."""
        self.close()

    def close(self) -> None:
        """End the processes, after the step that each is at."""
        self._board.stop.fill_(1)
        for channel in self._channels:
            channel.close()
        give_up_at = time.monotonic() + _STOP_WITHIN_S
        for process in self._processes:
            process.join(max(give_up_at - time.monotonic(), 0.0))
            if process.is_alive():
                process.kill()
                process.join()
        self._processes, self._channels = [], []
        self._busy.clear()

    def make_steps(
        self, state: TrainState, reporter: Reporter | None = None, saver: Saver | None = None
    ) -> Seconds:
        """Make the steps that are left of the pass under way, and count them.

        Args:
            state: How far the run is; changed in place, also when Ctrl-C interrupts the pass.
            reporter: Told how far it is.
            saver: Saves now and then, while the workers pause.

        Returns:
            float64[steps], when each step ended, in seconds since the start, rising.

        Raises:
            DivergedError: A prediction is not a finite number.
            WorkerError: A worker has failed.
        """
        counted = _Counted(self._board, state)
        started = time.perf_counter()
        try:
            self._start(state)
            while self._busy:
                self._hear(_POLL_S)
                counted.update()
                if reporter is not None and reporter.is_due and counted.num_steps:
                    reporter.report(state, *_last_rows(self._board))
                if saver is not None and saver.is_due and self._busy:
                    self._pause()
                    counted.update()
                    saver.save()
                    counted.restart_clock()
                    self._start(state)
        except KeyboardInterrupt:
            with uninterrupted():
                self._pause()
                counted.update()
            raise
        return np.sort(np.concatenate(counted.ends)) - started

    def _start(self, state: TrainState) -> None:
        with uninterrupted():
            self._board.stop.zero_()
            for number, channel in enumerate(self._channels):
                try:
                    channel.send((self._settings.epoch_seed(state.epoch), state.worker_steps[number]))
                except BrokenPipeError:
                    raise self._died(number) from None
                self._busy.add(number)

    def _pause(self) -> None:
        self._board.stop.fill_(1)
        while self._busy:
            self._hear(_POLL_S)
            for number in self._busy:
                if not self._processes[number].is_alive() and not self._channels[number].poll():
                    raise self._died(number)

    def _hear(self, timeout_s: float | None) -> None:
        """Take what workers say; a worker says None when it has done what it was told."""
        waiting = {self._channels[number]: number for number in self._busy}
        for channel in wait(list(waiting), timeout_s):
            number = waiting[channel]  # type: ignore[index]
            # Heard and noted in one: after a Ctrl-C in between, `_pause` would wait for what was said already.
            with uninterrupted():
                try:
                    error = self._channels[number].recv()
                except (EOFError, ConnectionResetError):
                    raise self._died(number) from None
                if error is not None:
                    raise error
                self._busy.discard(number)

    def _died(self, number: int) -> WorkerError:
        process = self._processes[number]
        process.join()
        return WorkerError(
            f"worker {number}: expected it to train to the end, but it ended with code {process.exitcode} "
            "(-9 and -7: killed, perhaps for want of memory or of space in /dev/shm; 1: its own message stands "
            'above, often a script without `if __name__ == "__main__":`)'
        )


class _Counted:
    """Takes over what the workers write on the board into the state of the run.

    Attributes:
        ends: Arrays of the ends of the steps made, each rising.
        num_steps: Steps counted so far.
    """

    def __init__(self, board: _Board, state: TrainState) -> None:
        self._board, self._state = board, state
        board.steps.copy_(torch.tensor(state.worker_steps))
        self.restart_clock()
        self.ends: list[Seconds] = [np.empty(0)]
        self.num_steps = 0

    def restart_clock(self) -> None:
        """Let the next step begin now: what came before it was no step."""
        self._last = time.perf_counter()

    def update(self) -> None:
        """Count the steps made since the last call, in the order of their ends."""
        with uninterrupted():
            counts = self._board.steps.tolist()
            fresh = [
                (end, worker)
                for worker, (before, now) in enumerate(zip(self._state.worker_steps, counts, strict=True))
                for end in self._board.ends[worker, before:now].tolist()
            ]
            fresh.sort()
            for end, worker in fresh:
                # A step can end before one that was counted already; it then adds no time.
                self._state.count_step(max(end - self._last, 0.0), worker)
                self._last = max(end, self._last)
            self.ends.append(np.array([end for end, _ in fresh]))
            self.num_steps += len(fresh)


def _refuse(model: nn.Module) -> None:
    if current_process().daemon:
        raise InvalidValueError(
            "workers: expected a process that may start others, got one of several jobs; use one job or one worker"
        )
    if device_of(model).type != "cpu":
        raise InvalidValueError(f"workers: expected a model on the CPU, got one on {device_of(model)}")
    if any(getattr(module, "sparse", False) for module in model.modules()):
        raise InvalidValueError(
            "workers: expected tables that move their own rows, got sparse gradients; build the model with a "
            "fused optimizer, such as optimizer=hybridhash.optim.Adagrad(0.05)"
        )


def _share_state(optimizer: Optimizer) -> None:
    """Put an optimizer's state into shared memory, and make it first where the first step would."""
    if not optimizer.state:
        for parameter in _parameters(optimizer):
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()  # with gradients of zero: nothing moves
        optimizer.zero_grad()
        for state in optimizer.state.values():
            for value in state.values():
                value.zero_()
    for state in optimizer.state.values():
        for value in state.values():
            value.share_memory_()


def _parameters(optimizer: Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _new_board(settings: TrainSettings, steps_per_worker: int) -> _Board:
    num_recent = max(RUNNING_ROWS // settings.batch_size, 1)
    board = _Board(
        stop=torch.zeros(1, dtype=torch.uint8),
        steps=torch.zeros(settings.workers, dtype=torch.int64),
        ends=torch.zeros(settings.workers, steps_per_worker, dtype=torch.float64),
        predictions=torch.full((num_recent, settings.batch_size), torch.nan),
        labels=torch.full((num_recent, settings.batch_size), torch.nan),
    )
    for tensor in vars(board).values():
        tensor.share_memory_()
    return board


def _last_rows(board: _Board) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return predictions and labels of the last steps, as far as both are written."""
    predictions, labels = board.predictions.numpy().copy(), board.labels.numpy().copy()
    known = np.isfinite(predictions) & np.isfinite(labels)
    return predictions[known], labels[known]


def _work(job: _Job, channel: Connection) -> None:
    """Make steps whenever told to: what a worker process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, and stops the workers
    torch.set_num_threads(job.num_threads)
    parent = os.getppid()
    try:
        rows, indices = pickle.loads(job.rows)
        channel.send(None)
        while True:
            seed, num_done = channel.recv()
            _make_steps(job, rows, indices, seed, num_done, parent)
            channel.send(None)
    except (EOFError, BrokenPipeError):  # the parent has closed, or is gone
        return
    except Exception as error:
        channel.send(_portable(error, job.number))


def _make_steps(job: _Job, rows: KeyedRows, indices: Indices, seed: int, num_done: int, parent: int) -> None:
    board, settings, number = job.board, job.settings, job.number
    stop, steps, ends = board.stop.numpy(), board.steps.numpy(), board.ends.numpy()
    predictions_board, labels_board = board.predictions.numpy(), board.labels.numpy()
    batches = batch_indices(rows, indices, settings.batch_size, seed)
    mine = islice(enumerate(batches), number + num_done * settings.workers, None, settings.workers)
    job.model.train()
    device = device_of(job.model)
    for step, (place, chosen) in enumerate(mine, num_done):
        # A parent that is gone cannot say stop.
        if stop[0] or os.getppid() != parent:
            return
        batch = rows.take(chosen)
        predictions = train_step(job.model, job.optimizers, batch, device).numpy()
        if not np.isfinite(predictions).all():
            raise diverged(int(steps.sum()) + 1, settings, "a prediction is not a number")
        slot = place % len(predictions_board)
        predictions_board[slot, : predictions.size] = predictions
        labels_board[slot, : predictions.size] = batch.labels
        ends[number, step] = time.perf_counter()
        steps[number] = step + 1


def _portable(error: Exception, number: int) -> Exception:
    """Return an error that another process can raise; ours go as they are."""
    if isinstance(error, HybridHashError):
        return error
    return WorkerError(f"worker {number} failed:\n{''.join(traceback.format_exception(error))}")
