"""Figure 5: RCE of hybrid hashing minus the baseline's under continuous training, hour by hour.

The 'ads' model is trained on two days drawn like table 3's, then follows the stream: each hour is predicted by
a model that has seen only earlier ones, then learned in one pass (`hybridhash.experiments.follow`). Two hybrids stand
against the baseline: the paper's recipe, a head and two hashed rows, at the setting of table 3 that is best on the
validation slice among those at or under the paper's 11.3 % of the baseline's exported bytes; and our own, whose
hashed chunks are joined, at about the same bytes. Optimizer, batch and learning rates are those of table 3's tuned
rows. The recipe is followed twice, its two rows summed and averaged, which costs the same bytes.
Where table 3 has not been run at this scale, named defaults stand in.

The longer stream has the ids and rates of table 3's, but is drawn anew: the labels of some rows differ.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hybridhash import __version__
from hybridhash.data import Batch
from hybridhash.experiments import ContinuousSettings, Listener, follow, merge_settings
from hybridhash.files import write_text
from hybridhash.planner import METHODS, Budget, FeatureGroup, ModelBlueprint, assemble, baseline_buckets
from hybridhash.report import (
    Grid,
    difference_figure,
    format_interval,
    format_spread,
    html_table,
    window_figure,
)
from hybridhash.results import Difference, WindowFacts, Windows, from_json, to_json
from hybridhash.spec import Combine, TableSpec
from hybridhash.trials import RUNS_VERSION, TUNING_VERSION, Prepared, groups_of, prepare_rows
from paper import table3
from paper.rows import row_key
from paper.scale import Scale
from paper.study import NamedFigure, Section, Summary, Verdict, work_folder
from paper.surfaces import HOUR_S, Surface, ads
from paper.text import note, notes, paragraph

PRINTED: Final = Path(__file__).with_name("printed.json")
SIZE: Final = Fraction("0.113")  # of the baseline's exported bytes, the paper's best setting
# Without table 3: the largest head, a tail of this share of the baseline's rows, and this budget for our own.
DEFAULT_TAIL: Final = Fraction(1, 16)
DEFAULT_BUDGET: Final = "11.2%"
# The paired interval of an hour from fewer seeds is so wide that hardly any hour can lie wholly below 0.
FEWEST_SEEDS: Final = 4
CHANCE: Final = 0.025  # of the hours, whose 95 % interval lies wholly below 0 though nothing differs
RECIPE: Final = "hybrid, summed"
AVERAGED: Final = "hybrid, averaged"
JOINED: Final = "hybrid, joined"


@dataclass(frozen=True)
class Tables:
    """The joint table of a model, without its seed.

    Attributes:
        num_head: Keys with rows of their own.
        num_buckets: Rows of the tail.
        num_hashes: Rows that a tail key reads.
        combine: How they become one vector.
    """

    num_head: int
    num_buckets: int
    num_hashes: int
    combine: Combine

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "Tables":
        """Read them from a row of table 3."""
        return cls(**{name: row["settings"][name] for name in cls.__dataclass_fields__})


def run(folder: Path, scale: Scale, listener: Listener) -> Summary:
    """Follow the stream with each model and seed; see `paper.study.Study`."""
    surface = ads(scale).lasting(ads(scale).train_s + scale.hours * HOUR_S)
    chosen = chosen_tables(folder, scale)
    work = work_folder(folder)
    settings = settings_of(surface, scale, work)
    kept = work / f"figure5-{key_of(surface, settings, chosen)}.json"
    if not kept.exists():
        found = _follow(work, surface, settings, chosen, listener)
        write_text(kept, json.dumps(found, allow_nan=False))
    summary: Summary = json.loads(kept.read_text(encoding="utf-8"))
    _write_rows(folder / "figure5.jsonl", summary)
    return summary


def settings_of(surface: Surface, scale: Scale, work: Path) -> ContinuousSettings:
    """Return how the models are trained.

    Args:
        surface: With the hours behind its two days.
        scale: Of the run.
        work: Folder of what is kept for resuming.
    """
    flags = {
        **surface.settings,
        **table3.tuned_of(ads(scale)),
        **{"split": f"time:{surface.train_s}s", "window": "1h", "budget": DEFAULT_BUDGET},
        **{"seeds": scale.seeds, "jobs": scale.jobs, "out": work / f"figure5-{scale.name}"},
    }
    return merge_settings(ContinuousSettings, {}, flags)


def key_of(surface: Surface, settings: ContinuousSettings, chosen: Mapping[str, Tables] | None) -> str:
    """Name a result by all it follows from: the code, the stream, every setting, and the tables.

    Args:
        surface: The stream.
        settings: Of training; where files lie and how many processes there are does not count.
        chosen: The hybrids; without them the key has all that the defaults follow from.
    """
    fields = settings.model_dump(mode="json", exclude={"out", "work_dir", "jobs"})
    code = (RUNS_VERSION, TUNING_VERSION, __version__)
    return row_key(code=code, surface=surface, settings=fields, tables=chosen or DEFAULT_TAIL)


def chosen_tables(folder: Path, scale: Scale) -> dict[str, Tables] | None:
    """Return the hybrids that table 3 found at this scale; None where it has not been run or found none.

    Args:
        folder: Of the studies.
        scale: Of the run.
    """
    path = folder / "table3_ads.json"
    record = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if record.get("scale") != scale.name or "summary" not in record:
        return None
    rows = record["summary"]["tuned"]["rows"]
    small = [row for row in rows if row["stage"] == "tail" and row["file_share"] <= SIZE]
    if not small:
        return None
    best = max(small, key=lambda row: float(row["settings"]["validation_rce"]))
    return _hybrids(Tables.of_row(best), Tables.of_row(table3.chosen_joined(record["summary"])))


def _hybrids(recipe: Tables, joined: Tables) -> dict[str, Tables]:
    return {RECIPE: recipe, AVERAGED: replace(recipe, combine="mean"), JOINED: joined}


def _follow(
    work: Path,
    surface: Surface,
    settings: ContinuousSettings,
    chosen: Mapping[str, Tables] | None,
    listener: Listener,
) -> Summary:
    file = surface.file(work, listener)
    with TemporaryDirectory(prefix="rows-", dir=work) as encoded:
        prepared = prepare_rows([str(file)], settings, Path(encoded), listener)
        [group] = groups_of(prepared.dataset.schema, prepared.counts, settings)
        tables = chosen or _default_tables(group, surface, settings)
        blueprints = {"baseline": _blueprint(group, _baseline_tables(group), settings)}
        blueprints |= {name: _blueprint(group, one, settings) for name, one in tables.items()}
        found = follow(prepared, blueprints, group.baseline_bytes, settings, listener)
        traffic = _traffic(prepared, found.windows, blueprints[RECIPE])
    return {
        **to_json(found),
        "from_table3": chosen is not None,
        "tables": {name: asdict(one) for name, one in tables.items()},
        "train_rows": prepared.dataset.split.num_train + prepared.dataset.split.num_validation,
        "keys": prepared.counts.num_keys,
        "batch_size": settings.batch_size,
        "optimizer": settings.optimizer,
        "traffic": traffic,
    }


def _baseline_tables(group: FeatureGroup) -> Tables:
    return Tables(0, baseline_buckets(group.counts.num_keys), 1, "sum")


def _default_tables(group: FeatureGroup, surface: Surface, settings: ContinuousSettings) -> dict[str, Tables]:
    num_rows = baseline_buckets(group.counts.num_keys)
    num_head = min(surface.heads[-1], group.counts.num_keys)
    budget_bytes = Budget.parse(DEFAULT_BUDGET).in_bytes(group.baseline_bytes, group.full_bytes)
    joined = METHODS["hybrid"].table(group.demand(budget_bytes, settings.options))
    return _hybrids(
        Tables(num_head, max(int(DEFAULT_TAIL * num_rows), 1), 2, "sum"),
        Tables(joined.num_head, joined.num_buckets, joined.num_hashes, joined.combine),
    )


def _blueprint(group: FeatureGroup, tables: Tables, settings: ContinuousSettings) -> ModelBlueprint:
    return assemble([group], [TableSpec(dim=group.dim, **asdict(tables))], settings.hidden)


def _traffic(
    prepared: Prepared, windows: Sequence[WindowFacts], model: ModelBlueprint
) -> list[dict[str, float]]:
    """Return which share of each hour's keys has rows of its own, and which the two days before never had."""
    [blueprint] = model.blueprints.values()
    known = {"head": np.sort(blueprint.vocabulary.keys), "seen": np.unique(prepared.counts.keys)}
    rows = prepared.dataset.rows
    first = prepared.dataset.split.num_train + prepared.dataset.split.num_validation
    shares = []
    for window in windows:
        batch: Batch = rows.take(np.arange(first, first + window.rows))
        first += window.rows
        shares.append({name: _share_in(batch.keys, keys) for name, keys in known.items()})
    return shares


