"""The kernels of every instruction set that this machine runs pass the tests that the best of them passes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hybridhash import _native

FOLDER = Path(__file__).parent
OTHERS = {"avx512": ["avx2", "plain"], "avx2": ["plain"], "plain": []}


def run(isa: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"HYBRIDHASH_ISA": isa},
        cwd=FOLDER.parents[1],
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("isa", OTHERS[_native.isa()])
def test_the_other_instruction_sets(isa: str) -> None:
    chosen = run(isa, "-c", "from hybridhash import _native; print(_native.isa())")
    assert chosen.stdout.strip() == isa, chosen.stderr
    tests = (
        "definition or loop or moves or patterns or rounded or on_the_way or wide or no_numbers "
        "or agree or of_numpy or same_bits"
    )
    files = [
        *FOLDER.glob("cpu/test_*.py"),
        *(FOLDER / f"test_{name}.py" for name in ("dictionaries", "native", "table")),
    ]
    result = run(
        isa, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-k", tests, *map(str, files)
    )
    assert result.returncode == 0, result.stdout[-3000:]


def test_an_unknown_instruction_set_fails_the_import() -> None:
    result = run("mmx", "-c", "from hybridhash import _native")
    assert result.returncode != 0
    assert "HYBRIDHASH_ISA: expected one of" in result.stderr
    assert "got 'mmx'" in result.stderr
