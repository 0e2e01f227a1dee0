import builtins
from collections.abc import Callable
from typing import Any

import pytest

from hybridhash.cli import app, main
from hybridhash.errors import DataError


def test_a_message_of_several_lines_becomes_one(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(arguments: list[str]) -> None:
        raise DataError("a.csv, line 3:\n  expected  more")

    monkeypatch.setattr(app, "run", fail)
    ended = run("profile")
    assert (ended.code, ended.err) == (2, "hybridhash: a.csv, line 3: expected  more\n")


def test_an_error_of_our_own_making_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: list[str]) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(app, "run", fail)
    with pytest.raises(ZeroDivisionError):
        main(["profile"])


def test_names_what_is_not_installed(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_cyclopts(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "hybridhash.cli.app":
            raise ModuleNotFoundError("No module named 'cyclopts'", name="cyclopts")
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_cyclopts)
    ended = run("--help")
    assert ended.code == 2
    assert ended.err == "hybridhash: expected cyclopts to be installed; run pip install 'hybridhash[cli]'\n"
