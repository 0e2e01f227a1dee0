"""How much the loss of a model depends on the rows of a bag: the curvature of the log loss, by feature of the keys."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from hybridhash.embeddings.bag import EmbeddingBag
from hybridhash.errors import InvalidTypeError, InvalidValueError
from hybridhash.packing import Sensitivity

Batch = TypeVar("Batch")


def measure_sensitivity(
    bag: EmbeddingBag, logits: Callable[[Batch], Tensor], batches: Iterable[Batch]
) -> Sensitivity:
    """Measure how much the log loss depends on the vectors of a bag.

    The metric of a feature is the sum of ``p (1 - p) g g'`` over the bags whose first known key is of the feature:
    p is the prediction, and g the gradient of the logit by the vector of one key. This is the Gauss-Newton curvature
    of the log loss. A few thousand examples are enough; labels play no part. No parameter moves, and no gradient is
    left behind.

    Args:
        bag: A bag of the model. Other bags of the model are left alone.
        logits: Runs the model on a batch and returns its logits, float[...].
        batches: What ``logits`` takes, one after another.

    Returns:
        What `hybridhash.pack` takes, float64[features, D, D].

    Raises:
        InvalidTypeError: ``bag`` is no trained bag.
        InvalidValueError: ``logits`` did not read the bag, or no bag held a known key.

    Source: Martens, "New Insights and Perspectives on the Natural Gradient Method", JMLR 2020, section 9.

    Example:
        >>> from hybridhash import Vocabulary
        >>> from hybridhash.spec import TableSpec
        >>> from hybridhash.tables import Blueprint
        >>> blueprint = Blueprint(TableSpec(2, 5, 4), Vocabulary(np.array([7, 9])))
        >>> bag, layer = EmbeddingBag(blueprint, mode="sum"), torch.nn.Linear(4, 1)
        >>> measure_sensitivity(bag, lambda keys: layer(bag(keys)), [torch.tensor([[7], [9]])]).metrics.shape
        (1, 4, 4)
    """
    if not isinstance(bag, EmbeddingBag):
        raise InvalidTypeError(f"bag: expected a hybridhash.EmbeddingBag, got {type(bag).__name__}")
    reads: list[tuple[Tensor, Tensor, Tensor]] = []

    def keep(_: Any, arguments: tuple[Any, ...], options: dict[str, Any], output: Tensor) -> Tensor:
        given = dict(zip(("keys", "offsets", "per_sample_weights"), arguments, strict=False)) | options
        keys, bounds, _ = bag.input_of(given["keys"], given.get("offsets"))
        leaf = output.detach().requires_grad_()
        reads.append((keys, bounds, leaf))
        return leaf

    blueprint = bag.blueprint
    width = bag.spec.dim
    metrics = np.zeros((max(len(blueprint.feature_names), 1), width, width))
    handle = bag.register_forward_hook(keep, with_kwargs=True)
    try:
        for batch in batches:
            reads.clear()
            with torch.enable_grad():
                found = logits(batch)
                chances = torch.sigmoid(found.detach())
                scaled = (found * (chances * (1 - chances)).sqrt()).sum()
                if not reads or not scaled.requires_grad:
                    raise InvalidValueError(
                        "logits: expected the logits of a model that reads the bag, got some that do not depend on it"
                    )
                gradients = torch.autograd.grad(scaled, [leaf for *_, leaf in reads])
            for (keys, bounds, _), gradient in zip(reads, gradients, strict=True):
                _add(metrics, bag, keys, bounds, gradient)
    finally:
        handle.remove()
    if not metrics.any():
        raise InvalidValueError(
            "batches: expected examples whose keys are among those of the bag, got none; hash ids with "
            "hybridhash.hash_keys and the feature names that were counted"
        )
    return Sensitivity(blueprint.feature_of_key, metrics)


def _add(metrics: np.ndarray, bag: EmbeddingBag, keys: Tensor, bounds: Tensor, gradient: Tensor) -> None:
    """Add the squared gradients of the bags of one call, each to the feature of its first known key."""
    slots = bag.blueprint.vocabulary.lookup(keys.cpu().numpy())
    lengths = bounds.diff().cpu().numpy()
    of_bag = np.repeat(np.arange(lengths.size), lengths)
    known = np.flatnonzero(slots >= 0)[::-1]
    feature = np.full(lengths.size, -1)
    feature[of_bag[known]] = bag.blueprint.feature_of_key[slots[known]]  # the first one comes last and stays
    rows = gradient.double().cpu().numpy()
    if bag.mode == "mean":  # each key of a bag has its share
        rows = rows / np.maximum(lengths, 1)[:, None]
    for index in np.unique(feature[feature >= 0]):
        mine = rows[feature == index]
        metrics[index] += mine.T @ mine
