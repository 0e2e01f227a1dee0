"""The tests mirror the source, path for path."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTHING_TO_TEST = {
    "__main__.py": "calls `cli.main`; tests/cli/test_process.py starts it",
    "data/progress.py": "the type of a callback",
    "results/continuous.py": "fields alone, which tests/experiments/test_prequential.py writes and reads",
}
OTHER_SUBJECTS = {
    "cli/test_bad_input.py": "every command refuses bad files and flags",
    "cli/test_extras.py": "commands with only some of the dependencies installed",
    "cli/test_names.py": "odd names of columns and files in every command",
    "cli/test_outputs.py": "outputs that would replace an input or each other",
    "cli/test_process.py": "commands as processes of their own",
    "data/test_init.py": "`data/__init__.py`",
    "data/test_one_value_one_key.py": "a value has one key on every way into the library",
    "embeddings/test_transforms.py": "torch.func on bags of every engine",
    "experiments/test_init.py": "`experiments/__init__.py`",
    "experiments/test_real_data.py": "the commands on real data sets",
    "export/test_tiers.py": "bundles whose tables have tiers",
    "hashing/test_benchmark.py": "benchmarks/hashing.py",
    "hashing/test_docs.py": "docs/hashing.md",
    "hashing/test_golden.py": "values that must never change, from a file",
    "hashing/test_growth.py": "what a look-up reads of a large dictionary",
    "kernels/test_dictionaries.py": "both engines on several dictionaries",
    "kernels/test_isa.py": "the compiled engine in each instruction set",
    "kernels/test_native.py": "kernels/cpu/*_module.cpp on raw arrays",
    "kernels/test_table.py": "kernels/cpu/table_module.cpp",
    "metrics/test_init.py": "`metrics/__init__.py`",
    "packing/test_golden.py": "values that must never change, from a file",
    "planner/test_methods_auto.py": "the method `auto` of planner/methods.py",
    "theory/test_docs.py": "docs/theory.md",
}


def sources(folder: Path) -> set[str]:
    """Return the paths of all modules of a folder."""
    return {
        path.relative_to(folder).as_posix() for path in folder.rglob("*.py") if path.name != "__init__.py"
    }


def files_of_tests(folder: Path) -> set[str]:
    """Return the paths of all files of tests in a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("test_*.py")}


def path_of_tests(source: str) -> str:
    """Return where the tests of a module are."""
    path = Path(source)
    return path.with_name(f"test_{path.name}").as_posix()


def test_every_module_has_its_tests() -> None:
    of_library = sources(ROOT / "src" / "hybridhash")
    missing = {source for source in of_library if path_of_tests(source) not in files_of_tests(ROOT / "tests")}
    assert sorted(missing) == sorted(NOTHING_TO_TEST), "expected a file of tests beside each module"


def test_every_file_of_tests_of_a_room_has_its_module() -> None:
    library = ROOT / "src" / "hybridhash"
    rooms = {path.name for path in library.iterdir() if path.is_dir()}
    mirrored = set(map(path_of_tests, sources(library)))
    of_rooms = {test for test in files_of_tests(ROOT / "tests") if test.split("/")[0] in rooms}
    assert sorted(of_rooms - mirrored) == sorted(OTHER_SUBJECTS), "expected a module of the same path"
