"""What a comparison leaves to read: a table, figures, one self-contained HTML page."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hybridhash.report.collisions import CollisionBar, collision_bars
    from hybridhash.report.continuous import (
        continuous_grid,
        continuous_table,
        difference_figure,
        format_interval,
        window_figure,
        write_continuous_report,
    )
    from hybridhash.report.document import Grid, html_figure, html_page, html_table
    from hybridhash.report.ends import name_ends
    from hybridhash.report.formatting import format_bytes, format_spread
    from hybridhash.report.frequency import FrequencyCurve, frequency_curves
    from hybridhash.report.page import render_html, write_report
    from hybridhash.report.quality import QualityPoint, quality_by_method
    from hybridhash.report.style import INK, MUTED, colours, house_style, inline_svg, settle_layout
    from hybridhash.report.sweep import (
        sweep_figure,
        sweep_grid,
        sweep_table,
        write_sweep_report,
    )
    from hybridhash.report.table import comparison_table
    from hybridhash.report.verdict import verdict_of

_LAZY = {  # some of these load matplotlib and others rich, which not all need
    "collisions": "CollisionBar collision_bars",
    "continuous": "continuous_grid continuous_table difference_figure format_interval window_figure "
    "write_continuous_report",
    "document": "Grid html_figure html_page html_table",
    "ends": "name_ends",
    "formatting": "format_bytes format_spread",
    "frequency": "FrequencyCurve frequency_curves",
    "page": "render_html write_report",
    "quality": "QualityPoint quality_by_method",
    "style": "INK MUTED colours house_style inline_svg settle_layout",
    "sweep": "sweep_figure sweep_grid sweep_table write_sweep_report",
    "table": "comparison_table",
    "verdict": "verdict_of",
}
_MODULE_OF = {name: module for module, names in _LAZY.items() for name in names.split()}

__all__ = [
    "INK",
    "MUTED",
    "CollisionBar",
    "FrequencyCurve",
    "Grid",
    "QualityPoint",
    "collision_bars",
    "colours",
    "comparison_table",
    "continuous_grid",
    "continuous_table",
    "difference_figure",
    "format_bytes",
    "format_interval",
    "format_spread",
    "frequency_curves",
    "house_style",
    "html_figure",
    "html_page",
    "html_table",
    "inline_svg",
    "name_ends",
    "quality_by_method",
    "render_html",
    "settle_layout",
    "sweep_figure",
    "sweep_grid",
    "sweep_table",
    "verdict_of",
    "window_figure",
    "write_continuous_report",
    "write_report",
    "write_sweep_report",
]


def __getattr__(name: str) -> Any:
    """Load a part of the report when it is first asked for."""
    if name in _MODULE_OF:
        return getattr(import_module(f"hybridhash.report.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