def _share_in(keys: npt.NDArray[np.int64], among: npt.NDArray[np.int64]) -> float:
    """Return the share of keys that are among others, which stand in order."""
    places = np.minimum(np.searchsorted(among, keys), among.size - 1)
    return float((among[places] == keys).mean()) if keys.size else 0.0


def _write_rows(path: Path, summary: Summary) -> None:
    lines = [
        json.dumps({"method": method["name"], "seed": seed, "rce": rce})
        for method in summary["methods"]
        for seed, rce in enumerate(method["rce"])
    ]
    write_text(path, "".join(f"{line}\n" for line in lines))


def section(summary: Summary) -> Section:
    """Show differences and curves, and hold them against the paper's; see `paper.study.Study`."""
    printed = json.loads(PRINTED.read_text(encoding="utf-8"))["figure5"]
    windows = from_json(Windows, summary)
    hours, seeds = len(windows.windows), windows.seeds
    html = (
        paragraph("What the paper says: " + printed["text"])
        + html_table(
            _grid(windows),
            f"Mean over {hours} hours; standard deviations and 95 % t intervals over {seeds} seeds. An interval pairs "
            "equal seeds, which saw the same rows in the same order; initial values, order and hash functions vary in "
            "it, the rows do not. RCE is relative to the mean label of the hour that is judged.",
        )
        + notes(remarks(summary, windows.differences))
        + note(
            f"{summary['train_rows']:,} rows with {summary['keys']:,} distinct keys before the first hour; "
            f"{summary['optimizer']}, batches of {summary['batch_size']:,} rows, one pass over the two days and one "
            "over each hour."
        )
    )
    figures = (
        NamedFigure(
            "figure5",
            difference_figure(windows),
            f"RCE minus the baseline's, hour by hour: the mean over {seeds} seeds, as a band its paired 95 % interval. "
            "Beside each name the mean over all hours with its interval.",
        ),
        NamedFigure(
            "figure5_rce",
            window_figure(windows),
            "RCE of each hour before it is learned: means over the seeds, bands of one standard deviation.",
        ),
    )
    has_figures = all(difference.mean is not None for difference in windows.differences)
    return Section(
        "Figure 5: continuous training", html, figures if has_figures else (), tuple(verdicts(windows))
    )


