"""Table 3: how large a head, how small a tail, and what they cost in relative cross entropy.

Each study trains the paper's rows twice: with its printed hyperparameters, and with an optimizer whose learning
rate is chosen on the validation slice. Beside every row of the latter stands regular hashing at the same bytes.
"""

import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from hybridhash import __version__
from hybridhash.errors import DivergedError
from hybridhash.experiments import CompareSettings, Listener, SweepSettings, compare, merge_settings, sweep
from hybridhash.files import replacing, write_text
from hybridhash.report import Grid, html_table, sweep_figure
from hybridhash.results import Sweep, from_json, to_json
from paper.scale import Scale
from paper.study import NamedFigure, Section, SkippedError, Study, Summary, Verdict, work_folder
from paper.surfaces import Surface, ads, timeline
from paper.text import notes, paragraph

PRINTED: Final = Path(__file__).with_name("printed.json")
TAILS: Final = ("2^-5", "2^-4", "2^-3", "2^-2")
REAL_HEADS: Final = ("2%", "5%", "10%", "20%", "30%")
AS_PRINTED: Final[Mapping[str, Any]] = {
    "optimizer": "sgd",
    "learning_rate": (0.001,),
    "batch_size": 128,
    "epochs": 1,
    "beside": "nothing",  # it would double the training, and the rows of this table hardly differ
}
# The printed rate over a loss that is summed, not averaged, over a batch of 128.
SUMMED_RATE: Final = 0.128
# Learning rates of the tuned rows, the same for all of them; the validation slice chooses.
RATES: Final = (0.005, 0.01, 0.02, 0.05)
# Shares of a budget for the head that our own hybrid tries; the validation slice chooses.
HEAD_SHARES: Final = (0.3, 0.6)
HEADER_SLACK_BYTES: Final = 4096  # a bundle's header names its tables, and is not the same for all
SMALL_HEAD: Final = 8  # one head more than the paper's, this much smaller, shows where RCE rises

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Data that table 3 is made on.

    Attributes:
        name: Of the study.
        title: Its heading.
        files: Names the input, made if need be, given a folder for large files.
        settings: Columns, split and model.
        heads: Head sizes for `hybridhash sweep`, each with the paper's line that it stands for, or None.
        tuned: Optimizer, batch size and rates of the second table.
        size: The exported size, as a share of the baseline's, that our own hybrid has to keep to.
        printed: The key of the paper's column in ``printed.json``, or None.
        user: The column of the users.
        data: Folder of the real data sets if the rows come from there, or None.
    """

    name: str
    title: str
    files: Callable[[Path, Listener], str]
    settings: Mapping[str, Any]
    heads: Mapping[str, str | None]
    tuned: Mapping[str, Any]
    size: Fraction
    printed: str | None
    user: str
    data: Path | None = None


def studies(data: Path | None) -> dict[str, Study]:
    """Return the four studies by name.

    Args:
        data: Folder of the real data sets, or None.
    """
    cases: dict[str, Callable[[Scale], Case]] = {
        "table3_ads": partial(_stream_case, ads, "Table 3, ads prediction", Fraction("0.113")),
        "table3_timeline": partial(_stream_case, timeline, "Table 3, timeline ranking", Fraction("0.127")),
        "table3_movietweetings": partial(case_movietweetings, data),
        "table3_assistments": partial(case_assistments, data),
    }
    return {name: Study(partial(_run, case), section) for name, case in cases.items()}


def _run(make: Callable[[Scale], Case], folder: Path, scale: Scale, listener: Listener) -> Summary:
    """Train all rows of one case; see `paper.study.Study`."""
    case = make(scale)
    work = work_folder(folder)
    out = work / f"{case.name}-{scale.name}"
    file = case.files(work, listener)
    common = {**case.settings, "seeds": scale.seeds, "jobs": scale.jobs, "work_dir": work}
    command = command_of(case, scale)

    def swept(table: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        flags = {**common, "top_k": tuple(case.heads), "buckets": TAILS, "out": out / table, **changes}
        settings = merge_settings(SweepSettings, {}, flags)
        results = to_json(sweep([file], settings, listener, version=__version__, command=command))
        refuse_diverged(f"{case.name}, {table}", with_twins(results["rows"]))
        # The rows are kept; where this machine has its files is not.
        results["data"]["source"] = Path(file).name
        return {"format": Sweep.FORMAT, **results}

    def compared(table: str, method: str, changes: Mapping[str, Any]) -> Row:
        flags = {**common, "method": (method,), "out": out / table, **changes}
        settings = merge_settings(CompareSettings, {}, flags)
        results = compare([file], settings, listener, version=__version__, command=command)
        row: Row = to_json(results.methods[0])
        refuse_diverged(f"{case.name}, {table}", [{**row, "title": method}])
        return row

    printed = swept("printed", AS_PRINTED)
    tuned = swept("tuned", case.tuned)
    # The same folder: all rows but those of the averaged tail are there already.
    averaged = swept("tuned", {**case.tuned, "combine": "mean", "buckets": ("2^-3",)})
    budget = str(joined_bytes(tuned["rows"][-1], case.size))
    joined = [
        compared(f"joined-{share}", "hybrid", {**case.tuned, "budget": budget, "head_share": share})
        for share in HEAD_SHARES
    ]
    plain = {name: value for name, value in AS_PRINTED.items() if name != "beside"}
    summed = compared("summed", "baseline", {**plain, "learning_rate": (SUMMED_RATE,)})
    summary = {
        "name": case.name,
        "title": case.title,
        "printed_column": case.printed,
        "printed_heads": {head: line for head, line in case.heads.items() if line is not None},
        "user": case.user,
        "rates": list(case.tuned["learning_rate"]),
        "size": float(case.size),
        "printed": printed,
        "tuned": tuned,
        "averaged": next(row for row in averaged["rows"] if row["stage"] == "tail"),
        "joined": [_with_size(row, tuned) for row in joined],
        "summed_loss": summed,
    }
    _write_rows(folder / f"{case.name}.jsonl", summary)
    return summary


def joined_bytes(baseline: Row, size: Fraction) -> int:
    """Return the embedding bytes of a model whose whole file keeps to a share of the baseline's.

    Where layers and header alone pass that share, as on a tiny stream, it is that share of the embeddings; the
    verdict then finds no model that is small enough.

    Args:
        baseline: The baseline's row.
        size: The share.

    Returns:
        Bytes.
    """
    fixed_bytes = baseline["file_bytes"] - baseline["embedding_bytes"] + HEADER_SLACK_BYTES
    left_bytes = int(size * baseline["file_bytes"]) - fixed_bytes
    return left_bytes if left_bytes > 0 else int(size * baseline["embedding_bytes"])


def command_of(case: Case, scale: Scale) -> str:
    """Return the command line that makes the rows of a case again."""
    words = ["python", "-m", "paper", "--only", case.name]
    words += [] if scale.name == "full" else [f"--{scale.name}"]
    words += [] if case.data is None else ["--data", str(case.data)]
    return shlex.join(words)


def with_twins(rows: Iterable[Row]) -> list[Row]:
    """Return rows, each followed by regular hashing at its bytes where that was trained."""
    found = []
    for row in rows:
        found.append(row)
        if row.get("hashed") is not None:
            found.append({"title": f"hashed at the bytes of {row['title']}", **row["hashed"]})
    return found


def refuse_diverged(where: str, rows: Iterable[Row]) -> None:
    """Refuse rows that have no figures.

    Args:
        where: Study and table.
        rows: With titles.

    Raises:
        DivergedError: The training of a row has diverged; the message names all such rows.
    """
    reasons = [f"{row['title']} ({'; '.join(row['diverged'])})" for row in rows if row.get("diverged")]
    if reasons:
        raise DivergedError(
            f"{where}: diverged: {', '.join(reasons)}; expected smaller learning rates in paper/table3.py"
        )


def _with_size(row: Row, results: Mapping[str, Any]) -> Row:
    return {**row, "file_share": row["file_bytes"] / results["rows"][-1]["file_bytes"]}


def _write_rows(path: Path, summary: Summary) -> None:
    tables = {
        "as printed": summary["printed"]["rows"],
        "tuned": summary["tuned"]["rows"],
        "tuned, averaged": [summary["averaged"]],
        "tuned, joined": summary["joined"],
        "summed loss": [summary["summed_loss"]],
    }
    lines = [json.dumps({"table": table, **row}) for table, rows in tables.items() for row in rows]
    write_text(path, "".join(f"{line}\n" for line in lines))


def section(summary: Summary) -> Section:
    """Show the two tables beside the paper's, the figure, and what they decide; see `paper.study.Study`."""
    tuned = summary["tuned"]
    facts = tuned["data"]
    best = facts["best_reachable_rce"]
    text = (
        f"{facts['train_rows'] + facts['validation_rows']:,} training rows with {facts['keys']:,} distinct keys, "
        f"{facts['test_rows']:,} test rows; the baseline has {tuned['baseline_rows']:,} rows. "
        + ("" if best is None else f"Best reachable RCE on the test rows: {best:.2f}. ")
        + "Mean and standard deviation over the seeds, which move initial values, order of rows and hash functions."
    )
    sizes = (
        "Size: the exported file as a share of the baseline's; rows, dictionary, wide weights, layers, discretiser "
        "and header all count."
    )
    tuned_caption = (
        "With Adagrad; 'rate' is the learning rate that the validation slice chose for the row, out of "
        f"{_rates(summary)}. {sizes} 'hashed' is regular hashing at the embedding bytes of the row, "
        "with a rate of its own."
    )
    printed_caption = (
        "As printed: SGD, learning rate 0.001, batch 128, one pass. No regular hashing at the same bytes stands "
        "beside these rows: it would double the training, and the rows hardly differ; see the first remark. "
        f"{sizes}"
    )
    html = [
        paragraph(text),
        paragraph(unseen_users(summary)),
        html_table(_grid(summary, tuned, _extra_rows(summary), has_rates=True), tuned_caption),
        html_table(_grid(summary, summary["printed"], [], has_rates=False), printed_caption),
        notes(remarks(summary)),
    ]
    figure = NamedFigure(
        summary["name"],
        sweep_figure(from_json(Sweep, tuned)),
        f"{summary['title']}, with Adagrad. Marks are means over {tuned['seeds']} seeds, bars one standard "
        "deviation; the band is the baseline's.",
    )
    return Section(summary["title"], "".join(html), (figure,), tuple(verdicts(summary)))


