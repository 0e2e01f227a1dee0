"""Torch optimizers for a model whose tables may have sparse gradients."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import torch
from torch import nn
from torch.optim import SGD, Adagrad, Adam, Optimizer, SparseAdam

from hybridhash.errors import InvalidValueError

Parameters = list[nn.Parameter]


def _sgd(dense: Parameters, sparse: Parameters, learning_rate: float) -> Sequence[Optimizer]:
    return [SGD(dense + sparse, lr=learning_rate)]


def _adagrad(dense: Parameters, sparse: Parameters, learning_rate: float) -> Sequence[Optimizer]:
    return [Adagrad(dense + sparse, lr=learning_rate)]


def _adam(dense: Parameters, sparse: Parameters, learning_rate: float) -> Sequence[Optimizer]:
    optimizers: list[Optimizer] = [Adam(dense, lr=learning_rate)] if dense else []
    return [*optimizers, SparseAdam(sparse, lr=learning_rate)] if sparse else optimizers


OPTIMIZERS: Final[Mapping[str, Callable[[Parameters, Parameters, float], Sequence[Optimizer]]]] = (
    MappingProxyType({"sgd": _sgd, "adagrad": _adagrad, "adam": _adam})
)


def build_optimizers(model: nn.Module, name: str, learning_rate: float) -> list[Optimizer]:
    """Return the optimizers that together train all parameters of a model.

    A module with a true attribute ``sparse`` (as ``nn.EmbeddingBag`` has) owns parameters with sparse
    gradients; Adam then moves only the rows of a batch (``torch.optim.SparseAdam``). A module whose
    ``optimizer_state`` is set moves its own parameters in its backward pass; they are left to it.

    Args:
        model: The model.
        name: ``sgd``, ``adagrad`` or ``adam``.
        learning_rate: Above 0.

    Returns:
        One optimizer, or two for Adam with sparse gradients; none for a model that moves itself.

    Raises:
        InvalidValueError: An unknown name, or a learning rate that is not above 0.
    """
    if name not in OPTIMIZERS:
        raise InvalidValueError(f"optimizer: expected one of {', '.join(OPTIMIZERS)}, got {name!r}")
    if not 0 < learning_rate < float("inf"):
        raise InvalidValueError(f"learning_rate: expected a finite number above 0, got {learning_rate}")
    sparse_ids = _owned(model, "sparse")
    left_out = _owned(model, "optimizer_state")
    parameters = [parameter for parameter in model.parameters() if id(parameter) not in left_out]
    dense = [parameter for parameter in parameters if id(parameter) not in sparse_ids]
    sparse = [parameter for parameter in parameters if id(parameter) in sparse_ids]
    if sparse:
        # Explicit, because torch warns when nobody says whether sparse gradients are to be checked.
        torch.sparse.check_sparse_tensor_invariants.disable()  # type: ignore[no-untyped-call]
    return list(OPTIMIZERS[name](dense, sparse, learning_rate)) if parameters else []


def _owned(model: nn.Module, attribute: str) -> set[int]:
    """Return the identities of the parameters whose module has a true attribute."""
    return {
        id(parameter)
        for module in model.modules()
        if getattr(module, attribute, None)
        for parameter in module.parameters(recurse=False)
    }