def _grid(results: Windows) -> Grid:
    differences = {difference.name: difference for difference in results.differences}
    body = []
    for method in results.methods:
        difference, tables = differences.get(method.name), method.settings
        body.append(
            [
                method.name,
                f"{method.share_of_baseline:.1%}",
                f"{tables.num_head:,}",
                f"{tables.num_buckets:,}",
                f"{tables.num_hashes}, {tables.combine}",
                "diverged" if method.rce_mean is None else format_spread(method.rce_mean, method.rce_std, 3),
                format_interval(difference),
                "–" if difference is None or difference.mean is None else _hours_above(difference),
            ]
        )
    head = ["model", "embedding bytes", "head", "tail", "hashes", "RCE %", "minus baseline", "hours above"]
    return Grid(head, body)


def _hours_above(difference: Difference) -> str:
    return f"{difference.windows_above} of {difference.windows_compared}"


def verdicts(results: Windows) -> list[Verdict]:
    """Return what the hours decide of the paper's claim, for each hybrid; computed, whatever comes out."""
    found = []
    enough = results.seeds >= FEWEST_SEEDS
    shares = {method.name: method.share_of_baseline for method in results.methods}
    for difference in results.differences:
        name = f"Figure 5: {difference.name}, at {shares[difference.name]:.1%} of the baseline's embedding bytes,"
        if difference.mean is None:
            found.append(Verdict(f"{name} is on par with the baseline.", None, "a run diverged"))
            continue
        known = [window for window in difference.windows or () if window is not None]
        below = sum(window.high is not None and window.high < 0 for window in known)
        above = sum(window.low is not None and window.low > 0 for window in known)
        evidence = (
            f"mean difference {format_interval(difference)}; above in {_hours_above(difference)} hours; the interval "
            f"of an hour is wholly above 0 in {above} and wholly below in {below}"
        )
        found += [
            Verdict(
                f"{name} is at or above the baseline on average over the hours.",
                difference.mean >= 0,
                evidence,
            ),
            Verdict(
                f"{name} is clearly below the baseline in no more hours than chance gives ({CHANCE:.1%} of them).",
                below <= math.ceil(CHANCE * len(known)) if enough else None,
                evidence if enough else f"{evidence}; with fewer than {FEWEST_SEEDS} seeds that says nothing",
            ),
        ]
    return found


