"""What commands leave behind: one frozen dataclass for each file format, written as JSON and read again."""

from hybridhash.results.comparison import REFERENCES, ComparedMethod, Comparison
from hybridhash.results.continuous import (
    Continuous,
    Difference,
    Interval,
    StreamedMethod,
    StreamSettings,
    WindowFacts,
    Windows,
)
from hybridhash.results.data import BudgetFacts, Curve, DataFacts, Feature
from hybridhash.results.figures import Collisions, Figures, Shares, UsedSettings
from hybridhash.results.record import Machine, Record, from_json, read_record, to_json
from hybridhash.results.sweep import Sweep, SweepRow

__all__ = [
    "REFERENCES",
    "BudgetFacts",
    "Collisions",
    "ComparedMethod",
    "Comparison",
    "Continuous",
    "Curve",
    "DataFacts",
    "Difference",
    "Feature",
    "Figures",
    "Interval",
    "Machine",
    "Record",
    "Shares",
    "StreamSettings",
    "StreamedMethod",
    "Sweep",
    "SweepRow",
    "UsedSettings",
    "WindowFacts",
    "Windows",
    "from_json",
    "read_record",
    "to_json",
]
