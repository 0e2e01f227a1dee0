"""The pages in docs/howto name the files that an extension touches, all of them and no other."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "howto"
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def files_of(page: str) -> dict[str, str]:
    """Return what a table of a page says of each file that it names."""
    text = (PAGES / page).read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `([\w/]+\.\w+)` \| (.+?) \|", text, re.M))


def names(path: Path, pattern: str) -> bool:
    return re.search(pattern, path.read_text(encoding="utf-8")) is not None


def test_adding_an_optimizer_touches_the_files_of_the_page() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("src", "tests", "benchmarks", "paper", "examples")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".pyi", ".cpp", ".hpp") and names(path, "RowWiseAdam|rowwise_adam")
    } - {Path(__file__).relative_to(ROOT).as_posix()}
    assert names(ROOT / "CHANGELOG.md", "RowWiseAdam")
    assert set(files_of("add-an-optimizer.md")) == found | {"CHANGELOG.md"}
    assert names(PAGES / "add-an-optimizer.md", rf"It took {NUMBERS[len(found) + 1]} files")


@pytest.mark.parametrize("page", ["add-an-optimizer.md", "add-a-dictionary.md"])
def test_each_file_of_a_page_has_what_the_page_says(page: str) -> None:
    for file, said in files_of(page).items():
        for code in re.findall(r"`([\w.]+)`", said):
            assert names(ROOT / file, re.escape(code)), (file, code)


def test_each_page_is_on_the_list() -> None:
    listed = re.findall(r"\]\(([\w-]+\.md)\)", (PAGES / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(path.name for path in PAGES.glob("*.md") if path.name != "README.md")
