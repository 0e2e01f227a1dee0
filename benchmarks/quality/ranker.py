"""The package's ranking model over any embedding of keys."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hybridhash.models import dense_layers


class PeerRanker(nn.Module):
    """Logit = MLP of the features' vectors + the sum of their wide weights, where the embedding has such.

    The same as `hybridhash.models.WideDeep` (or `MLPRanker`) over one joint table, for an embedding that is none of
    the package's: the vectors of a bag are averaged, and so are its wide weights.

    Args:
        embedding: Turns keys int64[N] into float[N, dim] or, with wide weights last, float[N, dim + 1].
        num_features: F.
        dim: Floats in a vector.
        hidden: Widths of the hidden layers.
        generator: Source of the initial values of the dense layers.
    """

    def __init__(
        self,
        embedding: nn.Module,
        num_features: int,
        dim: int,
        hidden: Sequence[int],
        generator: torch.Generator | None = None,
    ) -> None:
        """Hold the embedding and make the layers."""
        super().__init__()
        self.embedding = embedding
        self.dense = dense_layers(num_features * dim, hidden, generator)
        self._num_features = num_features
        self._dim = dim

    def forward(self, keys: Tensor, offsets: Tensor) -> Tensor:
        """Return the logits of a batch.

        Args:
            keys: int64[number of ids], feature-major.
            offsets: int64[F * B + 1].

        Returns:
            float[B].
        """
        vectors = self._vectors(keys, offsets)
        pooled = F.embedding_bag(
            torch.arange(keys.numel()), vectors, offsets, mode="mean", include_last_offset=True
        )
        by_row = pooled.reshape(self._num_features, -1, vectors.shape[1]).transpose(0, 1)
        deep, wide = by_row[..., : self._dim], by_row[..., self._dim :]
        logit: Tensor = self.dense(deep.flatten(1)).squeeze(1) + wide.sum(dim=(1, 2))
        return logit

    def _vectors(self, keys: Tensor, offsets: Tensor) -> Tensor:
        vectors: Tensor = self.embedding(keys)
        return vectors


class FeatureRanker(PeerRanker):
    """A `PeerRanker` whose embedding is also told of which feature each key is, as int64[N] in [0, F)."""

    def _vectors(self, keys: Tensor, offsets: Tensor) -> Tensor:
        num_rows = (offsets.numel() - 1) // self._num_features
        features = torch.arange(self._num_features).repeat_interleave(offsets[::num_rows].diff())
        vectors: Tensor = self.embedding(keys, features)
        return vectors
