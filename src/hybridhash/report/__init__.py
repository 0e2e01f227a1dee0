"""What a comparison leaves to read: a table, figures, one self-contained HTML page."""

from hybridhash.report.collisions import CollisionBar, collision_bars
from hybridhash.report.continuous import (
    CONTINUOUS_FORMAT,
    continuous_grid,
    continuous_table,
    difference_figure,
    format_interval,
    window_figure,
    write_continuous_report,
)
from hybridhash.report.document import Grid, html_figure, html_page, html_table
from hybridhash.report.formatting import format_bytes
from hybridhash.report.frequency import FrequencyCurve, frequency_curves
from hybridhash.report.page import render_html, write_report
from hybridhash.report.quality import QualityPoint, quality_against_bytes
from hybridhash.report.results import RESULTS_FORMAT, Comparison, Feature, Method, Shares, read_results
from hybridhash.report.style import colours, house_style, inline_svg
from hybridhash.report.sweep import SWEEP_FORMAT, sweep_figure, sweep_grid, sweep_table, write_sweep_report
from hybridhash.report.table import comparison_markdown, comparison_table

__all__ = [
    "CONTINUOUS_FORMAT",
    "RESULTS_FORMAT",
    "SWEEP_FORMAT",
    "CollisionBar",
    "Comparison",
    "Feature",
    "FrequencyCurve",
    "Grid",
    "Method",
    "QualityPoint",
    "Shares",
    "collision_bars",
    "colours",
    "comparison_markdown",
    "comparison_table",
    "continuous_grid",
    "continuous_table",
    "difference_figure",
    "format_bytes",
    "format_interval",
    "frequency_curves",
    "house_style",
    "html_figure",
    "html_page",
    "html_table",
    "inline_svg",
    "quality_against_bytes",
    "read_results",
    "render_html",
    "sweep_figure",
    "sweep_grid",
    "sweep_table",
    "window_figure",
    "write_continuous_report",
    "write_report",
    "write_sweep_report",
]
