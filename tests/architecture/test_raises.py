"""What a caller sees of a mistake is an error of ours."""

import ast
import builtins
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "hybridhash"
# Python's own protocols ask for these by name.
OF_PYTHON = {"AttributeError", "KeyboardInterrupt", "NotImplementedError"}
# Raised for a caller of the same room, which turns them into ours.
CAUGHT_INSIDE = {
    "data/number_text.py": {"ValueError"},
    "data/values.py": {"TypeError", "ValueError"},
    "files/checked.py": {"OSError"},
    "files/whole.py": {"FileExistsError", "IsADirectoryError"},
}


def raised_built_ins(path: Path) -> list[tuple[int, str]]:
    """Return the lines that raise an exception of Python's own, and its name."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise):
            kind = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(kind, ast.Name) and hasattr(builtins, kind.id):
                found.append((node.lineno, kind.id))
    return found


def test_nothing_else_is_raised() -> None:
    others = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        allowed = OF_PYTHON | CAUGHT_INSIDE.get(name, set())
        others += [f"{name}:{line} {kind}" for line, kind in raised_built_ins(path) if kind not in allowed]
    assert not others
