"""The page of the design says what each source file holds."""

import re
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "hybridhash"
PAGE = SOURCE.parents[1] / "docs" / "design.md"
SUFFIXES = {".py", ".pyi", ".cpp", ".hpp"}


def files_of_the_page() -> list[str]:
    """Return the files that the tables of the last chapter name, each with its room before it."""
    chapter = PAGE.read_text(encoding="utf-8").split("\n## The files\n")[1]
    named = []
    room = ""
    for line in chapter.splitlines():
        if line.startswith("### "):
            heading = re.fullmatch(r"### (?:`(\w+)`|Top)", line)
            assert heading is not None, line
            room = f"{heading[1]}/" if heading[1] else ""
        elif line.startswith("| `"):
            named += [f"{room}{name}" for name in re.findall(r"`([\w/]+\.\w+)`", line.split(" | ")[0])]
    return named


def test_each_source_file_stands_on_the_page_once() -> None:
    """Whoever adds a file adds its line to the table of its room."""
    there = [
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*")
        if path.suffix in SUFFIXES and path.name != "__init__.py"
    ]
    assert sorted(files_of_the_page()) == sorted(there)
