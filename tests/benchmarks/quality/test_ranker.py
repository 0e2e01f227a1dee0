"""The same logits as the package's wide & deep model, over the same rows."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from benchmarks.quality.methods import Span, build
from benchmarks.quality.ranker import FeatureRanker, PeerRanker
from torch import Tensor, nn

from hybridhash.data import TRAIN, KeyedRows
from hybridhash.hashing import hash_buckets
from hybridhash.models import MLPRanker, WideDeep
from hybridhash.training.step import to_tensors
from hybridhash.trials.settings import FitSettings


class Hashed(nn.Module):
    """One table, one hash."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(table)

    def forward(self, keys: Tensor) -> Tensor:
        return F.embedding(torch.from_numpy(hash_buckets(keys.numpy(), len(self.table))[:, 0]), self.table)


@pytest.mark.parametrize("model", ["wide-deep", "mlp"])
def test_logits_are_those_of_the_package(tiny: tuple[KeyedRows, FitSettings], model: str) -> None:
    rows, settings = tiny
    span = Span(rows, (TRAIN,), settings.model_copy(update={"model": model}))
    ours = build("hashed", span, 4000, learning_rate=0.1, seed=0).model
    assert isinstance(ours, WideDeep | MLPRanker)
    [(_, deep)] = ours.deep.tables
    tables = [deep.tail]
    if isinstance(ours, WideDeep):
        [(_, wide)] = ours.wide.tables
        nn.init.normal_(wide.tail, generator=torch.Generator().manual_seed(1))
        tables.append(wide.tail)
    table = torch.cat([tail.detach() for tail in tables], dim=1)
    peer = PeerRanker(Hashed(table), len(rows.schema.names), settings.dim, settings.hidden)
    peer.dense.load_state_dict(ours.dense.state_dict())
    keys, offsets = to_tensors(rows.take(np.arange(50)), torch.device("cpu"))
    assert (offsets.diff() != 1).any(), "the rows have lists"
    with torch.no_grad():
        torch.testing.assert_close(peer(keys, offsets), ours(keys, offsets))


def test_an_embedding_is_told_of_which_feature_each_key_is() -> None:
    heard: list[Tensor] = []

    class Listening(nn.Module):
        def forward(self, keys: Tensor, features: Tensor) -> Tensor:
            heard.append(features)
            return torch.ones(len(keys), 2)

    ranker = FeatureRanker(Listening(), 3, 2, (4,))
    # Two rows: one id each of the first feature, three and none of the second, none and one of the third.
    logits = ranker(torch.arange(6), torch.tensor([0, 1, 2, 5, 5, 5, 6]))
    assert heard[0].tolist() == [0, 0, 1, 1, 1, 2]
    assert logits.shape == (2,)
