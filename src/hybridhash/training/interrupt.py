"""Keep Ctrl-C out of the moments in which parameters and counters do not fit each other."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back a Ctrl-C (SIGINT) that comes inside the block until its end.

    Python raises ``KeyboardInterrupt`` between any two instructions, also between two parameters of one
    optimizer step. Outside the main thread, where Python raises none, nothing is done.

    Yields:
        Nothing.
    """
    if current_thread() is not main_thread():
        yield
        return
    held: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: held.append((number, frame)))
    try:
        yield
    finally:
        # None stands for a handler that was not installed from Python; it cannot be put back from here.
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
    if held and callable(before):
        before(*held[-1])
    elif held and before != signal.SIG_IGN:
        signal.raise_signal(signal.SIGINT)
