"""The sensitivities of a ranker: the curvature of the log loss by the rows of all its tables."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hybridhash.embeddings import EmbeddingBag
from hybridhash.embeddings.base import BaseEmbeddingBag
from hybridhash.errors import InvalidTypeError
from hybridhash.models.rankers import MLPRanker, WideDeep
from hybridhash.packing import Sensitivity

Int64s = npt.NDArray[np.int64]


def sensitivities(
    model: WideDeep | MLPRanker,
    batches: Iterable[tuple[Tensor, Tensor]],
) -> dict[str, Sensitivity]:
    """Measure, feature by feature, how the logit moves with the rows that a key of the feature reads.

    The metric of a feature is the mean of ``p (1 - p) g g'`` over the batches, where p is the prediction and g the
    gradient of the logit by the vector and the wide weight of one key: the curvature of the log loss.

    Args:
        model: A trained model.
        batches: Keys and offsets of rows that the model was trained on; some thousands of rows are enough.

    Returns:
        The sensitivities by the name of the dictionary, for the dictionaries that deep tables read.
    """
    was_training = model.training
    model.eval()
    found: dict[str, list[Tensor]] = {}
    wide = {group.dictionary for group in model.wide.groups} if isinstance(model, WideDeep) else set()
    places = {name: place for place, name in enumerate(model.deep.features)}
    for keys, offsets in batches:
        lengths = offsets.diff().view(len(places), -1).clamp(min=1).T
        vectors, weight = _gradients(model, keys, offsets)
        first = 0
        for group in model.deep.groups:
            size = len(group.features) * group.table.dim
            by_feature = vectors[:, first : first + size].reshape(len(vectors), len(group.features), -1)
            first += size
            if group.dictionary in wide:
                by_feature = torch.cat([by_feature, torch.ones_like(by_feature[..., :1])], dim=2)
            if group.mode == "mean":  # each key of a list has its share
                by_feature = by_feature / lengths[:, [places[name] for name in group.features], None]
            scaled = by_feature.double() * weight[:, None, None]
            found.setdefault(group.dictionary, []).append(torch.einsum("bfi,bfj->fij", scaled, scaled))
    model.train(was_training)
    features = {group.dictionary: _features(bag) for group, bag in model.deep.tables}
    return {
        name: Sensitivity(features[name], torch.stack(parts).sum(dim=0).cpu().numpy())
        for name, parts in found.items()
    }


def _features(bag: BaseEmbeddingBag) -> Int64s:
    """Return int64[K], the feature of each key of a trained bag."""
    if not isinstance(bag, EmbeddingBag):
        raise InvalidTypeError(f"model: expected trained tables, got a {type(bag).__name__}")
    return bag.blueprint.feature_of_key


def _gradients(model: WideDeep | MLPRanker, keys: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of the logits by the deep vectors, and the roots of the curvatures of the loss."""
    with torch.no_grad():
        curvature = torch.sigmoid(model(keys, offsets))
        vectors = model.deep(model.deep.encode(keys, offsets))
    vectors.requires_grad_()
    with torch.enable_grad():
        [gradients] = torch.autograd.grad(model.dense(vectors).sum(), [vectors])
    return gradients, (curvature * (1 - curvature)).sqrt().double()
