"""The commands together."""

import shlex
from collections.abc import Sequence
from typing import Any

from cyclopts import App, CycloptsError, Parameter
from cyclopts import ValidationError as FlagError
from pydantic import ValidationError

from hybridhash import __version__
from hybridhash.cli import (
    compare,
    continuous,
    evaluate,
    generate,
    inspect,
    plan,
    predict,
    profile,
    sweep,
    train,
)
from hybridhash.errors import InvalidValueError
from hybridhash.experiments.settings import explain


def _default(value: Any) -> str | None:
    """Write a default as it would be typed."""
    if value is None or value == ():
        return None
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


app = App(
    name="hybridhash",
    help="Make the embedding tables of a recommender a tenth of their size, and see what it costs.",
    version=__version__,
    help_format="markdown",
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(negative="", show_default=_default),
)
app.command(compare.compare)
app.command(sweep.sweep)
app.command(continuous.continuous)
app.command(profile.profile)
app.command(plan.plan)
app.command(train.train)
app.command(evaluate.evaluate)
app.command(predict.predict)
app.command(inspect.inspect)
app.command(generate.generate)


def run(arguments: Sequence[str]) -> None:
    """Parse and carry out a command line.

    Args:
        arguments: Without the program's name.

    Raises:
        InvalidValueError: The arguments are wrong.
        HybridHashError: The command could not be carried out.
    """
    try:
        app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    except FlagError as error:
        raise InvalidValueError(_first_cause(error)) from error
    except CycloptsError as error:
        usage = f"see hybridhash {shlex.join(arguments[:1])} --help"
        raise InvalidValueError(f"{' '.join(str(error).split())} ({usage})") from error


def _first_cause(error: BaseException) -> str:
    cause = error.__cause__
    return explain(cause) if isinstance(cause, ValidationError) else " ".join(str(error).split())
