"""Every example runs: those of docstrings, the Python of the pages, and the command lines as far as they are typed."""

import doctest
import importlib
import re
import shlex
import shutil
from pathlib import Path

import pytest

from hybridhash.cli import main
from hybridhash.cli.app import make_app

app = make_app()
ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
app = make_app()
SMALL = ["--dim", "4", "--hidden", "8", "--epochs", "1", "--learning-rate", "0.05"]
WITH_EXAMPLES = sorted(path for path in SOURCE.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8"))
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "benchmarks").rglob("*.md")),
]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def python_of(page: Path) -> str:
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S))


def commands_of(page: Path) -> list[list[str]]:
    """Return the words of each command line of a page."""
    lines = re.findall(r"^    (hybridhash (?:.*\\\n)*.*)$", page.read_text(encoding="utf-8"), re.M)
    return [shlex.split(line.replace("\\\n", " "), comments=True)[1:] for line in lines]


@pytest.fixture(scope="module")
def workbench(clicks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the examples name: clicks.parquet, clicks/ and model.hh."""
    folder = tmp_path_factory.mktemp("workbench")
    (folder / "clicks").mkdir()
    for name in ("clicks.parquet", "clicks/1.parquet"):
        (folder / name).write_bytes(clicks.read_bytes())
    columns = "--label clicked --categorical user_id,ad_id,site --numeric price,age --list tags --time ts"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["train", "clicks.parquet", *columns.split(), *SMALL, "--out", "model.hh"]) == 0
    return folder


@pytest.fixture
def there(workbench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the workbench to work in, for examples write files too."""
    shutil.copytree(workbench, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=name_of)
def test_the_docstrings(path: Path, there: Path) -> None:
    """All of them: the finder misses what a decorator hides."""
    name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0
    assert outcome.attempted == len(re.findall(r"^\s*>>> ", path.read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize("page", [page for page in PAGES if python_of(page)], ids=name_of)
def test_the_python_of_a_page(page: Path, there: Path) -> None:
    """In the order of the page, so that a later block may use the names of an earlier one."""
    exec(compile(python_of(page), name_of(page), "exec"), {"__name__": "example"})


@pytest.mark.parametrize("page", [page for page in PAGES if commands_of(page)], ids=name_of)
def test_the_commands_of_a_page_can_be_typed(page: Path) -> None:
    for words in commands_of(page):
        app.parse_args(words, exit_on_error=False, print_error=False)


def test_the_commands_of_the_planner_run(there: Path) -> None:
    """A plan is an experiment file for the commands below it, each here on the smallest model."""
    plan, compare, train = commands_of(ROOT / "docs" / "planner.md")
    assert main([*plan, *SMALL]) == 0
    assert main([*train, *SMALL, "--method", "auto"]) == 0
    assert main([*compare, *SMALL, "--seeds", "1", "--out", "results"]) == 0
    assert (there / "results" / "report.html").exists()


def flags_of(command: str) -> set[str]:
    return {name for argument in app[command].assemble_argument_collection() for name in argument.names}


def test_the_flags_of_running_text_exist() -> None:
    """With the command beside them where the text names it; docs/decisions.md also tells of flags that were."""
    commands = {name: flags_of(name) for name in app if not name.startswith("-")}
    of_any = set().union(*commands.values())
    unknown = [
        f"{name_of(page)}: {code}"
        for page in PAGES
        if page.name != "decisions.md"
        for code in re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))
        for words in [code.removeprefix("hybridhash ").split()]
        if any(word.startswith("--") and word not in commands.get(words[0], of_any) for word in words)
    ]
    assert not unknown


def test_the_verbs_of_make_exist() -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    unknown = [
        f"{name_of(page)}: make {verb}"
        for page in PAGES
        for verb in re.findall(r"(?:`|^    )make ([a-z-]+)", page.read_text(encoding="utf-8"), re.M)
        if verb not in verbs
    ]
    assert not unknown
