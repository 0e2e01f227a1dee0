"""What a compressed model is, in numbers: its tables, what they serve, the layers above them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final, Literal, get_args

from hybridhash.errors import InvalidValueError
from hybridhash.spec.ledger import Ledger
from hybridhash.spec.table import FLOAT_BYTES, TableSpec
from hybridhash.spec.tier import row_numbering

Mode = Literal["sum", "mean", "max"]
MODES: Final = get_args(Mode)


@dataclass(frozen=True)
class GroupSpec:
    """Features that share one table.

    Attributes:
        features: Names, in schema order.
        table: Their table.
        dictionary: Name of the head keys; groups that name the same one share its bytes.
        mode: How the vectors of a list become one.

    Raises:
        InvalidValueError: No features, or an unknown mode.
    """

    features: tuple[str, ...]
    table: TableSpec
    dictionary: str
    mode: Mode = "mean"

    def __post_init__(self) -> None:
        if not self.features:
            raise InvalidValueError("features: expected one name or more, got none")
        if self.mode not in MODES:
            raise InvalidValueError(f"mode: expected one of {', '.join(MODES)}, got {self.mode!r}")

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, for JSON."""
        return {**vars(self), "features": list(self.features), "table": self.table.as_dict()}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "GroupSpec":
        """Build the spec that `as_dict` described."""
        return cls(
            features=tuple(fields["features"]),
            table=TableSpec.from_dict(fields["table"]),
            dictionary=fields["dictionary"],
            mode=fields["mode"],
        )


@dataclass(frozen=True)
class ModelSpec:
    """A ranking model over embeddings: ``logit = mlp(deep vectors) + sum of wide weights``.

    Attributes:
        deep: Tables whose vectors feed the hidden layers; their features are the first of the schema.
        wide: Tables of one weight per row, empty for a model without a wide part.
        hidden: Widths of the hidden layers.

    Raises:
        InvalidValueError: No deep table, a hidden width below one, a wide table of more than one weight
            per row, or two tables that name one dictionary and differ in its size or its tiers.
    """

    deep: tuple[GroupSpec, ...]
    wide: tuple[GroupSpec, ...]
    hidden: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.deep:
            raise InvalidValueError("deep: expected one table or more, got none")
        if any(width < 1 for width in self.hidden):
            raise InvalidValueError(f"hidden: expected widths of 1 or more, got {list(self.hidden)}")
        if any(group.table.dim != 1 for group in self.wide):
            raise InvalidValueError(
                f"wide: expected tables of dim 1, one weight per row, got dims "
                f"{[group.table.dim for group in self.wide]}; `TableSpec.companion` makes them"
            )
        sizes = self.dictionaries()
        for group in (*self.deep, *self.wide):
            if group.table.num_head != sizes[group.dictionary]:
                raise InvalidValueError(
                    f"dictionary {group.dictionary!r}: expected one size, got {sizes[group.dictionary]} and "
                    f"{group.table.num_head} keys; give each size a name of its own"
                )
        numberings: dict[str, tuple[tuple[object, ...], ...]] = {}
        for group in (*self.deep, *self.wide):
            numbering = row_numbering(group.table.head_tiers)
            if numberings.setdefault(group.dictionary, numbering) != numbering:
                raise InvalidValueError(
                    f"dictionary {group.dictionary!r}: expected tables of the same tiers but for the bits of a float, "
                    "got others; give each division a name of its own"
                )

    @property
    def deep_features(self) -> tuple[str, ...]:
        """Features whose vectors feed the hidden layers, in schema order."""
        return tuple(name for group in self.deep for name in group.features)

    @property
    def layer_shapes(self) -> list[tuple[int, int]]:
        """Shapes ``(outputs, inputs)`` of the dense layers, the last one giving the logit."""
        width = sum(len(group.features) * group.table.dim for group in self.deep)
        widths = [width, *self.hidden, 1]
        return [(after, before) for before, after in pairwise(widths)]

    @property
    def num_rows(self) -> int:
        """Rows of the deep tables."""
        return sum(group.table.num_rows for group in self.deep)

    def ledger(self) -> Ledger:
        """Return the bytes of tables, of dictionaries and codes (each once) and of dense layers."""
        total = Ledger(
            dense_layers=FLOAT_BYTES
            * sum(outputs * inputs + outputs for outputs, inputs in self.layer_shapes)
        )
        heads: dict[str, Ledger] = {}
        for part, groups in (("deep", self.deep), ("wide", self.wide)):
            for group in groups:
                table = group.table.ledger()
                heads[group.dictionary] = Ledger(dictionary=table.dictionary, codes=table.codes)
                rows = replace(table, dictionary=0, codes=0)
                total += rows if part == "deep" else Ledger(wide_weights=rows.total_bytes)
        return sum(heads.values(), total)

    def dictionaries(self) -> dict[str, int]:
        """Return the number of head keys of each dictionary by its name."""
        return {group.dictionary: group.table.num_head for group in (*self.deep, *self.wide)}

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name, for JSON."""
        return {
            "deep": [group.as_dict() for group in self.deep],
            "wide": [group.as_dict() for group in self.wide],
            "hidden": list(self.hidden),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "ModelSpec":
        """Build the spec that `as_dict` described."""
        return cls(
            deep=tuple(map(GroupSpec.from_dict, fields["deep"])),
            wide=tuple(map(GroupSpec.from_dict, fields["wide"])),
            hidden=tuple(fields["hidden"]),
        )
