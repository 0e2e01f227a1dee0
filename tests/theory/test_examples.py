"""Every example in the room's docstrings runs and prints what it says."""

import doctest
import importlib
import pkgutil

import pytest

import hybridhash.theory

MODULES = [info.name for info in pkgutil.iter_modules(hybridhash.theory.__path__, "hybridhash.theory.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_public_names_are_the_ones_exported() -> None:
    for name in hybridhash.theory.__all__:
        assert hasattr(hybridhash.theory, name)
    assert hybridhash.theory.__all__ == sorted(hybridhash.theory.__all__)
