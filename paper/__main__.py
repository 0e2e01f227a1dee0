"""``python -m paper``: run the studies, keep their rows, write the report."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hybridhash import __version__
from hybridhash.errors import HybridHashError
from hybridhash.files import write_text
from paper.report import REPORT_FILE, write_paper_report
from paper.scale import FULL, SCALES, Scale
from paper.studies import NAMES, studies
from paper.study import SkippedError, Study

if TYPE_CHECKING:
    from hybridhash.training import Progress

ROOT: Final = Path(__file__).parents[1]
EXIT_FAILED: Final = 1
EXIT_INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the studies that are asked for, then write the report on all that have been run at this scale.

    Args:
        arguments: Of the command line; those of the process if not given.

    Returns:
        0; 1 where a study failed; 130 when interrupted. What was done is kept, and the next call goes on.
    """
    options = _parse(arguments)
    folder: Path = options.out
    folder.mkdir(parents=True, exist_ok=True)
    known = studies(options.data)
    printer = _Printer()
    failed = False
    for name in () if options.render else options.only:
        printer.say(f"{name}:")
        try:
            record = _run(name, known[name], folder, options.scale, printer)
        except KeyboardInterrupt:
            printer.say("interrupted; the same command goes on")
            return EXIT_INTERRUPTED
        failed |= "failed" in record
        printer.say(f"{name}: {record.get('failed') or record.get('skipped') or 'done'}")
    records = {name: _record(folder, name, options.scale) for name in known}
    footer = f"Made by hybridhash {__version__} with python -m paper at scale '{options.scale.name}'."
    write_paper_report(folder, known, records, footer)
    printer.say(f"written: {folder / REPORT_FILE}")
    return EXIT_FAILED if failed else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m paper", description="Reproduce the paper's section 4.")
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick",
        action="store_const",
        const=SCALES["quick"],
        dest="scale",
        default=FULL,
        help="reduced sizes: under ten minutes on two cores instead of an hour and a half",
    )
    size.add_argument(
        "--tiny",
        action="store_const",
        const=SCALES["tiny"],
        dest="scale",
        default=FULL,
        help="sizes for tests: shows that all runs, measures nothing",
    )
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="which studies to run")
    parser.add_argument(
        "--out", type=Path, help="folder of rows and report (paper/results; build/paper-quick with --quick)"
    )
    parser.add_argument("--data", type=Path, help="folder of the real data sets")
    parser.add_argument(
        "--render",
        action="store_true",
        help="write report and figures again from the rows that are kept; run nothing",
    )
    options = parser.parse_args(arguments)
    if options.out is None:
        full = options.scale is FULL
        options.out = ROOT / ("paper/results" if full else f"build/paper-{options.scale.name}")
    options.only = tuple(name for name in NAMES if name in options.only)
    return options


def _run(name: str, study: Study, folder: Path, scale: Scale, printer: "_Printer") -> dict[str, Any]:
    """Run one study, write its record and return it.

    A summary of the same scale stays when a later call is skipped, fails or is interrupted; the reason stands
    beside it. The seconds of all calls add up.
    """
    before = _record(folder, name, scale)
    record: dict[str, Any] = {"scale": scale.name}
    if "summary" in before:
        record["summary"] = before["summary"]
    started = time.monotonic()
    try:
        record["summary"] = study.run(folder, scale, printer)
    except SkippedError as reason:
        record["skipped"] = str(reason)
    except HybridHashError as error:
        record["failed"] = str(error)
    finally:
        record["seconds"] = round(before.get("seconds", 0.0) + time.monotonic() - started, 1)
        write_text(folder / f"{name}.json", json.dumps(record, indent=1, allow_nan=False) + "\n")
    return record


def _record(folder: Path, name: str, scale: Scale) -> dict[str, Any]:
    """Return what is kept of a study at this scale, or nothing."""
    path = folder / f"{name}.json"
    if not path.exists():
        return {}
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record if record["scale"] == scale.name else {}


class _Printer:
    """A listener that prints what has been done, one line each, on standard error."""

    def __init__(self) -> None:
        self._stage = ""

    def stage(self, name: str, done: int, total: int | None) -> None:
        if name != self._stage:
            self._stage = name
            self.say(f"  {name}")

    def step(self, name: str, done: int, total: int) -> None:
        pass

    def training(self, title: str, progress: "Progress") -> None:
        pass

    def run_done(self, title: str, summary: str) -> None:
        self.say(f"  {title}: {summary}")

    def note(self, text: str) -> None:
        self.say(f"  note: {text}")

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
