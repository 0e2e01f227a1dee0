"""What a sweep says of rows that diverged."""

from dataclasses import replace

from hybridhash.results import Sweep, SweepRow

from .conftest import COMPARISON, METHOD


def test_reasons_name_the_row_or_hashing_beside_it() -> None:
    """Row by row, and seed by seed within."""
    lost = replace(METHOD, diverged=("seed 0: at step 3", "seed 2: at step 9"))
    figures = {name: value for name, value in vars(METHOD).items() if name in SweepRow.__dataclass_fields__}
    row = SweepRow(**figures, stage="head", title="head 5%", tail="1/8", hashed=lost, file_share=None)
    sweep = Sweep(
        version="1",
        command="hybridhash sweep",
        created="2025-11-24",
        machine=COMPARISON.machine,
        data=COMPARISON.data,
        baseline_bytes=100,
        baseline_rows=8,
        seeds=3,
        best_head="head 5%",
        rows=(row, replace(row, title="head 9%", diverged=("seed 1: at step 1",), hashed=None)),
    )
    assert sweep.reasons == (
        ("head 5%, hashed", "seed 0: at step 3"),
        ("head 5%, hashed", "seed 2: at step 9"),
        ("head 9%", "seed 1: at step 1"),
    )
