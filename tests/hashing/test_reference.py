"""The compiled form has every function of the numpy form, which defines it; their results are compared elsewhere."""

import inspect

from hybridhash.hashing import native, reference


def test_each_form_has_every_function() -> None:
    names = [name for name in vars(reference) if name.endswith("_keys") and not name.startswith("_")]
    assert len(names) == 5
    for name in names:
        mine, theirs = getattr(native, name), getattr(reference, name)
        assert list(inspect.signature(mine).parameters) == list(inspect.signature(theirs).parameters)
