"""The ledger: every byte that is kept or shipped, by purpose."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ledger:
    """Bytes by purpose; all of them add up to the size of the exported file.

    Attributes:
        head_rows: Rows of the keys that have their own.
        tail_rows: Rows shared by all other keys.
        scales: Scales of quantised rows.
        dictionary: The head keys, or their fingerprints, which say who owns a row.
        codes: Which shared row each key reads that has a code.
        wide_weights: Weights of the wide part, one per row.
        dense_layers: Weights and biases of the layers above the embeddings.
        discretiser: Bin edges of the numeric features.
        metadata: The file's header: schema, specs, seeds, checksum.
    """

    head_rows: int = 0
    tail_rows: int = 0
    scales: int = 0
    dictionary: int = 0
    codes: int = 0
    wide_weights: int = 0
    dense_layers: int = 0
    discretiser: int = 0
    metadata: int = 0

    def __add__(self, other: "Ledger") -> "Ledger":
        """Add purpose by purpose."""
        mine, theirs = vars(self), vars(other)
        return Ledger(**{part: mine[part] + theirs[part] for part in mine})

    @property
    def embedding_bytes(self) -> int:
        """Bytes that exist because there are embeddings; a budget is for these."""
        return (
            self.head_rows + self.tail_rows + self.scales + self.dictionary + self.codes + self.wide_weights
        )

    @property
    def total_bytes(self) -> int:
        """All bytes."""
        return sum(vars(self).values())

    def as_dict(self) -> dict[str, int]:
        """Return the bytes by the name of their purpose, for JSON."""
        return dict(vars(self))
