"""Change the source in one place at a time, by cosmic-ray, and see whether a test fails.

The mutants of a room are drawn at random, one a place, and listed in a record (CSV). A run fills one
column of the record with ``killed``, ``survived`` or ``ended``; it can be stopped, and goes on with the cells that
are empty. A second column shows whether other tests find the same mutants. Where the source has moved on since the
record was made, ``--base`` names the commit that its lines are of: a mutant is then made in the same line of today's
source, and is ``gone`` where that line has been changed.
"""

import argparse
import ast
import csv
import difflib
import os
import random
import re
import shutil
import subprocess
import sys
import sysconfig
from collections import defaultdict
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkResult

HERE = Path(__file__).parent
IDENTITY = ("module", "line", "operator", "occurrence")
WALL_LIMIT_S = 3000
Place = tuple[int, int]


def copied_package(folder: Path, native: Path) -> Path:
    """Return a copy of the package with its compiled extension, which the mutants are made in."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(
        "src/hybridhash", folder / "hybridhash", ignore=shutil.ignore_patterns("__pycache__", "*.so")
    )
    shutil.copy(native, folder / "hybridhash")
    return folder / "hybridhash"


def places_of_types(path: Path) -> list[tuple[Place, Place]]:
    """Return where the annotations of a file stand, which no test has to notice."""
    places = []
    for node in ast.walk(ast.parse(path.read_text())):
        names = ("annotation", "returns")
        for found in filter(None, (getattr(node, name, None) for name in names)):
            places.append(((found.lineno, found.col_offset), (found.end_lineno, found.end_col_offset)))
    return places


def possible(package: Path, room: str, session: Path) -> list[MutationSpec]:
    """Return all mutants of a room but those of annotations."""
    folder = package / room
    files = [path for path in sorted(folder.rglob("*.py")) if path.name != "__init__.py"]
    session.unlink(missing_ok=True)
    with use_db(session, WorkDB.Mode.create) as database:
        init(files, database, {})
        mutations = [mutation for item in database.work_items for mutation in item.mutations]
    types = {path: places_of_types(path) for path in files}
    return [
        mutation
        for mutation in mutations
        if not any(start <= mutation.start_pos < end for start, end in types[mutation.module_path])
    ]


def drawn(mutations: list[MutationSpec], number: int, seed: int) -> list[MutationSpec]:
    """Return at most one mutant of a place and kind: of `+` there are eleven, of a number two."""
    chance = random.Random(seed)
    by_place = defaultdict(list)
    for mutation in mutations:
        kind = mutation.operator_name.split("_")[0]
        by_place[mutation.module_path, mutation.start_pos, kind].append(mutation)
    places = sorted(by_place)
    chosen = chance.sample(places, min(number, len(places)))
    return [chance.choice(sorted(by_place[place], key=lambda m: m.operator_name)) for place in sorted(chosen)]


def identity(mutation: MutationSpec, package: Path) -> tuple[str, ...]:
    """Return the fields of `IDENTITY`."""
    module = mutation.module_path.relative_to(package).as_posix()
    return module, str(mutation.start_pos[0]), mutation.operator_name, str(mutation.occurrence)


def lines_since(base: str, module: str) -> tuple[str, dict[int, int]]:
    """Return the name that a file has today, and today's number of each line that it has kept.

    Args:
        base: The commit that the lines are of.
        module: The file's path below the package, at that commit.
    """
    old = f"src/hybridhash/{module}"
    renamed = re.search(rf"^R\d+\t{re.escape(old)}\t(.+)$", git("diff", "-M", "--name-status", base), re.M)
    new = Path(renamed[1] if renamed else old)
    if not new.exists():
        return module, {}
    before, now = git("show", f"{base}:{old}").splitlines(), new.read_text().splitlines()
    kept: dict[int, int] = {}
    for block in difflib.SequenceMatcher(a=before, b=now, autojunk=False).get_matching_blocks():
        kept |= {block.a + place + 1: block.b + place + 1 for place in range(block.size)}
    return new.relative_to("src/hybridhash").as_posix(), kept


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


def by_place(mutations: list[MutationSpec]) -> dict[tuple[str, int, str], list[MutationSpec]]:
    """Return the mutants of each operator in each line of each file, from left to right."""
    places = defaultdict(list)
    for mutation in sorted(mutations, key=lambda m: m.occurrence):
        module = mutation.module_path.as_posix().split("/hybridhash/", 1)[1]
        places[module, mutation.start_pos[0], mutation.operator_name].append(mutation)
    return places


def moved(base: str, room: str, work: Path, today: list[MutationSpec]) -> dict[tuple[str, ...], MutationSpec]:
    """Return the mutants of today's source by the identity that they had at another commit."""
    old_package = work / f"base-{room.replace('/', '-')}" / "hybridhash"
    shutil.rmtree(old_package.parent, ignore_errors=True)
    old_package.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", f"{base}:src/hybridhash"], check=True, capture_output=True)
    subprocess.run(["tar", "x", "-C", old_package], check=True, input=archive.stdout)
    now, files, found = by_place(today), {}, {}
    of_old = possible(old_package, room, work / f"base-{room.replace('/', '-')}.sqlite")
    for (module, line, operator), mutations in by_place(of_old).items():
        if module not in files:
            files[module] = lines_since(base, module)
        name, kept = files[module]
        for mutation, same in zip(mutations, now.get((name, kept.get(line, 0), operator), []), strict=False):
            found[identity(mutation, old_package)] = same
    return found


