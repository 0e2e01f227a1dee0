"""What a trial is asked for: which rows it reads, what its model is, how that is trained."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hybridhash.data.column_names import split_crosses, split_names
from hybridhash.planner import Budget, MethodOptions, read_plan
from hybridhash.spec import Combine


def split_list(value: Any) -> Any:
    """Read ``a,b`` as two items, wherever a list is expected."""
    items = value if isinstance(value, list | tuple) else [value]
    parts: list[Any] = []
    for item in items:
        parts += (
            [part.strip() for part in item.split(",") if part.strip()] if isinstance(item, str) else [item]
        )
    return tuple(parts)


def _names(value: Any) -> Any:
    """Read text as names with commas between them; the names of a list are taken as they are."""
    return _filled(split_names(value)) if isinstance(value, str) else value


def _crosses(value: Any) -> Any:
    """Read text as crosses with commas between them; the crosses of a list are taken as they are."""
    return _filled(split_crosses(value)) if isinstance(value, str) else value


def _filled(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name.strip())


DataFormat = Literal["criteo", "avazu", "movielens", "movietweetings"]
"""A name in `hybridhash.data.FORMATS`, which loads the data stack."""
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
"""Names of columns."""
Crosses = Annotated[tuple[str, ...], BeforeValidator(_crosses)]
NAME_READERS: Final = {
    "categorical": _names,
    "numeric": _names,
    "list": _names,
    "keep": _names,
    "cross": _crosses,
}
"""What reads the text of a flag that holds names of columns."""
Words = Annotated[tuple[str, ...], BeforeValidator(split_list)]
"""Words of which none holds a comma or begins with a space."""
Texts = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
]
Widths = Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(split_list)]
Rates = Annotated[
    tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...],
    BeforeValidator(split_list),
    Field(min_length=1),
]


def _number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) else value


class Settings(BaseModel):
    """Base of all settings: unknown names are refused."""

    # Validators are built when they are first needed: a command has one of eight settings.
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, defer_build=True)


class DataSettings(Settings):
    """Which columns are read, and how the rows are split."""

    format: DataFormat | None = None
    """A data set whose columns, label and time are known; flags given beside it win."""
    quote: str | None = None
    """What stands around fields of text: 'none', or a character; by default '"', between tabs only if lines show it."""
    label: str | None = None
    """What to predict: a column of 0 and 1, or a comparison such as 'rating>=8'."""
    categorical: Names = ()
    """Columns of ids, strings or integers, separated by commas."""
    numeric: Names = ()
    """Columns of numbers, which are cut into percentile bins."""
    list: Names = ()
    """Columns that hold lists of ids (in CSV: text with a separator)."""
    cross: Crosses = ()
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
    combine: Combine = "concat"
    """How those rows become one vector."""
    init_std: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    """Standard deviation of the initial vectors."""


class ModelSettings(TableSettings):
    """The model and its tables at a budget."""

    budget: Annotated[str, BeforeValidator(_number_as_text)] = "10%"
    """Bytes for the embeddings: a share of the baseline's ('10%') or of the full table's ('10%-of-full'), or '40MB'."""
    head_share: Annotated[float, Field(ge=0, lt=1)] = 0.3
    """Share of the budget for rows of frequent keys."""
    plan: Texts = ()
    """What 'hybridhash plan' found, for the method auto, which plans anew if not given."""

    @cached_property
    def asked(self) -> Budget:
        """The budget, read once."""
        return Budget.parse(self.budget)

    @cached_property
    def options(self) -> MethodOptions:
        """What the methods are told, with the plan read once."""
        return MethodOptions(self.head_share, self.num_hashes, self.combine, read_plan(self.plan))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy the settings, some of them changed; what was read of the old ones is read anew."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("asked", "options"):
            vars(copied).pop(name, None)
        return copied


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


# Pydantic lists the fields of the last base first, and the help of a command follows it.
class OpeningSettings(TableSettings, DataSettings):
    """Settings of what begins with the rows and the tables of a model on them."""


class RunSettings(TrainingSettings, OpeningSettings):
    """Settings of a training run, whatever says how large the tables are."""

    group: str | None = None
    """A categorical feature, such as the user, within which AUC (GAUC) and NDCG@10 are measured too."""


class FitSettings(RunSettings, ModelSettings):
    """Settings of the commands that train at a budget."""
