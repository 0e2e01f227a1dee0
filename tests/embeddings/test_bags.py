"""Each method is the table its section of the paper describes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hybridhash.embeddings import (
    DoubleHashEmbeddingBag,
    EmbeddingBag,
    FrequencyEmbeddingBag,
    FullEmbeddingBag,
    HashEmbeddingBag,
    HybridEmbeddingBag,
)
from hybridhash.errors import InvalidTypeError, InvalidValueError
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


HEAD = [30, -7, 12]


@pytest.mark.parametrize(
    "keys",
    [HEAD, tuple(HEAD), np.array(HEAD), np.array(HEAD, dtype=np.int32), torch.tensor(HEAD), VOCABULARY],
)
def test_head_keys_come_in_a_vocabulary_or_as_they_are(keys: Any) -> None:
    read = torch.tensor([*HEAD, 5])
    for make in (
        lambda head: FullEmbeddingBag(head, 8, init_std=0),
        lambda head: FrequencyEmbeddingBag(head, 100, 8, init_std=0),
        lambda head: HybridEmbeddingBag(head, 100, 8, init_std=0),
    ):
        assert torch.equal(make(keys).encoder(read).head, make(VOCABULARY).encoder(read).head)


@pytest.mark.parametrize(
    ("keys", "error", "message"),
    [
        ("user_id", InvalidTypeError, "vocabulary: expected a hybridhash.Vocabulary, .* got str"),
        (7, InvalidTypeError, "got int"),
        (None, InvalidTypeError, "got NoneType"),
        ([1.5], InvalidTypeError, "keys: expected int64, got float64"),
        ([[1], [2, 3]], InvalidTypeError, "keys: expected int64, got rows of different lengths"),
        ([[1], [2]], InvalidValueError, "keys: expected a 1-D array"),
        ([1, 2, 1], InvalidValueError, "keys: expected distinct keys, got 1 more than once"),
    ],
)
def test_what_are_no_head_keys(keys: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        HybridEmbeddingBag(keys, 100, 8)


@pytest.mark.parametrize(
    "make", [lambda **o: FullEmbeddingBag(HEAD, 8, **o), lambda **o: HashEmbeddingBag(5, 8, **o)]
)
def test_device_and_dtype(make: Callable[..., EmbeddingBag]) -> None:
    bag = make(device="meta", dtype=torch.bfloat16)
    assert {(rows.device.type, rows.dtype) for rows in bag.parameters()} == {("meta", torch.bfloat16)}
    assert {buffer.device.type for buffer in bag.buffers()} == {"meta"}
    assert make(dtype=torch.float64)(torch.tensor([[30]])).dtype == torch.float64
    with pytest.raises(InvalidTypeError, match=r"dtype: expected a type of floats, got torch.int64"):
        make(dtype=torch.int64)


def test_it_is_a_bag_of_torchs_without_what_belongs_to_ids() -> None:
    bag = FullEmbeddingBag(HEAD, 8)
    assert isinstance(bag, nn.EmbeddingBag)
    assert (bag.embedding_dim, bag.mode, bag.sparse) == (8, "mean", False)
    assert not any(hasattr(bag, name) for name in ("weight", "num_embeddings", "max_norm", "padding_idx"))
    with pytest.raises(
        InvalidTypeError, match=r"from_pretrained: expected FullEmbeddingBag\(...\) and load_state_dict"
    ):
        FullEmbeddingBag.from_pretrained(torch.zeros(3, 8))


def test_an_unknown_option_is_pythons_own_error() -> None:
    with pytest.raises(TypeError, match="max_norm"):
        HashEmbeddingBag(5, 8, max_norm=1.0)  # type: ignore[call-arg]