def unseen_users(summary: Summary) -> str:
    """Say how many test rows are of users that training never saw, and what follows where all are."""
    user = summary["user"]
    features = summary["tuned"]["data"]["features"]
    [share] = [feature["unseen_share"] for feature in features if feature["name"] == user]
    text = f"{share:.1%} of the test rows have a '{user}' that no training row has."
    if share == 1:
        text += (
            f" So nothing that was learned of one '{user}' is read in the test: their rows are those of other keys, "
            "or as they were at the start, and differences between tables come from the other columns and from that "
            "noise. Validation rows are drawn from the training rows and share their users, so they are of another "
            "kind than the test rows: rate, passes and head that they choose need not be best in the test."
        )
    return text


def _rates(summary: Summary) -> str:
    *most, last = [f"{rate:g}" for rate in summary["rates"]]
    return f"{', '.join(most)} and {last}"


def _extra_rows(summary: Summary) -> list[Row]:
    averaged = {**summary["averaged"]}
    chosen = chosen_joined(summary)
    joined = {
        **chosen,
        "title": f"hybrid, joined chunks, K = {chosen['settings']['num_head']:,}",
        "hashed": None,
        "tail": "",
        "stage": "joined",
    }
    return [averaged, joined]


def chosen_joined(summary: Summary) -> Row:
    """Return our own hybrid with the head share that is best on the validation slice."""
    return max(summary["joined"], key=lambda row: row["settings"]["validation_rce"])


