"""A packed model predicts what its specs let it, and the trained one stays."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from hybridhash.embeddings import PackedEmbeddingBag
from hybridhash.hashing import Fingerprints, Ribbon
from hybridhash.models import MLPRanker, WideDeep, build_model, pack_model
from hybridhash.spec import GroupSpec, ModelSpec, TableSpec, Tier
from hybridhash.tables import Blueprint
from hybridhash.vocabulary import Vocabulary

FEATURES = ("user", "item")
POOL = np.random.default_rng(1).permutation(
    np.unique(np.random.default_rng(0).integers(-(2**63), 2**63, 300))
)
KEYS, OFFSETS = torch.from_numpy(POOL), torch.arange(301)
OWN_CODES = (
    Tier(40, 32, 0, Fingerprints(16)),
    Tier(60, 32, 96, Fingerprints(16)),
)  # 80 positions hold 60 keys: as many codes as are wanted
ROUNDED = (
    Tier(40, 8, 0, Fingerprints(16)),
    Tier(30, 4, 12, Fingerprints(16)),
    Tier(20, 8, 4, Ribbon(12)),
    Tier(10, 0),
)


def spec_of(tiers: tuple[Tier, ...], wide: bool = True, tail_bits: int = 32) -> ModelSpec:
    table = TableSpec(100, 7, 8, 2, "sum", seed=3, tiers=tiers, tail_bits=tail_bits)
    deep = (GroupSpec(FEATURES, table, "all"),)
    return ModelSpec(deep, (GroupSpec(FEATURES, table.companion(), "all"),) if wide else (), (6, 5))


def model_of(spec: ModelSpec) -> WideDeep | MLPRanker:
    generator = torch.Generator().manual_seed(0)
    model = build_model(
        spec, FEATURES, {"all": Blueprint(spec.deep[0].table, Vocabulary(POOL[:100]))}, generator=generator
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.5, generator=generator)
    return model


@pytest.mark.parametrize("wide", [True, False])
def test_with_a_code_for_every_key_it_is_the_trained_model(wide: bool) -> None:
    """Enough shared rows of 32 bits lose nothing."""
    model = model_of(spec_of(OWN_CODES, wide))
    shipped = pack_model(model)
    assert type(shipped) is (WideDeep if wide else MLPRanker)
    assert shipped is not model
    torch.testing.assert_close(shipped(KEYS, OFFSETS), model(KEYS, OFFSETS))


@pytest.mark.parametrize("wide", [True, False])
def test_every_table_is_packed_and_the_dense_layers_are_the_trained_ones(wide: bool) -> None:
    model = model_of(spec_of(ROUNDED, wide, tail_bits=8))
    shipped = pack_model(model)
    bags = [*shipped.deep.bags, *(shipped.wide.bags if isinstance(shipped, WideDeep) else [])]
    assert len(bags) == 1 + wide
    assert all(isinstance(bag, PackedEmbeddingBag) for bag in bags)
    assert shipped.dense is model.dense
    assert sum(isinstance(layer, nn.Linear) for layer in shipped.dense) == 3
    before, after = model(KEYS, OFFSETS).detach(), shipped(KEYS, OFFSETS).detach()
    assert not torch.allclose(before, after, atol=1e-3)


def test_a_model_whose_wide_part_alone_is_packed() -> None:
    spec = spec_of(())
    packed_wide = TableSpec(100, 7, 1, 2, "sum", seed=3, tail_bits=8)
    model = model_of(replace(spec, wide=(GroupSpec(FEATURES, packed_wide, "all"),)))
    shipped = pack_model(model)
    assert isinstance(shipped, WideDeep)
    assert isinstance(shipped.wide.bags[0], PackedEmbeddingBag)
    torch.testing.assert_close(shipped(KEYS, OFFSETS), model(KEYS, OFFSETS), rtol=0, atol=0.05)


def test_nothing_to_pack_is_the_model_itself() -> None:
    for spec in (spec_of(()), spec_of((Tier(100, 32, 0, Fingerprints(16)),))):
        model = model_of(spec)
        assert pack_model(model) is model


def test_the_trained_model_stays_and_no_generator_moves() -> None:
    model = model_of(spec_of(ROUNDED, tail_bits=8))
    before = model(KEYS, OFFSETS).detach()
    state = torch.get_rng_state()
    pack_model(model)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(model(KEYS, OFFSETS), before)
