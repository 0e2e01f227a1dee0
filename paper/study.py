"""What a study is: a function that computes, and one that shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from hybridhash.experiments import Listener
from paper.scale import Scale

Summary = dict[str, Any]


@dataclass(frozen=True)
class NamedFigure:
    """A figure of a section.

    Attributes:
        name: File name without its ending, unique among all studies, such as ``figure4_steps``.
        figure: Made under `paper.plots.house_style`.
        caption: Text: what it shows, how the intervals are made.
    """

    name: str
    figure: Figure
    caption: str


@dataclass(frozen=True)
class Verdict:
    """A claim that the figures of a study decide.

    Attributes:
        claim: One sentence that is true or not.
        holds: Whether it is; None where the study does not tell.
        evidence: The figures, as text.
    """

    claim: str
    holds: bool | None
    evidence: str


@dataclass(frozen=True)
class Section:
    """A study in the report.

    Attributes:
        title: Its heading.
        html: Tables and text; make it with `hybridhash.report.html_table` and `paper.text`.
        figures: Shown below, in this order.
        verdicts: What the study decides; they are gathered at the head of the report.
    """

    title: str
    html: str
    figures: tuple[NamedFigure, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


class SkippedError(Exception):
    """A study that cannot run here; the message says why and what to do, and goes into the report."""


@dataclass(frozen=True)
class Study:
    """One table or figure of the paper.

    Attributes:
        run: Computes, resumably: rows that are kept under the folder are not made again. It writes its raw
            rows as JSON lines into ``folder / "<name>.jsonl"`` and returns what `section` needs, as JSON can
            hold it. Anything large goes into `work_folder`. Raises `SkippedError` where something is missing.
        section: Shows a summary; it sees nothing else, so the report can be made again without a run.
    """

    run: Callable[[Path, Scale, Listener], Summary]
    section: Callable[[Summary], Section]


Studies = Mapping[str, Study]


def work_folder(folder: Path) -> Path:
    """Return the folder of what is kept for resuming but not published: streams, runs, checkpoints."""
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    return work
