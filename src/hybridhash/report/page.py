"""The report as one HTML page that needs nothing else."""

import json
import os
from dataclasses import asdict
from typing import Any, Final

from markupsafe import Markup

from hybridhash.files import write_text
from hybridhash.planner import METHODS
from hybridhash.report.collisions import CollisionBar, collision_bars
from hybridhash.report.document import Grid, page_templates
from hybridhash.report.formatting import (
    UNKNOWN,
    format_bytes,
    format_count,
    format_number,
    format_share,
    format_short_count,
    format_spread,
)
from hybridhash.report.frequency import FrequencyCurve, frequency_curves
from hybridhash.report.quality import QualityPoint, quality_by_method
from hybridhash.report.style import inline_svg
from hybridhash.report.table import (
    BEST_MARK,
    BEST_NOTE,
    SPEED_COLUMNS,
    SPEED_NOTE,
    Column,
    columns_of,
    marked_best,
)
from hybridhash.report.words import terms_in
from hybridhash.results import ComparedMethod, Comparison, Shares

_MORE_COLUMNS: Final = (
    Column("normalised entropy", lambda method: format_number(method.normalised_entropy_mean, 4)),
    Column("calibration", lambda method: format_number(method.calibration_mean, 3)),
    *SPEED_COLUMNS,
    Column("train time", lambda method: _seconds(method.train_s)),
)


def render_html(comparison: Comparison) -> str:
    """Return the report on a comparison: one page, no network, no scripts; same input, same text.

    Args:
        comparison: The run.

    Returns:
        A whole HTML document.
    """
    grids = {
        "quality_table": _quality_grid(comparison),
        "ledger_table": _ledger_grid(comparison),
        "collision_table": _collision_grid(comparison),
        "feature_table": _feature_grid(comparison),
        "setting_table": _setting_grid(comparison),
    }
    said, facts = headline(comparison), _facts(comparison)
    texts = [text for grid in grids.values() for text in _texts(grid)]
    shown = " ".join([said, *(name for name, _ in facts), *texts])
    return (
        page_templates()
        .get_template("page.html")
        .render(
            kind="hybridhash compare",
            title=comparison.data.source,
            comparison=comparison,
            headline=said,
            facts=facts,
            table_notes=". ".join([*([BEST_NOTE] if marked_best(comparison) else []), SPEED_NOTE]),
            quality_figure=_quality_figure(comparison),
            frequency_figure=_frequency_figure(comparison),
            collision_figure=_collision_figure(comparison),
            methods=[
                (method.name, METHODS[method.name].summary)
                for method in comparison.methods
                if method.name in METHODS
            ],
            terms=terms_in(shown),
            **grids,
            machine=comparison.machine.text,
        )
    )


def write_report(comparison: Comparison, path: str | os.PathLike[str]) -> None:
    """Write the report to a file, whole or not at all.

    Args:
        comparison: The run.
        path: The path of the page; a file that is there is replaced.

    Raises:
        FileAccessError: The file cannot be written there.
    """
    write_text(path, render_html(comparison))


def headline(comparison: Comparison) -> str:
    """Return the result in a sentence or two: the best compressed method beside full and the next best.

    A lead counts only where it is larger than the two standard deviations together.

    Args:
        comparison: The run.

    Returns:
        Plain text.
    """
    ranked = comparison.best_compressed()
    if not ranked:
        return "No compressed method gave a result."
    best = ranked[0]
    size = f"{_unbroken(format_bytes(best.embedding_bytes))}, {format_share(best.share_of_baseline)} of the baseline"
    text = f"At {size}, {best.name} reaches an RCE of {_unbroken(format_spread(best.rce_mean, best.spread))}"
    references = {method.name: method for method in comparison.methods if method.rce_mean is not None}
    full = references.get("full", references.get("baseline"))
    if full is not None:
        text += f"; {full.name} reaches {_unbroken(format_spread(full.rce_mean, full.spread))}"
        text += f" with {_unbroken(format_bytes(full.embedding_bytes))}"
    return f"{text}. {_lead(best, ranked[1])}" if len(ranked) > 1 else f"{text}."


def _lead(best: ComparedMethod, second: ComparedMethod) -> str:
    lead = (best.rce_mean or 0.0) - (second.rce_mean or 0.0)
    text = f"The lead over {second.name} is {lead:.2f}"
    if best.spread is None or second.spread is None:
        return f"{text}; with one seed it is not known whether that is more than chance."
    if lead > best.spread + second.spread:
        return f"{text}, more than the spread of the seeds."
    return f"{text}, within the spread of the seeds: no clear difference."


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _facts(comparison: Comparison) -> list[tuple[str, str]]:
    data, budget = comparison.data, comparison.budget
    facts = [
        ("label", data.label),
        ("rows", format_count(data.rows)),
        ("train rows", format_count(data.train_rows)),
        ("validation rows", format_count(data.validation_rows)),
        ("test rows", format_count(data.test_rows)),
        ("split", data.split),
        ("positive labels", f"{format_count(data.positives)} ({format_share(data.positives / data.rows)})"),
        ("mean label, test", format_number(data.mean_label_test, 4)),
        ("distinct keys", format_count(data.keys)),
        ("budget", f"{budget.asked} = {format_bytes(budget.bytes)}"),
        ("baseline", format_bytes(budget.baseline_bytes)),
    ]
    if data.best_reachable_rce is not None:
        facts.append(("best reachable RCE", format_number(data.best_reachable_rce, 2)))
    return facts


