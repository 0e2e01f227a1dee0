"""What can be asked of a command: the same names on the command line and in an experiment file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from hybridhash.data.schema import suggest
from hybridhash.errors import InvalidValueError
from hybridhash.planner import METHODS, check_budget, read_plan


def _split(value: Any) -> Any:
    """Read ``a,b`` as two items, wherever a list is expected."""
    items = value if isinstance(value, list | tuple) else [value]
    parts: list[Any] = []
    for item in items:
        parts += (
            [part.strip() for part in item.split(",") if part.strip()] if isinstance(item, str) else [item]
        )
    return tuple(parts)


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Amounts = Annotated[tuple[str, ...], BeforeValidator(lambda value: tuple(map(str, _split(value))))]
Texts = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
]
Widths = Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(_split)]
Rates = Annotated[
    tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...],
    BeforeValidator(_split),
    Field(min_length=1),
]


class Settings(BaseModel):
    """Base of all settings: unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class DataSettings(Settings):
    """Which columns are read, and how the rows are split."""

    format: Literal["criteo", "avazu", "movielens", "movietweetings"] | None = None
    """A data set whose columns, label and time are known; flags given beside it win."""
    label: str | None = None
    """What to predict: a column of 0 and 1, or a comparison such as 'rating>=8'."""
    categorical: Names = ()
    """Columns of ids, strings or integers, separated by commas."""
    numeric: Names = ()
    """Columns of numbers, which are cut into percentile bins."""
    list: Names = ()
    """Columns that hold lists of ids (in CSV: text with a separator)."""
    cross: Names = ()
    """Crosses, such as 'user_id*site'; --crosses says what reads them."""
    list_separator: str = "|"
    """What stands between the elements of a list in CSV."""
    time: str | None = None
    """Column that orders the rows: a number, a date or a timestamp."""
    weight: str | None = None
    """Column of row weights, 0 or more."""
    reference: str | None = None
    """Column of probabilities to set the RCE against: another model's, or a synthetic stream's true ones."""
    split: str = "time:0.8"
    """Where training ends: 'time:0.8', 'time:24h', 'random:0.8', 'column:NAME' or 'column:fold=5' (the test rows)."""
    validation_share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of the training span whose end (or a draw from which) tunes learning rate and epochs."""
    validation: str | None = None
    """The rows that tune instead, for a split by a column: training rows with a value, as 'column:fold=4'."""
    num_bins: Annotated[int, Field(ge=2, le=65536)] = 100
    """Percentile bins of a numeric column."""
    on_error: Literal["raise", "skip"] = "raise"
    """Whether a bad row ends the run or is left out and counted."""
    work_dir: Path | None = None
    """Folder for temporary files, about the size of the data; the system's own if not given."""


class ScoreSettings(Settings):
    """Settings of ``hybridhash evaluate`` and ``hybridhash predict``, which know columns from the model."""

    format: Literal["criteo", "avazu", "movielens", "movietweetings"] | None = None
    """A data set whose columns are known."""


class EvaluateSettings(ScoreSettings):
    """Settings of ``hybridhash evaluate``."""

    label: str | None = None
    """What to compare with; what the model was trained on if not given."""
    weight: str | None = None
    """Column of row weights, 0 or more."""
    group: str | None = None
    """A categorical feature, such as the user, within which AUC (GAUC) and NDCG@10 are measured too."""


class TableSettings(Settings):
    """The model and what its tables are, whatever says how large they are."""

    model: Literal["wide-deep", "mlp"] = "wide-deep"
    """Wide & deep, or a multilayer perceptron alone."""
    dim: Annotated[int, Field(ge=1)] = 16
    """Floats in the vector of a key."""
    hidden: Widths = (64, 32)
    """Widths of the hidden layers."""
    tables: Literal["joint", "per-feature"] = "joint"
    """One table for all features, as in the paper, or one for each."""
    crosses: Literal["wide", "both"] = "wide"
    """What reads the crosses: the wide part alone, or the hidden layers as well."""
    num_hashes: Annotated[int, Field(ge=1)] | None = None
    """Hashed rows that a rare key reads under 'hybrid'; 2, or up to 8 with 'concat', if not given."""
    combine: Literal["sum", "mean", "concat"] = "concat"
    """How those rows become one vector."""
    init_std: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    """Standard deviation of the initial vectors."""


class ModelSettings(TableSettings):
    """The model and its tables at a budget."""

    budget: str = "10%"
    """Bytes for the embeddings: a share of the baseline's ('10%') or a size ('40MB')."""
    head_share: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """Share of the budget for rows of frequent keys."""
    plan: Texts = ()
    """What 'hybridhash plan' found, for the method auto, which plans anew if not given."""


class TrainingSettings(Settings):
    """How the model is trained."""

    optimizer: Literal["adagrad", "sgd", "adam"] = "adagrad"
    """The optimizer of tables and dense layers."""
    learning_rate: Rates = (0.02, 0.05, 0.1)
    """One learning rate, or several of which the best on the validation slice is taken, per method."""
    batch_size: Annotated[int, Field(ge=1)] = 1024
    """Rows in a step."""
    epochs: Annotated[int, Field(ge=1)] = 8
    """Most passes over the training span; fewer when the validation slice says so."""
    patience: Annotated[int, Field(ge=1)] = 1
    """Passes without a better validation RCE before stopping."""
    workers: Annotated[int, Field(ge=1)] = 1
    """Processes that train one model together, without locks (Hogwild); with several, runs differ a little."""
    rounding: Literal["after", "in-loop"] = "after"
    """When rows that ship in fewer than 32 bits are rounded: after training, or whenever training reads them."""


# Pydantic lists the fields of the last base first, and the help of a command follows it.
class ProfileSettings(ModelSettings, DataSettings):
    """Settings of ``hybridhash profile``."""


class RunSettings(TrainingSettings, TableSettings, DataSettings):
    """Settings of a training run, whatever says how large the tables are."""

    group: str | None = None
    """A categorical feature, such as the user, within which AUC (GAUC) and NDCG@10 are measured too."""


class FitSettings(RunSettings, ModelSettings):
    """Settings of the commands that train at a budget."""


class PlanSettings(FitSettings):
    """Settings of ``hybridhash plan``."""

    tune: Annotated[int, Field(ge=0)] = 0
    """Plans to try by training, shipping and judging each on the validation slice; 0 takes the one predicted best."""
    out: Path | None = None
    """Experiment file to write, for compare, train and sweep; none if not given."""


class CompareSettings(FitSettings):
    """Settings of ``hybridhash compare``."""

    method: Names = tuple(METHODS)
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
    combine: Literal["sum", "mean", "concat"] = "sum"
    """How those rows become one vector."""
    seeds: Annotated[int, Field(ge=1)] = 5
    """How often each row is trained, with another seed each time."""
    jobs: Annotated[int, Field(ge=1)] = 1
    """Training runs at a time, each in a process with its share of the cores; results are the same."""
    out: Path = Path("sweep")
    """Folder for sweep.json, report.html and the finished runs."""


class ContinuousSettings(FitSettings):
    """Settings of ``hybridhash continuous``."""

    method: Names = ("baseline", "hybrid")
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
        settings["data"] = [str(item) for item in _split(settings["data"])]
    return settings


def merge_settings(kind: type[AnySettings], file: Mapping[str, Any], flags: Mapping[str, Any]) -> AnySettings:
    """Put flags over an experiment file.

    Args:
        kind: The settings of the command; names in the file that it does not have are of other commands.
        file: From `read_experiment`, or empty.
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
        check_budget(settings.budget)
        read_plan(settings.plan)
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
