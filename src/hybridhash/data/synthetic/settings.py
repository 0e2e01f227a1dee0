"""What a synthetic stream is made of: its length, its features and its teacher's strengths."""

import math
from dataclasses import dataclass
from typing import Final

from hybridhash.data.synthetic.ids import INT_ID_BITS, TEXT_ID_BITS
from hybridhash.errors import InvalidValueError

TIME_COLUMN: Final = "ts"
LABEL_COLUMN: Final = "clicked"
PROBABILITY_COLUMN: Final = "probability"

MAX_ROWS: Final = 1 << 40
MAX_IDS: Final = 1 << 31
MAX_LIST_LENGTH: Final = 256
MAX_EXPONENT: Final = 8.0

_RESERVED: Final = (TIME_COLUMN, LABEL_COLUMN, PROBABILITY_COLUMN)


@dataclass(frozen=True)
class StreamIds:
    """The ids of a feature.

    Attributes:
        name: The column's name.
        num_ids: Popularity ranks, in [1, 2**31]: how many ids there are at any moment.
        exponent: The exponent of the power law between popularity and rank, in [0, 8].
        strength: Standard deviation of the ids' effects on the logit, at least 0.
        lifetime_s: Seconds after which a rank's id is replaced by a new one; infinite by default.
        text: Whether the ids are strings of 8 characters instead of integers below 2**53.

    Raises:
        InvalidValueError: A value is out of its range.
    """

    name: str
    num_ids: int
    exponent: float
    strength: float
    lifetime_s: float = math.inf
    text: bool = False

    def __post_init__(self) -> None:
        _check_name(self.name)
        where = f"feature {self.name!r}: "
        _check(f"{where}num_ids", self.num_ids, 1 <= self.num_ids <= MAX_IDS, "an integer in [1, 2**31]")
        _check(f"{where}exponent", self.exponent, 0 <= self.exponent <= MAX_EXPONENT, "a number in [0, 8]")
        _check_strength(where, self.strength)
        _check(f"{where}lifetime_s", self.lifetime_s, self.lifetime_s > 0, "a number of seconds above 0")

    @property
    def id_bits(self) -> int:
        """Bits of an id's number."""
        return TEXT_ID_BITS if self.text else INT_ID_BITS


@dataclass(frozen=True)
class StreamCategorical(StreamIds):
    """A feature with one id a row.

    Attributes:
        null_share: Share of the rows without an id, in [0, 1), independent of all else. The missing id
            has an effect of its own.
    """

    null_share: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_share(f"feature {self.name!r}: null_share", self.null_share)


@dataclass(frozen=True)
class StreamList(StreamIds):
    """A feature with a list of ids a row; its length is uniform in 0, 1, ..., ``max_length``.

    Attributes:
        max_length: The greatest length, in [1, 256].
    """

    max_length: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        in_range = 1 <= self.max_length <= MAX_LIST_LENGTH
        _check(f"feature {self.name!r}: max_length", self.max_length, in_range, "an integer in [1, 256]")


@dataclass(frozen=True)
class StreamNumeric:
    """A feature with one number a row, of the log-logistic distribution.

    Attributes:
        name: The column's name.
        median: The median of the numbers, above 0.
        shape: The shape of their distribution, above 0: the logarithm of a number is logistic with this scale.
        strength: Standard deviation of the effect on the logit, at least 0.
        null_share: Share of the rows with a null, in [0, 1).
        nan_share: Share of the rows with a NaN; with ``null_share`` below 1.

    Raises:
        InvalidValueError: A value is out of its range.
    """

    name: str
    median: float
    shape: float
    strength: float
    null_share: float = 0.0
    nan_share: float = 0.0

    def __post_init__(self) -> None:
        _check_name(self.name)
        where = f"feature {self.name!r}: "
        _check(f"{where}median", self.median, 0 < self.median < math.inf, "a number above 0")
        _check(f"{where}shape", self.shape, 0 < self.shape < math.inf, "a number above 0")
        _check_strength(where, self.strength)
        _check_share(f"{where}null_share", self.null_share)
        _check_share(f"{where}nan_share", self.nan_share)
        _check_share(f"{where}null_share + nan_share", self.null_share + self.nan_share)


@dataclass(frozen=True)
class StreamInteraction:
    """Which two categorical features act together, beyond the sum of their effects.

    Attributes:
        first: The name of a categorical feature.
        second: The name of another one.
        strength: Standard deviation of the effect on the logit, at least 0.

    Raises:
        InvalidValueError: The two are the same, or the strength is out of its range.
    """

    first: str
    second: str
    strength: float

    def __post_init__(self) -> None:
        if self.first == self.second:
            raise InvalidValueError(f"interaction: expected two different features, got {self.first!r} twice")
        _check_strength("interaction: ", self.strength)


