"""What stands around the package uses what anybody may use: names that the ``__init__`` of a room hands out."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
AROUND = ("benchmarks", "paper", "examples")
# Benchmarks of what no face hands out, and what says which build of the kernels runs.
INSIDE = {
    "benchmarks/hashing.py": {
        "hybridhash._native",
        "hybridhash.hashing.native",
        "hybridhash.hashing.reference",
    },
    "benchmarks/machine.py": {"hybridhash._native"},
}


def imported_names(path: Path) -> Iterator[str]:
    """Yield what a file imports of the package, with dots."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "hybridhash")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "hybridhash":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_public(name: str) -> bool:
    """Say whether a name is a room, a package in one, or what the ``__init__`` of such hands out."""
    if (SOURCE.joinpath(*name.split(".")) / "__init__.py").exists():
        return not name.rpartition(".")[2].startswith("_")
    module, _, member = name.rpartition(".")
    is_face = (SOURCE.joinpath(*module.split(".")) / "__init__.py").exists() or module == "hybridhash.errors"
    if not is_face:
        return False
    handed_out = getattr(import_module(module), "__all__", None)
    return member == "__version__" or handed_out is None or member in handed_out


def test_public_names_are_all_that_is_imported() -> None:
    beneath = []
    for folder in AROUND:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            strange = {one for one in imported_names(path) if not is_public(one)} - INSIDE.get(name, set())
            beneath += [f"{name} imports {one}" for one in sorted(strange)]
    assert not beneath


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("hybridhash.optim", True),
        ("hybridhash.kernels.reference", True),
        ("hybridhash.planner.lay_out", True),
        ("hybridhash.errors.DivergedError", True),
        ("hybridhash.__version__", True),
        ("hybridhash._native", False),
        ("hybridhash.trials.jobs", False),
        ("hybridhash.trials.jobs.run_jobs", False),
        ("hybridhash.planner.smallest_bytes", False),
    ],
)
def test_the_test_itself_tells_them_apart(name: str, public: bool) -> None:
    assert is_public(name) == public
