"""`continuous`: methods side by side on a stream; each window is predicted and then learned from."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from hybridhash.data import Dataset, Split, Window, cut_windows, open_source, parse_duration
from hybridhash.errors import DataError, InvalidValueError
from hybridhash.experiments.differences import compare_windows, figures_over_windows
from hybridhash.experiments.facts import head_of
from hybridhash.experiments.output import check_not_an_input, check_output_folder, input_files, output_folder
from hybridhash.experiments.settings import ContinuousSettings
from hybridhash.files import write_text
from hybridhash.metrics import relative_cross_entropy
from hybridhash.planner import ModelBlueprint
from hybridhash.report import write_continuous_report
from hybridhash.results import Continuous, WindowFacts, Windows
from hybridhash.trials import (
    Listener,
    Prepared,
    StreamRunner,
    Trial,
    TrialRunner,
    fingerprint,
    has_both_labels,
    labels_in,
    open_model,
    resolve_columns,
)

CONTINUOUS_FILE: Final = "continuous.json"
REPORT_FILE: Final = "report.html"

# What changes neither a trained model nor its figures.
_NOT_OF_A_RUN: Final = {"out", "work_dir", "method", "seeds", "jobs"}


def continuous(
    data: Sequence[str], settings: ContinuousSettings, listener: Listener, *, version: str, command: str
) -> Continuous:
    """Train methods on a first span, then predict each window before learning from it, side by side.

    The first span is the training span of ``settings.split``; vocabulary, discretiser, learning rate and number
    of passes come from it alone, and the tables stay what they are. Everything behind it is cut into windows of
    ``settings.window``. Per window each method is measured on its predictions, then makes one pass over the
    window. RCE is relative to the mean label of the window that it is measured on.

    Finished runs are kept in ``out/runs``; a second call with the same data and settings takes them from there.

    Args:
        data: Files, globs or folders; the rows need not be sorted.
        settings: What was asked for.
        listener: Hears how far it is.
        version: The version of this package, for the results file.
        command: The command as the user typed it, for the results file.

    Returns:
        What was written to ``out/continuous.json``.

    Raises:
        HybridHashError: The data, the settings or the output folder cannot be used.

    Source: Zhang et al. 2020, section 4.1.2 and figure 5.
    """
    methods = list(dict.fromkeys(settings.method))
    if not methods:
        raise InvalidValueError("--method: expected one method or more, got none")
    check_output_folder(settings.out)
    check_not_an_input([settings.out / CONTINUOUS_FILE, settings.out / REPORT_FILE], input_files(data))
    check_continuous(data, settings)
    with open_model(data, settings, listener) as opened:
        laid_out = opened.lay_out(methods, settings, listener)
        head = head_of(opened.prepared, settings, version, command)
        windows = follow(opened.prepared, laid_out.blueprints, opened.baseline_bytes, settings, listener)
        results = Continuous(
            **head,
            **vars(windows),
            budget=laid_out.budget,
            notes=laid_out.notes,
        )
    write_text(settings.out / CONTINUOUS_FILE, results.to_json())
    write_continuous_report(results, settings.out / REPORT_FILE)
    return results


def check_continuous(data: Sequence[str], settings: ContinuousSettings) -> None:
    """Refuse what cannot be trained window by window, before the rows are read.

    Raises:
        InvalidValueError: A split that is not by time, no time column, a window that is no span of time,
            several workers, or a group.
        DataError: The data cannot be opened.
    """
    if Split.parse(settings.split).kind != "time":
        raise InvalidValueError(
            f"--split: expected a split by time, such as time:24h, got {settings.split!r}; windows follow each other"
        )
    _window_s(settings)
    if settings.workers > 1:
        raise InvalidValueError(
            f"--workers: expected 1, got {settings.workers}; use --jobs for several processes"
        )
    if settings.group is not None:
        raise InvalidValueError(
            f"--group: expected none, got {settings.group!r}; quality within groups is measured by compare"
        )
    if not data:
        raise InvalidValueError("data: expected one or more files, got none")
    if resolve_columns(open_source(list(data), settings.format), settings).time is None:
        raise InvalidValueError(
            "--time: expected the column that says when a row happened, such as --time ts, got none"
        )


def follow(
    prepared: Prepared,
    blueprints: Mapping[str, ModelBlueprint],
    baseline_bytes: int,
    settings: ContinuousSettings,
    listener: Listener,
) -> Windows:
    """Run models over the windows behind the training span and set them side by side.

    Args:
        prepared: The rows, with times, split by time.
        blueprints: The models by name, before they have values; the first name is what the others are compared with.
        baseline_bytes: Embedding bytes of the baseline, which sizes are a share of.
        settings: How models are trained; finished runs go to ``settings.out / "runs"``.
        listener: Hears how far it is.

    Returns:
        The windows, the figures of each model, and the differences from the first.

    Raises:
        DataError: No window has rows of both labels.
    """
    dataset = prepared.dataset
    times = dataset.rows.times
    assert times is not None  # a split by time with a time column
    first_row = dataset.split.num_train + dataset.split.num_validation
    windows = tuple(cut_windows(times, first_row, _window_s(settings)))
    described = [_describe_window(dataset, window, settings) for window in windows]
    if not any(has_both_labels(dataset.rows, window) for window in windows):
        raise DataError(
            f"window: expected both labels in one window of {settings.window} at least, got none in {len(windows)}; "
            "use a longer one"
        )
    fields = settings.model_dump(mode="json", exclude=_NOT_OF_A_RUN)
    trials = [
        Trial(
            name,
            fingerprint(prepared.files, {**fields, "tables": blueprint.spec.as_dict()}),
            blueprint,
            settings.seeds,
        )
        for name, blueprint in blueprints.items()
    ]
    with output_folder(settings.out) as store:
        runner = StreamRunner(TrialRunner(dataset, settings, store, settings.jobs), windows)
        found = runner.follow(trials, listener)
    rows = tuple(
        figures_over_windows(trial.title, followed, trial.blueprint.spec, baseline_bytes)
        for trial, followed in zip(trials, found, strict=True)
    )
    return Windows(
        window=settings.window,
        seeds=settings.seeds,
        windows=tuple(described),
        methods=rows,
        differences=tuple(compare_windows(rows[0], row) for row in rows[1:]),
    )


def _window_s(settings: ContinuousSettings) -> float:
    try:
        return parse_duration(settings.window)
    except InvalidValueError as error:
        raise InvalidValueError(f"--window: {error}") from error


def _describe_window(dataset: Dataset, window: Window, settings: ContinuousSettings) -> WindowFacts:
    labels, weights = labels_in(dataset.rows, window)
    best = None
    if settings.reference and has_both_labels(dataset.rows, window):
        truth = dataset.rows.extra[settings.reference][window.first : window.end]
        best = relative_cross_entropy(truth, labels, weights)
    return WindowFacts(window.start, window.num_rows, int(np.count_nonzero(labels)), best)
