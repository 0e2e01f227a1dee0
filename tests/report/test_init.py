from hybridhash import report


def test_public_names() -> None:
    assert report.__all__ == [
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
    for name in report.__all__:
        assert hasattr(report, name)
