"""The commands together."""

import shlex
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

from cyclopts import App, CycloptsError, Parameter
from cyclopts import ValidationError as FlagError

from hybridhash import __version__
from hybridhash.errors import InvalidValueError

COMMANDS: Final = {
    "compare": "Train a model with each compression method at one byte budget and set the results side by side.",
    "sweep": "Choose how many keys get rows of their own, then how few rows the others need, as the paper did.",
    "continuous": "Train methods on a first span, then on one window of time after the other, each predicted first.",
    "profile": "Describe the features of a data set: keys, nulls, how much the frequent ones cover, what is unseen.",
    "plan": "Choose the tables of a model at a byte budget, from counts alone, and say why.",
    "train": "Train one model with one method at a byte budget and export it.",
    "evaluate": "Measure an exported model on labelled rows.",
    "predict": "Write the probability of every row, in the order of the rows.",
    "inspect": "Say what a model, a packed table, a vocabulary or a checkpoint holds; the whole file is checked.",
    "generate": "Write a synthetic click log with a known teacher, to try things on.",
}
"""Each command, which is a function of a module of that name, and the first sentence of its help."""


def make_app(wanted: str | None = None) -> App:
    """Return the command line.

    Args:
        wanted: The command that will be called; the others are imported only where they are needed, since
            importing their settings takes longer than most of what is asked of a help page.
    """
    app = App(
        name="hybridhash",
        help="Make the embedding tables of a recommender a tenth of their size, and see what it costs.",
        version=__version__,
        help_format="markdown",
        suppress_keyboard_interrupt=False,
        default_parameter=Parameter(negative="", show_default=_default),
    )
    for name, summary in COMMANDS.items():
        module = f"{__package__}.{name}"
        if name == wanted:
            app.command(getattr(import_module(module), name))
        else:
            app.command(f"{module}:{name}", name=name, help=summary)
    app.register_install_completion_command(
        help="Install the completion of commands and flags for bash, zsh or fish."
    )
    return app


def run(arguments: Sequence[str]) -> None:
    """Parse and carry out a command line.

    Args:
        arguments: Without the program's name.

    Raises:
        InvalidValueError: The arguments are wrong.
        HybridHashError: The command could not be carried out.
    """
    app = make_app(arguments[0] if arguments else None)
    try:
        app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    except FlagError as error:
        raise InvalidValueError(_first_cause(error)) from error
    except CycloptsError as error:
        usage = f"see hybridhash {shlex.join(arguments[:1])} --help"
        raise InvalidValueError(f"{str(error).rstrip(' .')}; {usage}") from error


def _first_cause(error: BaseException) -> str:
    cause = error.__cause__
    if cause is None or not type(cause).__module__.startswith("pydantic"):
        return str(error)
    from hybridhash.experiments.settings import explain

    return explain(cause)  # type: ignore[arg-type]


def _default(value: Any) -> str | None:
    """Write a default as it would be typed."""
    if value is None or value == ():
        return None
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
