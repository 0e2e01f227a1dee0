"""A schema: the features in their order, with the types of values that the training data had."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from hybridhash.data.column_names import missing_column
from hybridhash.errors import FileFormatError, InvalidValueError

Kind = Literal["categorical", "numeric", "list", "cross"]
Dtype = Literal["int", "string", "float", "key"]

_DTYPES: Final = {
    "categorical": ("int", "string"),
    "list": ("int", "string"),
    "numeric": ("float",),
    "cross": ("key",),
}
_SCHEMA_VERSION: Final = 1


@dataclass(frozen=True)
class Feature:
    """One feature and the type of its values.

    Attributes:
        name: The column's name; of a cross, its parts joined by ``*``.
        kind: ``categorical``, ``numeric``, ``list`` or ``cross``.
        dtype: ``int`` or ``string`` for categorical values and list elements; ``float`` for a numeric
            feature, whose bins are hashed; ``key`` for a cross, which is made of other features' keys.
        parts: The crossed features' names, two or more, for a cross; empty otherwise.

    Raises:
        InvalidValueError: The kind, dtype and parts do not go together.
    """

    name: str
    kind: Kind
    dtype: Dtype
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in _DTYPES or self.dtype not in _DTYPES[self.kind]:
            raise InvalidValueError(
                f"feature {self.name!r}: expected one of {_DTYPES.get(self.kind, tuple(_DTYPES))}, "
                f"got kind {self.kind!r} with dtype {self.dtype!r}"
            )
        if (self.kind == "cross") != (len(self.parts) >= 2):
            raise InvalidValueError(
                f"feature {self.name!r}: expected two or more parts for a cross and none otherwise, "
                f"got {self.parts}"
            )


@dataclass(frozen=True)
class Schema:
    """The features in their order, with the value types that the training data had.

    Attributes:
        features: Categorical and numeric, then lists, then crosses: the order of a batch.
        seed: The seed of the key hash.
        list_separator: What stands between the elements of a list that is text.

    Raises:
        InvalidValueError: No features, a repeated name, another order, or a cross of unknown parts.
    """

    features: tuple[Feature, ...]
    seed: int = 0
    list_separator: str = "|"

    def __post_init__(self) -> None:
        names = [feature.name for feature in self.features]
        if not names or len(set(names)) != len(names):
            raise InvalidValueError(f"schema: expected one or more features of different names, got {names}")
        ranks = [{"list": 1, "cross": 2}.get(feature.kind, 0) for feature in self.features]
        if ranks != sorted(ranks):
            raise InvalidValueError(
                f"schema: expected single-valued features, then lists, then crosses, got {names}"
            )
        single = [feature.name for feature in self.features if feature.kind in ("categorical", "numeric")]
        for feature in self.features:
            if not set(feature.parts) <= set(single):
                raise InvalidValueError(
                    f"cross {feature.name!r}: expected parts among {single}, got {feature.parts}"
                )

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names in order."""
        return tuple(feature.name for feature in self.features)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a row must have: every feature but the crosses."""
        return tuple(feature.name for feature in self.features if feature.kind != "cross")

    def of_kind(self, *kinds: Kind) -> tuple[Feature, ...]:
        """Return the features of these kinds, in order."""
        return tuple(feature for feature in self.features if feature.kind in kinds)

    def feature(self, name: str) -> Feature:
        """Return the feature of this name.

        Raises:
            DataError: There is none.
        """
        for feature in self.features:
            if feature.name == name:
                return feature
        raise missing_column(name, self.names, "the schema")

    def to_json(self) -> str:
        """Return the schema as JSON text."""
        body = asdict(self)
        return json.dumps({"version": _SCHEMA_VERSION, **body}, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Schema":
        """Read what `to_json` wrote.

        Raises:
            FileFormatError: Not a schema, or of a newer version.
        """
        try:
            body: dict[str, Any] = json.loads(text)
            version = body.pop("version")
            if version != _SCHEMA_VERSION:
                raise FileFormatError(
                    f"schema: expected version {_SCHEMA_VERSION}, got {version}; install a newer hybridhash"
                )
            features = tuple(
                Feature(**{**item, "parts": tuple(item["parts"])}) for item in body.pop("features")
            )
            return cls(features, **body)
        except (AttributeError, KeyError, TypeError, InvalidValueError, json.JSONDecodeError) as error:
            raise FileFormatError(
                f"schema: expected the JSON of a schema, got something else ({error})"
            ) from error
