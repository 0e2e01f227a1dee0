"""Names of files, and that every method of a study can be built."""

from pathlib import Path

import pytest
from benchmarks.quality.methods import FULL, HASHED, MODULES, PACKAGE_METHODS
from benchmarks.quality.study import PEERS_STUDY, TAILS_STUDY, Study
from benchmarks.quality.verdict import REFERENCE

from benchmarks.quality.tails import TABLES


def test_runs_are_kept_by_study_and_set() -> None:
    assert Study("tails", (), ()).rows_of(Path("here"), "ads") == Path("here/tails-ads.jsonl")
    assert PEERS_STUDY.rows_of(Path(), "ads") != TAILS_STUDY.rows_of(Path(), "ads")


@pytest.mark.parametrize("study", [PEERS_STUDY, TAILS_STUDY], ids=lambda study: study.name)
def test_methods_are_named_once_and_known(study: Study) -> None:
    assert len(set(study.methods)) == len(study.methods)
    assert set(study.methods) <= {*PACKAGE_METHODS, *MODULES, *TABLES}
    assert {FULL, HASHED, REFERENCE} <= set(study.methods)
    assert list(study.shares) == sorted(study.shares, reverse=True)
