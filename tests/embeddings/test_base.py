"""A state says what its rows are of, so that those of another table, of the same shapes, are not loaded."""

import io

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from hybridhash.embeddings import DoubleHashEmbeddingBag, EmbeddingBag, HybridEmbeddingBag
from hybridhash.errors import InvalidValueError
from hybridhash.optim import FTRL, Adam
from hybridhash.vocabulary import Vocabulary


def bag_of(combine: str = "sum", num_hashes: int = 2, **options: object) -> EmbeddingBag:
    return HybridEmbeddingBag(Vocabulary(np.arange(5)), 7, 8, combine, num_hashes, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("strict", [True, False])
def test_rows_combined_in_another_way_are_refused(strict: bool) -> None:
    with pytest.raises(
        InvalidValueError, match="a bag with combine 'mean', got 'sum'; build the bag as the one"
    ):
        bag_of("mean").load_state_dict(bag_of("sum").state_dict(), strict=strict)


def test_one_row_for_each_key_is_combined_with_nothing() -> None:
    bag_of("mean", 1).load_state_dict(bag_of("sum", 1).state_dict())


def test_the_state_of_another_rule_is_refused() -> None:
    """Adam's and FTRL's have the same arrays."""
    with pytest.raises(InvalidValueError, match="a bag with rule 'adam', got 'ftrl'"):
        bag_of(optimizer=Adam(0.1)).load_state_dict(bag_of(optimizer=FTRL(0.1)).state_dict())


def test_rows_go_without_a_state_into_a_bag_without_optimizer() -> None:
    """And the other way round, where the caller says that keys may be missing."""
    fused, plain = bag_of(optimizer=FTRL(0.1)), bag_of()
    plain.load_state_dict(fused.state_dict(), strict=False)
    assert torch.equal(plain.head, fused.head)
    bag_of(optimizer=FTRL(0.1)).load_state_dict(plain.state_dict(), strict=False)


def test_a_state_from_before_it_said_so_is_loaded() -> None:
    saved = bag_of(optimizer=FTRL(0.1)).state_dict()
    del saved["_extra_state"]
    bag = bag_of("mean", optimizer=Adam(0.1))
    assert str(bag.load_state_dict(saved)) == "<All keys matched successfully>"
    model = torch.nn.Sequential(bag)
    assert str(model.load_state_dict({f"0.{name}": value for name, value in saved.items()})).startswith(
        "<All"
    )


def test_files_hold_it() -> None:
    """PyTorch's with weights only, and safetensors, which hold tensors and nothing else."""
    bag = bag_of()
    file = io.BytesIO()
    torch.save(bag.state_dict(), file)
    file.seek(0)
    for state in (torch.load(file, weights_only=True), load(save(bag.state_dict()))):
        bag_of().load_state_dict(state)
        with pytest.raises(InvalidValueError, match="combine 'mean', got 'sum'"):
            bag_of("mean").load_state_dict(state)


def test_other_hash_functions_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="2 hashes with seed 1, got one of other hash functions"):
        DoubleHashEmbeddingBag(7, 8, seed=1).load_state_dict(DoubleHashEmbeddingBag(7, 8).state_dict())
