"""Each method is the table its section of the paper describes."""

import numpy as np
import pytest

from hybridhash.embeddings import (
    DoubleHashEmbeddingBag,
    EmbeddingBag,
    FrequencyEmbeddingBag,
    FullEmbeddingBag,
    HashEmbeddingBag,
    HybridEmbeddingBag,
)
from hybridhash.errors import InvalidValueError
from hybridhash.spec import TableSpec
from hybridhash.vocabulary import Vocabulary

VOCABULARY = Vocabulary(np.array([30, -7, 12]))


@pytest.mark.parametrize(
    ("bag", "spec"),
    [
        (FullEmbeddingBag(VOCABULARY, 8), TableSpec(3, 1, 8)),
        (HashEmbeddingBag(100, 8, seed=4), TableSpec(0, 100, 8, seed=4)),
        (DoubleHashEmbeddingBag(100, 8), TableSpec(0, 100, 8, 2, "sum")),
        (DoubleHashEmbeddingBag(100, 8, "concat", 4, seed=4), TableSpec(0, 100, 8, 4, "concat", 4)),
        (FrequencyEmbeddingBag(VOCABULARY, 100, 8, seed=4), TableSpec(3, 100, 8, seed=4)),
        (HybridEmbeddingBag(VOCABULARY, 100, 8), TableSpec(3, 100, 8, 2, "sum")),
        (HybridEmbeddingBag(VOCABULARY, 100, 8, "mean", 3, seed=4), TableSpec(3, 100, 8, 3, "mean", 4)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_table(bag: EmbeddingBag, spec: TableSpec) -> None:
    assert bag.spec == spec
    assert bag.head.shape == (spec.num_positions, spec.dim)
    assert bag.tail.shape == (spec.num_buckets, spec.bucket_dim)
    ledger = spec.ledger()
    assert (bag.head.nbytes, bag.tail.nbytes) == (ledger.head_rows, ledger.tail_rows)
    assert bag.encoder.dictionary.nbytes == ledger.dictionary


def test_numbers_that_make_no_table_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="a dim that 3 divides, got 8"):
        HybridEmbeddingBag(VOCABULARY, 100, 8, "concat", 3)
    with pytest.raises(InvalidValueError, match=r"num_buckets: .* got 0"):
        HashEmbeddingBag(0, 8)
    with pytest.raises(InvalidValueError, match="dim: expected 1 or more, got 0"):
        FullEmbeddingBag(VOCABULARY, 0)


def test_an_unknown_option_is_pythons_own_error() -> None:
    with pytest.raises(TypeError, match="max_norm"):
        HashEmbeddingBag(5, 8, max_norm=1.0)  # type: ignore[call-arg]
