"""The machine is the one that this runs on, as the system and Python name it themselves."""

import multiprocessing
import sys
from pathlib import Path

import pytest
import torch

from hybridhash.trials import describe_machine, machine


def test_it_is_this_machine() -> None:
    found = describe_machine()
    assert found.cores == multiprocessing.cpu_count()
    assert found.python == sys.version.split()[0]
    assert found.torch == torch.__version__
    assert found.cpu


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: Xeon 8\n",
            "Xeon 8 (family 6, model 85)",
        ),
        ("model name\t: Cortex\n", "Cortex"),
    ],
)
def test_the_name_has_the_numbers_that_tell_processors_apart(
    text: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(machine, "Path", lambda _: tmp_path / "cpuinfo")
    assert machine.processor_name() == name
