"""Which methods of a comparison come first, and its notes."""

from dataclasses import replace

from .conftest import COMPARISON, DATA, METHOD


def test_the_best_compressed_methods_come_first_and_references_do_not_count() -> None:
    assert [method.name for method in COMPARISON.best_compressed()] == ["auto", "hybrid"]
    lost = replace(METHOD, name="auto", rce_mean=None)
    assert replace(COMPARISON, methods=(lost,)).best_compressed() == []


def test_all_notes_are_those_of_the_split_the_run_and_what_diverged() -> None:
    lost = replace(METHOD, name="auto", diverged=("seed 1: at step 3",))
    found = replace(COMPARISON, data=replace(DATA, note="by position"), methods=(METHOD, lost))
    assert found.all_notes == ("by position", "a note", "auto: seed 1: at step 3")
