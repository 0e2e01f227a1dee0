"""``python -m benchmarks.quality.rounding``: rounding after training against rounding in the loop.

Every key has a row of its own, as in the full table; the rows ship in 1 to 8 bits. Models learn from the training rows
and are judged, as they ship, on the validation slice: this compares two ways to train, and the test is not touched.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from paper.study import SkippedError

from benchmarks.quality.kept import Kept
from benchmarks.quality.methods import Span
from benchmarks.quality.rounding_page import page, read_cells
from benchmarks.quality.runs import Folders, digest
from benchmarks.quality.sets import ROOT, DataSet, data_sets, tiny_sets
from hybridhash.data import TRAIN, VALIDATION, EncodedRows
from hybridhash.embeddings import KeyEmbeddingBag, RoundedEmbeddingBag
from hybridhash.errors import DivergedError
from hybridhash.experiments import Listener, Silence
from hybridhash.files import write_text
from hybridhash.metrics import relative_cross_entropy
from hybridhash.models import MLPRanker, WideDeep, build_model, pack_model
from hybridhash.optim import Adagrad
from hybridhash.packing import FLOAT_BITS
from hybridhash.spec import TableSpec, Tier
from hybridhash.spec.table import companion_bits
from hybridhash.training import TrainSettings, predict, train
from hybridhash.trials.layout import Layout, assemble, plan_tables
from hybridhash.trials.prepare import prepare_rows, work_folder
from hybridhash.trials.settings import FitSettings

BITS: Final = (1, 2, 3, 4, 8)
SETS: Final = ("movietweetings", "ads")
RATES: Final = (0.01, 0.02, 0.05, 0.1, 0.2)
AFTER: Final = "after"
IN_LOOP: Final = "in-loop"


@dataclass(frozen=True)
class Bench:
    """A data set that tables of any bits are trained on.

    Attributes:
        span: Its training rows, without the validation slice.
        rows: All rows.
        settings: The model and the grid of learning rates.
    """

    span: Span
    rows: EncodedRows
    settings: FitSettings

    def layout(self, bits: int) -> Layout:
        """Return the model with a row per key, which ships in so many bits."""
        plans = plan_tables(self.span.schema, self.span.counts, self.settings)
        tables = [
            TableSpec(
                plan.counts.num_keys,
                num_buckets=1,
                dim=plan.dim,
                tiers=(Tier(plan.counts.num_keys, bits if plan.part == "deep" else companion_bits(bits)),),
            )
            for plan in plans
        ]
        return assemble(plans, tables, self.settings.hidden)

    def train(
        self, layout: Layout, bag: type[KeyEmbeddingBag], rate: float, seed: int
    ) -> tuple[WideDeep | MLPRanker, float]:
        """Train for one pass, and return the model and the seconds."""
        model = self._build(layout, bag, rate, seed)
        run = TrainSettings(self.settings.optimizer, rate, self.settings.batch_size, epochs=1, seed=seed)
        return model, train(model, self.rows, self.span.indices, run).train_s

    def rounded_after(
        self, trained: WideDeep | MLPRanker, layout: Layout, rate: float
    ) -> WideDeep | MLPRanker:
        """Return a trained model of float rows as the model of another layout."""
        model = self._build(layout, KeyEmbeddingBag, rate, seed=0)
        model.load_state_dict(trained.state_dict())
        return model

    def judge(self, model: WideDeep | MLPRanker, layout: Layout) -> dict[str, Any]:
        """Return the validation RCE, in per cent, and the bytes of a model as it ships."""
        indices = self.rows.indices(VALIDATION)
        predictions = predict(pack_model(model, layout.vocabularies), self.rows, indices)
        return {
            "rce": float(relative_cross_entropy(predictions, self.rows.labels[indices])),
            "embedding_bytes": layout.spec.ledger().embedding_bytes,
        }

    def _build(
        self, layout: Layout, bag: type[KeyEmbeddingBag], rate: float, seed: int
    ) -> WideDeep | MLPRanker:
        return build_model(
            layout.spec,
            self.span.schema.names,
            layout.vocabularies,
            bag=bag,
            optimizer=Adagrad(rate),
            init_std=self.settings.init_std,
            generator=torch.Generator().manual_seed(seed),
        )


def run_set(name: str, data: DataSet, seeds: int, folders: Folders, listener: Listener) -> None:
    """Run what is not kept yet of a data set, and keep it in ``rounding.jsonl``.

    Args:
        name: Of the data set.
        data: Its rows and settings.
        seeds: How often each model is trained.
        folders: Where rows are kept, and where streams are.
        listener: Hears of finished runs.

    Raises:
        SkippedError: The rows are not there.
    """
    settings = data.settings.model_copy(update={"work_dir": folders.work})
    files = data.files(folders.work)
    kept = Kept(rows_file(folders))
    with work_folder(settings) as work_dir:
        prepared = prepare_rows([files], settings, work_dir, listener)
        rows = prepared.dataset.rows
        bench = Bench(Span(rows, (TRAIN,), data.settings), rows, data.settings)
        common = {"set": name, "title": data.title, "of": digest(prepared, data.settings)}
        for seed in range(seeds):
            for rate in data.settings.learning_rate:
                _run(bench, {**common, "rate": rate, "seed": seed}, kept, listener)


def rows_file(folders: Folders) -> Path:
    """Return the file of the rows."""
    return folders.results / "rounding.jsonl"


def _run(bench: Bench, named: Mapping[str, Any], kept: Kept, listener: Listener) -> None:
    """Train once in floats, to be rounded to all bits, and once in the loop for each."""
    rate, seed = named["rate"], named["seed"]
    after = [{**named, "rounding": AFTER, "bits": bits} for bits in (FLOAT_BITS, *BITS)]
    try:
        if any(kept.get(cell) is None for cell in after):
            model, seconds = bench.train(bench.layout(FLOAT_BITS), KeyEmbeddingBag, rate, seed)
            for cell in after:
                layout = bench.layout(cell["bits"])
                found = bench.judge(bench.rounded_after(model, layout, rate), layout)
                _keep(cell, {**found, "train_s": seconds}, kept, listener)
        for bits in BITS:
            cell = {**named, "rounding": IN_LOOP, "bits": bits}
            if kept.get(cell) is None:
                layout = bench.layout(bits)
                model, seconds = bench.train(layout, RoundedEmbeddingBag, rate, seed)
                _keep(cell, {**bench.judge(model, layout), "train_s": seconds}, kept, listener)
    except DivergedError as error:
        listener.note(f"{named['set']}, rate {rate:g}, seed {seed}: {error}")


def _keep(cell: Mapping[str, Any], found: Mapping[str, Any], kept: Kept, listener: Listener) -> None:
    kept.add(cell, found)
    title = (
        f"{cell['set']}, {cell['bits']} bits {cell['rounding']}, rate {cell['rate']:g}, seed {cell['seed']}"
    )
    listener.run_done(title, f"RCE {found['rce']:.2f}, {found['train_s']:.2f} s")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for, then write the table of all that is kept.

    Args:
        arguments: Of the command line; those of the process if not given.

    Returns:
        0; 1 where there is nothing to show.
    """
    options = _parse(arguments)
    folders = Folders(options.out, ROOT / "build" / "quality")
    for folder in (folders.results, folders.work):
        folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name, data in options.sets.items():
        try:
            run_set(name, data, options.seeds, folders, _Printer())
        except SkippedError as reason:
            print(f"{name}: skipped: {reason}", flush=True)
    cells = read_cells(rows_file(folders))
    if not cells:
        sys.stderr.write("benchmarks.quality.rounding: expected one data set or more, got none; see above\n")
        return 1
    write_text(folders.results / "rounding.md", page(cells))
    print(f"written: {folders.results / 'rounding.md'}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.rounding",
        description="Compare rounding after training with rounding in the loop.",
    )
    parser.add_argument("--tiny", action="store_true", help="a stream of seconds: shows that all runs")
    parser.add_argument("--only", nargs="+", choices=SETS, default=SETS, help="which data sets")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each model (default 3)")
    parser.add_argument("--out", type=Path, help="folder of the results (default benchmarks/results)")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error(f"--seeds: expected 1 or more, got {options.seeds}")
    options.sets = tiny_sets() if options.tiny else {name: _data_set(name) for name in options.only}
    if options.out is None:
        options.out = ROOT / ("build/quality-tiny" if options.tiny else "benchmarks/results")
    return options


def _data_set(name: str) -> DataSet:
    data = data_sets()[name]
    return replace(data, settings=data.settings.model_copy(update={"learning_rate": RATES}))


class _Printer(Silence):
    """A listener that prints finished runs and notes."""

    def run_done(self, title: str, summary: str) -> None:
        print(f"{title}: {summary}", flush=True)

    def note(self, text: str) -> None:
        print(f"note: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
