"""How large a run of all studies is."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Scale:
    """Sizes of the studies; all else is the same at every scale, but for the batch of table 3's tuned rows.

    That batch, which figure 5 has too, is smaller on a smaller stream; see `paper.table3.tuned_of`.

    Attributes:
        name: As it stands in the results.
        stream_share: Rows and ids of the two Twitter-shaped streams, as a share of the full ones.
        seeds: How often each row of table 3 and each run of figure 5 is trained.
        jobs: Training runs at a time, each in a process with its share of the cores.
        printed_heads: How many of the paper's five head sizes table 3 tries, from the largest down.
        real_rows: Most rows taken of a real data set, the latest, or spread evenly where time is not known; None
            for all.
        hours: Windows of figure 5.
        collision_shrink: Table 2 counts collisions on that many times fewer keys and buckets.
        turns: How often figure 4 measures each case; the cases take turns.
        turn_steps: Global training steps of a turn of figure 4.
    """

    name: str
    stream_share: float
    seeds: int
    jobs: int
    printed_heads: int
    real_rows: int | None
    hours: int
    collision_shrink: int
    turns: int
    turn_steps: int


# An hour and a half on two cores.
FULL: Final = Scale(
    name="full",
    stream_share=1.0,
    seeds=5,
    jobs=2,
    printed_heads=5,
    real_rows=None,
    hours=48,
    collision_shrink=1,
    turns=13,
    turn_steps=1500,
)
# Under ten minutes on two cores.
QUICK: Final = Scale(
    name="quick",
    stream_share=0.05,
    seeds=2,
    jobs=2,
    printed_heads=2,
    real_rows=50_000,
    hours=12,
    collision_shrink=16,
    turns=5,
    turn_steps=600,
)
# Seconds, for tests: shows that all runs, measures nothing.
TINY: Final = Scale(
    name="tiny",
    stream_share=0.0005,
    seeds=2,
    jobs=1,
    printed_heads=2,
    real_rows=2000,
    hours=3,
    collision_shrink=64,
    turns=2,
    turn_steps=20,
)
SCALES: Final = {scale.name: scale for scale in (FULL, QUICK, TINY)}