def _grid(summary: Summary, results: Mapping[str, Any], extra: Sequence[Row], *, has_rates: bool) -> Grid:
    column = summary["printed_column"]
    printed = json.loads(PRINTED.read_text(encoding="utf-8"))["table3"][column] if column else None
    *rows, baseline = results["rows"]
    has_twins = any(row["hashed"] is not None for row in rows)
    has_groups = baseline.get("gauc_mean") is not None
    head = ["row", "size", "RCE %", *(["hashed RCE %"] if has_twins else []), "AUC"]
    head += ["GAUC", "NDCG@10"] if has_groups else []
    head += ["rate"] if has_rates else []
    head += ["printed size", "printed RCE %"] if printed else []
    body = []
    for row in (*rows, *extra, baseline):
        hashed = row["hashed"]
        cells = [
            row["title"],
            f"{row['file_share']:.1%}",
            _rce(row),
            *([] if not has_twins else ["" if hashed is None else _rce(hashed)]),
            f"{row['auc_mean']:.4f}",
        ]
        cells += [f"{row[name]:.4f}" for name in ("gauc_mean", "ndcg_mean")] if has_groups else []
        cells += [f"{row['settings']['learning_rate']:g}"] if has_rates else []
        if printed:
            theirs = printed_line(printed, summary["printed_heads"], row) or {"size": "", "rce": ""}
            cells += [theirs["size"], theirs["rce"]]
        body.append(cells)
    return Grid(head, body, results["best_head"])


