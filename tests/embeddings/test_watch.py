"""Raw ids in place of keys are said once; keys, and too few ids to tell, are not."""

import warnings

import pytest
import torch
from torch import Tensor

from hybridhash.embeddings import EmbeddingBag, HashEmbeddingBag, HybridEmbeddingBag
from hybridhash.embeddings.watch import ENOUGH_KEYS, MAX_LOOKS
from hybridhash.hashing import hash_keys

HEAD = hash_keys(range(100), "user")
IDS = torch.arange(500).view(5, 100)


def keys_of(ids: Tensor, feature: str = "user") -> Tensor:
    return torch.from_numpy(hash_keys(ids, feature))


def bag_of(engine: str = "auto", padding_key: int | None = None) -> EmbeddingBag:
    return HybridEmbeddingBag(HEAD, 37, 8, engine=engine, padding_key=padding_key)


@pytest.mark.parametrize("engine", ["cpu", "reference"])
@pytest.mark.parametrize(
    "strangers", [IDS, IDS.int(), keys_of(IDS, "item")], ids=["ids", "ids of 32 bits", "another feature"]
)
def test_ids_are_said_once(engine: str, strangers: Tensor) -> None:
    bag = bag_of(engine)
    message = r"HybridEmbeddingBag: none of the first 500 different keys is among the 100 .* hybridhash.hash_keys\(ids"
    with pytest.warns(UserWarning, match=message) as caught:
        bag(strangers)
    bag(strangers)
    assert [(one.filename, one.category) for one in caught] == [(__file__, UserWarning)]


def test_ids_in_small_batches_are_said_when_there_are_enough() -> None:
    bag = bag_of()
    for number in range(0, ENOUGH_KEYS - 10, 10):
        bag(torch.arange(number, number + 10)[None])
    with pytest.warns(UserWarning, match=f"first {ENOUGH_KEYS} different keys"):
        bag(torch.arange(ENOUGH_KEYS - 10, ENOUGH_KEYS)[None])


def test_keys_are_fine() -> None:
    """One key of the head is enough, also where the first batches had none."""
    bag = bag_of()
    bag(keys_of(torch.arange(200, 230))[None])
    bag(keys_of(torch.arange(99, 200))[None])
    bag(IDS)


def test_few_keys_that_come_again_and_again_are_fine() -> None:
    bag = bag_of()
    for _ in range(MAX_LOOKS):
        bag(torch.arange(ENOUGH_KEYS - 1)[None])
    bag(IDS)  # by now it is known that this is no mistake of the first batches


def test_the_padding_key_is_no_key() -> None:
    bag = bag_of(padding_key=int(HEAD[7]))
    with pytest.warns(UserWarning, match="first 500 different keys"):
        bag(torch.cat([IDS.flatten(), torch.from_numpy(HEAD[7:8])])[None])


def test_without_a_head_there_is_nothing_to_find() -> None:
    HashEmbeddingBag(37, 8)(IDS)
    HybridEmbeddingBag([], 37, 8)(IDS)


def test_a_compiled_bag_does_not_look() -> None:
    torch._dynamo.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.compile(bag_of(), backend="eager", fullgraph=True)(IDS)
