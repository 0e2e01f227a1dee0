"""Every example in the room's docstrings runs and prints what it says."""

import doctest
import importlib
import pkgutil

import pytest

import hybridhash.embeddings

MODULES = [
    info.name for info in pkgutil.iter_modules(hybridhash.embeddings.__path__, "hybridhash.embeddings.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    module = importlib.import_module("hybridhash.embeddings.bags")
    assert sum(bool(found.examples) for found in finder.find(module)) >= 2


def test_the_public_names_are_the_ones_exported() -> None:
    for name in hybridhash.embeddings.__all__:
        assert hasattr(hybridhash.embeddings, name)
    assert hybridhash.embeddings.__all__ == sorted(hybridhash.embeddings.__all__)