def printed_line(
    printed: Mapping[str, Any], printed_heads: Mapping[str, str], row: Row
) -> dict[str, str] | None:
    """Return the paper's line for one of our rows, or None where it has none.

    Args:
        printed: A column of the paper's table 3.
        printed_heads: Keys of that column's heads by the number of keys of ours.
        row: One of ours.
    """
    found: dict[str, str] | None = None
    if row["stage"] == "head":
        keys = printed_heads.get(str(row["settings"]["num_head"]))
        found = next((line for line in printed["head"] if line["keys"] == keys), None)
    elif row["stage"] == "tail" and row["settings"]["combine"] == "sum":
        found = printed["tail"][row["tail"]]
    elif row["stage"] == "baseline":
        found = printed["baseline"]
    return found


def _rce(row: Row) -> str:
    return f"{row['rce_mean']:.3f} ± {row['rce_std']:.3f}"


def verdicts(summary: Summary) -> list[Verdict]:
    """Return what the tuned table decides of the paper's claims; computed, whatever comes out."""
    rows = summary["tuned"]["rows"]
    *_, baseline = rows
    heads = [row for row in rows if row["stage"] == "head"]
    best = next(row for row in heads if row["title"] == summary["tuned"]["best_head"])
    [tail] = [row for row in rows if row["stage"] == "tail" and row["tail"] == "2^-3"]
    size = summary["size"]
    small = [
        row
        for row in (*rows, summary["averaged"], chosen_joined(summary))
        if row.get("stage") != "baseline" and row["file_share"] <= size
    ]
    found = max(small, key=lambda row: row["settings"]["validation_rce"], default=None)
    smallest = {True: "", False: " (none is that small)"}[found is not None]
    name = "" if found is None else found.get("title", "hybrid, joined chunks")
    floor = baseline["rce_mean"] - baseline["rce_std"]
    evidence = f"baseline {_rce(baseline)}" + (
        "" if found is None else f"; {name} at {found['file_share']:.1%}: {_rce(found)}"
    )
    means = [row["rce_mean"] for row in heads]
    spread = max(row["rce_std"] for row in heads)
    levels = len(means) > 1 and means[-1] - means[0] > spread and abs(means[-1] - means[-2]) <= spread
    where = summary["title"]
    return [
        Verdict(
            f"{where}: a hybrid at or under {size:.1%} of the baseline's exported bytes{smallest}, chosen on the "
            "validation slice, is not below the baseline by more than one standard deviation of the baseline.",
            None if found is None else found["rce_mean"] >= floor,
            evidence,
        ),
        Verdict(
            f"{where}: RCE rises with K and levels off (the largest head is above the smallest by more than the "
            "largest standard deviation of the heads, and the last step, up or down, is within it).",
            levels,
            ", ".join(f"K = {row['settings']['num_head']:,}: {_rce(row)}" for row in heads),
        ),
        *(
            Verdict(
                f"{where}: two hashes at 2^-3, {how}, keep what one hash at 2^-1 has, within one standard deviation "
                "of the latter.",
                row["rce_mean"] >= best["rce_mean"] - best["rce_std"],
                f"one hash {_rce(best)}; two hashes {_rce(row)}",
            )
            for how, row in (("summed", tail), ("averaged", summary["averaged"]))
        ),
    ]


