"""All studies by name, in the order of the report."""

from pathlib import Path

from paper import figure4, figure5, table1, table2, table3
from paper.study import Studies, Study

NAMES = (
    "table1",
    "table2",
    "table3_ads",
    "table3_timeline",
    "table3_movietweetings",
    "table3_assistments",
    "figure4",
    "figure5",
)


def studies(data: Path | None) -> Studies:
    """Return the studies.

    Args:
        data: Folder of the real data sets, or None; the studies that need one say so when they run.
    """
    return {
        "table1": Study(table1.run, table1.section),
        "table2": Study(table2.run, table2.section),
        **table3.studies(data),
        "figure4": Study(figure4.run, figure4.section),
        "figure5": Study(figure5.run, figure5.section),
    }
