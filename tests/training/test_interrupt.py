import signal
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from hybridhash.training.interrupt import uninterrupted


@pytest.fixture(autouse=True)
def handler_is_put_back() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    after = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)
    assert after is before


def test_holds_ctrl_c_back_to_the_end_of_the_block() -> None:
    reached: list[str] = []

    def work() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["the end"]


def test_raises_nothing_without_ctrl_c() -> None:
    with uninterrupted():
        pass


def test_calls_the_handler_that_was_there_once() -> None:
    calls: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: calls.append(number))
    with uninterrupted():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert calls == []
    signal.signal(signal.SIGINT, before)
    assert calls == [signal.SIGINT]


def test_leaves_an_ignored_signal_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    with uninterrupted():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, before)


def test_puts_the_handler_back_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), uninterrupted():
        1 / 0  # noqa: B018


def test_does_nothing_outside_the_main_thread() -> None:
    inside: list[Any] = []

    def work() -> None:
        with uninterrupted():
            inside.append(signal.getsignal(signal.SIGINT))

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert inside == [signal.getsignal(signal.SIGINT)]