@dataclass(frozen=True)
class StreamColumns:
    """Which column of a stream is what.

    Attributes:
        time: Seconds since 1970, int64, never decreasing.
        label: 0 or 1, int8.
        categorical: Columns with one id a row.
        numeric: Columns with one number a row.
        lists: Columns with a list of ids a row.
        probability: The teacher's probability of a positive label, float64; not an input of a model.
    """

    time: str
    label: str
    categorical: tuple[str, ...]
    numeric: tuple[str, ...]
    lists: tuple[str, ...]
    probability: str


@dataclass(frozen=True)
class StreamSettings:
    """All that a synthetic stream depends on.

    Attributes:
        num_rows: The number of rows, in [1, 2**40].
        duration_s: Seconds the stream covers, at least 1; the rows are evenly spread over it.
        categorical: The features with one id a row.
        numeric: The features with one number a row.
        lists: The features with a list of ids a row.
        interaction: Two categorical features that act together, or None.
        positive_rate: Mean probability that the teacher's bias is chosen for, in (0, 1).
        start_s: Time of the first row, in seconds since 1970; 2020-01-01 UTC by default.
        seed: The seed, in [0, 2**64).

    Raises:
        InvalidValueError: A value is out of its range, two columns have one name, the interaction names
            a feature that is not categorical, or there are more ids than an id has room for.

    Example:
        >>> user = StreamCategorical("user_id", num_ids=1000, exponent=1.0, strength=1.0)
        >>> StreamSettings(num_rows=5000, duration_s=3600, categorical=(user,)).columns().categorical
        ('user_id',)
    """

    num_rows: int
    duration_s: int
    categorical: tuple[StreamCategorical, ...] = ()
    numeric: tuple[StreamNumeric, ...] = ()
    lists: tuple[StreamList, ...] = ()
    interaction: StreamInteraction | None = None
    positive_rate: float = 0.2
    start_s: int = 1_577_836_800
    seed: int = 0

    def __post_init__(self) -> None:
        _check("num_rows", self.num_rows, 1 <= self.num_rows <= MAX_ROWS, "an integer in [1, 2**40]")
        _check("duration_s", self.duration_s, 1 <= self.duration_s <= MAX_ROWS, "an integer in [1, 2**40]")
        _check("positive_rate", self.positive_rate, 0 < self.positive_rate < 1, "a number in (0, 1)")
        _check("start_s", self.start_s, abs(self.start_s) <= MAX_ROWS, "an integer in [-2**40, 2**40]")
        _check("seed", self.seed, 0 <= self.seed < 1 << 64, "an integer in [0, 2**64)")
        self._check_names()
        for feature in (*self.categorical, *self.lists):
            self._check_room(feature)

    def columns(self) -> StreamColumns:
        """Return which column is what."""
        return StreamColumns(
            time=TIME_COLUMN,
            label=LABEL_COLUMN,
            categorical=tuple(feature.name for feature in self.categorical),
            numeric=tuple(feature.name for feature in self.numeric),
            lists=tuple(feature.name for feature in self.lists),
            probability=PROBABILITY_COLUMN,
        )

    def _check_names(self) -> None:
        columns = self.columns()
        names = (*columns.categorical, *columns.numeric, *columns.lists)
        if not names:
            raise InvalidValueError("features: expected at least one feature, got none")
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise InvalidValueError(f"features: expected different names, got {repeated[0]!r} more than once")
        if self.interaction:
            for name in (self.interaction.first, self.interaction.second):
                if name not in columns.categorical:
                    raise InvalidValueError(
                        f"interaction: expected one of the categorical features {list(columns.categorical)}, "
                        f"got {name!r}"
                    )

    def _check_room(self, feature: StreamIds) -> None:
        num_generations = math.floor(self.duration_s / feature.lifetime_s) + 2
        if feature.num_ids * num_generations > 1 << feature.id_bits:
            raise InvalidValueError(
                f"feature {feature.name!r}: expected num_ids * (duration_s / lifetime_s + 2) of at most "
                f"2**{feature.id_bits}, got {feature.num_ids * num_generations}; raise lifetime_s"
            )


def _check(name: str, got: float, in_range: bool, expected: str) -> None:
    if not in_range:
        raise InvalidValueError(f"{name}: expected {expected}, got {got}")


def _check_name(name: str) -> None:
    if not name or name in _RESERVED:
        raise InvalidValueError(f"name: expected a name other than {', '.join(_RESERVED)}, got {name!r}")


def _check_strength(where: str, strength: float) -> None:
    _check(f"{where}strength", strength, 0 <= strength < math.inf, "a finite number of at least 0")


def _check_share(name: str, share: float) -> None:
    _check(name, share, 0 <= share < 1, "a share in [0, 1)")
