"""What can be asked of a command: the same names on the command line and in an experiment file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, ValidationError

from hybridhash.data.column_names import suggest
from hybridhash.errors import InvalidValueError
from hybridhash.planner import METHODS
from hybridhash.spec import Combine
from hybridhash.trials.settings import (
    NAME_READERS,
    DataFormat,
    FitSettings,
    ModelSettings,
    Names,
    OpeningSettings,
    RunSettings,
    Settings,
    Words,
    split_list,
)

Amounts = Annotated[tuple[str, ...], BeforeValidator(lambda value: tuple(map(str, split_list(value))))]


class ScoreSettings(Settings):
    """Settings of ``hybridhash evaluate`` and ``hybridhash predict``, which know columns from the model."""

    format: DataFormat | None = None
    """A data set whose columns are known."""
    quote: str | None = None
    """What stands around fields of text: 'none', or a character; by default '"', between tabs only if lines show it."""


class PredictSettings(ScoreSettings):
    """Settings of ``hybridhash predict``."""

    keep: Names = ()
    """Columns of the input that are copied before the probability, such as ids, separated by commas."""


class EvaluateSettings(ScoreSettings):
    """Settings of ``hybridhash evaluate``."""

    label: str | None = None
    """What to compare with; what the model was trained on if not given."""
    weight: str | None = None
    """Column of row weights, 0 or more."""
    group: str | None = None
    """A categorical feature, such as the user, within which AUC (GAUC) and NDCG@10 are measured too."""


# Pydantic lists the fields of the last base first, and the help of a command follows it.
class ProfileSettings(ModelSettings, OpeningSettings):
    """Settings of ``hybridhash profile``."""


class PlanSettings(FitSettings):
    """Settings of ``hybridhash plan``."""

    tune: Annotated[int, Field(ge=0)] = 0
    """Plans to try by training, shipping and judging each on the validation slice; 0 takes the one predicted best."""
    out: Path | None = None
    """Experiment file to write, for compare, train and sweep; none if not given."""


class CompareSettings(FitSettings):
    """Settings of ``hybridhash compare``."""

    method: Words = tuple(METHODS)
    """The methods to compare."""
    seeds: Annotated[int, Field(ge=1)] = 3
    """How often each method is trained, with another seed each time."""
    jobs: Annotated[int, Field(ge=1)] = 1
    """Training runs at a time, each in a process with its share of the cores; results are the same."""
    out: Path = Path("results")
    """Folder for results.json, report.html and the exported models."""


class SweepSettings(RunSettings):
    """Settings of ``hybridhash sweep``."""

    top_k: Amounts = ("1%", "2%", "3%", "4%", "5%")
    """Numbers of frequent keys with rows of their own: counts, or shares of the distinct keys ('2%')."""
    buckets: Amounts = ("1/32", "1/16", "1/8", "1/4")
    """Hashed rows for all other keys: shares of the baseline's rows ('1/8', '2^-3'), or counts."""
    beside: Literal["hashed", "nothing"] = "hashed"
    """What stands beside each row: regular hashing at the same bytes, or nothing in half the time."""
    num_hashes: Annotated[int, Field(ge=1)] = 2
    """Hashed rows that a rare key reads."""
    combine: Combine = "sum"
    """How those rows become one vector."""
    seeds: Annotated[int, Field(ge=1)] = 5
    """How often each row is trained, with another seed each time."""
    jobs: Annotated[int, Field(ge=1)] = 1
    """Training runs at a time, each in a process with its share of the cores; results are the same."""
    out: Path = Path("sweep")
    """Folder for sweep.json, report.html and the finished runs."""


