"""Logistic regression on the same ids: what a model without embeddings reaches on the data sets of the benchmark.

    python -m benchmarks.quality.logistic [--only timeline]

The yardstick of the benchmark, `full`, is the package's model with a row for each id. It is not the best model of these
rows: this one has a weight for each id and an L2 penalty, no hidden layer, and as many passes as it takes to converge.
The penalty is chosen on the validation slice; then the model learns from the whole training span and is judged on the
test, as all others are. It writes ``benchmarks/results/logistic.json``.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from benchmarks.quality.sets import ROOT, DataSet, data_sets
from hybridhash.data import TEST, TRAIN, VALIDATION, KeyedRows
from hybridhash.experiments import Silence
from hybridhash.metrics import relative_cross_entropy
from hybridhash.trials import prepare_rows, work_folder

PENALTIES: Final = (0.03, 0.1, 0.3, 1.0, 3.0)
"""The inverse strengths of the L2 penalty that are tried, as scikit-learn counts them."""
RECORD: Final = ROOT / "benchmarks" / "results" / "logistic.json"


def one_hot(rows: KeyedRows, indices: npt.NDArray[np.int64], known: npt.NDArray[np.int64]) -> csr_matrix:
    """Return rows as a sparse matrix with a column for each known key; the ids of a list weigh 1 / their number.

    Args:
        rows: All rows.
        indices: int64[N], the rows that are wanted.
        known: int64[K], the keys that have a column, rising.
    """
    batch = rows.take(indices)
    lengths = np.diff(batch.offsets)
    example = np.repeat(np.tile(np.arange(indices.size), batch.num_features), lengths)
    weights = np.repeat(1 / np.maximum(lengths, 1), lengths)
    columns = np.minimum(np.searchsorted(known, batch.keys), known.size - 1)
    is_known = known[columns] == batch.keys
    entries = (weights[is_known], (example[is_known], columns[is_known]))
    return csr_matrix(entries, shape=(indices.size, known.size))


def rce_of(rows: KeyedRows, penalty: float, learned: Sequence[int], judged: int) -> float:
    """Return the RCE, in per cent, on one part of the rows of a model that has learned from others.

    Args:
        rows: All rows.
        penalty: The inverse strength of the L2 penalty.
        learned: The parts that are learned from.
        judged: The part that is predicted.
    """
    training, test = rows.indices(*learned), rows.indices(judged)
    known = np.unique(rows.take(training).keys)
    model = LogisticRegression(C=penalty, solver="lbfgs", max_iter=300)
    model.fit(one_hot(rows, training, known), rows.labels[training])
    predicted = model.predict_proba(one_hot(rows, test, known))[:, 1]
    return float(relative_cross_entropy(predicted, rows.labels[test]))


def judge_set(data: DataSet, work: Path) -> dict[str, Any]:
    """Choose the penalty on the validation slice of a data set, and judge the model on its test."""
    settings = data.settings.model_copy(update={"work_dir": work})
    with work_folder(settings) as folder:
        rows = prepare_rows([data.files(work)], settings, folder, Silence()).dataset.rows
        validation = {penalty: rce_of(rows, penalty, (TRAIN,), VALIDATION) for penalty in PENALTIES}
        penalty = max(validation, key=lambda each: validation[each])
        rce = rce_of(rows, penalty, (TRAIN, VALIDATION), TEST)
    return {"title": data.title, "rce": rce, "penalty": penalty, "validation": list(validation.values())}


def main() -> None:
    """Judge the sets that are asked for, and keep them beside those that were judged before."""
    sets = data_sets()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=sets, default=list(sets))
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "quality")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    found = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    for name in options.only:
        found[name] = judge_set(sets[name], options.work)
        print(
            f"{found[name]['title']}: RCE {found[name]['rce']:.2f} at C = {found[name]['penalty']}",
            flush=True,
        )
        RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
