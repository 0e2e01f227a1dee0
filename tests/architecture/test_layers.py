"""Each room imports only the rooms named for it, lazily or not."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "hybridhash"
MAY_IMPORT = {  # lowest first; see docs/design.md
    "errors": "",
    "_native": "",
    "files": "errors",
    "theory": "errors",
    "hashing": "errors theory _native",
    "packing": "errors",
    "kernels": "errors _native",
    "metrics": "errors",
    "optim": "errors kernels",
    "spec": "errors theory hashing packing",
    "data": "errors files hashing _native",
    "vocabulary": "errors files theory hashing data",
    "tables": "errors files hashing packing spec vocabulary _native",
    "planner": "errors theory hashing spec vocabulary tables",
    "embeddings": "errors hashing packing kernels optim spec vocabulary tables",
    "training": "errors files metrics data",
    "models": "errors packing optim spec vocabulary tables embeddings",
    "export": "errors files hashing packing spec vocabulary tables data embeddings",
    "results": "errors spec planner",
    "report": "errors files planner results",
    "trials": "errors files metrics optim spec vocabulary tables data planner embeddings training models export "
    "results",
    "experiments": "errors files theory hashing packing kernels metrics optim spec vocabulary tables data planner "
    "embeddings training models export results report trials",
    "cli": "errors files theory hashing packing kernels metrics optim spec vocabulary tables data planner "
    "embeddings training models export results report trials experiments",
    "__main__": "cli",
}
# What hands the public names out reads from any room that holds one.
FRONT_DOOR = "__init__"


def imported_rooms(path: Path) -> set[str]:
    """Return the rooms that a file names in an import or as text for ``import_module``."""
    parents = ("hybridhash", *path.relative_to(SOURCE).parts[:-1])
    dotted: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            dotted |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = parents[: len(parents) - node.level + 1] if node.level else ()
            module = ".".join([*base, *filter(None, [node.module])])
            dotted |= {f"{module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            dotted.add(node.value)
    return {name.split(".")[1] for name in dotted if name.startswith("hybridhash.")} & set(MAY_IMPORT)


def test_a_room_imports_only_what_it_may() -> None:
    surplus = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE)
        room = name.with_suffix("").parts[0]
        if room != FRONT_DOOR:
            allowed = {room, *MAY_IMPORT[room].split()}
            surplus += [f"{name} imports {other}" for other in sorted(imported_rooms(path) - allowed)]
    assert not surplus


def test_the_order_is_one() -> None:
    """Nothing may import what stands below it in the table."""
    seen: set[str] = set()
    for room, others in MAY_IMPORT.items():
        assert set(others.split()) <= seen, room
        seen.add(room)


def test_every_room_of_the_table_is_there() -> None:
    rooms = {
        path.stem
        for path in SOURCE.iterdir()
        if path.suffix in (".py", ".pyi") or (path / "__init__.py").exists()
    }
    assert rooms - {FRONT_DOOR} == set(MAY_IMPORT)


def test_imports_are_absolute() -> None:
    relative = [
        path.relative_to(SOURCE)
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative


def test_the_test_itself_sees_an_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every form."""
    (tmp_path / "spec").mkdir()
    path = tmp_path / "spec" / "new.py"
    path.write_text(
        "import hybridhash.data\n"
        "from hybridhash import errors\n"
        "def late():\n"
        "    from hybridhash.models.layers import dense_layers\n"
        "    from .. import cli\n"
        "    import_module('hybridhash.training.loop')\n"
    )
    monkeypatch.setattr(f"{__name__}.SOURCE", tmp_path)
    assert imported_rooms(path) == {"data", "errors", "models", "cli", "training"}


def test_the_page_of_the_design_says_the_same() -> None:
    """Each room stands there once, with the rooms that it may import."""
    page = (SOURCE.parents[1] / "docs" / "design.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \d \| `(\w+)` \| .* \| ([^|]*) \|$", page, re.MULTILINE)
    told = dict(rows)
    assert len(told) == len(rows)
    assert set(told) == set(MAY_IMPORT) - {"__main__"}
    for room, imports in told.items():
        if "all above" not in imports:
            assert set(re.findall(r"\w+", imports)) == set(MAY_IMPORT[room].split()), room
