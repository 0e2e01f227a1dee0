"""Figure 4: smoothed global steps per second of Hogwild workers.

The paper compares the baseline, pure double hashing and hybrid hashing under the same compute. Here each case
trains the 'ads' model at batch 128 with SGD at 0.001, as printed, in worker processes that share the parameters and
take no locks (`hybridhash.training.Hogwild`): one worker with all threads, and two with half of them each. The cases
take turns in a changing order, so that the drift of the machine hits all alike; a first round that fills caches and
maps memory is not counted. A turn has fewer rows than a pass over the training span, so they are drawn once over the
whole span, the same for all turns and cases; each turn takes them in another order.

Smoothing: ``dt(i)`` is the time between the ends of global steps ``i - 1`` and ``i``, whichever workers made them;
``m(i) = 0.995 m(i - 1) + 0.005 dt(i)`` from ``m(0) = 0``; the smoothed rate is ``(1 - 0.995^i) / m(i)``. The factor
``1 - 0.995^i`` is TensorBoard's correction for the missing past. Times are smoothed and not their reciprocals, since
two workers may end a step at almost the same moment.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path
from statistics import median
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import torch

from hybridhash.data import TRAIN, VALIDATION, iterate_batches
from hybridhash.experiments import CompareSettings, Listener
from hybridhash.models import WideDeep, build_model
from hybridhash.optim import SGD
from hybridhash.planner import FeatureGroup, ModelBlueprint, assemble, baseline_buckets
from hybridhash.report import Grid, html_table
from hybridhash.spec import TableSpec
from hybridhash.training import Hogwild, StepRate, TrainSettings, TrainState, build_optimizers
from hybridhash.trials import Prepared, describe_machine, groups_of
from paper.plots import Line, draw_lines, new_figure
from paper.rows import Row, Rows, row_key
from paper.scale import Scale
from paper.stream import prepared_ads
from paper.study import NamedFigure, Section, Summary, Verdict
from paper.surfaces import ads
from paper.text import note, notes, paragraph

LEARNING_RATE: Final = 0.001
BATCH_SIZE: Final = 128
WORKERS: Final = (1, 2)
ROWS_SEED: Final = 0  # of the draw of a turn's rows
CURVE_POINTS: Final = 60
PRINTED: Final = Path(__file__).with_name("printed.json")


@dataclass(frozen=True)
class Case:
    """A table to train.

    Attributes:
        name: As it stands in the figure.
        tail_share: Bytes of the tail as a share of the baseline's; where its rows are as long, of the rows too.
        num_hashes: Rows that a tail key reads.
        has_head: Whether the most frequent keys have rows of their own.
        combine: How a tail key's rows become its vector.
    """

    name: str
    tail_share: float
    num_hashes: int
    has_head: bool = False
    combine: Literal["sum", "concat"] = "sum"

    def table(self, group: FeatureGroup, num_head: int) -> TableSpec:
        """Return the table for the keys of some features, the baseline being the next power of two."""
        baseline = baseline_buckets(group.counts.num_keys)
        table = TableSpec(num_head if self.has_head else 0, 1, group.dim, self.num_hashes, self.combine)
        row, bucket = group.dim + group.carries_wide, table.bucket_dim + group.carries_wide
        return replace(table, num_buckets=max(int(self.tail_share * baseline * row / bucket), 1))


BASELINE: Final = Case("baseline", 1, 1)
DOUBLE: Final = Case("double", 1, 2)
HYBRID: Final = Case("hybrid", 1 / 8, 2, has_head=True)
CASES: Final = (
    BASELINE,
    DOUBLE,
    Case("double, 1/8 the rows", 1 / 8, 2),
    HYBRID,
    Case("hybrid, 8 chunks", 1 / 8, 8, has_head=True, combine="concat"),
)


def run(folder: Path, scale: Scale, listener: Listener) -> Summary:
    """Measure every case in turns; see `paper.study.Study`."""
    kept = Rows(folder / "figure4.jsonl")
    surface, machine = ads(scale), asdict(describe_machine())
    common = {
        **{"stream": surface, "steps": scale.turn_steps, "rows_seed": ROWS_SEED},
        **{"batch_size": BATCH_SIZE, "learning_rate": LEARNING_RATE, "machine": machine},
    }
    keys = {
        (turn, case.name, workers): row_key(
            **common, case=case, workers=workers, turn=turn, turns=scale.turns
        )
        for turn in range(scale.turns)
        for case in CASES
        for workers in WORKERS
    }
    tables_key = row_key(**common, cases=CASES)
    missing = [
        turn
        for turn in range(scale.turns)
        if any(kept.get(key) is None for place, key in keys.items() if place[0] == turn)
    ]
    if missing or kept.get(tables_key) is None:
        with (
            prepared_ads(folder, scale, listener) as (prepared, settings),
            _case_runs(prepared, settings, surface.heads[-1], scale) as runs,
        ):
            for case_run in runs:
                case_run.measure(seed=scale.turns)
            for turn in missing:
                for case_run in runs if turn % 2 == 0 else reversed(runs):
                    row = {"turn": turn, "machine": machine, **case_run.measure(seed=turn)}
                    kept.keep(keys[turn, case_run.case.name, case_run.workers], row)
                    listener.run_done(
                        f"figure 4: turn {turn + 1} of {scale.turns}, {case_run.case.name}, {case_run.workers} workers",
                        f"{row['steps_per_s']:.0f} steps/s",
                    )
            times = _table_times(runs, prepared, scale.turn_steps)
            kept.keep(tables_key, {"machine": machine, "table_us": times})
    *rows, tables = kept.only([*keys.values(), tables_key])
    return {
        "machine": tables["machine"],  # of every row, since the keys name it
        "turn_steps": scale.turn_steps,
        "lines": _summarise(rows),
        "table_us": tables["table_us"],
    }


@dataclass(frozen=True)
class CaseRun:
    """A case with its workers, waiting for its turn."""

    case: Case
    workers: int
    model: WideDeep
    hogwild: Hogwild
    embedding_bytes: int
    num_threads: int

    def measure(self, seed: int) -> Row:
        """Make the steps of one turn.

        Args:
            seed: Of the order of rows.
        """
        state = TrainState([0] * self.workers, epoch=seed)
        ends = self.hogwild.make_steps(state)
        steps, rates = smoothed_rates(ends)
        return {
            "case": self.case.name,
            "workers": self.workers,
            "threads_per_worker": self.num_threads,
            "embedding_bytes": self.embedding_bytes,
            "steps": len(ends),
            "seconds": float(ends[-1]),
            "steps_per_s": len(ends) / float(ends[-1]),
            "curve_steps": steps,
            "curve_steps_per_s": rates,
        }


def smoothed_rates(ends: npt.NDArray[np.float64]) -> tuple[list[int], list[float]]:
    """Smooth global steps per second, as the module says.

    Args:
        ends: float64[n], when each step ended, in seconds since the start, rising.

    Returns:
        Some steps, counted from 1, and the smoothed rate at each.
    """
    rate = StepRate()
    steps, rates = [], []
    every = max(len(ends) // CURVE_POINTS, 1)
    for step, seconds in enumerate(np.diff(ends, prepend=0.0).tolist(), 1):
        rate.update(seconds)
        if step % every == 0:
            steps.append(step)
            rates.append(rate.per_second)
    return steps, rates


def draw_rows(span: npt.NDArray[np.int64], num_rows: int) -> npt.NDArray[np.int64]:
    """Draw rows over a whole span, in its order; rows repeat only where the span is shorter.

    Args:
        span: int64[n], row numbers.
        num_rows: How many to draw.

    Returns:
        int64[num_rows], rising; the same in every call.
    """
    generator = np.random.default_rng(ROWS_SEED)
    return np.sort(generator.choice(span, num_rows, replace=num_rows > span.size))


@contextmanager
def _case_runs(
    prepared: Prepared, settings: CompareSettings, num_head: int, scale: Scale
) -> Iterator[list[CaseRun]]:
    """Build each case once and start its workers; cases with one and with two share the case's model."""
    rows = prepared.dataset.rows
    groups = groups_of(prepared.dataset.schema, prepared.counts, settings)
    indices = draw_rows(rows.indices(TRAIN, VALIDATION), scale.turn_steps * BATCH_SIZE)
    with ExitStack() as stack:
        runs = []
        for case in CASES:
            tables = [case.table(group, min(num_head, group.counts.num_keys)) for group in groups]
            blueprint = assemble(groups, tables, settings.hidden)
            model = _model(blueprint, prepared, settings)
            for workers in WORKERS:
                run_settings = TrainSettings("sgd", LEARNING_RATE, BATCH_SIZE, epochs=1, workers=workers)
                optimizers = build_optimizers(model, run_settings.optimizer, run_settings.learning_rate)
                hogwild = stack.enter_context(Hogwild(model, optimizers, rows, indices, run_settings))
                threads = max(torch.get_num_threads() // workers, 1)
                runs.append(
                    CaseRun(case, workers, model, hogwild, blueprint.spec.ledger().embedding_bytes, threads)
                )
        yield runs


def _model(blueprint: ModelBlueprint, prepared: Prepared, settings: CompareSettings) -> WideDeep:
    model = build_model(
        blueprint.spec,
        prepared.dataset.schema.names,
        blueprint.blueprints,
        optimizer=SGD(LEARNING_RATE),
        init_std=settings.init_std,
        generator=torch.Generator().manual_seed(0),
    )
    assert isinstance(model, WideDeep)  # what the ads surface asks for
    return model


def _table_times(runs: Sequence[CaseRun], prepared: Prepared, num_steps: int) -> dict[str, float]:
    """Return the median microseconds that the tables take of a step, by case: encode, pool, move rows.

    One thread of this process, without workers; the cases take turns.
    """
    rows = prepared.dataset.rows
    models = {case_run.case.name: case_run.model for case_run in runs}
    times: dict[str, list[float]] = {name: [] for name in models}
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for batch in islice(iterate_batches(rows, rows.indices(TRAIN), BATCH_SIZE, 0), num_steps // 4):
            keys, offsets = torch.from_numpy(batch.keys), torch.from_numpy(batch.offsets)
            for name, model in models.items():
                started = time.perf_counter()
                inputs = model.deep.encode(keys, offsets)
                (model.deep(inputs).sum() + model.wide(inputs).sum()).backward()
                times[name].append(1e6 * (time.perf_counter() - started))
    finally:
        torch.set_num_threads(before)
    return {name: median(values) for name, values in times.items()}


def _summarise(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Put the turns of each case and number of workers together, in the order of the cases."""
    lines = []
    for workers in WORKERS:
        baseline = _rates(rows, BASELINE.name, workers)
        for case in CASES:
            mine = [row for row in rows if row["case"] == case.name and row["workers"] == workers]
            rates = _rates(rows, case.name, workers)
            ratios = [rates[turn] / baseline[turn] for turn in sorted(rates)]
            curves = np.array([row["curve_steps_per_s"] for row in mine])
            lines.append(
                {
                    "case": case.name,
                    "workers": workers,
                    "threads_per_worker": mine[0]["threads_per_worker"],
                    "embedding_bytes": mine[0]["embedding_bytes"],
                    "steps_per_s": _spread(list(rates.values())),
                    "ratio_to_baseline": _spread(ratios),
                    "curve_steps": mine[0]["curve_steps"],
                    "curve": {name: values.tolist() for name, values in _quartiles(curves).items()},
                }
            )
    return lines


def _rates(rows: Sequence[Row], case: str, workers: int) -> dict[int, float]:
    return {
        row["turn"]: row["steps_per_s"] for row in rows if row["case"] == case and row["workers"] == workers
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {name: float(value) for name, value in _quartiles(np.array(values)).items()}


def _quartiles(values: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
    """Return the three quartiles over the turns, which are the first axis."""
    return dict(zip(("low", "median", "high"), np.quantile(values, (0.25, 0.5, 0.75), axis=0), strict=True))


def section(summary: Summary) -> Section:
    """Show curves and rates, and hold them against the paper's."""
    lines = summary["lines"]
    printed = json.loads(PRINTED.read_text(encoding="utf-8"))["figure4"]
    body = [
        [
            f"{line['case']}, {_workers(line)}",
            f"{line['embedding_bytes'] / _of(lines, BASELINE, line['workers'])['embedding_bytes']:.1%}",
            str(line["threads_per_worker"]),
            f"{summary['table_us'][line['case']]:.0f}",
            _range(line["steps_per_s"], 0),
            _range(line["ratio_to_baseline"], 3),
            printed["ratio_to_baseline"].get(line["case"], "–"),
        ]
        for line in lines
    ]
    turns = f"{summary['turn_steps']:,} steps of {BATCH_SIZE} rows, drawn over the training span,"
    html = (
        html_table(
            Grid(
                [
                    *("case", "embedding bytes", "threads per worker", "tables, µs a step"),
                    "global steps per second",
                    *("ratio to the baseline", "printed"),
                ],
                body,
            ),
            f"Medians over the turns of {turns} with quartiles in brackets; ratios are taken within a "
            "turn. 'hybrid' is a head of the most frequent keys and two summed rows of 1/8 of the baseline's rows "
            "for the rest. 'Tables' is what looking up, pooling and moving rows takes on one thread, measured "
            "apart; all else is the same for all cases.",
        )
        + paragraph("What the paper says: " + printed["text"])
        + notes(list(REMARKS))
        + note(f"Measured on {', '.join(f'{name} {value}' for name, value in summary['machine'].items())}.")
    )
    return Section(
        "Figure 4: training speed under Hogwild workers",
        html,
        (NamedFigure("figure4", _figure(lines), CAPTION),),
        tuple(chain.from_iterable(_verdicts(lines, workers) for workers in WORKERS)),
    )


CAPTION: Final = (
    "Global steps per second, smoothed by 0.995, over the steps of a turn: the median over the turns, and for "
    "baseline and hybrid the quartiles as a band. Above one worker with all threads, below two with half of them each. "
    "The first steps of a turn carry the shuffling of its rows, and the last of two workers' are one worker's alone."
)
REMARKS: Final = (
    "The paper measures TensorFlow, where a second hash of every key is a pass of its own over all keys, and does not "
    "say how many rows its double hashing has. Here one compiled pass finds all rows of a key in nanoseconds; what a "
    "second row costs is the wait for memory.",
    "At 128 rows much of a step is the dense layers, their optimizer and the calls around the kernels, which are the "
    "same for all cases; the column 'tables' holds the differences. They show diluted in the steps per second, the "
    "slowdown of double hashing as well as the gain of the hybrid.",
    "Double hashing is shown twice: with as many rows as the baseline, where each key waits for two rows of a table "
    "far larger than the cache, and with 1/8 of them.",
    "The hybrid reads one row for each key of the head, which most of the traffic goes to, and two for each of the "
    "tail; its table is small.",
    "With one worker torch divides each small matrix product over all threads, which gains little; two workers of one "
    "thread each make far more steps of the same compute.",
)


def _figure(lines: Sequence[dict[str, Any]]) -> Any:
    figure, panels = new_figure(
        "global step of a turn", "smoothed global steps per second", height_in=3.0, num_panels=len(WORKERS)
    )
    banded = (BASELINE.name, HYBRID.name)  # those that are compared; five bands cover each other
    for axes, workers in zip(panels, WORKERS, strict=True):
        chosen = [line for line in lines if line["workers"] == workers]
        axes.set_title(_workers(chosen[0]))
        draw_lines(
            axes,
            [
                Line(
                    line["case"],
                    line["curve_steps"],
                    line["curve"]["median"],
                    *((line["curve"]["low"], line["curve"]["high"]) if line["case"] in banded else ()),
                )
                for line in chosen
            ],
        )
    return figure


def _verdicts(lines: Sequence[dict[str, Any]], workers: int) -> Iterator[Verdict]:
    hybrid, double = _of(lines, HYBRID, workers), _of(lines, DOUBLE, workers)
    yield Verdict(
        f"Hybrid makes at least as many steps per second as the baseline ({_workers(hybrid)}).",
        hybrid["ratio_to_baseline"]["median"] >= 1,
        f"ratio {_range(hybrid['ratio_to_baseline'], 3)}",
    )
    yield Verdict(
        f"Pure double hashing is slower than the baseline ({_workers(double)}).",
        double["ratio_to_baseline"]["median"] < 1,
        f"ratio {_range(double['ratio_to_baseline'], 3)}; printed: about 0.78",
    )


def _of(lines: Sequence[dict[str, Any]], case: Case, workers: int) -> dict[str, Any]:
    return next(line for line in lines if line["case"] == case.name and line["workers"] == workers)


def _workers(line: dict[str, Any]) -> str:
    return "1 worker" if line["workers"] == 1 else f"{line['workers']} workers"


def _range(values: dict[str, float], num_decimals: int) -> str:
    numbers = (f"{values[name]:,.{num_decimals}f}" for name in ("median", "low", "high"))
    return "{} ({} to {})".format(*numbers)
