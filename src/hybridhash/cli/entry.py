"""Where the command starts: errors become one line and an exit code."""

import os
import re
import sys
from collections.abc import Sequence
from typing import Final

from hybridhash.errors import HybridHashError

EXIT_ERROR: Final = 2
EXIT_INTERRUPTED: Final = 130
_EXTRAS: Final = {
    "cli": ("cyclopts", "rich", "pydantic", "duckdb", "pyarrow"),
    "train": ("torch", "torchmetrics", "narwhals", "matplotlib", "jinja2", "markupsafe"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Without the program's name; those of the process if not given.

    Returns:
        0 when all went well, 2 when the arguments or the data cannot be used, 130 when interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        from hybridhash.cli.app import run

        run(given)
        sys.stdout.flush()
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        extra = next((extra for extra, packages in _EXTRAS.items() if package in packages), None)
        if extra is None:
            raise
        _say(f"expected {package} to be installed; run pip install 'hybridhash[{extra}]'")
        return EXIT_ERROR
    except HybridHashError as error:
        _say(str(error))
        return EXIT_ERROR
    except KeyboardInterrupt:
        _say("interrupted; commands that train go on from what was saved when they are run again")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader has gone, as in `| head`. What is still buffered goes nowhere, or Python complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _say(message: str) -> None:
    """Print one line; two spaces in the name of a column stay two."""
    line = re.sub(r"\s*\n\s*", " ", message.strip())
    print(f"hybridhash: {line}", file=sys.stderr)
