"""The ranking models, over injected embeddings."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hybridhash.embeddings import EmbeddingCollection
from hybridhash.errors import InvalidValueError
from hybridhash.models.layers import dense_layers


class WideDeep(nn.Module):
    """Logit = MLP of the deep vectors + the sum of the wide weights.

    Args:
        deep: Embeddings that feed the hidden layers.
        wide: Embeddings of dim 1: one weight per key, of the same features and chosen crosses.
        hidden: Widths of the hidden layers.
        generator: Source of the initial values of the dense layers.

    Raises:
        InvalidValueError: A wide table of more than one weight per row, or a hidden width below one.

    Source: Cheng et al., "Wide & Deep Learning for Recommender Systems", 2016; the ads model of Zhang et
    al. 2020, section 4.1.2.
    """

    def __init__(
        self,
        deep: EmbeddingCollection,
        wide: EmbeddingCollection,
        hidden: Sequence[int],
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if any(group.table.dim != 1 for group in wide.groups):
            raise InvalidValueError(
                f"wide: expected tables of dim 1, got dims {[group.table.dim for group in wide.groups]}"
            )
        self.deep = deep
        self.wide = wide
        self.dense = dense_layers(_width(deep), hidden, generator)

    def forward(self, keys: Tensor, offsets: Tensor) -> Tensor:
        """Return the logits of a batch.

        Args:
            keys: int64[number of ids], feature-major.
            offsets: int64[F * B + 1].

        Returns:
            float[B].
        """
        inputs = self.deep.encode(keys, offsets)
        wide_inputs = inputs if self.wide.shares_rows_with(self.deep) else self.wide.encode(keys, offsets)
        logit: Tensor = self.dense(self.deep(inputs)).squeeze(1) + self.wide(wide_inputs).sum(dim=1)
        return logit


class MLPRanker(nn.Module):
    """Logit = MLP of the embeddings.

    Args:
        deep: Embeddings that feed the hidden layers.
        hidden: Widths of the hidden layers.
        generator: Source of the initial values of the dense layers.

    Source: the timeline model of Zhang et al. 2020, section 4.1.2.
    """

    def __init__(
        self, deep: EmbeddingCollection, hidden: Sequence[int], generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.deep = deep
        self.dense = dense_layers(_width(deep), hidden, generator)

    def forward(self, keys: Tensor, offsets: Tensor) -> Tensor:
        """Return the logits of a batch; see `WideDeep.forward`."""
        logit: Tensor = self.dense(self.deep(self.deep.encode(keys, offsets))).squeeze(1)
        return logit


def _width(collection: EmbeddingCollection) -> int:
    return sum(len(group.features) * group.table.dim for group in collection.groups)
