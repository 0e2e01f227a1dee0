"""Every example in the room's docstrings runs and prints what it says."""

import doctest
import importlib
import pkgutil

import pytest

import hybridhash.hashing

MODULES = [info.name for info in pkgutil.iter_modules(hybridhash.hashing.__path__, "hybridhash.hashing.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_public_names_are_the_ones_exported() -> None:
    for name in hybridhash.hashing.__all__:
        assert hasattr(hybridhash.hashing, name)