class ContinuousSettings(FitSettings):
    """Settings of ``hybridhash continuous``."""

    method: Words = ("baseline", "hybrid")
    """The methods to train; the first is what the others are compared with."""
    window: str = "1h"
    """Span of time that is predicted, then learned: seconds, minutes, hours or days ('900s', '15min', '1h', '1d')."""
    seeds: Annotated[int, Field(ge=1)] = 5
    """How often each method is trained, with another seed each time."""
    jobs: Annotated[int, Field(ge=1)] = 1
    """Training runs at a time, each in a process with its share of the cores; results are the same."""
    out: Path = Path("continuous")
    """Folder for continuous.json, report.html and the finished runs."""


class SingleSettings(FitSettings):
    """Settings of ``hybridhash train``."""

    method: str = "hybrid"
    """The method of the tables."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the initial values, the order of rows and the bucket hashes."""
    out: Path = Path("model.hh")
    """The exported model."""


AnySettings = TypeVar("AnySettings", bound=Settings)
_EVERY_NAME = {"data"} | {
    name
    for kind in (
        ProfileSettings,
        PlanSettings,
        CompareSettings,
        SweepSettings,
        ContinuousSettings,
        SingleSettings,
    )
    for name in kind.model_fields
}


def read_experiment(path: Path) -> dict[str, Any]:
    """Read an experiment file: TOML with the names of the flags, ``-`` or ``_`` alike.

    Args:
        path: The file.

    Returns:
        The settings by name; ``data`` holds the input files.

    Raises:
        InvalidValueError: The file cannot be read, is not TOML, or has an unknown name.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidValueError(
            f"{path}: expected an experiment file, cannot read it: {error.strerror}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidValueError(f"{path}: expected TOML, got: {error}") from error
    settings = {name.replace("-", "_"): value for name, value in content.items()}
    for name in settings:
        if name not in _EVERY_NAME:
            raise InvalidValueError(
                f"{path}: expected names of flags, got {name!r}{suggest(name, _EVERY_NAME)}"
            )
    if "data" in settings:
        data = settings["data"]
        settings["data"] = list(map(str, data if isinstance(data, list) else split_list(data)))
    return settings


def given_flags(flags: Settings) -> dict[str, Any]:
    """Return the flags that were given, by name, as an experiment file would hold them.

    Args:
        flags: Settings made of the texts on the command line, in which a list of names is one text per flag.

    Raises:
        InvalidValueError: A list of names cannot be read.
    """
    given = {name: getattr(flags, name) for name in sorted(flags.model_fields_set)}
    for name in NAME_READERS.keys() & given.keys():
        try:
            given[name] = tuple(found for text in given[name] for found in NAME_READERS[name](text))
        except InvalidValueError as error:
            raise InvalidValueError(f"--{name}: {error}") from error
    return given


def merge_settings(kind: type[AnySettings], file: Mapping[str, Any], flags: Mapping[str, Any]) -> AnySettings:
    """Put flags over an experiment file.

    Args:
        kind: The settings of the command; names in the file that it does not have are of other commands.
        file: The content of an experiment file from `read_experiment`, or empty.
        flags: The flags that were given, by name.

    Returns:
        The settings.

    Raises:
        InvalidValueError: A value cannot be used; the message names its flag.
    """
    known = {name: value for name, value in file.items() if name in kind.model_fields}
    try:
        settings = kind.model_validate({**known, **flags})
    except ValidationError as error:
        raise InvalidValueError(explain(error)) from error
    if isinstance(settings, ModelSettings):
        _ = settings.asked, settings.options  # refuses what cannot be read
    methods = getattr(settings, "method", ())
    for name in (methods,) if isinstance(methods, str) else methods:
        if name not in METHODS:
            raise InvalidValueError(f"--method: expected one of {', '.join(METHODS)}, got {name!r}")
    return settings


def explain(error: ValidationError) -> str:
    """Say in one line which flags cannot be used, and why."""
    problems = []
    for problem in error.errors():
        flag = "--" + str(problem["loc"][0]).replace("_", "-")
        message = problem["msg"][:1].lower() + problem["msg"][1:]
        problems.append(f"{flag}: {message}, got {problem['input']!r}")
    return "; ".join(problems)
