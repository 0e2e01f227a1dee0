"""Whoever does not listen hears nothing."""

import pytest

from hybridhash.trials import Silence


def test_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    silence = Silence()
    silence.stage("read", 1, None)
    silence.run_done("a", "b")
    silence.note("c")
    assert capsys.readouterr() == ("", "")