def remarks(summary: Summary, differences: Sequence[Difference]) -> list[str]:
    """Return what stands behind the figures, with the numbers that say so."""
    traffic = summary["traffic"]
    quarter = max(len(traffic) // 4, 1)

    def moved(name: str) -> str:
        early, late = (
            np.mean([hour[name] for hour in part]) for part in (traffic[:quarter], traffic[-quarter:])
        )
        return f"{early:.1%} of the keys in the first {quarter} hours and {late:.1%} in the last {quarter}"

    source = (
        "The hybrids are those that table 3 chose on its validation slice, the recipe among the tails at or under "
        f"{float(SIZE):.1%} of the baseline's exported bytes."
        if summary["from_table3"]
        else "Table 3 had not been run at this scale, so the hybrids are the defaults that the module names."
    )
    return [
        "The paper's curve stands against a production model and shows no scale that could be compared with ours; what "
        "can be compared is its claim, that hybrid is on par or slightly above hour by hour.",
        f"{source} The paper does not say what its models had seen before the first hour; ours have seen two days, "
        "drawn like those of table 3.",
        "All hours of a seed are judged on one model that goes on learning, so what a seed is good or bad at lasts "
        "from hour to hour: the hours above or below the baseline are counted, but they are not independent, and "
        "their number is no test.",
        f"Vocabulary and bins stay those of the two days. Keys with rows of their own are {moved('head')}; keys that "
        f"the two days had are {moved('seen')}. New keys share rows in every model, the baseline's included, and "
        "most of its rows belong to keys that do not come again.",
        "How a tail key's rows become one vector, at about the same bytes, in points of the baseline's RCE: "
        + "; ".join(
            f"{difference.name.partition(', ')[2]} {format_interval(difference)}"
            for difference in differences
        )
        + ". A summed key moves by two steps where the others move by one, and takes two strangers' pushes whole.",
    ]
