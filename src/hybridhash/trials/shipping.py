"""The model that is shipped, made from the one that was trained."""

from typing import Final

import numpy as np

from hybridhash.data import TRAIN, KeyedRows, iterate_batches
from hybridhash.models import MLPRanker, WideDeep, pack_model, sensitivities
from hybridhash.spec import ModelSpec
from hybridhash.training.step import device_of, to_tensors

_ROWS: Final = 1 << 15
_BATCH: Final = 2048


def ship(model: WideDeep | MLPRanker, spec: ModelSpec, rows: KeyedRows) -> WideDeep | MLPRanker:
    """Pack a trained model; rows that keys share are found by the curvature of the loss on training rows.

    Args:
        model: Trained; it stays as it is.
        spec: What it was built from.
        rows: All rows; 32,768 of the training rows are looked at, without their labels, the same ones every time.

    Returns:
        The model for inference; the same one where nothing is to be packed.
    """
    tables = [group.table for group in spec.deep]
    if not any(tier.num_codes for table in tables for tier in table.head_tiers):
        return pack_model(model)
    indices = rows.indices(TRAIN)
    if indices.size > _ROWS:
        indices = np.sort(np.random.default_rng(0).choice(indices, _ROWS, replace=False))
    batches = (to_tensors(batch, device_of(model)) for batch in iterate_batches(rows, indices, _BATCH))
    return pack_model(model, sensitivities(model, batches))