def remarks(summary: Summary) -> list[str]:
    """Return why figures differ from the paper's, with the numbers that say so."""
    rows = summary["tuned"]["rows"]
    [tail] = [row for row in rows if row["stage"] == "tail" and row["tail"] == "2^-3"]
    printed, summed = summary["printed"]["rows"][-1], summary["summed_loss"]
    averaged, baseline = summary["averaged"], rows[-1]
    means = [row["rce_mean"] for row in summary["printed"]["rows"]]
    spread = max(row["rce_std"] for row in summary["printed"]["rows"])
    found = [
        "As printed, the model hardly learns: the loss is the mean over the batch, so one pass with rate 0.001 moves "
        f"it little. The baseline reaches {_rce(printed)}; with the loss summed over the batch, which is a rate of "
        f"{SUMMED_RATE}, it reaches {_rce(summed)}, and with Adagrad {_rce(baseline)}. The paper does not say which "
        "of the two its loss is, and trains on far more rows. The means of that table lie within "
        f"{max(means) - min(means):.3f} of each other; the largest standard deviation is {spread:.3f}.",
        "A key that sums two rows moves twice as far per step as one with a row of its own, and takes two strangers' "
        f"pushes; averaging the rows halves both and leaves all else. At 2^-3: summed {_rce(tail)}, averaged "
        f"{_rce(averaged)}, with the learning rate of each chosen on the validation slice.",
        f"Our own hybrid joins hashed chunks instead of summing rows: {_rce(chosen_joined(summary))} at "
        f"{chosen_joined(summary)['file_share']:.1%} of the baseline's file. The share of its bytes for the head "
        f"({' or '.join(map(str, HEAD_SHARES))}) was chosen on the validation slice.",
        rates_at_the_edge(summary),
    ]
    if summary["printed_column"]:
        floor, slope = printed_sizes(summary["printed_column"])
        found.append(
            f"The printed sizes of the tails follow {100 * floor:.1f} % + {100 * slope:.0f} % * M, with M the share of "
            f"the baseline's rows, which is {100 * (floor + slope):.0f} % and not 100 % at M = 1: the baseline's "
            "export held more than rows of one table, and the paper does not say what. Ours are 100 % * M and the "
            "head, so at an equal M they are larger than the printed ones."
        )
    return found


def rates_at_the_edge(summary: Summary) -> str:
    """Name the tuned rows whose learning rate is the smallest or the largest of those tried."""
    rows = with_twins([*summary["tuned"]["rows"], *_extra_rows(summary)])
    edges = {"smallest": min(summary["rates"]), "largest": max(summary["rates"])}
    found = []
    for name, rate in edges.items():
        titles = [row["title"] for row in rows if row["settings"]["learning_rate"] == rate]
        if titles:
            found.append(f"the {name}, {rate:g}: {'; '.join(titles)}")
    if not found:
        return f"Of the rates {_rates(summary)}, no row chose the smallest or the largest."
    return (
        f"Of the rates {_rates(summary)}, these rows chose one at the edge, where another might do better. "
        f"They chose {'. They chose '.join(found)}."
    )


def printed_sizes(column: str) -> tuple[float, float]:
    """Fit a line to the paper's sizes against the share of the baseline's rows; return its floor and slope."""
    tail = json.loads(PRINTED.read_text(encoding="utf-8"))["table3"][column]["tail"]
    shares = [2.0 ** int(text.removeprefix("2^")) for text in tail]
    sizes = [float(line["size"].removesuffix("%")) / 100 for line in tail.values()]
    slope, floor = np.polyfit(shares, sizes, 1)
    return float(floor), float(slope)


