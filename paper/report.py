"""All sections as one page, and its figures as files beside it."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from hybridhash.files import write_text
from hybridhash.report import Grid, html_figure, html_page, html_table, inline_svg
from paper.plots import save_figure
from paper.study import Section, Studies, Verdict
from paper.text import note, paragraph

REPORT_FILE: Final = "report.html"
Record = Mapping[str, Any]

_ABOUT: Final = (
    "Every experiment of section 4 of Zhang et al., RecSys '20 (“Model Size Reduction Using Frequency Based Double "
    "Hashing for Recommender Systems”), on data that anyone can have: two streams made to the shape of the paper's two "
    "surfaces, whose true probabilities are known, and public data sets. The paper's figures stand beside ours; where "
    "they differ, the section says why. What came out against our hopes is kept."
)


def write_paper_report(folder: Path, studies: Studies, records: Mapping[str, Record], footer: str) -> None:
    """Write ``report.html``, and every figure as PNG and SVG, into the folder of the results.

    Args:
        folder: Of the results.
        studies: All studies, in the order of the report.
        records: Per study that was run, its ``summary``, and why its last call made none: ``skipped`` or ``failed``.
        footer: Text.
    """
    sections = {
        name: study.section(records[name]["summary"])
        for name, study in studies.items()
        if "summary" in records.get(name, {})
    }
    for section in sections.values():
        for item in section.figures:
            save_figure(item.figure, folder, item.name)
    parts = [paragraph(_ABOUT), _verdicts(list(sections.values()))]
    for name in studies:
        if name in sections:
            parts.append(_section(sections[name], _why_not(records[name])))
        else:
            why_not = _why_not(records.get(name, {})) or "Not run yet."
            parts.append(f"<h2>{escape(name)}</h2>\n{note(why_not)}")
    parts.append("<h2>Time</h2>\n" + _times(studies, records))
    page = html_page("hybridhash paper", "The paper, reproduced", "".join(parts), footer)
    write_text(folder / REPORT_FILE, page)


def _verdicts(sections: Sequence[Section]) -> str:
    found = [verdict for section in sections for verdict in section.verdicts]
    if not found:
        return ""
    body = [[_holds(verdict), verdict.claim, verdict.evidence] for verdict in found]
    return html_table(Grid(["holds", "claim", "measured"], body), "What the studies decide.")


def _holds(verdict: Verdict) -> str:
    return "? open" if verdict.holds is None else "✓ yes" if verdict.holds else "✗ no"


def _section(section: Section, why_not_again: str | None) -> str:
    figures = [
        html_figure(
            inline_svg(item.figure, item.name, item.caption), f"{item.caption} Files: {item.name}.png, .svg."
        )
        for item in section.figures
    ]
    kept = note(f"{why_not_again} What stands here is from an earlier call.") if why_not_again else ""
    return f"<h2>{escape(section.title)}</h2>\n{kept}{section.html}{''.join(figures)}"


def _why_not(record: Record) -> str | None:
    if "skipped" in record:
        return f"Skipped: {record['skipped']}"
    if "failed" in record:
        return f"Failed: {record['failed']}"
    return None


def _times(studies: Studies, records: Mapping[str, Record]) -> str:
    body = [
        [name, f"{records[name]['seconds'] / 60:.1f}"]
        for name in studies
        if "seconds" in records.get(name, {})
    ]
    return html_table(Grid(["study", "minutes"], body), "Wall time of each study, all its runs together.")