def read_record(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write_record(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def command_for(tests: list[str], limit_s: int) -> str:
    """Return the command that fails if a test does, or takes more seconds of a processor than the limit.

    It runs without site's files, an editable install among them.
    """
    pytest = "-m pytest -x -q -n0 --no-header --tb=line -p no:cacheprovider -p quick"
    return f"bash -c 'ulimit -t {limit_s}; exec {sys.executable} -S {pytest} {' '.join(tests)}'"


def outcome_of(result: WorkResult) -> str:
    """Return ``killed`` where a test failed, ``survived`` where none did, and ``ended`` where the run itself ended.

    Limits of time and whoever else ends a process leave no failing test, and show nothing of the tests.
    """
    if result.test_outcome == TestOutcome.SURVIVED:
        return "survived"
    return "killed" if re.search(r"^(FAILED|ERROR) ", result.output or "", re.M) else "ended"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("room", help="a folder of src/hybridhash")
    parser.add_argument("tests", nargs="*", help="what is run on every mutant (tests/ROOM)")
    parser.add_argument("--number", type=int, default=60, help="how many mutants are drawn for a new record")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument(
        "--record", type=Path, help="the mutants and what became of them (build/mutants/ROOM.csv)"
    )
    parser.add_argument("--run", default="outcome", help="the column of the record that is filled")
    parser.add_argument(
        "--python-path", default=sysconfig.get_path("purelib"), help="where the tests' libraries are"
    )
    parser.add_argument("--base", help="the commit that the lines of the record are of (today's source)")
    parser.add_argument("--native", type=Path, required=True, help="the compiled extension")
    options = parser.parse_args()

    work = Path("build/mutants").resolve()
    name = options.room.replace("/", "-")
    record = options.record or work / f"{name}.csv"
    package = copied_package(work / f"{name}-{options.run}", options.native)
    today = possible(package, options.room, work / f"{name}.sqlite")
    mutations = {identity(mutation, package): mutation for mutation in today}
    if options.base:
        mutations = moved(options.base, options.room, work, today)
    if record.exists():
        rows = read_record(record)
    else:
        chosen = drawn(list(mutations.values()), options.number, options.seed)
        rows = [dict(zip(IDENTITY, identity(mutation, package), strict=True)) for mutation in chosen]

    os.environ["PYTHONPATH"] = os.pathsep.join([str(package.parent), str(HERE), options.python_path])
    tests = options.tests or [f"tests/{options.room}"]
    if os.system(command_for(tests, 3600)) != 0:
        sys.exit("the tests fail on the source as it is")
    command = command_for(tests, 20 + 3 * int(os.times().children_user))
    for row in rows:
        row.setdefault(options.run, "")
    for row in (row for row in rows if not row[options.run]):
        mutation = mutations.get(tuple(row[field] for field in IDENTITY))
        if mutation is None:
            row[options.run] = "gone"
            continue
        result = mutate_and_test([mutation], command, WALL_LIMIT_S)
        row[options.run] = outcome_of(result)
        write_record(record, rows)
        with (work / f"{name}-{options.run}.log").open("a") as log:
            log.write(f"{row}\n{result.diff}\n{(result.output or '')[-600:]}\n\n")
    write_record(record, rows)
    rows = [row for row in rows if row[options.run] != "gone"]
    survivors = [row for row in rows if row[options.run] != "killed"]
    print(f"{len(rows) - len(survivors)} of {len(rows)} mutants of {options.room} are killed; these are not:")
    for row in survivors:
        print("  ", *(row[field] for field in IDENTITY))


if __name__ == "__main__":
    main()
