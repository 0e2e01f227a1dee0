"""The settings of a command: its flags over an experiment file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import Parameter

from hybridhash.experiments import merge_settings, read_experiment
from hybridhash.experiments.output import check_not_an_input
from hybridhash.experiments.settings import given_flags
from hybridhash.trials import Settings

AnySettings = TypeVar("AnySettings", bound=Settings)

Experiment = Annotated[
    Path | None, Parameter(help="Experiment file (TOML): the names of the flags; flags win.")
]


def settle(
    kind: type[AnySettings], data: Sequence[str], flags: Settings | None, experiment: Path | None
) -> tuple[list[str], AnySettings]:
    """Put flags over an experiment file.

    Args:
        kind: The settings of the command.
        data: Files named on the command line.
        flags: The flags that were given.
        experiment: An experiment file, or None.

    Returns:
        The files and the settings.
    """
    file = read_experiment(experiment) if experiment is not None else {}
    given = {} if flags is None else given_flags(flags)
    settings = merge_settings(kind, file, given)
    out = getattr(settings, "out", None)
    if out is not None and experiment is not None:
        check_not_an_input([out], [experiment])
    return list(data) or list(file.get("data", [])), settings