def _stream_case(surface_of: Callable[[Scale], Surface], title: str, size: Fraction, scale: Scale) -> Case:
    surface = surface_of(scale)
    lines = {
        str(head): f"{printed // 1000}K"
        for head, printed in zip(surface.heads, surface.printed_heads, strict=True)
    }
    return Case(
        name=f"table3_{surface.name}",
        title=title,
        files=lambda work, listener: str(surface.file(work, listener)),
        settings=surface.settings,
        heads={str(max(surface.heads[0] // SMALL_HEAD, 1)): None, **lines},
        tuned=tuned_of(surface),
        size=size,
        printed=surface.name,
        user="user_id",
    )


def tuned_of(surface: Surface) -> dict[str, Any]:
    """Return optimizer, batch and rates of the tuned rows on a stream; the validation slice chooses the rate.

    The batch size follows the scale, so that a smaller stream still gets enough steps.
    """
    return {
        "optimizer": "adagrad",
        "learning_rate": RATES,
        "batch_size": _batch_size(surface.stream.num_rows),
        "epochs": 1,
    }


def _batch_size(num_rows: int) -> int:
    """Return 2048 for a stream of full scale, less for a smaller one: a power of two, of about 700 steps a pass."""
    return min(max(1 << (num_rows // 700).bit_length() - 1, 64), 2048)


_REAL_TUNED: Final[Mapping[str, Any]] = {
    "optimizer": "adagrad",
    "learning_rate": RATES,
    "batch_size": 1024,
    "epochs": 8,
}


def case_movietweetings(data: Path | None, scale: Scale) -> Case:
    """Return MovieTweetings, or its latest ratings.

    Args:
        data: Folder of the real data sets, or None.
        scale: Its ``real_rows`` says how many ratings, if not all.

    Raises:
        SkippedError: The data is not there.
    """
    folder = _real(data, "movietweetings")

    def files(work: Path, listener: Listener) -> str:
        if scale.real_rows is None:
            return str(folder)
        ratings = folder / "ratings.dat"
        cut = work / _cut_name("movietweetings", ratings, scale.real_rows)
        cut.mkdir(exist_ok=True)
        if not (cut / ratings.name).exists():
            with replacing(cut / "movies.dat") as file:
                file.write((folder / "movies.dat").read_bytes())
            lines = ratings.read_bytes().splitlines(keepends=True)
            with replacing(cut / ratings.name) as file:  # last, so that the folder is whole once it is there
                file.write(b"".join(sorted(lines, key=_rated_s)[-scale.real_rows :]))
        return str(cut)

    return Case(
        name="table3_movietweetings",
        title="Table 3 on MovieTweetings",
        files=files,
        settings={"format": "movietweetings", "group": "user"},
        heads=dict.fromkeys(REAL_HEADS[-scale.printed_heads :]),
        tuned=_REAL_TUNED,
        size=Fraction("0.113"),
        printed=None,
        user="user",
        data=data,
    )


def case_assistments(data: Path | None, scale: Scale) -> Case:
    """Return ASSISTments, whose fold 5 is the test, or rows spread evenly over it.

    Args:
        data: Folder of the real data sets, or None.
        scale: Its ``real_rows`` says how many rows at most, if not all.

    Raises:
        SkippedError: The data is not there.
    """
    path = _real(data, "assist09.parquet")

    def files(work: Path, listener: Listener) -> str:
        if scale.real_rows is None:
            return str(path)
        import pyarrow.parquet as pq

        cut = work / f"{_cut_name('assist09', path, scale.real_rows)}.parquet"
        if not cut.exists():
            table = pq.read_table(path)
            # Evenly spread, since the file is in the order of the folds.
            step = -(-table.num_rows // scale.real_rows)
            with replacing(cut) as file:
                pq.write_table(table.take(list(range(0, table.num_rows, step))), file)
        return str(cut)

    return Case(
        name="table3_assistments",
        title="Table 3 on ASSISTments",
        files=files,
        settings={
            "label": "label",
            "categorical": ("student", "problem", "skill"),
            "split": "column:fold=5",
            "validation": "column:fold=4",
            "group": "student",
        },
        heads=dict.fromkeys(REAL_HEADS[-scale.printed_heads :]),
        tuned=_REAL_TUNED,
        size=Fraction("0.113"),
        printed=None,
        user="student",
        data=data,
    )


def _cut_name(name: str, path: Path, num_rows: int) -> str:
    """Name a part of a file by the file as it is now: another file gets another part, and the same the same."""
    stat = path.stat()
    return f"{name}-{num_rows}-{stat.st_size}-{stat.st_mtime_ns}"


def _rated_s(line: bytes) -> int:
    """Return the time of a line of ``ratings.dat``, whose lines are in the order of the users."""
    return int(line.rsplit(b"::", 1)[1])


def _real(data: Path | None, name: str) -> Path:
    if data is None or not (data / name).exists():
        where = "no folder was named" if data is None else f"{data} has no {name}"
        raise SkippedError(f"needs {name}, and {where}; name the folder of the data with --data")
    return data / name