def _quality_grid(comparison: Comparison) -> Grid:
    best = marked_best(comparison)
    columns = (*columns_of(comparison), *_MORE_COLUMNS)
    body = [[column.cell(method) for column in columns] for method in comparison.methods]
    for row in body:
        row[0] += f" {BEST_MARK}" if row[0] == best else ""
    return Grid([column.title for column in columns], body, f"{best} {BEST_MARK}" if best else None)


def _quality_figure(comparison: Comparison) -> Markup | None:
    points = [
        QualityPoint(method.name, method.embedding_bytes, method.rce)
        for method in comparison.methods
        if method.rce and method.embedding_bytes > 0 and not method.diverged
    ]
    if not points:
        return None
    described = ", ".join(
        f"{point.label} {point.mean:.2f} at {format_bytes(point.num_bytes)}" for point in points
    )
    figure = quality_by_method(points, comparison.data.best_reachable_rce)
    return Markup(inline_svg(figure, "quality", f"RCE by method: {described}"))


def _frequency_figure(comparison: Comparison) -> Markup | None:
    curves = [
        FrequencyCurve(feature.name, feature.curve.rank, feature.curve.share)
        for feature in comparison.data.features
        if feature.curve.rank
    ]
    if not curves:
        return None
    names = ", ".join(curve.label for curve in curves)
    description = f"Cumulative share of the traffic against the number of most frequent keys, for {names}"
    return Markup(inline_svg(frequency_curves(curves), "frequency", description))


def _collisions(comparison: Comparison) -> list[CollisionBar]:
    return [
        CollisionBar(method.name, method.collisions.predicted, method.collisions.measured)
        for method in comparison.methods
        if method.collisions is not None
    ]


def _collision_figure(comparison: Comparison) -> Markup | None:
    bars = _collisions(comparison)
    if not bars:
        return None
    description = "Predicted and measured collisions of each method; the table below has the numbers"
    return Markup(inline_svg(collision_bars(bars), "collisions", description))


def _collision_grid(comparison: Comparison) -> Grid:
    def cells(shares: Shares | None) -> list[str]:
        if shares is None:
            return [UNKNOWN] * 3
        return [
            f"{100 * share:.2f}%" for share in (shares.exclusive, shares.half_shared, shares.fully_shared)
        ]

    body = []
    for bar in _collisions(comparison):
        pairs = zip(cells(bar.predicted), cells(bar.measured), strict=True)
        body.append([bar.label, *(cell for pair in pairs for cell in pair)])
    kinds = ("exclusive", "partly shared", "fully shared")
    return Grid(["method", *(f"{kind}, {how}" for kind in kinds for how in ("predicted", "measured"))], body)


def _ledger_grid(comparison: Comparison) -> Grid:
    methods = comparison.methods
    ledgers = [None if method.ledger is None else method.ledger.as_dict() for method in methods]
    parts = list(dict.fromkeys(part for ledger in ledgers for part in ledger or {}))
    body = [
        [
            part.replace("_", " "),
            *(format_count(None if ledger is None else ledger[part]) for ledger in ledgers),
        ]
        for part in parts
        if any(ledger[part] for ledger in ledgers if ledger is not None)
    ]
    body.append(["whole file", *(format_count(method.file_bytes) for method in methods)])
    body.append(["of which embeddings", *(format_count(method.embedding_bytes) for method in methods)])
    return Grid(["bytes", *(method.name for method in methods)], body, "whole file")


def _feature_grid(comparison: Comparison) -> Grid:
    tops = sorted({top for feature in comparison.data.features for top in feature.coverage}, key=int)
    body = [
        [
            feature.name,
            feature.kind,
            format_count(feature.keys),
            format_count(feature.nulls),
            format_count(feature.singletons),
            format_share(feature.unseen_share),
            *(format_share(feature.coverage.get(top)) for top in tops),
        ]
        for feature in comparison.data.features
    ]
    head = ["feature", "kind", "keys", "nulls", "singletons", "unseen"]
    return Grid([*head, *(f"top {format_short_count(int(top))}" for top in tops)], body)


def _setting_grid(comparison: Comparison) -> Grid:
    methods = comparison.methods
    used = [asdict(method.settings) for method in methods]
    names = dict.fromkeys(name for settings in used for name in settings)
    body = [[name.replace("_", " "), *(_text(settings[name]) for settings in used)] for name in names]
    bundles = [method.bundle or UNKNOWN for method in methods]
    return Grid(["setting", *(method.name for method in methods)], [*body, ["exported model", *bundles]])


def _texts(grid: Grid) -> list[str]:
    return [*grid.head, *(cell for row in grid.body for cell in row)]


def _seconds(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    if value < 120:
        return f"{value:.1f} s"
    return f"{value / 60:.1f} min"


def _text(value: Any) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.6g}"
    return json.dumps(value, ensure_ascii=False)
