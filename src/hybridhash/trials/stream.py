"""`StreamRunner`: trials are trained on the training span and then window by window; each window is predicted first."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hybridhash.data import KeyedRows, Window
from hybridhash.errors import DivergedError
from hybridhash.metrics import log_loss, relative_cross_entropy
from hybridhash.trials.building import build_of
from hybridhash.trials.fitting import fit_windows
from hybridhash.trials.progress import Listener
from hybridhash.trials.runner import SeededRun, TrialRunner
from hybridhash.trials.trial import Diverged, Outcome, Trial

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class WindowQuality:
    """How good the predictions of a window were, before the model learned from it.

    Attributes:
        rce: Relative to the mean label of the window, in per cent; None where its rows do not have both labels.
        log_loss: The log loss in nats; None likewise.
    """

    rce: float | None
    log_loss: float | None


@dataclass(frozen=True)
class WindowRun:
    """One model that was followed over all windows.

    Attributes:
        windows: The windows in the order of time.
    """

    windows: tuple[WindowQuality, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return {"windows": [asdict(window) for window in self.windows]}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "WindowRun | Diverged":
        """Read what `as_dict` described, of a run or of one that diverged."""
        return Diverged.of(kept) or cls(tuple(WindowQuality(**window) for window in kept["windows"]))


Followed = Outcome[WindowRun]
"""What became of a trial on a stream."""


@dataclass(frozen=True)
class StreamRunner:
    """Trains and judges trials over the windows of one data set; it can be pickled for another process.

    A vocabulary that follows the stream would change the model between two windows, in
    `hybridhash.training.train_windows`; here the tables stay those of the training span.

    Attributes:
        trials: Tunes on the training span.
        windows: Spans of rows behind the training span, in the order of time.
    """

    trials: TrialRunner
    windows: tuple[Window, ...]

    def follow(self, trials: Sequence[Trial], listener: Listener) -> list[Followed]:
        """Tune each trial on the training span, then run it over the windows once per seed.

        Returns:
            One for each trial, in which a trial that diverged says so.
        """
        return self.trials.once_per_seed(trials, _key, self._kept, self._run, listener)

    def _kept(self, run: SeededRun) -> WindowRun | Diverged | None:
        kept = self.trials.store.get(_key(run))
        return None if kept is None else WindowRun.of(kept)

    def _run(self, run: SeededRun, listener: Listener) -> WindowRun | Diverged:
        store, rows, settings = self.trials.store, self.trials.dataset.rows, self.trials.settings

        def checkpoint_of(stage: str) -> Path:
            return store.checkpoint(_key(run), stage)

        found: WindowRun | Diverged
        try:
            measured = fit_windows(
                build_of(run.trial.blueprint.with_seed(run.seed), rows, settings),
                rows,
                settings,
                run.tuned,
                run.seed,
                self.windows,
                lambda window, predictions: asdict(quality_in(rows, window, predictions)),
                lambda stage, progress: listener.training(f"{run.title}, {stage}", progress),
                checkpoint_of,
            )
            found = WindowRun(tuple(WindowQuality(**window) for window in measured))
            known = [window.rce for window in found.windows if window.rce is not None]
            summary = f"mean RCE {np.mean(known):.3f} over {len(known)} windows"
        except DivergedError as error:
            found, summary = Diverged(str(error)), f"diverged ({error})"
        store.keep(_key(run), found.as_dict())
        listener.run_done(run.title, summary)
        return found


def quality_in(rows: KeyedRows, window: Window, predictions: Floats) -> WindowQuality:
    """Measure predictions of a window.

    Args:
        rows: All rows.
        window: Which of them.
        predictions: float32[num_rows] probabilities.
    """
    if not has_both_labels(rows, window):
        return WindowQuality(None, None)
    labels, weights = labels_in(rows, window)
    return WindowQuality(
        relative_cross_entropy(predictions, labels, weights), log_loss(predictions, labels, weights)
    )


def has_both_labels(rows: KeyedRows, window: Window) -> bool:
    """Say whether rows of a window that have a weight have both labels."""
    labels, weights = labels_in(rows, window)
    counted = labels if weights is None else labels[weights > 0]
    return bool(counted.size) and counted.min() != counted.max()


def labels_in(rows: KeyedRows, window: Window) -> tuple[Floats, Floats | None]:
    """Return the labels and the weights of a window."""
    span = slice(window.first, window.end)
    return rows.labels[span], None if rows.weights is None else rows.weights[span]


def _key(run: SeededRun) -> str:
    return f"{run.trial.key}-windows-seed{run.seed}"
