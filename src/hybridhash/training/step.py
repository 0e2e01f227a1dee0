"""One step of training and one batch of prediction."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from hybridhash.data import Batch
from hybridhash.errors import DivergedError
from hybridhash.training.settings import TrainSettings


def to_tensors(batch: Batch, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the keys and offsets of a batch on a device, both int64."""
    return torch.from_numpy(batch.keys).to(device), torch.from_numpy(batch.offsets).to(device)


def train_step(
    model: nn.Module, optimizers: Sequence[Optimizer], batch: Batch, device: torch.device
) -> Tensor:
    """Move the parameters one step down the mean (weighted) binary cross entropy of a batch.

    Args:
        model: Takes (keys, offsets), returns logits float[B].
        optimizers: They step in turn.
        batch: A batch with labels.
        device: The device of the model.

    Returns:
        float[B], the probabilities before the step, which is not made if one of them is not a number.
    """
    keys, offsets = to_tensors(batch, device)
    labels = torch.from_numpy(batch.labels).to(device)
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    logits = model(keys, offsets)
    probabilities = torch.sigmoid(logits.detach())
    if probabilities.sum().isnan():
        return probabilities
    if batch.weights is None:
        loss = F.binary_cross_entropy_with_logits(logits, labels)
    else:
        weights = torch.from_numpy(batch.weights).to(device)
        total = weights.sum().clamp_min(torch.finfo(weights.dtype).tiny)
        loss = F.binary_cross_entropy_with_logits(logits, labels, weights, reduction="sum") / total
    loss.backward()  # type: ignore[no-untyped-call]
    for optimizer in optimizers:
        optimizer.step()
    return probabilities


def predict_batches(
    model: nn.Module, batches: Iterable[Batch], device: torch.device
) -> Iterator[npt.NDArray[np.float32]]:
    """Yield the probabilities float32[B] of each batch."""
    model.eval()
    with torch.inference_mode():
        for batch in batches:
            yield torch.sigmoid(model(*to_tensors(batch, device))).cpu().numpy()


def diverged(step: int, settings: TrainSettings, reason: str) -> DivergedError:
    """Return the error of a run that left the finite numbers, to be raised.

    Args:
        step: How many steps were made.
        settings: The settings of the run.
        reason: What is not finite.
    """
    return DivergedError(
        f"training diverged in step {step}: {reason}; "
        f"expected a learning rate below {settings.learning_rate:g}"
    )


def device_of(model: nn.Module) -> torch.device:
    """Return the device of a model's parameters."""
    return next(model.parameters()).device
