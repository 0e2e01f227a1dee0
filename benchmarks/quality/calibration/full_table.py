"""A trained model with one row per key, whose rows can be replaced, and what that does on the validation slice."""

from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.quality.methods import FULL, Span, build
from benchmarks.quality.need import Int64s
from hybridhash.data import TRAIN, VALIDATION, KeyedRows, iterate_batches
from hybridhash.metrics import relative_cross_entropy
from hybridhash.models import MLPRanker, WideDeep, sensitivities
from hybridhash.packing import Sensitivity
from hybridhash.training import TrainSettings, predict, to_tensors, train
from hybridhash.trials import FitSettings
from hybridhash.vocabulary import Counts, count_key_chunks

RATE: Final = 0.05

Tables = list[npt.NDArray[np.float32]]


class FullTable:
    """The full table of a data set, trained for one pass without the validation slice.

    Args:
        rows: All rows; those of the test are not touched.
        settings: The model.
        seed: Of initial values and the order of rows.

    Attributes:
        counts: Of the keys of the training rows.
        keys: int64[N], those keys, the most frequent first.
        tables: The rows of these keys, float32[N, dim], and their wide weights, float32[N, 1], if the model has any.
        rce: On the validation slice, in per cent.
    """

    def __init__(self, rows: KeyedRows, settings: FitSettings, seed: int) -> None:
        """Train it."""
        span = Span(rows, (TRAIN,), settings)
        self._rows, self._validation = rows, rows.indices(VALIDATION)
        model = build(FULL, span, span.full_bytes, RATE, seed).model
        assert isinstance(model, WideDeep | MLPRanker)  # what the package builds
        self._model = model
        run = TrainSettings(settings.optimizer, RATE, settings.batch_size, epochs=1, patience=1, seed=seed)
        train(self._model, rows, span.indices, run)
        collections = [getattr(self._model, part, None) for part in ("deep", "wide")]
        self._bags = [collection.tables[0][1] for collection in collections if collection is not None]
        self.counts = span.counts
        self.keys: Int64s = span.counts.top(span.counts.num_keys).keys
        self._positions = self._bags[0].encoder(torch.from_numpy(self.keys.copy())).head  # all are in it
        self.tables: Tables = [bag.head.detach()[self._positions].numpy() for bag in self._bags]
        self._neutral = [bag.tail.detach()[0].numpy().copy() for bag in self._bags]
        self.rce = self._measure()

    def validation_counts(self) -> Counts:
        """Return how often each key occurs in the validation slice."""
        chunks = self._rows.key_chunks(VALIDATION)
        schema = self._rows.schema
        return count_key_chunks(chunks, schema.names, self._validation.size, schema.seed)

    @property
    def growth(self) -> float:
        """How many times larger the training rows are than the slice."""
        return self.counts.num_rows / self._validation.size

    def without(self, gone: npt.NDArray[np.bool_]) -> float:
        """Return the RCE that is lost where some keys read the neutral row.

        Args:
            gone: bool[N], which of `keys`.
        """
        changed = [
            np.where(gone[:, None], neutral, table)
            for table, neutral in zip(self.tables, self._neutral, strict=True)
        ]
        return self.with_rows(changed)

    def with_rows(self, tables: Tables) -> float:
        """Return the RCE that is lost with other rows; the model has its own again afterwards.

        Args:
            tables: As `tables`.
        """
        self._write(tables)
        lost = self.rce - self._measure()
        self._write(self.tables)
        return lost

    def sensitivity(self) -> Sensitivity:
        """Return how the model listens to the rows of its keys, measured on the rows that it was trained on."""
        batches = (
            to_tensors(batch, torch.device("cpu"))
            for batch in iterate_batches(self._rows, self._rows.indices(TRAIN), 2048)
        )
        features = np.zeros(self.keys.size, dtype=np.int64)
        order = np.argsort(self.keys)
        pairs = slice(
            None, None, -1
        )  # of a key in several features the most frequent pair comes last and stays
        features[order[np.searchsorted(self.keys[order], self.counts.keys[pairs])]] = self.counts.feature[
            pairs
        ]
        [found] = sensitivities(self._model, batches).values()
        return Sensitivity(features, found.metrics)

    def _write(self, tables: Tables) -> None:
        for bag, table in zip(self._bags, tables, strict=True):
            bag.head.data[self._positions] = torch.from_numpy(np.ascontiguousarray(table, dtype=np.float32))

    def _measure(self) -> float:
        predictions = predict(self._model, self._rows, self._validation)
        return float(relative_cross_entropy(predictions, self._rows.labels[self._validation]))
