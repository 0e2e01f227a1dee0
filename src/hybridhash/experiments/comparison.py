"""`compare`: every method is trained at one budget, and all stand side by side."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from hybridhash.errors import InvalidValueError
from hybridhash.experiments.collisions import collision_shares
from hybridhash.experiments.facts import head_of
from hybridhash.experiments.figures import edge_notes, figures_of
from hybridhash.experiments.origin import NOTE, origin_of
from hybridhash.experiments.output import check_not_an_input, check_output_folder, input_files, output_folder
from hybridhash.experiments.settings import CompareSettings
from hybridhash.files import write_text
from hybridhash.report import write_report
from hybridhash.results import ComparedMethod, Comparison
from hybridhash.trials import (
    BUNDLE_SUFFIX,
    Listener,
    Opened,
    Trained,
    Trial,
    TrialRunner,
    check_group,
    fingerprint,
    open_model,
)

RESULTS_FILE: Final = "results.json"
REPORT_FILE: Final = "report.html"

# What changes neither a trained model nor its figures.
_NOT_OF_A_RUN: Final = {"out", "work_dir", "method", "seeds", "jobs"}


def compare(
    data: Sequence[str], settings: CompareSettings, listener: Listener, *, version: str, command: str
) -> Comparison:
    """Train each method once per seed on the training span, judge it on the test span, export it.

    Learning rate and number of passes are chosen per method on the validation slice of the training span.
    Finished runs are kept in ``out/runs``; a second call with the same data and settings takes them from
    there. A method whose training diverges is named, with the seed, and ends no other.

    Args:
        data: Files, globs or folders.
        settings: What was asked for.
        listener: Hears how far it is.
        version: The version of this package, for the results file.
        command: The command as the user typed it, for the results file.

    Returns:
        What was written to ``out/results.json``.

    Raises:
        HybridHashError: The data, the settings or the output folder cannot be used.
    """
    methods = list(dict.fromkeys(settings.method))
    if not methods:
        raise InvalidValueError("--method: expected one method or more, got none")
    check_output_folder(settings.out)
    bundles = {method: settings.out / f"{method}{BUNDLE_SUFFIX}" for method in methods}
    files = (settings.out / RESULTS_FILE, settings.out / REPORT_FILE)
    check_not_an_input([*bundles.values(), *files], input_files(data))
    with open_model(data, settings, listener) as opened, ExitStack() as held:
        prepared = opened.prepared
        laid_out = opened.lay_out(methods, settings, listener)
        check_group(prepared.dataset.rows, settings.group)
        store = held.enter_context(output_folder(settings.out))
        key = fingerprint(prepared.files, settings.model_dump(mode="json", exclude=_NOT_OF_A_RUN))
        trials = [
            Trial(method, f"{method}-{key}", blueprint, settings.seeds, bundles[method])
            for method, blueprint in laid_out.blueprints.items()
        ]
        notes = {NOTE: origin_of(prepared)}
        runner = TrialRunner(prepared.dataset, settings, store, settings.jobs, notes)
        trained = runner.attempt(trials, listener)
        by_title = {trial.title: found for trial, found in zip(trials, trained, strict=True)}
        at_an_end = edge_notes(by_title, settings.learning_rate)
        for note in at_an_end:
            listener.note(note)
        comparison = Comparison(
            **head_of(prepared, settings, version, command),
            budget=laid_out.budget,
            notes=(*laid_out.notes, *at_an_end),
            methods=tuple(
                _compared(opened, trial, found, settings)
                for trial, found in zip(trials, trained, strict=True)
            ),
        )
        write_text(settings.out / RESULTS_FILE, comparison.to_json())
        write_report(comparison, settings.out / REPORT_FILE)
    return comparison


def _compared(opened: Opened, trial: Trial, trained: Trained, settings: CompareSettings) -> ComparedMethod:
    spec = trial.blueprint.spec
    return ComparedMethod(
        **vars(figures_of(trained, spec, settings, opened.baseline_bytes)),
        name=trial.title,
        collisions=collision_shares(opened.groups, spec),
        bundle=None if trained.diverged else f"{trial.title}{BUNDLE_SUFFIX}",
    )
